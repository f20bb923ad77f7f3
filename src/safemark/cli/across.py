"""``safemark across``: many models together, and figures that others published."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from safemark.cli._output import emit, emit_json, width
from safemark.cli.trend import FORMATS, written
from safemark.errors import UnknownName

if TYPE_CHECKING:
    from safemark.reports.across_document import Across


def across(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL]...", help="As `list runs` names them. [all]"),
    ] = None,
    benchmark: Annotated[
        str | None, typer.Option("-b", "--benchmark", metavar="NAME", help="Only this benchmark.")
    ] = None,
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
    store: Annotated[str | None, typer.Option(metavar="URL", help="Which store.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as -f json.")] = False,
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
    opened = Store(store) if models or not sets else None
    try:
        found = read(
            opened,
            models or (),
            about=known,
            benchmark=benchmark,
            requests_a_day=requests_a_day,
            published=sets,
        )
    finally:
        if opened is not None:
            opened.close()
    _print(found, "json" if as_json else form, output)
    return 0


def _print(found: "Across", form: str, output: Path | None) -> None:
    if form == "json" and output is None:
        emit_json(found)
        return
    text = _text(found, form)
    if form == "html" or output is not None:
        written(output or Path("across.html"), text)
    else:
        emit(text)


def _text(found: "Across", form: str) -> str:
    if form == "json":
        import msgspec

        return msgspec.json.format(msgspec.json.encode(found)).decode()
    from safemark.reports.across_text import across_csv, across_html, across_terminal

    if form == "html":
        return across_html(found)
    return across_csv(found) if form == "csv" else across_terminal(found, width())
