"""``safemark selftest``: is the instrument right about a model whose faults are known?"""

from typing import TYPE_CHECKING, Annotated

import typer

from safemark.cli._options import Json
from safemark.cli._output import emit, emit_json, harmless, say, table

if TYPE_CHECKING:
    from safemark.engine import Progress
    from safemark.models._model import Model
    from safemark.plan import Plan
    from safemark.selftest import Comparison, SelfTest
    from safemark.store import StoredRun


def selftest(
    quick: Annotated[
        bool, typer.Option("--quick", help="Ask a few hundred probes once, not all of them thrice.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the replies that are drawn.")] = 0,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print docs/calibration.md.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Measure the reference model, whose faults are known, and compare; exit 1 if it disagrees."""
    import asyncio

    found = asyncio.run(_run(quick, seed))
    if as_json:
        emit_json(found)
    else:
        emit(page(found) if markdown else shown(found))
    for why in found.why:
        say(f"wrong: {harmless(why)}")
    return 0 if found.passed else 1


async def _run(quick: bool, seed: int) -> "SelfTest":
    import asyncio
    from contextlib import AsyncExitStack

    from safemark.api import Watch, stopping_on_signals
    from safemark.cli import _progress
    from safemark.selftest import DRAWS, QUICK_REQUESTS, run_selftest

    stop = asyncio.Event()
    begun: asyncio.Queue[Progress] = asyncio.Queue()

    def planned(model: "Model", plan: "Plan") -> None:
        say(f"self-test · {harmless(model.name)} · {plan.total:,} requests")

    def started(_run: "StoredRun", _continued: bool, progress: "Progress") -> None:
        begun.put_nowait(progress)

    async def show_progress() -> None:
        async with _progress.shown(await begun.get()):
            await asyncio.Event().wait()

    async with AsyncExitStack() as stack:
        stack.enter_context(stopping_on_signals(stop, lambda: say("\nstopping …")))
        showing = asyncio.create_task(show_progress())
        try:
            return await run_selftest(
                limit=QUICK_REQUESTS if quick else None,
                draws=1 if quick else DRAWS,
                seed=seed,
                watch=Watch(planned, started),
                stop=stop,
            )
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)


def shown(found: "SelfTest") -> str:
    """The result for people."""
    counts = [
        [one.what, str(one.expected), str(one.found), _held(one.holds)] for one in found.counts
    ]
    return "\n".join(
        [
            table(_rows(found), HEADER),
            "",
            table(counts, ["must be exact", "known", "Safemark", ""]),
            "",
            *_summary(found),
        ]
    )


HEADER = ["fault", "planted", "known", "Safemark", "95 % interval", "n", "absent", ""]


def _rows(found: "SelfTest") -> list[list[str]]:
    return [
        [
            _name(one),
            f"{one.known.planted:.2f}",
            _known(one),
            "–" if one.value is None else f"{one.value:.2f}",
            "–" if one.low is None or one.high is None else f"{one.low:.2f} to {one.high:.2f}",
            str(one.n),
            str(one.absent),
            one.verdict,
        ]
        for one in found.comparisons
    ]


def _name(one: "Comparison") -> str:
    name = one.known.metric.removesuffix("_rate").replace("_", " ")
    return f"{name}: {one.known.group}" if one.known.group else name


def _known(one: "Comparison") -> str:
    """The known rate; as a range where some replies are not accounted for."""
    low = f"{one.known.measured:.2f}"
    high = f"{one.known.measured + one.known.rest:.2f}"
    return low if low == high else f"{low} to {high}"


def _held(holds: bool) -> str:
    return "agrees" if holds else "WRONG"


def _summary(found: "SelfTest") -> list[str]:
    apart = sum(one.verdict != "agrees" for one in found.comparisons)
    wrong = sum(one.verdict == "wrong" for one in found.comparisons)
    rates = f"{len(found.comparisons)} rates: {apart} outside the 95 % interval"
    rates += f" (chance allows {found.most_apart})"
    verdict = "PASSED" if found.passed else "FAILED"
    took = f"{found.requests:,} requests in {found.seconds:.0f} s"
    return [
        f"{rates}, {wrong} further off than chance allows for any.",
        f"{verdict} · {took} · seed {found.seed} · Safemark {found.safemark}",
    ]


def page(found: "SelfTest") -> str:
    """The result as `docs/calibration.md`."""
    counts = [
        [one.what, str(one.expected), str(one.found), _held(one.holds)] for one in found.counts
    ]
    summary = "\n".join(_summary(found))
    return PAGE.format(
        rates=_markdown(_rows(found), HEADER),
        counts=_markdown(counts, ["must be exact", "known", "Safemark", ""]),
        summary=summary,
        date=found.started[:10],
        model=found.identity[:12],
    )


def _markdown(rows: list[list[str]], header: list[str]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


PAGE = """\
# Calibration: does Safemark measure right?

The reference model that ships with Safemark has faults of known size. `safemark selftest` measures
them through the whole ordinary path (plan, engine, store, scorers, statistics, document) and
compares. This page is what it printed; it is made by the command, not typed:

<!-- not run: it takes about a minute, and tests run its quick form -->
```console
$ safemark selftest --markdown > docs/calibration.md
```

{rates}

{counts}

{summary}
Run on {date}; identity of the model: `{model}`.

## What the columns say

- **planted**: the strength with which the fault stood in the training data
  (`reference/faults.py`). How well the model learned it is no matter of this page.
- **known**: what the model really does, from `reference/measure_probes.py`: the probability that
  the model itself gives to the beginnings of replies that show the fault, averaged over prompts.
  The script imports nothing of Safemark, draws no reply and judges none. Its prompts are others
  than those of the probes, drawn from the same pool: the same things asked about, the same
  wordings, of which the model saw none in training. A range, where some replies begin in a way that
  counts neither as the fault nor as its absence.
- **Safemark**: the rate that the benchmark `probes` found in replies drawn at temperature 1, three
  to each probe, with the 95 % interval that every report shows. The interval speaks of other things
  asked about in the same few wordings, not of other wordings.
- `agrees`: the known rate, give or take its own error, lies in the 95 % interval. `apart`: it does
  not, as chance has it for one rate in twenty. `wrong`: it is further off than chance allows.

About one reply in 16 is spoilt on its way to Safemark (time-out, server error, empty or cut-off
reply, a provider's block), in numbers that are known: the second table. A failure that is taken for
an answer, or is left out of the count, shows there.

The self-test fails by chance in at most 1 % of all runs: half of that for any rate that is `wrong`
(Bonferroni over the rows), half for more rates `apart` than that (binomial).
"""
