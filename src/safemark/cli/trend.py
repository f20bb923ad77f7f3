"""``safemark trend``: all runs over time, and where a level changed for certain."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from safemark.cli._output import emit, emit_json, say, width
from safemark.errors import StoreError, UnknownName

if TYPE_CHECKING:
    from safemark.reports.trend_document import Trend

FORMATS = ("terminal", "html", "json", "csv")


def trend(
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="As `list runs` names it. [all]")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="T", help="From 30d, 12w, 6mo, 1y ago or a date on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="T", help="Up to this date or time ago.")
    ] = None,
    benchmark: Annotated[
        str | None, typer.Option("-b", "--benchmark", metavar="NAME", help="Only this benchmark.")
    ] = None,
    form: Annotated[
        str, typer.Option("-f", "--format", help="terminal, html, json or csv.")
    ] = "terminal",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="[html: trend.html; else stdout]"),
    ] = None,
    store: Annotated[str | None, typer.Option(metavar="URL", help="Which store.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as -f json.")] = False,
) -> int:
    """Show all runs over time, with intervals, and what changed; no model is asked."""
    from safemark.cli._moment import moment
    from safemark.reports.trend import trend as read
    from safemark.store import Store

    if form not in FORMATS:
        raise UnknownName("trend format", form, FORMATS)
    begin = None if since is None else moment(since)
    end = None if until is None else moment(until)
    opened = Store(store)
    try:
        found = read(opened, model, since=begin, until=end, benchmark=benchmark)
    finally:
        opened.close()
    _print(found, "json" if as_json else form, output)
    return 0


def _print(found: "Trend", form: str, output: Path | None) -> None:
    if form == "json" and output is None:
        emit_json(found)
        return
    text = _text(found, form)
    if form == "html" or output is not None:
        written(output or Path("trend.html"), text)
    else:
        emit(text)


def _text(found: "Trend", form: str) -> str:
    if form == "html":
        from safemark.reports.trend_html import trend_html

        return trend_html(found)
    if form == "json":
        import msgspec

        return msgspec.json.format(msgspec.json.encode(found)).decode()
    from safemark.reports.trend_text import trend_csv, trend_terminal

    return trend_csv(found) if form == "csv" else trend_terminal(found, width())


def written(path: Path, text: str) -> None:
    """Write a report, and say where.

    Raises:
        StoreError: the file cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror}", "name another file with -o"
        ) from error
    say(f"written: {path}")
