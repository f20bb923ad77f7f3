"""The loop: ask, judge, store; nothing lost, nothing asked twice, memory that does not grow.

A bounded number of samples is in flight. Whatever goes wrong with one sample becomes an absent
outcome with its reason. The first answer that says that every further one would fail (a wrong
key, an unknown model, a spent budget) ends the asking. One writer stores in batches. GPUs,
retries, budgets and reports are not known here.
"""

import asyncio
import hashlib
import inspect
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from safemark.benchmarks._benchmark import Scorer
from safemark.errors import CallFailed, StoreError
from safemark.lights import ALLOWED_ABSENT
from safemark.models._model import Model
from safemark.plan import Task
from safemark.store import Entry, Kept, PartBody, Store, StoredPart
from safemark.types import Ask, Attempt, Reason, Sample, Score, Transcript, Usage

T = TypeVar("T")
Search = Callable[[Sample, Model, Ask], Awaitable[Transcript]]

BATCH = 256
"""So many finished samples are stored together, or what there is after `FLUSH_S` seconds."""

FLUSH_S = 0.5


@dataclass(slots=True)
class Progress:
    """Where a run stands; the loop counts, whoever shows it reads."""

    total: int = 0
    kept: int = 0
    done: int = 0
    absent: int = 0
    tokens: int = 0
    cost_usd: float | None = None
    began: float = field(default_factory=time.monotonic)
    now_asking: str = ""

    @property
    def finished(self) -> int:
        """Samples that need nothing any more, earlier runs' included."""
        return self.kept + self.done

    @property
    def per_s(self) -> float | None:
        """Samples per second so far, None before the first."""
        seconds = time.monotonic() - self.began
        return self.done / seconds if self.done and seconds > 0 else None

    @property
    def left_s(self) -> float | None:
        """Seconds to the end at this rate."""
        return None if self.per_s is None else (self.total - self.finished) / self.per_s


@dataclass(frozen=True, slots=True)
class Ending:
    """How the loop ended: ``complete``, ``budget``, ``interrupted`` or ``failed``, and why."""

    status: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A task with its place in the store."""

    task: Task
    attack: str
    search: Search
    stored: StoredPart
    scorer_id: int


@dataclass(frozen=True, slots=True)
class Item:
    """One sample to be asked; ``replaces`` an absent try that is stored already."""

    part: Part
    position: int
    ask_key: bytes
    sample: Sample
    repeat: int
    replaces: bool


def part_body(task: Task, judge: str = "") -> PartBody:
    """What the store keeps of a task."""
    return PartBody(
        planned=dict(task.planned),
        scorer=task.way.scorer.name,
        scorer_version=task.way.scorer.version,
        judge=judge,
        in_benchmark=task.in_benchmark,
        selection=task.selection,
        partial=task.partial,
        digests=dict(task.digests),
        notes=task.notes,
        ask=task.ask,
    )


class AskKeys:
    """`ask_key`: one key for everything that decides what is asked, and nothing else.

    Model identity, how to ask, benchmark version, way, attack, the rendered sample, the repeat.
    How many samples are asked beside it is no part of it.
    """

    def __init__(self, identity: str, task: Task, attack: str) -> None:
        fixed = (
            identity,
            task.ask,
            task.benchmark.name,
            task.benchmark.version,
            task.way.name,
            attack,
        )
        self._begun = hashlib.blake2b(msgspec.json.encode(fixed), digest_size=16)
        self._encoder = msgspec.json.Encoder()

    def __call__(self, sample: Sample, repeat: int) -> bytes:
        key = self._begun.copy()
        key.update(self._encoder.encode((sample, repeat)))
        return key.digest()


def score_key(ask_key: bytes, scorer: Scorer, judge: str = "") -> str:
    """What makes two scores the same: the ask, the scorer and the judge, with versions."""
    parts = (ask_key.hex(), scorer.name, scorer.version, judge)
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def is_settled(kept: Kept) -> bool:
    """Whether a stored sample needs nothing any more."""
    if kept.transcript_absent is not None:
        return not Reason(kept.transcript_absent).is_worth_retrying
    if not kept.is_scored:
        return False
    return kept.score_absent is None or not Reason(kept.score_absent).is_worth_retrying


def needs_no_asking(kept: Kept) -> bool:
    """Whether a stored sample is answered, or its absence settled; its score may yet be missing."""
    return kept.transcript_absent is None or is_settled(kept)


async def ask_all(
    parts: Sequence[Part],
    model: Model,
    store: Store,
    *,
    identity: str,
    progress: Progress,
    stop: asyncio.Event,
    reuse: bool = False,
) -> Ending:
    """Ask and judge everything in ``parts`` that the store does not hold yet.

    Setting ``stop`` ends the asking; what is finished by then is stored. With ``reuse``, replies
    of other runs to identical asks are taken instead of asking.

    Raises:
        StoreError: the store cannot be written; what was stored before stays.
    """
    loop = _Loop(model, store, identity, progress, stop, reuse)
    return await loop.run(parts)


class _Loop:
    """One pass over the parts; holds what the workers share."""

    def __init__(
        self,
        model: Model,
        store: Store,
        identity: str,
        progress: Progress,
        stop: asyncio.Event,
        reuse: bool,
    ) -> None:
        self._model = model
        self._store = store
        self._identity = identity
        self._progress = progress
        self._stop = stop
        self._reuse = reuse
        self._ending: Ending | None = None
        self._writer = _Writer(store)
        self._transient: Counter[int] = Counter()

    async def run(self, parts: Sequence[Part]) -> Ending:
        items = self._items(parts)
        workers = min(self._model.concurrency, max(1, self._progress.total))
        flusher = asyncio.create_task(self._writer.keep_flushing())
        try:
            await self._until_done([self._rejudge(parts)])
            # the first one goes alone: a wrong key is then one request, not a hundred
            await self._until_done([self._work(items, most=1)])
            await self._until_done([self._work(items) for _ in range(workers)])
        finally:
            flusher.cancel()
            await self._writer.flush()
        if self._stop.is_set() and self._ending is None:
            return Ending("interrupted", "stopped by hand")
        return self._ending or self._outage(parts) or Ending("complete")

    def _outage(self, parts: Sequence[Part]) -> Ending | None:
        """Not complete: more than the allowed share of a part failed for a passing reason."""
        for part in parts:
            failed = self._transient[part.stored.id]
            if failed > ALLOWED_ABSENT * part.task.total:
                name = part.task.benchmark.name
                why = f"{failed:,} of {part.task.total:,} answers to {name} failed in passing"
                return Ending("failed", f"{why}; repeat the command to ask for them again")
        return None

    async def _until_done(self, jobs: Sequence[Coroutine[None, None, None]]) -> None:
        """Until all are done, or one fails, or `stop` is set; then the others are let go."""
        tasks = [asyncio.create_task(job) for job in jobs]
        stopping = asyncio.create_task(self._stop.wait())
        running: set[asyncio.Task[None]] = set(tasks)
        try:
            while running and not self._stop.is_set():
                waited: set[asyncio.Task[Any]] = {*running, stopping}
                done, _ = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
                running -= done
                if any(not task.cancelled() and task.exception() for task in done):
                    break
        finally:
            for task in (*tasks, stopping):
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if result is not None and not isinstance(result, asyncio.CancelledError):
                raise result

    async def _work(self, items: Iterator[Item], most: int | None = None) -> None:
        while most is None or most > 0:
            if self._stop.is_set() or self._ending is not None:
                return
            item = next(items, None)
            if item is None:
                return
            entry = await self._finished(item)
            if entry is not None:
                await self._writer.put(entry)
            most = None if most is None else most - 1

    def _items(self, parts: Sequence[Part]) -> Iterator[Item]:
        """What is left to ask; kept samples are counted on the way."""
        for part in parts:
            kept = self._store.kept(part.stored.id, part.scorer_id)
            keys = AskKeys(self._identity, part.task, part.attack)
            repeats = part.task.repeats
            self._progress.now_asking = part.task.benchmark.name
            for index, sample in part.task.samples():
                for repeat in range(repeats):
                    position = index * repeats + repeat
                    key = keys(sample, repeat)
                    found = kept.pop(position, None)
                    if found is not None and found.ask_key == key and needs_no_asking(found):
                        self._progress.kept += 1
                        self._note_absence(part, found.score_absent)
                        continue
                    yield Item(part, position, key, sample, repeat, found is not None)

    async def _finished(self, item: Item) -> Entry | None:
        """The item asked and judged; None when it was not asked after all."""
        part = item.part
        transcript = await self._transcript(item)
        if transcript.absent is Reason.NOT_ASKED:
            self._end(Ending("budget", transcript.why))
            return None
        if transcript.absent is not None and transcript.absent.opens_circuit:
            self._end(Ending("failed", transcript.why))
        score = await _score(part, item.sample, transcript)
        self._note_absence(part, score.absent)
        self._count(transcript)
        return Entry(
            part.stored.id,
            item.position,
            item.ask_key,
            item.sample,
            item.repeat,
            transcript,
            part.scorer_id,
            score,
            item.replaces,
        )

    async def _transcript(self, item: Item) -> Transcript:
        """What came of asking, or, with ``reuse``, of asking the same before."""
        if self._reuse:
            known = self._store.replies([item.ask_key])
            if item.ask_key in known:
                return _for_free(known[item.ask_key])
        part, sample = item.part, item.sample
        ask = part.task.ask
        if item.repeat:
            ask = msgspec.structs.replace(ask, draw=item.repeat)
        found = await _attempted(part.search(sample, self._model, ask))
        if isinstance(found, Transcript):
            return found
        attempt = Attempt(
            sample.messages,
            context=sample.context,
            continuations=sample.continuations,
            absent=found.reason,
            why=found.why,
        )
        return Transcript((attempt,))

    def _end(self, ending: Ending) -> None:
        if self._ending is None:
            self._ending = ending

    def _note_absence(self, part: Part, reason: str | None) -> None:
        if reason is not None:
            self._progress.absent += 1
            self._transient[part.stored.id] += Reason(reason).is_worth_retrying

    def _count(self, transcript: Transcript) -> None:
        progress = self._progress
        progress.done += 1
        for attempt in transcript.attempts:
            if attempt.reply is not None:
                usage = attempt.reply.usage
                progress.tokens += (usage.input_tokens or 0) + (usage.output_tokens or 0)
                if usage.cost_usd is not None:
                    progress.cost_usd = (progress.cost_usd or 0.0) + usage.cost_usd

    async def _rejudge(self, parts: Sequence[Part]) -> None:
        """Judge again what was answered but not judged; the model is not asked."""
        for part in parts:
            kept = self._store.kept(part.stored.id, part.scorer_id)
            waiting = [
                position
                for position, found in sorted(kept.items())
                if found.transcript_absent is None and not is_settled(found)
            ]
            for begin in range(0, len(waiting), BATCH):
                some = waiting[begin : begin + BATCH]
                texts = list(self._store.texts(part.stored.id, positions=some))
                scores = [
                    (position, await _score(part, text.sample, text.transcript))
                    for position, _, _, text in texts
                ]
                self._store.rescore(part.stored.id, part.scorer_id, scores)


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
    return msgspec.structs.replace(transcript, attempts=attempts)


async def judged(scorer: Scorer, sample: Sample, transcript: Transcript) -> Score:
    """The scorer's word on a transcript; an absent transcript is an absent score."""
    if transcript.absent is not None:
        return Score({}, transcript.absent, transcript.why)
    score = scorer.score(sample, transcript)
    return await score if inspect.isawaitable(score) else score


async def _score(part: Part, sample: Sample, transcript: Transcript) -> Score:
    """The same, absent where the scorer itself fails."""
    found = await _attempted(judged(part.task.way.scorer, sample, transcript))
    return found if isinstance(found, Score) else Score({}, found.reason, found.why)


@dataclass(frozen=True, slots=True)
class _Failed:
    """Why something gave nothing."""

    reason: Reason
    why: str


async def _attempted(work: Awaitable[T]) -> T | _Failed:
    """What ``work`` gives, or why it gives nothing: a failed sample is data, not a crash.

    Raises:
        StoreError: the store is failing, and with it every other sample.
    """
    try:
        return await work
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - the one broad except: one sample, not the run
        return _Failed(*_reason(error))


def _reason(error: Exception) -> tuple[Reason, str]:
    if isinstance(error, CallFailed):
        why = f"{error.problem}; {error.hint}" if error.hint else error.problem
        if error.retries:
            why += f" (after {error.retries} retries)"
        return error.reason, why
    return Reason.INTERNAL_ERROR, f"{type(error).__name__}: {error}"


class _Writer:
    """Stores finished samples in batches, off the event loop, one batch at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[Entry] = []
        self._lock = asyncio.Lock()
        self._failure: StoreError | None = None

    async def put(self, entry: Entry) -> None:
        if self._failure is not None:
            raise self._failure
        self._waiting.append(entry)
        if len(self._waiting) >= BATCH:
            await self.flush()

    async def flush(self) -> None:
        async with self._lock:
            if self._failure is not None:
                raise self._failure
            batch, self._waiting = self._waiting, []
            if not batch:
                return
            storing = asyncio.create_task(asyncio.to_thread(self._store.append, batch))
            try:
                try:
                    await asyncio.shield(storing)
                except asyncio.CancelledError:
                    await storing  # a thread cannot be called back
                    raise
            except StoreError as failure:
                self._failure = failure
                raise

    async def keep_flushing(self) -> None:
        while self._failure is None:
            await asyncio.sleep(FLUSH_S)
            try:
                await self.flush()
            except StoreError:
                return
