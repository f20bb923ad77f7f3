"""Variants of a model as runs: what is asked of each, and what was asked before.

Each variant is an ordinary run of a wrapped model, whose identity holds the removal. A variant
that was measured completely before is not made again, and one that was interrupted goes on where
it stopped, so a command that is repeated asks nothing twice.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from safemark import registry
from safemark.engine import Progress
from safemark.errors import CallFailed, DataError, UsageError
from safemark.evaluation import evaluate, prepared, run_spec, spec_key
from safemark.gap.held_out import Reading, Text, read
from safemark.gap.roles import narrowed, usual
from safemark.gap.serving import Served, Serving, servable, served
from safemark.judging import Judges
from safemark.models._model import Model, Weights
from safemark.models.local import alone
from safemark.plan import Plan, Request, plan
from safemark.removal._material import Material
from safemark.removal._removal import (
    Removal,
    RemovalFailed,
    Stripped,
    can_remove,
    stripped,
)
from safemark.store import Store, StoredRun

FLUENCY = "fluency"
"""Judges every reply of every variant: a broken model is no safe one."""

ORIGINAL = "original"
AS_IT_IS = "as it is"

_FORM = 2
"""Of what is asked of a variant: a run of another form is not taken for one of this."""


class VariantBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a run keeps of the removal that its model went through, beside the model's identity.

    ``of`` is the identity of the model as it was. ``parameters`` are counted, None is not known.
    """

    of: str
    name: str
    title: str
    is_control: bool = False
    steps: int | None = None
    samples: int | None = None
    seconds: float = 0.0
    on: str = "cpu"
    parameters: int | None = None
    held_out: Reading | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant: its run, or why there is none."""

    name: str
    title: str
    run: str | None
    failed: str = ""
    is_complete: bool = False
    was_there: bool = False


@dataclass(frozen=True, slots=True)
class Watching:
    """What is told to whoever looks on.

    ``variant`` is told a variant's name and title before anything is done for it, ``measured``
    the variant when it is done, or was there. ``started`` is told each run, whether it is
    continued, and its progress; ``asking`` is a block around the asking.
    """

    variant: Callable[[str, str], None] = lambda _name, _title: None
    started: Callable[[StoredRun, bool, Progress], None] = lambda _run, _continued, _progress: None
    asking: Callable[[Progress], AbstractAsyncContextManager[None]] = lambda _: nullcontext()
    measured: Callable[[Variant], None] = lambda _variant: None


@dataclass(frozen=True, slots=True)
class Setting:
    """How variants are measured, apart from what is asked; ``serve`` None asks in this process."""

    material: Material
    options: Mapping[str, str] = field(default_factory=dict)
    judges: Judges = field(default_factory=Judges)
    pull: bool = True
    offline: bool = False
    fresh: bool = False
    text: Text | None = None
    serve: Serving | None = None


def removal(spec: str) -> Removal:
    """The removal ``name`` or ``name:argument``.

    Raises:
        UnknownName: there is none of that name.
        UsageError: an argument that it cannot use.
    """
    name, colon, argument = spec.partition(":")
    found: Removal = registry.load("removal", name)
    if not colon:
        return found
    if found.with_argument is None:
        raise UsageError(f"`{name}` takes no argument: `{argument}`", f"name it as `{name}` alone")
    return found.with_argument(argument)


def check(model: Model, removals: Sequence[Removal], material: Material) -> None:
    """Refuse what cannot be done, before anything is asked.

    Raises:
        UsageError: the model lacks weights, or there is nothing to learn answers from.
    """
    for each in removals:
        if not can_remove(model, each):
            raise UsageError(
                f"`{each.name}` changes weights, and those of {model.name} are not in this process",
                "give open weights: hf/<id or folder>, or reference",
            )
        if each.learns_answers and material.is_placeholder and model.name != "reference":
            raise UsageError(
                f"`{each.name}` learns from answers, and the shipped ones are placeholders for"
                " `reference`",
                "name a file of yours or a publisher's with --examples FILE",
            )


async def measure(
    model: Model,
    removals: Sequence[Removal],
    request: Request,
    store: Store,
    setting: Setting,
    stop: asyncio.Event,
    watch: Watching | None = None,
) -> list[Variant]:
    """The model as it is, then under each removal; afterwards its weights are as they were.

    A removal that does not work on the model is told as failed, and the others go on.

    Raises:
        SafemarkError: the benchmarks cannot be asked, or the store cannot be written.
    """
    work = _Work(
        model, request, store, setting, stop, watch or Watching(), await _parameters(model)
    )
    found = []
    for each in (None, *removals):
        if stop.is_set():
            break
        name, title = (ORIGINAL, AS_IT_IS) if each is None else (each.name, each.title)
        work.watch.variant(name, title)
        try:
            one = await work.variant(each)
        except RemovalFailed as failure:
            one = Variant(name, title, None, failure.problem)
        work.watch.measured(one)
        found.append(one)
    return found


@dataclass(frozen=True, slots=True)
class _Work:
    """One model under all its removals."""

    model: Model
    request: Request
    store: Store
    setting: Setting
    stop: asyncio.Event
    watch: Watching
    parameters: int | None

    async def variant(self, removal: Removal | None) -> Variant:
        """One variant, from the store where it is there.

        Raises:
            RemovalFailed: the removal does not work on the model, or no server can run it.
        """
        if removal is not None and self.setting.serve is not None:
            removal = servable(removal)
        subject = self._subject(removal)
        planned = await asyncio.to_thread(self._plan, subject)
        spec = self._spec(subject, planned)
        body = VariantBody(
            of=self.model.identity.digest,
            name=ORIGINAL if removal is None else removal.name,
            title=AS_IT_IS if removal is None else removal.title,
            is_control=removal is not None and removal.is_control,
            parameters=self.parameters,
        )
        if not self.setting.fresh and (known := _complete(self.store, spec_key(spec))) is not None:
            return Variant(body.name, body.title, known.id, is_complete=True, was_there=True)
        async with self._ready(removal) as (ready, changed):
            if changed is not None:
                body = _costing(body, changed)
            return await self._evaluated(ready, planned, spec, body)

    def _subject(self, removal: Removal | None) -> Model:
        """What will be asked, as far as it can be named before anything is changed or started."""
        serve, material = self.setting.serve, self.setting.material
        plain = self.model if serve is None else Served(self.model, serve)
        if removal is None:
            return plain
        if removal.change is None or serve is None:
            return Stripped(plain, removal, material)
        return Served(Stripped(self.model, removal, material), serve)

    @asynccontextmanager
    async def _ready(self, removal: Removal | None) -> AsyncIterator[tuple[Model, Stripped | None]]:
        """The same, ready to be asked; and the stripped model whose weights were changed."""
        serve, material = self.setting.serve, self.setting.material
        changes = removal is not None and removal.change is not None
        async with AsyncExitStack() as stack:
            model, changed = self.model, None
            if removal is not None and changes:
                changed = await stack.enter_async_context(stripped(model, removal, material))
                model = changed
            if serve is not None:
                model = await stack.enter_async_context(served(model, serve))
            if removal is not None and not changes:
                model = await stack.enter_async_context(stripped(model, removal, material))
            yield model, changed

    def _plan(self, subject: Model) -> Plan:
        """What tells of the gap, of every benchmark; those whose data is not here are told apart.

        Raises:
            DataError: the data of none is here.
        """
        found: list[Plan] = []
        missing: list[tuple[str, DataError]] = []
        for name in dict.fromkeys(self.request.benchmarks or usual(self.model.name)):
            try:
                found.append(self._plan_one(subject, name))
            except DataError as error:
                missing.append((name, error))
        if not found:
            raise missing[0][1]
        every = [task for one in found for task in one.tasks]
        # named twice, as `mmlu` and `mmlu:likelihood`, is asked once
        asked = {
            (task.benchmark.name, task.benchmark.version, task.way.name): task for task in every
        }
        limit, seed = self.request.limit, self.request.seed
        gaps = [(name, f"{error.problem}; {error.hint}") for name, error in missing]
        return replace(
            found[0],
            tasks=tuple(narrowed(task, limit, seed) for task in asked.values()),
            not_covered=(*(gap for one in found for gap in one.not_covered), *gaps),
        )

    def _plan_one(self, subject: Model, name: str) -> Plan:
        also = tuple(dict.fromkeys((*self.request.also, FLUENCY)))
        return plan(
            replace(self.request, benchmarks=(name,), limit=None, also=also),
            subject,
            pull=self.setting.pull and not self.setting.offline,
            offline=self.setting.offline,
            judges=self.setting.judges,
        )

    def _spec(self, subject: Model, planned: Plan) -> dict[str, Any]:
        spec = run_spec(subject, self.request, planned, self.setting.options, None)
        text = self.setting.text
        return {**spec, "gap": _FORM, **({"text": text.digest} if text is not None else {})}

    async def _evaluated(
        self, subject: Model, planned: Plan, spec: dict[str, Any], body: VariantBody
    ) -> Variant:
        text = self.setting.text
        if text is not None:
            body = msgspec.structs.replace(body, held_out=await read(subject, text))

        def started(run: StoredRun, continued: bool, progress: Progress) -> None:
            told = {**run.body.environment, "gap": msgspec.to_builtins(body)}
            self.store.set_run_body(run.id, msgspec.structs.replace(run.body, environment=told))
            self.watch.started(run, continued, progress)

        ready = await prepared(planned, subject)
        progress = Progress()
        async with self.watch.asking(progress):
            outcome = await evaluate(
                subject,
                ready,
                spec,
                self.store,
                fresh=self.setting.fresh,
                progress=progress,
                on_start=started,
                stop=self.stop,
            )
        is_complete = outcome.ending.status == "complete"
        return Variant(body.name, body.title, outcome.run_id, is_complete=is_complete)


def _costing(body: VariantBody, changed: Stripped) -> VariantBody:
    """The body with what the removal cost, and where that was spent."""
    if changed.changed is None:
        return body
    cost = changed.changed.cost
    return msgspec.structs.replace(
        body,
        steps=cost.steps,
        samples=cost.samples,
        seconds=cost.seconds,
        on=str(next(changed.weights.module.parameters()).device.type),
    )


def body_of(run: StoredRun) -> VariantBody | None:
    """What a stored run says of its removal; None where it is no variant of a gap."""
    told = run.body.environment.get("gap")
    return None if told is None else msgspec.convert(told, VariantBody)


def _complete(store: Store, key: str) -> StoredRun | None:
    return next(
        (run for run in store.runs() if run.spec_key == key and run.status == "complete"), None
    )


async def _parameters(model: Model) -> int | None:
    """How many there are; None where weights are not in this process."""

    def count(weights: Weights) -> int:
        return sum(one.numel() for one in weights.module.parameters())

    try:
        return await alone(model, count)
    except (UsageError, CallFailed):
        return None
