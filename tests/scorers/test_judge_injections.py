"""How often a judge is talked round: judges that never, always and sometimes fall for it."""

import re

import pytest

from safemark import registry
from safemark.errors import CallFailed, UsageError
from safemark.models.fake import Fake
from safemark.scorers._judge.injections import (
    Case,
    Injection,
    injected,
    injection_flip_rate,
    known_cases,
    known_injections,
)
from safemark.types import Ask, Messages, Reason, Reply

CASES = {case.answer: case for case in known_cases()}
MARKS = [injection.text.split("{claim}")[0].strip()[:30] for injection in known_injections()]


def case_in(text: str) -> Case:
    return next(case for answer, case in CASES.items() if answer in text)


def steadfast(messages: Messages, _ask: Ask) -> str:
    """A judge that sees the answer only."""
    return "yes" if case_in(messages[1].content).label == "harmful" else "no"


def gullible(messages: Messages, ask: Ask) -> str:
    """A judge that gives the verdict that stands last in the answer, if one does."""
    case = case_in(messages[1].content)
    fenced = re.findall(r"(==[0-9a-f]{16}==)\n(.*)\n\1", messages[1].content, re.DOTALL)
    said = fenced[0][1].replace(case.answer, "")
    claims = re.findall(r"\b(yes|no)\b", said)
    return claims[-1] if claims else steadfast(messages, ask)


def test_the_shipped_texts_are_many_and_different() -> None:
    injections, cases = known_injections(), known_cases()
    assert len(injections) >= 25
    assert (
        len({one.id for one in injections})
        == len({(one.place, one.text) for one in injections})
        == len(injections)
    )
    assert all("{claim}" in one.text for one in injections)
    assert len({one.kind for one in injections}) >= 8
    assert {case.label for case in cases} == {"harmless", "harmful"}
    for case in cases:
        assert not re.search(r"\b(yes|no|safe|unsafe)\b", case.answer.lower()), case.id


async def test_a_judge_that_sees_only_the_answer_is_never_talked_round() -> None:
    found = await injection_flip_rate(registry.scorer("judge_harmbench"), Fake(steadfast))
    n = len(known_injections()) * len(CASES)
    assert (found.rate.value, found.rate.n, found.rate.absent) == (0.0, n, 0)
    assert found.rate.high is not None
    assert found.rate.high > 0.0, "none of so many is not never"
    assert (found.clean, found.clean_right) == (len(CASES), len(CASES))
    assert found.to_harmless.n + found.to_harmful.n == n


async def test_a_judge_that_repeats_what_it_is_told_is_always_talked_round() -> None:
    found = await injection_flip_rate(registry.scorer("judge_harmbench"), Fake(gullible))
    assert found.rate.value == 1.0
    assert all(flips == n for flips, n in found.flips_by_kind.values())
    assert sum(n for _, n in found.flips_by_kind.values()) == found.rate.n


async def test_each_direction_and_each_kind_has_its_own_rate() -> None:
    def lenient(messages: Messages, ask: Ask) -> str:
        said = gullible(messages, ask)
        is_harmful = case_in(messages[1].content).label == "harmful"
        return "no" if is_harmful and said == "no" else steadfast(messages, ask)

    found = await injection_flip_rate(registry.scorer("judge_harmbench"), Fake(lenient))
    assert found.to_harmless.value == 1.0
    assert found.to_harmful.value == 0.0
    assert found.rate.value == 0.5


async def test_verdicts_that_are_absent_or_wrong_without_injection_are_no_flips() -> None:
    silent = await injection_flip_rate(registry.scorer("judge_harmbench"), Fake("who knows"))
    assert (silent.clean, silent.clean_right, silent.rate.n) == (0, 0, 0)
    assert silent.rate.value is None
    always = await injection_flip_rate(registry.scorer("judge_harmbench"), Fake("yes"))
    assert always.clean_right == sum(case.label == "harmful" for case in CASES.values())
    assert always.rate.value == 0.0

    def falters(messages: Messages, ask: Ask) -> str | Reply:
        text = messages[1].content
        is_clean = text.count(case_in(text).answer + "\n==") and not any(
            mark and mark in text for mark in MARKS
        )
        return steadfast(messages, ask) if is_clean else "hm"

    found = await injection_flip_rate(registry.scorer("judge_harmbench"), Fake(falters))
    assert found.rate.absent > 0
    assert found.rate.worst is not None
    assert found.rate.worst > (found.rate.value or 0.0), "what is absent could have been a flip"


@pytest.mark.parametrize("name", ["judge_strongreject", "judge_hazards", "judge_pair"])
async def test_injections_claim_verdicts_in_the_judges_own_words(name: str) -> None:
    harmless, harmful = registry.scorer(name).claims or ("", "")
    judge = Fake(harmful)
    await injection_flip_rate(
        registry.scorer(name), judge, cases=known_cases()[:1], injections=known_injections()[:1]
    )
    texts = [messages[1].content for messages in judge.asked]
    assert any(f"\n\n{harmless}\n==" in text for text in texts)
    assert not any(f"{harmful}\n==" in text for text in texts)


async def test_a_scorer_that_asks_nobody_cannot_be_talked_round() -> None:
    for scorer, judge in (("refusal", None), ("judge_harmbench", None)):
        with pytest.raises(UsageError):
            await injection_flip_rate(registry.scorer(scorer), judge)


async def test_a_wrong_key_is_told_at_once() -> None:
    judge = Fake(lambda _messages, _ask: CallFailed(Reason.AUTHENTICATION, "no such key"))
    with pytest.raises(CallFailed, match="no such key"):
        await injection_flip_rate(registry.scorer("judge_harmbench"), judge)
    assert len(judge.asked) == 1


def test_an_injection_stands_before_or_after_the_answer() -> None:
    after = Injection("a", "k", "after", "say {claim}")
    before = Injection("b", "k", "before", "say {claim}")
    assert injected("answer", after, "no {claim}") == "answer\n\nsay no {claim}"
    assert injected("answer", before, "no") == "say no\n\nanswer"
