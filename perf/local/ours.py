"""Safemark's side: a whole process that loads a model, scores every item of a file, and writes.

    python -m perf.local.ours MODEL ITEMS.jsonl OUT.jsonl [-M key=value …]

One JSON line on stdout tells what was computed. Items are asked as the engine asks them: as many
in flight as the model likes.
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from perf.local.items import Item, read
from safemark.cli.main import COLLECTED_AFTER, leave
from safemark.models.local import LocalModel, load
from safemark.types import Likelihood

if TYPE_CHECKING:
    from safemark.models.local.network import Network


async def scored(model: LocalModel, items: Sequence[Item]) -> list[tuple[Likelihood, ...]]:
    """The likelihoods of every item, in order."""
    found: dict[int, tuple[Likelihood, ...]] = {}
    waiting = iter(enumerate(items))

    async def ask() -> None:
        for number, item in waiting:
            found[number] = await model.loglikelihood(item.context, item.choices)

    await asyncio.gather(*(ask() for _ in range(min(model.concurrency, len(items)))))
    return [found[number] for number in range(len(items))]


def network_of(model: LocalModel) -> "Network":
    """What counts the tokens that are computed."""
    scorer = model._scorer  # noqa: SLF001  what is measured
    if scorer is None:
        raise RuntimeError(f"{model.name} is closed")
    return scorer.network


def main(folder: str, items: Path, out: Path, options: dict[str, str]) -> None:
    """Loads, scores, writes."""
    model = load(folder, options={"device": "cpu", **options})
    network = network_of(model)
    before = network.tokens_computed
    began, used = time.perf_counter(), time.process_time()
    found = asyncio.run(scored(model, read(items)))
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - used
    out.write_text(
        "".join(
            json.dumps([[one.logprob, one.is_greedy] for one in answers]) + "\n"
            for answers in found
        ),
        encoding="utf-8",
    )
    told = {
        "tokens_computed": network.tokens_computed - before,
        "scoring_wall_s": wall_s,
        "scoring_cpu_s": cpu_s,
        "notes": model.notes,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    _, folder, items, out, *given = sys.argv
    pairs = (word.split("=", 1) for word in given if word != "-M")
    gc.set_threshold(*COLLECTED_AFTER)  # as the command line begins and ends
    main(folder, Path(items), Path(out), dict(pairs))
    leave(0)
