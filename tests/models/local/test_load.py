"""What can be wrong with a model folder, and what the error tells to do about it."""

import asyncio
import gc
import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from safemark.errors import CallFailed, UnknownName, UsageError
from safemark.models._model import Model, can
from safemark.models.connect import connect
from safemark.models.local import load
from safemark.types import Ask, Message, Reason
from tests.models.local.conftest import MakeModel
from tests.models.local.tiny import edit_config


@pytest.fixture
def folder(tiny_folder: Callable[..., Path], tmp_path: Path) -> Path:
    """A tiny Llama that a test may spoil."""
    return Path(shutil.copytree(tiny_folder(), tmp_path / "my-model"))


def test_a_loaded_model_has_the_shape_of_a_model(tiny: MakeModel) -> None:
    model = tiny()

    assert isinstance(model, Model)
    assert can(model, "reply")
    assert can(model, "loglikelihood")
    assert model.weights[0].config.model_type == "llama"


def test_a_model_is_called_after_its_folder_unless_named(folder: Path) -> None:
    assert load(str(folder)).name == "hf/my-model"
    assert load(str(folder), name="reference").name == "reference"


def test_importing_the_package_loads_no_torch() -> None:
    code = "import sys, safemark.models.local; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_loading_prints_nothing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load(str(folder))

    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("options", "problem", "hint"),
    [
        ({"dtpye": "float32"}, "no model option called `dtpye`", "did you mean `dtype`?"),
        ({"dtype": "float23"}, "no dtype called `float23`", "did you mean `float32`?"),
        ({"device": "cuda:99"}, "no device `cuda:99`", "found: cpu"),
        ({"device": "toaster"}, "no device `toaster`", "found: cpu"),
        ({"batch_size": "many"}, "batch_size=many is not a number", "batch_size=16"),
        ({"trust_remote_code": "perhaps"}, "neither yes nor no", "trust_remote_code=yes"),
        ({"attn": "flash_attention_9"}, "cannot load the weights", ""),
    ],
)
def test_an_option_that_does_not_work_is_named(
    tiny_folder: Callable[..., Path], options: dict[str, str], problem: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load(str(tiny_folder()), options=options)

    assert problem in caught.value.problem
    assert hint in caught.value.hint


def test_an_unknown_option_is_an_unknown_name() -> None:
    with pytest.raises(UnknownName):
        load("anywhere", options={"quantise": "yes"})


@pytest.mark.parametrize("name", ["./nowhere", "/no/such/folder", "a/b/c", "nowhere/"])
def test_a_path_that_is_no_folder_is_not_looked_for_on_the_hub(name: str) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        load(name)


def test_a_hub_id_that_is_not_in_the_cache_without_network_says_so(
    no_network: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with pytest.raises(UsageError, match="the hub cannot be reached") as caught:
        load("nobody/nothing")

    assert "give a folder" in caught.value.hint
    assert set(no_network) == {"huggingface.co"}
    no_network.clear()


@pytest.mark.parametrize("is_offline", [True, False])
def test_a_hub_id_is_taken_from_the_cache_where_the_hub_does_not_answer(
    tiny_folder: Callable[..., Path],
    tmp_path: Path,
    is_offline: bool,
    no_network: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", is_offline)
    _cached_model(tiny_folder(), tmp_path)

    assert load("somebody/tiny").name == "hf/somebody/tiny"
    no_network.clear()


def test_a_folder_without_config_is_not_a_model(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no config\.json"):
        load(str(tmp_path))


def test_a_gguf_file_is_sent_to_a_server(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").touch()

    with pytest.raises(UsageError) as caught:
        load(str(tmp_path))

    assert "llama-server" in caught.value.hint
    assert "llamacpp/NAME" in caught.value.hint
    with pytest.raises(UsageError, match="is a file") as of_file:
        load(str(tmp_path / "model.gguf"))
    assert of_file.value.hint == caught.value.hint


def test_a_folder_without_weights_says_so(folder: Path) -> None:
    (folder / "model.safetensors").unlink()

    with pytest.raises(UsageError, match="holds no weights"):
        load(str(folder))


def test_pickled_weights_need_a_flag_that_names_the_risk(folder: Path) -> None:
    import torch
    from safetensors.torch import load_file

    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()

    with pytest.raises(UsageError, match="can run code") as caught:
        load(str(folder))

    assert "allow_pickle=yes" in caught.value.hint
    assert load(str(folder), options={"allow_pickle": "yes"}).weights


def test_a_missing_tokenizer_is_named(folder: Path) -> None:
    for file in folder.glob("*token*"):
        file.unlink()

    with pytest.raises(UsageError, match="has no tokenizer"):
        load(str(folder))


def test_damaged_weights_are_named(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])

    with pytest.raises(UsageError, match="cannot load the weights"):
        load(str(folder))


def test_missing_tensors_are_an_error_and_not_random_numbers(folder: Path) -> None:
    edit_config(folder, num_hidden_layers=3)

    with pytest.raises(UsageError, match="lack 9 tensors"):
        load(str(folder))


def test_code_that_comes_with_a_model_is_not_run_unasked(folder: Path) -> None:
    edit_config(
        folder,
        model_type="mine",
        auto_map={"AutoConfig": "mine.Config", "AutoModelForCausalLM": "mine.Mine"},
    )
    (folder / "mine.py").write_text("raise SystemExit('this ran')")

    with pytest.raises(UsageError) as caught:
        load(str(folder))

    assert "trust_remote_code=yes" in caught.value.hint


def test_without_torch_the_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "torch" else find(name)
    )

    with pytest.raises(UsageError) as caught:
        load(str(folder))

    assert caught.value.hint == "pip install 'safemark[local]'"


def test_an_adapter_without_peft_names_the_package(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "peft" else find(name)
    )

    with pytest.raises(UsageError, match="adapters need peft"):
        load(str(folder), options={"adapter": "somewhere"})


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
async def test_an_adapter_changes_the_answers_and_the_identity(
    folder: Path, tmp_path: Path
) -> None:
    peft = pytest.importorskip("peft", reason="needs the extra `local`")
    import torch
    from transformers import AutoModelForCausalLM

    plain = load(str(folder), options={"device": "cpu"})
    module = AutoModelForCausalLM.from_pretrained(folder)
    torch.manual_seed(0)
    config = peft.LoraConfig(r=4, target_modules=["q_proj", "down_proj"], init_lora_weights=False)
    changed = peft.get_peft_model(module, config).eval()
    changed.save_pretrained(tmp_path / "adapter")

    model = load(str(folder), options={"device": "cpu", "adapter": str(tmp_path / "adapter")})
    (before,) = await plain.loglikelihood("The nurse", [" and the engineer"])
    (after,) = await model.loglikelihood("The nurse", [" and the engineer"])

    ids = model.weights.tokenizer("The nurse and the engineer")["input_ids"]
    start = len(model.weights.tokenizer("The nurse")["input_ids"])
    with torch.inference_mode():
        steps = changed(torch.tensor([ids[:-1]])).logits[0].log_softmax(-1)
    right = sum(steps[at - 1, ids[at]].item() for at in range(start, len(ids)))
    assert after.logprob == pytest.approx(right, abs=1e-4)
    assert abs(after.logprob - before.logprob) > 0.01
    assert model.identity.digest != plain.identity.digest
    assert str(tmp_path) not in json.dumps(model.identity.detail)


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
@pytest.mark.parametrize(
    ("made_for", "lost", "problem"),
    [
        ({}, "layers.1.", "4 tensors are missing and 0 too many"),
        ({"num_hidden_layers": 3}, "", "0 tensors are missing and 4 too many"),
        ({"hidden_size": 32}, "", "size mismatch"),
    ],
)
def test_an_adapter_that_does_not_fit_is_refused(
    tiny_folder: Callable[..., Path],
    folder: Path,
    tmp_path: Path,
    made_for: dict[str, int],
    lost: str,
    problem: str,
) -> None:
    peft = pytest.importorskip("peft", reason="needs the extra `local`")
    from safetensors.torch import load_file, save_file
    from transformers import AutoModelForCausalLM

    module = AutoModelForCausalLM.from_pretrained(tiny_folder(**made_for))
    config = peft.LoraConfig(r=4, target_modules=["q_proj", "down_proj"], init_lora_weights=False)
    peft.get_peft_model(module, config).save_pretrained(tmp_path / "adapter")
    file = tmp_path / "adapter" / "adapter_model.safetensors"
    kept = {name: one for name, one in load_file(file).items() if not (lost and lost in name)}
    save_file(kept, file)

    with pytest.raises(UsageError, match=problem) as caught:
        load(str(folder), options={"device": "cpu", "adapter": str(tmp_path / "adapter")})

    assert "made for this model" in caught.value.hint


def test_a_revision_does_not_go_with_a_folder(folder: Path) -> None:
    with pytest.raises(UsageError, match="revision=v2 does not go with a folder"):
        load(str(folder), options={"revision": "v2"})


async def test_a_token_that_the_model_does_not_know_fails_alone(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    known = len(weights["model.embed_tokens.weight"]) - 1
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        weights[name] = weights[name][:known].clone()
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    edit_config(folder, vocab_size=known)
    model = load(str(folder), options={"device": "cpu"})
    strange = model.weights.tokenizer.decode([known])

    good, bad = await asyncio.gather(
        model.loglikelihood("The nurse", [" yes"]),
        model.loglikelihood(f"The nurse{strange}", [" yes"]),
        return_exceptions=True,
    )
    reply, none = await asyncio.gather(
        model.reply((Message("user", "hello"),), Ask(max_output_tokens=2)),
        model.reply((Message("user", f"hello{strange}"),), Ask(max_output_tokens=2)),
        return_exceptions=True,
    )

    assert not isinstance(good, BaseException)
    assert not isinstance(reply, BaseException)
    for failure in (bad, none):
        assert isinstance(failure, CallFailed)
        assert failure.reason is Reason.UNSUPPORTED


@pytest.mark.parametrize(
    ("files", "problem"),
    [((), "it has no adapter_config"), (("adapter_config.json",), "only pickled weights")],
)
def test_a_folder_that_is_no_safe_adapter_is_refused(
    folder: Path,
    tmp_path: Path,
    files: tuple[str, ...],
    problem: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: object() if name == "peft" else find(name)
    )
    for name in files:
        (tmp_path / name).write_text("{}")

    with pytest.raises(UsageError, match=problem):
        load(str(folder), options={"adapter": str(tmp_path)})


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (RuntimeError("shape '[128, 5]' is invalid"), "dtype"),
        (RuntimeError("CUDA error: out of memory"), "more memory"),
    ],
)
def test_a_model_that_cannot_run_says_so_at_load(
    folder: Path, error: Exception, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safemark.models.local.network import Network

    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Network, "logits", fails)
    with pytest.raises(UsageError, match="a forward pass through `my-model` fails") as caught:
        load(str(folder), options={"device": "cpu"})

    assert hint in caught.value.hint


def test_quantised_weights_without_their_library_name_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "bitsandbytes" else find(name)
    )

    with pytest.raises(UsageError, match="quantised weights need bitsandbytes") as caught:
        load(str(folder), options={"quantize": "4bit"})

    assert caught.value.hint == "pip install bitsandbytes"
    with pytest.raises(UnknownName):
        load(str(folder), options={"quantize": "2bit"})


async def test_device_auto_where_there_is_one_device_is_that_one(folder: Path) -> None:
    model = load(str(folder), options={"device": "auto"})

    assert len({one.device for one in model.weights.module.parameters()}) == 1


def test_the_same_files_elsewhere_are_the_same_model(folder: Path, tiny: MakeModel) -> None:
    assert load(str(folder), options={"device": "cpu"}).identity == tiny().identity


def test_identity_changes_with_weights_template_and_number_type(folder: Path) -> None:
    first = load(str(folder)).identity
    half = load(str(folder), options={"dtype": "bfloat16"}).identity
    weights = folder / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    changed = load(str(folder)).identity
    (folder / "chat_template.jinja").write_text("{{ messages[0].content }}")
    spoken = load(str(folder)).identity

    assert len({one.digest for one in (first, half, changed, spoken)}) == 4
    assert str(folder) not in json.dumps(first.detail)


async def test_a_closed_model_says_so(folder: Path) -> None:
    model = load(str(folder))
    await model.close()
    await model.close()

    with pytest.raises(UsageError, match="is closed"):
        await model.reply((Message("user", "hello"),), Ask())
    with pytest.raises(UsageError, match="is closed"):
        _ = model.weights


@pytest.mark.parametrize("options", [{}, {"adapter": "nobody/adapter"}])
def test_offline_takes_from_the_cache_and_never_asks_the_hub(
    tiny_folder: Callable[..., Path],
    tmp_path: Path,
    options: dict[str, str],
    no_network: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    _cached_model(tiny_folder(), tmp_path)
    missing = options.get("adapter", "nobody/nothing")
    with pytest.raises(UsageError, match=f"`{missing}` is no folder here and not in the") as caught:
        load("somebody/tiny" if options else missing, options=options, offline=True)

    assert "--offline downloads nothing" in caught.value.problem
    assert caught.value.hint == "run once without --offline, or give a folder"
    assert load("somebody/tiny", offline=True).name == "hf/somebody/tiny"
    assert no_network == []


def test_an_adapter_to_the_shipped_model_is_not_downloaded_offline(
    tmp_path: Path, no_network: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with pytest.raises(UsageError, match="--offline downloads nothing"):
        connect("reference", options={"adapter": "nobody/adapter"}, offline=True)

    assert no_network == []


def test_a_revision_that_is_not_in_the_cache_is_named(
    tiny_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    _cached_model(tiny_folder(), tmp_path)
    with pytest.raises(UsageError, match="not in the local cache as `v2`"):
        load("somebody/tiny", options={"revision": "v2"}, offline=True)


def _cached_model(folder: Path, cache: Path) -> None:
    """``somebody/tiny`` as a download of the hub leaves it in its cache."""
    repository = cache / "models--somebody--tiny"
    commit = "0123456789abcdef0123456789abcdef01234567"
    shutil.copytree(folder, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)


@pytest.mark.parametrize("collects", [True, False])
def test_garbage_is_collected_again_after_loading(
    tiny_folder: Callable[..., Path], tmp_path: Path, collects: bool
) -> None:
    before = gc.isenabled()
    try:
        gc.enable() if collects else gc.disable()
        load(str(tiny_folder()), options={"device": "cpu"})
        assert gc.isenabled() == collects
        (tmp_path / "config.json").write_text("{}")
        with pytest.raises(UsageError):
            load(str(tmp_path))
        assert gc.isenabled() == collects
    finally:
        gc.enable() if before else gc.disable()
