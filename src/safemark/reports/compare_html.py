"""A comparison as one HTML file: no network, no script, a plot of the differences, then tables.

This file turns differences into the geometry of a plot; the page is
`templates/compare.html.jinja`, its words `templates/compare_wording.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from safemark.reports.compare_terminal import interval, rank
from safemark.reports.comparison import (
    Board,
    Comparison,
    DifferenceDocument,
    MetricComparison,
    PairComparison,
)
from safemark.reports.html import Axis, Span, Tick, ceiling, page
from safemark.reports.templates import compare_wording, wording


@dataclass(frozen=True, slots=True)
class Plot:
    """One difference drawn; x in per cent of the width from the left, no difference at ``zero``.

    ``worse_left`` is None where neither side is the worse one.
    """

    zero: float
    inner: Span | None
    outer: Span | None
    point: float | None
    worse_left: bool | None
    text: str


def compare_html(comparison: Comparison) -> str:
    """The comparison as one self-contained page."""
    return page(
        "compare.html.jinja",
        comparison=comparison,
        say=compare_wording,
        axis=axis,
        axes=axes,
        plot=plot,
        ticks=ticks,
        value_axis=value_axis,
        value_ticks=value_ticks,
        rank=rank,
        interval=interval,
    )


def axis(found: Sequence[DifferenceDocument]) -> Axis:
    """A stretch around no difference that holds every figure of ``found``."""
    ends = [
        wording.finite(end)
        for each in found
        for end in (each.difference, each.low, each.high, each.outer_low, each.outer_high)
    ]
    reach = ceiling(max((abs(end) for end in ends if end is not None), default=0.0)) or 1.0
    return Axis(-reach, reach)


def axes(pair: PairComparison) -> dict[str, Axis]:
    """One axis for all headlines of a unit, so that they can be read against each other."""
    headlines = [metric for _, metric in compare_wording.headlines(pair)]
    return {
        unit: axis([metric.whole for metric in headlines if metric.unit == unit])
        for unit in dict.fromkeys(metric.unit for metric in headlines)
    }


def plot(metric: MetricComparison, found: DifferenceDocument, on: Axis) -> Plot | None:
    """``found`` on an axis, or None where there is nothing to draw."""
    value = wording.finite(found.difference)
    if value is None:
        return None
    inner, outer = _span(found.low, found.high, on), _span(found.outer_low, found.outer_high, on)
    say = compare_wording
    words = f"{say.change(metric, value)}, 95 % {say.between(metric, found.low, found.high)}"
    return Plot(
        zero=on.at(0.0),
        inner=inner,
        outer=outer,
        point=on.at(value),
        worse_left=None if metric.better == "target" else metric.better == "higher",
        text=f"{metric.label}: {words}",
    )


def _span(low: float | None, high: float | None, on: Axis) -> Span | None:
    first, last = wording.finite(low), wording.finite(high)
    return None if first is None or last is None else Span(on.at(first), on.at(last))


def ticks(metric: MetricComparison, on: Axis) -> tuple[Tick, ...]:
    """The ends and the middle of an axis."""
    low, high = (compare_wording.change(metric, end, bare=True) for end in (on.low, on.high))
    unit = wording.suffix(compare_wording.unit_of_change(metric.unit))
    return (
        Tick(0.0, low, "start"),
        Tick(on.at(0.0), "0", "middle"),
        Tick(100.0, high + unit, "end"),
    )


def value_axis(board: Board) -> Axis:
    """A stretch that holds every value of a board and its intervals."""
    ends = [
        wording.finite(end)
        for each in board.standings
        for end in (each.value, each.low, each.high, each.outer_low, each.outer_high)
    ]
    known = [end for end in ends if end is not None]
    if board.better == "target" and board.target is not None:
        known.append(board.target)
    low, high = min(known, default=0.0), max(known, default=1.0)
    room = (high - low) * 0.06 or 0.05
    if board.unit == "share" and min(known, default=0.0) >= 0:
        return Axis(max(0.0, low - room), min(1.0, high + room))
    return Axis(low - room, high + room)


def value_ticks(board: Board, on: Axis) -> tuple[Tick, ...]:
    """The ends of a board's axis."""
    low, high = (wording.figure(end, board.unit) for end in (on.low, on.high))
    return (Tick(0.0, low, "start"), Tick(100.0, high, "end"))
