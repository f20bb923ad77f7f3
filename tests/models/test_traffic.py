"""A real server that is overloaded, down, or slow to be asked: what becomes of a run."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from safemark.evaluation import Outcome
from safemark.models.circuit import Circuit
from safemark.models.http import Endpoint
from safemark.models.limits import Gate
from safemark.models.openai_compatible import OpenAICompatible
from safemark.models.retry import Retrying
from safemark.models.window import FixedWindow, Window
from safemark.store import Store, Usage
from tests.serving import Answer, Server, completion, fails, hangs_up, says, sends
from tests.small import evaluated, task

OK = says("ok")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(str(tmp_path / "store.db"))
    yield opened
    opened.close()


def of(server: Server, window: Window | None = None, **of_circuit: Any) -> Retrying:
    """The server's model, with waits short enough for a test."""
    inner = OpenAICompatible("m", Endpoint(base_url=server.url, api_key=None))
    circuit = Circuit(first_pause_s=0.02, **of_circuit)
    return Retrying(inner, Gate(window or Window(), circuit=circuit), first_wait_s=0.002)


async def run(model: Retrying, n: int, store: Store, **more: Any) -> Outcome:
    try:
        return await evaluated(model, task(n), store, **more)
    finally:
        await model.close()


def stormy(answer: Answer, times: int, after: int = 0) -> Callable[[str, int], Answer]:
    """That answer to so many requests, after some right ones and before others."""
    asked = 0

    def answered(_text: str, _before: int) -> Answer:
        nonlocal asked
        asked += 1
        return answer if after < asked <= after + times else OK

    return answered


def cost(store: Store, outcome: Outcome) -> Usage:
    return store.usage(outcome.run_id)


@pytest.mark.parametrize(
    "storm",
    [
        fails(429, "slow down", Retry_After="0.03"),
        fails(429, "slow down"),
        fails(503, "overloaded", Retry_After="0.03"),
        fails(503, "overloaded"),
        fails(529, "overloaded"),
        hangs_up(),
    ],
    ids=["429 with Retry-After", "429", "503 with Retry-After", "503", "529", "hangs up"],
)
async def test_a_storm_passes_and_every_answer_comes(store: Store, storm: Answer) -> None:
    with Server(stormy(storm, 11, after=5)) as server:
        model = of(server)
        outcome = await run(model, 60, store)
    assert outcome.ending.status == "complete"
    assert len(server.asked) == 60 + 11
    assert set(server.asked) == {f"question {i}" for i in range(60)}
    assert not model.gate.window._is_doubling, "slower than at the beginning"
    found = cost(store, outcome)
    assert (found.requests, found.retries) == (60, 11)
    assert found.waited_s is not None
    assert found.waited_s > 0


async def test_a_record_says_how_often_and_how_long(store: Store) -> None:
    with Server(stormy(fails(429, "slow down", Retry_After="0.05"), 1)) as server:
        outcome = await run(of(server, FixedWindow(1)), 3, store)
    (part,) = store.parts(outcome.run_id)
    texts = [text.transcript for _, _, _, text in store.texts(part.id)]
    assert [transcript.retries for transcript in texts] == [1, 0, 0]
    assert texts[0].waited_s >= 0.05
    assert [transcript.waited_s for transcript in texts[1:]] == [0.0, 0.0]
    reply = texts[0].attempts[0].reply
    assert reply is not None
    assert reply.retries == 1
    assert cost(store, outcome).waited_s == pytest.approx(texts[0].waited_s)


async def test_a_failed_sample_keeps_its_retries_and_its_time(store: Store) -> None:
    def answer(text: str, _before: int) -> Answer:
        return fails(500, "oops") if text == "question 1" else OK

    with Server(answer) as server:
        outcome = await run(of(server, FixedWindow(2)), 30, store)
    (part,) = store.parts(outcome.run_id)
    failed = [t.transcript for _, _, _, t in store.texts(part.id) if t.transcript.absent]
    assert [(transcript.retries, transcript.absent) for transcript in failed] == [
        (4, "server_error")
    ]
    assert failed[0].attempts[0].seconds > 0
    assert failed[0].waited_s > 0
    assert cost(store, outcome).retries == 4


async def test_a_server_that_dies_and_returns_is_asked_again_by_one_call(store: Store) -> None:
    back = asyncio.Event()
    down: list[str] = []

    def answer(text: str, _before: int) -> Answer:
        if len(server.asked) <= 20 or back.is_set():
            return OK
        down.append(text)
        if len(down) == 11:
            back.set()
        return hangs_up()

    with Server(answer) as server:
        model = of(server, FixedWindow(16))
        outcome = await run(model, 60, store)
    assert outcome.ending.status == "complete"
    assert len(server.asked) == 60 + 11


async def test_a_server_that_stays_down_ends_the_run_and_the_same_command_continues(
    store: Store,
) -> None:
    def answer(_text: str, _before: int) -> Answer:
        return OK if len(server.asked) <= 20 else hangs_up()

    with Server(answer) as server:
        outcome = await run(of(server, FixedWindow(4), patience_s=0.1), 500, store)
        assert outcome.ending.status == "failed"
        assert "failed" in outcome.ending.why
        assert "repeat the command when it answers again: it continues" in outcome.ending.why
        assert len(server.asked) < 60
        server._answer = lambda _text, _before: OK
        again = await run(of(server, FixedWindow(4)), 500, store)
    assert (again.run_id, again.ending.status) == (outcome.run_id, "complete")
    assert set(server.asked) == {f"question {i}" for i in range(500)}


async def test_a_wish_of_an_hour_ends_the_run_with_its_reason(store: Store) -> None:
    with Server(stormy(fails(429, "daily quota", Retry_After="3600"), 10_000)) as server:
        outcome = await run(of(server), 100, store)
    assert len(server.asked) == 1
    assert outcome.ending.status == "failed"
    assert "wait for 3,600 s" in outcome.ending.why
    assert "daily quota" in outcome.ending.why
    (part,) = store.parts(outcome.run_id)
    kept = [text.transcript.absent for _, _, _, text in store.texts(part.id)]
    assert kept == ["rate_limited"]


async def test_the_window_opens_to_a_server_that_is_quick(store: Store) -> None:
    seen: set[int] = set()

    def answer(_text: str, _before: int) -> Answer:
        seen.add(model.gate.window.limit)
        return OK

    with Server(answer) as server:
        model = of(server)
        await run(model, 300, store)
    assert max(seen) > 16
    assert len(server.asked) == 300


async def test_tokens_out_of_the_cache_are_told(store: Store) -> None:
    body = completion("ok")
    body["usage"]["prompt_tokens_details"] = {"cached_tokens": 6}
    with Server(lambda _text, _before: sends(json.dumps(body).encode())) as server:
        outcome = await run(of(server), 1, store)
    (part,) = store.parts(outcome.run_id)
    ((_, _, _, text),) = store.texts(part.id)
    reply = text.transcript.attempts[0].reply
    assert reply is not None
    assert (reply.usage.input_tokens, reply.usage.cached_tokens) == (10, 6)
