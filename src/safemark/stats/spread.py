"""What an interval is made of, so that one can be had at any confidence.

A `Spread` is worked out once from the data; its ends at 90, 95 or 99 % are then cheap. Tests of a
margin and p-values by inversion ask it many times.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from safemark.stats.bootstrap import percentile
from safemark.stats.clusters import Array
from safemark.stats.intervals import Interval, normal_quantile, t_quantile, wilson

# A confidence of 1 has no finite ends; p-values by inversion are never below what this leaves.
_MOST_SURE = 1.0 - 1e-12


@dataclass(frozen=True, slots=True)
class Spread:
    """The name of a method and its interval at a confidence strictly between 0 and 1."""

    method: str
    at: Callable[[float], Interval]


def wilson_spread(successes: float, n: float) -> Spread:
    """Of a share of independent rows."""
    return Spread("wilson", lambda confidence: wilson(successes, n, confidence))


def bootstrap_spread(
    value: float,
    values: Array,
    n_clusters: int,
    within: tuple[float, float],
    *,
    trusted: float | None = None,
    caution: float = 1.0,
) -> Spread:
    """The percentile interval of resampled values, never narrower than that of their error.

    Args:
        value: of the data, in ``within``.
        values: of the resamples, (m,); where they do not vary, the number of clusters alone says
            how far off the value may be.
        n_clusters: clusters with a scored row.
        within: least and greatest value.
        trusted: how many even clusters the error is as well known as from (`even_clusters`);
            ``n_clusters`` if not given.
        caution: by how much to raise the squared error, at least 1 (`caution`).

    Source: Davison & Hinkley 1997, §5.3; effective size, Korn & Graubard 1998, and Wilson's
    interval on it, Franco et al. 2019, doi:10.1093/jssam/smy019.
    """
    least, greatest = within
    clusters = f"{n_clusters} cluster" if n_clusters == 1 else f"{n_clusters} clusters"
    # Rounding in the sums is not variation.
    if values.size == 0 or _middle(values) <= 1e-12 * (greatest - least):
        return Spread(
            f"wilson on {clusters}",
            lambda confidence: _unvaried(value, n_clusters, within, confidence),
        )
    error = float(values.std()) * math.sqrt(caution)
    degrees = n_clusters if trusted is None else trusted

    def at(confidence: float) -> Interval:
        seen = percentile(values, confidence)
        effective = _effective(value, error, n_clusters, within, confidence, degrees)
        low = min(value if seen is None else seen.low, effective.low, value)
        high = max(value if seen is None else seen.high, effective.high, value)
        return Interval(max(low, least), min(high, greatest))

    return Spread(f"clustered bootstrap, {clusters}", at)


def even_clusters(sizes: Array) -> float:
    """How many clusters of equal size would tell the error as well as these, in [1, C].

    Args:
        sizes: rows of each cluster, (C,), above 0.

    Source: Kish 1965, Survey Sampling, §11.7; as degrees of freedom, Carter, Schnepel &
    Steigerwald 2017, doi:10.1162/REST_a_00639.

    >>> even_clusters(np.array([5.0, 5.0, 5.0])), even_clusters(np.array([98.0, 1.0, 1.0])) < 1.1
    (3.0, True)
    """
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def caution(sums: Array) -> float:
    """By how much to raise the squared error of a share that few clusters make up, at least 1.

    The design effect seen is averaged, in the logarithm, with that of clusters whose rows all
    agree, and never lowered by it. Each has the weight of its certainty: the relative variance of
    the one seen is 1 / ``contributing`` - 1 / C, that of the other is taken to be 1.

    Args:
        sums: successes and trials of each cluster, (C, 2), trials above 0.

    Source: the two design effects, Kish 1965, Survey Sampling, §5.4 and §8.2; their mean is our
    own, for what tests/stats/test_comparison_coverage.py finds of it.

    >>> one_bad, all_alike = np.array([[4.0, 40.0], *[[0.0, 40.0]] * 9]), np.full((10, 2), 40.0)
    >>> round(caution(one_bad), 2), caution(all_alike)
    (2.59, 1.0)
    """
    successes, trials = sums.T
    n, n_clusters = float(trials.sum()), len(sums)
    share = float(successes.sum()) / n
    squares = np.sort((successes - share * trials) ** 2)  # a sum of fractions depends on the order
    variation = float(squares.sum())
    if n_clusters < 2 or variation <= 1e-12 * n:
        return 1.0
    contributing = variation**2 / float((squares**2).sum())
    doubt = max(0.0, 1.0 / contributing - 1.0 / n_clusters)
    seen = variation * n_clusters / (n_clusters - 1) / (n * share * (1.0 - share))
    whole = float((trials**2).sum()) / n
    return max(1.0, math.pow(whole / seen, doubt / (doubt + 1.0)))


def p_by_inversion(at: Callable[[float], Interval], null: float = 0.0) -> float:
    """One minus the greatest confidence at which the interval still excludes ``null``.

    >>> round(p_by_inversion(wilson_spread(70, 100).at, 0.5), 5)    # the score test
    6e-05
    """

    def excludes(confidence: float) -> bool:
        interval = at(confidence)
        return not interval.low <= null <= interval.high

    if excludes(_MOST_SURE):
        return 1.0 - _MOST_SURE
    # Bisected in the logarithm of p, from the surest that includes to the least sure.
    included, excluded = np.log(1.0 - _MOST_SURE), 0.0
    for _ in range(40):
        middle = (included + excluded) / 2.0
        if excludes(-float(np.expm1(middle))):
            excluded = middle
        else:
            included = middle
    return float(np.exp(excluded))


def _middle(values: Array) -> float:
    """Length of the middle 95 % of the values."""
    seen = percentile(values, 0.95)
    return 0.0 if seen is None else seen.high - seen.low


@lru_cache(maxsize=256)
def _trust(confidence: float, degrees: float) -> float:
    """The normal value over Student's t, squared: how far an error from few clusters is trusted."""
    p = (1.0 + confidence) / 2.0
    return (normal_quantile(p) / t_quantile(p, degrees)) ** 2


def _effective(
    value: float,
    error: float,
    n_clusters: int,
    within: tuple[float, float],
    confidence: float,
    trusted: float,
) -> Interval:
    """Wilson's interval on the number of independent rows that would have the same error.

    The number is cut down for few clusters, by Student's t over the normal value, squared.
    """
    least, greatest = within
    share = (value - least) / (greatest - least)
    n = share * (1.0 - share) / (error / (greatest - least)) ** 2
    n *= _trust(confidence, max(1.0, trusted - 1.0))
    if n <= 0.0:  # at an end of the range, where a statistic that is no mean may still vary
        return _unvaried(value, n_clusters, within, confidence)
    seen = wilson(share * n, n, confidence)
    return Interval(least + seen.low * (greatest - least), least + seen.high * (greatest - least))


def _unvaried(
    value: float, n_clusters: int, within: tuple[float, float], confidence: float
) -> Interval:
    """The interval when every cluster agreed: how far an unseen share of others would move it.

    At an end of the range this is Wilson's interval for none seen in ``n_clusters``.
    """
    least, greatest = within
    unseen = wilson(0, n_clusters, confidence).high if n_clusters else 1.0
    return Interval(
        value - unseen * (value - least),
        value + unseen * (greatest - value),
    )
