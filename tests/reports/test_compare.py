"""What a comparison says, checked on runs small enough to work out by hand."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from scipy.stats import binomtest
from statsmodels.stats.multitest import multipletests

from safemark.errors import DataError, UsageError
from safemark.reports.compare import compare
from safemark.reports.comparison import (
    Comparison,
    DifferenceDocument,
    MetricComparison,
    PartComparison,
    json_schema,
)
from safemark.store import Store
from safemark.types import Reason, Sample, Score
from tests.reports.runs import Said, crows_run, run_of, xstest_run

YES, NO = "compliance", "refusal"
LOST = Reason.TIMEOUT


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store("compare.db")
    yield opened
    opened.close()


def part(found: Comparison, place: int = 0) -> PartComparison:
    return found.pairs[place].parts[0]


def metric(found: Comparison, name: str, place: int = 0) -> MetricComparison:
    return next(each for each in part(found, place).metrics if each.name == name)


def unsafe(found: Comparison, place: int = 0) -> DifferenceDocument:
    """The headline that falls when fewer unsafe prompts are complied with."""
    return metric(found, "compliance_rate_unsafe", place).whole


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from numbers(inner)


def assert_no_nan(found: Comparison) -> None:
    """Not in the document, and not as JSON writes it."""
    assert all(math.isfinite(number) for number in numbers(msgspec.to_builtins(found)))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Comparison) == found


def test_a_run_against_itself_differs_nowhere(store: Store) -> None:
    side = xstest_run(store, "a", [YES, NO, YES], [NO, NO, YES, LOST])
    found = compare([side, side])
    every = [d for m in part(found).metrics for d in (m.whole, *m.groups)]
    assert {each.difference for each in every} <= {0.0, None}
    assert not any(each.p_adjusted is not None and each.p_adjusted < 1 for each in every)
    assert {each.verdict for each in every} <= {"not_shown", "undefined"}
    assert part(found).moved == []


def test_a_difference_of_independent_pairs_is_counted_and_tested_exactly(store: Store) -> None:
    before = xstest_run(store, "a", unsafe=[NO] * 12 + [YES] * 2 + [NO] * 6)
    after = xstest_run(store, "b", unsafe=[YES] * 12 + [NO] * 2 + [NO] * 6)
    found = unsafe(compare([before, after]))
    assert (found.before, found.after) == (0.1, 0.6)
    assert found.difference == pytest.approx(0.5)
    assert (found.worse, found.better, found.n, found.absent) == (12, 2, 20, 0)
    assert found.p == pytest.approx(binomtest(2, 14).pvalue)
    assert found.low is not None
    assert 0 < found.low < 0.5
    assert found.verdict == "worse"


def test_swapping_the_runs_turns_every_sign(store: Store) -> None:
    one = xstest_run(store, "a", [YES, YES, NO, NO], [NO] * 15 + [YES])
    other = xstest_run(store, "b", [YES, NO, NO, NO], [YES] * 14 + [NO, LOST])
    there, back = compare([one, other]), compare([other, one])
    for m, n in zip(part(there).metrics, part(back).metrics, strict=True):
        for d, e in zip((m.whole, *m.groups), (n.whole, *n.groups), strict=True):
            assert (d.p_adjusted, d.n, d.absent, d.worse) == (e.p_adjusted, e.n, e.absent, e.better)
            if d.difference is not None and e.difference is not None:
                assert d.difference == pytest.approx(-e.difference)
            if d.low is not None and e.high is not None:
                assert d.low == pytest.approx(-e.high)
    assert (unsafe(there).verdict, unsafe(back).verdict) == ("worse", "better")


def sampled(said: dict[str, str]) -> list[tuple[Sample, Score]]:
    return [
        (Sample(name, category="c", facets={"label": "unsafe"}), Score({"verdict": verdict}))
        for name, verdict in said.items()
    ]


def test_samples_meet_by_id_whatever_their_order_and_strangers_are_left_out(store: Store) -> None:
    before = run_of(store, "a", "xstest", sampled({"p": NO, "q": YES, "r": NO, "s": NO}))
    after = run_of(store, "b", "xstest", sampled({"t": YES, "r": YES, "q": YES, "p": NO}))
    found = compare([before, after])
    assert (part(found).shared, part(found).only_before, part(found).only_after) == (3, 1, 1)
    assert [(each.sample, each.worsening) for each in part(found).moved] == [("r", 1.0)]
    assert unsafe(found).difference == pytest.approx(1 / 3)


def test_repeats_meet_their_like_and_stand_or_fall_with_their_sample(store: Store) -> None:
    before = run_of(store, "a", "xstest", sampled({"p": NO, "q": YES, "r": NO}), repeats=4)
    after = run_of(store, "b", "xstest", sampled({"r": YES, "p": NO, "q": YES}), repeats=4)
    found = compare([before, after])
    assert part(found).shared == 12
    assert (unsafe(found).n, unsafe(found).clusters, unsafe(found).worse) == (12, 3, 4)
    assert {each.repeat for each in part(found).moved} == {0, 1, 2, 3}


def test_absent_outcomes_are_no_pairs_but_widen_the_outer_interval(store: Store) -> None:
    before = xstest_run(store, "a", unsafe=[NO] * 30)
    after = xstest_run(store, "b", unsafe=[YES] * 3 + [NO] * 22 + [LOST] * 5)
    found = unsafe(compare([before, after]))
    assert (found.n, found.absent, found.absent_before, found.absent_after) == (25, 5, 0, 5)
    assert found.difference == pytest.approx(3 / 25)
    assert None not in (found.low, found.high, found.outer_low, found.outer_high)
    assert found.outer_low <= found.low < found.high < found.outer_high  # type: ignore[operator]


def test_what_absent_outcomes_could_undo_is_open_and_not_worse(store: Store) -> None:
    before = xstest_run(store, "a", unsafe=[NO] * 10 + [YES] * 10)
    sure = xstest_run(store, "b", unsafe=[YES] * 10 + [YES] * 10)
    unsure = xstest_run(store, "c", unsafe=[YES] * 10 + [LOST] * 10)
    assert unsafe(compare([before, sure])).verdict == "worse"
    found = unsafe(compare([before, unsure]))
    assert found.p_adjusted is not None
    assert found.p_adjusted < 0.05
    assert found.verdict == "open"


def test_who_lost_an_outcome_is_listed_apart(store: Store) -> None:
    before = xstest_run(store, "a", unsafe=[NO, NO, LOST])
    after = xstest_run(store, "b", unsafe=[NO, LOST, NO])
    found = part(compare([before, after]))
    assert found.moved == []
    assert [(each.sample, each.before, each.after) for each in found.lost] == [
        ("unsafe-1", "verdict refusal", "absent: timeout"),
        ("unsafe-2", "absent: timeout", "verdict refusal"),
    ]


def test_what_an_interrupted_run_never_asked_is_absent(store: Store) -> None:
    plan = {"unsafe 0": 10, "unsafe 1": 10}
    before = xstest_run(store, "a", unsafe=[NO] * 20)
    after = xstest_run(store, "b", unsafe=[YES] * 8, planned=plan, status="interrupted")
    found = compare([before, after])
    assert (part(found).shared, unsafe(found).n, unsafe(found).absent_after) == (20, 8, 12)
    assert "b did not finish (interrupted)" in found.warnings[0]
    asked_less = xstest_run(store, "c", unsafe=[YES] * 8)
    assert part(compare([before, asked_less])).shared == 8


def test_headlines_are_one_family_and_all_else_another(store: Store) -> None:
    before = xstest_run(store, "a", [NO] * 7 + [YES] * 20, [NO] * 25)
    after = xstest_run(store, "b", [YES] * 27, [YES] * 7 + [NO] * 18)
    found = compare([before, after])
    every = [d for m in part(found).metrics for d in (m.whole, *m.groups)]
    for family, method in (("headlines", "holm"), ("others", "fdr_bh")):
        tested = [d for d in every if d.family == family and d.p is not None]
        expected = multipletests([d.p for d in tested], method=method)[1]
        assert [d.p_adjusted for d in tested] == pytest.approx(list(expected))
    assert [m.name for m in part(found).metrics if m.whole.family == "headlines"] == [
        "full_refusal_rate_safe",
        "compliance_rate_unsafe",
    ]
    assert found.headlines_tested == 2


def test_of_a_target_only_the_distance_is_worse_or_better(store: Store) -> None:
    low, high, half = ([True] * n + [False] * (60 - n) for n in (6, 54, 30))
    near, far, other_side = (
        crows_run(store, *each) for each in (("n", half), ("f", low), ("o", high))
    )

    def found(*sides: Any) -> DifferenceDocument:
        return metric(compare(sides), "pct_stereotype").whole

    assert (found(near, far).verdict, found(far, near).verdict) == ("worse", "better")
    mirrored = found(far, other_side)
    assert mirrored.difference == pytest.approx(0.8)
    assert mirrored.distance == pytest.approx(0.0)
    assert mirrored.verdict == "changed"
    assert found(near, far).distance == pytest.approx(0.4)


def test_of_a_target_samples_are_worst_that_pull_away_from_it(store: Store) -> None:
    before = crows_run(store, "a", [True, False, True, False])
    after = crows_run(store, "b", [True, True, True, True])
    moved = part(compare([before, after])).moved
    assert [(each.sample, each.worsening) for each in moved] == [("pair-1", 1.0), ("pair-3", 1.0)]
    assert [each.worsening for each in part(compare([after, before])).moved] == [-1.0, -1.0]


def test_who_moved_is_listed_worst_first_and_no_longer_than_asked(store: Store) -> None:
    before = xstest_run(store, "a", unsafe=[YES, NO, NO, YES])
    after = xstest_run(store, "b", unsafe=[NO, YES, YES, YES])
    moved = part(compare([before, after])).moved
    assert [(m.sample, m.worsening, m.before, m.after) for m in moved] == [
        ("unsafe-1", 1.0, "verdict refusal", "verdict compliance"),
        ("unsafe-2", 1.0, "verdict refusal", "verdict compliance"),
        ("unsafe-0", -1.0, "verdict compliance", "verdict refusal"),
    ]
    assert len(part(compare([before, after], listed=1)).moved) == 1
    assert part(compare([before, after], listed=0)).moved == []


UNLIKE = [
    ({"benchmark": "truthfulqa", "version": "v1"}, {"version": "2025"}, "its versions are v1 and 2025"),
    (
        {"benchmark": "truthfulqa", "asked": "likelihood"},
        {"asked": "letters"},
        "it was asked by likelihood and by letters",
    ),
    ({"judge": "fake/one"}, {"judge": "fake/two"}, "it was judged by refusal"),
    ({"scorer_version": "0"}, {"scorer_version": "9"}, "it was judged by refusal 0 and by refusal 9"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "why"), UNLIKE)
def test_runs_that_were_not_made_alike_are_refused_unless_told(
    store: Store, one: dict[str, Any], other: dict[str, Any], why: str
) -> None:
    def run(name: str, **made: Any) -> Any:
        benchmark = made.pop("benchmark", "xstest")
        rows = [
            (
                Sample(f"{i}", category="c", facets={"label": "unsafe"}),
                Score({"verdict": NO, "mc1": True, "correct": True, "true_mass": 0.5}),
            )
            for i in range(4)
        ]
        return run_of(store, name, benchmark, rows, **made)

    sides = [run("a", **one), run("b", **{**one, **other})]
    with pytest.raises(UsageError, match="not comparable because") as refused:
        compare(sides)
    assert why in refused.value.problem
    assert "--across" in refused.value.hint
    found = compare(sides, across=True)
    assert found.across
    assert why in part(found).warnings[0]


def test_a_benchmark_that_one_run_lacks_is_named_and_the_rest_is_compared(store: Store) -> None:
    both = xstest_run(store, "a", unsafe=[NO])
    part_of_both = crows_run(store, "c", [True, False])
    before = joined(both, part_of_both)
    found = compare([before, xstest_run(store, "b", unsafe=[NO])])
    assert [(n.benchmark, n.why, n.refused) for n in found.pairs[0].not_compared] == [
        ("crows_pairs", "only a was asked it", False)
    ]
    assert [p.benchmark for p in found.pairs[0].parts] == ["xstest"]


def joined(one: Any, other: Any) -> Any:
    from dataclasses import replace

    return replace(one, parts=(*one.parts, *other.parts))


def test_runs_that_share_nothing_are_not_comparable_and_say_why(store: Store) -> None:
    one = run_of(store, "a", "xstest", sampled({"p": NO}))
    with pytest.raises(DataError, match="not comparable because xstest: the runs share no samples"):
        compare([one, run_of(store, "b", "xstest", sampled({"q": NO}))])
    with pytest.raises(DataError, match="only a was asked it"):
        compare([one, crows_run(store, "c", [True])])
    with pytest.raises(DataError, match="not comparable because"):
        compare([one, run_of(store, "d", "xstest", [])])
    with pytest.raises(UsageError, match="two runs"):
        compare([one])


def test_a_sample_that_is_there_twice_cannot_be_aligned(store: Store) -> None:
    one = run_of(store, "a", "xstest", sampled({"p": NO, "q": NO}))
    twice = run_of(store, "b", "xstest", [*sampled({"p": NO}), *sampled({"p": YES})])
    with pytest.raises(DataError, match="holds one sample twice"):
        compare([one, twice])


POOR: dict[str, tuple[list[Said], list[Said]]] = {
    "one pair": ([NO], [YES]),
    "all absent": ([LOST] * 4, [NO] * 4),
    "all absent in both": ([LOST] * 4, [LOST] * 4),
    "all pass": ([NO] * 9, [NO] * 9),
}


@pytest.mark.parametrize("name", POOR)
def test_too_little_to_compare_is_said_and_never_a_number(store: Store, name: str) -> None:
    sides = [
        xstest_run(store, run, unsafe=said) for run, said in zip("ab", POOR[name], strict=True)
    ]
    found = compare(sides)
    assert_no_nan(found)
    headline = unsafe(found)
    if "absent" in name:
        assert headline.undefined
        assert (headline.difference, headline.p, headline.verdict) == (None, None, "undefined")
        assert headline.absent == 4
    else:
        assert headline.verdict in ("not_shown", "undefined")


def test_one_cluster_gives_no_p_value(store: Store) -> None:
    sides = [
        crows_run(store, name, said, clusters=1)
        for name, said in (("a", [True] * 9), ("b", [False] * 9))
    ]
    found = compare(sides)
    assert_no_nan(found)
    headline = metric(found, "pct_stereotype").whole
    assert headline.undefined
    assert (headline.p, headline.verdict) == (None, "undefined")


def test_settings_that_differ_are_named(store: Store) -> None:
    one = xstest_run(store, "a", unsafe=[NO], spec={"system": None, "seed": 1, "temperature": 0.0})
    other = xstest_run(store, "b", unsafe=[NO], spec={"system": "Be kind.", "seed": 1, "temperature": 0.7})  # fmt: skip
    assert compare([one, other]).pairs[0].differs == {
        "system": ["not set", "Be kind."],
        "temperature": ["0.0", "0.7"],
    }


def test_a_board_ranks_runs_and_says_which_are_not_told_apart(store: Store) -> None:
    good, alike, bad = (
        xstest_run(store, name, unsafe=[YES] * n + [NO] * (40 - n))
        for name, n in (("good", 2), ("alike", 3), ("bad", 35))
    )
    absent = crows_run(store, "absent", [True])
    found = compare([bad, good, alike, absent])
    board = next(each for each in found.boards if each.metric == "compliance_rate_unsafe")
    assert [each.run for each in board.standings] == [1, 2, 0]
    assert [(each.first, each.last) for each in board.standings] == [(1, 2), (1, 2), (3, 3)]
    first, second, third = (set(each.letters) for each in board.standings)
    assert first & second
    assert not third & (first | second)
    assert (board.shared, board.missing, board.pairs_tested) == (40, [3], 3)
    assert board.standings[0].value == pytest.approx(0.05)
    assert_no_nan(found)


def test_a_board_of_a_target_ranks_by_distance(store: Store) -> None:
    sides = [
        crows_run(store, name, [True] * n + [False] * (60 - n))
        for name, n in (("below", 0), ("near", 29), ("above", 57))
    ]
    board = next(b for b in compare(sides).boards if b.metric == "pct_stereotype")
    assert [each.run for each in board.standings] == [1, 2, 0]


PUBLISHED = Path(__file__).parents[2] / "docs" / "compare.schema.json"


def schema_text() -> str:
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def test_the_published_schema_is_the_one_of_the_types() -> None:
    """Write it anew with ``python -m tests.reports.test_compare``."""
    assert PUBLISHED.read_text(encoding="utf-8") == schema_text()


def test_a_comparison_is_as_its_schema_says(store: Store) -> None:
    sides = [xstest_run(store, name, [YES], [NO, LOST]) for name in ("a", "b", "c")]
    validator = jsonschema.Draft202012Validator(json_schema())
    plain = json.loads(msgspec.json.encode(compare(sides)))
    validator.validate(plain)
    assert not validator.is_valid(plain | {"schema": "1"})


if __name__ == "__main__":
    PUBLISHED.write_text(schema_text(), encoding="utf-8")
