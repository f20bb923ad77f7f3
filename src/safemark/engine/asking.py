"""One sample asked: attacked, sent, read; or taken from another run that asked the same."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from safemark.engine.part import Part
from safemark.judging import Failed, attempted
from safemark.models import effort
from safemark.models._model import Model
from safemark.types import Attempt, Sample, Transcript, Usage


@dataclass(frozen=True, slots=True)
class Item:
    """One sample to be asked, or ``known`` from another run's identical ask.

    ``unrendered`` is the sample before a way of asking and an attack made something of it. It
    ``replaces`` an absent try that is stored already.
    """

    part: Part
    position: int
    ask_key: bytes
    sample: Sample
    unrendered: Sample
    repeat: int
    replaces: bool
    known: Transcript | None = None


async def asked(item: Item, model: Model, end: Callable[[tuple[str, str]], None]) -> Transcript:
    """What came of asking, or of asking the same before.

    ``end`` is told a status and its why where a failure says that all further asking is vain.

    Raises:
        StoreError: the store is failing.
    """
    if item.known is not None:
        return _for_free(item.known)
    task = item.part.task
    ask = msgspec.structs.replace(task.ask, draw=item.repeat) if item.repeat else task.ask
    spent = effort.begin()
    watch = effort.Stopwatch()
    sample = item.sample
    if task.attack.rewrite is not None:
        made = await attempted(task.attacked(item.unrendered))
        if isinstance(made, Failed):
            return _with_effort(_not_made(made, end), spent)
        sample = made
    found = await attempted(item.part.search(sample, model, ask))
    if isinstance(found, Transcript):
        found = await attempted(task.attack.read(found))
    if isinstance(found, Failed):
        found = _failed(found, sample, watch.seconds, end)
    return _with_effort(found, spent)


def _not_made(failed: Failed, end: Callable[[tuple[str, str]], None]) -> Transcript:
    """An attack that could not be made: the target was not asked."""
    if failed.ending is not None:
        end(failed.ending)
    attempt = Attempt(absent=failed.reason, why=failed.why)
    return Transcript((attempt,), attacker_failures=(failed.why,))


def _failed(
    failed: Failed, sample: Sample, seconds: float, end: Callable[[tuple[str, str]], None]
) -> Transcript:
    """A question that nothing came of, or nothing that could be read."""
    if failed.ending is not None:
        end(failed.ending)
    attempt = Attempt(
        sample.messages,
        context=sample.context,
        continuations=sample.continuations,
        absent=failed.reason,
        why=failed.why,
        seconds=seconds,
    )
    return Transcript((attempt,))


def _with_effort(transcript: Transcript, spent: effort.Effort) -> Transcript:
    if not (spent.retries or spent.waited_s):
        return transcript
    return msgspec.structs.replace(
        transcript, retries=spent.retries, waited_s=round(spent.waited_s, 6)
    )


def _for_free(transcript: Transcript) -> Transcript:
    """The same, at no cost: it was paid for in the run that asked."""
    attempts = tuple(
        msgspec.structs.replace(
            attempt,
            seconds=0.0,
            reply=attempt.reply and msgspec.structs.replace(attempt.reply, usage=Usage()),
        )
        for attempt in transcript.attempts
    )
    return msgspec.structs.replace(transcript, attempts=attempts, retries=0, waited_s=0.0)
