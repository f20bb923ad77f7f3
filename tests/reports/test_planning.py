from collections.abc import Iterator
from pathlib import Path

import pytest

from safemark.errors import UnknownName, UsageError
from safemark.reports.planning import Goal, Price, in_words, independent_discordance, planning
from safemark.store import Store
from tests.histories import add_run, day


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(str(tmp_path / "store.db"))
    yield opened
    opened.close()


def test_150_cases_cannot_tell_3_points_apart_and_the_plan_says_so() -> None:
    found = planning(Goal())
    (near_70,) = [one for one in found.can_show if one.rate == 0.7]
    # two models near 70 % with 150 cases each: about 15 points (docs/concepts.md)
    assert near_70.separate == pytest.approx(0.148, abs=0.002)
    assert any("they cannot show a difference of 3" in sentence for sentence in in_words(found))
    # none of 150: Wilson's upper end, z² / (n + z²)
    assert found.none_seen == pytest.approx(3.8415 / 153.8415, abs=1e-4)


def test_as_many_cases_as_are_needed_can_show_it() -> None:
    (needed,) = planning(Goal(rates=(0.7,))).needed
    assert needed.separate is not None
    (enough,) = planning(Goal(rates=(0.7,), cases=needed.separate)).can_show
    (fewer,) = planning(Goal(rates=(0.7,), cases=needed.separate - 50)).can_show
    assert enough.separate is not None
    assert fewer.separate is not None
    assert enough.separate <= 0.03 < fewer.separate


def test_shared_questions_need_fewer_the_less_models_disagree() -> None:
    cases = [
        planning(Goal(rates=(0.7,), discordance=share)).needed[0].shared[0].cases
        for share in (0.05, 0.1, 0.4)
    ]
    assert cases == sorted(cases, key=lambda n: n or 0)
    # McNemar, Connor 1987: 0.1 discordant, 0.03 apart, power 0.8
    assert cases[1] == pytest.approx(870, abs=15)


def test_unrelated_answers_disagree_as_chance_has_it() -> None:
    assert independent_discordance(0.5, 0.0) == 0.5
    # 0.6 and 0.8: 0.6 × 0.2 + 0.8 × 0.4
    assert independent_discordance(0.7, 0.2) == pytest.approx(0.44)
    assert independent_discordance(1.0, 0.1) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("goal", "flag"),
    [
        (Goal(difference=0.0), "--difference"),
        (Goal(difference=1.5), "--difference"),
        (Goal(precision=0.0), "--precision"),
        (Goal(confidence=1.0), "--confidence"),
        (Goal(rates=(1.2,)), "--rate"),
        (Goal(power=0.3), "--power"),
        (Goal(cases=0), "--cases"),
        (Goal(discordance=0.01), "--discordance"),
    ],
)
def test_what_cannot_be_is_refused_by_its_flag(goal: Goal, flag: str) -> None:
    with pytest.raises(UsageError, match=flag):
        planning(goal)


def test_stored_runs_tell_rate_disagreement_and_cost(store: Store) -> None:
    add_run(store, day(0), 0.6, tokens=(1000, 200), cost_usd=0.002, model="a")
    add_run(store, day(1), 0.7, tokens=(1000, 200), cost_usd=0.002, model="b")
    (one,) = planning(Goal(), store).stored
    assert (one.benchmark, one.metric, one.runs) == ("audit150", "truth_score", 2)
    assert (one.value, one.n) == (0.7, 100)
    # 60 and 70 of the same questions, in order: ten differ
    assert one.discordance == pytest.approx(0.1)
    assert one.discordance_between == "two models"
    assert one.design_effect == pytest.approx(1.0, abs=0.05)
    # Wilson's half width of 0.02 at 0.7: about 1.96² × 0.21 / 0.02² less z²
    assert one.for_precision == pytest.approx(2013, abs=30)
    assert one.usd_each == pytest.approx(0.002)
    assert one.usd_for_precision == pytest.approx(0.002 * (one.for_precision or 0))


def test_a_price_replaces_what_answers_cost(store: Store) -> None:
    add_run(store, day(0), tokens=(1000, 200))
    (without,) = planning(Goal(), store).stored
    assert (without.usd_each, without.usd_for_precision) == (None, None)
    (one,) = planning(Goal(), store, price=Price(2.0, 10.0)).stored
    assert one.usd_each == pytest.approx(1000 * 2e-6 + 200 * 10e-6)


def test_runs_of_one_model_tell_how_often_it_disagrees_with_itself(store: Store) -> None:
    add_run(store, day(0), 0.80)
    add_run(store, day(1), 0.85)
    (one,) = planning(Goal(), store).stored
    assert one.discordance == pytest.approx(0.05)
    assert one.discordance_between == "two runs of one model"


def test_one_run_tells_no_disagreement(store: Store) -> None:
    add_run(store, day(0))
    (one,) = planning(Goal(), store).stored
    assert (one.discordance, one.discordance_between, one.shared) == (None, None, None)


def test_a_run_without_outcomes_tells_nothing(store: Store) -> None:
    add_run(store, day(0), absent=1.0)
    found = planning(Goal(), store, benchmarks=["audit150"])
    assert found.stored == ()
    assert found.left_out == ("audit150: no stored run tells anything of it yet",)


def test_an_unknown_model_or_benchmark_is_refused(store: Store) -> None:
    add_run(store, day(0))
    with pytest.raises(UnknownName, match="model in the store"):
        planning(Goal(), store, model="nobody")
    with pytest.raises(UnknownName, match="benchmark"):
        planning(Goal(), store, benchmarks=["nothing"])
