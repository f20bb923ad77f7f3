"""The scorecard as one HTML file: no network, no script, one printed page and then the details.

This file turns figures into the geometry of a scale; the page itself is
`templates/scorecard.html.jinja`, its looks `templates/scorecard.css`, its words
`templates/wording.py`. Every expression in the template passes `visible` and is escaped.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup, escape

from safemark.reports.attack_charts import attack_boards
from safemark.reports.document import (
    Document,
    LightName,
    MetricDocument,
    ReliabilityBin,
    Threshold,
)
from safemark.reports.templates import wording

SHOWN_GROUPS = 12
SHOWN_BESIDE = 3
_CHARACTER = 3.4  # per cent of a scale's width that one character of a tick's label needs
_APART = 1.5  # and at least so much stands between two labels
_ZOOM = 2.5  # a scale reaches so much further than the cut point that is further from its end
_STEPS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_LINK = re.compile(r"https://[A-Za-z0-9._~/%#?&=+:-]*[A-Za-z0-9/]")


@dataclass(frozen=True, slots=True)
class Axis:
    """The stretch of values that a scale shows."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Where ``value`` lies, in per cent of the width from the left."""
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(max(share, 0.0), 1.0), 2)


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis."""

    x: float
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of one light."""

    x: float
    width: float
    light: LightName


@dataclass(frozen=True, slots=True)
class Span:
    """An interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Scale:
    """One metric drawn: bands, inner and outer interval, point; x in per cent of the width."""

    bands: tuple[Band, ...]
    ticks: tuple[Tick, ...]
    zero: float | None
    inner: Span | None
    outer: Span | None
    point: float | None
    text: str


def html(document: Document) -> str:
    """The scorecard of ``document`` as one self-contained page."""
    return page("scorecard.html.jinja", document=document)


def page(template: str, **values: Any) -> str:
    """A template of `templates/` filled with ``values``; every expression is escaped."""
    return environment().get_template(template).render(**values)


def axis(metrics: Sequence[MetricDocument], threshold: Threshold | None) -> Axis:
    """A stretch that holds every figure of ``metrics`` (of one kind) and both cut points.

    Shares are shown from 0 to 100 % unless all of them lie near the good end.
    """
    first = metrics[0]
    ends = [
        end
        for each in metrics
        for end in (each.value, each.low, each.high, each.outer_low, each.outer_high)
    ]
    values = [end for end in map(wording.finite, ends) if end is not None]
    cuts = [] if threshold is None else [threshold.green, threshold.red]
    cuts = [edge for edge in map(wording.finite, cuts) if edge is not None]
    if first.better == "target" and first.target is not None:
        return _around(first.target, values, cuts, first.unit)
    if first.unit != "share":
        return _not_empty(min(0.0, *values, *cuts, 0.0), ceiling(max(0.0, *values, *cuts, 0.0)))
    if not cuts:
        return Axis(0.0, 1.0)
    if first.better == "lower":
        high = _zoomed(cuts, values)
        return Axis(0.0, high)
    return Axis(1 - _zoomed([1 - cut for cut in cuts], [1 - each for each in values]), 1.0)


def _zoomed(cuts: Sequence[float], values: Sequence[float]) -> float:
    """How much of a share's range, from its good end, holds all of these."""
    reach = ceiling(max([_ZOOM * cut for cut in cuts] + [1.1 * each for each in values]))
    return reach if 0 < reach <= 0.5 else 1.0


def _around(target: float, values: Sequence[float], cuts: Sequence[float], unit: str) -> Axis:
    reach = ceiling(
        max([2 * edge for edge in cuts] + [1.1 * abs(each - target) for each in values] + [0.0])
    )
    if unit != "share":
        return _not_empty(target - reach, target + reach)
    lowest = -1.0 if target == 0 else 0.0
    reach = reach or 1.0
    return Axis(max(lowest, round(target - reach, 9)), min(1.0, round(target + reach, 9)))


def _not_empty(low: float, high: float) -> Axis:
    return Axis(low, high if high > low else low + 1.0)


def ceiling(value: float) -> float:
    """The next round number from ``value`` up: 0.23 -> 0.25."""
    if value <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    step = next(each for each in _STEPS if value / power <= each + 1e-9)
    return round(step * power, 12)


def scale(
    metric: MetricDocument, threshold: Threshold | None, shown: Axis | None = None
) -> Scale | None:
    """``metric`` on a scale, or None when it has no figure at all to draw."""
    value = wording.finite(metric.value)
    inner = _span(metric.low, metric.high)
    outer = _span(metric.outer_low, metric.outer_high)
    if value is None and inner is None and outer is None:
        return None
    on = shown or axis([metric], threshold)
    return Scale(
        bands=_bands(metric, threshold, on),
        ticks=ticks(metric, threshold, on),
        zero=on.at(metric.target) if metric.target is not None else None,
        inner=inner and Span(on.at(inner.low), on.at(inner.high)),
        outer=outer and Span(on.at(outer.low), on.at(outer.high)),
        point=None if value is None else on.at(value),
        text=_in_words(metric, threshold),
    )


def _span(low: float | None, high: float | None) -> Span | None:
    first, last = wording.finite(low), wording.finite(high)
    return None if first is None or last is None else Span(first, last)


def _in_words(metric: MetricDocument, threshold: Threshold | None) -> str:
    said = f"{wording.label(metric)}: {wording.reading(metric)}, "
    said += f"outer interval {wording.outer(metric)}"
    return said + (f"; {wording.bands(metric, threshold)}" if threshold else "")


def edges(metric: MetricDocument, threshold: Threshold | None) -> list[tuple[float, LightName]]:
    """Where each region ends, from the left; the last one ends with the axis."""
    if threshold is None or any(
        wording.finite(each) is None for each in (threshold.green, threshold.red)
    ):
        return []
    green, red, far = threshold.green, threshold.red, math.inf
    if metric.better == "higher":
        return [(red, "red"), (green, "yellow"), (far, "green")]
    if metric.better == "lower":
        return [(green, "green"), (red, "yellow"), (far, "red")]
    if metric.target is None:
        return []
    ideal = metric.target
    below: list[tuple[float, LightName]] = [(ideal - red, "red"), (ideal - green, "yellow")]
    above: list[tuple[float, LightName]] = [(ideal + green, "green"), (ideal + red, "yellow")]
    return [*below, *above, (far, "red")]


def _bands(metric: MetricDocument, threshold: Threshold | None, on: Axis) -> tuple[Band, ...]:
    found: list[Band] = []
    left = 0.0
    for edge, light in edges(metric, threshold):
        right = on.at(edge)
        if right > left:
            found.append(Band(left, round(right - left, 2), light))
            left = right
    return tuple(found)


def ticks(metric: MetricDocument, threshold: Threshold | None, on: Axis) -> tuple[Tick, ...]:
    """Labels for cut points, target and ends, in this order while there is room."""
    wanted = [edge for edge, _ in edges(metric, threshold) if on.low <= edge <= on.high]
    wanted += [] if metric.target is None else [metric.target]
    suffix = wording.suffix(metric.unit) if metric.unit == "share" else ""
    closing = _closing(max(wanted, default=on.high), metric.unit, suffix, on)
    placed: list[tuple[float, float, Tick]] = []
    for value in (*wanted, on.low, on.high):
        x, text = on.at(value), wording.tick(value, metric.unit)
        anchor = "start" if x == 0 else "end" if x == 100 else "middle"
        width = _CHARACTER * len(text + suffix if value in (closing, on.high) else text)
        left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
        if all(left > end + _APART or left + width < start - _APART for start, end, _ in placed):
            placed.append((left, left + width, Tick(x, text, anchor)))
    found = [each for *_, each in sorted(placed, key=lambda each: each[0])]
    if found:
        found[-1] = replace(found[-1], text=found[-1].text + suffix)
    return tuple(found)


def _closing(last: float, unit: str, suffix: str, on: Axis) -> float:
    """Which label bears the unit: the axis's end, or ``last`` where that leaves it no room."""
    end = len(wording.tick(on.high, unit) + suffix)
    taken = on.at(last) + _CHARACTER * len(wording.tick(last, unit)) / 2
    return on.high if taken + _APART < 100 - _CHARACTER * end else last


@dataclass(frozen=True, slots=True)
class Dot:
    """One bin of a reliability diagram, in pixels."""

    x: float
    y: float
    low: float
    high: float
    r: float
    text: str


@dataclass(frozen=True, slots=True)
class Diagram:
    """Accuracy over confidence, in pixels; the square begins at ``left``, ``top``."""

    width: int
    height: int
    left: int
    top: int
    side: int
    points: tuple[Dot, ...]
    ticks: tuple[Tick, ...]
    text: str


def diagram(found: Sequence[ReliabilityBin]) -> Diagram:
    """A reliability diagram; the area of a point grows with the number of its answers."""
    left, top, side = 34, 10, 200
    most = max((each.n for each in found), default=1)
    points = tuple(
        Dot(
            x=round(left + side * each.confidence, 1),
            y=round(top + side * (1 - each.accuracy), 1),
            low=round(top + side * (1 - each.accuracy_low), 1),
            high=round(top + side * (1 - each.accuracy_high), 1),
            r=round(2.5 + 5.5 * math.sqrt(each.n / most), 1),
            text=_bin_in_words(each),
        )
        for each in found
    )
    marks = tuple(Tick(left + side * at / 4, f"{25 * at}", "middle") for at in range(5))
    text = "; ".join(_bin_in_words(each) for each in found)
    return Diagram(250, 244, left, top, side, points, marks, text)


def _bin_in_words(each: ReliabilityBin) -> str:
    return (
        f"{100 * each.confidence:.0f} % sure, {100 * each.accuracy:.0f} % right"
        f" ({100 * each.accuracy_low:.0f} to {100 * each.accuracy_high:.0f} %), n {each.n:,}"
    )


def linked(text: str) -> Markup:
    """``text`` escaped, its https addresses made links. For citations only: they are ours."""
    shown = wording.visible(text)
    parts: list[Markup] = []
    end = 0
    for match in _LINK.finditer(shown):
        link = Markup('<a href="{0}" rel="noreferrer noopener">{0}</a>').format(match[0])
        parts += [escape(shown[end : match.start()]), link]
        end = match.end()
    return Markup("").join([*parts, escape(shown[end:])])


def coded(text: str) -> Markup:
    """``text`` escaped, what stands between backticks set as code; no line begins with ``%``."""
    shown = wording.visible(text).replace(" %", "\N{NO-BREAK SPACE}%")
    parts = shown.split("`")
    if len(parts) % 2 == 0:
        return escape(shown)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


def _shown(value: Any) -> Any:
    """What a template expression prints: never a raw control character, None or NaN."""
    if isinstance(value, Markup):
        return value
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return wording.UNKNOWN
    return wording.visible(value) if isinstance(value, str) else value


@cache
def environment() -> jinja2.Environment:
    """Templates in which every expression is made visible and escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("safemark.reports", "templates"),
        autoescape=True,
        finalize=_shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        w=wording,
        axis=axis,
        scale=scale,
        diagram=diagram,
        ticks=ticks,
        linked=linked,
        coded=coded,
        attack_boards=attack_boards,
        SHOWN=SHOWN_GROUPS,
        SHOWN_BESIDE=SHOWN_BESIDE,
    )
    return environment
