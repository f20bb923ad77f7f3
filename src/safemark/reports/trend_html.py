"""A trend as one HTML file: no network, no script, the look of the scorecard.

This file turns figures into places on a chart; the page is `templates/trend.html.jinja`. Across,
places are per cent of the width, so that a chart fits a phone; down, they are pixels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from safemark.reports.document import LightName, MetricDocument, Threshold
from safemark.reports.html import Axis, edges, page
from safemark.reports.templates import wording
from safemark.reports.trend_document import Point, Series, Trend
from safemark.reports.trend_words import latest, moved, moved_between, p_value, summary

TOP = 18.0
BOTTOM = 168.0
HEIGHT = 192.0
"""Pixels from the top: the highest and the lowest value of the axis, and the whole chart."""

MANY = 40
"""More points than this are drawn smaller."""

SHOWN_CHANGES = 12
_MARGIN = 1.5  # per cent left free at both sides, so that no mark is cut


@dataclass(frozen=True, slots=True)
class Mark:
    """One measured run: places of its value and of the ends of its intervals."""

    x: float
    y: float
    inner: tuple[float, float] | None
    outer: tuple[float, float] | None
    light: LightName
    text: str


@dataclass(frozen=True, slots=True)
class Stroke:
    """A piece of the line between two runs of one stretch."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class Flag:
    """Something that changed at a place: what kind, and its number in the list below the chart."""

    x: float
    kind: str  # "break", "change" or "point"
    text: str


@dataclass(frozen=True, slots=True)
class Label:
    """A word on an axis."""

    place: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of values of one light."""

    y: float
    height: float
    light: LightName


@dataclass(frozen=True, slots=True)
class Chart:
    """One series drawn."""

    bands: tuple[Band, ...]
    values: tuple[Label, ...]
    times: tuple[Label, ...]
    strokes: tuple[Stroke, ...]
    marks: tuple[Mark, ...]
    flags: tuple[Flag, ...]
    gaps: tuple[float, ...]
    radius: float
    text: str


def trend_html(trend: Trend) -> str:
    """The trend as one self-contained page."""
    return page(
        "trend.html.jinja",
        trend=trend,
        chart=chart,
        summary=summary,
        latest=latest,
        moved=moved,
        moved_between=moved_between,
        p=p_value,
        SHOWN_CHANGES=SHOWN_CHANGES,
    )


def chart(series: Series) -> Chart | None:
    """The series drawn, or None when nothing in it was measured."""
    measured = [one for one in series.points if wording.finite(one.estimate.value) is not None]
    if not measured:
        return None
    on = _axis([one.estimate for one in measured])
    times = _Times([one.started for one in series.points])
    marks = {one.run: _mark(one, on, times) for one in measured}
    ends = pairwise(measured)
    return Chart(
        bands=_bands(measured[-1].estimate, series.threshold, on),
        values=_value_labels(measured[-1].estimate, series.threshold, on),
        times=times.labels(),
        strokes=tuple(
            Stroke(marks[a.run].x, marks[a.run].y, marks[b.run].x, marks[b.run].y)
            for a, b in ends
            if a.stretch == b.stretch
        ),
        marks=tuple(marks.values()),
        flags=tuple(_flags(series, times)),
        gaps=tuple(times.at(one.started) for one in series.points if one.run not in marks),
        radius=4.0 if len(measured) <= MANY else 2.2,
        text=_in_words(series, measured),
    )


def _axis(metrics: Sequence[MetricDocument]) -> Axis:
    """From a little below the least to a little above the greatest figure; of shares, tenths."""
    ends = [
        end
        for each in metrics
        for end in (each.value, each.low, each.high, each.outer_low, each.outer_high)
        if wording.finite(end) is not None
    ]
    low, high = min(end for end in ends if end is not None), max(e for e in ends if e is not None)
    if metrics[-1].unit != "share":
        room = 0.1 * (high - low) or 1.0
        return Axis(low - room, high + room)
    least = 0.0 if low >= 0 else -1.0
    return Axis(
        max(least, math.floor(10 * low - 0.2) / 10), min(1.0, math.ceil(10 * high + 0.2) / 10)
    )


class _Times:
    """Moments on the axis across, the first and the last a little inside."""

    def __init__(self, moments: Sequence[str]) -> None:
        self._moments = moments
        seconds = [_seconds(one) for one in moments]
        self._first, self._last = min(seconds), max(seconds)

    def at(self, moment: str) -> float:
        if self._last == self._first:
            return 50.0
        share = (_seconds(moment) - self._first) / (self._last - self._first)
        return round(_MARGIN + (100 - 2 * _MARGIN) * share, 2)

    def labels(self) -> tuple[Label, ...]:
        first, last = self._moments[0][:10], self._moments[-1][:10]
        if self._last == self._first:
            return (Label(50.0, first),)
        return (Label(0.0, first, "start"), Label(100.0, last, "end"))


def _seconds(moment: str) -> float:
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        return 0.0
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _down(value: float, on: Axis) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * on.at(value) / 100, 1)


def _mark(point: Point, on: Axis, times: _Times) -> Mark:
    metric = point.estimate
    return Mark(
        x=times.at(point.started),
        y=_down(metric.value or 0.0, on),
        inner=_span(metric.low, metric.high, on),
        outer=_span(metric.outer_low, metric.outer_high, on),
        light=point.light,
        text=(
            f"{wording.day(point.started)}, run {point.run}: {wording.reading(metric)}"
            f" ({wording.outer(metric)}), n {metric.n:,}, absent {metric.absent:,}, {point.light}"
        ),
    )


def _span(low: float | None, high: float | None, on: Axis) -> tuple[float, float] | None:
    least, most = wording.finite(low), wording.finite(high)
    return None if least is None or most is None else (_down(most, on), _down(least, on))


def _bands(metric: MetricDocument, threshold: Threshold, on: Axis) -> tuple[Band, ...]:
    found: list[Band] = []
    bottom = BOTTOM
    for edge, light in edges(metric, threshold):
        top = _down(edge, on)
        if top < bottom:
            found.append(Band(top, round(bottom - top, 1), light))
            bottom = top
    return tuple(found)


def _value_labels(metric: MetricDocument, threshold: Threshold, on: Axis) -> tuple[Label, ...]:
    """The cut points and the ends of the axis, as far as they do not lie upon each other."""
    cuts = [edge for edge, _ in edges(metric, threshold) if on.low <= edge <= on.high]
    placed: list[Label] = []
    for value in (*cuts, on.low, on.high):
        y = _down(value, on)
        if all(abs(y - other.place) >= 13 for other in placed):
            placed.append(Label(y, wording.tick(value, metric.unit) + wording.suffix(metric.unit)))
    return tuple(placed)


def _flags(series: Series, times: _Times) -> list[Flag]:
    found = [
        Flag(
            times.at(point.started),
            "break" if any(change.breaks for change in point.changes) else "change",
            "; ".join(f"{one.what}: {one.before} → {one.after}" for one in point.changes),
        )
        for point in series.points
        if point.changes
    ]
    found += [
        Flag(times.at(one.started), "point", moved(one.difference, _unit(series)))
        for one in series.change_points
    ]
    return found


def _unit(series: Series) -> str:
    return series.points[-1].estimate.unit


def _in_words(series: Series, measured: Sequence[Point]) -> str:
    first, last = measured[0].estimate, measured[-1].estimate
    return (
        f"{series.label} over {wording.counted(len(series.points), 'run')}: first"
        f" {wording.reading(first)}, last {wording.reading(last)} ({wording.outer(last)});"
        f" {wording.counted(len(series.change_points), 'change')} of level flagged"
    )
