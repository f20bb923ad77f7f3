"""Batches whose service fails at every step: nothing is handed in twice, each sample one record."""

import json
from collections.abc import Callable, Iterator

import pytest
from aiohttp import web

from safemark import batching
from safemark.models.batch import wire
from tests.batch_server import BatchServer
from tests.cli.commands import Done, safemark
from tests.faults.running import by_question, everything_written
from tests.faults.targets import KEY, REFUSES

N = 6
PROVIDERS = pytest.mark.parametrize("provider", ["openai", "anthropic"])


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchServer]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setattr(batching, "POLL_S", 0.01)
    monkeypatch.setattr(wire, "READ_TRIES", 1)
    with Hostile() as server:
        yield server


class Hostile(BatchServer):
    """A batch server of which each address can be given a fault, and results can be rewritten."""

    def __init__(self) -> None:
        super().__init__(lambda _text: REFUSES)
        self.faults: dict[str, Callable[[], web.Response]] = {}
        self.rewritten: Callable[[bytes], bytes] | None = None

    async def _reply(self, request: web.Request) -> web.StreamResponse:
        for part, fault in self.faults.items():
            if part in request.path:
                self.keys.append("")
                return fault()
        return await super()._reply(request)

    async def _results_of(self, request: web.Request, content: bytes) -> web.StreamResponse:
        if self.rewritten is not None:
            content = self.rewritten(content)
        return await super()._results_of(request, content)


def run(server: BatchServer, provider: str, *more: str) -> Done:
    url = server.root + ("/v1" if provider == "openai" else "")
    how = (f"{provider}/x", "--base-url", url, "-M", "retries=0", "-b", "audit150", "--offline")
    return safemark("run", *how, "--first", str(N), *more)


def batch(server: BatchServer, provider: str) -> Done:
    return run(server, provider, "--batch", "--wait", "--json")


def failing(status: int) -> Callable[[], web.Response]:
    body = json.dumps({"error": {"message": f"no: {KEY}", "type": "error"}})
    return lambda: web.Response(status=status, body=body, content_type="application/json")


@PROVIDERS
@pytest.mark.parametrize("status", [401, pytest.param(403, marks=pytest.mark.slow)])
def test_a_wrong_key_is_one_request_and_nothing_is_handed_in(
    batches: Hostile, provider: str, status: int
) -> None:
    batches.faults = {"/": failing(status)}
    done = batch(batches, provider)
    assert done.code in (3, 4), done.err
    assert len(batches.keys) == 1
    assert batches.jobs == {}
    assert f"check the key in {provider.upper()}_API_KEY" in done.err + done.out
    assert KEY.encode() not in everything_written(done)


STEPS = {
    "hand in": ("batches", {"openai": "/batches", "anthropic": "/messages/batches"}),
    "results": ("content", {"openai": "/content", "anthropic": "/results"}),
}
WRONG: dict[str, Callable[[], web.Response]] = {
    "500": failing(500),
    "429": failing(429),
    "page": lambda: web.Response(text="<html>busy</html>", content_type="text/html"),
    "truncated": lambda: web.Response(text='{"id": "ba', content_type="application/json"),
    "array": lambda: web.json_response([1]),
    "invalid UTF-8": lambda: web.Response(body=b'{"id": "\xff"}'),
}
QUICK = ("500", "truncated")


@PROVIDERS
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    "wrong",
    [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in WRONG],
)
def test_a_step_that_fails_is_said_and_the_command_goes_on_from_there(
    batches: Hostile, provider: str, step: str, wrong: str
) -> None:
    batches.faults = {STEPS[step][1][provider]: WRONG[wrong]}
    batches.end()
    first = batch(batches, provider)
    assert first.code in (0, 3, 4), first.err
    assert "Traceback" not in first.err
    batches.faults = {}
    done = batch(batches, provider)
    assert done.code == 0, done.err
    found = by_question()
    assert len(found) == N
    assert {one.outcome for one in found.values()} == {"scored"}
    handed_in = [line for job in batches.jobs.values() for line in job.requests]
    assert len(handed_in) <= N - 1, "nothing was handed in twice"
    assert KEY.encode() not in everything_written(first) + everything_written(done)


def _garbled(content: bytes) -> bytes:
    """The results among lines that are none, of others, doubled, and one with the key in it."""
    lines = content.splitlines()
    noise = [b"not json", b"[1]", b"null", b'"x"', b'{"custom_id": 7}', b'{"custom_id": "ff"}', b""]
    noise.append(json.dumps({"custom_id": "00" * 16, "response": KEY, "result": KEY}).encode())
    return b"\n".join([*noise, *lines, *lines]) + b"\n"


@PROVIDERS
def test_garbled_results_give_each_sample_one_record(batches: Hostile, provider: str) -> None:
    batches.rewritten = _garbled
    batches.end()
    done = batch(batches, provider)
    if done.code != 0:  # refused whole: mended, it goes on
        assert "error" in done.out, done.err
        batches.rewritten = None
        done = batch(batches, provider)
    assert done.code == 0, done.err
    found = by_question()
    assert len(found) == N
    assert {one.outcome for one in found.values()} == {"scored"}
    assert len(batches.jobs) == 1
    assert KEY.encode() not in everything_written(done)
