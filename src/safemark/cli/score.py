"""``safemark score``: recorded outputs, judged; no model is asked for them."""

from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from safemark.cli._options import Json
from safemark.cli._output import emit, emit_json, on_one_thread, say, table

if TYPE_CHECKING:
    from safemark.benchmarks._benchmark import Scorer
    from safemark.models._model import Model
    from safemark.outputs import Columns
    from safemark.reports.scored import ScoredDocument, ScorerDocument

DEFAULT = "toxicity,pii,refusal"


def score(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="JSON Lines, JSON, CSV or TSV; - reads stdin.")
    ],
    with_: Annotated[str, typer.Option("--with", metavar="SCORER,…", help="Who judges.")] = DEFAULT,
    out: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="A line for each output.")
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="The model that such scorers ask who need one."),
    ] = None,
    response: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="What holds the output. [the usual names]")
    ] = None,
    prompt: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="What holds the question.")
    ] = None,
    category: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="What to tell rates apart by.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Judge outputs that were recorded elsewhere: rates with their intervals, absent ones counted.

    `safemark list scorers` shows who judges. What cannot be judged is absent, with its reason.
    """
    import asyncio

    from safemark.outputs import Columns
    from safemark.reports.exit_code import INCONCLUSIVE

    on_one_thread()
    columns = Columns(prompt, response, category)
    found = asyncio.run(_scored(file, columns, _names(with_), judge, out))
    if as_json:
        emit_json(found)
    else:
        _show(found)
    return 0 if any(one.n for one in found.scorers) else INCONCLUSIVE


def _names(given: str) -> list[str]:
    """Scorers between commas; an argument may hold commas of its own, as ``contains:a,b`` does."""
    from safemark import registry

    known = registry.names("scorer")
    names: list[str] = []
    for part in given.split(","):
        if names and ":" in names[-1] and part.partition(":")[0].strip() not in known:
            names[-1] += "," + part
        elif part.strip():
            names.append(part.strip())
    return list(dict.fromkeys(names))


async def _scored(
    file: Path, columns: "Columns", names: list[str], judge: str | None, out: Path | None
) -> "ScoredDocument":
    import msgspec

    from safemark import __version__
    from safemark.cli._progress import shown
    from safemark.engine import Progress
    from safemark.errors import UsageError
    from safemark.outputs import read
    from safemark.reports.scored import Tally, document, line
    from safemark.scoring import score_outputs
    from safemark.secrets import scrubbed_bytes

    progress = Progress()
    async with AsyncExitStack() as stack:
        model = await _judge(stack, judge)
        tallies = [Tally(_scorer(name, model)) for name in names]
        if not tallies:
            raise UsageError("no scorer is named", "--with toxicity,pii")
        written = stack.enter_context(_opened(out))
        await stack.enter_async_context(shown(progress))
        scorers = [tally.scorer for tally in tallies]
        async for one, scores in score_outputs(read(file, columns), scorers):
            for tally in tallies:
                tally.add(one.sample, scores[tally.scorer.name])
            progress.done += 1
            progress.absent += all(score.absent is not None for score in scores.values())
            if written is not None:
                encoded = msgspec.json.encode(line(one.line, one.sample, scores))
                written.write(scrubbed_bytes(encoded) + b"\n")
    if progress.finished == 0:
        raise UsageError(f"{file} holds no output", "one row for each: see docs/scorers.md")
    if out is not None:
        say(f"written: {out}")
    return document(file.name, __version__, progress.finished, tallies)


def _scorer(name: str, model: "Model | None") -> "Scorer":
    """A scorer ready to judge; ``model`` is for those alone who ask one."""
    from safemark import registry
    from safemark.judging import with_judge

    found = registry.scorer(name)
    return with_judge(found, model if found.with_judge is not None else None)


async def _judge(stack: AsyncExitStack, judge: str | None) -> "Model | None":
    if judge is None:
        return None
    from safemark.api import Settings, opened_model
    from safemark.models.connect import keys_from_dotenv

    keys_from_dotenv(Path(".env"))
    model = opened_model(judge, Settings())
    stack.push_async_callback(model.close)
    return model


@contextmanager
def _opened(path: Path | None) -> Iterator[BinaryIO | None]:
    """The file that lines go into, None where there is none.

    Raises:
        StoreError: it cannot be written.
    """
    from safemark.errors import StoreError

    if path is None:
        yield None
        return
    try:
        with path.open("wb") as file:
            yield file
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror}", "name another file with -o"
        ) from error


def _show(found: "ScoredDocument") -> None:
    for one in found.scorers:
        reasons = ", ".join(
            f"{why.replace('_', ' ')} {n:,}" for why, n in one.absent_reasons.items()
        )
        absent = f"{one.absent:,} absent" + (f" ({reasons})" if reasons else "")
        emit(f"{one.scorer}: {one.n:,} scored, {absent}")
        if rows := _rows(one):
            emit(
                table(
                    rows,
                    ["rate", "group", "value", "95 % interval", "outer interval", "n", "absent"],
                )
            )
        if one.trust:
            emit(f"trust: {one.trust}")
        emit("")
    for why in found.left_out:
        say(f"not shown: {why}")


def _rows(one: "ScorerDocument") -> list[list[str]]:
    from safemark.reports.templates import wording

    return [
        [
            metric.label,
            metric.group or "",
            wording.reading(metric),
            wording.interval(metric),
            wording.outer(metric),
            f"{metric.n:,}",
            f"{metric.absent:,}",
        ]
        for metric in one.metrics
    ]
