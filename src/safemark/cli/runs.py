"""``safemark runs``: name runs, write them into files, remove them."""

import re
from pathlib import Path
from typing import Annotated

import typer

from safemark.cli._options import Json, StoreUrl
from safemark.cli._output import emit, emit_json, harmless, put, say, table
from safemark.errors import UnknownName, UsageError

app = typer.Typer(
    help="Name, export and remove stored runs.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def _root() -> None:
    """Name, export and remove stored runs."""


_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._/-]{0,79}")


@app.command("name", short_help="A name that stands for the id.")
def name(
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help="A run's id, its beginning, or last.")
    ] = None,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Such as main; it may move.")
    ] = None,
    remove: Annotated[
        str | None, typer.Option("--remove", metavar="NAME", help="Forget this name.")
    ] = None,
    store: StoreUrl = None,
    as_json: Json = False,
) -> int:
    """Give a run a name that commands take in place of its id; without arguments, list names."""
    from safemark.store import Store

    with Store(store) as opened:
        if remove is not None:
            if remove not in opened.run_names():
                raise UnknownName("name of a run", remove, opened.run_names())
            opened.forget_name(remove)
        elif run is not None:
            found = opened.run(run)
            opened.name_run(_checked(name), found.id)
            say(f"{name} is {found.id} ({harmless(found.model)})")
        names = opened.run_names()
    if as_json:
        emit_json(names)
    elif run is None and remove is None:
        if names:
            emit(table([[each, names[each]] for each in names], ["name", "run"]))
        else:
            say("no run has a name yet: `safemark runs name RUN NAME`")
    return 0


def _checked(name: str | None) -> str:
    if name is None:
        raise UsageError("a run is named with two words", "`safemark runs name RUN main`")
    if name == "last" or not _NAME.fullmatch(name):
        raise UsageError(
            f"a run cannot be called `{name}`",
            "begin with a letter; letters, digits, `.`, `_`, `-` and `/` may follow; not `last`",
        )
    return name


@app.command("export", short_help="Write a run as a baseline file.")
def export(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, name, or last.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="[stdout]")
    ] = None,
    store: StoreUrl = None,
    as_json: Annotated[  # noqa: ARG001 - it is JSON anyway
        bool, typer.Option("--json", help="It is JSON in any case.")
    ] = False,
) -> int:
    """Write a run as a baseline file: its document and what each sample came to, no text."""
    from safemark.reports.sides import baseline_text
    from safemark.store import Store

    with Store(store) as opened:
        text = baseline_text(opened, opened.run(run)).decode()
    put(text, output)
    return 0


@app.command("rm", short_help="Remove runs for good.")
def rm(
    runs: Annotated[list[str], typer.Argument(metavar="RUN", help="Ids of runs.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    store: StoreUrl = None,
    as_json: Json = False,
) -> int:
    """Remove runs and all their records; this cannot be undone."""
    import sys

    from safemark.evaluation import locked
    from safemark.store import Store

    with Store(store) as opened:
        found = [opened.run(run) for run in runs]
        if not yes:
            if not sys.stdin.isatty():
                raise UsageError("removing needs a yes", "say --yes")
            names = ", ".join(run.id for run in found)
            if not typer.confirm(f"remove {names}?", err=True):
                return 0
        for run in found:
            with locked(run.id) as is_idle:
                if not is_idle:
                    raise UsageError(f"{run.id} is being worked on", "stop it first (Ctrl-C)")
                opened.remove_run(run.id)
            say(f"removed {run.id}")
    if as_json:
        emit_json({"removed": [run.id for run in found]})
    return 0
