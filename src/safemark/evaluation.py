"""A whole run: plan it, find or start it, ask everything, say how it ended.

A command that is repeated continues its unfinished run; otherwise a new one begins. Two
processes never write one run: each run is locked while it is worked on.
"""

import asyncio
import fcntl
import hashlib
import os
import platform
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from safemark import __version__
from safemark.attacks import direct
from safemark.attacks._attack import DIRECT
from safemark.attacks._success import aimed_at
from safemark.benchmarks._benchmark import Scorer
from safemark.data import cache_folder
from safemark.decide import MOST_AT_ONCE, UntilDecided, ask_until_decided
from safemark.engine import MOST_SERVED, Ending, Part, Progress, ask_all, part_body
from safemark.errors import StoreError
from safemark.judging import attempted
from safemark.models._model import Model
from safemark.models.connect import NOT_IN_ANSWERS
from safemark.models.judge import Judge
from safemark.plan import Plan, Request, Task
from safemark.plan.attacked import covered
from safemark.secrets import is_secret_name, scrubbed
from safemark.store import RunBody, Served, Store, StoredRun, new_run_id, now
from safemark.types import Sample


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run that was worked on, and how that ended. ``continued`` an earlier, unfinished one."""

    run_id: str
    ending: Ending
    continued: bool


def run_spec(
    model: Model, request: Request, plan: Plan, options: Mapping[str, str], base_url: str | None
) -> dict[str, Any]:
    """What identifies the command, in words a person can read; no secret is in it."""
    spec = {
        **msgspec.to_builtins(request),
        "model": model.name,
        "identity": model.identity.digest,
        "base_url": scrubbed(base_url) if base_url else None,
        "options": {
            key: "[secret]" if is_secret_name(key) else scrubbed(value)
            for key, value in sorted(options.items())
        },
        "asked": list(
            dict.fromkeys(
                f"{task.benchmark.name}@{task.benchmark.version}:{task.way.name}"
                for task in plan.tasks
            )
        ),
        "attacks": None,
        "attack": list(request.attacks) or DIRECT,
        "attacked_by": sorted({task.attack.id for task in plan.tasks} - {DIRECT}),
        "no_plain": request.no_plain or None,
        "judged_by": sorted(_judges_of(plan)),
    }
    return {key: value for key, value in spec.items() if value not in (None, {}, [])}


def _judges_of(plan: Plan) -> set[str]:
    """The judges of a plan, as records call them."""
    scorers = [*(task.way.scorer for task in plan.tasks), *plan.also]
    return {scorer.judge for scorer in scorers if scorer.judge}


def spec_key(spec: Mapping[str, Any]) -> str:
    """One key for everything in a spec that could change an answer; not time-outs and prices."""
    options = {
        key: value for key, value in spec.get("options", {}).items() if key not in NOT_IN_ANSWERS
    }
    decisive = {**spec, "options": options}
    return hashlib.sha256(msgspec.json.encode(decisive, order="deterministic")).hexdigest()


async def prepared(plan: Plan, model: Model) -> Plan:
    """The plan with what its attacks need to have made beforehand, such as a universal suffix.

    Raises:
        CallFailed: it cannot be made.
    """
    return replace(plan, tasks=tuple([await _prepared(task, model) for task in plan.tasks]))


async def _prepared(task: Task, model: Model) -> Task:
    """The task with its attack prepared on the samples that the attack is aimed at, as asked."""
    if task.attack.prepare is None:
        return task
    is_aimed_at = aimed_at(task.benchmark, task.way.name)
    aims = [sample for _, sample in task.unrendered() if is_aimed_at(sample)]
    asked = [await attempted(task.attacked(sample)) for sample in aims]
    samples = [one for one in asked if isinstance(one, Sample)]
    attack = await task.attack.prepare(samples, model)
    ready = replace(task, attack=replace(attack, prepare=None))
    return covered(ready) or ready


async def evaluate(
    model: Model,
    plan: Plan,
    spec: dict[str, Any],
    store: Store,
    *,
    fresh: bool = False,
    reuse: bool = False,
    progress: Progress | None = None,
    on_start: Callable[[StoredRun, bool, Progress], None] | None = None,
    stop: asyncio.Event | None = None,
    until: UntilDecided | None = None,
) -> Outcome:
    """Work on a run until it ends, is stopped, or cannot go on.

    Args:
        fresh: start a new run even where an unfinished one could be continued.
        on_start: told the run, whether it is continued, and the progress to watch.
        stop: set it to end the asking; everything finished by then is stored.
        until: end each part as soon as it is decided.

    Raises:
        StoreError: the store cannot be written; what was stored before stays.
    """
    progress = progress or Progress()

    async def ask(some: Sequence[Part]) -> Ending:
        return await ask_all(
            some,
            model,
            store,
            identity=model.identity.digest,
            progress=progress,
            stop=stop or asyncio.Event(),
            reuse=reuse,
        )

    progress.total = plan.total
    with claimed(model, plan, spec, store, fresh) as (run, continued):
        parts = parts_of(store, run, plan)
        if on_start is not None:
            on_start(run, continued, progress)
        try:
            if until is None:
                ending = await ask(parts)
            else:
                ending = await ask_until_decided(
                    parts,
                    ask,
                    store,
                    until,
                    at_least=min(model.concurrency, MOST_AT_ONCE),
                    progress=progress,
                )
        except StoreError as failure:
            _try_to_say(store, run.id, failure)
            raise
        except BaseException:
            store.set_status(run.id, "interrupted", "ended by an error or a signal")
            raise
        finally:
            _keep_served(store, run.id, progress, getattr(model, "notes", ()))
            keep_judges(store, run.id, (*plan.judges, *plan.helpers.models))
        store.set_status(run.id, ending.status, ending.why)
    return Outcome(run.id, ending, continued)


def parts_of(store: Store, run: StoredRun, plan: Plan) -> list[Part]:
    """Every task of ``plan`` with its place in a run."""
    return [_part(store, run, task, plan.beside(task)) for task in plan.tasks]


def _part(store: Store, run: StoredRun, task: Task, also: Sequence[Scorer]) -> Part:
    """The task's place in the store; further scorers judge replies, not likelihoods."""
    benchmark, scorer = task.benchmark, task.way.scorer
    place = (run.id, benchmark.name, benchmark.version, task.way.name, task.attack.name)
    own = store.ensure_scorer(scorer.name, scorer.version, scorer.judge)
    further = [
        (one, store.ensure_scorer(one.name, one.version, one.judge))
        for one in also
        if task.way.needs == "reply"
    ]
    return Part(
        task,
        task.attack.id,
        task.attack.search or task.way.converse or direct.plainly,
        store.ensure_part(*place, part_body(task)),
        own,
        tuple((one, scorer_id) for one, scorer_id in further if scorer_id != own),
    )


def _keep_served(store: Store, run_id: str, progress: Progress, notes: Sequence[str]) -> None:
    """Add what this pass's replies said of who answered, and what was learnt of the model.

    A failing store is told of elsewhere.
    """
    try:
        body = store.run(run_id).body
        noted = (*body.model_notes, *(note for note in notes if note not in body.model_notes))
        if not progress.served and noted == body.model_notes:
            return
        served = Counter({(one.model, one.fingerprint): one.replies for one in body.served})
        served.update(progress.served)
        kept = tuple(Served(*who, replies) for who, replies in served.most_common(MOST_SERVED))
        store.set_run_body(run_id, msgspec.structs.replace(body, served=kept, model_notes=noted))
    except StoreError:
        return


def keep_judges(store: Store, run_id: str, judges: Sequence[Model]) -> None:
    """Add what judges used since the last time to what is kept of a run.

    A failing store is told of elsewhere.
    """
    taken = [judge.take_used() for judge in judges if isinstance(judge, Judge)]
    used = [use for use in taken if use.requests or use.failed]
    if not used:
        return
    try:
        body = store.run(run_id).body
        kept = {(use.name, use.identity): use for use in body.judges}
        for use in used:
            known = kept.get((use.name, use.identity))
            kept[use.name, use.identity] = use if known is None else known.plus(use)
        store.set_run_body(run_id, msgspec.structs.replace(body, judges=tuple(kept.values())))
    except StoreError:
        return


def _try_to_say(store: Store, run_id: str, failure: StoreError) -> None:
    """Note a failing store in the store; where even that fails, the status stays `running`."""
    try:
        store.set_status(run_id, "failed", failure.problem)
    except StoreError:
        return


@contextmanager
def claimed(
    model: Model, plan: Plan, spec: dict[str, Any], store: Store, fresh: bool
) -> Iterator[tuple[StoredRun, bool]]:
    """An unfinished run of this command that nobody works on, or a new one; locked."""
    key = spec_key(spec)
    if not fresh:
        for candidate in store.unfinished(key):
            with locked(candidate.id) as is_ours:
                # by now another process may have completed it
                if is_ours and store.run(candidate.id).status != "complete":
                    store.set_status(candidate.id, "running")
                    yield candidate, True
                    return
    run = StoredRun(
        id=new_run_id(),
        spec_key=key,
        status="running",
        status_why="",
        started=now(),
        finished=None,
        model=model.name,
        identity=model.identity.digest,
        body=RunBody(
            safemark=__version__,
            spec=spec,
            identity_detail=dict(model.identity.detail),
            model_notes=tuple(getattr(model, "notes", ())),
            environment=environment(),
            not_covered=plan.not_covered,
        ),
    )
    with locked(run.id):
        store.add_run(run)
        yield run, False


@contextmanager
def locked(run_id: str) -> Iterator[bool]:
    """Inside, no other process works on that run; False where one already does.

    The lock ends with this process, however it ends. It is a file on this machine: it does not
    keep processes of other machines away.
    """
    folder = cache_folder() / "locks"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / f"{run_id}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise StoreError(
            f"no lock can be made in {folder}: {error.strerror}",
            "set SAFEMARK_CACHE to a folder you may write to",
        ) from error
    try:
        yield _could_lock(handle)
    finally:
        os.close(handle)


def _could_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def environment() -> dict[str, Any]:
    """What a reader needs to know of the machine; no names, no paths."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "implementation": sys.implementation.name,
    }
