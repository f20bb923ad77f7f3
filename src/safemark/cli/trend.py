"""``safemark trend``: all runs over time, and where a level changed for certain."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from safemark.cli._options import JsonForm, OneBenchmark, StoreUrl
from safemark.cli._output import put, put_json, width
from safemark.errors import UnknownName

if TYPE_CHECKING:
    from safemark.reports.trend_document import Trend

FORMATS = ("terminal", "html", "json", "csv")


def trend(
    model: Annotated[
        str | None, typer.Argument(metavar="MODEL", help="As `list runs` names it. [all]")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="T", help="From 30d, 12w, 6mo, 1y ago or a date on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="T", help="Up to this date or time ago.")
    ] = None,
    benchmark: OneBenchmark = None,
    form: Annotated[
        str, typer.Option("-f", "--format", help="terminal, html, json or csv.")
    ] = "terminal",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="[html: trend.html; else stdout]"),
    ] = None,
    store: StoreUrl = None,
    as_json: JsonForm = False,
) -> int:
    """Show all runs over time, with intervals, and what changed; no model is asked."""
    from safemark.cli._moment import moment
    from safemark.reports.trend import trend as read
    from safemark.store import Store

    if form not in FORMATS:
        raise UnknownName("trend format", form, FORMATS)
    begin = None if since is None else moment(since)
    end = None if until is None else moment(until)
    with Store(store) as opened:
        found = read(opened, model, since=begin, until=end, benchmark=benchmark)
    _print(found, "json" if as_json else form, output)
    return 0


def _print(found: "Trend", form: str, output: Path | None) -> None:
    if form == "json":
        put_json(found, output)
    else:
        put(_text(found, form), output or (Path("trend.html") if form == "html" else None))


def _text(found: "Trend", form: str) -> str:
    if form == "html":
        from safemark.reports.trend_html import trend_html

        return trend_html(found)
    from safemark.reports.trend_text import trend_csv, trend_terminal

    return trend_csv(found) if form == "csv" else trend_terminal(found, width())
