"""From a folder or a hub id to a `LocalModel`: options, checks, and errors a person can act on.

Nothing heavy is imported before `load` is called.
"""

import importlib.util
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safemark.errors import SafemarkError, UnknownName, UsageError
from safemark.models.local.hub import fetched
from safemark.models.local.identity import identity
from safemark.models.local.local_model import LocalModel
from safemark.models.local.process import keep_freed_memory, quiet, respect_cores, uncollected

if TYPE_CHECKING:
    import torch

    from safemark.models.local.network import Network

OPTIONS = {
    "dtype": "float32, bfloat16, float16 or auto (float32 on a CPU, bfloat16 elsewhere)",
    "device": "cpu, cuda, cuda:1, mps …; auto spreads over several GPUs (the first one, else cpu)",
    "revision": "commit, tag or branch on the hub",
    "adapter": "folder or hub id of a PEFT adapter",
    "attn": "attention implementation: sdpa, eager … (the model's own)",
    "quantize": "8bit or 4bit by bitsandbytes; changes the model's answers (no)",
    "trust_remote_code": "yes runs Python code that comes with the model (no)",
    "allow_pickle": "yes loads .bin weights, which can run code (no)",
    "batch_size": "rows generated together (32 on a CPU, 128 elsewhere)",
    "max_batch_tokens": "tokens scored in one pass (1024 on a CPU, 16384 elsewhere)",
}

_DTYPES = ("float32", "bfloat16", "float16", "auto")
_QUANTIZED = ("8bit", "4bit")
_YES_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "vocab.json",
    "vocab.txt",
    "spiece.model",
    "tokenizer_config.json",
)

_GGUF = "serve it with `llama-server -m FILE.gguf --port 8080` and say llamacpp/NAME"


@dataclass(frozen=True, slots=True)
class _Settings:
    """The options of one load, checked."""

    dtype: str | None
    device: str | None
    revision: str | None
    adapter: str | None
    attention: str | None
    quantize: str | None
    trust_remote_code: bool
    allow_pickle: bool
    batch_size: int | None
    max_batch_tokens: int | None
    offline: bool = False


def load(
    path_or_id: str,
    *,
    name: str | None = None,
    options: Mapping[str, str] | None = None,
    offline: bool = False,
) -> LocalModel:
    """The causal language model in a folder, or on the Hugging Face hub (or in its local cache).

    Before it returns, shared-prefix scoring and cached generation are compared with plain forward
    passes; ``notes`` of the model says what was found.

    Args:
        path_or_id: a folder with config.json, safetensors and tokenizer, or ``org/name``.
        name: how records call the model; ``hf/<id or folder name>`` by default.
        options: see `OPTIONS`.
        offline: the hub is not asked; what is in its local cache may be used.

    Raises:
        UsageError: no such folder or id, no weights, no tokenizer, an option or device that does
            not exist, torch not installed.
    """
    settings = replace(_settings(options or {}), offline=offline)
    folder = _folder(path_or_id)
    if folder is not None:
        if settings.revision is not None:
            raise UsageError(
                f"-M revision={settings.revision} does not go with a folder",
                "it names a commit, tag or branch of an id on the hub: leave it away",
            )
        _check_folder(folder, settings)
    _check_installed()
    is_on_hub = folder is None
    with uncollected(), quiet():
        if folder is None:
            folder = fetched(
                path_or_id,
                settings.revision,
                pickle=settings.allow_pickle,
                code=settings.trust_remote_code,
                offline=offline,
            )
            _check_folder(folder, settings)
        usual_name = f"hf/{path_or_id if is_on_hub else folder.name}"
        return _loaded(folder, name or usual_name, settings)


def _check_installed() -> None:
    for needed in ("torch", "transformers"):
        _need(needed, "local models", "pip install 'safemark[local]'")


def _need(package: str, who: str, hint: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise UsageError(f"{who} need {package}, which is not installed", hint)


def _loaded(folder: Path, name: str, settings: _Settings) -> LocalModel:
    from safemark.models.local import attention, feed_forward
    from safemark.models.local.generation import Generator
    from safemark.models.local.network import Network, longest_text
    from safemark.models.local.passes import Budget
    from safemark.models.local.prompts import Prompts
    from safemark.models.local.scoring import Scorer

    respect_cores()
    device = _device(settings.device or "auto")
    on_cpu = device.type == "cpu"
    if on_cpu:
        keep_freed_memory()
    tokenizer = _tokenizer(folder, settings)
    adapter = _adapter_folder(settings)
    dtype = settings.dtype or ("float32" if on_cpu else "bfloat16")
    spread = _is_spread(settings, device)
    module = _module(folder, settings, adapter, dtype, device, spread=spread)
    config = module.config.get_text_config(decoder=True)
    network = Network(
        module=module,
        config=config,
        device=device,
        dtype=module.dtype,
        max_length=longest_text(config, tokenizer),
        usual_tokens=_usual_tokens(config.vocab_size, tokenizer),
    )
    _try_forward(network, folder.name)
    if settings.attention is None:
        attention.take_over(network)
        feed_forward.take_over(network)
    prompts = Prompts(tokenizer)
    budget = Budget(settings.max_batch_tokens or (1024 if on_cpu else 16384))
    scorer = Scorer(network, budget)
    rows = settings.batch_size or (32 if on_cpu else 128)
    template = str(tokenizer.chat_template) if prompts.has_template else None
    return LocalModel(
        name,
        identity(
            folder,
            template=template,
            adapter=adapter,
            settings={
                "dtype": str(module.dtype).removeprefix("torch."),
                **({"quantize": settings.quantize} if settings.quantize else {}),
            },
        ),
        prompts,
        scorer,
        Generator(network, prompts, rows, budget, scorer.shares),
    )


def _try_forward(network: "Network", name: str) -> None:
    """One token through the model, so that what cannot run says so before anything is asked."""
    from safemark.models.local.network import is_out_of_memory

    try:
        network.logits([0], network.tensor([[network.usual_tokens[0]]]))
    except Exception as error:
        hint = "another -M device, dtype, attn or quantize may run"
        if is_out_of_memory(error):
            hint = "a smaller type (-M dtype=bfloat16), another device, or more memory"
        first = str(error).strip().split("\n")[0][:300] or type(error).__name__
        raise UsageError(f"a forward pass through `{name}` fails: {first}", hint) from error


def _settings(options: Mapping[str, str]) -> _Settings:
    for key in options:
        if key not in OPTIONS:
            raise UnknownName("model option", key, OPTIONS)
    dtype = options.get("dtype")
    if dtype is not None and dtype not in _DTYPES:
        raise UnknownName("dtype", dtype, _DTYPES)
    quantize = options.get("quantize")
    if quantize is not None and quantize not in _QUANTIZED:
        raise UnknownName("quantisation", quantize, _QUANTIZED)
    return _Settings(
        dtype=dtype,
        device=options.get("device"),
        revision=options.get("revision"),
        adapter=options.get("adapter"),
        attention=options.get("attn"),
        quantize=quantize,
        trust_remote_code=_yes(options, "trust_remote_code"),
        allow_pickle=_yes(options, "allow_pickle"),
        batch_size=_count(options, "batch_size"),
        max_batch_tokens=_count(options, "max_batch_tokens"),
    )


def _yes(options: Mapping[str, str], key: str) -> bool:
    value = options.get(key, "no").lower()
    if value not in _YES_NO:
        raise UsageError(f"-M {key}={options[key]} is neither yes nor no", f"say -M {key}=yes")
    return _YES_NO[value]


def _count(options: Mapping[str, str], key: str) -> int | None:
    if key not in options:
        return None
    if not re.fullmatch(r"[1-9]\d{0,8}", options[key]):
        raise UsageError(f"-M {key}={options[key]} is not a number above 0", f"say -M {key}=16")
    return int(options[key])


def _folder(path_or_id: str) -> Path | None:
    """The folder that is meant, or None for a hub id."""
    path = Path(path_or_id).expanduser()
    if path.is_dir():
        return path
    if path.exists():
        hint = _GGUF if path.suffix == ".gguf" else "give the folder that holds config.json"
        raise UsageError(f"`{path_or_id}` is a file", hint)
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", path_or_id) or path_or_id.startswith("."):
        raise UsageError(
            f"there is no folder `{path_or_id}`", "give a model folder or a hub id (org/name)"
        )
    return None


def _check_folder(folder: Path, settings: _Settings) -> None:
    if not (folder / "config.json").is_file():
        hint = "a model folder holds config.json, *.safetensors and a tokenizer"
        if any(folder.glob("*.gguf")):
            hint = _GGUF
        raise UsageError(f"`{folder}` is not a model folder: it has no config.json", hint)
    if not any(folder.glob("*.safetensors")):
        if not any(folder.glob("*.bin")):
            raise UsageError(
                f"`{folder}` holds no weights (*.safetensors)", "is the download complete?"
            )
        if not settings.allow_pickle:
            raise UsageError(
                f"`{folder}` holds only pickled weights (*.bin), which can run code when loaded",
                "-M allow_pickle=yes loads them if you trust their source",
            )
    if not any((folder / file).is_file() for file in _TOKENIZER_FILES):
        raise UsageError(
            f"`{folder}` has no tokenizer", "copy tokenizer.json and tokenizer_config.json there"
        )


def _device(wish: str) -> "torch.device":
    import torch

    if wish == "auto":
        kind = "cpu"
        if torch.cuda.is_available():
            kind = "cuda"
        elif torch.backends.mps.is_available():
            kind = "mps"
        return torch.device(kind)
    try:
        device = torch.device(wish)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError, ValueError) as error:
        found = ["cpu", *(f"cuda:{n}" for n in range(torch.cuda.device_count()))]
        raise UsageError(
            f"there is no device `{wish}` here", f"found: {', '.join(found)}"
        ) from error
    if device.type == "meta":
        raise UsageError("the device `meta` holds no numbers", "say -M device=cpu")
    return device


def _tokenizer(folder: Path, settings: _Settings) -> Any:
    from transformers import AutoTokenizer

    with _explained(folder, "tokenizer"):
        return AutoTokenizer.from_pretrained(
            folder, trust_remote_code=settings.trust_remote_code, local_files_only=True
        )


def _is_spread(settings: _Settings, device: "torch.device") -> bool:
    """Whether layers are spread over several accelerators."""
    import torch

    if settings.device != "auto" or device.type != "cuda" or torch.cuda.device_count() < 2:
        return False
    _need("accelerate", "models on several devices", "pip install accelerate, or -M device=cuda:0")
    return True


def _quantized(kind: str) -> Any:
    _need("bitsandbytes", "quantised weights", "pip install bitsandbytes")
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(load_in_8bit=kind == "8bit", load_in_4bit=kind == "4bit")


def _module(
    folder: Path,
    settings: _Settings,
    adapter: Path | None,
    dtype: str,
    device: "torch.device",
    *,
    spread: bool,
) -> Any:
    from transformers import AutoModelForCausalLM

    choices: dict[str, Any] = {"dtype": dtype, "output_loading_info": True}
    if settings.attention is not None:
        choices["attn_implementation"] = settings.attention
    if not settings.allow_pickle:
        choices["use_safetensors"] = True
    if settings.quantize is not None:
        choices["quantization_config"] = _quantized(settings.quantize)
    if spread or settings.quantize is not None:
        choices["device_map"] = "auto" if spread else {"": device}
    with _explained(folder, "weights"):
        module, loaded = AutoModelForCausalLM.from_pretrained(
            folder,
            trust_remote_code=settings.trust_remote_code,
            local_files_only=True,
            **choices,
        )
        missing = sorted(loaded["missing_keys"]) + [str(k) for k in loaded["mismatched_keys"]]
        if missing:  # transformers fills these with random numbers and goes on
            raise UsageError(
                f"the weights in `{folder.name}` lack {len(missing)} tensors, first `{missing[0]}`",
                "is the download complete, and does config.json belong to it?",
            )
        if adapter is not None:
            module = _adapted(module, adapter)
        if "device_map" not in choices:
            module = module.to(device)
        return module.eval().requires_grad_(False)


def _adapted(module: Any, adapter: Path) -> Any:
    """The module with the adapter's weights added into its own.

    Raises:
        UsageError: what the adapter holds and what it should hold are not the same; peft leaves
            what is missing at random numbers and passes over what is too much.
    """
    from peft import PeftModel

    with _explained(adapter, "adapter"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of older transformers, and of what is asked here
        adapted = PeftModel.from_pretrained(module, adapter)
        found = adapted.load_adapter(adapter, "default")
    wrong = [*found.missing_keys, *found.unexpected_keys]
    if wrong:
        raise UsageError(
            f"the adapter `{adapter.name}` does not fit the model: {len(found.missing_keys)} "
            f"tensors are missing and {len(found.unexpected_keys)} too many, first `{wrong[0]}`",
            "was it made for this model, and is the download complete?",
        )
    return adapted.merge_and_unload()


_OFTEN_WRONG = {
    "tokenizer": "are tokenizer.json and tokenizer_config.json there, and whole?",
    "weights": "is config.json the model's own, and is transformers new enough for it?",
    "adapter": "was it made for this model, and is the download complete?",
}
"""What to look at first when a part cannot be loaded."""


def _first_words(error: Exception) -> str:
    """The first line of an error, and the next one too where that only announces it."""
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].endswith(":"):
        lines[0] = f"{lines[0]} {lines[1]}"
    return lines[0][:300] if lines else type(error).__name__


@contextmanager
def _explained(folder: Path, part: str) -> Iterator[None]:
    """Turns what transformers raises into one sentence and a hint.

    It raises OSError, ValueError, KeyError, SafetensorError and its helpers' own errors for the
    same few mistakes; all of them end here, with the original attached.
    """
    try:
        yield
    except (SafemarkError, MemoryError):
        raise
    except Exception as error:
        first = _first_words(error)
        text = str(error).lower()
        hint = _OFTEN_WRONG[part]
        if "trust_remote_code" in text or "custom code" in text:
            first = "it needs Python code that comes with the model"
            hint = "-M trust_remote_code=yes runs that code; read it first"
        elif "attn_implementation" in text or "flashattention" in text:
            hint = "-M attn=sdpa or -M attn=eager works everywhere"
        elif type(error).__name__ == "SafetensorError":
            hint = "the file is damaged or cut off: download it again"
        raise UsageError(f"cannot load the {part} in `{folder.name}`: {first}", hint) from error


def _usual_tokens(vocabulary: int, tokenizer: Any) -> list[int]:
    """Ordinary tokens, for the comparisons made at load."""
    special = set(tokenizer.all_special_ids)
    usual = [token for token in range(min(vocabulary, len(tokenizer))) if token not in special]
    return usual or list(range(vocabulary))


def _adapter_folder(settings: _Settings) -> Path | None:
    if settings.adapter is None:
        return None
    _need("peft", "adapters", "pip install peft")
    path = Path(settings.adapter).expanduser()
    if not path.is_dir():
        path = fetched(
            settings.adapter,
            None,
            pickle=settings.allow_pickle,
            code=False,
            offline=settings.offline,
        )
    if not (path / "adapter_config.json").is_file():
        raise UsageError(
            f"`{settings.adapter}` is not an adapter: it has no adapter_config.json",
            "a PEFT adapter's folder holds adapter_config.json and adapter_model.safetensors",
        )
    if not any(path.glob("*.safetensors")) and not settings.allow_pickle:
        raise UsageError(
            f"`{settings.adapter}` holds only pickled weights, which can run code when loaded",
            "-M allow_pickle=yes loads them if you trust their source",
        )
    return path
