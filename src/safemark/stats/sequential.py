"""Stopping early without fooling oneself: bounds that hold at every moment at once.

Clusters are asked in a seeded shuffle, and after each one the sequence says where the mean can
still lie. Looking as often as one likes costs nothing: the chance that the bounds ever leave the
truth outside is at most one minus the confidence, whatever the outcomes are like.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from safemark.stats.clusters import Array, Codes
from safemark.stats.estimate import Better
from safemark.stats.intervals import Interval

Decision: TypeAlias = Literal["green", "red", "between"]

# Shares of the capital that are bet: small ones find narrow gaps in the end, large ones find wide
# gaps at once. All are played side by side, which costs at most a factor of their number.
_BETS = np.array([0.015, 0.04, 0.1, 0.25, 0.6, 0.95])[:, None]
_STEPS = 200  # means that are tested, evenly; cut points are tested besides


def shuffled_clusters(n_clusters: int, seed: int = 0) -> Codes:
    """The order in which to ask the clusters, (n_clusters,); each order is equally likely.

    >>> sorted(shuffled_clusters(4, seed=1).tolist())
    [0, 1, 2, 3]
    """
    order: Codes = np.random.Generator(np.random.PCG64(seed)).permutation(n_clusters)
    return order


@dataclass(frozen=True, slots=True)
class _Side:
    """Bets that the mean lies above (sign 1) or below (-1) each tested one.

    log_capital: (bets, means). Under a true mean on the other side it is expected to shrink.
    is_impossible: (means,); what is still unseen cannot make up for what was seen.
    gained, trials: unit outcomes and denominators so far, absent ones filled.
    """

    sign: float
    log_capital: Array
    is_impossible: npt.NDArray[np.bool_]
    gained: float = 0.0
    trials: float = 0.0

    def after(self, gained: float, trials: float, means: Array, bounds: "_Bounds") -> "_Side":
        excess = gained - means * trials  # its mean over all clusters is 0 at the true mean
        seen = self.gained - means * self.trials
        expected = -seen / bounds.left if bounds.is_finite else np.zeros_like(means)
        if self.sign > 0:
            room = expected + means * bounds.largest
        else:
            room = (1.0 - means) * bounds.largest - expected
        gain = self.sign * (excess - expected)
        impossible = self.is_impossible | ((room <= 1e-12) & (gain > 1e-9))
        if bounds.is_finite:
            unseen = means if self.sign > 0 else 1.0 - means
            surplus = self.sign * (seen + excess) - unseen * bounds.unseen
            impossible = impossible | (surplus > 1e-9 * max(1.0, bounds.unseen + trials))
        return _Side(
            self.sign,
            self.log_capital + _growth(gain, room),
            impossible,
            self.gained + gained,
            self.trials + trials,
        )

    def is_rejected(self, error: float) -> npt.NDArray[np.bool_]:
        """Tested means that are rejected at ``error``, (means,)."""
        return self.is_impossible | _is_improbable(self.log_capital, error)


def _growth(gain: Array, room: Array) -> Array:
    """What each bet adds to the logarithm of its capital: (bets, n) of gains and stakes, (n,)."""
    step = np.zeros_like(gain)
    np.divide(gain, room, out=step, where=room > 1e-12)
    growth: Array = np.log1p(_BETS * np.maximum(step, -1.0))
    return growth


def _is_improbable(log_capital: Array, error: float) -> npt.NDArray[np.bool_]:
    """Where the mean of the bets, (bets, n), has grown 1 / ``error`` times: Ville's inequality."""
    peak = log_capital.max(axis=0)
    capital = peak + np.log(np.exp(log_capital - peak).mean(axis=0))
    improbable: npt.NDArray[np.bool_] = capital >= -math.log(error)
    return improbable


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What is known of the clusters still to come, the present one among ``left``."""

    largest: int
    left: int
    unseen: int
    is_finite: bool


@dataclass(frozen=True, slots=True)
class ConfidenceSequence:
    """Where the mean can lie, given the clusters seen so far; made by `confidence_sequence`.

    low, high: bounds, valid at every moment; an absent outcome counts as the least in ``low`` and
        as the greatest in ``high``.
    value: mean of the known outcomes so far; None without any.
    n, absent: outcomes seen, and those that are absent.
    clusters: clusters seen.
    range: the least and the greatest value of an outcome.
    means: those that are tested, in units of the range, ascending, (m,).
    """

    low: float
    high: float
    value: float | None
    n: int
    absent: int
    clusters: int
    range: tuple[float, float]
    confidence: float
    n_clusters: int
    n_samples: int
    largest_cluster: int
    is_finite: bool
    means: Array
    known: tuple[float, float]
    above: _Side
    below: _Side

    def after(self, rows: npt.ArrayLike) -> "ConfidenceSequence":
        """The sequence with one more whole cluster.

        Args:
            rows: (size,) outcomes in ``range``, or (size, 2) columns whose ratio is the metric,
                the second in [0, 1]; NaN is absent.

        Raises:
            ValueError: when there are more clusters or samples than was said, or an outcome lies
                outside its range.
        """
        top, bottom, is_known = _columns(rows, self.range)
        seen = self.n + self.absent + len(top)
        if self.clusters == self.n_clusters or seen > self.n_samples:
            raise ValueError(f"more than {self.n_clusters} clusters or {self.n_samples} samples")
        if len(top) > self.largest_cluster:
            raise ValueError(f"{len(top)} rows, but no cluster has over {self.largest_cluster}")
        bounds = _Bounds(
            self.largest_cluster,
            self.n_clusters - self.clusters,
            self.n_samples - seen,
            self.is_finite,
        )
        least, greatest = self.range
        width, absent = greatest - least, int((~is_known).sum())
        gained = float((top - least * bottom).sum()) / width
        trials = float(bottom.sum()) + absent
        above = self.above.after(gained, trials, self.means, bounds)
        below = self.below.after(gained + absent, trials, self.means, bounds)
        error = (1.0 - self.confidence) / 2.0
        known = (self.known[0] + float(top.sum()), self.known[1] + float(bottom.sum()))
        return replace(
            self,
            low=max(self.low, least + width * _end_of_run(self.means, above.is_rejected(error), 0)),
            high=min(
                self.high,
                least + width * _end_of_run(self.means[::-1], below.is_rejected(error)[::-1], 1),
            ),
            value=known[0] / known[1] if known[1] else None,
            n=self.n + len(top) - absent,
            absent=self.absent + absent,
            clusters=self.clusters + 1,
            known=known,
            above=above,
            below=below,
        )


def confidence_sequence(
    n_clusters: int,
    n_samples: int,
    largest_cluster: int,
    *,
    range: tuple[float, float] = (0.0, 1.0),  # noqa: A002 - the word for it, as in `Ratio`
    confidence: float = 0.95,
    marks: Sequence[float] = (),
    finite: bool = True,
) -> ConfidenceSequence:
    """A sequence that has seen nothing yet; `ConfidenceSequence.after` feeds it.

    The clusters must come in an order drawn at random (`shuffled_clusters`). Single samples in
    random order are clusters of one.

    Args:
        n_clusters, n_samples: that could be asked in all.
        largest_cluster: samples in the largest of them; very unequal clusters decide late.
        range: the least and the greatest value of an outcome; (-1, 1) for paired differences.
        confidence: strictly between 0 and 1; half of the error is spent on each side.
        marks: cut points, in ``range``, to be tested exactly; elsewhere the bounds are coarse,
            to a 200th of the range, outwards.
        finite: True for the mean of this benchmark's own samples, were all of them asked; False
            for that of the source which its clusters were drawn from.

    Raises:
        ValueError: when an argument is out of range.

    Source: Waudby-Smith & Ramdas 2024, §4 and §5 (sampling without replacement),
    doi:10.1093/jrsssb/qkad009; the bets are a mixture instead of a plug-in.

    >>> sequence = confidence_sequence(100, 100, 1)
    >>> for outcome in [1.0] * 30:
    ...     sequence = sequence.after([outcome])
    >>> sequence.low, sequence.high
    (0.855, 1.0)
    """
    if not 1 <= largest_cluster <= n_samples or not 1 <= n_clusters <= n_samples:
        raise ValueError(
            f"{n_samples} samples in {n_clusters} clusters of up to {largest_cluster}: impossible"
        )
    least, greatest = range
    if not least < greatest or not all(least <= mark <= greatest for mark in marks):
        raise ValueError(f"range must be (least, greatest) with the marks inside, not {range}")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must be strictly between 0 and 1, not {confidence}")
    exact = [(mark - least) / (greatest - least) for mark in marks]
    means = np.unique(np.concatenate([np.linspace(0.0, 1.0, _STEPS + 1), exact]))
    nothing = np.zeros((len(_BETS), len(means)))
    possible = np.zeros(len(means), dtype=np.bool_)
    return ConfidenceSequence(
        low=least,
        high=greatest,
        value=None,
        n=0,
        absent=0,
        clusters=0,
        range=range,
        confidence=confidence,
        n_clusters=n_clusters,
        n_samples=n_samples,
        largest_cluster=largest_cluster,
        is_finite=finite,
        means=means,
        known=(0.0, 0.0),
        above=_Side(1.0, nothing, possible),
        below=_Side(-1.0, nothing, possible),
    )


def source_limits(
    clusters: npt.ArrayLike,
    largest_cluster: int,
    *,
    range: tuple[float, float] = (0.0, 1.0),  # noqa: A002 - the word for it, as in `Ratio`
    confidence: float = 0.95,
) -> Interval:
    """The bounds of `confidence_sequence` with ``finite=False``, from sums of the clusters so far.

    They hold at every moment, and the order of the clusters changes nothing: bounds of earlier
    moments, which might be narrower, are not kept.

    Args:
        clusters: top sum, bottom sum and absent rows of each, (C, 3); an absent row counts as the
            least in the low bound and as the greatest in the high one.
        largest_cluster: the most rows that a cluster of the source has.
        range: the least and the greatest value of the ratio, and of one row's.
        confidence: strictly between 0 and 1; half of the error is spent on each side.

    Raises:
        ValueError: when a cluster is larger than was said, or an outcome lies outside its range.

    Source: Waudby-Smith & Ramdas 2024, §4, doi:10.1093/jrsssb/qkad009.

    >>> source_limits([(1.0, 1.0, 0.0)] * 60, 1)
    Interval(low=0.91..., high=1.0)
    """
    table = np.asarray(clusters, dtype=np.float64).reshape(-1, 3)
    kinds, counts = np.unique(table, axis=0, return_counts=True)
    top, bottom, absent = kinds.T
    least, greatest = range
    gained, trials = (top - least * bottom) / (greatest - least), bottom + absent
    if ((gained < -1e-9) | (gained > bottom + 1e-9) | (trials > largest_cluster + 1e-9)).any():
        raise ValueError(
            f"a cluster has over {largest_cluster} rows, or an outcome lies outside"
            f" {least} to {greatest}"
        )
    error = (1.0 - confidence) / 2.0

    def is_rejected(mean: float, sign: float) -> bool:
        gain = sign * (gained + (absent if sign < 0 else 0.0) - mean * trials)
        most_lost = (mean if sign > 0 else 1.0 - mean) * largest_cluster
        log_capital = _growth(gain, np.full_like(gain, most_lost)) @ counts
        return bool(_is_improbable(log_capital, error))

    low = _border(lambda mean: is_rejected(mean, 1.0), 0.0, 1.0)
    high = _border(lambda mean: is_rejected(mean, -1.0), 1.0, 0.0)
    return Interval(least + low * (greatest - least), least + high * (greatest - least))


def _border(is_rejected: Callable[[float], bool], begin: float, end: float) -> float:
    """The last rejected mean on the way from ``begin`` to ``end``; ``begin`` when none is."""
    rejected, kept = begin, end
    for _ in range(40):
        middle = (rejected + kept) / 2.0
        if is_rejected(middle):
            rejected = middle
        else:
            kept = middle
    return rejected


def decided(
    sequence: ConfidenceSequence,
    green: float,
    red: float,
    *,
    better: Better = "higher",
    target: float | None = None,
) -> Decision | None:
    """Where the whole sequence lies: in the green region, the red one, or between the two.

    Args:
        green, red: cut points as of `lights.Bands`; for ``better="target"`` distances from it.

    Returns:
        None while it crosses a cut point: go on asking.

    >>> nothing_seen = confidence_sequence(100, 100, 1)
    >>> decided(nothing_seen, green=0.9, red=0.8) is None
    True
    """
    low, high = sequence.low, sequence.high
    if better == "higher":
        low, high, green, red = -high, -low, -green, -red
    elif better == "target":
        if target is None:
            raise ValueError('better="target" needs a target')
        near = 0.0 if low <= target <= high else min(abs(low - target), abs(high - target))
        low, high = near, max(abs(low - target), abs(high - target))
    if not green <= red:
        raise ValueError(f"the green cut point is on the bad side of the red one: {green}, {red}")
    slack = 1e-12 * (sequence.range[1] - sequence.range[0])  # a mark went through the unit range
    if high <= green + slack:
        return "green"
    if low >= red - slack:
        return "red"
    return "between" if low >= green - slack and high <= red + slack else None


def _columns(
    rows: npt.ArrayLike, within: tuple[float, float]
) -> tuple[Array, Array, npt.NDArray[np.bool_]]:
    """Top and bottom of each row, 0 where absent, and which are known, each (size,)."""
    given = np.asarray(rows, dtype=np.float64)
    if given.ndim == 1:
        given = np.stack([given, np.where(np.isnan(given), np.nan, 1.0)], axis=1)
    if given.ndim != 2 or given.shape[1] != 2 or len(given) == 0:
        raise ValueError(f"rows must be (size,) or (size, 2), not {given.shape}")
    is_known: npt.NDArray[np.bool_] = np.logical_not(np.isnan(given).any(axis=1))
    top, bottom = np.where(is_known[:, None], given, 0.0).T
    least, greatest = within
    slack = 1e-9 * (greatest - least)
    if (
        ((bottom < 0.0) | (bottom > 1.0)).any()
        or (top < least * bottom - slack).any()
        or (top > greatest * bottom + slack).any()
    ):
        raise ValueError(f"an outcome lies outside its range, {least} to {greatest}")
    return top, bottom, is_known


def _end_of_run(means: Array, is_rejected: npt.NDArray[np.bool_], start: float) -> float:
    """The last of the means that are rejected from the first one on; ``start`` without any.

    The true mean is passed over only if the tested mean just beyond it was rejected wrongly.
    """
    if is_rejected.all():
        return float(means[-1])
    first_kept = int(np.argmin(is_rejected))
    return float(means[first_kept - 1]) if first_kept else float(start)
