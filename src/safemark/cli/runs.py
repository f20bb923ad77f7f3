"""``safemark runs``: keep the store tidy."""

from typing import Annotated

import typer

from safemark.cli._output import emit_json, say
from safemark.errors import UsageError

app = typer.Typer(help="Remove stored runs.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _root() -> None:
    """Remove stored runs."""


@app.command("rm")
def rm(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Ids of runs.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    store: Annotated[str | None, typer.Option(metavar="URL", help="Which store.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Remove runs and all their records; this cannot be undone."""
    import sys

    from safemark.evaluation import locked
    from safemark.store import Store

    opened = Store(store)
    try:
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
    finally:
        opened.close()
    if as_json:
        emit_json({"removed": [run.id for run in found]})
    return 0
