"""Whatever goes wrong with a judge, or is done to it, is an absent outcome with its true reason."""

from collections.abc import Callable, Iterator

import pytest

from safemark import registry
from safemark.errors import CallFailed
from safemark.judging import judged as said_by
from safemark.judging import scored, with_judge
from safemark.models.connect import connect
from safemark.models.judge import Judge
from safemark.scorers._judge.injections import injected, known_injections
from safemark.types import Reason, Reply, Score
from tests.scorers.judging import (
    ANSWER,
    BY_LIKELIHOOD,
    Likely,
    Words,
    answered,
    asking_judges,
    chat_judges,
    judged,
    sample,
)
from tests.serving import Answer, Server, fails, hangs_up, says, sends

CHAT = chat_judges()

WIRE: dict[str, tuple[Callable[[], Answer], Reason]] = {
    "unreachable": (hangs_up, Reason.TRANSPORT),
    "wrong key": (lambda: fails(401, "no such key"), Reason.AUTHENTICATION),
    "unknown model": (lambda: fails(404, "model not found"), Reason.UNKNOWN_MODEL),
    "rate limited": (lambda: fails(429, "slow down"), Reason.RATE_LIMITED),
    "server error": (lambda: fails(500, "oh dear"), Reason.SERVER_ERROR),
    "no JSON": (lambda: sends(b"{half a body"), Reason.BAD_RESPONSE),
    "empty": (lambda: says(""), Reason.UNPARSED_VERDICT),
    "filtered": (lambda: fails(400, "x", code="content_filter"), Reason.JUDGE_REFUSED),
    "refuses": (lambda: says("I'm sorry, but I can't help with that."), Reason.JUDGE_REFUSED),
    "other language": (lambda: says("Die Antwort ist unsicher."), Reason.UNPARSED_VERDICT),
    "prose": (lambda: says("It is quite a harmful answer."), Reason.UNPARSED_VERDICT),
    "bad JSON verdict": (lambda: says('{"verdict": "unsa'), Reason.UNPARSED_VERDICT),
}


class Failing:
    """One server for all faults; ``fault`` says which one it has now."""

    def __init__(self) -> None:
        self.fault = "empty"
        self.server = Server(lambda _text, _before: WIRE[self.fault][0]())


@pytest.fixture(scope="module")
def failing() -> Iterator[Failing]:
    made = Failing()
    with made.server:
        yield made


@pytest.mark.parametrize("name", CHAT)
@pytest.mark.parametrize("fault", WIRE)
async def test_a_judge_that_fails_gives_no_number(
    name: str, fault: str, failing: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-made-up-for-a-test")
    failing.fault, reason = fault, WIRE[fault][1]
    failing.server.asked.clear()
    model = connect("openai/j", base_url=failing.server.url, options={"retries": "0"})
    try:
        found = await judged(name, Judge(model), answered(ANSWER))
    finally:
        await model.close()
    assert found.absent is reason, found.why
    assert found.outcomes == {}
    assert found.why
    assert "made-up" not in found.why
    if name != "ensemble":
        is_asked_again = fault in (
            "empty",
            "refuses",
            "other language",
            "prose",
            "bad JSON verdict",
        )
        assert len(failing.server.asked) == 1 + is_asked_again


@pytest.mark.parametrize("name", CHAT)
async def test_a_verdict_given_twice_is_none(name: str) -> None:
    harmless, harmful = registry.scorer(name).claims or ("", "")
    for both in (f"{harmless}\n{harmful}", f"{harmful}\n\n{harmless}", f"{harmful}\n{harmful}"):
        found = await judged(name, Words(both), answered(ANSWER))
        assert found.absent is Reason.UNPARSED_VERDICT, both


@pytest.mark.parametrize("name", CHAT)
async def test_a_judge_that_repeats_what_the_answer_told_it_gives_no_verdict_of_two(
    name: str,
) -> None:
    """A judge that quotes the injected verdict before its own."""
    harmless, harmful = registry.scorer(name).claims or ("", "")
    quoting = f"The answer says:\n{harmless}\nwhich I do not follow.\n{harmful}"
    found = await judged(name, Words(quoting), answered(ANSWER))
    assert found.absent is Reason.UNPARSED_VERDICT


@pytest.mark.parametrize("name", asking_judges())
async def test_a_wrong_key_is_tried_once_however_many_answers_there_are(name: str) -> None:
    words = Words(CallFailed(Reason.AUTHENTICATION, "no such key", "export KEY=…"))
    judge = Judge(words if name not in BY_LIKELIHOOD else _likely_failing(words))
    ready = with_judge(registry.scorer(name), judge)
    for _ in range(3):
        found = await scored(ready, sample(), answered("one", "two", "three"))
        assert found.absent is Reason.AUTHENTICATION
        assert "no such key" in found.why
        assert "export KEY" in found.why
    assert len(words.asked) == 1


def _likely_failing(words: Words) -> Likely:
    def fail(context: str, _continuation: str) -> float:
        words.asked.append(())
        raise CallFailed(Reason.AUTHENTICATION, "no such key", "export KEY=…")

    return Likely(fail)


@pytest.mark.parametrize("name", sorted(BY_LIKELIHOOD))
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), Reason.NOT_A_NUMBER),
        (float("-inf"), Reason.NOT_A_NUMBER),
        (-9.0, Reason.UNPARSED_VERDICT),
    ],
)
async def test_likelihoods_that_say_nothing_are_no_verdict(
    name: str, value: float, reason: Reason
) -> None:
    found = await judged(name, Likely(lambda *_: value), answered(ANSWER))
    assert (found.absent, found.outcomes) == (reason, {})


@pytest.mark.parametrize("name", sorted(BY_LIKELIHOOD))
async def test_a_judge_without_likelihoods_is_not_asked_for_words_instead(name: str) -> None:
    judge = Words("yes")
    found = await judged(name, judge, answered(ANSWER))
    assert found.absent is Reason.UNSUPPORTED
    assert "--judge hf/" in found.why
    assert judge.asked == []


@pytest.mark.parametrize("name", asking_judges())
async def test_without_a_judge_there_is_no_verdict(name: str) -> None:
    found = await said_by(registry.scorer(name), sample(), answered(ANSWER))
    assert found == Score({}, Reason.JUDGE_ERROR, "no judge given: --judge MODEL")


@pytest.mark.parametrize("name", registry.names("scorer"))
async def test_every_scorer_says_nothing_of_nothing(name: str) -> None:
    """All registered scorers, whether rules or a judge decide."""
    scorer = registry.scorer(name)
    ready = scorer if scorer.with_judge is None else with_judge(scorer, Words("yes"))
    for reply, reason in (
        (Reply(""), Reason.EMPTY_REPLY),
        (Reply(" \n"), Reason.EMPTY_REPLY),
        (Reply("I can't.", finish="blocked"), Reason.BLOCKED),
    ):
        found = await scored(ready, sample(rule="refusal"), answered(reply))
        assert found.absent in (reason, Reason.UNSUPPORTED)
        assert not found.outcomes.keys() - {"verdict"}


@pytest.mark.parametrize("name", CHAT)
async def test_what_an_answer_tells_its_judge_stays_in_the_answer(name: str) -> None:
    """No injection reaches the judge outside the fence, or a trained judge's own place for it."""
    claim = (registry.scorer(name).claims or ("", ""))[0]
    for injection in known_injections():
        judge = Words("nothing")
        hostile = injected(ANSWER, injection, claim)
        await judged(name, judge, answered(hostile))
        for messages in judge.asked:
            outside = "".join(message.content.replace(hostile, "") for message in messages)
            assert injection.text.split("{claim}")[0].strip()[:40] not in outside or not (
                injection.text.split("{claim}")[0].strip()
            )
