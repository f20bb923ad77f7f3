"""How far two judges agree beyond chance: Cohen's kappa."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from safemark.stats.bootstrap import replicates
from safemark.stats.clusters import Array, Labels, coded, summed
from safemark.stats.spread import bootstrap_spread, even_clusters


@dataclass(frozen=True, slots=True)
class Agreement:
    """Kappa of two judges on the same samples.

    kappa: in [-1, 1]; None with ``undefined``.
    low, high: ends of the interval; None without variation to take it from.
    observed, expected: share of samples judged alike, and that which chance would give.
    n, absent: samples judged by both, and those that are not.
    undefined: why kappa or its interval is missing, as a clause.
    """

    kappa: float | None
    low: float | None
    high: float | None
    observed: float | None
    expected: float | None
    n: int
    absent: int
    method: str
    undefined: str | None


def cohen_kappa(
    a: Sequence[Hashable | None],
    b: Sequence[Hashable | None],
    clusters: Labels | None = None,
    *,
    confidence: float = 0.95,
    seed: int = 0,
    resamples: int = 2000,
) -> Agreement:
    """Agreement of two judges in excess of what their own habits would give by chance.

    The interval resamples whole clusters (samples where there are none), and is never narrower
    than its error would have it (`bootstrap_spread`).

    Args:
        a, b: categories by sample, in the same order; None is absent.
        clusters: label of each sample's cluster, (n,).

    Raises:
        ValueError: when lengths disagree.

    Source: Cohen 1960, doi:10.1177/001316446002000104.

    >>> found = cohen_kappa([*"y" * 25, *"n" * 25], [*"y" * 20, *"n" * 5, *"y" * 10, *"n" * 15])
    >>> found.observed, found.expected, round(found.kappa, 3)
    (0.7, 0.5, 0.4)
    """
    if len(a) != len(b) or (clusters is not None and len(clusters) != len(a)):
        raise ValueError("both judges, and the clusters, need one entry for each sample")
    both = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x is not None and y is not None]
    n, absent = len(both), len(a) - len(both)
    if n == 0:
        why = "no sample was judged by both"
        return Agreement(None, None, None, None, None, 0, absent, "none", why)
    categories = coded([*(a[i] for i in both), *(b[i] for i in both)])
    k = int(categories.max()) + 1
    cells = np.zeros((n, k * k))
    cells[np.arange(n), categories[:n] * k + categories[n:]] = 1.0
    codes = np.arange(n) if clusters is None else coded([clusters[i] for i in both])
    sums = summed(cells, codes, int(codes.max()) + 1)
    observed, expected = (float(x) for x in _observed_and_expected(sums.sum(axis=0)))
    if k == 1:
        why = "both judges used one category only, so chance explains all agreement"
        return Agreement(None, None, None, observed, expected, n, absent, "none", why)
    kappa = float(_kappa(sums.sum(axis=0)))
    if len(sums) == 1:
        why = "one sample" if n == 1 else "all samples come from one cluster"
        why += " shows no variation"
        return Agreement(kappa, None, None, observed, expected, n, absent, "none", why)
    values = replicates(sums, _kappa, resamples=resamples, seed=seed)
    spread = bootstrap_spread(
        kappa, values, len(sums), (-1.0, 1.0), trusted=even_clusters(sums.sum(axis=1))
    )
    ends = spread.at(confidence)
    return Agreement(kappa, ends.low, ends.high, observed, expected, n, absent, spread.method, None)


def _observed_and_expected(cells: Array) -> tuple[Array, Array]:
    """Shares from summed cells of the confusion table, (..., k * k)."""
    k = round(cells.shape[-1] ** 0.5)
    table = cells.reshape(*cells.shape[:-1], k, k)
    table = table / table.sum(axis=(-2, -1), keepdims=True)
    observed = np.trace(table, axis1=-2, axis2=-1)
    expected = (table.sum(axis=-1) * table.sum(axis=-2)).sum(axis=-1)
    return np.asarray(observed), np.asarray(expected)


def _kappa(cells: Array) -> Array:
    observed, expected = _observed_and_expected(cells)
    values: Array = np.full(observed.shape, np.nan)
    np.divide(observed - expected, 1.0 - expected, out=values, where=1.0 - expected > 1e-12)
    return values
