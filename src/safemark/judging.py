"""A scorer's word on a transcript: when it has just come back, and again when it is stored.

Whatever goes wrong with one judgement becomes an absent score with its reason. The model that
answered is not known here and is asked nothing; a judge model is known to the scorer alone.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

from safemark.attacks._attack import as_read
from safemark.attacks._success import Level, facts
from safemark.benchmarks._benchmark import Scorer
from safemark.errors import CallFailed, StoreError, UsageError
from safemark.models._model import Model
from safemark.scorers._judge.votes import Rule, several
from safemark.secrets import masked
from safemark.store import Kept, Store, Text
from safemark.types import Reason, Sample, Score, Transcript

T = TypeVar("T")

BATCH = 256
"""So many finished samples are stored together, or what there is after `FLUSH_S` seconds."""

FLUSH_S = 0.5


@dataclass(frozen=True, slots=True)
class Reading:
    """How a scorer's words on the attempts of an attack become one score.

    ``level`` says how far an attempt got what it was after; the last attempt counts where there
    is none. ``tells`` what the attack took, among the outcomes.
    """

    level: Level | None = None
    tells: bool = False


PLAIN = Reading()


async def judged(
    scorer: Scorer, sample: Sample, transcript: Transcript, reading: Reading = PLAIN
) -> Score:
    """The scorer's word on a transcript; an absent transcript is an absent score."""
    if transcript.absent is not None:
        told = facts(transcript, [None] * len(transcript.attempts)) if reading.tells else {}
        return Score(told, transcript.absent, transcript.why)
    read = as_read(transcript)
    if reading.level is not None and (reading.tells or len(read.attempts) > 1):
        return await _at_any_attempt(scorer, sample, read, reading.level, reading.tells)
    return await _word(scorer, sample, read)


async def _word(scorer: Scorer, sample: Sample, transcript: Transcript) -> Score:
    score = scorer.score(sample, transcript)
    return await score if inspect.isawaitable(score) else score


_NO_HARM = (Reason.EMPTY_REPLY, Reason.CUT_OFF, Reason.CUT_OFF_THINKING)
"""Replies that hold nothing hold no harm; one that was blocked could have."""


async def _at_any_attempt(
    scorer: Scorer, sample: Sample, transcript: Transcript, level: Level, tells: bool
) -> Score:
    """The score of the attempt that got furthest; each attempt is judged by itself.

    One that got all the way decides. Otherwise one that could not be judged could have.

    Raises:
        CallFailed: the judge cannot be asked any more, and no attempt decides.
    """
    places = [i for i, attempt in enumerate(transcript.attempts) if attempt.absent is None]
    alone = [Transcript((transcript.attempts[place],)) for place in places]
    # the first goes alone: a judge's wrong key is then one request, whatever the attack tried
    words = [await attempted(_word(scorer, sample, alone[0]))]
    words += await asyncio.gather(*(attempted(_word(scorer, sample, one)) for one in alone[1:]))
    scores = [
        Score({}, word.reason, word.why) if isinstance(word, Failed) else word for word in words
    ]
    levels: list[float | None] = [None] * len(transcript.attempts)
    for place, score in zip(places, scores, strict=True):
        levels[place] = level(sample, score.outcomes) if score.absent is None else None
    told = facts(transcript, levels) if tells else {}
    found = _furthest(places, scores, levels)
    if found.absent is not None:
        for word in words:
            if isinstance(word, Failed) and word.failure is not None and word.ends_all:
                raise word.failure
    return msgspec.structs.replace(found, outcomes={**found.outcomes, **told})


def _furthest(
    places: Sequence[int], scores: Sequence[Score], levels: Sequence[float | None]
) -> Score:
    pairs = list(zip(places, scores, strict=True))
    known = [(place, score) for place, score in pairs if score.absent is None]
    unknown = [
        (place, score)
        for place, score in pairs
        if score.absent is not None and score.absent not in _NO_HARM
    ]

    def reached(pair: tuple[int, Score]) -> tuple[float, int]:
        found = levels[pair[0]]
        return (-1.0, pair[0]) if found is None else (found, -pair[0])

    best = max(known, key=reached, default=None)
    if best is not None and (reached(best)[0] >= 1.0 or not unknown):
        return _of_attempt(*best, len(pairs))
    if unknown:
        place, score = unknown[0]
        return _of_attempt(place, score, len(pairs))
    return scores[0]


def _of_attempt(place: int, score: Score, of: int) -> Score:
    if of == 1:
        return score
    return msgspec.structs.replace(score, why=f"attempt {place + 1}: {score.why}")


async def scored(
    scorer: Scorer,
    sample: Sample,
    transcript: Transcript,
    ended: Callable[[tuple[str, str]], None] = lambda _ending: None,
    reading: Reading = PLAIN,
) -> Score:
    """The same, absent where the scorer itself fails.

    ``ended`` is told a run's status and why, where the judge cannot be asked any more.
    """
    found = await attempted(judged(scorer, sample, transcript, reading))
    if isinstance(found, Score):
        return found
    if found.ending is not None:
        ended(found.ending)
    elif found.reason.opens_circuit:
        ended(("failed", found.why))
    return Score({}, found.reason, found.why)


@dataclass(frozen=True, slots=True)
class Failed:
    """Why something gave nothing."""

    reason: Reason
    why: str
    ending: tuple[str, str] | None = None
    failure: CallFailed | None = None

    @property
    def ends_all(self) -> bool:
        """Whether asking on is of no use."""
        return self.ending is not None or self.reason.opens_circuit


async def attempted(work: Awaitable[T]) -> T | Failed:
    """What ``work`` gives, or why it gives nothing: a failed sample is data, not a crash.

    Raises:
        StoreError: the store is failing, and with it every other sample.
    """
    try:
        return await work
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - the one broad except: one sample, not the run
        failure = error if isinstance(error, CallFailed) else None
        return Failed(*_reason(error), failure=failure)


def _reason(error: Exception) -> tuple[Reason, str, tuple[str, str] | None]:
    if isinstance(error, CallFailed):
        why = f"{error.problem}; {error.hint}" if error.hint else error.problem
        if error.retries:
            why += f" (after {error.retries} retries)"
        return error.reason, why, error.ending
    return Reason.INTERNAL_ERROR, masked(f"{type(error).__name__}: {error}"), None


def is_settled(kept: Kept) -> bool:
    """Whether a stored sample needs nothing any more."""
    if kept.transcript_absent is not None:
        return not Reason(kept.transcript_absent).is_worth_retrying
    if not kept.is_scored:
        return False
    return kept.score_absent is None or not Reason(kept.score_absent).is_worth_retrying


def unjudged(store: Store, part_id: int, scorer_id: int) -> list[int]:
    """Positions of what was answered and has no settled score by that scorer yet, in order."""
    kept = store.kept(part_id, scorer_id)
    return sorted(
        position
        for position, found in kept.items()
        if found.transcript_absent is None and not is_settled(found)
    )


async def rejudge(
    store: Store,
    part_id: int,
    scorer: Scorer,
    scorer_id: int,
    positions: Sequence[int],
    *,
    at_once: int = 1,
    told: Callable[[Score], None] = lambda _score: None,
    stop: asyncio.Event | None = None,
    ended: Callable[[tuple[str, str]], None] = lambda _ending: None,
    reading: Reading = PLAIN,
) -> None:
    """Judge stored replies at these positions, few in memory at a time.

    What is finished is stored however this ends, so that what is left can be judged later.

    Args:
        at_once: judgements under way together; more than one helps where a judge model is asked.
        told: called with each new score.
        stop: set it to end after what is under way.
        ended: told a run's status and why, where the judge cannot be asked any more.
        reading: how the attempts of an attack are read.

    Raises:
        StoreError: the store cannot be read or written.
    """
    finished: list[tuple[int, Score]] = []
    stored_at = time.monotonic()
    texts = _texts(store, part_id, positions)

    def keep() -> None:
        nonlocal stored_at
        if finished:
            store.rescore(part_id, scorer_id, finished)
            finished.clear()
        stored_at = time.monotonic()

    async def work() -> None:
        for position, text in texts:
            if stop is not None and stop.is_set():
                return
            score = await scored(scorer, text.sample, text.transcript, ended, reading)
            finished.append((position, score))
            told(score)
            if len(finished) >= BATCH or time.monotonic() - stored_at > FLUSH_S:
                keep()
                await asyncio.sleep(0)  # rules never wait: others want their turn

    working = [asyncio.create_task(work()) for _ in range(at_once)]
    try:
        await asyncio.gather(*working)
    finally:
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        keep()


def _texts(store: Store, part_id: int, positions: Sequence[int]) -> Iterator[tuple[int, Text]]:
    for begin in range(0, len(positions), BATCH):
        some = positions[begin : begin + BATCH]
        for position, _, _, text in list(store.texts(part_id, positions=some)):
            yield position, text


def with_judge(scorer: Scorer, model: Model | None) -> Scorer:
    """``scorer`` ready to judge: with ``model`` as its judge, where it needs one.

    Raises:
        UsageError: it needs a judge and there is none, or the other way round.
    """
    if scorer.with_judge is None:
        if model is not None:
            raise UsageError(
                f"`{scorer.name}` judges by rules: there is nothing to ask {model.name}",
                "leave out --judge, or name a scorer that asks a judge",
            )
        return scorer
    if model is None:
        raise UsageError(
            f"`{scorer.name}` asks a model to judge, and none was named",
            "--judge MODEL, for example --judge openai/gpt-4o-mini",
        )
    made = scorer.with_judge(model)
    return replace(made, judge=judge_name(model), with_judge=None, at_once=model.concurrency)


def judge_name(model: Model) -> str:
    """A judge as records call it: its name, and the beginning of its identity."""
    return f"{model.name} {model.identity.digest[:12]}"


NO_JUDGE = "no judge given: --judge MODEL"


@dataclass(frozen=True, slots=True)
class Judges:
    """The models that judge, and by which rule several of them decide."""

    models: tuple[Model, ...] = ()
    rule: Rule = "majority"

    def ready(self, scorer: Scorer) -> Scorer:
        """``scorer`` as it is where rules judge, else with these judges.

        Raises:
            UsageError: it needs a judge and there is none.
        """
        if scorer.with_judge is None:
            return scorer
        if len(self.models) < 2:
            return with_judge(scorer, self.models[0] if self.models else None)
        panel = [(model, judge_name(model)) for model in self.models]
        made = several(scorer, panel, self.rule)
        return replace(made, at_once=min(model.concurrency for model in self.models))

    def can(self, scorer: Scorer) -> bool:
        """Whether ``scorer`` has all that it needs."""
        return scorer.with_judge is None or bool(self.models)
