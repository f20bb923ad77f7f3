import asyncio
import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from safemark.errors import CallFailed
from safemark.models import effort
from safemark.models.circuit import TRANSIENT
from safemark.models.fake import Fake, says
from safemark.models.limits import Gate
from safemark.models.retry import Retrying
from safemark.models.window import FixedWindow
from safemark.types import Ask, Reason
from tests.small import Counting
from tests.virtual_time import now, passes

ASK = Ask()
QUESTION = says("why?")


def failing(times: int, reason: Reason = Reason.SERVER_ERROR, **more: Any) -> Counting:
    """A model that fails so often and then answers."""
    left = times

    def answer(_text: str, _ask: Ask) -> str | Exception:
        nonlocal left
        left -= 1
        return CallFailed(reason, "scripted", **more) if left >= 0 else "ok"

    return Counting(answer)


async def fails(model: Retrying) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        await model.reply(QUESTION, ASK)
    return caught.value


@pytest.mark.parametrize("reason", list(Reason))
def test_only_what_may_pass_is_tried_again(reason: Reason) -> None:
    model = failing(99, reason)
    failure = passes(fails(Retrying(model, retries=2)))
    assert failure.reason is reason
    assert len(model.asked) == (3 if reason in TRANSIENT else 1)
    assert failure.retries == len(model.asked) - 1


def test_a_reply_and_the_record_tell_how_often_it_was_tried_again() -> None:
    async def story() -> None:
        spent = effort.begin()
        model = Retrying(failing(2))
        assert (await model.reply(QUESTION, ASK)).retries == 2
        assert (await model.reply(QUESTION, ASK)).retries == 0
        assert (model.gate.retries, spent.retries) == (2, 2)
        assert spent.waited_s == spent.idle_s == pytest.approx(now())

    passes(story())


def test_waits_double_and_are_spread() -> None:
    times: list[float] = []

    def answer(_text: str, _ask: Ask) -> CallFailed:
        times.append(now())
        return CallFailed(Reason.SERVER_ERROR, "scripted")

    async def story() -> None:
        model = Retrying(Counting(answer), retries=4, first_wait_s=1.0, longest_wait_s=5)
        await fails(model)

    passes(story())
    waits = [after - before for before, after in itertools.pairwise(times)]
    bounds = [(0.5, 1), (1, 2), (2, 4), (2.5, 5)]
    assert all(low <= wait <= high for wait, (low, high) in zip(waits, bounds, strict=True))
    assert len({round(wait / high, 6) for wait, (_, high) in zip(waits, bounds, strict=True)}) == 4


@pytest.mark.parametrize("asked_for_s", [7.0, 0.0, 100.0])
def test_the_servers_wish_takes_the_place_of_our_own_wait(asked_for_s: float) -> None:
    async def story() -> float:
        model = Retrying(failing(1, Reason.RATE_LIMITED, retry_after_s=asked_for_s))
        assert (await model.reply(QUESTION, ASK)).retries == 1
        return now()

    assert asked_for_s <= passes(story()) <= asked_for_s + 0.25


def test_a_wish_that_is_too_long_is_a_failure_at_once() -> None:
    async def story() -> float:
        failure = await fails(Retrying(failing(99, Reason.RATE_LIMITED, retry_after_s=3600.0)))
        assert (failure.reason, failure.ending) == (
            Reason.RATE_LIMITED,
            (
                "failed",
                "the endpoint asks to wait for 3,600 s: scripted; repeat the command then: it continues",
            ),
        )
        return now()

    assert passes(story()) == 0.0


def test_a_call_that_failed_before_the_end_keeps_its_own_reason() -> None:
    idle: list[tuple[float, float]] = []

    async def ask(model: Retrying) -> CallFailed:
        spent = effort.begin()
        failure = await fails(model)
        idle.append((spent.idle_s, now()))
        return failure

    inner = failing(10_000, Reason.TRANSPORT)
    model = Retrying(inner, Gate(FixedWindow(3)))

    async def story() -> list[CallFailed]:
        return await asyncio.gather(*(ask(model) for _ in range(5)))

    failures = passes(story())
    reasons = [failure.reason for failure in failures]
    assert reasons.count(Reason.TRANSPORT) >= 3
    assert set(reasons) <= {Reason.TRANSPORT, Reason.NOT_ASKED}
    assert any(failure.ending is not None for failure in failures)
    assert model.gate.retries == len(inner.asked) - reasons.count(Reason.TRANSPORT)
    assert all(waited_s == pytest.approx(took_s) for waited_s, took_s in idle), (
        "no request took time"
    )


def test_an_exception_that_is_no_failed_call_passes_through_and_leaves_its_place() -> None:
    async def story() -> None:
        model = Counting(lambda _text, _ask: ZeroDivisionError())
        retrying = Retrying(model)
        with pytest.raises(ZeroDivisionError):
            await retrying.reply(QUESTION, ASK)
        assert (len(model.asked), retrying.gate.in_flight) == (1, 0)

    passes(story())


def test_retries_hold_for_likelihoods_as_well() -> None:
    class Flaky(Fake):
        tries = 0

        async def loglikelihood(self, context: Any, continuations: Sequence[str]) -> Any:
            self.tries += 1
            if self.tries < 3:
                raise CallFailed(Reason.TIMEOUT, "slow")
            return ()

    async def story() -> None:
        inner = Flaky()
        model: Any = Retrying(inner)
        assert await model.loglikelihood("a", []) == ()
        assert inner.tries == 3

    passes(story())
