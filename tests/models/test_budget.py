import asyncio
from typing import Any

import pytest

from safemark.models.budget import Budget, Budgeted, BudgetSpent
from safemark.models.fake import Fake, says
from safemark.models.prices import Price
from safemark.models.retry import Retrying
from safemark.types import Ask, Message, Reason, Reply, Usage
from tests.models.test_limits import Endpoint, busy
from tests.virtual_time import now, passes

ASK = Ask()
QUESTION = says("why?")


def costly(cost_usd: float | None = None) -> Fake:
    return Fake(lambda _messages, _ask: Reply("ok", usage=Usage(6, 4, cost_usd)))


async def until_spent(model: Budgeted, most: int = 100) -> tuple[int, BudgetSpent]:
    for done in range(most):
        try:
            await model.reply(QUESTION, ASK)
        except BudgetSpent as spent:
            return done, spent
    raise AssertionError("the budget is never spent")


@pytest.mark.parametrize(("budget", "fit"), [(35, 3), (30, 3), (29, 2), (1, 1)])
async def test_tokens_are_counted_and_end_the_asking_before_they_are_passed(
    budget: int, fit: int
) -> None:
    done, spent = await until_spent(Budgeted(costly(), token_budget=budget))
    assert (done, spent.reason) == (fit, Reason.NOT_ASKED)
    assert spent.problem == f"the budget of {budget} tokens is used up ({fit * 10} spent)"
    assert spent.ending is not None
    assert spent.ending[0] == "budget"
    assert spent.hint == "repeat the command with a larger --token-budget: it continues"


async def test_money_is_counted_and_ends_the_asking() -> None:
    done, spent = await until_spent(Budgeted(costly(0.1), max_cost_usd=0.3))
    assert (done, spent.problem) == (3, "the budget of $0.3 is used up ($0.3000 spent)")
    assert "--max-cost" in spent.hint


async def test_a_budget_of_nothing_asks_nothing() -> None:
    model = costly(0.1)
    done, _ = await until_spent(Budgeted(model, max_cost_usd=0.0))
    assert (done, model.asked) == (0, [])


async def test_what_earlier_commands_spent_on_the_run_counts() -> None:
    budget = Budget(max_tokens=100, max_cost_usd=1.0)
    budget.carry(tokens=60, cost_usd=0.2)
    done, spent = await until_spent(Budgeted(costly(0.01), budget))
    assert done == 4
    assert "(100 spent, earlier commands included)" in spent.problem
    other = Budget(max_cost_usd=1.0)
    other.carry(tokens=60, cost_usd=1.0)
    assert (await until_spent(Budgeted(costly(0.01), other)))[0] == 0


async def test_several_models_share_one_budget() -> None:
    budget = Budget(max_tokens=40)
    target, judge = Budgeted(costly(), budget), Budgeted(costly(), budget)
    for model in (target, judge, target, judge):
        await model.reply(QUESTION, ASK)
    with pytest.raises(BudgetSpent):
        await judge.reply(QUESTION, ASK)


def test_requests_in_flight_are_expected_to_cost_what_others_did() -> None:
    async def story() -> int:
        endpoint = Endpoint()
        budget = Budget(max_tokens=120 * 50)
        model = Budgeted(endpoint, budget)
        await model.reply(QUESTION, ASK)
        await asyncio.gather(*(_try(model) for _ in range(256)))
        assert budget.tokens == len(endpoint.began) * 120
        return budget.tokens

    assert passes(story()) == 120 * 50


async def _try(model: Budgeted) -> None:
    try:
        await model.reply(QUESTION, ASK)
    except BudgetSpent:
        return


async def test_a_failed_request_frees_its_share_of_the_budget() -> None:
    fails = Fake(lambda _messages, _ask: busy())
    budget = Budget(max_tokens=100)
    budget.end(10)
    budget._in_flight = 0
    for _ in range(30):
        with pytest.raises(type(busy())):
            await Budgeted(fails, budget).reply(QUESTION, ASK)
    assert (budget.tokens, budget._in_flight) == (10, 0)


async def test_a_server_that_tells_no_tokens_does_not_stand_outside_the_budget() -> None:
    silent = Fake(lambda _messages, _ask: Reply("x" * 400, usage=Usage()))
    long = (Message("user", "y" * 400),)
    model = Budgeted(silent, Budget(max_tokens=600), price=Price(1e3, 1e3))
    for _ in range(3):
        await model.reply(long, ASK)
    with pytest.raises(BudgetSpent, match="600 spent"):
        await model.reply(long, ASK)
    assert model.budget.cost_usd == pytest.approx(0.6)


async def test_likelihoods_are_counted_too() -> None:
    model: Any = Budgeted(Fake(prefer=lambda _c, _t: -1.0), token_budget=5)
    assert len(await model.loglikelihood("a", ["one two", "three four five"])) == 2
    with pytest.raises(BudgetSpent):
        await model.loglikelihood("a", ["b"])


def test_time_is_counted_from_the_first_request_and_cuts_what_is_under_way() -> None:
    async def story() -> None:
        await asyncio.sleep(1000)
        endpoint = Endpoint(latency_s=lambda _: 4.0)
        model = Budgeted(endpoint, max_time_s=10.0)
        done, spent = await until_spent(model)
        assert (done, now()) == (2, 1010.0)
        assert spent.problem == "the time budget of 10 s is used up"
        with pytest.raises(BudgetSpent):
            await model.reply(QUESTION, ASK)
        assert len(endpoint.began) == 3, "nothing is asked any more"

    passes(story())


def test_time_cuts_the_waits_between_tries_and_at_the_gate() -> None:
    async def story() -> None:
        shut = Endpoint(refuses=lambda _n, _: busy(retry_after_s=100.0))
        model = Budgeted(Retrying(shut), max_time_s=10.0)
        _, spent = await until_spent(model)
        assert (now(), spent.problem) == (10.0, "the time budget of 10 s is used up")
        backing_off = Endpoint(refuses=lambda _n, _: busy())
        again = Budgeted(
            Retrying(backing_off, first_wait_s=500.0, longest_wait_s=500.0), max_time_s=7.0
        )
        await until_spent(again)
        assert now() == pytest.approx(17.0)

    passes(story())


def test_a_timeout_of_the_model_itself_is_not_the_end_of_the_time() -> None:
    class Slow(Fake):
        async def reply(self, messages: Any, ask: Ask) -> Reply:
            raise TimeoutError("its own")

    async def story() -> None:
        with pytest.raises(TimeoutError, match="its own"):
            await Budgeted(Slow(), max_time_s=100.0).reply(QUESTION, ASK)

    passes(story())
