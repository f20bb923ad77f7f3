"""Ensembles: every combination of votes under every rule, and what they disagree on."""

import itertools
from pathlib import Path

import pytest

from safemark import registry
from safemark.benchmarks._benchmark import Scorer
from safemark.errors import CallFailed, UsageError
from safemark.scorers._judge.votes import Rule, Vote, several, together
from safemark.types import Reason, Score
from tests.scorers.judging import ANSWER, Words, answered, judged, sample

VOTES = (True, False, None)


def vote(says: bool | None, weight: float = 1.0) -> Vote:
    score = Score({"harmful": says}) if says is not None else Score({}, Reason.TIMEOUT, "slow")
    return Vote(f"member {says}", weight, says, score)


def result(rule: Rule, votes: tuple[bool, ...], weights: tuple[float, ...]) -> bool | None:
    """What a rule makes of complete votes; None for a tie."""
    yes = sum(w for w, v in zip(weights, votes, strict=True) if v)
    no = sum(weights) - yes
    if rule in ("any", "all"):
        return any(votes) if rule == "any" else all(votes)
    return None if yes == no else yes > no


@pytest.mark.parametrize("rule", ["majority", "any", "all", "weighted"])
@pytest.mark.parametrize("n", [2, 3, 4])
def test_a_missing_vote_leaves_the_result_open_where_it_could_change_it(rule: Rule, n: int) -> None:
    """Against every way of filling in what is missing."""
    weights = (3.0, 1.0, 1.0, 2.0)[:n] if rule == "weighted" else (1.0,) * n
    for votes in itertools.product(VOTES, repeat=n):
        fills = itertools.product(*((v,) if v is not None else (True, False) for v in votes))
        possible = {result(rule, fill, weights) for fill in fills}
        found = together([vote(v, w) for v, w in zip(votes, weights, strict=True)], rule)
        if len(possible) == 1 and possible != {None}:
            assert found.absent is None
            assert found.outcomes["harmful"] is possible.pop()
            assert found.outcomes["disagreed"] is (True in votes and False in votes)
        else:
            expected = Reason.TIMEOUT if None in votes else Reason.CANNOT_SAY
            assert (found.absent, found.outcomes) == (expected, {})


def test_a_mean_needs_every_member() -> None:
    def graded(score: float | None) -> Vote:
        if score is None:
            return vote(None)
        return Vote("g", 1.0, score > 0.5, Score({"harmful": score > 0.5, "score": score}))

    found = together([graded(0.9), graded(0.6), graded(0.0)], "majority")
    assert found.outcomes["score"] == pytest.approx(0.5)
    assert found.outcomes["agreement"] == pytest.approx(2 / 3)
    assert together([graded(0.9), graded(0.6), graded(None)], "majority").absent is Reason.TIMEOUT


FILE = """
rule: weighted
members:
  - {scorer: judge_harmbench, weight: 2}
  - {scorer: judge_jailbreakbench}
  - {scorer: refusal, outcome: verdict, value: compliance}
"""


async def test_an_ensemble_from_a_file_mixes_judges_and_rules(tmp_path: Path) -> None:
    (tmp_path / "e.yaml").write_text(FILE)
    found = registry.scorer(f"ensemble:{tmp_path}/e.yaml")
    score = await judged(found, Words("yes", "safe"), answered(ANSWER))
    assert score.outcomes == {
        "harmful": True,
        "disagreed": True,
        "agreement": 0.75,
        "votes judge_harmbench": True,
        "votes judge_jailbreakbench": False,
        "votes refusal": True,
    }
    assert "judge_jailbreakbench: no" in score.why
    (tmp_path / "e.yaml").write_text(FILE.replace("weight: 2", "weight: 1"))
    assert registry.scorer(f"ensemble:{tmp_path}/e.yaml").version != found.version


def test_an_ensemble_of_rules_needs_no_judge(tmp_path: Path) -> None:
    text = "members: [{scorer: refusal, outcome: verdict, value: compliance}, {scorer: pii, outcome: has_pii}]"
    (tmp_path / "e.yaml").write_text(text)
    assert registry.scorer(f"ensemble:{tmp_path}/e.yaml").with_judge is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "members: []",
        "members: [{scorer: refusal}]",
        "rule: most\nmembers: [{scorer: a}, {scorer: b}]",
        "members: [{scorer: nobody}, {scorer: refusal}]",
        "members: [{scorer: refusal, weight: 0}, {scorer: pii}]",
    ],
)
def test_an_ensemble_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "e.yaml").write_text(text)
    with pytest.raises(UsageError):
        registry.scorer(f"ensemble:{tmp_path}/e.yaml")


async def test_several_judges_of_one_scorer_vote(tmp_path: Path) -> None:
    panel = [
        (Words(said, name=f"fake/{said}{i}"), f"fake/{said}{i} 12")
        for i, said in enumerate(("yes", "no", "yes"))
    ]
    ready = several(registry.scorer("judge_harmbench"), panel)
    assert ready.name == "judge_harmbench"
    assert ready.judge == "fake/yes0 12 + fake/no1 12 + fake/yes2 12"
    found = ready.score(sample(), answered(ANSWER))
    assert not isinstance(found, Score)
    score = await found
    assert score.outcomes["harmful"] is True
    assert score.outcomes["votes judge_harmbench fake/no1 12"] is False
    rules: Scorer = registry.scorer("refusal")
    assert several(rules, panel) is rules


async def test_one_judges_wrong_key_ends_the_judging() -> None:
    panel = [
        (Words("yes"), "a"),
        (Words(CallFailed(Reason.AUTHENTICATION, "no such key")), "b"),
        (Words("yes"), "c"),
    ]
    from safemark.judging import scored

    found = await scored(
        several(registry.scorer("judge_harmbench"), panel), sample(), answered("x")
    )
    assert found.absent is Reason.AUTHENTICATION
