"""A judge's wrapper: what it used is counted, and an end is an end."""

import pytest

from safemark.errors import CallFailed
from safemark.models._model import can
from safemark.models.fake import Fake, says
from safemark.models.judge import Judge
from safemark.types import Ask, JudgeUse, Reason, Reply, Usage


async def test_what_was_used_is_counted_and_taken_once() -> None:
    judge = Judge(Fake(lambda *_: Reply("yes", usage=Usage(10, 2, 0.5)), name="fake/j"))
    for _ in range(3):
        await judge.reply(says("?"), Ask())
    used = judge.take_used()
    assert (used.requests, used.input_tokens, used.output_tokens, used.cost_usd) == (3, 30, 6, 1.5)
    assert (used.name, used.identity) == ("fake/j", judge.identity.digest)
    assert judge.take_used() == JudgeUse("fake/j", judge.identity.digest)


async def test_what_is_not_told_is_not_known() -> None:
    judge = Judge(Fake(lambda *_: Reply("yes")))
    await judge.reply(says("?"), Ask())
    assert judge.used.cost_usd is None
    assert judge.used.plus(JudgeUse("x", "y", cost_usd=0.25)).cost_usd == 0.25


@pytest.mark.parametrize("reason", [Reason.AUTHENTICATION, Reason.UNKNOWN_MODEL])
async def test_after_an_end_nothing_is_asked_and_the_same_is_told(reason: Reason) -> None:
    inner = Fake(lambda *_: CallFailed(reason, "no", "mend it"))
    judge = Judge(inner)
    for _ in range(3):
        with pytest.raises(CallFailed) as failed:
            await judge.reply(says("?"), Ask())
        assert (failed.value.reason, failed.value.hint) == (reason, "mend it")
    assert len(inner.asked) == 1
    assert (judge.used.requests, judge.used.failed) == (0, 1)


async def test_a_passing_failure_is_no_end() -> None:
    inner = Fake(lambda *_: CallFailed(Reason.TIMEOUT, "slow"))
    judge = Judge(inner)
    for _ in range(2):
        with pytest.raises(CallFailed):
            await judge.reply(says("?"), Ask())
    assert len(inner.asked) == 2


async def test_a_spent_budget_is_an_end() -> None:
    def spent(*_: object) -> CallFailed:
        failure = CallFailed(Reason.NOT_ASKED, "used up")
        failure.ending = ("budget", "used up")
        return failure

    judge = Judge(Fake(spent))
    for _ in range(2):
        with pytest.raises(CallFailed) as failed:
            await judge.reply(says("?"), Ask())
        assert failed.value.ending == ("budget", "used up")


async def test_likelihoods_go_through_and_count() -> None:
    judge = Judge(Fake(prefer=lambda _context, text: -float(len(text))))
    assert can(judge, "loglikelihood")
    assert not can(Judge(Fake()), "loglikelihood")
    assert (await judge.loglikelihood("a", ["b"]))[0].logprob == -1.0
    assert judge.used.requests == 1
