"""Two independent arms: statsmodels and scipy, absent outcomes, and the laws."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_effectsize

from safemark.stats import unpaired_difference
from safemark.stats.clusters import Array
from safemark.stats.unpaired import fisher

NAN = math.nan


def share(successes: int, n: int) -> Array:
    return np.array([1.0] * successes + [0.0] * (n - successes))


@pytest.mark.parametrize(
    ("x", "n", "y", "m"), [(7, 10, 1, 12), (0, 20, 0, 20), (56, 70, 48, 80), (10, 10, 0, 20)]
)
def test_the_interval_of_two_shares_is_newcombes(x: int, n: int, y: int, m: int) -> None:
    found = unpaired_difference(share(y, m), share(x, n))
    theirs = confint_proportions_2indep(x, n, y, m, compare="diff", method="newcomb")
    assert (found.low, found.high) == pytest.approx(theirs, abs=1e-6)
    assert found.effect == pytest.approx(proportion_effectsize(x / n, y / m))


@pytest.mark.parametrize(
    ("x", "n", "y", "m"), [(7, 10, 1, 12), (0, 20, 0, 20), (56, 70, 48, 80), (900, 3000, 960, 2900)]
)
def test_fishers_test_is_that_of_scipy(x: int, n: int, y: int, m: int) -> None:
    theirs = stats.fisher_exact([[x, n - x], [y, m - y]]).pvalue
    assert fisher(x, n, y, m) == pytest.approx(theirs, rel=1e-6)
    assert unpaired_difference(share(x, n), share(y, m)).p_value == pytest.approx(theirs, rel=1e-6)


def test_mid_p_is_smaller_and_not_zero() -> None:
    assert 0 < fisher(1, 8, 7, 8, mid_p=True) < fisher(1, 8, 7, 8)
    likely = stats.hypergeom(16, 8, 8)
    assert fisher(1, 8, 7, 8, mid_p=True) == pytest.approx(
        fisher(1, 8, 7, 8) - (likely.pmf(1) + likely.pmf(7)) / 2
    )


def test_impossible_tables_are_an_error() -> None:
    with pytest.raises(ValueError, match="no two shares"):
        fisher(3, 2, 1, 4)


def test_scores_agree_with_welchs_t() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.beta(2, 5, 120), rng.beta(2, 4, 90)
    found = unpaired_difference(a, b)
    theirs = stats.ttest_ind(b, a, equal_var=False)
    ends = theirs.confidence_interval()
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high), abs=0.01)
    assert found.p_value == pytest.approx(theirs.pvalue, abs=0.02)
    assert found.test_method == "inverted interval"
    assert found.effect_name == "standardised_difference"


def test_arms_in_clusters_are_less_sure() -> None:
    a, b = share(30, 100), share(50, 100)
    alone = unpaired_difference(a, b)
    clustered = unpaired_difference(a, b, np.arange(100) // 10, np.arange(100) // 10)
    assert clustered.n_clusters == 20
    assert clustered.p_value is not None
    assert alone.p_value is not None
    assert clustered.p_value > 5 * alone.p_value
    assert alone.low is not None
    assert clustered.low is not None
    assert clustered.low < 0 < alone.low


def test_absent_outcomes_are_filled_both_ways() -> None:
    a, b = np.append(share(3, 10), [NAN] * 2), np.append(share(6, 9), NAN)
    found = unpaired_difference(a, b)
    assert (found.n_a, found.n_b, found.absent_a, found.absent_b) == (10, 9, 2, 1)
    assert found.value == pytest.approx(6 / 9 - 3 / 10)
    assert found.lowest == pytest.approx(6 / 10 - 5 / 12)
    assert found.highest == pytest.approx(7 / 10 - 3 / 12)
    assert found.outer_low == pytest.approx(
        unpaired_difference(share(5, 12), share(6, 10)).low, abs=1e-12
    )
    assert found.outer_p_value == pytest.approx(fisher(5, 12, 6, 10))


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        ([], [1.0, 0.0], "a has no samples"),
        ([1.0, 0.0], [NAN, NAN], "no sample of b has an outcome"),
        ([1.0], [1.0, 0.0], "one outcome of a"),
    ],
)
def test_nothing_is_made_of_nothing(a: list[float], b: list[float], why: str) -> None:
    found = unpaired_difference(a, b)
    assert found.undefined is not None
    assert why in found.undefined
    assert (found.low, found.p_value, found.outer_low) == (None, None, None)


def test_one_cluster_shows_no_variation() -> None:
    found = unpaired_difference([1.0, 0.0], [1.0, 0.0, 1.0], None, ["x"] * 3)
    assert found.undefined == "all outcomes of b come from one cluster, which shows no variation"


ARM = st.lists(
    st.tuples(st.sampled_from([0.0, 0.5, 1.0, NAN]), st.sampled_from("abcdef")),
    min_size=2,
    max_size=25,
)


@given(ARM, ARM)
@settings(max_examples=20, deadline=None)
def test_swapping_the_arms_mirrors_everything(
    first: list[tuple[float, str]], second: list[tuple[float, str]]
) -> None:
    a, of_a = zip(*first, strict=True)
    b, of_b = zip(*second, strict=True)
    there = unpaired_difference(a, b, of_a, of_b, resamples=100)
    back = unpaired_difference(b, a, of_b, of_a, resamples=100)
    for one, other in (("low", "high"), ("outer_low", "outer_high"), ("lowest", "highest")):
        if getattr(there, one) is not None:
            assert getattr(back, other) == pytest.approx(-getattr(there, one), abs=1e-9)
    if there.p_value is not None:
        assert back.p_value == pytest.approx(there.p_value, rel=1e-6)


@given(ARM, st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_shuffling_changes_nothing_and_an_arm_against_itself_is_zero(
    rows: list[tuple[float, str]], random: Any
) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    a, of_a = zip(*rows, strict=True)
    b, of_b = zip(*shuffled, strict=True)
    found = unpaired_difference(a, b, of_a, of_b, resamples=100)
    assert found.value in (0.0, None)
    if found.p_value is not None:
        assert found.p_value == pytest.approx(1.0)
