"""``safemark compare``: what differs between runs, how sure that is, and which samples moved."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from safemark.cli._options import JsonForm, StoreUrl
from safemark.cli._output import is_coloured, on_one_thread, put, put_json, say, width
from safemark.errors import UnknownName

if TYPE_CHECKING:
    from safemark.reports.comparison import Comparison

FORMATS = ("text", "html", "json", "csv", "moved")


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN",
            help="Ids, names, baseline files, or models (their newest run). The first is before.",
        ),
    ],
    form: Annotated[
        str,
        typer.Option("-f", "--format", help="text, html, json, csv, or moved (samples, as CSV)."),
    ] = "text",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="[html: compare.html; else stdout]"),
    ] = None,
    across: Annotated[
        bool,
        typer.Option(
            "--across", help="Compare other versions, judges and ways of asking too, and say so."
        ),
    ] = False,
    listed: Annotated[
        int, typer.Option("--moved", min=0, metavar="N", help="List N samples of each headline.")
    ] = 20,
    store: StoreUrl = None,
    as_json: JsonForm = False,
) -> int:
    """Compare runs sample by sample with the first: paired differences, intervals, corrected p."""
    on_one_thread()
    from safemark.reports.compare import compare as compared
    from safemark.reports.exit_code import DONE, INCONCLUSIVE
    from safemark.reports.sides import sides

    if form not in FORMATS:
        raise UnknownName("report format", form, FORMATS)
    with sides(runs, store) as found:
        comparison = compared(found, across=across, listed=listed)
    if as_json or form == "json":
        put_json(comparison, output)
    elif form == "html":
        from safemark.reports.compare_html import compare_html

        put(compare_html(comparison), output or Path("compare.html"))
    else:
        text = _text(form, comparison, is_coloured() and output is None, min(listed, 10))
        put(text, output)
    refused = [each for pair in comparison.pairs for each in pair.not_compared if each.refused]
    if refused:
        say("\nnot everything was compared; `--across` compares it all the same, and says so")
    return INCONCLUSIVE if refused else DONE


def _text(form: str, comparison: "Comparison", color: bool, rows: int) -> str:
    from safemark.reports.compare_csv import differences_csv, moved_csv
    from safemark.reports.compare_terminal import compare_terminal

    if form == "csv":
        return differences_csv(comparison)
    if form == "moved":
        return moved_csv(comparison)
    return compare_terminal(comparison, width(), color, rows)
