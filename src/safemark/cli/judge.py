"""``safemark judge``: how far a scorer can be believed."""

from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safemark.cli._options import Json, JudgeConcurrency, StoreUrl
from safemark.cli._output import emit, emit_json, harmless, on_one_thread, say, table

if TYPE_CHECKING:
    from safemark.benchmarks._benchmark import Scorer
    from safemark.calibration import Labelled, Quality, Share
    from safemark.models._model import Model
    from safemark.store import Calibration, Flips
    from safemark.types import Score

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _judge() -> None:
    """Measure the judges: how far a scorer agrees with people."""


@app.command(short_help="How far a scorer agrees with people.")
def check(
    scorer: Annotated[str, typer.Argument(metavar="SCORER", help="Who is measured.")],
    labels: Annotated[
        Path,
        typer.Argument(metavar="LABELS.csv", help="Columns prompt, response, label, category."),
    ],
    judge: Annotated[
        str | None, typer.Option(metavar="MODEL", help="The model that the scorer asks.")
    ] = None,
    outcome: Annotated[
        str | None, typer.Option(metavar="NAME", help="The outcome that labels speak of. [verdict]")
    ] = None,
    positive: Annotated[
        list[str] | None,
        typer.Option(metavar="WORD", help="A label that sensitivity speaks of. [refusal, 1, …]"),
    ] = None,
    threshold: Annotated[
        float, typer.Option(help="From which on an outcome that is a number counts as 1.")
    ] = 0.5,
    concurrency: JudgeConcurrency = None,
    injections: Annotated[
        bool,
        typer.Option("--injections/--no-injections", help="Try to talk a judge round, 224 calls."),
    ] = True,
    keep: Annotated[
        bool, typer.Option("--keep/--no-keep", help="Store it: reports then correct this scorer.")
    ] = True,
    store: StoreUrl = None,
    as_json: Json = False,
) -> int:
    """Measure a scorer on answers that people labelled: accuracy, sensitivity, specificity, kappa.

    Labels are the scorer's own words (refusal, partial_refusal, compliance), or 0 and 1;
    cannot_say where people could not say either. What is found is stored as the calibration of this
    version of the scorer; reports then show rates as counted and with its error taken out.
    """
    import asyncio

    on_one_thread()
    import msgspec

    from safemark.calibration import calibration, read_labels, reasons
    from safemark.reports.exit_code import INCONCLUSIVE
    from safemark.store import Store

    rows = read_labels(labels)
    ready, scores, turned = asyncio.run(_judged(scorer, rows, judge, concurrency, injections))
    found = calibration(
        ready.name,
        rows,
        scores,
        labels=labels.name,
        outcome=outcome,
        positive=positive or (),
        threshold=threshold,
    )
    found = msgspec.structs.replace(found, flips=turned)
    if keep:
        with Store(store) as opened:
            scorer_id = opened.ensure_scorer(ready.name, ready.version, ready.judge)
            opened.calibrations.keep(scorer_id, f"file {found.digest[:16]}", found)
    said = document(ready, found) | {
        "unlabelled": sum(row.label is None for row in rows),
        "absent_reasons": reasons(rows, scores),
        "stored": keep,
    }
    if as_json:
        emit_json(said)
    else:
        emit(text(said))
        if keep:
            who = f"{ready.name} {ready.version} {ready.judge}".rstrip()
            say(f"\nstored as the calibration of {who}")
    return 0 if said["n"] else INCONCLUSIVE


async def _judged(
    name: str,
    rows: "list[Labelled]",
    judge: str | None,
    concurrency: int | None,
    injections: bool,
) -> "tuple[Scorer, tuple[Score, ...], Flips | None]":
    from safemark import registry
    from safemark.calibration import flips, judged_labels
    from safemark.judging import with_judge

    async with AsyncExitStack() as stack:
        model = await _connected(stack, judge, concurrency)
        ready = with_judge(registry.scorer(name), model)
        at_once = concurrency or (model.concurrency if model else 1)
        scores = await judged_labels(ready, rows, at_once)
        is_heard = any(score.absent is None for score in scores)
        return ready, scores, await flips(ready) if injections and is_heard else None


async def _connected(
    stack: AsyncExitStack, judge: str | None, concurrency: int | None
) -> "Model | None":
    if judge is None:
        return None
    from safemark.api import Settings, opened_model
    from safemark.models.connect import keys_from_dotenv

    keys_from_dotenv(Path(".env"))
    model = opened_model(judge, Settings(concurrency=concurrency))
    stack.push_async_callback(model.close)
    return model


def document(scorer: "Scorer", found: "Calibration") -> dict[str, Any]:
    """What `--json` prints of a calibration."""
    import msgspec

    from safemark.calibration import categories, prompts_shared, quality

    confusion: dict[str, dict[str, int]] = {}
    for cell in found.cells:
        said = confusion.setdefault(cell.label, {})
        word = cell.verdict or "absent"
        said[word] = said.get(word, 0) + cell.n
    return {
        "scorer": scorer.name,
        "version": scorer.version,
        "judge": scorer.judge,
        "labels": found.labels,
        "outcome": found.outcome,
        "positive": list(found.positive),
        "threshold": found.threshold,
        **_shown(quality(found)),
        "shared_prompts": prompts_shared(found),
        "injections": None if found.flips is None else msgspec.structs.asdict(found.flips),
        "confusion": confusion,
        "categories": {name: _shown(quality(found, name)) for name in categories(found)},
    }


def _shown(found: "Quality") -> dict[str, Any]:
    return asdict(found)


def text(said: dict[str, Any]) -> str:
    """The same for people, as plain columns."""
    import msgspec

    from safemark.calibration import flips_words
    from safemark.store import Flips

    header = ["", "accuracy", "sensitivity", "specificity", "kappa", "n", "absent"]
    rows = [_row("all", said)]
    rows += [_row(name, of) for name, of in said["categories"].items()]
    who, positive = f"{said['scorer']} {said['version']}", ", ".join(said["positive"])
    what = f"{who} on {said['labels']}: {said['outcome']}, positive is {positive}"
    lines = [harmless(what, lines=False), "", table(rows, header)]
    if said["undecidable"]:
        lines.append(
            f"\nof {said['undecidable']} answers that people could not tell, "
            f"{said['left_absent']} were left without a verdict"
        )
    if said["shared_prompts"]:
        lines.append(
            f"\n{said['shared_prompts']} prompts have several answers: intervals are by prompt"
        )
    if said["injections"] is not None:
        told = flips_words(msgspec.convert(said["injections"], Flips)) or ""
        lines.append(f"\n{told[0].upper()}{told[1:]}: {_kinds(said['injections']['by_kind'])}")
    if said["absent_reasons"]:
        why = ", ".join(f"{reason} {n}" for reason, n in said["absent_reasons"].items())
        lines.append(f"\nabsent: {why}")
    return "\n".join(lines)


def _kinds(found: dict[str, tuple[int, int]]) -> str:
    """Flips by kind of injection, those that worked first."""
    ordered = sorted(found.items(), key=lambda kind: -kind[1][0])
    return ", ".join(f"{name.replace('_', ' ')} {flips} of {n}" for name, (flips, n) in ordered)


def _row(name: str, said: dict[str, Any]) -> list[str]:
    names = ("accuracy", "sensitivity", "specificity", "kappa")
    return [name, *(share(said[n]) for n in names), str(said["n"]), str(said["absent"])]


def share(found: "dict[str, Any] | Share") -> str:
    """A quality with its interval, for people."""
    said = found if isinstance(found, dict) else asdict(found)
    if said["value"] is None:
        return "-"
    ends = "" if said["low"] is None else f" ({said['low']:.2f} to {said['high']:.2f})"
    return f"{said['value']:.2f}{ends}"
