"""``safemark across``: many models together, and figures that others published."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from safemark.cli._options import JsonForm, OneBenchmark, StoreUrl
from safemark.cli._output import put, put_json, width
from safemark.cli.trend import FORMATS
from safemark.errors import UnknownName

if TYPE_CHECKING:
    from safemark.reports.across_document import Across


def across(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="MODEL", help="As `list runs` names them. [all]"),
    ] = None,
    benchmark: OneBenchmark = None,
    about: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML: capability, size, open, reasoning, sibling."),
    ] = None,
    published: Annotated[
        list[str] | None,
        typer.Option(
            "--published", metavar="NAME", help="Figures of others: lamb-bench, … or all."
        ),
    ] = None,
    requests_a_day: Annotated[
        int, typer.Option("--requests", min=1, metavar="N", help="Failures in so many a day.")
    ] = 10_000,
    form: Annotated[
        str, typer.Option("-f", "--format", help="terminal, html, json or csv.")
    ] = "terminal",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="[html: across.html; else stdout]"),
    ] = None,
    store: StoreUrl = None,
    as_json: JsonForm = False,
) -> int:
    """Compare models as a field: spread, failures a day, what goes with safety; none is asked."""
    from safemark.reports.across import about_from
    from safemark.reports.across import across as read
    from safemark.reports.published import published_sets
    from safemark.store import Store

    if form not in FORMATS:
        raise UnknownName("format", form, FORMATS)
    sets = sorted(published_sets()) if published == ["all"] else published or []
    known = {} if about is None else about_from(about)
    with Store(store) if models or not sets else nullcontext() as opened:
        found = read(
            opened,
            models or (),
            about=known,
            benchmark=benchmark,
            requests_a_day=requests_a_day,
            published=sets,
        )
    _print(found, "json" if as_json else form, output)
    return 0


def _print(found: "Across", form: str, output: Path | None) -> None:
    if form == "json":
        put_json(found, output)
    else:
        put(_text(found, form), output or (Path("across.html") if form == "html" else None))


def _text(found: "Across", form: str) -> str:
    from safemark.reports.across_text import across_csv, across_html, across_terminal

    if form == "html":
        return across_html(found)
    return across_csv(found) if form == "csv" else across_terminal(found, width())
