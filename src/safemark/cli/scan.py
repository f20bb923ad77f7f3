"""``safemark scan``: what a training or evaluation file says of groups of people."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from safemark.cli._given import listed
from safemark.cli._options import Json
from safemark.cli._output import emit, emit_json, on_one_thread, say, table, write_text

if TYPE_CHECKING:
    from safemark.engine import Progress
    from safemark.scan import Columns, Gap, ScanDocument, Tally

SHOWN_GAPS = 20
_PAUSE_EVERY = 200
"""Rows after which whoever shows the progress has a turn."""


def scan(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="JSON Lines, JSON, CSV or TSV; - reads stdin.")
    ],
    text: Annotated[
        str | None, typer.Option(metavar="COLUMN,…", help="What holds text. [the usual names]")
    ] = None,
    label: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="What holds the label. [the usual names]")
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(metavar="COLUMN,…", help="Columns that name a group, beside the text."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write it as HTML.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Who is in a data file, and what goes with whom: labels, stereotypes, toxicity, personal data.

    No model is asked, and no row's text is shown or kept.
    """
    import asyncio

    on_one_thread()
    from safemark import __version__
    from safemark.reports.exit_code import DONE, INCONCLUSIVE
    from safemark.scan import Columns, document

    columns = Columns(tuple(listed(text, "--text")), label, tuple(listed(group, "--group")))
    tally = asyncio.run(_scanned(file, columns))
    name = "standard input" if str(file) == "-" else file.name
    found = document(tally, name, __version__)
    if output is not None:
        from safemark.reports.scan_html import scan_html

        write_text(output, scan_html(found))
    if as_json:
        emit_json(found)
    else:
        _show(found)
    return DONE if found.rows > found.without_text else INCONCLUSIVE


async def _scanned(file: Path, columns: "Columns") -> "Tally":
    import asyncio

    from safemark.cli._progress import shown
    from safemark.engine import Progress
    from safemark.scan import Tally, items

    progress = Progress(total=_lines(file))
    tally = Tally()
    async with shown(progress):
        for item in items(file, columns):
            tally.add(item)
            _count(progress, tally)
            if tally.rows % _PAUSE_EVERY == 0:
                await asyncio.sleep(0)
        progress.total = tally.rows
    return tally


def _count(progress: "Progress", tally: "Tally") -> None:
    progress.done, progress.absent = tally.rows, tally.empty


def _lines(file: Path) -> int:
    """About how many rows there will be; 0 where that is not known."""
    if str(file) == "-" or not file.is_file():
        return 0
    with file.open("rb") as opened:
        blocks = iter(lambda: opened.read(1 << 20), b"")
        return sum(block.count(b"\n") for block in blocks)


def _show(found: "ScanDocument") -> None:
    from safemark.reports.templates import wording

    emit(f"{found.file}: {found.rows:,} rows, {found.without_text:,} without text")
    if found.toxic is not None and found.personal_data is not None:
        kinds = ", ".join(
            f"{kind.replace('_', ' ')} {n:,}" for kind, n in found.kinds_of_personal_data.items()
        )
        emit(
            f"toxic {100 * found.toxic:.1f} %, personal data {100 * found.personal_data:.1f} %"
            + (f" ({kinds})" if kinds else "")
        )
    rows = [
        [
            wording.visible(one.attribute),
            wording.visible(one.group),
            f"{one.rows:,}",
            f"{100 * one.share:.2f} %",
            f"{100 * one.low:.2f} to {100 * one.high:.2f}",
            f"{100 * one.toxic:.1f} %",
            f"{100 * one.personal_data:.1f} %",
        ]
        for one in found.groups
    ]
    if rows:
        head = ["attribute", "group", "rows", "share", "95 % interval", "toxic", "personal"]
        emit("\n" + table(rows, head))
    told = [gap for gap in found.gaps if gap.is_shown]
    if told:
        emit("\n" + table([_row(gap) for gap in told[:SHOWN_GAPS]], _GAP_HEAD))
    large = sum(gap.is_large for gap in told)
    emit(
        f"\n{len(found.gaps):,} gaps looked at, {len(told):,} shown after correction,"
        f" {large:,} larger than ten points"
        + (f"; the first {SHOWN_GAPS} are above" if len(told) > SHOWN_GAPS else "")
    )
    for note in found.notes:
        say(f"note: {wording.visible(note)}")


_GAP_HEAD = ["", "what", "group", "share", "others", "gap", "95 % interval", "rows"]


def _row(gap: "Gap") -> list[str]:
    from safemark.reports.templates import wording

    return [
        "!" if gap.is_large else "",
        wording.visible(
            gap.what if gap.kind in ("toxicity", "personal data") else f"{gap.kind} {gap.what}"
        ),
        wording.visible(f"{gap.attribute}: {gap.group}"),
        f"{100 * gap.share:.1f} %",
        f"{100 * gap.others:.1f} %",
        f"{100 * gap.difference:+.1f}",
        f"{100 * gap.low:+.1f} to {100 * gap.high:+.1f}",
        f"{gap.n:,}",
    ]
