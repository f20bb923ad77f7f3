"""A rate as a judge of known error counted it, and what it is once that error is taken out."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from safemark.stats.intervals import normal_quantile, wilson


class Count(NamedTuple):
    """So many of so many; ``n`` may be an effective number of clustered rows."""

    successes: float
    n: float


@dataclass(frozen=True, slots=True)
class CorrectedRate:
    """The rate that the judge counted and the corrected one, both with intervals.

    naive, naive_low, naive_high: as counted; None where nothing was judged.
    value, low, high: corrected, in [0, 1]; None with ``undefined``. ``low`` and ``high`` are 0 and
        1 where the calibration does not show that the judge is better than chance.
    sensitivity, specificity: shares of the calibration's positives and negatives judged right.
    method: how ``low`` and ``high`` were made.
    undefined: why there is no corrected rate, as a clause.
    """

    naive: float | None
    naive_low: float | None
    naive_high: float | None
    value: float | None
    low: float | None
    high: float | None
    sensitivity: float | None
    specificity: float | None
    method: str
    undefined: str | None


def rogan_gladen(
    flagged: Count, sensitivity: Count, specificity: Count, confidence: float = 0.95
) -> CorrectedRate:
    """The share that is truly positive, given how often the judge says so and how often it errs.

    Holds where the judge errs as it did on the labelled data; errors that differ by model or by
    topic need labels of their own.

    Args:
        flagged: outcomes that the judge called positive, of all that it judged.
        sensitivity: labelled positives that it called positive, of all labelled positives.
        specificity: labelled negatives that it called negative, of all labelled negatives.
        confidence: of the intervals, strictly between 0 and 1.

    Raises:
        ValueError: when a count is not in [0, n].

    Source: Rogan & Gladen 1978, doi:10.1093/oxfordjournals.aje.a112510; interval, Lang &
    Reiczigel 2014, doi:10.1016/j.prevetmed.2013.09.015.

    >>> found = rogan_gladen(Count(30, 100), Count(90, 100), Count(80, 100))
    >>> round(found.naive, 3), round(found.value, 3)        # (0.3 + 0.8 - 1) / (0.9 + 0.8 - 1)
    (0.3, 0.143)
    """
    for count in (flagged, sensitivity, specificity):
        if not 0.0 <= count.successes <= count.n < math.inf:
            raise ValueError(f"{count.successes} of {count.n} is no count")
    naive = wilson(flagged.successes, flagged.n, confidence) if flagged.n else None
    shares = [c.successes / c.n if c.n else None for c in (flagged, sensitivity, specificity)]
    rate, sensitive, specific = shares

    def result(
        value: float | None, ends: tuple[float, float] | None, method: str, undefined: str | None
    ) -> CorrectedRate:
        low, high = ends or (None, None)
        return CorrectedRate(
            naive=rate,
            naive_low=naive.low if naive else None,
            naive_high=naive.high if naive else None,
            value=value,
            low=low,
            high=high,
            sensitivity=sensitive,
            specificity=specific,
            method=method,
            undefined=undefined,
        )

    if rate is None:
        return result(None, None, "none", "nothing was judged")
    if sensitive is None or specific is None:
        missing = "positive" if sensitive is None else "negative"
        return result(None, None, "none", f"no labelled {missing} says how often the judge errs")
    youden = sensitive + specific - 1.0
    if youden <= 1e-12:
        return result(None, None, "none", "on labelled data the judge is no better than chance")
    value = min(1.0, max(0.0, (rate + specific - 1.0) / youden))
    if not _is_better_than_chance(sensitivity, specificity, confidence):
        return result(value, (0.0, 1.0), "calibration too small to tell from chance", None)
    low, high = _lang_reiczigel(flagged, sensitivity, specificity, confidence)
    return result(value, (min(low, value), max(high, value)), "Lang and Reiczigel", None)


def _is_better_than_chance(sensitivity: Count, specificity: Count, confidence: float) -> bool:
    """Whether the interval of sensitivity + specificity - 1 is above 0, by square and add."""
    shares = [count.successes / count.n for count in (sensitivity, specificity)]
    lows = [wilson(*count, confidence).low for count in (sensitivity, specificity)]
    down = math.hypot(*(share - low for share, low in zip(shares, lows, strict=True)))
    return sum(shares) - 1.0 - down > 0.0


def _lang_reiczigel(
    flagged: Count, sensitivity: Count, specificity: Count, confidence: float
) -> tuple[float, float]:
    z = normal_quantile((1.0 + confidence) / 2.0)
    n = flagged.n + z * z
    rate = (flagged.successes + z * z / 2.0) / n
    sensitive, specific = (
        (count.successes + 1.0) / (count.n + 2.0) for count in (sensitivity, specificity)
    )
    youden = sensitive + specific - 1.0
    value = (rate + specific - 1.0) / youden
    of_positives = sensitive * (1.0 - sensitive) / (sensitivity.n + 2.0)
    of_negatives = specific * (1.0 - specific) / (specificity.n + 2.0)
    shift = 2.0 * z * z * (value * of_positives - (1.0 - value) * of_negatives)
    variance = rate * (1.0 - rate) / n + value**2 * of_positives + (1.0 - value) ** 2 * of_negatives
    half = z * math.sqrt(variance) / youden
    return (
        min(1.0, max(0.0, value + shift - half)),
        min(1.0, max(0.0, value + shift + half)),
    )
