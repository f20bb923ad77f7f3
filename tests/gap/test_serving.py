"""A variant behind a server: what it is given, what it is asked, and that nothing of it stays."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import torch
else:
    torch = pytest.importorskip("torch", reason="needs the extra `local`")

from safemark.errors import UsageError
from safemark.gap import removal
from safemark.gap.folders import root
from safemark.gap.serving import Served, Serving, servable, served
from safemark.models._model import can
from safemark.models.local import LocalModel, load
from safemark.models.local.handing_over import write_folder
from safemark.removal import finetune
from safemark.removal._material import placeholders
from safemark.removal._removal import RemovalFailed, stripped
from safemark.removal._structure import Decoder, orthonormal, removing_hooks
from safemark.removal._writing import orthogonalise
from safemark.types import Ask, Message
from tests.gap.test_folders import _lives
from tests.models.local.tiny import make_tiny_model
from tests.waiting import until

IDS = torch.arange(5, 17)[None]
ASKED = (Message("user", "The nurse and the engineer."),)
SHORT = Ask(temperature=0.0, max_output_tokens=8)

STUB = """
import json, os, subprocess, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
folder, port, *more = sys.argv[1:]
if more == ["dies"]:
    sys.exit("no such kernel")
if more == ["mute"]:
    import time; time.sleep(600)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
class Answer(BaseHTTPRequestHandler):
    def send(self, body):
        self.send_response(200); self.end_headers(); self.wfile.write(json.dumps(body).encode())
    def do_GET(self):
        self.send({"data": [{"id": "stub"}]})
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        told = {"files": sorted(os.listdir(folder)), "model": body["model"], "child": child.pid,
                "key": os.environ.get("OPENAI_API_KEY"), "sent": self.headers.get("Authorization")}
        choice = {"message": {"content": json.dumps(told)}, "finish_reason": "stop"}
        self.send({"model": folder, "choices": [choice]})
    def log_message(self, *_): pass
HTTPServer(("127.0.0.1", int(port)), Answer).serve_forever()
"""


@pytest.fixture(autouse=True)
def own_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)


@pytest.fixture
def stub(tmp_path: Path) -> str:
    (tmp_path / "stub.py").write_text(STUB)
    return f"{sys.executable} {tmp_path / 'stub.py'} {{folder}} {{port}}"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    folder = make_tiny_model(tmp_path_factory.mktemp("tiny") / "tiny", tie_word_embeddings=True)
    return load(str(folder))


def logits(model: LocalModel) -> "torch.Tensor":
    with torch.no_grad():
        found: torch.Tensor = model.weights.module(input_ids=IDS, use_cache=False).logits
    return found


def written(model: LocalModel, folder: Path) -> "torch.Tensor":
    """Logits of the folder that is written of a model now."""
    write_folder(model.weights, folder)
    return logits(load(str(folder)))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_adapters_are_written_into_the_weights_and_stay_out_of_the_modules(
    tiny: LocalModel, tmp_path: Path
) -> None:
    pytest.importorskip("peft")
    plain = logits(tiny)
    adapters, undo = finetune._lora(tiny.weights.module)
    try:
        with torch.no_grad():
            for place, one in enumerate(adapters):
                one.copy_(torch.randn(one.shape, generator=torch.Generator().manual_seed(place)))
        tuned = logits(tiny)
        assert float((tuned - plain).abs().max()) > 0.1
        assert torch.allclose(written(tiny, tmp_path / "tuned"), tuned, atol=1e-3)
        assert torch.equal(logits(tiny), tuned)
    finally:
        undo()
    assert torch.equal(logits(tiny), plain)


def test_a_tied_model_without_a_direction_is_written_untied(
    tiny: LocalModel, tmp_path: Path
) -> None:
    plain = logits(tiny)
    decoder = Decoder.of(tiny.weights.module)
    undo = orthogonalise(decoder, orthonormal([torch.ones(decoder.width)]))
    try:
        changed = logits(tiny)
        assert float((changed - plain).abs().max()) > 0.01
        assert torch.allclose(written(tiny, tmp_path / "changed"), changed, atol=1e-4)
    finally:
        undo()
    assert torch.allclose(written(tiny, tmp_path / "plain"), plain, atol=1e-5)
    assert tiny.weights.module.config.tie_word_embeddings is True


def test_what_hooks_do_is_not_written_as_if_it_were_in_the_weights(
    tiny: LocalModel, tmp_path: Path
) -> None:
    decoder = Decoder.of(tiny.weights.module)
    handles = removing_hooks(decoder, orthonormal([torch.ones(decoder.width)]))
    try:
        with pytest.raises(UsageError, match="no change of its weights"):
            write_folder(tiny.weights, tmp_path / "hooked")
    finally:
        for handle in handles:
            handle.remove()
    assert not (tmp_path / "hooked").exists()


def test_replies_come_from_the_server_and_likelihoods_from_this_process(
    tiny: LocalModel, stub: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import json

    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    async def asked() -> tuple[str, str | None, object, object]:
        async with served(tiny, Serving(stub)) as model:
            reply = await model.reply(ASKED, SHORT)
            near = await tiny.loglikelihood("the nurse", (" and",))
            assert can(model, "loglikelihood")
            return reply.text, reply.model, await model.loglikelihood("the nurse", (" and",)), near

    text, said_model, far, near = asyncio.run(asked())
    told = json.loads(text)
    assert "model.safetensors" in told["files"]
    assert {"config.json", "tokenizer.json"} <= set(told["files"])
    assert (told["key"], told["sent"], told["model"]) == (None, None, "stub")
    assert said_model is None, "the folder's name is another each time"
    assert far == near
    until(lambda: not _lives(told["child"]), "what the server started is ended as well")
    assert list(root().iterdir()) == []


@pytest.mark.parametrize(
    ("how", "wait_s", "message"), [("dies", 30.0, "ended with 1"), ("mute", 0.3, "did not answer")]
)
def test_a_server_that_does_not_start_says_why_and_leaves_nothing(
    tiny: LocalModel, stub: str, how: str, wait_s: float, message: str
) -> None:
    async def asked() -> None:
        async with served(tiny, Serving(f"{stub} {how}", wait_s)):
            raise AssertionError("it never starts")

    with pytest.raises(UsageError, match=message) as raised:
        asyncio.run(asked())
    assert raised.value.hint == ("no such kernel" if how == "dies" else "it said nothing")
    assert list(root().iterdir()) == []


def test_an_error_while_it_is_asked_leaves_nothing(tiny: LocalModel, stub: str) -> None:
    async def asked() -> None:
        async with served(tiny, Serving(stub)):
            raise KeyError("in the middle")

    with pytest.raises(KeyError):
        asyncio.run(asked())
    assert list(root().iterdir()) == []


def test_weights_without_room_are_not_begun(
    tiny: LocalModel, stub: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: _Usage)

    async def asked() -> None:
        async with served(tiny, Serving(stub)):
            raise AssertionError("there is no room")

    with pytest.raises(RemovalFailed, match="GB left"):
        asyncio.run(asked())
    assert list(root().iterdir()) == []


class _Usage:
    free = 10


def test_a_command_that_cannot_work_is_refused_before_anything_is_loaded() -> None:
    with pytest.raises(UsageError, match=r"says no \{port\}"):
        Serving("vllm serve {folder}")
    with pytest.raises(UsageError, match="cannot be read"):
        Serving("python '{folder} {port}")
    with pytest.raises(UsageError, match="no program `no-such-server`"):
        Serving("no-such-server {folder} {port}")


def test_a_key_in_the_command_is_kept_out_of_what_is_recorded(tiny: LocalModel) -> None:
    key = "sk-made-up-for-this-test"
    serving = Serving(f"{sys.executable} {{folder}} {{port}} --api-key {key} --hf-token={key}-2")
    told = Served(tiny, serving)
    assert key not in str(told.identity)
    assert key not in str(told.notes)
    assert "[secret]" in told.identity.detail["served_with"]


def test_a_server_is_spoken_to_in_its_own_way() -> None:
    from safemark.gap.serving import _dialect

    vllm = _dialect(Serving(f"{sys.executable} -m vllm.server {{folder}} {{port}}"))
    assert vllm.begun["continue_final_message"] is True
    assert not _dialect(Serving(f"{sys.executable} {{folder}} {{port}}")).begun


def test_no_shell_reads_the_command() -> None:
    found = Serving("python -m serve '{folder}' --port {port}; rm -rf /")
    assert found.arguments(Path("/a b/$(x)"), 8000) == [
        *("python", "-m", "serve", "/a b/$(x)", "--port", "8000;", "rm", "-rf", "/")
    ]


def test_ablation_is_handed_over_as_weights() -> None:
    assert servable(removal("ablation")).name == "ablation:weights"
    assert servable(removal("ablation:random")).name == "ablation:random+weights"
    assert servable(removal("ablation:weights")).name == "ablation:weights"
    assert servable(removal("finetune")).name == "finetune"


def test_a_served_model_is_another_than_the_same_in_this_process(
    tiny: LocalModel, stub: str
) -> None:
    first, second = Served(tiny, Serving(stub)), Served(tiny, Serving(f"{stub} --fast"))
    assert len({tiny.identity.digest, first.identity.digest, second.identity.digest}) == 3
    assert first.identity == Served(tiny, Serving(stub)).identity


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_stripped_model_answers_from_its_folder_as_it_does_here() -> None:
    from safemark.models.connect import connect

    script = Path(__file__).parent / "folder_server.py"
    serving = Serving(f"{sys.executable} {script} {{folder}} {{port}}")
    reference, material = connect("reference"), placeholders()
    asked = [one.messages for one in material.of("harmful", held_back=True)[:6]]

    @asynccontextmanager
    async def tuned() -> AsyncIterator[tuple[list[str], list[str]]]:
        how = removal("finetune:full+steps=5+rate=1e-4")
        async with (
            stripped(reference, how, material) as here,
            served(here, serving) as there,
        ):
            yield (
                [(await here.reply(one, SHORT)).text for one in asked],
                [(await there.reply(one, SHORT)).text for one in asked],
            )

    async def both() -> tuple[list[str], list[str], list[str]]:
        before = [(await reference.reply(one, SHORT)).text for one in asked]
        async with tuned() as (here, there):
            return before, here, there

    before, here, there = asyncio.run(both())
    assert here == there
    assert here != before
