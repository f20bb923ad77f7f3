"""Estimates: hand-worked values, absent outcomes, and the laws that bounds obey."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safemark.stats import Better, Estimate, Ratio, estimate, ratio, wilson
from safemark.stats.clusters import Array
from safemark.stats.spread import caution

SHARE = [(1, 1), (0, 1)]


def rows(successes: int, n: int) -> Array:
    return np.array([(1, 1)] * successes + [(0, 1)] * (n - successes), dtype=float).reshape(-1, 2)


def bias(sums: Array) -> Array:
    """Stereotyped minus the rest over all that took sides: columns stereotyped, sided."""
    return 2 * sums[..., 0] / sums[..., 1] - 1


# Hand-worked shares


def test_independent_rows_of_a_share_get_wilsons_interval() -> None:
    found = estimate(rows(7, 10), None)
    expected = wilson(7, 10)
    assert found == Estimate(
        value=0.7,
        low=expected.low,
        high=expected.high,
        n=10,
        absent=0,
        worst=0.7,
        best=0.7,
        outer_low=expected.low,
        outer_high=expected.high,
        method="wilson",
    )


def test_clusters_of_one_row_are_independent_rows() -> None:
    assert estimate(rows(7, 10), list("abcdefghij")) == estimate(rows(7, 10), None)


def test_absent_rows_give_bounds_and_outer_bounds() -> None:
    found = estimate(rows(70, 95), absent_options=SHARE, absent_clusters=range(95, 100))
    assert (found.n, found.absent, found.value) == (95, 5, 70 / 95)
    assert (found.worst, found.best) == (0.70, 0.75)
    assert found.outer_low == wilson(70, 100).low
    assert found.outer_high == wilson(75, 100).high
    assert found.low == wilson(70, 95).low


@pytest.mark.parametrize(
    ("better", "target", "worst", "best"),
    [
        ("higher", None, 0.70, 0.75),
        ("lower", None, 0.75, 0.70),
        ("target", 0.5, 0.75, 0.70),
        ("target", 0.9, 0.70, 0.75),
        ("target", 0.72, 0.75, 0.72),  # some mixture of outcomes comes nearest
    ],
)
def test_worst_and_best_follow_what_is_better(
    better: Better, target: float | None, worst: float, best: float
) -> None:
    found = estimate(
        rows(70, 95),
        absent_options=SHARE,
        absent_clusters=range(95, 100),
        better=better,
        target=target,
    )
    assert (found.worst, found.best) == (worst, best)


# Nothing there


def test_nothing_scored_and_nothing_absent_is_not_known() -> None:
    nothing = Estimate(None, None, None, 0, 0, None, None, None, None, "none")
    assert estimate(np.empty((0, 2)), None) == nothing
    assert estimate(np.empty((0, 2)), [], absent_options=SHARE) == nothing


@pytest.mark.parametrize("clusters", [None, []])
def test_nothing_scored_but_some_absent_could_be_anything(clusters: list[str] | None) -> None:
    found = estimate(np.empty((0, 2)), clusters, absent_options=SHARE, absent_clusters="abc")
    assert found == Estimate(None, None, None, 0, 3, 0.0, 1.0, 0.0, 1.0, "none")


def test_zero_over_zero_is_absent_and_not_a_number() -> None:
    found = estimate(np.zeros((5, 2)), None)
    assert found == Estimate(None, None, None, 5, 0, None, None, None, None, "none")


def test_unknown_bounds_are_not_made_up() -> None:
    found = estimate(rows(7, 10), absent_clusters=["x"], bounds_known=False)
    assert (found.value, found.absent) == (0.7, 1)
    assert [found.worst, found.best, found.outer_low, found.outer_high] == [None] * 4


def test_bounds_are_known_when_nothing_is_absent() -> None:
    assert estimate(rows(7, 10), bounds_known=False) == estimate(rows(7, 10))


def test_possible_outcomes_that_leave_the_value_undefined_give_no_bounds() -> None:
    found = estimate(np.empty((0, 2)), absent_options=[(0, 0)], absent_clusters="a")
    assert (found.value, found.worst, found.best, found.outer_low) == (None, None, None, None)


# Few clusters, no variation


@pytest.mark.parametrize("successes", [0, 20])
def test_clusters_that_all_agree_get_wilsons_interval_on_the_clusters(successes: int) -> None:
    found = estimate(rows(successes, 20), [i // 2 for i in range(20)])
    expected = wilson(successes / 2, 10)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.method == "wilson on 10 clusters"


def test_a_bias_seen_in_every_cluster_may_still_be_smaller() -> None:
    unseen = wilson(0, 10).high
    always = estimate(rows(20, 20), [i // 2 for i in range(20)], statistic=bias, range=(-1, 1))
    never = estimate(rows(0, 20), [i // 2 for i in range(20)], statistic=bias, range=(-1, 1))
    even = estimate(rows(10, 20), [i % 10 for i in range(20)], statistic=bias, range=(-1, 1))
    assert (always.low, always.high) == pytest.approx((1 - 2 * unseen, 1))
    assert (never.low, never.high) == pytest.approx((-1, 2 * unseen - 1))
    assert (even.value, even.low, even.high) == pytest.approx((0, -unseen, unseen))


def test_one_cluster_is_one_observation_and_not_certainty() -> None:
    found = estimate(rows(50, 100), ["same prompt"] * 100)
    unseen = wilson(0, 1).high
    assert (found.low, found.high) == pytest.approx((0.5 - unseen / 2, 0.5 + unseen / 2))
    assert found.method == "wilson on 1 cluster"


def test_two_clusters_that_differ_leave_almost_everything_open() -> None:
    found = estimate(rows(50, 100), [i // 50 for i in range(100)])
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.05
    assert found.high > 0.95


def test_rounding_in_the_sums_is_not_variation() -> None:
    scored = np.column_stack([np.full(30, 0.1), np.ones(30)])
    assert estimate(scored, [i // 3 for i in range(30)]).method == "wilson on 10 clusters"


def test_rows_outside_the_denominator_make_no_interval_narrower() -> None:
    sided = np.array([(1.0, 1.0)] * 3)
    with_unsided = np.concatenate([sided, np.zeros((97, 2))])
    few = estimate(sided, statistic=bias, range=(-1, 1))
    many = estimate(with_unsided, statistic=bias, range=(-1, 1))
    assert many == replace(few, n=100)
    assert many.method == "wilson on 3 clusters"


def test_a_share_of_some_of_the_rows_still_gets_wilsons_interval() -> None:
    found = estimate(np.concatenate([rows(7, 10), np.zeros((5, 2))]), None)
    assert (found.method, found.n, found.low) == ("wilson", 15, wilson(7, 10).low)


def test_clustered_rows_get_the_bootstrap_and_a_wider_interval() -> None:
    answers = np.repeat([0, 1, 1, 0, 1, 1, 0, 1, 1, 1], 10)
    scored = np.column_stack([answers, np.ones(100)]).astype(float)
    clustered = estimate(scored, np.arange(100) // 10)
    independent = estimate(scored, None)
    assert clustered.method == "clustered bootstrap, 10 clusters"
    assert clustered.value == independent.value == 0.7
    assert clustered.low is not None
    assert clustered.high is not None
    assert independent.low is not None
    assert independent.high is not None
    assert clustered.low < independent.low < independent.high < clustered.high


def test_one_more_failure_does_not_make_the_interval_shorter_on_the_bad_side() -> None:
    clusters = [i // 2 for i in range(200)]
    highs = [estimate(rows(k, 200), clusters).high or 0.0 for k in range(1, 12)]
    assert highs == sorted(highs)
    assert highs[0] > 0.01


def in_clusters(failed: list[int], size: int) -> Estimate:
    """Failures in clusters of equal size, better lower."""
    scored = np.concatenate([rows(k, size) for k in failed])
    return estimate(scored, [i // size for i in range(len(scored))], better="lower")


def test_failures_of_one_cluster_leave_open_how_far_they_come_together() -> None:
    one_bad, spread_out = in_clusters([1] + [0] * 24, 80), in_clusters([1] * 12 + [0] * 13, 80)
    assert one_bad.high is not None
    assert spread_out.high is not None
    assert one_bad.high > 2 * wilson(1, 2000).high
    assert spread_out.high < 1.3 * wilson(12, 2000).high


def test_a_cluster_with_failures_tells_less_of_a_rate_than_as_many_rows() -> None:
    assert caution(np.array([[1.0, 1.0], [0.0, 1.0], [0.0, 1.0]])) == pytest.approx(1.0)
    assert caution(np.array([[8.0, 8.0], [0.0, 8.0], [0.0, 8.0]])) == pytest.approx(1.0)
    assert caution(np.array([[1.0, 8.0], *[[0.0, 8.0]] * 9])) > 1.5
    assert caution(np.array([[5.0, 5.0]])) == caution(np.array([[0.0, 5.0], [0.0, 9.0]])) == 1.0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=30))
def test_caution_is_at_least_1_and_sees_no_order_and_no_side(counts: list[tuple[int, int]]) -> None:
    sums = np.array([(min(k, n), n) for k, n in counts], dtype=float)
    mirrored = np.column_stack([sums[:, 1] - sums[:, 0], sums[:, 1]])
    assert 1.0 <= caution(sums) == caution(sums[::-1])
    assert caution(mirrored) == pytest.approx(caution(sums))


def test_fractions_of_independent_rows_get_the_bootstrap() -> None:
    toxicity = np.random.default_rng(0).random(200)
    found = estimate(np.column_stack([toxicity, np.ones(200)]), None, better="lower")
    half = 1.96 * toxicity.std() / np.sqrt(200)
    assert found.method == "clustered bootstrap, 200 clusters"
    assert found.low == pytest.approx(toxicity.mean() - half, abs=0.01)
    assert found.high == pytest.approx(toxicity.mean() + half, abs=0.01)


def test_an_absent_row_in_a_cluster_of_a_scored_one_is_clustered_with_it() -> None:
    together = estimate(
        rows(6, 12), list("aabbccddeeff"), absent_options=SHARE, absent_clusters="aaa"
    )
    apart = estimate(rows(6, 12), list("aabbccddeeff"), absent_options=SHARE, absent_clusters="xyz")
    assert (together.worst, together.best) == (apart.worst, apart.best)
    assert together.outer_low != apart.outer_low


# Mistakes


@pytest.mark.parametrize(
    ("scored", "options", "message"),
    [
        (np.zeros(3), {}, r"scored must be \(n, k\)"),
        (rows(1, 2), {"clusters": ["a"]}, "2 scored rows cannot have 1 cluster labels"),
        (rows(1, 2), {"absent_options": [(1,)]}, "absent_options"),
        (rows(1, 2), {"absent_clusters": ["a"]}, "bounds_known=False"),
        (np.array([[np.nan, 1.0]]), {}, "not finite"),
        (rows(1, 2), {"range": (1, 0)}, "range"),
        (rows(1, 2), {"better": "bigger"}, "better"),
        (rows(1, 2), {"better": "target"}, "needs a target"),
        (rows(0, 2), {"statistic": bias}, "outside its range"),
    ],
)
def test_what_makes_no_sense_is_an_error(
    scored: Array, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        estimate(scored, **options)


def test_a_ratio_is_a_share_unless_told_otherwise() -> None:
    assert Ratio() == Ratio(statistic=ratio, range=(0.0, 1.0))


# Laws


@dataclass(frozen=True)
class Case:
    """Scored and absent rows of a share or a bias score, clustered or not."""

    scored: Array
    clusters: Sequence[Hashable] | None
    absent_clusters: Sequence[Hashable]
    metric: Ratio

    def estimated(self, resamples: int = 200) -> Estimate:
        return estimate(
            self.scored,
            self.clusters,
            absent_options=SHARE,
            absent_clusters=self.absent_clusters,
            statistic=self.metric.statistic,
            range=self.metric.range,
            resamples=resamples,
        )


OUTCOMES = [(1.0, 1.0), (0.0, 1.0), (0.0, 0.0), (0.3, 1.0)]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    n, absent = draw(st.integers(0, 40)), draw(st.integers(0, 10))
    outcome = st.sampled_from(OUTCOMES[: draw(st.integers(1, len(OUTCOMES)))])
    label = st.integers(0, draw(st.integers(0, 30)))
    return Case(
        scored=np.array(draw(st.lists(outcome, min_size=n, max_size=n))).reshape(-1, 2),
        clusters=draw(st.none() | st.lists(label, min_size=n, max_size=n)),
        absent_clusters=draw(st.lists(label, min_size=absent, max_size=absent)),
        metric=draw(st.sampled_from([Ratio(), Ratio(bias, (-1.0, 1.0))])),
    )


@given(cases(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_shuffling_rows_changes_nothing(case: Case, random: Random) -> None:
    order = list(range(len(case.scored)))
    random.shuffle(order)
    shuffled = replace(
        case,
        scored=case.scored[order],
        clusters=None if case.clusters is None else [case.clusters[i] for i in order],
        absent_clusters=case.absent_clusters[::-1],
    )
    assert shuffled.estimated() == case.estimated()


@given(cases())
@settings(max_examples=60, deadline=None)
def test_naming_the_clusters_otherwise_changes_nothing(case: Case) -> None:
    if case.clusters is not None:
        renamed = replace(
            case,
            clusters=[f"template {label}" for label in case.clusters],
            absent_clusters=[f"template {label}" for label in case.absent_clusters],
        )
        assert renamed.estimated() == case.estimated()


def test_labels_may_come_as_an_array() -> None:
    labels = ["a", "a", "b", "c", "c"]
    assert estimate(rows(2, 5), np.array(labels)) == estimate(rows(2, 5), labels)


@given(cases())
@settings(max_examples=150, deadline=None)
def test_value_interval_bounds_and_outer_bounds_hold_one_another(case: Case) -> None:
    found = case.estimated()
    least, greatest = case.metric.range
    holds = [
        (least, greatest),
        (found.outer_low, found.outer_high),
        (found.low, found.high),
        (found.value, found.value),
    ]
    known = [(low, high) for low, high in holds if low is not None and high is not None]
    for (outer_low, outer_high), (low, high) in pairwise(known):
        assert outer_low <= low <= high <= outer_high
    if found.worst is not None and found.best is not None:
        assert found.outer_low is not None
        assert found.outer_high is not None
        assert found.outer_low <= found.worst <= found.best <= found.outer_high
        assert found.value is None or found.worst <= found.value <= found.best


@given(cases(), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_more_absent_rows_never_narrow_the_bounds(case: Case, more: int) -> None:
    longer = replace(case, absent_clusters=[*case.absent_clusters, *range(more)])
    fewer, found = case.estimated(), longer.estimated()
    if fewer.worst is not None and fewer.best is not None:
        assert found.worst is not None
        assert found.best is not None
        assert found.worst <= fewer.worst + 1e-12
        assert found.best >= fewer.best - 1e-12


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 10), st.integers(1, 10))
@settings(deadline=None)
def test_more_absent_rows_never_narrow_the_outer_interval(
    successes: int, failures: int, absent: int, more: int
) -> None:
    fewer, found = (
        Case(rows(successes, successes + failures), None, range(n), Ratio()).estimated()
        for n in (absent, absent + more)
    )
    if fewer.outer_low is not None and fewer.outer_high is not None:
        assert found.outer_low is not None
        assert found.outer_high is not None
        assert found.outer_low <= fewer.outer_low + 1e-12
        assert found.outer_high >= fewer.outer_high - 1e-12


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_more_absent_rows_do_not_narrow_a_clustered_outer_interval(share: float) -> None:
    # Not a law to the last bit: an absent row may make the clusters of a fill more alike.
    rng = np.random.default_rng(2)
    clusters = [i // 5 for i in range(200)]
    scored = np.column_stack([rng.random(200) < share, np.ones(200)]).astype(float)
    absent_clusters = rng.integers(0, 40, 40).tolist()
    found = [
        Case(scored, clusters, absent_clusters[:n], Ratio()).estimated(resamples=4000)
        for n in (0, 1, 3, 10, 20, 40)
    ]
    for fewer, more in pairwise(found):
        assert more.outer_low is not None
        assert more.outer_high is not None
        assert fewer.outer_low is not None
        assert fewer.outer_high is not None
        assert more.outer_low <= fewer.outer_low + 0.01
        assert more.outer_high >= fewer.outer_high - 0.01


def test_made_up_outcomes_of_absent_rows_buy_no_trust() -> None:
    # Three clusters that agree, and absent rows in new clusters: still three observations.
    scored, clusters = rows(30, 30), [i % 3 for i in range(30)]
    few = Case(scored, clusters, ["a"], Ratio()).estimated()
    many = Case(scored, clusters, list("abcdefgh"), Ratio()).estimated()
    assert few.outer_low is not None
    assert many.outer_low is not None
    assert many.outer_low < few.outer_low <= (few.low or 0.0)


@given(cases())
@settings(max_examples=60, deadline=None)
def test_swapping_success_and_failure_mirrors_the_bounds(case: Case) -> None:
    successes, trials = case.scored.T
    swapped = replace(case, scored=np.column_stack([trials - successes, trials]))
    one, other = case.estimated(), swapped.estimated()
    mirror = sum(case.metric.range)
    pairs = [(one.value, other.value), (one.worst, other.best), (one.best, other.worst)]
    if "wilson" in one.method:  # a bootstrap draws the mirrored clusters in another order
        pairs += [(one.low, other.high), (one.high, other.low)]
    for here, there in pairs:
        assert here == (None if there is None else pytest.approx(mirror - there, abs=1e-9))


def test_swapping_success_and_failure_mirrors_a_bootstrap_up_to_its_draws() -> None:
    clusters = [i // 5 for i in range(500)]
    answers = np.random.default_rng(5).random(500) < 0.2
    one, other = (
        estimate(np.column_stack([hits, np.ones(500)]), clusters, resamples=20_000)
        for hits in (answers, ~answers)
    )
    assert one.method == "clustered bootstrap, 100 clusters"
    assert other.low is not None
    assert other.high is not None
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low), abs=0.002)
