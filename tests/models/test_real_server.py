"""Safemark over HTTP against a server that no one here wrote: `transformers serve`.

It serves the shipped reference model, or a tiny random one where the weights are not there yet.
What is asked and answered is compared with the same weights run in Safemark's own process.
"""

import importlib.util
import json
import os
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from safemark.models.connect import REFERENCE
from safemark.reports.document import Document, json_schema
from safemark.store import Store
from safemark.types import Attempt, Reason
from tests.serving import kept_port
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SERVED = ("fastapi", "uvicorn", "openai", "torch", "accelerate")
"""What `transformers serve` needs beside transformers (its extra `serving`)."""

SHORT = ("--max-output-tokens", "24")
UNJUDGED = {Reason.EMPTY_REPLY, Reason.CUT_OFF, Reason.CANNOT_SAY, Reason.UNPARSED_ANSWER}
"""Why a reply that did come may be absent."""

ASKED_ALL = (0, 3)
"""Exit codes of a run that had all its replies: 3 where too few of them can be judged."""

ANSWERED = '"POST /v1/chat/completions HTTP/1.1" 200'
"""A line of the server's log, written when the head of an answer goes out."""


@dataclass
class Served:
    """A model folder behind `transformers serve`; the address stays the same when it returns."""

    folder: Path
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def model(self) -> str:
        return self.folder.name

    def start(self) -> None:
        command = [str(Path(sys.executable).with_name("transformers")), "serve", self.model]
        command += ["--dtype", "float32"]  # as weights are loaded here: a near tie is the same tie
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--device", "cpu"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder.parent,  # a relative name has no slash: `openai/<name>`
                env={**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"},
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + 180
        while time.monotonic() < end and self.process.poll() is None:
            with (
                suppress(OSError),
                urllib.request.urlopen(f"{self.url[:-3]}/health", timeout=2) as answer,
            ):
                assert answer.status == 200
                return
            time.sleep(0.1)
        pytest.fail(f"transformers serve did not start:\n{self.log.read_text()[-4000:]}")

    def answers(self) -> int:
        """How many it gave, of which the last may not have arrived before it was killed."""
        return self.log.read_text().count(ANSWERED)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chat model: the reference model, or one with random weights that never stops talking."""
    missing = [name for name in SERVED if importlib.util.find_spec(name) is None]
    if missing and os.environ.get("SAFEMARK_REQUIRE_SLOW") != "1":
        pytest.skip(f"transformers serve needs {', '.join(missing)}: make test-slow installs them")
    if (REFERENCE / "model.safetensors").is_file():
        return REFERENCE
    from tests.models.local.tiny import make_tiny_model

    return make_tiny_model(tmp_path_factory.mktemp("served") / "tiny", max_length=1024)


@pytest.fixture
def server(folder: Path, tmp_path: Path) -> Iterator[Served]:
    with kept_port() as port:
        served = Served(folder, port, tmp_path / "server.log")
        try:
            served.start()
            yield served
        finally:
            served.kill()


def command(model: str, *more: str) -> list[str]:
    safemark = str(Path(sys.executable).with_name("safemark"))
    return [safemark, "run", model, "-b", "audit150", *more, "--json"]


def ran(arguments: list[str], *exit_codes: int) -> dict[str, Any]:
    """The document that a real process printed, known to be valid."""
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
    assert done.returncode in exit_codes, done.stderr[-4000:] + done.stdout[-4000:]
    return valid(done.stdout)


def valid(printed: str) -> dict[str, Any]:
    found = json.loads(printed)
    jsonschema.validate(found, json_schema())
    msgspec.convert(found, Document)
    return found


def attempts(run_id: str) -> dict[str, Attempt]:
    """What became of each sample, with the time that it took: asked again, it is another."""
    store = Store()
    try:
        (part,) = store.parts(run_id)
        found = {}
        for _, sample, _, text in store.texts(part.id):
            assert sample not in found
            (found[sample],) = text.transcript.attempts
        return found
    finally:
        store.close()


def replies(run_id: str) -> dict[str, str]:
    """What was answered, by sample; the server keeps a leading space, we do not."""
    found = {}
    for sample, attempt in attempts(run_id).items():
        assert attempt.reply is not None, attempt.why
        found[sample] = attempt.reply.text.strip()
    return found


def stored_samples() -> int:
    """How many samples are safely in the store, seen from another process."""
    path = os.environ["SAFEMARK_STORE"].removeprefix("sqlite:///")
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
            return int(store.execute("SELECT count(*) FROM score").fetchone()[0])
    except sqlite3.OperationalError:  # not made yet
        return 0


def test_a_real_server_is_measured_and_says_what_the_same_weights_say_here(
    server: Served,
) -> None:
    over_http = command(f"openai/{server.model}", "--base-url", server.url, "--limit", "20", *SHORT)

    found = ran(over_http, *ASKED_ALL)

    (part,) = found["benchmarks"]
    assert found["status"] == "complete"
    assert part["n"] + part["absent"] == 20
    assert set(part["absent_reasons"]) <= UNJUDGED
    assert found["cost"]["requests"] == 20
    assert found["cost"]["input_tokens"] > 20
    assert 0 < found["cost"]["output_tokens"] <= 20 * 24
    here = ran(command(f"hf/{server.folder}", "--limit", "20", *SHORT), *ASKED_ALL)
    assert replies(found["run"]) == replies(here["run"])


def test_a_model_that_the_server_does_not_have_is_asked_for_once(server: Served) -> None:
    found = ran(command("openai/no-such-model", "--base-url", server.url, "--limit", "20"), 3)

    (part,) = found["benchmarks"]
    assert found["status"] == "failed"
    assert found["cost"]["requests"] == 1
    assert part["n"] == 0
    assert part["absent_reasons"] == {"not_asked": 19, "unknown_model": 1}
    assert server.model in found["status_why"]  # the server's own words: what it does have


def test_a_server_that_dies_and_returns_costs_nothing_that_was_answered(server: Served) -> None:
    arguments = command(
        f"openai/{server.model}", "--base-url", server.url, "--limit", "60", *SHORT,
        "--concurrency", "1", "-M", "retries=1", "-M", "patience_s=3",
    )  # fmt: skip
    running = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: stored_samples() or running.poll() is not None, "something is stored")
    server.kill()
    printed, said = running.communicate(timeout=120)

    assert running.returncode == 3, said[-4000:]
    halted = valid(printed)
    (part,) = halted["benchmarks"]
    assert part["n"] + part["absent"] == 60
    transport = part["absent_reasons"].pop("transport")
    assert transport > 0
    assert set(part["absent_reasons"]) <= UNJUDGED | {"not_asked"}
    kept = {
        sample: attempt
        for sample, attempt in attempts(halted["run"]).items()
        if attempt.reply is not None
    }
    assert 0 < len(kept) < 60
    given = server.answers()
    assert given - len(kept) in (0, 1), "one may have been lost on its way"

    server.start()
    found = ran(arguments, *ASKED_ALL)

    (again,) = found["benchmarks"]
    assert found["run"] == halted["run"]
    assert found["status"] == "complete"
    assert again["n"] + again["absent"] == 60
    assert set(again["absent_reasons"]) <= UNJUDGED
    assert found["cost"]["requests"] == 60
    after = attempts(found["run"])
    assert len(after) == 60
    assert {sample: after[sample] for sample in kept} == kept
    assert server.answers() - given == 60 - len(kept), "what was answered is not asked again"
