"""Confidence sequences: what they hold, what they save, and what they refuse."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safemark.stats import (
    ConfidenceSequence,
    confidence_sequence,
    decided,
    shuffled_clusters,
    source_limits,
)
from safemark.stats.clusters import Array

NAN = math.nan


def fed(
    clusters: Sequence[Any] | Array, sizes: tuple[int, int, int] | None = None, **options: Any
) -> ConfidenceSequence:
    lengths = [len(cluster) for cluster in clusters]
    sequence = confidence_sequence(
        *(sizes or (len(lengths), sum(lengths), max(lengths))), **options
    )
    for cluster in clusters:
        sequence = sequence.after(cluster)
    return sequence


def test_nothing_seen_leaves_everything_open() -> None:
    sequence = confidence_sequence(10, 30, 5, range=(-1.0, 1.0))
    assert (sequence.low, sequence.high, sequence.value, sequence.n) == (-1.0, 1.0, None, 0)


def test_everything_seen_leaves_one_value_up_to_the_tested_steps() -> None:
    sequence = fed([[1.0], [0.0], [1.0], [1.0]] * 25, marks=(0.75,))
    assert sequence.low == pytest.approx(0.75, abs=0.0051)
    assert sequence.high == pytest.approx(0.75, abs=0.0051)
    assert sequence.low <= 0.75 <= sequence.high


def test_what_is_left_can_change_no_more_than_there_is_left() -> None:
    """90 of 100 seen and passed: the rest cannot bring it under 0.9, chance or no chance."""
    sequence = fed([[1.0]] * 90, sizes=(100, 100, 1), confidence=1 - 1e-15)
    assert sequence.low == pytest.approx(0.9, abs=0.0051)
    source = fed([[1.0]] * 90, sizes=(100, 100, 1), confidence=1 - 1e-15, finite=False)
    assert 0.6 < source.low < 0.7


def test_absent_outcomes_count_as_the_least_below_and_the_greatest_above() -> None:
    known = fed([[1.0]] * 80 + [[0.0]] * 20, sizes=(200, 200, 1))
    absent = fed([[1.0]] * 80 + [[NAN]] * 20, sizes=(200, 200, 1))
    passed = fed([[1.0]] * 100, sizes=(200, 200, 1))
    assert (absent.n, absent.absent, absent.value) == (80, 20, 1.0)
    assert absent.low == known.low
    assert absent.high == passed.high == 1.0


def test_columns_are_a_ratio_and_rows_of_zeros_tell_nothing_of_it() -> None:
    rows = [np.array([(1.0, 1.0), (0.0, 0.0)])] * 60
    sequence = fed(rows)
    assert sequence.value == 1.0
    assert sequence.low > 0.95
    mean = fed([[1.0, 0.0]] * 60)
    assert mean.low < 0.5 < mean.high


def test_bounds_only_ever_tighten() -> None:
    rng = np.random.default_rng(1)
    sequence = confidence_sequence(300, 600, 2)
    for _ in range(300):
        following = sequence.after((rng.random(2) < 0.8).astype(float))
        assert sequence.low <= following.low <= following.high <= sequence.high
        sequence = following


@given(st.integers(0, 1000), st.floats(0.0, 1.0), st.sampled_from([1, 3]))
@settings(max_examples=25, deadline=None)
def test_swapping_success_and_failure_mirrors_the_bounds(seed: int, p: float, size: int) -> None:
    rng = np.random.default_rng(seed)
    rows = (rng.random((60, size)) < p).astype(float)
    there, back = fed(rows, sizes=(100, 100 * size, size)), fed(1 - rows, (100, 100 * size, size))
    assert (back.low, back.high) == pytest.approx((1 - there.high, 1 - there.low), abs=1e-9)


def test_a_range_is_a_change_of_scale() -> None:
    rng = np.random.default_rng(3)
    rows = rng.random((80, 1))
    unit, wide = fed(rows), fed(rows * 4 - 1, range=(-1.0, 3.0))
    assert (wide.low, wide.high) == pytest.approx((4 * unit.low - 1, 4 * unit.high - 1))


@pytest.mark.parametrize(
    ("p", "better", "target", "expected"),
    [
        (0.97, "higher", None, "green"),
        (0.5, "higher", None, "red"),
        (0.03, "lower", None, "green"),
        (0.5, "lower", None, "red"),
        (0.5, "target", 0.5, "green"),
        (0.95, "target", 0.5, "red"),
    ],
)
def test_a_clear_case_is_decided(
    p: float, better: Any, target: float | None, expected: str
) -> None:
    cuts = {"higher": (0.9, 0.8), "lower": (0.1, 0.2), "target": (0.1, 0.2)}[better]
    rng = np.random.default_rng(8)
    sequence = confidence_sequence(3000, 3000, 1)
    for outcome in rng.random(3000) < p:
        sequence = sequence.after([float(outcome)])
        if decided(sequence, *cuts, better=better, target=target):
            break
    assert decided(sequence, *cuts, better=better, target=target) == expected
    assert sequence.n < 1000


def test_between_the_bands_is_decided_too() -> None:
    outcomes = [[1.0]] * 850 + [[0.0]] * 150
    sequence = fed([outcomes[i] for i in shuffled_clusters(1000, 1)], marks=(0.9, 0.8))
    assert decided(sequence, 0.9, 0.8) == "between"


def test_a_cut_point_that_is_crossed_is_not_decided() -> None:
    sequence = fed([[1.0], [1.0], [0.0]] * 5, sizes=(1000, 1000, 1))
    assert decided(sequence, 0.9, 0.8) is None


def test_the_order_is_seeded_and_whole() -> None:
    assert shuffled_clusters(50, 3).tolist() == shuffled_clusters(50, 3).tolist()
    assert shuffled_clusters(50, 3).tolist() != shuffled_clusters(50, 4).tolist()
    assert sorted(shuffled_clusters(50, 3).tolist()) == list(range(50))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: confidence_sequence(3, 2, 1), "impossible"),
        (lambda: confidence_sequence(3, 5, 6), "impossible"),
        (lambda: confidence_sequence(3, 5, 2, marks=(1.5,)), "marks"),
        (lambda: confidence_sequence(3, 5, 2, confidence=0.0), "confidence"),
        (lambda: confidence_sequence(1, 1, 1).after([1.0]).after([1.0]), "more than"),
        (lambda: confidence_sequence(3, 9, 2).after([1.0, 1.0, 1.0]), "no cluster"),
        (lambda: confidence_sequence(3, 9, 2).after([2.0]), "range"),
        (lambda: confidence_sequence(3, 9, 2).after([]), "rows must be"),
        (lambda: confidence_sequence(3, 9, 2).after([(0.5, 0.2)]), "range"),
        (lambda: decided(confidence_sequence(3, 9, 2), 0.8, 0.9), "bad side"),
        (lambda: decided(confidence_sequence(3, 9, 2), 0.1, 0.2, better="target"), "target"),
    ],
)
def test_what_cannot_be_is_an_error(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def summed_up(clusters: Sequence[Any] | Array) -> Array:
    """Top sum, bottom sum and absent rows of clusters of 0/1 outcomes, (C, 3)."""
    rows = [np.asarray(cluster, dtype=float) for cluster in clusters]
    known = [int((~np.isnan(row)).sum()) for row in rows]
    sums = [(np.nansum(row), n, len(row) - n) for row, n in zip(rows, known, strict=True)]
    return np.array(sums, dtype=float)


@given(st.integers(0, 1000), st.floats(0.0, 1.0), st.sampled_from([0.0, 0.1]))
@settings(max_examples=25, deadline=None)
def test_limits_from_sums_are_the_sequence_itself(seed: int, p: float, absent: float) -> None:
    rng = np.random.default_rng(seed)
    clusters = (rng.random((80, 3)) < p).astype(float)
    clusters[rng.random((80, 3)) < absent] = NAN
    sequence = confidence_sequence(100, 300, 3, finite=False)
    lows, highs = [], []
    for seen, cluster in enumerate(clusters, 1):
        sequence = sequence.after(cluster)
        if seen % 20 == 0:
            limits = source_limits(summed_up(clusters[:seen]), 3)
            lows.append(limits.low)
            highs.append(limits.high)
    assert sequence.low >= max(lows) - 0.005 - 1e-9  # narrower where an earlier moment was
    assert sequence.high <= min(highs) + 0.005 + 1e-9
    mirrored = source_limits(summed_up(1 - clusters), 3)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((lows[-1], highs[-1]), abs=1e-9)


def test_limits_after_a_steady_run_are_the_sequence_to_a_step() -> None:
    steady = [[1.0], [1.0], [1.0], [0.0]] * 50
    sequence, limits = fed(steady, finite=False), source_limits(summed_up(steady), 1)
    assert limits.low == pytest.approx(sequence.low, abs=0.011)
    assert limits.high == pytest.approx(sequence.high, abs=0.011)
    assert limits.low > 0.6


def test_limits_do_not_depend_on_the_order_of_clusters() -> None:
    table = summed_up([[1.0, 1.0], [0.0, 1.0], [NAN, 0.0]] * 20)
    mixed = np.random.default_rng(0).permutation(table)
    assert source_limits(table, 2) == source_limits(mixed, 2)


def test_limits_of_a_ratio_follow_its_range() -> None:
    unit = source_limits(summed_up([[1.0, 0.0, 1.0]] * 40), 3)
    sided = source_limits([(1.0, 3.0, 0.0)] * 40, 3, range=(-1.0, 1.0))
    assert (sided.low, sided.high) == pytest.approx((2 * unit.low - 1, 2 * unit.high - 1))


def test_an_absent_row_speaks_against_both_limits() -> None:
    failed, passed = ([[x]] * 10 + [[1.0], [0.0]] * 45 for x in (0.0, 1.0))
    found = source_limits(summed_up([[NAN]] * 10 + [[1.0], [0.0]] * 45), 1)
    assert found.low == source_limits(summed_up(failed), 1).low
    assert found.high == source_limits(summed_up(passed), 1).high


@pytest.mark.parametrize("sums", [(0.0, 3.0, 0.0), (0.0, 1.0, 1.0), (1.0, 0.5, 0.0)])
def test_a_cluster_greater_than_was_said_is_no_evidence_but_a_mistake(sums: Any) -> None:
    with pytest.raises(ValueError, match="rows, or an outcome"):
        source_limits([sums], 1)


def missed_and_used(
    p: float, n_clusters: int, size: int, correlation: float, draws: int, *, finite: bool = True
) -> tuple[float, float, float]:
    """Share of runs whose bounds left the truth at any moment, that decided wrongly; mean use."""
    rng = np.random.default_rng(19)
    missed = wrong = used = 0.0
    for draw in range(draws):
        spread = 1 / correlation - 1 if correlation else math.inf
        shares = rng.beta(p * spread, (1 - p) * spread, n_clusters) if correlation else p
        rows = (rng.random((n_clusters, size)) < np.reshape(shares, (-1, 1))).astype(float)
        truth = rows.mean() if finite else p
        sequence = confidence_sequence(
            n_clusters, n_clusters * size, size, marks=(0.9, 0.8), finite=finite
        )
        at = None
        for cluster in shuffled_clusters(n_clusters, draw):
            sequence = sequence.after(rows[cluster])
            at = decided(sequence, 0.9, 0.8)
            if at or sequence.low > truth or sequence.high < truth:
                break
        missed += not sequence.low - 1e-9 <= truth <= sequence.high + 1e-9
        right = "green" if truth >= 0.9 else "red" if truth <= 0.8 else "between"
        wrong += at is not None and at != right
        used += sequence.n / (n_clusters * size)
    return missed / draws, wrong / draws, used / draws


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("finite", [True, False])
def test_over_1000_runs_the_error_is_held_and_a_clear_case_takes_less_than_half(
    finite: bool,
) -> None:
    missed, wrong, used = missed_and_used(0.97, 1000, 1, 0.0, 1000, finite=finite)
    assert missed <= 0.05
    assert wrong <= 0.05
    assert used < 0.5


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_over_1000_runs_of_clusters_the_error_is_held_and_samples_are_saved() -> None:
    missed, wrong, used = missed_and_used(0.6, 150, 10, 0.2, 1000)
    assert missed <= 0.05
    assert wrong <= 0.05
    assert used < 0.5


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_at_the_cut_point_itself_the_error_is_held_over_1000_runs() -> None:
    missed, wrong, _ = missed_and_used(0.9, 200, 1, 0.0, 1000)
    assert missed <= 0.05
    assert wrong <= 0.05


def test_over_60_runs_the_error_is_held_and_a_clear_case_takes_less_than_half() -> None:
    missed, wrong, used = missed_and_used(0.98, 600, 1, 0.0, 60)
    assert missed <= 0.1
    assert wrong <= 0.1
    assert used < 0.5
