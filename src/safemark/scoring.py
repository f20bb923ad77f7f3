"""Scorers' words on recorded outputs, in their order, few in memory at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from safemark.benchmarks._benchmark import Scorer
from safemark.judging import scored
from safemark.outputs import Output
from safemark.types import Score

AT_ONCE = 256
"""So many outputs are read, judged and let go of together."""


async def score_outputs(
    outputs: Iterable[Output],
    scorers: Sequence[Scorer],
    *,
    concurrency: int = 32,
    told: Callable[[Mapping[str, Score]], None] = lambda _scores: None,
) -> AsyncIterator[tuple[Output, Mapping[str, Score]]]:
    """Each output with every scorer's word on it; a scorer that fails is absent, with its reason.

    Args:
        concurrency: outputs under way together, for scorers that wait for somebody.
        told: called with the scores of each output as they are there.
    """
    room = asyncio.Semaphore(concurrency)

    async def judged(output: Output) -> Mapping[str, Score]:
        async with room:
            scores = {
                scorer.name: await scored(scorer, output.sample, output.transcript)
                for scorer in scorers
            }
        told(scores)
        return scores

    for some in _parts(iter(outputs)):
        found = await asyncio.gather(*(judged(output) for output in some))
        for output, scores in zip(some, found, strict=True):
            yield output, scores


def _parts(outputs: Iterator[Output]) -> Iterator[list[Output]]:
    while some := list(islice(outputs, AT_ONCE)):
        yield some
