"""The synchronous door: one call from model names to documents, for scripts and commands."""

import asyncio
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from safemark.engine import Progress
from safemark.evaluation import Outcome, evaluate, run_spec
from safemark.models._model import Model
from safemark.models.connect import connect
from safemark.models.wrap import Budgeted
from safemark.plan import Plan, Request, check_names, plan
from safemark.reports.document import Document
from safemark.reports.scorecard import document
from safemark.store import Store, StoredRun


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run, apart from what to ask: none of it changes an answer."""

    base_url: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    concurrency: int | None = None
    max_time_s: float | None = None
    token_budget: int | None = None
    max_cost_usd: float | None = None
    offline: bool = False
    reuse: bool = False
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Watch:
    """What is told to whoever looks on: the plan, then the run and its progress."""

    planned: Callable[[Model, Plan], None] = lambda _model, _plan: None
    started: Callable[[StoredRun, bool, Progress], None] = lambda _run, _continued, _progress: None


def run(
    model: str | Model,
    benchmarks: Sequence[str] = (),
    *,
    suite: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    store: str | Store | None = None,
    **more: Any,
) -> Document:
    """Ask ``model`` the benchmarks, judge, store, and give the run's document.

    Args:
        model: a name such as ``reference`` or ``openai/gpt-4o-mini``, or any object with
            `reply`, `identity`, `name`, `concurrency` and `close`.
        benchmarks: names; the suite `quick` when there are none.
        more: further fields of `Request` and `Settings`.

    Raises:
        SafemarkError: with one sentence and a hint.

    >>> from safemark.models.fake import Fake
    >>> found = run(Fake("I'm sorry, but I can't help with that."), ["audit150"], store=":memory:")
    >>> {dimension.name: dimension.light for dimension in found.dimensions}["usefulness"]
    'red'
    """
    of_settings = {name: more.pop(name) for name in list(more) if name in _SETTINGS}
    request = Request(tuple(benchmarks), suite, limit, seed=seed, **more)
    settings = Settings(**of_settings)
    opened = store if isinstance(store, Store) else Store(store)
    try:
        found, _ = asyncio.run(run_one(model, request, settings, opened, asyncio.Event()))
    finally:
        if opened is not store:
            opened.close()
    return found


_SETTINGS = frozenset(Settings.__slots__)


async def run_one(
    model: str | Model,
    request: Request,
    settings: Settings,
    store: Store,
    stop: asyncio.Event,
    watch: Watch | None = None,
) -> tuple[Document, Outcome]:
    """One model from its name to its document; the model is closed at the end."""
    watch = watch or Watch()
    check_names(request)
    connected = opened_model(model, settings)
    try:
        planned = await asyncio.to_thread(
            plan, request, connected, pull=not settings.offline, offline=settings.offline
        )
        watch.planned(connected, planned)
        outcome = await evaluate(
            connected,
            planned,
            run_spec(connected, request, planned, settings.options, settings.base_url),
            store,
            fresh=settings.fresh,
            reuse=settings.reuse,
            on_start=watch.started,
            stop=stop,
        )
    finally:
        await connected.close()
    return document(store, store.run(outcome.run_id)), outcome


def opened_model(model: str | Model, settings: Settings) -> Model:
    """The model of that name, inside the budget that was set."""
    connected = (
        connect(
            model,
            base_url=settings.base_url,
            options=settings.options,
            concurrency=settings.concurrency,
        )
        if isinstance(model, str)
        else model
    )
    budget = (settings.max_time_s, settings.token_budget, settings.max_cost_usd)
    if all(limit is None for limit in budget):
        return connected
    return Budgeted(
        connected,
        max_time_s=settings.max_time_s,
        token_budget=settings.token_budget,
        max_cost_usd=settings.max_cost_usd,
    )


@contextmanager
def stopping_on_signals(stop: asyncio.Event, on_stop: Callable[[], None]) -> Iterator[None]:
    """Inside, the first Ctrl-C or SIGTERM sets ``stop``; the second ends the process as usual."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def first() -> None:
        for number in signals:
            loop.remove_signal_handler(number)
        on_stop()
        stop.set()

    for number in signals:
        loop.add_signal_handler(number, first)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
