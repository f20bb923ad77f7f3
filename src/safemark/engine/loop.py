"""The loop: ask, judge, store; nothing lost, nothing asked twice, memory that does not grow."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from safemark.benchmarks._benchmark import Scorer
from safemark.engine.asking import Item, asked
from safemark.engine.part import AskKeys, Part
from safemark.engine.progress import Ending, Progress
from safemark.engine.writing import Writer
from safemark.judging import BATCH, is_settled, rejudge, scored, unjudged
from safemark.lights import ALLOWED_ABSENT
from safemark.models._model import Model
from safemark.store import Entry, Kept, Store
from safemark.types import Reason, Score, Transcript


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
        self._writer = Writer(store)
        self._transient: Counter[int] = Counter()

    async def run(self, parts: Sequence[Part]) -> Ending:
        items = self._items(parts)
        if self._reuse:
            items = self._with_replies(items)
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
            for index, unrendered in part.task.unrendered():
                sample = part.task.way.render(unrendered)
                for repeat in range(repeats):
                    position = index * repeats + repeat
                    key = keys(sample, repeat)
                    found = kept.pop(position, None)
                    if found is not None and found.ask_key == key and needs_no_asking(found):
                        self._progress.kept += 1
                        self._note_absence(part, found.score_absent)
                        continue
                    is_again = found is not None
                    yield Item(part, position, key, sample, unrendered, repeat, is_again)

    def _with_replies(self, items: Iterator[Item]) -> Iterator[Item]:
        """The same, with what other runs were answered to the same; looked up a batch at a time."""
        while some := list(islice(items, BATCH)):
            known = self._store.replies([item.ask_key for item in some])
            for item in some:
                yield replace(item, known=known.get(item.ask_key))

    async def _finished(self, item: Item) -> Entry | None:
        """The item asked and judged; None when it was not asked after all."""
        part = item.part
        name = part.task.benchmark.name
        self._progress.now_asking = self._progress.now_asking or name
        transcript = await asked(item, self._model, self._end_of)
        if transcript.absent is Reason.NOT_ASKED:
            self._end(Ending("budget", transcript.why))
            return None
        if transcript.absent is not None and transcript.absent.opens_circuit:
            self._end(Ending("failed", transcript.why))
        score = await self._scored(item, transcript, part.task.way.scorer)
        further = [
            (scorer_id, await self._scored(item, transcript, scorer))
            for scorer, scorer_id in part.also
        ]
        self._note_absence(part, score.absent)
        self._progress.count(transcript)
        self._progress.now_asking = name
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
            tuple(further),
        )

    async def _scored(self, item: Item, transcript: Transcript, scorer: Scorer) -> Score:
        reading = item.part.reading(scorer)
        return await scored(scorer, item.sample, transcript, self._end_of, reading)

    def _end_of(self, ending: tuple[str, str]) -> None:
        self._end(Ending(*ending))

    def _end(self, ending: Ending) -> None:
        if self._ending is None:
            self._ending = ending

    def _note_absence(self, part: Part, reason: str | None) -> None:
        if reason is not None:
            self._progress.absent += 1
            self._transient[part.stored.id] += Reason(reason).is_worth_retrying

    async def _rejudge(self, parts: Sequence[Part]) -> None:
        """Judge again what was answered but not judged; the model is not asked."""
        for part in parts:
            for scorer, scorer_id in ((part.task.way.scorer, part.scorer_id), *part.also):
                waiting = unjudged(self._store, part.stored.id, scorer_id)
                # the first goes alone: a judge's wrong key is then one request, not a hundred
                for some, at_once in ((waiting[:1], 1), (waiting[1:], scorer.at_once)):
                    if some and self._ending is None:
                        place = (self._store, part.stored.id, scorer, scorer_id, some)
                        await rejudge(
                            *place,
                            at_once=at_once,
                            ended=self._end_of,
                            reading=part.reading(scorer),
                        )
