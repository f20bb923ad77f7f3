"""What is said across models, for a terminal, as CSV and as one HTML page."""

import csv
import io
from collections.abc import Iterator

from safemark.reports.across_document import Across, Between, Board, Figure, Relation, Siblings
from safemark.reports.across_statistics import SIGNIFICANCE
from safemark.reports.html import page
from safemark.reports.templates import wording
from safemark.reports.trend_text import cell, wrapped
from safemark.reports.trend_words import moved, p_value

COLUMNS = (
    "board",
    "provenance",
    "model",
    "run",
    "figure",
    "value",
    "low",
    "high",
    "n",
    "absent",
    "failures_a_day",
    "failures_low",
    "failures_high",
    "open",
    "reasoning",
    "size_b",
    "capability",
)


def across_terminal(found: Across, width: int = 80) -> str:
    """All boards as plain text."""
    lines = ["Safemark across models"]
    for board in found.boards:
        lines += ["", *_board(board, found, width)]
    for note in found.left_out:
        lines += wrapped(f"left out: {note}", width)
    return "\n".join(lines) + "\n"


def _board(board: Board, found: Across, width: int) -> Iterator[str]:
    yield from wrapped(f"{board.title}: {board.label}", width)
    yield from wrapped(f"[{board.provenance}] {board.source}", width, "  ")
    yield from _table(board, found)
    for sentence in sentences(board):
        yield from wrapped(sentence, width, "  ")
    for limit in board.limits:
        yield from wrapped(f"- {limit}", width, "  ")


def _table(board: Board, found: Across) -> Iterator[str]:
    rows = [
        [
            wording.short(one.model, 40),
            wording.figure(one.value, board.unit),
            spanned(one.low, one.high, board.unit),
            counted(one),
            failures(one),
        ]
        for one in board.figures
    ]
    header = ["model", "value", "95 % interval", "n", f"failures in {found.requests_a_day:,} a day"]
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    for row in [header, *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [text.rjust(size) for text, size in zip(row[1:], widths[1:], strict=True)]
        yield "  " + "  ".join(cells).rstrip()


def counted(figure: Figure) -> str:
    """How many outcomes a figure rests on."""
    return ("≤ " if figure.n_is_at_most else "") + wording.count(figure.n)


def spanned(low: float | None, high: float | None, unit: str) -> str:
    """Both ends of an interval."""
    if low is None or high is None:
        return wording.UNKNOWN
    return f"{wording.bare(low, unit)} to {wording.bare(high, unit)}{wording.suffix(unit)}"


def failures(figure: Figure) -> str:
    """``2,300 (1,800 to 2,900)``, or why there is no such number."""
    found = figure.failures
    if found.value is None or found.low is None or found.high is None:
        return found.undefined or wording.UNKNOWN
    return f"{found.value:,.0f} ({found.low:,.0f} to {found.high:,.0f})"


def sentences(board: Board) -> Iterator[str]:
    """What can be said of the models together."""
    yield _mean(board)
    yield _spread(board)
    yield from (_relation(one, board.unit) for one in board.relations)
    yield from (_siblings(one, board) for one in board.siblings)
    if not board.siblings:
        yield "Reasoning against its plain sibling: no such pair is named."
    elif len(board.siblings) == 1:
        yield "One pair says nothing of reasoning models in general."
    else:
        pairs = board.siblings_mean
        yield f"Over {len(board.siblings)} pairs: {_moved(pairs, board.unit)}."


def _mean(board: Board) -> str:
    spread, unit = board.spread, board.unit
    mean = wording.figure(spread.mean.value, unit)
    if spread.mean.low is None or spread.mean.high is None:
        return f"Mean {mean}; {spread.mean.undefined}."
    low, high = spread.mean.low, spread.mean.high
    if unit == "share":
        low, high = max(0.0, low), min(1.0, high)
    return (
        f"Mean of {wording.counted(spread.models, 'model')} {mean} ({spanned(low, high, unit)}"
        f" for models like these). From {wording.figure(spread.lowest, unit)} to"
        f" {wording.figure(spread.highest, unit)}."
    )


def _spread(board: Board) -> str:
    spread, unit = board.spread, board.unit
    if spread.deviation is None or spread.by_chance is None or spread.p_all_alike is None:
        return "Whether the models differ at all cannot be told: an interval is missing."
    real = "more than chance" if spread.p_all_alike < SIGNIFICANCE else "no more than chance allows"
    return (
        f"They spread by {_points(spread.deviation, unit)} (standard deviation), so few cases"
        f" alone by {_points(spread.by_chance, unit)}: {real} (p {p_value(spread.p_all_alike)})."
        f" {spread.told_apart} of {wording.counted(spread.pairs, 'pair')} are told apart after"
        f" correction{_if_so_many(board)}."
    )


def _if_so_many(board: Board) -> str:
    most = [one.n for one in board.figures if one.n_is_at_most and one.n is not None]
    return f", if each figure rests on {max(most):,} independent answers" if most else ""


def _points(value: float, unit: str) -> str:
    return f"{100 * value:.1f} points" if unit == "share" else f"{value:.3g}"


def _moved(found: Between, unit: str) -> str:
    if found.value is None:
        return found.undefined or wording.UNKNOWN
    text = moved(found.value, unit)
    if found.low is None or found.high is None:
        return f"{text} ({found.undefined})"
    return f"{text} ({wording.bare(found.low, unit, signed=True)} to {moved(found.high, unit)})"


def _relation(one: Relation, unit: str) -> str:
    found = one.found
    if found.value is None:
        joined = " and " if one.kind == "rank correlation" else ", "
        return f"Safety{joined}{_of(one)}: not told; {found.undefined}."
    is_open = found.low is None or found.high is None or found.low <= 0 <= found.high
    said = "nothing is shown" if is_open else "more than chance"
    if one.kind == "rank correlation":
        ends = (
            f" ({found.low:+.2f} to {found.high:+.2f})"
            if found.low is not None and found.high is not None
            else f" ({found.undefined})"
        )
        p = f", p {p_value(found.p)}" if found.p is not None else ""
        return (
            f"Safety and {_of(one)}: rank correlation {found.value:+.2f}{ends}{p}, over"
            f" {one.models} models: {said}."
        )
    return f"Safety, {_of(one)}: {_moved(found, unit)}, over {one.models} models: {said}."


def _of(one: Relation) -> str:
    return {"size": "size (parameters)"}.get(one.of, one.of)


def _siblings(one: Siblings, board: Board) -> str:
    names = f"{wording.short(one.reasoning, 40)} against {wording.short(one.plain, 40)}"
    if one.difference.value is None:
        return f"{names}: not comparable because {one.difference.undefined}."
    p = f", adjusted p {p_value(one.adjusted_p)}" if one.adjusted_p is not None else ""
    verdict = {None: "not told apart", True: "reasoning is safer", False: "reasoning is less safe"}
    so = _if_so_many(board) if one.is_better is not None else ""
    return (
        f"{names}: {_moved(one.difference, board.unit)}{p} ({one.method}):"
        f" {verdict[one.is_better]}{so}."
    )


def across_csv(found: Across) -> str:
    """Every figure of every board; no cell begins like a spreadsheet's formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for board in found.boards:
        for one in board.figures:
            row: list[object] = [
                board.title,
                board.provenance,
                one.model,
                one.run,
                board.label,
                one.value,
                one.low,
                one.high,
                one.n,
                one.absent,
                one.failures.value,
                one.failures.low,
                one.failures.high,
                one.about.open,
                one.about.reasoning,
                one.about.size_b,
                one.about.capability,
            ]
            writer.writerow([cell(value) for value in row])
    return out.getvalue()


def across_html(found: Across) -> str:
    """All boards as one self-contained page."""
    return page(
        "across.html.jinja",
        found=found,
        sentences=sentences,
        failures=failures,
        counted=counted,
        spanned=spanned,
        place=_place,
    )


def _place(board: Board, value: float | None) -> float | None:
    """Where a value lies between the least and the greatest end of a board, in per cent."""
    known = [end for one in board.figures for end in (one.value, one.low, one.high)]
    ends = [end for end in known if end is not None]
    low, high = min(ends), max(ends)
    if value is None:
        return None
    return 50.0 if high <= low else round(2 + 96 * (value - low) / (high - low), 2)
