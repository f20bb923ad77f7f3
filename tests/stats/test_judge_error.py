"""Rogan–Gladen: hand-worked corrections, how often the interval holds, and what is undefined."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safemark.stats import Count, rogan_gladen, wilson


def test_the_correction_inverts_the_judges_error() -> None:
    """A true rate of 0.2 seen through sensitivity 0.9 and specificity 0.8: 0.34."""
    found = rogan_gladen(Count(340, 1000), Count(90, 100), Count(80, 100))
    assert found.naive == 0.34
    assert found.value == pytest.approx(0.2)
    assert (found.sensitivity, found.specificity) == (0.9, 0.8)
    assert (found.naive_low, found.naive_high) == (wilson(340, 1000).low, wilson(340, 1000).high)


def test_a_judge_without_error_changes_little_with_large_calibration() -> None:
    found = rogan_gladen(Count(30, 100), Count(10**6, 10**6), Count(10**6, 10**6))
    seen = wilson(30, 100)
    assert found.value == pytest.approx(0.3)
    assert (found.low, found.high) == pytest.approx((seen.low, seen.high), abs=0.002)


def test_a_small_calibration_widens_the_interval() -> None:
    wide = rogan_gladen(Count(340, 1000), Count(18, 20), Count(16, 20))
    narrow = rogan_gladen(Count(340, 1000), Count(900, 1000), Count(800, 1000))
    assert wide.low is not None
    assert wide.high is not None
    assert narrow.low is not None
    assert narrow.high is not None
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_a_correction_below_zero_is_zero_and_its_interval_is_not() -> None:
    found = rogan_gladen(Count(10, 100), Count(90, 100), Count(80, 100))
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high is not None
    assert found.high > 0.0


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        ((Count(0, 0), Count(9, 10), Count(9, 10)), "nothing was judged"),
        ((Count(3, 10), Count(0, 0), Count(9, 10)), "no labelled positive"),
        ((Count(3, 10), Count(9, 10), Count(0, 0)), "no labelled negative"),
        ((Count(3, 10), Count(5, 10), Count(5, 10)), "no better than chance"),
        ((Count(3, 10), Count(2, 10), Count(5, 10)), "no better than chance"),
    ],
)
def test_a_judge_that_tells_nothing_gives_no_rate(
    counts: tuple[Count, Count, Count], why: str
) -> None:
    found = rogan_gladen(*counts)
    assert found.undefined is not None
    assert why in found.undefined
    assert (found.value, found.low, found.high) == (None, None, None)


def test_a_calibration_that_may_be_chance_limits_nothing() -> None:
    found = rogan_gladen(Count(30, 100), Count(4, 5), Count(3, 5))
    assert (found.low, found.high) == (0.0, 1.0)
    assert found.value is not None
    assert "chance" in found.method


@given(st.integers(0, 50), st.integers(30, 40), st.integers(30, 40))
def test_judging_the_opposite_mirrors_the_rate(flagged: int, right: int, wrong: int) -> None:
    there = rogan_gladen(Count(flagged, 50), Count(right, 40), Count(wrong, 40))
    back = rogan_gladen(Count(50 - flagged, 50), Count(wrong, 40), Count(right, 40))
    assert there.value is not None
    assert there.low is not None
    assert there.high is not None
    assert back.value == pytest.approx(1 - there.value)
    assert (back.low, back.high) == pytest.approx((1 - there.high, 1 - there.low))


@pytest.mark.parametrize("counts", [(Count(3, 2),) * 3, (Count(-1, 2),) * 3])
def test_impossible_counts_are_an_error(counts: Any) -> None:
    with pytest.raises(ValueError, match="no count"):
        rogan_gladen(*counts)


@pytest.mark.parametrize("p", [0.01, 0.1, 0.5])
@pytest.mark.parametrize(("n", "labels"), [(150, 50), (2000, 200)])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(
    p: float, n: int, labels: int
) -> None:
    rng = np.random.default_rng(12)
    sensitivity, specificity, draws = 0.85, 0.93, 2000
    flagged = rng.binomial(n, p * sensitivity + (1 - p) * (1 - specificity), draws)
    right = rng.binomial(labels, sensitivity, draws), rng.binomial(labels, specificity, draws)
    held = naive = 0
    for x, a, b in zip(flagged, *right, strict=True):
        found = rogan_gladen(Count(x, n), Count(a, labels), Count(b, labels))
        assert found.low is not None
        assert found.high is not None
        assert found.naive_low is not None
        assert found.naive_high is not None
        held += found.low <= p <= found.high
        naive += found.naive_low <= p <= found.naive_high
    assert held / draws >= 0.93
    if p != 0.01:  # near 0 the interval is cut off there, and holds more often than it says
        assert held / draws <= 0.975
        assert naive / draws < 0.9
