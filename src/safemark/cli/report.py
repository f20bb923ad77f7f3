"""``safemark report``: the scorecard of a stored run, in the format that is needed."""

from pathlib import Path
from typing import Annotated

import typer

from safemark.cli._output import emit, emit_json, say
from safemark.errors import StoreError, UnknownName

FORMATS = ("html", "md", "json")


def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, its beginning, or last.")],
    form: Annotated[str, typer.Option("-f", "--format", help="html, md or json.")] = "html",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="[html: scorecard.html; else stdout]"),
    ] = None,
    store: Annotated[str | None, typer.Option(metavar="URL", help="Which store.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as -f json.")] = False,
) -> int:
    """Write the scorecard of a stored run; no model is asked."""
    from safemark.store import Store

    if form not in FORMATS:
        raise UnknownName("report format", form, FORMATS)
    opened = Store(store)
    try:
        from safemark.reports.scorecard import document

        found = document(opened, opened.run(run))
    finally:
        opened.close()
    if as_json or form == "json":
        if output is None:
            emit_json(found)
        else:
            import msgspec

            _write(output, msgspec.json.format(msgspec.json.encode(found)).decode())
        return 0
    if form == "md":
        from safemark.reports.markdown import markdown

        text = markdown(found)
        if output is None:
            emit(text)
            return 0
    else:
        from safemark.reports.html import html

        text, output = html(found), output or Path("scorecard.html")
    _write(output, text)
    return 0


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror}", "name another file with -o"
        ) from error
    say(f"written: {path}")
