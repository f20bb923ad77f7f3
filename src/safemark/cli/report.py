"""``safemark report``: the scorecard of a stored run, in the format that is needed."""

from pathlib import Path
from typing import Annotated

import typer

from safemark.cli._options import JsonForm, RunId, StoreUrl
from safemark.cli._output import put, put_json
from safemark.errors import UnknownName

FORMATS = ("html", "md", "json")


def report(
    run: RunId,
    form: Annotated[str, typer.Option("-f", "--format", help="html, md or json.")] = "html",
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="- is stdout. [html: scorecard.html; else -]"
        ),
    ] = None,
    scorer: Annotated[
        str | None,
        typer.Option(metavar="NAME[@VERSION]", help="Whose scores. [the benchmark's own]"),
    ] = None,
    store: StoreUrl = None,
    as_json: JsonForm = False,
) -> int:
    """Write the scorecard of a stored run; no model is asked."""
    from safemark.store import Store

    if form not in FORMATS:
        raise UnknownName("report format", form, FORMATS)
    with Store(store) as opened:
        from safemark.reports.scorecard import document

        found = document(opened, opened.run(run), scorer)
    if as_json or form == "json":
        put_json(found, output)
    elif form == "md":
        from safemark.reports.markdown import markdown

        put(markdown(found), output)
    else:
        from safemark.reports.html import html

        put(html(found), output or Path("scorecard.html"))
    return 0
