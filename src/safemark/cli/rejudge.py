"""``safemark rejudge``: new scores on stored replies."""

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from safemark.cli._output import emit, emit_json, harmless, say, table

if TYPE_CHECKING:
    from safemark.engine import Ending
    from safemark.models._model import Model
    from safemark.rejudging import Rejudged
    from safemark.store import Store, StoredRun


def rejudge(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, its beginning, or last.")],
    scorer: Annotated[
        str | None,
        typer.Option("--with", metavar="SCORER", help="Who judges. [each benchmark's own]"),
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="The model that such scorers ask who need one."),
    ] = None,
    benchmark: Annotated[
        str | None, typer.Option("-b", "--benchmark", help="Only this benchmark.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Judgements in flight. [as the judge likes]")
    ] = None,
    store: Annotated[str | None, typer.Option(metavar="URL", help="Which store.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Judge stored replies once more; the model that gave them is asked nothing.

    The scores are kept beside the earlier ones: `safemark report RUN --scorer NAME` shows either.
    """
    from safemark.reports.exit_code import INCONCLUSIVE, INTERRUPTED
    from safemark.store import Store

    opened = Store(store)
    try:
        found = opened.run(run)
        done, ending = asyncio.run(_judged(opened, found, scorer, judge, benchmark, concurrency))
    finally:
        opened.close()
    if as_json:
        emit_json({"run": found.id, "status": ending.status, "why": ending.why, "judged": done})
    else:
        _show(found, done, ending)
    if ending.status == "interrupted":
        say("\nstopped; what is judged is stored. Repeat the command to continue.")
        return INTERRUPTED
    return 0 if ending.status == "complete" else INCONCLUSIVE


async def _judged(
    store: "Store",
    run: "StoredRun",
    scorer: str | None,
    judge: str | None,
    benchmark: str | None,
    concurrency: int | None,
) -> "tuple[list[Rejudged], Ending]":
    from safemark.api import stopping_on_signals
    from safemark.cli._progress import shown
    from safemark.rejudging import Watched, judge_again

    watched = Watched()
    async with AsyncExitStack() as stack:
        model = await _connected(stack, judge, concurrency)
        stack.enter_context(
            stopping_on_signals(watched.stop, lambda: say("\nstopping … (again to quit at once)"))
        )
        await stack.enter_async_context(shown(watched.progress))
        return await judge_again(
            store, run, scorer=scorer, judge=model, benchmark=benchmark, watched=watched
        )


async def _connected(
    stack: AsyncExitStack, judge: str | None, concurrency: int | None
) -> "Model | None":
    if judge is None:
        return None
    from pathlib import Path

    from safemark.api import Settings, opened_model
    from safemark.models.connect import keys_from_dotenv

    keys_from_dotenv(Path(".env"))
    model = opened_model(judge, Settings(concurrency=concurrency))
    stack.push_async_callback(model.close)
    return model


def _show(run: "StoredRun", done: "list[Rejudged]", ending: "Ending") -> None:
    rows = [
        [one.benchmark, one.asked, one.scorer, *map(str, (one.judged, one.absent, one.waiting))]
        for one in done
    ]
    emit(table(rows, ["benchmark", "asked by", "scorer", "judged", "absent", "waiting"]))
    if ending.why:
        say(f"\n{ending.status}: {harmless(ending.why)}")
    elif not any(one.judged for one in done):
        say("\nnothing was left to judge: every reply has a score by that scorer, in that version")
    else:
        say(f"\nsafemark report {run.id} --scorer NAME shows a report of these scores")
