"""Summed columns, and what the absent rows could add to them.

A metric is a function of summed columns (`Ratio`). An absent row contributes nothing; the sums can
be filled up with each contribution that it could have had.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from safemark.stats.bootstrap import replicates
from safemark.stats.clusters import Array, Labels, Statistic, coded, summed
from safemark.stats.spread import Spread, bootstrap_spread, caution, wilson_spread


def ratio(sums: Array) -> Array:
    """First column over second, (..., k) to (...); 0 ÷ 0 is NaN.

    >>> float(ratio(np.array([3.0, 4.0])))
    0.75
    """
    top, bottom = sums[..., 0], sums[..., 1]
    values: Array = np.full(np.shape(top), np.nan)
    np.divide(top, bottom, out=values, where=np.asarray(bottom) != 0)
    return values


@dataclass(frozen=True, slots=True)
class Ratio:
    """A metric that is a function of summed columns, with the values that it can take.

    >>> Ratio().range
    (0.0, 1.0)
    """

    statistic: Statistic = ratio
    range: tuple[float, float] = (0.0, 1.0)

    def value(self, total: Array) -> float | None:
        """The statistic of summed columns, (k,), or None where it is undefined.

        Raises:
            ValueError: when it lies outside the range.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            value = float(self.statistic(total))
        if not np.isfinite(value):
            return None
        least, greatest = self.range
        slack = 1e-9 * (greatest - least)
        if not least - slack <= value <= greatest + slack:
            raise ValueError(f"the value {value} lies outside its range, {least} to {greatest}")
        return min(max(value, least), greatest)


@dataclass(frozen=True, slots=True)
class Filled:
    """The telling clusters of one set of rows: column sums (C, k) and what the rows are like."""

    sums: Array
    n_scored: int  # clusters with a scored row; made-up outcomes of absent rows add no trust
    is_independent: bool  # no cluster has two rows
    is_share: bool  # every row is (0, 1) or (1, 1)

    def spread(self, value: float, metric: Ratio, resamples: int, seed: int) -> Spread:
        """What the interval around ``value`` is made of."""
        n_clusters = len(self.sums)
        if metric.statistic is ratio and self.is_independent and self.is_share and n_clusters:
            successes, n = self.sums.sum(axis=0)
            return wilson_spread(float(successes), float(n))
        values = np.zeros(0)
        if n_clusters > 1:
            values = replicates(self.sums, metric.statistic, resamples=resamples, seed=seed)
        return bootstrap_spread(
            value,
            values,
            self.n_scored,
            metric.range,
            caution=caution(self.sums) if self.is_share and n_clusters else 1.0,
        )


@dataclass(frozen=True, slots=True)
class Fills:
    """The scored rows summed by cluster once, ready to be filled up with the absent ones."""

    sums: Array  # (C, k), of the scored rows
    rows: Array  # (C,), scored rows that are not all zeros
    absent: Array  # (C,), absent rows
    is_share: bool

    @classmethod
    def of(
        cls, scored: Array, clusters: Labels | None, absent_clusters: Sequence[Hashable]
    ) -> "Fills":
        n = len(scored)
        if clusters is None:
            codes = np.arange(n + len(absent_clusters))
        else:
            plain = clusters.tolist() if isinstance(clusters, np.ndarray) else clusters
            codes = coded([*plain, *absent_clusters])
        n_clusters = int(codes.max()) + 1 if codes.size else 0
        telling = scored.any(axis=1)
        return cls(
            sums=summed(scored, codes[:n], n_clusters),
            rows=np.bincount(codes[:n], telling, n_clusters).astype(np.float64),
            absent=np.bincount(codes[n:], minlength=n_clusters).astype(np.float64),
            is_share=_is_share(scored[telling]),
        )

    def total(self, option: Array | None) -> Array:
        """Summed columns, (k,), with each absent row contributing ``option``."""
        # Sorted, because a sum of fractions depends on their order.
        total: Array = np.sort(self.sums, axis=0).sum(axis=0)
        return total if option is None else total + self.absent.sum() * option

    def filled(self, option: Array | None) -> Filled:
        """The clusters with each absent row contributing ``option``, or left out."""
        sums, rows, is_share = self.sums, self.rows, self.is_share
        if option is not None and option.any():
            sums = sums + self.absent[:, None] * option
            rows = rows + self.absent
            is_share = is_share and _is_share(option[None, :])
        n_scored = int((self.rows > 0).sum())
        return Filled(sums[rows > 0], n_scored, bool((rows <= 1).all()), is_share)


def _is_share(rows: Array) -> bool:
    """Whether each of the rows, (n, k), is one trial that did or did not succeed."""
    if rows.shape[1] != 2:
        return False
    successes, trials = rows.T
    return bool((trials == 1).all() and ((successes == 0) | (successes == 1)).all())
