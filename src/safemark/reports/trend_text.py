"""A trend for a terminal, as a table with sparklines, and as CSV, one line for each point."""

import csv
import io
from collections.abc import Iterator, Sequence

from safemark.reports.templates import wording
from safemark.reports.trend_document import Change, Point, Series, Trend
from safemark.reports.trend_words import latest, moved, moved_between, p_value, summary

BARS = "▁▂▃▄▅▆▇█"
GAP = "·"
MOST_BARS = 32
"""A longer series shows its newest runs."""

SHOWN_CHANGES = 6

COLUMNS = (
    "model",
    "benchmark",
    "asked",
    "attack",
    "metric",
    "dimension",
    "run",
    "started",
    "status",
    "value",
    "low",
    "high",
    "outer_low",
    "outer_high",
    "n",
    "absent",
    "unit",
    "light",
    "stretch",
    "change_of_level",
    "changes",
)


def sparkline(values: Sequence[float | None], low: float, high: float) -> str:
    """One character a value, from ``low`` to ``high``; a gap where nothing was measured.

    >>> sparkline([0.0, None, 0.5, 1.0], 0.0, 1.0)
    '▁·▅█'
    """
    return "".join(GAP if value is None else _bar(value, low, high) for value in values)


def _bar(value: float, low: float, high: float) -> str:
    share = 0.5 if high <= low else min(max((value - low) / (high - low), 0.0), 1.0)
    return BARS[round(share * (len(BARS) - 1))]


def trend_terminal(trend: Trend, width: int = 80) -> str:
    """The trend as plain text at most ``width`` wide where words can be broken."""
    lines = [
        f"Safemark trend  {wording.short(trend.model or 'all models', 56)}",
        summary(trend),
    ]
    for notice in trend.notices:
        lines += ["", *wrapped(f"notice: {notice}", width)]
    for series in trend.series:
        lines += ["", *_series(series, trend, width)]
    if trend.left_out:
        lines += ["", "Left out"]
        lines += [
            line
            for one in trend.left_out[:SHOWN_CHANGES]
            for line in wrapped(f"{one.run} {one.what}: {one.why}", width, "  ")
        ]
        if (more := len(trend.left_out) - SHOWN_CHANGES) > 0:
            lines.append(f"  and {more} more")
    if any(one.stretches_tested for one in trend.series):
        lines += ["", *wrapped(f"Changes of level: {trend.correction}.", width)]
    return "\n".join(lines) + "\n"


def _series(series: Series, trend: Trend, width: int) -> Iterator[str]:
    of = "" if trend.model else f"{series.model}  "
    attack = "" if series.attack == "direct" else f" + {series.attack}"
    title = f"{of}{series.benchmark}{attack}, {series.label} (by {series.asked})"
    yield from wrapped(title, width)
    shown = series.points[-MOST_BARS:]
    yield f"  {_spark(series, shown)}  {_counted(series, shown)}"
    last = latest(series)
    if last is None:
        yield from wrapped(f"not measured: {series.points[-1].why}", width, "  ")
        return
    yield from wrapped(
        f"last {wording.reading(last.estimate)} ({wording.outer(last.estimate)}), n"
        f" {last.estimate.n:,}, absent {last.estimate.absent:,}, {last.light}, {last.started[:10]}",
        width,
        "  ",
    )
    unit = last.estimate.unit
    for one in series.change_points:
        word = {True: "worse", False: "better", None: "changed"}[one.is_worse]
        meanwhile = f"; at the same time: {_changes(one.meanwhile)}" if one.meanwhile else ""
        yield from wrapped(
            f"! {word} from {one.started[:10]} ({one.run}): {moved(one.difference, unit)}"
            f" ({moved_between(one.low, one.high, unit)}), adjusted p"
            f" {p_value(one.p)}{meanwhile}",
            width,
            "  ",
        )
    noted = [point for point in series.points if point.changes]
    for point in noted[-SHOWN_CHANGES:]:
        yield from wrapped(f"~ {point.started[:10]} {_changes(point.changes)}", width, "  ")
    if (more := len(noted) - SHOWN_CHANGES) > 0:
        yield f"  ~ and {more} earlier ones, with --json"


def _spark(series: Series, shown: Sequence[Point]) -> str:
    """The sparkline, with a bar ``|`` where the line is broken."""
    values = [point.estimate.value for point in series.points]
    known = [value for value in values if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    parts: list[str] = []
    for place, point in enumerate(shown):
        if place and point.stretch != shown[place - 1].stretch:
            parts.append("|")
        parts.append(sparkline([point.estimate.value], low, high))
    return "".join(parts)


def _counted(series: Series, shown: Sequence[Point]) -> str:
    values = [v for point in series.points if (v := point.estimate.value) is not None]
    runs = wording.counted(len(series.points), "run")
    if len(shown) < len(series.points):
        runs += f", the last {len(shown)} drawn"
    if not values:
        return runs
    unit = series.points[-1].estimate.unit
    return f"{runs}, {wording.figure(min(values), unit)} to {wording.figure(max(values), unit)}"


def _changes(changes: Sequence[Change]) -> str:
    return "; ".join(
        f"{one.what}: {wording.short(one.before, 40)} → {wording.short(one.after, 40)}"
        + (" (line broken)" if one.breaks else "")
        for one in changes
    )


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Lines of at most ``width`` characters, the second and further ones indented more."""
    import textwrap

    return textwrap.wrap(
        wording.visible(text),
        max(40, width),
        initial_indent=indent,
        subsequent_indent=indent + ("  " if indent else ""),
        break_long_words=True,
    )


def trend_csv(trend: Trend) -> str:
    """Every point of every series; no cell begins like a spreadsheet's formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for series in trend.series:
        flagged = {one.run for one in series.change_points}
        for point in series.points:
            writer.writerow([cell(value) for value in _row(series, point, flagged)])
    return out.getvalue()


def _row(series: Series, point: Point, flagged: set[str]) -> list[object]:
    metric = point.estimate
    return [
        series.model,
        series.benchmark,
        series.asked,
        series.attack,
        series.metric,
        series.dimension,
        point.run,
        point.started,
        point.status,
        metric.value,
        metric.low,
        metric.high,
        metric.outer_low,
        metric.outer_high,
        metric.n,
        metric.absent,
        metric.unit,
        point.light,
        point.stretch,
        "yes" if point.run in flagged else "",
        _changes(point.changes),
    ]


def cell(value: object) -> str:
    """A cell as text; one that a spreadsheet would take for a formula begins with an apostrophe.

    >>> cell("=1+1"), cell(-0.5), cell(None)
    ("'=1+1", '-0.5', '')
    """
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    text = wording.visible(str(value))
    return f"'{text}" if text.lstrip()[:1] in {"=", "+", "-", "@", "−"} else text
