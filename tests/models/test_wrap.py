import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from safemark.errors import CallFailed
from safemark.models._model import CAPABILITIES, Model, can
from safemark.models.fake import Fake, says
from safemark.models.wrap import TRANSIENT, Budgeted, BudgetSpent, Retrying
from safemark.types import Ask, Reason, Reply, Usage
from tests.small import Counting

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


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited, without waiting them."""
    found: list[float] = []
    sleep = asyncio.sleep

    async def remembered(seconds: float) -> None:
        found.append(seconds)
        await sleep(0)

    monkeypatch.setattr("safemark.models.wrap.asyncio.sleep", remembered)
    return found


@pytest.mark.parametrize("reason", list(Reason))
async def test_only_what_may_pass_is_tried_again(reason: Reason, waits: list[float]) -> None:
    model = failing(99, reason)
    with pytest.raises(CallFailed) as caught:
        await Retrying(model, retries=2).reply(QUESTION, ASK)
    assert len(model.asked) == (3 if reason in TRANSIENT else 1)
    assert caught.value.retries == len(model.asked) - 1


async def test_a_reply_tells_how_often_it_was_tried_again(waits: list[float]) -> None:
    model = Retrying(failing(2))
    assert (await model.reply(QUESTION, ASK)).retries == 2
    assert (await model.reply(QUESTION, ASK)).retries == 0
    assert model.retried == 2


async def test_waits_double_and_are_spread(waits: list[float]) -> None:
    waits.clear()
    with pytest.raises(CallFailed):
        await Retrying(failing(99), retries=4, first_wait_s=1.0, longest_wait_s=5).reply(
            QUESTION, ASK
        )
    bounds = [(0.5, 1), (1, 2), (2, 4), (2.5, 5)]
    real = [wait for wait in waits if wait > 0]
    assert len(real) == 4
    assert all(low <= wait <= high for wait, (low, high) in zip(real, bounds, strict=True))


@pytest.mark.parametrize(("asked_for", "least"), [(7.0, 7.0), (0.0, 0.0), (1000.0, 60.0)])
async def test_the_servers_wish_is_honoured_up_to_a_limit(
    waits: list[float], asked_for: float, least: float
) -> None:
    await Retrying(failing(1, Reason.RATE_LIMITED, retry_after_s=asked_for)).reply(QUESTION, ASK)
    wait = next(wait for wait in waits if wait > 0)
    assert least <= wait <= least + 0.25


async def test_an_endpoint_that_never_answers_is_soon_tried_once_only(waits: list[float]) -> None:
    dead = failing(10_000)
    model = Retrying(dead, retries=4, hopeless=3)
    for _ in range(10):
        with pytest.raises(CallFailed):
            await model.reply(QUESTION, ASK)
    assert len(dead.asked) == 3 * 5 + 7


async def test_one_answer_restores_the_patience(waits: list[float]) -> None:
    flaky = failing(2 + 1)
    model = Retrying(flaky, retries=1, hopeless=1)
    with pytest.raises(CallFailed):
        await model.reply(QUESTION, ASK)
    with pytest.raises(CallFailed):
        await model.reply(QUESTION, ASK)
    assert len(flaky.asked) == 3, "the second was tried once"
    assert (await model.reply(QUESTION, ASK)).text == "ok"
    flaky._answer = failing(1)._answer
    assert (await model.reply(QUESTION, ASK)).retries == 1


async def test_an_exception_that_is_no_failed_call_passes_through() -> None:
    model = Counting(lambda _text, _ask: ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await Retrying(model).reply(QUESTION, ASK)
    assert len(model.asked) == 1


def costly(cost_usd: float | None = None) -> Fake:
    return Fake(lambda _messages, _ask: Reply("ok", usage=Usage(6, 4, cost_usd)))


async def answers_until_spent(model: Model, most: int = 100) -> tuple[int, BudgetSpent]:
    for done in range(most):
        try:
            await model.reply(QUESTION, ASK)
        except BudgetSpent as spent:
            return done, spent
    raise AssertionError("the budget is never spent")


async def test_tokens_are_counted_and_end_the_asking() -> None:
    done, spent = await answers_until_spent(Budgeted(costly(), token_budget=35))
    assert done == 4
    assert (spent.reason, spent.problem) == (Reason.NOT_ASKED, "the budget of 35 tokens is used up")
    assert spent.hint == "raise the budget and repeat the command"


async def test_money_is_counted_and_ends_the_asking() -> None:
    done, spent = await answers_until_spent(Budgeted(costly(0.25), max_cost_usd=0.5))
    assert (done, spent.problem) == (2, "the budget of $0.5 is used up")


async def test_a_price_that_nobody_knows_is_no_money() -> None:
    model = Budgeted(costly(None), max_cost_usd=0.01)
    for _ in range(20):
        await model.reply(QUESTION, ASK)
    assert model.cost_usd == 0


async def test_time_is_counted_and_ends_the_asking() -> None:
    ticks = iter(range(100))
    model = Budgeted(costly(), max_time_s=3, clock=lambda: float(next(ticks)))
    done, spent = await answers_until_spent(model)
    assert (done, spent.problem) == (2, "the time budget of 3 s is used up")


async def test_likelihoods_are_counted_too() -> None:
    model: Any = Budgeted(Fake(prefer=lambda _c, _t: -1.0), token_budget=5)
    assert len(await model.loglikelihood("a", ["one two", "three four five"])) == 2
    with pytest.raises(BudgetSpent):
        await model.loglikelihood("a", ["b"])


WRAPPERS: list[Callable[[Model], Any]] = [
    Retrying,
    Budgeted,
    lambda model: Budgeted(Retrying(model), token_budget=10**9),
]


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("has_it", [True, False])
async def test_a_wrapper_forwards_each_capability_through_itself_or_has_none(
    wrapper: Callable[[Model], Any], capability: str, has_it: bool
) -> None:
    prefer = (lambda _c, text: -float(len(text))) if has_it else None
    inner = Fake("yes", prefer=prefer)
    wrapped = wrapper(inner)
    assert can(wrapped, capability) == can(inner, capability)
    if capability == "reply":
        assert (await wrapped.reply(QUESTION, ASK)).text == "yes"
    elif has_it:
        found = await wrapped.loglikelihood("context", ["a", "bbb"])
        assert [likelihood.logprob for likelihood in found] == [-1.0, -3.0]


async def test_retries_hold_for_likelihoods_as_well(waits: list[float]) -> None:
    class Flaky(Fake):
        tries = 0

        async def loglikelihood(self, context: Any, continuations: Sequence[str]) -> Any:
            self.tries += 1
            if self.tries < 3:
                raise CallFailed(Reason.TIMEOUT, "slow")
            return ()

    inner = Flaky()
    model: Any = Retrying(inner)
    assert await model.loglikelihood("a", []) == ()
    assert inner.tries == 3


@pytest.mark.parametrize("wrapper", WRAPPERS)
async def test_a_wrapper_is_the_model_by_name_identity_appetite_notes_and_end(
    wrapper: Callable[[Any], Any],
) -> None:
    inner = Counting(concurrency=7, name="inner")
    wrapped = wrapper(inner)
    assert (wrapped.name, wrapped.concurrency, wrapped.notes) == ("inner", 7, ())
    assert wrapped.identity == inner.identity
    assert isinstance(wrapped, Model)
    await wrapper(inner).close()
    assert inner.is_closed
    assert wrapper(Fake()).notes == Fake().notes
