"""A difference of two runs, whichever way it was found: what is said of it, and from what.

`paired` and `unpaired` measure; this file puts together what they measured of the known outcomes
and of the two fills of the absent ones that lie farthest apart.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from safemark.stats.clusters import Array
from safemark.stats.intervals import Interval
from safemark.stats.spread import Spread


@dataclass(frozen=True, slots=True)
class Difference:
    """How far b lies from a, how sure that is, and what the absent outcomes could make of it.

    value: b minus a, over the rows with an outcome; None where undefined.
    low, high: ends of the interval at ``confidence``.
    p_value: two-sided, of no difference, for this comparison alone.
    effect: Cohen's h of two shares, else the mean difference over the root of the mean of both
        variances; None where neither is defined.
    n_a, n_b: outcomes used of each; for pairs both are the number of pairs.
    n_clusters: clusters that these come from (two arms: of both together).
    only_a, only_b: pairs in which only a, or only b, succeeded; None where rows are no 0/1 pairs.
    absent_a, absent_b: rows without an outcome in a, in b.
    absent: pairs that lack one or both outcomes; of two arms, the sum.
    lowest, highest: the value with every absent outcome at one end or the other of what it could
        have been; None where that is not known.
    outer_low, outer_high: ends of the intervals around those two, never inside ``low`` … ``high``.
    outer_p_value: the largest p over the known outcomes and the fills; 1 where the fills have
        zero between them.
    interval_method, test_method: what was used; "none" where nothing was.
    undefined: why there is no interval and no p, as a clause; None where there are.
    """

    value: float | None
    low: float | None
    high: float | None
    p_value: float | None
    effect: float | None
    effect_name: str
    n_a: int
    n_b: int
    n_clusters: int
    only_a: int | None
    only_b: int | None
    absent_a: int
    absent_b: int
    absent: int
    lowest: float | None
    highest: float | None
    outer_low: float | None
    outer_high: float | None
    outer_p_value: float | None
    interval_method: str
    test_method: str
    confidence: float
    undefined: str | None


@dataclass(frozen=True, slots=True)
class Measured:
    """One way to fill the absent outcomes: the value, what its interval is made of, and its p."""

    value: float
    spread: Spread
    test_method: str
    p_value: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Counts:
    """What a comparison rests on; the fields are those of `Difference`."""

    n_a: int
    n_b: int
    n_clusters: int
    absent_a: int
    absent_b: int
    absent: int
    only_a: int | None = None
    only_b: int | None = None


@dataclass(frozen=True, slots=True)
class Contrast:
    """A difference before a confidence is chosen.

    known: of the rows with an outcome; None with ``undefined``.
    lowest, highest: of the two fills farthest apart; None where the fills are not known.
    """

    value: float | None
    known: Measured | None
    lowest: Measured | None
    highest: Measured | None
    counts: Counts
    effect: float | None
    effect_name: str
    undefined: str | None

    def interval(self, confidence: float) -> Interval | None:
        """Around the value of the known outcomes."""
        return None if self.known is None else self.known.spread.at(confidence)

    def outer(self, confidence: float) -> Interval | None:
        """From the low end around the lowest fill to the high end around the highest."""
        if self.known is None or self.lowest is None or self.highest is None:
            return None
        ends = [m.spread.at(confidence) for m in (self.known, self.lowest, self.highest)]
        return Interval(min(e.low for e in ends), max(e.high for e in ends))

    def outer_p_value(self) -> float | None:
        """The largest p of no difference over the known outcomes and the two fills."""
        if self.known is None or self.lowest is None or self.highest is None:
            return None
        if self.lowest.value <= 0.0 <= self.highest.value:
            return max(1.0 if self.counts.absent else 0.0, self.known.p_value())
        return max(m.p_value() for m in (self.known, self.lowest, self.highest))

    def difference(self, confidence: float) -> Difference:
        """What is said at a confidence strictly between 0 and 1."""
        if not 0.0 < confidence < 1.0:
            raise ValueError(f"confidence must be strictly between 0 and 1, not {confidence}")
        inner, outer = self.interval(confidence), self.outer(confidence)
        known = self.known
        counts = self.counts
        return Difference(
            value=self.value,
            low=inner.low if inner else None,
            high=inner.high if inner else None,
            p_value=known.p_value() if known else None,
            effect=self.effect,
            effect_name=self.effect_name,
            n_a=counts.n_a,
            n_b=counts.n_b,
            n_clusters=counts.n_clusters,
            only_a=counts.only_a,
            only_b=counts.only_b,
            absent_a=counts.absent_a,
            absent_b=counts.absent_b,
            absent=counts.absent,
            lowest=self.lowest.value if self.lowest else None,
            highest=self.highest.value if self.highest else None,
            outer_low=outer.low if outer else None,
            outer_high=outer.high if outer else None,
            outer_p_value=self.outer_p_value(),
            interval_method=known.spread.method if known else "none",
            test_method=known.test_method if known else "none",
            confidence=confidence,
            undefined=self.undefined,
        )


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Rows as columns, with the contributions that an absent row could have had.

    rows: (n, k); zeros where absent.
    is_known: (n,).
    options: each (k,); None where they are not known.
    """

    rows: Array
    is_known: npt.NDArray[np.bool_]
    options: tuple[Array, ...] | None

    @classmethod
    def of(
        cls,
        values: npt.ArrayLike,
        options: Sequence[npt.ArrayLike] | None,
        within: tuple[float, float],
    ) -> "Outcomes":
        """From (n,) values in ``within`` or (n, k) columns; NaN is absent.

        Raises:
            ValueError: when a value lies outside its range, a row is partly absent, or shapes
                disagree.
        """
        given = np.asarray(values, dtype=np.float64)
        if not within[0] < within[1]:
            raise ValueError(f"range must be (least, greatest), not {within}")
        if given.ndim == 1:
            if (given < within[0]).any() or (given > within[1]).any():
                raise ValueError(f"a value lies outside its range, {within[0]} to {within[1]}")
            given = np.stack([given, np.where(np.isnan(given), np.nan, 1.0)], axis=1)
            options = [(within[0], 1.0), (within[1], 1.0)]
        if given.ndim != 2:
            raise ValueError(f"outcomes must be (n,) or (n, k), not {given.shape}")
        missing = np.isnan(given)
        if (missing.any(axis=1) != missing.all(axis=1)).any() or np.isinf(given).any():
            raise ValueError("a row is finite, or absent as a whole (all NaN)")
        is_known: npt.NDArray[np.bool_] = np.logical_not(missing.all(axis=1))
        ways = tuple(np.asarray(option, dtype=np.float64) for option in options or ())
        if any(way.shape != given.shape[1:] for way in ways):
            raise ValueError(f"each of absent_options must be ({given.shape[1]},)")
        return cls(np.where(is_known[:, None], given, 0.0), is_known, ways or None)

    @property
    def is_trial(self) -> npt.NDArray[np.bool_]:
        """Known rows that are one value, (x, 1), (n,)."""
        if self.rows.shape[1] != 2:
            return np.zeros(len(self.rows), dtype=np.bool_)
        trial: npt.NDArray[np.bool_] = self.is_known & (self.rows[:, 1] == 1.0)
        return trial


def farthest_fills(
    a: Outcomes, b: Outcomes, value: Callable[[Array | None, Array | None], float | None]
) -> tuple[tuple[Array | None, Array | None], tuple[Array | None, Array | None]] | None:
    """The options of a and of b that give the lowest value, and those that give the highest.

    None where they are not known. All absent rows of one run are given the same option;
    mixtures lie between.
    """
    if (a.options is None and not a.is_known.all()) or (b.options is None and not b.is_known.all()):
        return None
    of_a = (None,) if a.is_known.all() else a.options or ()
    of_b = (None,) if b.is_known.all() else b.options or ()
    found = [(seen, pair) for pair in product(of_a, of_b) if (seen := value(*pair)) is not None]
    if not found:
        return None
    return min(found, key=lambda f: f[0])[1], max(found, key=lambda f: f[0])[1]


def effect_size(a: Array, b: Array, within: tuple[float, float]) -> tuple[float | None, str]:
    """Cohen's h of two sets of 0/1 values, else the standardised difference of two of scores.

    Args:
        a, b: (n,), (m,), values of the rows with an outcome.

    Source: Cohen 1988, Statistical Power Analysis, §6.2 (h) and §2.2 (d).

    >>> effect_size(np.array([0.0, 0.0]), np.array([1.0, 1.0]), (0, 1))[1]
    'cohen_h'
    """
    if not a.size or not b.size:
        return None, "none"
    if within == (0.0, 1.0) and all(((x == 0.0) | (x == 1.0)).all() for x in (a, b)):
        angles = (2.0 * math.asin(math.sqrt(float(x.mean()))) for x in (a, b))
        first, second = angles
        return second - first, "cohen_h"
    if min(a.size, b.size) < 2:
        return None, "none"
    spread = math.sqrt((np.sort(a).var(ddof=1) + np.sort(b).var(ddof=1)) / 2.0)
    if spread <= 1e-12 * (within[1] - within[0]):
        return None, "none"
    return float(np.sort(b).mean() - np.sort(a).mean()) / spread, "standardised_difference"
