"""``safemark leaderboard``: models on the map of 94 risks, in groups that can be told apart."""

from pathlib import Path
from typing import Annotated

import typer

from safemark.cli._output import emit, emit_json, on_one_thread, say, write_text
from safemark.errors import UnknownName

FORMATS = ("terminal", "html", "json")


def leaderboard(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="MODEL", help="As `list runs` names them. [all]"),
    ] = None,
    benchmark: Annotated[
        list[str] | None,
        typer.Option("-b", "--benchmark", metavar="NAME", help="Only these benchmarks."),
    ] = None,
    form: Annotated[
        str, typer.Option("-f", "--format", help="terminal, html or json.")
    ] = "terminal",
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="PATH", help="[html: the folder leaderboard; else stdout]"
        ),
    ] = None,
    store: Annotated[str | None, typer.Option(metavar="URL", help="Which store.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as -f json.")] = False,
) -> int:
    """Show every model's risk by the 94 categories, from stored runs; no model is asked."""
    on_one_thread()
    from safemark.reports.risk import risk_map
    from safemark.store import Store

    form = "json" if as_json else form
    if form not in FORMATS:
        raise UnknownName("leaderboard format", form, FORMATS)
    opened = Store(store)
    try:
        found = risk_map(
            opened, models or (), benchmarks=benchmark or (), examples=form != "terminal"
        )
    finally:
        opened.close()
    if form == "html":
        from safemark.reports.risk_html import write_pages

        say(f"written: {write_pages(found, output or Path('leaderboard'))}")
    elif form == "json" and output is None:
        emit_json(found)
    elif form == "json" and output is not None:
        import msgspec

        write_text(output, msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        from safemark.reports.risk_text import risk_text

        text = risk_text(found)
        emit(text) if output is None else write_text(output, text)
    return 0
