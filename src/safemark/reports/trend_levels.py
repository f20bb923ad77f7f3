"""Where the level of a series changed: within unbroken stretches, corrected over all of them.

A change is claimed of the runs as they were measured; why it came about is not known here.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from safemark.reports.document import MetricDocument
from safemark.reports.trend_document import Change, ChangePoint, Point, Series
from safemark.stats import normal_quantile, wilson
from safemark.stats.change_points import change_points

SIGNIFICANCE = 0.05
"""Adjusted p below which a change point is flagged."""


def correction(tested: int) -> str:
    """What p-values of change points are adjusted for, in words."""
    over = "one stretch" if tested == 1 else f"{tested} stretches"
    return f"over all places of a stretch by the largest step, over {over} by Bonferroni"


def with_change_points(series: Sequence[Series]) -> list[Series]:
    """The same series with the change points that stay significant over all of them."""
    stretches = [_stretches(one.points) for one in series]
    tested = sum(map(len, stretches))
    return [
        msgspec.structs.replace(
            one,
            change_points=tuple(
                found for stretch in own for found in _change_points(one, stretch, tested)
            ),
            stretches_tested=len(own),
        )
        for one, own in zip(series, stretches, strict=True)
    ]


def _stretches(points: Sequence[Point]) -> list[list[Point]]:
    """Unbroken stretches of measured points, those of two and more."""
    members: dict[int, list[Point]] = defaultdict(list)
    for point in points:
        if point.estimate.value is not None and _error(point) is not None:
            members[point.stretch].append(point)
    return [stretch for stretch in members.values() if len(stretch) > 1]


def _error(point: Point) -> float | None:
    """The standard error that the 95 % interval of a figure amounts to; None without one."""
    low, high = point.estimate.low, point.estimate.high
    if low is None or high is None or not high > low:
        return None
    return (high - low) / (2 * _NORMAL_975)


_NORMAL_975 = normal_quantile(0.975)


def _change_points(series: Series, stretch: Sequence[Point], tested: int) -> list[ChangePoint]:
    """The change points of one stretch, each with the levels of its two neighbouring pieces."""
    values, errors = zip(*map(_steadied, stretch), strict=True)
    flagged = change_points(
        values, errors, alpha=SIGNIFICANCE / tested, permutations=max(999, 200 * tested)
    )
    edges = [0, *(one.index for one in flagged), len(stretch)]
    return [
        _change_point(series, stretch, edges[place : place + 3], one.adjusted_p * tested)
        for place, one in enumerate(flagged)
    ]


def _is_share(point: Point) -> bool:
    metric = point.estimate
    return metric.unit == "share" and (metric.low or 0.0) >= 0 and (metric.high or 0.0) <= 1


def _effective(point: Point) -> float:
    """The number of independent questions that would have the interval of this share.

    Wilson's interval solved for n: low times high is p² / (1 + z² / n).
    """
    metric = point.estimate
    value, low, high = metric.value or 0.0, metric.low or 0.0, metric.high or 0.0
    if value < 0.5:
        value, low, high = 1 - value, 1 - high, 1 - low
    spread = value**2 / (low * high) - 1 if low > 0 else math.inf
    return min(metric.n, _NORMAL_975**2 / spread) if spread > 0 else metric.n


def _steadied(point: Point) -> tuple[float, float]:
    """Value and standard error as they are tested; a share on a scale where both are unrelated.

    A share's own error shrinks towards 0 and 100 %: runs that came out extreme by chance would
    weigh more, and changes be found where there are none.

    Source: Anscombe 1948, doi:10.1093/biomet/35.3-4.246.
    """
    value = point.estimate.value or 0.0
    if not _is_share(point):
        return value, _error(point) or 0.0
    n = _effective(point)
    return math.asin(math.sqrt((n * value + 0.375) / (n + 0.75))), 0.5 / math.sqrt(n + 0.5)


def _change_point(
    series: Series, stretch: Sequence[Point], edges: list[int], p: float
) -> ChangePoint:
    begin, change, end = edges
    before, after = _level(stretch[begin:change]), _level(stretch[change:end])
    point = stretch[change]
    difference = after.value - before.value
    return ChangePoint(
        run=point.run,
        started=point.started,
        before=before.value,
        after=after.value,
        difference=difference,
        low=difference - math.hypot(after.value - after.low, before.high - before.value),
        high=difference + math.hypot(after.high - after.value, before.value - before.low),
        p=min(1.0, p),
        runs_before=change - begin,
        runs_after=end - change,
        is_worse=_is_worse(before.value, after.value, point.estimate),
        meanwhile=_meanwhile(series.points, stretch[change - 1], point),
    )


@dataclass(frozen=True, slots=True)
class _Level:
    """Several runs' figure taken together, with its 95 % interval."""

    value: float
    low: float
    high: float


def _level(points: Sequence[Point]) -> _Level:
    """Shares pooled over their independent questions; other figures weighted by precision."""
    values = [point.estimate.value or 0.0 for point in points]
    if all(map(_is_share, points)):
        sizes = [_effective(point) for point in points]
        passed = sum(value * n for value, n in zip(values, sizes, strict=True))
        found = wilson(passed, sum(sizes))
        return _Level(passed / sum(sizes), found.low, found.high)
    weights = [1 / (_error(point) or 1.0) ** 2 for point in points]
    mean = sum(v * weight for v, weight in zip(values, weights, strict=True)) / sum(weights)
    reach = _NORMAL_975 * sum(weights) ** -0.5
    return _Level(mean, mean - reach, mean + reach)


def _is_worse(before: float, after: float, metric: MetricDocument) -> bool | None:
    if metric.better == "target":
        target = metric.target or 0.0
        return abs(after - target) > abs(before - target)
    return (after < before) == (metric.better == "higher")


def _meanwhile(points: Sequence[Point], before: Point, after: Point) -> tuple[Change, ...]:
    """What changed from one measured point to the next, unmeasured ones between them included."""
    places = {point.run: place for place, point in enumerate(points)}
    between = points[places[before.run] + 1 : places[after.run] + 1]
    return tuple(change for point in between for change in point.changes)
