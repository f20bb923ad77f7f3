"""The synchronous door: one call from model names to documents, for scripts and commands."""

import asyncio
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safemark.attacks import transfer
from safemark.attacks._attack import Helpers
from safemark.batching import Advance, advance, with_collected
from safemark.decide import UntilDecided
from safemark.engine import Progress
from safemark.errors import UsageError
from safemark.evaluation import Outcome, evaluate, prepared, run_spec
from safemark.judging import Judges
from safemark.models._model import Model
from safemark.models.connect import connect
from safemark.models.judge import Judge
from safemark.models.mitigation import mitigated
from safemark.models.wrap import Budget, Budgeted, Limits, price_of
from safemark.plan import USUAL, Plan, Request, check_names, plan
from safemark.reports.document import Document
from safemark.reports.scorecard import document
from safemark.scorers._judge.classifiers import judge_named
from safemark.store import Store, StoredRun

if TYPE_CHECKING:
    from safemark.reports.comparison import Comparison
    from safemark.reports.gate import GateDocument


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run, apart from what to ask: none of it changes an answer.

    ``concurrency`` None adapts to a remote endpoint. ``prices`` is a table of one's own.
    ``judge_options`` are the judges' own settings, ``base_url`` among them; ``attacker_options``
    those of the models that help attacks.
    """

    base_url: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    concurrency: int | None = None
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    prices: Path | None = None
    max_time_s: float | None = None
    token_budget: int | None = None
    max_cost_usd: float | None = None
    offline: bool = False
    reuse: bool = False
    fresh: bool = False
    judge_options: Mapping[str, str] = field(default_factory=dict)
    attacker_options: Mapping[str, str] = field(default_factory=dict)


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
    judge: str | Model | Sequence[str | Model] = (),
    attacker: str | Model | None = None,
    attack_judge: str | Model | None = None,
    **more: Any,
) -> Document:
    """Ask ``model`` the benchmarks, judge, store, and give the run's document.

    Args:
        model: a name such as ``reference`` or ``openai/gpt-4o-mini``, or any object with
            `reply`, `identity`, `name`, `concurrency` and `close`.
        judge: the model, or models, that scorers ask who need one; likewise a name or an object.
        attacker, attack_judge: the models that help ``attacks`` who need one; likewise.
        benchmarks: names; the suite `quick` when there are none.
        more: further fields of `Request` and `Settings`; ``also`` is the usual scorers by default.

    Raises:
        SafemarkError: with one sentence and a hint.

    >>> from safemark.models.fake import Fake
    >>> found = run(Fake("I'm sorry, but I can't help with that."), ["audit150"], store=":memory:")
    >>> {dimension.name: dimension.light for dimension in found.dimensions}["usefulness"]
    'red'
    """
    of_settings = {name: more.pop(name) for name in list(more) if name in _SETTINGS}
    more.setdefault("also", (USUAL,))
    judges = _all(judge)
    names = tuple(one if isinstance(one, str) else one.name for one in judges)
    helping = (attacker, attack_judge)
    request = Request(
        tuple(benchmarks),
        suite,
        limit,
        seed=seed,
        judge=names,
        attacker=_name(attacker),
        attack_judge=_name(attack_judge),
        **{**more, "attacks": tuple(more.get("attacks", ()))},
    )
    settings = Settings(**of_settings)
    opened = store if isinstance(store, Store) else Store(store)
    try:
        found, _ = asyncio.run(
            run_one(
                model, request, settings, opened, asyncio.Event(), judges=judges, helpers=helping
            )
        )
    finally:
        if opened is not store:
            opened.close()
    return found


def _name(model: str | Model | None) -> str | None:
    return model if model is None or isinstance(model, str) else model.name


def _all(judge: str | Model | Sequence[str | Model]) -> tuple[str | Model, ...]:
    """One judge or several, as several."""
    if isinstance(judge, Sequence) and not isinstance(judge, str):
        return tuple(judge)
    return (judge,)


_SETTINGS = frozenset(Settings.__slots__)


async def run_one(
    model: str | Model,
    request: Request,
    settings: Settings,
    store: Store,
    stop: asyncio.Event,
    watch: Watch | None = None,
    judges: Sequence[str | Model] | None = None,
    helpers: tuple[str | Model | None, str | Model | None] | None = None,
) -> tuple[Document, Outcome]:
    """One model from its name to its document; the model is closed at the end.

    ``judges`` and ``helpers`` (attacker and attack judge) are those that the request names, unless
    they are given; they share the budget.
    """
    watch = watch or Watch()
    transfer.read_from(store)
    check_names(request, offline=settings.offline)
    budget = Budget(settings.max_time_s, settings.token_budget, settings.max_cost_usd)
    bare = opened_model(model, settings, budget)
    connected = mitigated(bare, request.mitigation)

    def started(run: StoredRun, continued: bool, progress: Progress) -> None:
        if continued:
            _carry(store, run, budget, progress)
        watch.started(run, continued, progress)

    panel = Judges()
    helping = Helpers()
    try:
        panel = opened_judges(
            request.judge if judges is None else judges, settings, request, budget
        )
        named = (request.attacker, request.attack_judge) if helpers is None else helpers
        helping = opened_helpers(*named, settings, budget)
        check_not_itself(bare.name, bare.identity.digest, panel)
        planned = await asyncio.to_thread(
            plan,
            request,
            connected,
            pull=not settings.offline,
            offline=settings.offline,
            judges=panel,
            helpers=helping,
        )
        watch.planned(connected, planned)
        planned = await prepared(planned, connected)
        spec = run_spec(connected, request, planned, settings.options, settings.base_url)
        outcome = await evaluate(
            connected if settings.fresh else with_collected(connected, spec, store),
            planned,
            spec,
            store,
            fresh=settings.fresh,
            reuse=settings.reuse,
            on_start=started,
            stop=stop,
            until=_until(request),
        )
        if outcome.ending.status == "complete":
            store.batches.forget_lines(outcome.run_id)
    finally:
        for one in (connected, *panel.models, *helping.models):
            await one.close()
    return document(store, store.run(outcome.run_id)), outcome


async def advance_batch(
    model: str | Model,
    request: Request,
    settings: Settings,
    store: Store,
    stop: asyncio.Event,
    *,
    wait: bool = False,
    tell: Callable[[str], None] = lambda _message: None,
    watch: Watch | None = None,
) -> Advance:
    """Bring a run by batch as far as it goes now; when it is ready, `run_one` does the rest.

    Raises:
        UsageError: it cannot be asked by batch, or a budget or an early end is set.
        SafemarkError: the provider refuses a batch, or does not answer.
    """
    transfer.read_from(store)
    check_names(request, offline=settings.offline)
    limited = (settings.max_time_s, settings.token_budget, settings.max_cost_usd)
    if any(limit is not None for limit in limited):
        raise UsageError(
            "a batch that is handed in cannot be stopped by a budget",
            "leave the budget away; `--dry-run` shows the price, and `--limit` makes it smaller",
        )
    if request.mitigation is not None:
        raise UsageError("a mitigation is not asked by batch", "leave `--batch` away")
    if request.attacker is not None or request.attack_judge is not None:
        raise UsageError(
            "an attack that a model helps asks as it goes, which no batch can",
            "leave `--batch` away, or the attack",
        )
    if request.until_decided is not None:
        raise UsageError("a batch is handed in whole", "leave `--until-decided` or `--batch` away")
    connected = opened_model(model, settings)
    panel = Judges()
    try:
        panel = opened_judges(request.judge, settings, request)
        check_not_itself(connected.name, connected.identity.digest, panel)
        planned = await asyncio.to_thread(
            plan,
            request,
            connected,
            pull=not settings.offline,
            offline=settings.offline,
            judges=panel,
        )
        (watch or Watch()).planned(connected, planned)
        return await advance(
            connected,
            planned,
            run_spec(connected, request, planned, settings.options, settings.base_url),
            store,
            fresh=settings.fresh,
            reuse=settings.reuse,
            wait=wait,
            stop=stop,
            tell=tell,
        )
    finally:
        for one in (connected, *panel.models):
            await one.close()


def _until(request: Request) -> UntilDecided | None:
    wanted = request.until_decided
    return None if wanted is None else UntilDecided(wanted, request.seed)


def _carry(store: Store, run: StoredRun, budget: Budget, progress: Progress) -> None:
    """Count what earlier commands spent on the run."""
    spent = store.usage(run.id)
    tokens = (spent.input_tokens or 0) + (spent.output_tokens or 0)
    for use in run.body.judges:
        tokens += (use.input_tokens or 0) + (use.output_tokens or 0)
    cost = (spent.cost_usd or 0.0) + sum(use.cost_usd or 0.0 for use in run.body.judges)
    budget.carry(tokens, cost)
    progress.tokens += tokens
    progress.cost_usd = spent.cost_usd


def opened_model(model: str | Model, settings: Settings, budget: Budget | None = None) -> Model:
    """The model of that name, inside the limits and the budget that were set.

    Several models that share one ``budget`` (a target and its judge) spend it together.

    Raises:
        UsageError: there is no such model, or its price is not known and money is limited.
    """
    connected = _connected(model, settings) if isinstance(model, str) else model
    if budget is None:
        budget = Budget(settings.max_time_s, settings.token_budget, settings.max_cost_usd)
    if budget.is_unlimited:
        return connected
    price = price_of(connected)
    if budget.max_cost_usd is not None and price is None:
        raise UsageError(
            f"the price of {connected.name} is not known, so `--max-cost` cannot be kept",
            "say it, per million tokens: -M input_usd=… -M output_usd=…, or --prices FILE;"
            " or limit tokens: --token-budget",
        )
    return Budgeted(connected, budget, price=price)


def opened_judges(
    names: Sequence[str | Model],
    settings: Settings,
    request: Request | None = None,
    budget: Budget | None = None,
) -> Judges:
    """The models that judge, each behind limits of its own; all spend the one ``budget``.

    Raises:
        UsageError: there is no such model, or it is named twice.
    """
    wanted = [judge_named(one) if isinstance(one, str) else one for one in names]
    labels = [one if isinstance(one, str) else one.name for one in wanted]
    if len(set(labels)) < len(labels):
        raise UsageError(f"a judge is named twice: {', '.join(labels)}", "name each judge once")
    of_judges = _of_judges(settings)
    models = tuple(Judge(opened_model(one, of_judges, budget)) for one in wanted)
    rule = None if request is None else request.judge_rule
    return Judges(models, rule or "majority")


def opened_helpers(
    attacker: str | Model | None,
    judge: str | Model | None,
    settings: Settings,
    budget: Budget | None = None,
) -> Helpers:
    """The models that help attacks, each behind limits of its own; all spend the one ``budget``.

    A model that does both is opened once.

    Raises:
        UsageError: there is no such model.
    """
    of_helpers = _of_others(settings, settings.attacker_options, "--attacker-option")
    first = None if attacker is None else Judge(opened_model(attacker, of_helpers, budget))
    if judge is None or judge == attacker:
        return Helpers(first, None if judge is None else first)
    return Helpers(first, Judge(opened_model(judge, of_helpers, budget)))


def _of_judges(settings: Settings) -> Settings:
    """The settings of the judges: none of the target's, but for prices and what may be spent."""
    return _of_others(settings, settings.judge_options, "--judge-option")


def _of_others(settings: Settings, options: Mapping[str, str], flag: str) -> Settings:
    """The settings of another model than the target, from options of its own.

    Raises:
        UsageError: a number that is none.
    """
    own = dict(options)
    numbers = {key: own.pop(key) for key in ("concurrency", "rpm", "tpm") if key in own}
    for key, value in numbers.items():
        if not value.isdecimal() or int(value) < 1:
            raise UsageError(f"{flag} {key}={value} is not a number above 0")
    limits = {key: int(value) for key, value in numbers.items()}
    return replace(
        settings,
        base_url=own.pop("base_url", None),
        options=own,
        concurrency=limits.get("concurrency"),
        requests_per_minute=limits.get("rpm"),
        tokens_per_minute=limits.get("tpm"),
    )


def check_not_itself(name: str, identity: str, judges: Judges) -> None:
    """Refuse a judge that is the model under test, unless it was named by that very name.

    Raises:
        UsageError: it is.
    """
    for judge in judges.models:
        if judge.identity.digest == identity and judge.name != name:
            raise UsageError(
                f"the judge {judge.name} is the model under test, {name}",
                f"name another, or say that it shall judge itself: --judge {name}",
            )


def _connected(name: str, settings: Settings) -> Model:
    limits = Limits(
        concurrency=settings.concurrency,
        requests_per_minute=settings.requests_per_minute,
        tokens_per_minute=settings.tokens_per_minute,
    )
    return connect(
        name,
        base_url=settings.base_url,
        options=settings.options,
        limits=limits,
        prices=settings.prices,
        offline=settings.offline,
    )


def compare(*runs: str, store: str | None = None, across: bool = False) -> "Comparison":
    """Every run against the first, sample by sample: differences, intervals, who moved.

    Args:
        runs: ids, names, baseline files, or models (their newest complete run).
        across: compare also what was asked in other ways, versions, or judged by others.

    Raises:
        SafemarkError: nothing is comparable, with the reason.
    """
    from safemark.reports.compare import compare as compared
    from safemark.reports.sides import sides

    with sides(runs, store) as found:
        return compared(found, across=across)


def gate(
    run: str = "last", baseline: str | None = None, *, store: str | None = None, **rules: Any
) -> "GateDocument":
    """Whether ``run`` may pass: no red light, nothing shown to be worse than ``baseline``.

    Args:
        run: an id or a name.
        baseline: a run, a name or a file; lights only without one.
        rules: further fields of `safemark.reports.gate.Rules`.

    Raises:
        SafemarkError: there is no such run or baseline.
    """
    from safemark.reports.gate import Rules, gated

    with Store(store) as opened:
        return gated(opened, run, Rules(baseline=baseline, **rules))


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
