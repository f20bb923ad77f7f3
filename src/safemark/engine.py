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
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from safemark.benchmarks._benchmark import Scorer
from safemark.errors import CallFailed, StoreError
from safemark.models._model import Model
from safemark.plan import Task
from safemark.store import Entry, Kept, PartBody, Store, StoredPart
from safemark.types import Ask, Attempt, Reason, Sample, Score, Transcript

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

    async def run(self, parts: Sequence[Part]) -> Ending:
        for part in parts:
            await self._rejudge(part)
        items = self._items(parts)
        flusher = asyncio.create_task(self._writer.keep_flushing())
        try:
            # the first one goes alone: a wrong key is then one request, not a hundred
            await self._work(items, most=1)
            workers = [
                asyncio.create_task(self._work(items)) for _ in range(self._model.concurrency)
            ]
            await self._until_done(workers)
            await self._writer.flush()
        finally:
            flusher.cancel()
        if self._stop.is_set() and self._ending is None:
            return Ending("interrupted", "stopped by hand")
        return self._ending or Ending("complete")

    async def _until_done(self, workers: list[asyncio.Task[None]]) -> None:
        stopping = asyncio.create_task(self._stop.wait())
        working = asyncio.gather(*workers)
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if self._stop.is_set() and self._ending is None:
                for worker in workers:
                    worker.cancel()
            results = await asyncio.gather(*workers, return_exceptions=True)
        finally:
            stopping.cancel()
        for result in results:
            if isinstance(result, BaseException) and not isinstance(
                result, asyncio.CancelledError
            ):
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
                    if found is not None and found.ask_key == key and is_settled(found):
                        self._progress.kept += 1
                        self._progress.absent += found.score_absent is not None
                        continue
                    yield Item(part, position, key, sample, repeat, found is not None)

    async def _finished(self, item: Item) -> Entry | None:
        """The item asked and judged; None when it was not asked after all."""
        part, transcript = item.part, None
        ask = part.task.ask
        if item.repeat:
            ask = msgspec.structs.replace(ask, draw=item.repeat)
        try:
            if self._reuse:
                transcript = self._store.replies([item.ask_key]).get(item.ask_key)
            if transcript is None:
                transcript = await part.search(item.sample, self._model, ask)
            score = await judged(part.task.way.scorer, item.sample, transcript)
        except Exception as error:  # the one broad except: a failed sample is data, not a crash
            reason, why = _reason(error)
            if transcript is None:
                attempt = Attempt(
                    item.sample.messages,
                    context=item.sample.context,
                    continuations=item.sample.continuations,
                    absent=reason,
                    why=why,
                )
                transcript = Transcript((attempt,))
            score = Score({}, reason, why)
        if transcript.absent is Reason.NOT_ASKED:
            self._end(Ending("budget", transcript.why))
            return None
        if transcript.absent is not None and transcript.absent.opens_circuit:
            self._end(Ending("failed", transcript.why))
        self._count(transcript, score)
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

    def _end(self, ending: Ending) -> None:
        if self._ending is None:
            self._ending = ending

    def _count(self, transcript: Transcript, score: Score) -> None:
        progress = self._progress
        progress.done += 1
        progress.absent += score.absent is not None
        for attempt in transcript.attempts:
            if attempt.reply is not None:
                usage = attempt.reply.usage
                progress.tokens += (usage.input_tokens or 0) + (usage.output_tokens or 0)
                if usage.cost_usd is not None:
                    progress.cost_usd = (progress.cost_usd or 0.0) + usage.cost_usd

    async def _rejudge(self, part: Part) -> None:
        """Judge again what was answered but not judged; the model is not asked."""
        kept = self._store.kept(part.stored.id, part.scorer_id)
        waiting = {
            position
            for position, found in kept.items()
            if found.transcript_absent is None and not is_settled(found)
        }
        if not waiting:
            return
        scores: list[tuple[int, Score]] = []
        for position, _, _, text in self._store.texts(part.stored.id, positions=waiting):
            try:
                score = await judged(part.task.way.scorer, text.sample, text.transcript)
            except CallFailed as failure:
                score = Score({}, *_reason(failure))
            scores.append((position, score))
        self._store.rescore(part.stored.id, part.scorer_id, scores)


async def judged(scorer: Scorer, sample: Sample, transcript: Transcript) -> Score:
    """The scorer's word on a transcript; an absent transcript is an absent score."""
    if transcript.absent is not None:
        return Score({}, transcript.absent, transcript.why)
    score = scorer.score(sample, transcript)
    return await score if inspect.isawaitable(score) else score


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
            batch, self._waiting = self._waiting, []
            if not batch:
                return
            try:
                await asyncio.to_thread(self._store.append, batch)
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
