"""Clustered bootstrap: how a statistic varies when whole clusters are drawn again.

Rows that share a source (a question template, the repeats of one prompt) stand or fall together,
so clusters are resampled, not rows. A statistic here is a function of summed columns; one
resample is then a vector of cluster weights times the clusters' sums.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from safemark.stats.clusters import Array, Statistic
from safemark.stats.intervals import Interval

# Weights held at once. 2 MB an array stays in cache, which measured twice as fast as 64 MB.
_CHUNK = 1 << 18


def clustered_bootstrap(
    sums: Array,
    statistic: Statistic,
    *,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval | None:
    """Percentile interval of ``statistic`` over resamples of whole clusters.

    The order of the clusters does not matter; the same seed gives the same interval.

    Args:
        sums: column sums of each cluster, (n_clusters, k), n_clusters >= 1.
        statistic: summed columns (..., k) to values (...); NaN where undefined (0 ÷ 0).
        confidence: strictly between 0 and 1.

    Returns:
        The interval, or None when the statistic is undefined in every resample. Resamples where
        it is undefined are left out.

    Raises:
        ValueError: when ``sums`` is not (n_clusters >= 1, k), or an argument is out of range.

    Source: Davison & Hinkley 1997, §3.8 and §5.3; Cameron, Gelbach & Miller 2008,
    doi:10.1162/rest.90.3.414.
    """
    return percentile(replicates(sums, statistic, resamples=resamples, seed=seed), confidence)


def replicates(sums: Array, statistic: Statistic, *, resamples: int, seed: int) -> Array:
    """The statistic in each resample where it is defined, (at most ``resamples``,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.asarray(statistic(resampled(sums, resamples, seed)), dtype=np.float64)
    return values[np.isfinite(values)]


def percentile(values: Array, confidence: float) -> Interval | None:
    """The middle ``confidence`` of ``values``, or None when there are none."""
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must be strictly between 0 and 1, not {confidence}")
    if values.size == 0:
        return None
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(values, [tail, 1.0 - tail])
    return Interval(float(low), float(high))


def resampled(sums: Array, resamples: int, seed: int) -> Array:
    """Summed columns of each resample, (resamples, k)."""
    sums = np.asarray(sums, dtype=np.float64)
    if sums.ndim != 2 or len(sums) == 0:
        raise ValueError(f"sums must be (n_clusters >= 1, k), not {sums.shape}")
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, not {resamples}")
    rows = sums[np.lexsort(sums.T)]  # one order for one set of clusters, so one result
    kinds, counts = distinct(rows)
    generator = np.random.Generator(np.random.SFC64(seed))
    # A binomial draw per kind costs about 60-110 ns, an index draw per cluster about 30 ns.
    if len(kinds) <= 400 or 3 * len(kinds) < len(rows):
        weights, rows = _multinomial(counts, resamples, generator), kinds
    else:
        rows = grouped(rows, seed)
        weights = _drawn_indices(len(rows), resamples, generator)
    return np.concatenate([chunk @ rows for chunk in weights])


def grouped(rows: Array, seed: int, most: int = 5000) -> Array:
    """Rows, (n, k), summed in ``most`` groups of equal size (to one) drawn once, (<= most, k).

    Sums of independent clusters are independent clusters: fewer ones, as good to resample.
    """
    if len(rows) <= most:
        return rows
    groups = np.arange(len(rows)) % most
    np.random.Generator(np.random.SFC64(seed)).shuffle(groups)
    return np.stack([np.bincount(groups, column, most) for column in rows.T], axis=1)


def distinct(rows: Array) -> tuple[Array, npt.NDArray[np.int64]]:
    """The different rows among sorted ones, (n_kinds, k), and how often each is there."""
    is_first = np.concatenate(([True], (rows[1:] != rows[:-1]).any(axis=1)))
    starts = np.flatnonzero(is_first)
    return rows[starts], np.diff(np.append(starts, len(rows)))


def _multinomial(
    counts: npt.NDArray[np.int64], resamples: int, generator: np.random.Generator
) -> Iterator[Array]:
    """How often each kind of cluster is drawn: chunks of (m, n_kinds)."""
    n_clusters = int(counts.sum())
    for size in _chunks(resamples, len(counts)):
        yield generator.multinomial(n_clusters, counts / n_clusters, size).astype(np.float64)


def _drawn_indices(
    n_clusters: int, resamples: int, generator: np.random.Generator
) -> Iterator[Array]:
    """How often each cluster is drawn: chunks of (m, n_clusters)."""
    for size in _chunks(resamples, n_clusters):
        drawn = generator.integers(n_clusters, size=(size, n_clusters))
        drawn += np.arange(size)[:, None] * n_clusters
        weights = np.bincount(drawn.ravel(), minlength=size * n_clusters)
        yield weights.reshape(size, n_clusters).astype(np.float64)


def _chunks(resamples: int, width: int) -> Iterator[int]:
    """Sizes that add up to ``resamples``, each at most a chunk of weights."""
    most = max(1, _CHUNK // width)
    for start in range(0, resamples, most):
        yield min(most, resamples - start)
