"""The scorecard for a terminal: understandable without colour, and safe to print.

Texts go into `rich.text.Text`, never into markup, after `visible` has spelt out control
characters: no answer, name or label of a document can move the cursor or colour a light.
"""

import io
import os
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from safemark.reports.document import (
    AttackDifference,
    BenchmarkDocument,
    Document,
    LightName,
    MetricDocument,
)
from safemark.reports.left_out import LeftOut
from safemark.reports.templates import wording

GLYPHS: dict[LightName, str] = {"green": "●", "yellow": "▲", "red": "■", "grey": "○"}
STYLES: dict[LightName, str] = {
    "green": "bold green",
    "yellow": "bold yellow",
    "red": "bold red",
    "grey": "dim",
}
SHOWN_ATTACKS = 12
SHOWN_GAPS = 3
SHOWN_GREYS = 12
SHOWN_FURTHER = 6
SHOWN_UNCHECKED = 5


def terminal(
    document: Document,
    console_width: int = 80,
    color: bool | None = None,
    html_path: str | None = None,
) -> str:
    """The scorecard as text at most ``console_width`` wide, ending in a line break.

    Without ``color`` given, it is used when stdout is a terminal and NO_COLOR is not set.
    ``html_path`` is where the full report was written, if it was.
    """
    width = max(40, console_width)
    return printed(_scorecard(document, width, html_path), width, color)


def printed(shown: RenderableType, width: int, color: bool | None = None) -> str:
    """``shown`` as text, without spaces at the ends of lines, ending in a line break."""
    if color is None:
        color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    console = Console(
        file=io.StringIO(),
        width=width,
        color_system="standard" if color else None,
        force_terminal=color,
        no_color=not color,
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
    with console.capture() as captured:
        console.print(shown)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def _scorecard(document: Document, width: int, html_path: str | None) -> RenderableType:
    blocks: list[RenderableType] = [
        _line(f"Safemark scorecard  {wording.short(document.model.name, 56)}", "bold"),
        _line(f"run {wording.short(document.run, 30)}, {wording.day(document.started)}", "dim"),
        _text(wording.summary(document)),
    ]
    if document.status != "complete":
        stopped = f"{wording.status_means(document)} {document.status_why}"
        blocks.append(_text(wording.short(stopped, 200), "bold"))
    blocks += [Text(""), _dimensions(document, width)]
    if document.benchmarks:
        blocks += [Text(""), _benchmarks(document.benchmarks, width)]
    if greys := _greys(document.benchmarks):
        blocks += [Text(""), Text("Grey, and why", "bold"), *greys]
    if further := _all_further(document.benchmarks):
        blocks += [Text(""), Text("Also scored, no lights taken", "bold"), *further]
    if attacked := _attacks(document):
        blocks += [Text(""), Text("Attacks", "bold"), *attacked]
    if judged := _judges(document.benchmarks):
        blocks += [Text(""), Text("Judges", "bold"), *judged]
    blocks += [Text(""), *_gaps(document), *_ending(document, html_path)]
    return Group(*blocks)


def _text(text: str, style: str = "") -> Text:
    return Text(wording.visible(text), style)


def _light(light: LightName) -> Text:
    return Text(f"{GLYPHS[light]} {light}", STYLES[light])


def _table(*headings: str) -> Table:
    """A table without lines, its first column a light; a heading ending in ``>`` is of figures."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for heading in headings:
        right = heading.endswith(">")
        table.add_column(
            heading.rstrip(">"),
            justify="right" if right else "left",
            no_wrap=True,
            overflow="ellipsis",
            min_width=8 if heading == headings[0] else None,
        )
    return table


def _dimensions(document: Document, width: int) -> RenderableType:
    """A line of figures and a line or two of reason for each dimension."""
    rows: list[RenderableType] = []
    for each in document.dimensions:
        head = Text.assemble(
            _padded(_light(each.light), 10),
            _padded(Text(wording.short(wording.capital(each.name), 14), "bold"), 14),
            _figures(each.headline),
        )
        counts = _counts(each.headline)
        fits = head.cell_len + 2 + len(counts) <= width
        if counts and fits:
            head.append(f"  {counts}")
        head.no_wrap, head.overflow = True, "ellipsis"
        rows.append(head)
        if counts and not fits:
            rows.append(Padding(_text(counts), (0, 0, 0, 24)))
        reason = wording.reason(document, each)
        if each.headline is not None:
            label = wording.label(each.headline)
            alone = len(each.benchmarks) == 1
            said = wording.capital(label) if alone else f"{each.headline_benchmark}: {label}"
            reason = f"{said}: {reason}"
        if reason:
            shown = _text(wording.short(reason, 2 * (width - 12)), "dim")
            rows.append(Padding(shown, (0, 0, 0, 10)))
    return Group(*rows)


def _padded(text: Text, cells: int) -> Text:
    text.truncate(cells - 1, overflow="ellipsis")
    text.pad_right(cells - text.cell_len)
    return text


def _figures(metric: MetricDocument | None) -> Text:
    if metric is None:
        return Text("not measured", "dim")
    return Text.assemble(
        (wording.reading(metric), "bold"),
        f"  ({wording.outer(metric)})",
    )


def _counts(metric: MetricDocument | None) -> str:
    return "" if metric is None else f"n {metric.n:,}  absent {metric.absent:,}"


def _benchmarks(benchmarks: Sequence[BenchmarkDocument], width: int) -> Table:
    """One line each: its light and first headline. Names give way to figures, not the reverse."""
    table = _table("light", "benchmark", "value>", "outer interval>", "n>", "absent>", "")
    figures = [_figures_of(each) for each in benchmarks]
    taken = sum(
        max(len(str(column.header)), *(len(row[place]) for row in figures))
        for place, column in enumerate(table.columns[2:])
    )
    room = width - 8 - taken - 2 * len(table.columns)
    for place, column in enumerate(table.columns[4:], 2):
        column.min_width = max(len(row[place]) for row in figures)
    for each, row in zip(benchmarks, figures, strict=True):
        named = Text(_named(each, max(16, min(room, 60))))
        table.add_row(_light(each.light), named, *map(Text, row[:-1]), Text(row[-1], "yellow"))
    return table


def _figures_of(part: BenchmarkDocument) -> tuple[str, ...]:
    """Value, outer interval, n and absent of the metric shown, and whether it is partial.

    Without a headline n and absent are those of all its samples.
    """
    metric = wording.metric_named(part, part.headline)
    counted = metric or part
    return (
        wording.short(wording.reading(metric), 12),
        wording.short(wording.outer(metric), 20) if metric else wording.UNKNOWN,
        wording.count(counted.n),
        wording.count(counted.absent),
        "partial" if part.partial else "",
    )


def _named(part: BenchmarkDocument, most: int) -> str:
    """A part's name in so many characters: of a long one under attack, what tells it apart."""
    if part.attack in ("", "direct"):
        return wording.short(part.name, most)
    whole = f"{part.name} + {part.attack}"
    return whole if len(whole) <= most else wording.short(f"+ {part.attack}", most)


def _greys(benchmarks: Iterable[BenchmarkDocument]) -> list[RenderableType]:
    """One line for each that has a headline and no light: what is absent, and why."""
    lines: list[RenderableType] = [
        _indented(wording.short(f"{_named(each, 40)}: {each.why}{_reasons(each)}", 200))
        for each in benchmarks
        if each.light == "grey" and each.headline
    ]
    return _first(lines, SHOWN_GREYS)


def _first(lines: list[RenderableType], most: int) -> list[RenderableType]:
    """So many lines, and how many more there are."""
    more = len(lines) - most
    told = [_line(f"  and {more} more in the full report", "dim")] if more > 0 else []
    return [*lines[:most], *told]


def _reasons(part: BenchmarkDocument) -> str:
    """Why outcomes are absent; of how many samples, where the headline is not of all of them."""
    if not part.absent:
        return ""
    metric = wording.metric_named(part, part.headline)
    is_of_all = metric is None or (metric.n, metric.absent) == (part.n, part.absent)
    before = "" if is_of_all else f"; of all {part.n + part.absent:,}"
    return f"{before}: {wording.reasons(part.absent_reasons)}"


def _all_further(benchmarks: Iterable[BenchmarkDocument]) -> list[RenderableType]:
    return _first([line for part in benchmarks for line in _further(part)], SHOWN_FURTHER)


def _further(benchmark: BenchmarkDocument) -> list[RenderableType]:
    """One line for each scorer beside the benchmark's own; the pages hold all its metrics."""
    lines: list[RenderableType] = []
    if benchmark.attacked is not None:
        return lines
    for scorer in benchmark.further:
        if not scorer.metrics:
            continue
        first, more = scorer.metrics[0], len(scorer.metrics) - 1
        value = f"{wording.reading(first)}  ({wording.outer(first)})"
        lines.append(
            _line(
                f"  {benchmark.name} by {wording.short(scorer.scorer, 40)}: "
                f"{wording.short(wording.label(first), 40)} {value}"
                + (f", and {more} more" if more else "")
            )
        )
    return lines


def _attacks(document: Document) -> list[RenderableType]:
    """What each attack or perturbation changed, paired with plain asking; families at the end."""
    lines: list[RenderableType] = []
    made = [(each, each.attacked) for each in document.benchmarks if each.attacked is not None]
    for each, attacked in made[:SHOWN_ATTACKS]:
        named = f"{each.name} + {wording.short(each.attack, 30)}"
        for change in _telling(attacked.differences)[:2]:
            said = f"{wording.short(change.label, 40)} {wording.moved(change)}"
            lines.append(_indented(f"{named}: {said}"))
        if attacked.failures:
            n = attacked.failures
            lines.append(_line(f"    {n:,} failures of the attacker itself, no attempts", "dim"))
    if len(made) > SHOWN_ATTACKS:
        lines.append(_line(f"  and {len(made) - SHOWN_ATTACKS} more in the full report", "dim"))
    for family in document.attack_families:
        named = f"{family.benchmark}, {wording.short(family.name, 30)} ({family.members})"
        lines.append(_indented(f"{named}: {wording.family(family)}"))
    return lines


def _telling(changes: Sequence[AttackDifference]) -> list[AttackDifference]:
    """Without one that says the same as the one before: a success rate and what it is read from."""
    figures = [(one.plain, one.attacked, one.pairs, one.absent) for one in changes]
    before = [None, *figures]
    return [one for one, own, last in zip(changes, figures, before, strict=False) if own != last]


def _judges(benchmarks: Sequence[BenchmarkDocument]) -> list[RenderableType]:
    """How far the scorers can be believed, and rates with their error removed."""
    lines: list[RenderableType] = []
    unknown: list[str] = []
    for benchmark in benchmarks:
        if benchmark.judge is None:
            continue
        if not benchmark.judge.n:
            unknown += [benchmark.name] if benchmark.name not in unknown else []
            continue
        lines.append(_indented(f"{benchmark.name}: {benchmark.judge.why}"))
        lines += [
            _line(f"    {wording.short(each.label, 40)}: {wording.corrected(each)}")
            for each in benchmark.judge.rates
        ]
    if unknown:
        named = LeftOut(unknown, "").named(SHOWN_UNCHECKED)
        told = f"not checked against people: {named}; `safemark judge check` does"
        lines.append(_indented(told, "dim"))
    return lines


def _gaps(document: Document) -> list[RenderableType]:
    found = wording.not_covered(document)
    if not found:
        return []
    lines: list[RenderableType] = [Text("Not covered", "bold")]
    lines += [_indented(wording.short(_left_out(each), 200)) for each in found[:SHOWN_GAPS]]
    if more := sum(len(each.names) for each in found[SHOWN_GAPS:]):
        lines.append(Text(f"  and {more} more in the full report", "dim"))
    return lines


def _left_out(one: LeftOut) -> str:
    """One name and its reason; of several, first what they have in common."""
    if one.names[1:]:
        return f"{one.why}: {wording.short(one.named(), 80)}"
    return f"{wording.short(one.names[0], 40)}: {one.why}"


def _line(text: str, style: str = "") -> Text:
    """Text that is cut at the end of its line."""
    line = _text(text, style)
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _indented(text: str, style: str = "") -> Padding:
    """Text of a list: what goes on in another line begins under it."""
    return Padding(_text(text, style), (0, 0, 0, 2))


def _ending(document: Document, html_path: str | None) -> list[RenderableType]:
    legend = "Lights: from the 95 % interval around absent answers at worst and at best."
    where = (
        f"Full report: open {html_path}"
        if html_path
        else f"Full report: safemark report {wording.short(document.run, 40)} -f html -o FILE"
    )
    return [*_judge_costs(document), _text(legend, "dim"), _text(where)]


def _judge_costs(document: Document) -> list[RenderableType]:
    """What each judge used, apart from the model's own cost."""
    return [
        _text(
            f"{wording.role(document, judge.name)} {wording.short(judge.name, 40)}:"
            f" {wording.counted(judge.requests, 'request')}, cost {wording.price(judge.usd)}",
            "dim",
        )
        for judge in document.cost.judges
    ]
