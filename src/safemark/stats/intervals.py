"""Intervals for one rate: Wilson (the default) and Clopper–Pearson (never below its level).

Rows are taken as independent here; rows that share a source are the business of `bootstrap`.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from safemark.stats.beta import beta_quantile


@dataclass(frozen=True, slots=True)
class Interval:
    """The values that the data leave standing, both ends included."""

    low: float
    high: float


def normal_quantile(p: float) -> float:
    """The standard normal value below which a share ``p`` lies.

    Args:
        p: strictly between 0 and 1; otherwise `statistics.StatisticsError` (a ValueError).

    >>> round(normal_quantile(0.975), 4)
    1.96
    """
    return NormalDist().inv_cdf(p)


def t_quantile(p: float, df: float) -> float:
    """Student's t value below which a share ``p`` lies, with ``df`` degrees of freedom.

    Args:
        p: in [0.5, 1).
        df: above 0.

    Raises:
        ValueError: when ``p`` or ``df`` is outside its range.

    >>> round(t_quantile(0.975, 4), 3)
    2.776
    """
    if not 0.5 <= p < 1.0:
        raise ValueError(f"p must be in [0.5, 1), not {p}")
    if not df > 0.0:
        raise ValueError(f"df must be above 0, not {df}")
    # t² / (df + t²) is Beta(1/2, df/2); its mirror image stays exact where t is large.
    rest = beta_quantile(2.0 * (1.0 - p), df / 2.0, 0.5)
    return math.sqrt(df * (1.0 - rest) / rest)


def wilson(successes: float, n: float, confidence: float = 0.95) -> Interval:
    """Score interval for a proportion; stays inside [0, 1] and honest at 0 and n.

    Args:
        successes: in [0, n].
        n: trials, above 0; an effective size need not be whole.
        confidence: strictly between 0 and 1.

    Raises:
        ValueError: when an argument is outside its range; no trials give no interval.

    Source: Wilson 1927, doi:10.1080/01621459.1927.10502953.

    >>> round(wilson(0, 10).high, 4)        # none seen in ten is not "never"
    0.2775
    """
    _check(successes, n, confidence)
    z2 = normal_quantile((1.0 + confidence) / 2.0) ** 2
    failures = n - successes
    centre = (successes + z2 / 2.0) / (n + z2)
    half = math.sqrt(z2 * (successes * failures / n + z2 / 4.0)) / (n + z2)
    return Interval(
        low=0.0 if successes == 0 else max(0.0, centre - half),
        high=1.0 if failures == 0 else min(1.0, centre + half),
    )


def clopper_pearson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Exact interval for a proportion: covers at least as often as it says, and so is wide.

    Args:
        successes: in [0, n].
        n: trials, above 0.
        confidence: strictly between 0 and 1.

    Raises:
        ValueError: when an argument is outside its range.

    Source: Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404.

    >>> round(clopper_pearson(0, 10).high, 4)
    0.3085
    """
    _check(successes, n, confidence)
    tail = (1.0 - confidence) / 2.0
    failures = n - successes
    return Interval(
        low=0.0 if successes == 0 else beta_quantile(tail, successes, failures + 1),
        high=1.0 if failures == 0 else beta_quantile(1.0 - tail, successes + 1, failures),
    )


def _check(successes: float, n: float, confidence: float) -> None:
    if not 0.0 < n < math.inf:
        raise ValueError(f"an interval needs at least one trial, not n = {n}")
    if not 0.0 <= successes <= n:
        raise ValueError(f"successes must be in [0, {n}], not {successes}")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must be strictly between 0 and 1, not {confidence}")
