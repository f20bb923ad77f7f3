"""A comparison for a terminal: understandable without colour, and safe to print."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from safemark.reports.comparison import (
    Board,
    Comparison,
    MetricComparison,
    PairComparison,
    PartComparison,
    VerdictName,
)
from safemark.reports.templates import compare_wording as say
from safemark.reports.templates import wording
from safemark.reports.terminal import printed

STYLES: dict[VerdictName, str] = {
    "worse": "bold red",
    "better": "bold green",
    "changed": "bold yellow",
    "not_shown": "",
    "open": "bold yellow",
    "undefined": "dim",
}
_INDENT = 17


def compare_terminal(
    comparison: Comparison, width: int = 80, color: bool | None = None, rows: int = 10
) -> str:
    """The comparison as text at most ``width`` wide; ``rows`` samples that moved at most."""
    return printed(_whole(comparison, max(40, width), rows), max(40, width), color)


def _whole(comparison: Comparison, width: int, rows: int) -> RenderableType:
    blocks: list[RenderableType] = [Text("Safemark comparison", "bold")]
    blocks += [_text(f"warning: {each}", "bold yellow") for each in comparison.warnings]
    for pair in comparison.pairs:
        blocks += [Text(""), *_pair(comparison, pair, width, rows)]
    for board in comparison.boards:
        blocks += [Text(""), *_board(comparison, board)]
    blocks += [Text(""), _text(_method(comparison), "dim")]
    return Group(*blocks)


def _method(comparison: Comparison) -> str:
    return (
        f"95 % intervals on shared samples. p is corrected: Holm over"
        f" {wording.counted(comparison.headlines_tested, 'headline')}, Benjamini-Hochberg over"
        f" {comparison.others_tested:,} other metrics and groups. "
        f"“Not told apart” is not “equal”."
    )


def _pair(
    comparison: Comparison, pair: PairComparison, width: int, rows: int
) -> Iterator[RenderableType]:
    for word, place in (("before", pair.before), ("after", pair.after)):
        run = comparison.runs[place]
        label = run.label if run.label == run.run else f"{run.label} ({run.run})"
        yield _line(f"{word:8}{wording.short(run.model, 40)}  {wording.short(label, 60)}")
    yield _text(say.summary(pair), "bold")
    for part in pair.parts:
        for warning in part.warnings:
            yield _text(f"warning: {part.benchmark}: not made alike: {warning}", "bold yellow")
        if say.left_out(part):
            yield _text(f"left out: {part.benchmark}: {say.left_out(part)}", "dim")
    for missing in pair.not_compared:
        yield _text(f"not compared: {missing.benchmark}: {missing.why}", "yellow")
    for part, metric in say.headlines(pair):
        yield Text("")
        yield from _headline(part, metric, width)
    yield from _moved(comparison, pair, rows)


def _headline(
    part: PartComparison, metric: MetricComparison, width: int
) -> Iterator[RenderableType]:
    found = metric.whole
    verdict = Text(f"{say.GLYPHS[found.verdict]} {say.VERDICTS[found.verdict]}")
    verdict.stylize(STYLES[found.verdict])
    verdict.pad_right(_INDENT - verdict.cell_len)
    head = Text.assemble(verdict, _text(f"{say.named(part)}: {metric.label}", "bold"))
    head.no_wrap, head.overflow = True, "ellipsis"
    yield head
    if found.undefined is not None:
        yield _indented(say.why(found), width)
        return
    before, after = say.value(metric, found.before), say.value(metric, found.after)
    yield _indented(
        f"{before} → {after}: {say.change(metric, found.difference)}"
        f" ({say.between(metric, found.low, found.high)}), p {say.p_value(found.p_adjusted)}",
        width,
    )
    counts = f"{wording.counted(found.n, 'pair')}, {found.absent:,} absent"
    if found.clusters != found.n:
        counts += f", {found.clusters:,} clusters"
    if say.moves(found):
        counts += f"; {say.moves(found)}"
    if found.absent:
        counts += f"; outer interval {say.between(metric, found.outer_low, found.outer_high)}"
    yield _indented(counts, width, "dim")
    for group in say.told(metric)[: say.SHOWN_GROUPS]:
        yield _indented(
            f"{say.VERDICTS[group.verdict]} in {wording.short(group.group or '', 30)}:"
            f" {say.change(metric, group.difference)}"
            f" ({say.between(metric, group.low, group.high)}),"
            f" p {say.p_value(group.p_adjusted)}, n {group.n:,}",
            width,
        )
    if more := say.more_groups(metric):
        yield _indented(f"{more}, with `-f html`", width, "dim")


def _indented(text: str, width: int, style: str = "") -> RenderableType:
    return Padding(_text(wording.short(text, 3 * (width - _INDENT)), style), (0, 0, 0, _INDENT))


def _moved(comparison: Comparison, pair: PairComparison, rows: int) -> Iterator[RenderableType]:
    ordered = [
        (-sample.worsening, place, number, sample)
        for number, part in enumerate(pair.parts)
        for metric in part.metrics
        for place, sample in enumerate(say.moved(part, metric.name))
    ]
    found = sorted(ordered, key=lambda each: each[:3])[:rows]
    if not found:
        return
    yield Text("")
    yield Text("Who moved, worst first", "bold")
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_edge=False)
    for heading in ("", "sample", "metric", "before", "after"):
        table.add_column(heading, no_wrap=True, overflow="ellipsis")
    for *_, sample in found:
        name = sample.sample if sample.repeat == 0 else f"{sample.sample} #{sample.repeat}"
        table.add_row(
            "▼" if sample.worsening > 0 else "▲",
            wording.short(name, 28),
            wording.short(sample.metric.replace("_", " "), 24),
            wording.short(sample.before, 24),
            wording.short(sample.after, 24),
        )
    yield table
    yield _line(f"one of them: {say.show(comparison, pair.after, found[0][-1].sample)}", "dim")


def _board(comparison: Comparison, board: Board) -> Iterator[RenderableType]:
    yield _line(f"{board.benchmark}: {board.label}  ({board.shared:,} shared samples)", "bold")
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_edge=False)
    for heading, right in (
        ("rank", False), ("", False), ("model", False), ("run", False),
        ("value", True), ("95 % interval", True), ("absent", True),
    ):  # fmt: skip
        justify = "right" if right else "left"
        table.add_column(heading, no_wrap=True, overflow="ellipsis", justify=justify)  # type: ignore[arg-type]
    for standing in board.standings:
        run = comparison.runs[standing.run]
        table.add_row(
            rank(standing.first, standing.last),
            wording.short(standing.letters, 20),
            wording.short(run.model, 24),
            wording.short(run.label, 24),
            wording.figure(standing.value, board.unit),
            interval(standing.low, standing.high, board.unit),
            f"{standing.absent:,}",
        )
    yield table
    if board.missing:
        yield _text(f"not measured: {say.runs_of(comparison, board.missing)}", "dim")
    yield _text("Runs that share a letter are not told apart.", "dim")


def rank(first: int | None, last: int | None) -> str:
    """``1``, ``2–4``, "none" where there is no value to rank."""
    if first is None or last is None:
        return "none"
    return str(first) if first == last else f"{first}\N{EN DASH}{last}"


def interval(low: float | None, high: float | None, unit: str) -> str:
    """``12.0 to 15.1 %``."""
    ends = [wording.bare(end, unit) for end in (low, high)]
    return wording.UNKNOWN if wording.UNKNOWN in ends else " to ".join(ends) + wording.suffix(unit)


def _text(text: str, style: str = "") -> Text:
    return Text(wording.visible(text), style)


def _line(text: str, style: str = "") -> Text:
    line = _text(text, style)
    line.no_wrap, line.overflow = True, "ellipsis"
    return line
