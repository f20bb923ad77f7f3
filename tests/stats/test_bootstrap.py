"""The clustered bootstrap: laws, hand-worked cases, and scipy's own bootstrap."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from safemark.stats import Interval, clustered_bootstrap, ratio
from safemark.stats.bootstrap import resampled
from safemark.stats.clusters import Array

RNG = np.random.default_rng(7)
UNEQUAL = np.stack([RNG.binomial(9, 0.4, 60), RNG.integers(9, 20, 60)], axis=1).astype(float)


def test_the_interval_is_that_of_scipy_up_to_the_draws() -> None:
    ours = clustered_bootstrap(UNEQUAL, ratio, resamples=20_000)
    theirs = stats.bootstrap(
        tuple(UNEQUAL.T),
        lambda top, bottom, axis: top.sum(axis) / bottom.sum(axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=20_000,
        rng=np.random.default_rng(0),
    ).confidence_interval
    assert ours is not None
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.002)


def test_a_resample_draws_as_many_clusters_as_there_are() -> None:
    ones = np.ones((500, 1))
    ones[::2] = 2.0  # two kinds of cluster: the weights are drawn by kind
    assert resampled(ones, 50, seed=0).min() >= 500
    counted = np.stack([np.arange(500.0), np.ones(500)], axis=1)  # 500 kinds: drawn one by one
    assert (resampled(counted, 50, seed=0)[:, 1] == 500).all()


@pytest.mark.parametrize("n_kinds", [5, 5000])
def test_resampled_sums_have_the_mean_and_the_variance_of_theory(n_kinds: int) -> None:
    rows = np.repeat(np.arange(n_kinds, dtype=float), 5000 // n_kinds)[:, None]
    drawn = resampled(rows, 4000, seed=3)[:, 0]
    error = rows.std() * np.sqrt(len(rows))
    assert drawn.mean() == pytest.approx(rows.sum(), abs=4 * error / np.sqrt(4000))
    assert drawn.std() == pytest.approx(error, rel=0.05)


@given(st.permutations(range(60)))
@settings(max_examples=20)
def test_the_order_of_the_clusters_changes_nothing(order: list[int]) -> None:
    assert clustered_bootstrap(UNEQUAL[order], ratio) == clustered_bootstrap(UNEQUAL, ratio)


def test_the_seed_fixes_the_interval() -> None:
    assert clustered_bootstrap(UNEQUAL, ratio, seed=1) == clustered_bootstrap(
        UNEQUAL, ratio, seed=1
    )
    assert clustered_bootstrap(UNEQUAL, ratio, seed=1) != clustered_bootstrap(
        UNEQUAL, ratio, seed=2
    )


def test_undefined_resamples_are_left_out() -> None:
    # A resample without the first cluster is 0 / 0; all others are 1 / 1.
    sums = np.array([[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    assert clustered_bootstrap(sums, ratio) == Interval(1.0, 1.0)


def test_a_statistic_that_is_never_defined_has_no_interval() -> None:
    assert clustered_bootstrap(np.zeros((5, 2)), ratio) is None


def test_more_confidence_is_a_wider_interval() -> None:
    wide = clustered_bootstrap(UNEQUAL, ratio, confidence=0.99)
    narrow = clustered_bootstrap(UNEQUAL, ratio, confidence=0.8)
    assert wide is not None
    assert narrow is not None
    assert wide.low < narrow.low < narrow.high < wide.high


@pytest.mark.parametrize(
    ("sums", "options", "message"),
    [
        (np.zeros((0, 2)), {}, "n_clusters"),
        (np.zeros(3), {}, "n_clusters"),
        (UNEQUAL, {"resamples": 0}, "resamples"),
        (UNEQUAL, {"confidence": 1.0}, "confidence"),
    ],
)
def test_what_cannot_be_resampled_is_an_error(
    sums: Array, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        clustered_bootstrap(sums, ratio, **options)


@pytest.mark.slow
@pytest.mark.parametrize("decimals", [1, 12])
def test_memory_stays_under_64_mb_for_50_000_clusters(decimals: int) -> None:
    sums = np.random.default_rng(0).random((50_000, 2)).round(decimals)
    tracemalloc.start()
    clustered_bootstrap(sums, ratio, resamples=200)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64e6
