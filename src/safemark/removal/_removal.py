"""What a removal is: a value, the model around a model that it makes, and how long it lasts."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast

from safemark.errors import CallFailed, SafemarkError
from safemark.models._model import Capability, Identity, Model, Scores, Weights, can
from safemark.models._wrapper import Wrapper
from safemark.models.local import alone
from safemark.removal._material import Material
from safemark.types import Ask, Likelihood, Messages, Reason, Reply


class RemovalFailed(SafemarkError):
    """A removal that does not work on this model; what it measured would not be a stripped one."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What an attacker spends on it: None where it is not of that kind; ``seconds`` as measured."""

    steps: int | None = None
    samples: int | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Changed:
    """Weights that were changed: how to put them back, and what was found on the way, in words."""

    undo: Callable[[], None]
    found: Mapping[str, str] = field(default_factory=dict)
    cost: Cost = Cost()


Change = Callable[[Weights, Material], Changed]
Replies = Callable[[Model, Messages, Ask, Material], Awaitable[Reply]]
Likelihoods = Callable[
    [Scores, str | Messages, Sequence[str], Material], Awaitable[tuple[Likelihood, ...]]
]


@dataclass(frozen=True, slots=True)
class Removal:
    """One way to take safeguards away.

    ``change`` changes weights; ``reply`` and ``loglikelihood`` ask otherwise. Without
    ``loglikelihood`` likelihoods are asked as they are. ``settings`` are all that decides what it
    does, beside the material. ``is_control`` takes nothing away: it shows what the same trouble
    does by itself. ``learns_answers`` needs answers to harmful requests.
    """

    name: str
    version: str
    title: str
    change: Change | None = None
    reply: Replies | None = None
    loglikelihood: Likelihoods | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    with_argument: Callable[[str], "Removal"] | None = None
    is_control: bool = False
    learns: bool = False
    learns_answers: bool = False

    @property
    def needs(self) -> Capability:
        """What a model must be able to do."""
        return "reply" if self.change is None else "weights"


class Stripped(Wrapper):
    """A model with a removal: another model, with a name and an identity of its own.

    Its weights are changed inside `stripped` only.
    """

    def __init__(self, model: Model, removal: Removal, material: Material) -> None:
        super().__init__(model)
        self.removal = removal
        self.material = material
        self.changed: Changed | None = None
        self.name = f"{model.name}+{removal.name}"

    @property
    def identity(self) -> Identity:
        """Of the inner model, the removal, its settings and what it learns from."""
        inner, removal = self.model.identity, self.removal
        told = {"removal": f"{removal.name} {removal.version}", **removal.settings}
        if removal.learns:
            told["learnt_from"] = self.material.digest
        whole = json.dumps([inner.digest, told], sort_keys=True)
        return Identity(hashlib.sha256(whole.encode()).hexdigest(), {**inner.detail, **told})

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the model, and what the removal found."""
        found = {} if self.changed is None else self.changed.found
        said = ", ".join(f"{key} {value}" for key, value in found.items())
        return (*super().notes, f"{self.removal.title}{': ' if said else ''}{said}")

    @property
    def weights(self) -> Weights:
        """Those of the model, where they alone are what answers."""
        if self.removal.reply is not None:
            raise AttributeError(f"`{self.name}` shows no weights: they alone are not what answers")
        return super().weights

    async def reply(self, messages: Messages, ask: Ask) -> Reply:
        self._check()
        if self.removal.reply is None:
            return await self.model.reply(messages, ask)
        return await self.removal.reply(self.model, messages, ask, self.material)

    async def _loglikelihood(
        self, context: str | Messages, continuations: Sequence[str]
    ) -> tuple[Likelihood, ...]:
        self._check()
        inner = cast(Scores, self.model)
        if self.removal.loglikelihood is None:
            return await inner.loglikelihood(context, continuations)
        return await self.removal.loglikelihood(inner, context, continuations, self.material)

    def _check(self) -> None:
        if self.removal.change is not None and self.changed is None:
            raise CallFailed(Reason.INTERNAL_ERROR, f"`{self.name}` is not stripped at the moment")


@asynccontextmanager
async def stripped(model: Model, removal: Removal, material: Material) -> AsyncIterator[Stripped]:
    """The model without its safeguards while the block lasts; afterwards it is as it was.

    Raises:
        UsageError: its weights are not in this process, or what it learns from is missing.
        RemovalFailed: it does not work on this model.
    """
    found = Stripped(model, removal, material)
    if removal.change is None:
        yield found
        return
    found.changed = await _changed(model, removal, removal.change, material)
    try:
        yield found
    finally:
        changed, found.changed = found.changed, None
        await asyncio.shield(_undone(model, changed))


async def _changed(model: Model, removal: Removal, change: Change, material: Material) -> Changed:
    """The change, made in the model's own thread; whoever gives up waiting has it undone."""

    def work(weights: Weights) -> Changed:
        start = time.monotonic()
        made = _made(removal, change, weights, material)
        seconds = time.monotonic() - start
        return Changed(
            made.undo, made.found, Cost(made.cost.steps, made.cost.samples, round(seconds, 1))
        )

    made = asyncio.ensure_future(alone(model, work))

    async def given_up() -> None:
        with suppress(Exception):  # what failed has put everything back itself
            await _undone(model, await made)

    try:
        return await asyncio.shield(made)
    except asyncio.CancelledError:
        await asyncio.shield(given_up())
        raise


def _made(removal: Removal, change: Change, weights: Weights, material: Material) -> Changed:
    """Raises `RemovalFailed` where memory does not suffice: the other variants go on."""
    from safemark.models.local.network import is_out_of_memory

    try:
        return change(weights, material)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise RemovalFailed(
            f"there is not enough memory for `{removal.name}`",
            "ablation by hooks needs least; a smaller model, or one on a larger device",
        ) from error


async def _undone(model: Model, changed: Changed) -> None:
    """Puts back what was changed. In a shield: what waits in a thread's queue can be cancelled."""
    await alone(model, lambda _weights: changed.undo())


def check_floating(module: Any, removal: str) -> None:
    """Raises `RemovalFailed` where weights are stored as codes, which cannot be computed with."""
    coded = [one for one in module.parameters() if not one.is_floating_point()]
    if coded:
        raise RemovalFailed(
            f"`{removal}` changes weights, and {len(coded)} matrices of this model are quantised",
            "load it without -M quantize, or use ablation by hooks, or finetune by LoRA",
        )


def can_remove(model: Model, removal: Removal) -> bool:
    """Whether the model has what the removal needs."""
    return can(model, removal.needs)
