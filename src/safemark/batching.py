"""A run whose questions go to a provider's batch API: handed in, waited for, collected.

    requests not stored yet  →  batches handed in  →  answers collected  →  the ordinary run

Everything is kept beside the run before it is relied on, so a command that is repeated goes on
where the last one ended, however that ended; nothing is handed in twice. What was collected is
found by the ordinary run (`Collected`), which judges and stores it as any other answer.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from safemark.attacks._attack import Search
from safemark.engine import AskKeys, Part, needs_no_asking
from safemark.errors import CallFailed, SafemarkError, UsageError
from safemark.evaluation import claimed, locked, parts_of, spec_key
from safemark.models._faults import Refused
from safemark.models._model import Identity, Model
from safemark.models.batch.collected import Collected, RequestKeys
from safemark.models.batch.service import (
    MOST_BYTES,
    MOST_REQUESTS,
    BatchService,
    Request,
    Standing,
    batch_service,
    http_model,
)
from safemark.plan import Plan
from safemark.secrets import masked
from safemark.store import BatchJob, Line, Store, now
from safemark.store.batches import State
from safemark.types import Ask, Messages, Reason, Reply, Sample

POLL_S = 30.0
"""So often a batch is looked at while it is waited for."""

MOST_TRIES = 2
"""A request that failed in passing goes into so many batches; then it is asked by itself."""

_KEPT_TOGETHER = 500
_AROUND_A_REQUEST = 300
_WORDS_OF_STATE = {"submitted": "are handed in", "found": "are handed in"}


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch as the provider shows it."""

    id: str
    status: str
    done: int
    failed: int
    total: int


@dataclass(frozen=True, slots=True)
class Advance:
    """How far a run by batch is; ``is_ready`` for the ordinary run when nothing is waited for."""

    run: str
    is_ready: bool
    batches: tuple[Batch, ...] = ()

    @property
    def waiting(self) -> int:
        """Requests that are handed in and not answered yet."""
        return sum(batch.total - batch.done - batch.failed for batch in self.batches)


async def advance(
    model: Model,
    plan: Plan,
    spec: dict[str, Any],
    store: Store,
    *,
    fresh: bool = False,
    reuse: bool = False,
    wait: bool = False,
    stop: asyncio.Event | None = None,
    tell: Callable[[str], None] = lambda _message: None,
    service: BatchService | None = None,
) -> Advance:
    """Bring a run by batch as far as it goes now: hand in, look, collect.

    Args:
        fresh: start a new run even where an unfinished one could be continued.
        reuse: what other runs were answered to identical asks is not handed in.
        wait: look again and again until nothing is waited for, or ``stop`` is set.
        tell: is told what happens, in sentences.

    Raises:
        UsageError: it cannot be asked by batch, or another process works on this very command.
        SafemarkError: the provider refuses a batch, or does not answer.
    """
    refuse_impossible(model, plan)
    if not fresh:
        _refuse_company(store, spec)
    opened = service or batch_service(model)
    try:
        noted = Collected(model, lambda _key: None)
        with claimed(noted, plan, spec, store, fresh) as (run, _):
            why = "what a batch brought is not judged yet"
            try:
                work = _Work(model, store, run.id, parts_of(store, run, plan), opened, tell, reuse)
                found = await work.go(wait, stop or asyncio.Event())
            except SafemarkError as error:
                why = error.problem
                raise
            else:
                if not found.is_ready:
                    why = f"waiting for a batch: {found.waiting:,} requests"
                return found
            finally:
                store.set_status(run.id, "interrupted", why)
    finally:
        await opened.close()


def with_collected(model: Model, spec: Mapping[str, Any], store: Store) -> Model:
    """``model``, answering from what batches brought for the unfinished run of this command.

    Raises:
        UsageError: a batch is still under way.
    """
    for run in store.unfinished(spec_key(spec)):
        jobs = store.batches.jobs(run.id)
        is_open = [job for job in jobs if job.is_open]
        if is_open:
            requests = sum(len(job.keys) for job in is_open)
            state = _WORDS_OF_STATE.get(is_open[0].state, "may have been handed in")
            raise UsageError(
                f"{requests:,} requests of run {run.id} {state} as a batch",
                "add --batch to look for the answers, or --new to start anew without them",
            )
        if jobs:
            return Collected(model, partial(store.batches.line, run.id))
    return model


def refuse_impossible(model: Model, plan: Plan) -> None:
    """Refuse what no batch can ask.

    Raises:
        UsageError: the model has no batches, a benchmark is asked by likelihood, or an attack asks
            as it goes.
    """
    for task in plan.tasks:
        if task.attack.search is not None or task.attack.helped_by:
            raise UsageError(
                f"the attack `{task.attack.name}` asks as it goes, which no batch can",
                "leave --batch away, or the attack",
            )
        if task.way.converse is not None:
            raise UsageError(
                f"`{task.benchmark.name}` asks over several turns, which no batch can",
                "leave --batch away, or the benchmark",
            )
    if http_model(model) is None:
        raise UsageError(
            f"{model.name} cannot be asked by batch",
            "batches are for openai/… and anthropic/…; leave --batch away",
        )
    for task in plan.tasks:
        if task.way.needs != "reply":
            name = task.benchmark.name
            others = [way.name for way in task.benchmark.ways if way.needs == "reply"]
            hint = f"ask it as -b {name}:{others[0]}" if others else "leave it out"
            raise UsageError(f"`{name}` is asked by likelihood, which no batch gives", hint)


def _refuse_company(store: Store, spec: Mapping[str, Any]) -> None:
    """Two processes on one command would hand everything in twice."""
    for run in store.unfinished(spec_key(spec)):
        with locked(run.id) as is_ours:
            if not is_ours:
                raise UsageError(
                    f"another process works on run {run.id} of this command", "wait for it to end"
                )


class _Work:
    """One pass over a run's batches; the run is locked meanwhile."""

    def __init__(
        self,
        model: Model,
        store: Store,
        run_id: str,
        parts: Sequence[Part],
        service: BatchService,
        tell: Callable[[str], None],
        reuse: bool,
    ) -> None:
        self._model = model
        self._store = store
        self._batches = store.batches
        self._run_id = run_id
        self._parts = parts
        self._service = service
        self._tell = tell
        self._reuse = reuse
        self._asks: dict[bytes, Ask] = {}

    async def go(self, wait: bool, stop: asyncio.Event) -> Advance:
        self._asks = {request.key: request.ask async for request in self._requests()}
        while True:
            await self._settle()
            under_way = await self._look()
            if any(job.state == "submitting" for job in self._batches.jobs(self._run_id)):
                continue
            if not under_way:
                wanted = self._outstanding()
                if not wanted:
                    return Advance(self._run_id, is_ready=True)
                await self._hand_in(wanted)
                under_way = await self._look()
            if under_way and (not wait or await _stopped(stop, POLL_S)):
                return Advance(self._run_id, is_ready=False, batches=tuple(under_way))

    async def _requests(self) -> AsyncIterator[Request]:
        """What is left to ask, as it will be asked."""
        identity = self._model.identity.digest
        keys = RequestKeys(identity)
        for part in self._parts:
            kept = self._store.kept(part.stored.id, part.scorer_id)
            ask_keys = AskKeys(identity, part.task, part.attack)
            asks = [_drawn(part.task.ask, repeat) for repeat in range(part.task.repeats)]
            for index, unrendered in part.task.unrendered():
                sample = part.task.way.render(unrendered)
                for repeat, ask in enumerate(asks):
                    sent = await _rendered(part, unrendered, ask)
                    if sent is None:
                        continue
                    key = keys.key(*sent)
                    ask_key = ask_keys(sample, repeat)
                    found = kept.get(index * part.task.repeats + repeat)
                    if found is not None and found.ask_key == ask_key and needs_no_asking(found):
                        continue
                    if self._reuse and self._store.replies([ask_key]):
                        continue
                    yield Request(key, *sent)

    def _outstanding(self) -> frozenset[bytes]:
        """What has no answer yet and is worth handing in."""
        tries = self._batches.tries(self._run_id)
        return frozenset(key for key in self._asks if _is_wanted(tries.get(key)))

    async def _settle(self) -> None:
        """Find out what became of batches that were about to be handed in."""
        for job in self._batches.jobs(self._run_id):
            if job.state != "submitting":
                continue
            known = self._batches.remote_ids()
            found = await self._service.find(job.id, frozenset(job.keys), job.created, known)
            if found is None:
                self._batches.set_job(job.id, "lost", why="it never arrived")
            else:
                state: State = "submitted" if self._service.finds_for_certain else "found"
                self._batches.set_job(job.id, state, found)
                self._tell(f"batch {found} was handed in before")

    async def _look(self) -> list[Batch]:
        """The batches under way; what has ended is collected.

        Raises:
            SafemarkError: a batch was refused or cancelled.
        """
        under_way = []
        for job in self._batches.jobs(self._run_id):
            if job.state not in ("submitted", "found") or job.remote_id is None:
                continue
            standing = await self._service.look(job.remote_id)
            if not standing.is_ended:
                total = standing.total or len(job.keys)
                batch = Batch(job.remote_id, standing.status, standing.done, standing.failed, total)
                under_way.append(batch)
                self._tell(
                    f"batch {batch.id}: {batch.status}, {batch.done:,} of {batch.total:,} answered"
                    + (f", {batch.failed:,} failed" if batch.failed else "")
                )
                continue
            await self._collect(job, job.remote_id, standing)
        return under_way

    async def _collect(self, job: BatchJob, remote_id: str, standing: Standing) -> None:
        if standing.why:
            self._batches.set_job(job.id, "failed", why=standing.why)
            raise SafemarkError(
                f"batch {remote_id} was refused: {masked(standing.why)}",
                "mend that and repeat the command: it hands in anew",
            )
        http = http_model(self._model)
        if http is not None:
            http.leave_out(frozenset(job.refused))
        tries = self._batches.tries(self._run_id)
        lines: dict[bytes, Line] = {}
        found: set[bytes] = set()
        failed = 0
        async for answer in self._service.answers(remote_id, self._asks):
            found.add(answer.key)
            line = _line(answer.reply, tries.get(answer.key, (None, 0))[1] + 1)
            failed += line.absent is not None
            lines[answer.key] = line
            if len(lines) >= _KEPT_TOGETHER:
                self._batches.add_lines(self._run_id, lines)
                lines = {}
        self._batches.add_lines(self._run_id, lines)
        expected = [key for key in job.keys if key in self._asks]
        if expected and not found and job.state == "found":
            # taken for ours while it was under way: ours may be another one
            self._batches.set_job(job.id, "submitting", why=f"{remote_id} holds other requests")
            return
        if standing.is_cancelled:
            self._batches.set_job(job.id, "cancelled", why=f"{len(found):,} came back")
            raise SafemarkError(
                f"batch {remote_id} was cancelled; {len(found) - failed:,} of"
                f" {len(job.keys):,} answers came back and are kept",
                "repeat the command to hand in the rest; without --batch it is asked directly",
            )
        missing = [key for key in expected if key not in found]
        for begin in range(0, len(missing), _KEPT_TOGETHER):
            some = missing[begin : begin + _KEPT_TOGETHER]
            self._batches.add_lines(
                self._run_id, {key: _nothing(tries.get(key, (None, 0))[1] + 1) for key in some}
            )
        self._batches.set_job(job.id, "collected")
        bad = failed + len(missing)
        self._tell(
            f"batch {remote_id}: {len(found) - failed:,} answers collected"
            + (f", {bad:,} without" if bad else "")
        )

    async def _hand_in(self, wanted: frozenset[bytes]) -> None:
        """Hand in what is wanted, in batches of a size that is taken."""
        jobs = self._batches.jobs(self._run_id)
        is_first = not jobs
        if (http := http_model(self._model)) is not None:
            http.leave_out(frozenset(name for job in jobs for name in job.refused))
        some: list[Request] = []
        size = 0
        async for request in self._requests():
            if request.key not in wanted:
                continue
            if is_first:
                is_first = False
                await self._try_out(request)
                continue
            needs = len(msgspec.json.encode(request.messages)) + _AROUND_A_REQUEST
            if some and (size + needs > MOST_BYTES or len(some) >= MOST_REQUESTS):
                await self._submit(some)
                some, size = [], 0
            some.append(request)
            size += needs
        if some:
            await self._submit(some)

    async def _try_out(self, request: Request) -> None:
        """Ask one question by itself: a wrong key or model shows now and not in a day.

        Raises:
            CallFailed: every other one would fail as well.
        """
        try:
            reply: Reply | CallFailed = await self._model.reply(request.messages, request.ask)
        except CallFailed as failure:
            if failure.reason.is_worth_retrying:
                raise
            reply = failure
        line = msgspec.structs.replace(_line(reply, 1), is_direct=True)
        self._batches.add_lines(self._run_id, {request.key: line})

    async def _submit(self, requests: Sequence[Request]) -> None:
        http = http_model(self._model)
        number = len(self._batches.jobs(self._run_id))
        job = BatchJob(
            id=f"{number:04}-{uuid.uuid4().hex}",
            run_id=self._run_id,
            state="submitting",
            remote_id=None,
            created=now(),
            refused=tuple(sorted(http.refused)) if http is not None else (),
            why="",
            keys=tuple(request.key for request in requests),
        )
        self._batches.add_job(job)
        try:
            remote_id = await self._service.submit(job.id, requests)
        except Refused as failure:
            if failure.status is not None and 400 <= failure.status < 500:
                self._batches.set_job(job.id, "failed", why=failure.problem)
            raise
        self._batches.set_job(job.id, "submitted", remote_id)
        self._tell(f"batch {remote_id}: {len(requests):,} requests handed in")


class _Recorder:
    """A model that keeps what it would be asked."""

    concurrency = 1

    def __init__(self, name: str) -> None:
        self.name = name
        self.sent: tuple[Messages, Ask] | None = None

    @property
    def identity(self) -> Identity:
        return Identity("")

    async def reply(self, messages: Messages, ask: Ask) -> Reply:
        self.sent = (messages, ask)
        raise CallFailed(Reason.NOT_ASKED, "only looked at")

    async def close(self) -> None:
        return None


async def _rendered(part: Part, unrendered: Sample, ask: Ask) -> tuple[Messages, Ask] | None:
    """What the model will be asked for a sample; None where its attack makes nothing of it.

    Raises:
        UsageError: it asks nothing that could be handed in.
    """
    recorder = _Recorder(part.task.benchmark.name)
    search: Search = part.search
    try:
        asked = await part.task.attacked(unrendered)
    except CallFailed:
        return None
    with suppress(CallFailed):
        await search(asked, recorder, ask)
    if recorder.sent is None:
        raise UsageError(f"sample {unrendered.id} asks nothing that a batch could hold")
    return recorder.sent


def _drawn(ask: Ask, repeat: int) -> Ask:
    return msgspec.structs.replace(ask, draw=repeat) if repeat else ask


def _is_wanted(known: tuple[Reason | None, int] | None) -> bool:
    if known is None:
        return True
    absent, tries = known
    return absent is not None and absent.is_worth_retrying and tries < MOST_TRIES


def _line(reply: Reply | CallFailed, tries: int) -> Line:
    if isinstance(reply, Reply):
        return Line(reply, tries=tries)
    why = f"{reply.problem}; {reply.hint}" if reply.hint else reply.problem
    return Line(absent=reply.reason, why=why, tries=tries)


def _nothing(tries: int) -> Line:
    return Line(absent=Reason.BAD_RESPONSE, why="the batch brought nothing for this", tries=tries)


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    """Whether ``stop`` is set within so many seconds."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True
