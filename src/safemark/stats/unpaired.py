"""Two runs that share no samples: the difference of two independent arms."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from safemark.stats.clusters import Array, Labels, Statistic, coded
from safemark.stats.difference import (
    Contrast,
    Counts,
    Difference,
    Measured,
    Outcomes,
    effect_size,
    farthest_fills,
)
from safemark.stats.fills import Filled, Fills, Ratio, ratio
from safemark.stats.intervals import Interval
from safemark.stats.spread import Spread, p_by_inversion


def unpaired_difference(  # noqa: PLR0913 - data, metric and method, all by keyword
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    clusters_a: Labels | None = None,
    clusters_b: Labels | None = None,
    *,
    statistic: Statistic = ratio,
    absent_options: Sequence[npt.ArrayLike] | None = None,
    range: tuple[float, float] = (0.0, 1.0),  # noqa: A002 - the word for it, as in `Ratio`
    confidence: float = 0.95,
    seed: int = 0,
    resamples: int = 2000,
    mid_p: bool = False,
) -> Difference:
    """How far b lies from a, where each was measured on samples of its own.

    The interval is put together from those of the two arms, as `estimate` makes them: for shares
    of independent rows this is Newcombe's. Such shares are tested by Fisher's exact test, all else
    by the confidence at which the interval begins to exclude zero.

    Args:
        a, b: outcomes, as for `paired_difference`; need not be equally many.
        clusters_a, clusters_b: labels of each arm; equal labels in both arms mean nothing.
        mid_p: Fisher's test with the mid-p correction: less conservative, no longer exact.

    Raises:
        ValueError: when lengths or shapes disagree or a value lies outside its range.

    Source: Newcombe 1998, method 10, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>
    3.0.CO;2-I; for any two intervals, Zou & Donner 2008, doi:10.1002/sim.3095.

    >>> d = unpaired_difference([1, 0, 0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1, 0])
    >>> d.value, round(d.p_value, 4), d.test_method
    (0.75, 0.0101, 'Fisher exact')
    """
    found = unpaired_contrast(
        a,
        b,
        clusters_a,
        clusters_b,
        metric=Ratio(statistic, range),
        absent_options=absent_options,
        seed=seed,
        resamples=resamples,
        mid_p=mid_p,
    )
    return found.difference(confidence)


def fisher(successes_a: int, n_a: int, successes_b: int, n_b: int, *, mid_p: bool = False) -> float:
    """Two-sided exact p of two independent shares: every table as unlikely as this one.

    Source: Fisher 1935, doi:10.2307/2342435; mid-p, Lancaster 1961, doi:10.1080/01621459.1961.
    10482105.

    >>> round(fisher(1, 8, 7, 8), 4)
    0.0101
    """
    if not (0 <= successes_a <= n_a and 0 <= successes_b <= n_b):
        raise ValueError(f"{successes_a} of {n_a} and {successes_b} of {n_b} are no two shares")
    successes = successes_a + successes_b
    first = np.arange(max(0, successes - n_b), min(successes, n_a) + 1)
    logs = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, n_a + n_b + 1)))))
    log_likely = -(
        logs[first] + logs[n_a - first] + logs[successes - first] + logs[n_b - successes + first]
    )
    likely = np.exp(log_likely - log_likely.max())
    likely /= likely.sum()
    seen = likely[successes_a - first[0]]
    as_unlikely = likely <= seen * (1.0 + 1e-7)
    p = float(likely[as_unlikely].sum())
    if mid_p:
        p -= 0.5 * float(likely[as_unlikely & (likely >= seen * (1.0 - 1e-7))].sum())
    return min(1.0, p)


def unpaired_contrast(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    clusters_a: Labels | None,
    clusters_b: Labels | None,
    *,
    metric: Ratio,
    absent_options: Sequence[npt.ArrayLike] | None,
    seed: int,
    resamples: int,
    mid_p: bool = False,
) -> Contrast:
    """As `unpaired_difference`, before a confidence is chosen."""
    arms = tuple(Outcomes.of(x, absent_options, metric.range) for x in (a, b))
    fills = tuple(
        _fills(arm, labels) for arm, labels in zip(arms, (clusters_a, clusters_b), strict=True)
    )

    def between(option_a: Array | None, option_b: Array | None) -> float | None:
        first, second = (
            metric.value(fill.total(option))
            for fill, option in zip(fills, (option_a, option_b), strict=True)
        )
        return None if first is None or second is None else second - first

    def measured(option_a: Array | None, option_b: Array | None) -> Measured | None:
        parts = []
        for fill, option in zip(fills, (option_a, option_b), strict=True):
            value = metric.value(fill.total(option))
            if value is None:
                return None
            filled = fill.filled(option)
            parts.append((value, filled, filled.spread(value, metric, resamples, seed)))
        return _measured(parts[0], parts[1], metric, mid_p=mid_p)

    value = between(None, None)
    undefined = _why_undefined(arms, fills, value)
    known = None if undefined else measured(None, None)
    lowest = highest = known
    if not all(arm.is_known.all() for arm in arms):
        ends = farthest_fills(arms[0], arms[1], between)
        lowest, highest = (measured(*end) for end in ends) if ends else (None, None)
    rows = [arm.rows[arm.is_trial, 0] for arm in arms]
    is_plain = metric.statistic is ratio and all(
        len(row) == int(fill.rows.sum()) for row, fill in zip(rows, fills, strict=True)
    )
    effect, effect_name = (
        effect_size(rows[0], rows[1], metric.range)
        if value is not None and is_plain
        else (None, "none")
    )
    absent = [int((~arm.is_known).sum()) for arm in arms]
    return Contrast(
        value=value,
        known=known,
        lowest=lowest,
        highest=highest,
        counts=Counts(
            n_a=int(arms[0].is_known.sum()),
            n_b=int(arms[1].is_known.sum()),
            n_clusters=sum(fill.filled(None).n_scored for fill in fills),
            absent_a=absent[0],
            absent_b=absent[1],
            absent=sum(absent),
        ),
        effect=effect,
        effect_name=effect_name,
        undefined=undefined,
    )


def _fills(arm: Outcomes, labels: Labels | None) -> Fills:
    """The arm's rows summed by cluster; without labels each row is its own."""
    n = len(arm.rows)
    if labels is not None and len(labels) != n:
        raise ValueError(f"{n} rows cannot have {len(labels)} cluster labels")
    codes = np.arange(n) if labels is None else coded(labels)
    return Fills.of(arm.rows[arm.is_known], codes[arm.is_known], codes[~arm.is_known].tolist())


def _measured(
    a: tuple[float, Filled, Spread],
    b: tuple[float, Filled, Spread],
    metric: Ratio,
    *,
    mid_p: bool,
) -> Measured:
    (value_a, filled_a, spread_a), (value_b, filled_b, spread_b) = a, b
    value, widest = value_b - value_a, metric.range[1] - metric.range[0]

    def at(confidence: float) -> Interval:
        first, second = spread_a.at(confidence), spread_b.at(confidence)
        down = math.hypot(value_b - second.low, first.high - value_a)
        up = math.hypot(second.high - value_b, value_a - first.low)
        return Interval(max(-widest, value - down), min(widest, value + up))

    methods = " and ".join(dict.fromkeys((spread_a.method, spread_b.method)))
    if methods == "wilson" and metric.statistic is ratio:
        (successes_a, n_a), (successes_b, n_b) = (
            filled.sums.sum(axis=0) for filled in (filled_a, filled_b)
        )
        return Measured(
            value,
            Spread("Newcombe (wilson)", at),
            "Fisher mid-p" if mid_p else "Fisher exact",
            lambda: fisher(int(successes_a), int(n_a), int(successes_b), int(n_b), mid_p=mid_p),
        )
    return Measured(
        value,
        Spread(f"square and add ({methods})", at),
        "inverted interval",
        lambda: p_by_inversion(at),
    )


def _why_undefined(
    arms: Sequence[Outcomes], fills: Sequence[Fills], value: float | None
) -> str | None:
    for name, arm, fill in zip("ab", arms, fills, strict=True):
        if len(arm.rows) == 0:
            return f"{name} has no samples"
        if fill.rows.sum() == 0:
            return f"no sample of {name} has an outcome"
    if value is None:
        return "the metric is undefined (0 ÷ 0)"
    for name, fill in zip("ab", fills, strict=True):
        if fill.rows.sum() == 1:
            return f"one outcome of {name} shows no variation"
        if (fill.rows > 0).sum() == 1:
            return f"all outcomes of {name} come from one cluster, which shows no variation"
    return None
