"""``safemark rejudge``: new scores on stored replies."""

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from safemark.cli._judge import pairs, voting_rule
from safemark.cli._options import (
    Json,
    JudgeConcurrency,
    JudgeOptions,
    JudgeRule,
    OneBenchmark,
    RunId,
    StoreUrl,
)
from safemark.cli._output import emit, emit_json, harmless, say, table

if TYPE_CHECKING:
    from safemark.api import Settings
    from safemark.engine import Ending
    from safemark.judging import Judges
    from safemark.plan import Request
    from safemark.rejudging import Rejudged
    from safemark.store import Store, StoredRun


def rejudge(
    run: RunId,
    scorer: Annotated[
        str | None,
        typer.Option("--with", metavar="SCORER", help="Who judges. [each benchmark's own]"),
    ] = None,
    judge: Annotated[
        list[str] | None,
        typer.Option("--judge", metavar="MODEL", help="Who is asked; several vote."),
    ] = None,
    judge_options: JudgeOptions = None,
    judge_rule: JudgeRule = None,
    benchmark: OneBenchmark = None,
    concurrency: JudgeConcurrency = None,
    store: StoreUrl = None,
    as_json: Json = False,
) -> int:
    """Judge stored replies once more; the model that gave them is asked nothing.

    The scores are kept beside the earlier ones: `safemark report RUN --scorer NAME` shows either.
    Exit code 3 where the judge could not be asked, or more of its verdicts failed in passing than a
    report allows: repeating the command judges these again.
    """
    import asyncio

    from safemark.api import Settings
    from safemark.plan import Request
    from safemark.reports.exit_code import INCONCLUSIVE, INTERRUPTED
    from safemark.store import Store

    options = pairs(judge_options or [], "--judge-option")
    if concurrency is not None:
        options["concurrency"] = str(concurrency)
    settings = Settings(judge_options=options)
    request = Request(judge=tuple(judge or ()), judge_rule=voting_rule(judge_rule))
    with Store(store) as opened:
        found = opened.run(run)
        done, ending = asyncio.run(_judged(opened, found, scorer, benchmark, request, settings))
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
    benchmark: str | None,
    request: "Request",
    settings: "Settings",
) -> "tuple[list[Rejudged], Ending]":
    from safemark.api import stopping_on_signals
    from safemark.cli._progress import shown
    from safemark.rejudging import Watched, judge_again

    watched = Watched()
    async with AsyncExitStack() as stack:
        judges = _connected(stack, run, request, settings)
        stack.enter_context(
            stopping_on_signals(watched.stop, lambda: say("\nstopping … (again to quit at once)"))
        )
        await stack.enter_async_context(shown(watched.progress))
        return await judge_again(
            store, run, scorer=scorer, judges=judges, benchmark=benchmark, watched=watched
        )


def _connected(
    stack: AsyncExitStack, run: "StoredRun", request: "Request", settings: "Settings"
) -> "Judges":
    """The judges; the model whose replies are judged is one only by its own name."""
    from pathlib import Path

    from safemark.api import check_not_itself, opened_judges
    from safemark.models.connect import keys_from_dotenv

    if not request.judge:
        from safemark.judging import Judges

        return Judges()
    keys_from_dotenv(Path(".env"))
    judges = opened_judges(request.judge, settings, request)
    for model in judges.models:
        stack.push_async_callback(model.close)
    check_not_itself(run.model, run.identity, judges)
    return judges


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
