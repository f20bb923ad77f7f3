import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from safemark.errors import CallFailed
from safemark.models import effort
from safemark.models.circuit import Circuit
from safemark.models.fake import Fake, says
from safemark.models.limits import EndpointGivenUp, Gate, Limits, Traffic
from safemark.models.pace import Pace
from safemark.models.retry import Retrying
from safemark.models.window import FixedWindow, Window
from safemark.types import Ask, Reason, Reply, Usage
from tests.virtual_time import now, passes

ASK = Ask()


class Endpoint(Fake):
    """A server of a certain size: ``answer`` says what becomes of the n-th call at a time."""

    def __init__(
        self,
        latency_s: Callable[[int], float] = lambda _in_flight: 1.0,
        refuses: Callable[[int, int], CallFailed | None] = lambda _n, _in_flight: None,
    ) -> None:
        super().__init__()
        self.began: list[float] = []
        self.in_flight: list[int] = []
        self.gate: Gate | None = None
        self.allowed: list[int] = []
        self._busy = 0
        self._latency_s = latency_s
        self._refuses = refuses

    async def reply(self, messages: Any, ask: Ask) -> Reply:
        self.began.append(now())
        self._busy += 1
        self.in_flight.append(self._busy)
        if self.gate is not None:
            self.allowed.append(self.gate.window.limit)
        try:
            refusal = self._refuses(len(self.began), self._busy)
            await asyncio.sleep(0.01 if refusal else self._latency_s(self._busy))
        finally:
            self._busy -= 1
        if refusal:
            raise refusal
        return Reply("ok", usage=Usage(100, 20))


def busy(**more: Any) -> CallFailed:
    return CallFailed(Reason.RATE_LIMITED, "HTTP 429: slow down", **more)


def broken(reason: Reason = Reason.TRANSPORT) -> CallFailed:
    return CallFailed(reason, "connection refused", "is a server listening?")


async def all_of(model: Retrying, n: int, workers: int = 256) -> list[Reply | CallFailed]:
    """What becomes of ``n`` questions asked by so many workers; nobody asks after an ending."""
    left = iter(range(n))
    found: list[Reply | CallFailed] = []

    async def work() -> None:
        for i in left:
            effort.begin()
            try:
                found.append(await model.reply(says(f"{i}"), ASK))
            except CallFailed as failure:
                found.append(failure)
                if failure.ending is not None:
                    return

    await asyncio.gather(*(work() for _ in range(workers)))
    return found


def careful(endpoint: Endpoint, **limits: Any) -> Retrying:
    given = Limits(**limits)
    endpoint.gate = given.gate()
    return Retrying(endpoint, endpoint.gate, retries=given.retries)


# the window


def test_the_window_doubles_each_round_trip_up_to_its_ceiling() -> None:
    endpoint = Endpoint()
    model = careful(endpoint)

    passes(all_of(model, 1500))
    asked_at = {second: endpoint.began.count(float(second)) for second in range(6)}
    assert asked_at == {0: 16, 1: 32, 2: 64, 3: 128, 4: 256, 5: 256}
    assert max(endpoint.in_flight) == 256


def test_a_window_that_is_not_filled_does_not_grow() -> None:
    endpoint = Endpoint()
    model = careful(endpoint)
    passes(all_of(model, 200, workers=3))
    assert model.gate.window.limit == 16


def test_the_window_stops_growing_where_more_calls_only_wait_longer() -> None:
    serves_at_once = 40
    endpoint = Endpoint(latency_s=lambda busy: max(1.0, busy / serves_at_once))
    passes(all_of(careful(endpoint), 4000))
    assert serves_at_once <= min(endpoint.allowed[-500:])
    assert max(endpoint.allowed[-500:]) <= 2.5 * serves_at_once
    assert 4000 / endpoint.began[-1] > 0.9 * serves_at_once, "nearly all that it can serve"


def test_answers_that_are_simply_longer_do_not_strangle() -> None:
    spread = random.Random(0).uniform
    endpoint = Endpoint(latency_s=lambda _: spread(0.8, 1.2) * (1.0 if now() < 10 else 30.0))
    model = careful(endpoint)
    passes(all_of(model, 6000))
    assert endpoint.allowed[-1] == 256
    later = [allowed for t, allowed in zip(endpoint.began, endpoint.allowed, strict=True) if t > 12]
    assert 100 <= min(later) <= 160, "halved to see, and given back"


def test_a_refusal_halves_the_window_once_a_round_trip() -> None:
    window = Window(start=64)
    for _ in range(30):
        window.overloaded(began=0.0, now=1.0)
    assert window.limit == 32
    window.overloaded(began=0.5, now=1.1)
    assert window.limit == 32, "that one was under way before"
    window.overloaded(began=1.2, now=2.0)
    assert window.limit == 16


def test_a_window_never_closes() -> None:
    window = Window(start=16)
    for i in range(50):
        window.overloaded(began=i + 0.5, now=i + 1.0)
    assert window.limit == 1


@pytest.mark.parametrize(("share", "halves"), [(50, False), (5, True)])
def test_a_failure_now_and_then_is_no_overload_but_one_in_ten_is(share: int, halves: bool) -> None:
    window = Window(start=64, ceiling=64)
    for i in range(1, 60):
        at = i / 100
        if i % share == 0:
            window.troubled(began=at, now=at + 0.1)
        else:
            window.succeeded(at, at + 0.1, is_full=True)
    assert (window.limit < 64) == halves


def test_one_failure_among_the_first_answers_is_no_overload() -> None:
    window = Window(start=16)
    window.troubled(began=0.1, now=0.2)
    assert window.limit == 16
    window.troubled(began=0.1, now=0.2)
    assert window.limit == 8


def test_a_server_with_room_for_forty_is_found_and_few_are_refused() -> None:
    endpoint = Endpoint(refuses=lambda _n, in_flight: busy() if in_flight > 40 else None)
    model = careful(endpoint)
    found = passes(all_of(model, 4000))
    assert all(isinstance(reply, Reply) for reply in found)
    refused = len(endpoint.began) - 4000
    assert refused < 400
    assert len(endpoint.began) / endpoint.began[-1] > 20, "answers a second, of 40 at best"


def test_a_number_that_was_asked_for_is_kept() -> None:
    endpoint = Endpoint(latency_s=float, refuses=lambda n, _: busy() if n % 7 == 0 else None)
    passes(all_of(careful(endpoint, concurrency=20), 300))
    assert max(endpoint.in_flight) == 20
    assert isinstance(Limits(concurrency=20).gate().window, FixedWindow)


# the pace


def most_in_a_minute(times: list[float]) -> int:
    return max(sum(1 for t in times if begin <= t < begin + 60) for begin in times)


@pytest.mark.parametrize(("per_minute", "n"), [(1, 4), (7, 30), (60, 200), (1200, 2500)])
def test_in_no_minute_more_requests_pass_than_allowed(per_minute: int, n: int) -> None:
    endpoint = Endpoint()
    passes(all_of(careful(endpoint, requests_per_minute=per_minute), n))
    times = endpoint.began
    assert len(times) == n
    assert sum(1 for t in times if t < 60) <= per_minute
    assert most_in_a_minute(times[:: max(1, n // 500)]) <= per_minute
    assert n / times[-1] * 60 >= 0.9 * per_minute, "and nearly as many do"


def test_tokens_are_counted_in_advance_and_corrected_by_what_the_server_says() -> None:
    endpoint = Endpoint(latency_s=lambda _: 0.1)
    model = careful(endpoint, tokens_per_minute=12_000)
    passes(all_of(model, 500, workers=50))
    per_minute = 120 * 500 / endpoint.began[-1] * 60
    assert 0.9 * 12_000 <= per_minute <= 1.05 * 12_000


def test_a_request_of_many_tokens_passes_and_is_waited_for_afterwards() -> None:
    pace = Pace(600)
    assert pace.opens_at(5.0) == 5.0
    pace.take(5.0, 6000)
    assert pace.opens_at(6.0) == pytest.approx(5.0 + 6000 * 61 / 600 - 1)
    pace.correct(-5999)
    assert pace.opens_at(6.0) == 6.0


# Retry-After


def test_the_servers_wish_holds_for_all_calls() -> None:
    endpoint = Endpoint(refuses=lambda n, _: busy(retry_after_s=30.0) if n == 40 else None)
    model = careful(endpoint, concurrency=8)
    found = passes(all_of(model, 100))
    assert [reply.retries for reply in found if isinstance(reply, Reply)].count(1) == 1
    refused_at = endpoint.began[39] + 0.01
    assert not [t for t in endpoint.began if refused_at < t < refused_at + 30]
    resumed = next(t for t in endpoint.began if t >= refused_at + 30)
    assert resumed - refused_at < 30.3


def test_a_429_storm_with_retry_after_costs_no_answer() -> None:
    endpoint = Endpoint(
        refuses=lambda _n, _: busy(retry_after_s=max(0.0, 20.0 - now())) if now() < 20 else None
    )
    model = careful(endpoint)
    found = passes(all_of(model, 1000))
    assert all(isinstance(reply, Reply) for reply in found)
    assert sum(1 for t in endpoint.began if 0.02 < t < 20) == 0, "nobody asks while it is shut"
    assert endpoint.began[-1] < 60


def test_a_429_storm_without_retry_after_is_tried_by_one_call_at_a_time() -> None:
    endpoint = Endpoint(refuses=lambda _n, _: busy() if now() < 20 else None)
    found = passes(all_of(careful(endpoint), 1000))
    assert all(isinstance(reply, Reply) for reply in found)
    assert sum(1 for t in endpoint.began if 1 < t < 20) <= 6
    assert endpoint.began[-1] < 60


def test_a_wish_of_an_hour_is_not_waited_for() -> None:
    endpoint = Endpoint(refuses=lambda _n, _: busy(retry_after_s=3600.0))
    found = passes(all_of(careful(endpoint, concurrency=4), 100))
    assert len(endpoint.began) == 4
    failures = [failure for failure in found if isinstance(failure, CallFailed)]
    assert Counter(failure.reason for failure in failures) == {"rate_limited": 4, "not_asked": 96}
    assert all(failure.ending is not None for failure in failures)
    assert endpoint.began[-1] < 1


# the circuit


def test_an_endpoint_that_never_answers_ends_the_run_soon_with_its_reason() -> None:
    endpoint = Endpoint(refuses=lambda _n, _: broken())

    async def story() -> tuple[list[Reply | CallFailed], float]:
        found = await all_of(careful(endpoint), 20_000)
        return found, now()

    found, took_s = passes(story())
    assert took_s < 30
    assert len(endpoint.began) < 40
    failures = [failure for failure in found if isinstance(failure, CallFailed)]
    assert len(failures) == len(found) < 300
    assert {failure.reason for failure in failures} <= {Reason.TRANSPORT, Reason.NOT_ASKED}
    status, why = next(f.ending for f in failures if isinstance(f, EndpointGivenUp) and f.ending)
    assert status == "failed"
    assert "connection refused" in why
    assert "repeat the command when it answers again: it continues" in why


def test_a_server_that_dies_and_returns_loses_no_answer() -> None:
    endpoint = Endpoint(refuses=lambda _n, _: broken() if 10 <= now() < 70 else None)
    found = passes(all_of(careful(endpoint), 5000))
    assert all(isinstance(reply, Reply) for reply in found)
    assert len(found) == 5000
    meanwhile = [t for t in endpoint.began if 11 < t < 70]
    assert len(meanwhile) <= 8, "single calls try whether it is back"


def test_a_server_that_stays_away_ends_the_run_after_the_patience() -> None:
    endpoint = Endpoint(refuses=lambda _n, _: broken(Reason.SERVER_ERROR) if now() >= 10 else None)

    async def story() -> float:
        await all_of(careful(endpoint, patience_s=120.0), 50_000)
        return now()

    assert 120 < passes(story()) < 200


def test_while_the_circuit_is_open_one_call_tries() -> None:
    circuit = Circuit(threshold=3, patience_s=1000.0)
    circuit.answered()
    for at in (0.0, 0.0, 0.0, 0.0, 0.0):
        circuit.failed(broken(), began=at - 1, now=at)
    assert (circuit.is_open, circuit.opens_at) == (True, 1.0)
    circuit.entered()
    assert (circuit.is_open, circuit.is_trying) == (True, True)
    circuit.failed(broken(), began=1.0, now=1.5)
    assert (circuit.is_open, circuit.is_trying, circuit.opens_at) == (True, False, 3.5)
    circuit.entered()
    circuit.answered()
    assert (circuit.is_open, circuit.is_trying, circuit.failures) == (False, False, 0)


def test_a_refused_question_is_an_answer_of_the_endpoint() -> None:
    def mixed(n: int, _busy: int) -> CallFailed | None:
        return broken() if n % 2 else CallFailed(Reason.BAD_REQUEST, "HTTP 400")

    endpoint = Endpoint(refuses=mixed)
    model = careful(endpoint, concurrency=1)
    passes(all_of(model, 40))
    assert model.gate.circuit.given_up is None


def test_without_retries_the_circuit_has_no_patience() -> None:
    endpoint = Endpoint(refuses=lambda _n, _: broken(Reason.SERVER_ERROR))
    found = passes(all_of(careful(endpoint, retries=0, concurrency=1), 100, workers=1))
    assert len(endpoint.began) == 8
    assert [f.reason for f in found if isinstance(f, CallFailed)] == [
        *[Reason.SERVER_ERROR] * 8,
        Reason.NOT_ASKED,
    ]


# the gate


def test_calls_pass_in_the_order_in_which_they_came() -> None:
    endpoint = Endpoint(latency_s=lambda _: random.Random(len(endpoint.began)).random())
    model = careful(endpoint, concurrency=3)
    passes(all_of(model, 50, workers=50))
    assert endpoint.began == sorted(endpoint.began)


def test_a_call_that_is_let_go_of_leaves_its_place() -> None:
    async def story() -> None:
        gate = Gate(FixedWindow(1))
        await gate.enter()
        waiting = [asyncio.create_task(gate.enter()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        gate.abandon()  # the turn of the second
        waiting[1].cancel()  # in the very moment in which it came
        await asyncio.sleep(1)
        assert waiting[2].done()
        assert gate.in_flight == 1
        gate.abandon()
        assert gate.in_flight == 0

    passes(story())


def test_traffic_says_what_is_waited_for() -> None:
    seen: dict[str, Traffic] = {}

    async def story(model: Retrying, name: str, at_s: float, n: int) -> None:
        asking = asyncio.create_task(all_of(model, n, workers=8))
        await asyncio.sleep(at_s)
        seen[name] = model.gate.traffic(asyncio.get_running_loop().time())
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    passes(story(careful(Endpoint(), concurrency=4), "busy", 0.5, 100))
    assert seen["busy"] == Traffic(in_flight=4, allowed=4, retries=0)
    passes(story(careful(Endpoint(), requests_per_minute=6), "pace", 2.0, 100))
    assert seen["pace"].shut_by == "the limit a minute"
    assert seen["pace"].shut_s == pytest.approx(8.0)
    wishes = Endpoint(refuses=lambda n, _: busy(retry_after_s=50.0) if n == 1 else None)
    passes(story(careful(wishes, concurrency=1), "wish", 10.0, 100))
    assert (seen["wish"].shut_by, seen["wish"].retries) == ("the endpoint's wish", 0)
    assert seen["wish"].shut_s == pytest.approx(40.0, abs=0.5)
    dead = Endpoint(refuses=lambda _n, _: broken())
    passes(story(careful(dead, patience_s=500.0), "dead", 1.0, 100))
    assert seen["dead"].shut_by == "the endpoint failing"


def test_what_is_waited_for_a_limit_is_told_once_and_queueing_is_not() -> None:
    async def story() -> tuple[float, float, float]:
        model = careful(Endpoint(), requests_per_minute=60)
        efforts: list[effort.Effort] = []

        async def ask() -> None:
            efforts.append(effort.begin())
            await model.reply(says("x"), ASK)

        await asyncio.gather(*(ask() for _ in range(11)))
        waited = sum(spent.waited_s for spent in efforts)
        return waited, max(spent.idle_s for spent in efforts), now()

    waited_s, longest_s, took_s = passes(story())
    assert waited_s == pytest.approx(10.0, abs=0.01), "ten pauses of a second, eleven calls"
    assert longest_s == pytest.approx(10.0, abs=0.01)
    assert took_s == pytest.approx(11.0, abs=0.01)


def test_a_stopwatch_leaves_waiting_out() -> None:
    spent = effort.begin()
    watch = effort.Stopwatch()
    spent.idle_s += 1000.0
    assert watch.seconds == 0.0
    effort.begin()
    assert effort.Stopwatch().seconds >= 0.0
