"""The models of a `safemark gap`, one after the other: what is told meanwhile, and at the end."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from safemark.cli._output import emit, emit_json, harmless, is_coloured, say, table, width
from safemark.errors import SafemarkError, UsageError

if TYPE_CHECKING:
    from safemark.api import Settings
    from safemark.engine import Progress
    from safemark.gap import Setting, Variant
    from safemark.gap.families import Family
    from safemark.gap.memory import Place
    from safemark.plan import Request
    from safemark.removal._removal import Removal
    from safemark.reports.gap_document import GapDocument, LeftOut
    from safemark.store import Store, StoredRun


@dataclass(frozen=True, slots=True)
class Sweep:
    """Everything that the command was told."""

    models: tuple[str, ...]
    family: "Family | None"
    removals: "tuple[Removal, ...]"
    request: "Request"
    settings: "Settings"
    setting: "Setting"

    @property
    def variants(self) -> int:
        """Of each model."""
        return 1 + len(self.removals)


def planned(sweep: Sweep) -> "list[Place]":
    """Where each model goes, or why nowhere, in the order in which they are measured."""
    from safemark.gap.families import Member, member
    from safemark.gap.memory import Room, placed
    from safemark.models.local.placement import free_accelerators, free_memory

    members = [member(Member(name)) for name in sweep.models]
    if sweep.family is not None:
        members = list(sweep.family.members)
    room = Room(free_memory(), free_accelerators())
    return [placed(one, sweep.removals, room, sweep.settings.options) for one in members]


def show_plan(sweep: Sweep, form: str) -> int:
    """What fits, and where; nothing is loaded and nothing asked."""
    from safemark.gap.memory import gigabytes
    from safemark.reports.exit_code import DONE
    from safemark.reports.templates import wording

    places = planned(sweep)
    if form == "json":
        emit_json({"models": [_place_document(place) for place in places]})
        return DONE
    rows = [
        [
            place.member.model,
            wording.count(place.member.parameters) if place.member.parameters else "?",
            gigabytes(place.need.weights) if place.need else "?",
            gigabytes(place.need.total) if place.need else "?",
            place.where or f"left out: {place.why_not}",
        ]
        for place in places
    ]
    emit(table(rows, ["model", "parameters", "weights", "needs in all", "goes to"]))
    return DONE


def _place_document(place: "Place") -> dict[str, object]:
    return {
        "model": place.member.model,
        "parameters": place.member.parameters,
        "weights_bytes": place.need.weights if place.need else None,
        "needs_bytes": place.need.total if place.need else None,
        "where": place.where or None,
        "left_out": place.why_not or None,
    }


def swept(sweep: Sweep, store_url: str | None) -> "tuple[int, GapDocument]":
    """The exit code and the document; models that cannot be measured are told with the reason."""
    from safemark.gap import folders
    from safemark.reports.exit_code import DONE, INCONCLUSIVE, INTERRUPTED
    from safemark.reports.gap import gap_document
    from safemark.store import Store

    if gone := folders.sweep():
        say(f"removed what {gone} killed command{'s' if gone > 1 else ''} left behind")
    places = planned(sweep)
    store = Store(store_url)
    found: list[list[Variant]] = []
    left_out: list[LeftOut] = []
    stopped = False
    try:
        for number, place in enumerate(places, 1):
            name = place.member.model
            if len(places) > 1:
                say(f"model {number} of {len(places)}: {harmless(name)} in {place.where or 'none'}")
            variants, why = _model(sweep, place, store)
            if why:
                say(f"left out: {harmless(name)}: {harmless(why)}")
                left_out.append(_left_out(place, why))
                continue
            found.append(variants)
            if not all(one.is_complete or one.failed for one in variants):
                stopped = True
                break
            stopped = len(variants) < sweep.variants
            if stopped:
                break
        document = gap_document(store, found, left_out)
    finally:
        store.close()
    if stopped:
        say("\nstopped; what is finished is stored. Repeat the command to continue.")
        return INTERRUPTED, document
    all_told = not left_out and all(one.failed == "" for variants in found for one in variants)
    return (DONE if all_told else INCONCLUSIVE), document


def _left_out(place: "Place", why: str) -> "LeftOut":
    from safemark.reports.gap_document import LeftOut

    needs = place.need.total if place.need else None
    return LeftOut(place.member.model, place.member.parameters, needs, why)


def _model(sweep: Sweep, place: "Place", store: "Store") -> "tuple[list[Variant], str]":
    """The variants of one model; of several models one that fails is left out for the reason.

    Raises:
        SafemarkError: the only model there is fails.
    """
    alone = sweep.family is None and len(sweep.models) == 1
    if place.why_not:
        if alone:
            raise UsageError(
                f"{place.member.model} {place.why_not}",
                "a smaller number type (-M dtype=bfloat16), a larger machine, or a smaller model",
            )
        return [], place.why_not
    try:
        return asyncio.run(_one(sweep, place, store)), ""
    except SafemarkError as error:
        if alone:
            raise
        return [], f"{error.problem}; {error.hint}" if error.hint else error.problem


async def _one(sweep: Sweep, place: "Place", store: "Store") -> "list[Variant]":
    from safemark import gap as measuring
    from safemark.api import opened_judges, opened_model, stopping_on_signals
    from safemark.judging import Judges

    stop = asyncio.Event()
    name = place.member.model
    settings = replace(sweep.settings, options={**sweep.settings.options, **place.options})
    request = sweep.request
    model = opened_model(name, settings)
    panel = Judges()
    told = Told(name, sweep.variants)
    try:
        measuring.check(model, sweep.removals, sweep.setting.material)
        panel = opened_judges(request.judge, settings, request)
        watch = measuring.Watching(told.variant, told.started, told.asking, told.measured)
        setting = replace(sweep.setting, judges=panel)
        with stopping_on_signals(stop, lambda: say("\nstopping … (again to quit at once)")):
            return await measuring.measure(
                model, sweep.removals, request, store, setting, stop, watch
            )
    finally:
        for each in (model, *panel.models):
            await each.close()


@dataclass(slots=True)
class Told:
    """What a person is told while one model is measured: which variant, how far, how long yet."""

    model: str
    variants: int
    done: int = 0
    asked: list[float] = field(default_factory=list)
    began: float = 0.0

    def variant(self, name: str, title: str) -> None:
        """One begins; once another was measured, with about how long all that are left take."""
        from safemark.cli._progress import clock

        self.began = time.monotonic()
        line = f"{self.model} · variant {self.done + 1} of {self.variants}: {name}, {title}"
        if self.asked:
            each = sum(self.asked) / len(self.asked)
            line += f" · about {clock(each * (self.variants - self.done))} left for all"
        say(harmless(line))

    def started(self, run: "StoredRun", continued: bool, progress: "Progress") -> None:
        """Its run, new or taken up again."""
        continuing = "continuing run" if continued else "run"
        say(f"{continuing} {run.id} · {progress.total:,} requests")

    @asynccontextmanager
    async def asking(self, progress: "Progress") -> AsyncIterator[None]:
        """A live line, or one now and then: benchmark, done of total, rate, time left."""
        from safemark.cli._progress import shown

        async with shown(progress):
            yield

    def measured(self, variant: "Variant") -> None:
        """It is done, was there, or does not work."""
        self.done += 1
        if variant.failed:
            say(harmless(f"not measured: {variant.failed}"))
        elif variant.was_there:
            say(f"measured before: run {variant.run}; nothing is asked again")
        else:
            self.asked.append(time.monotonic() - self.began)


def show(document: "GapDocument", form: str) -> None:
    """The document on stdout."""
    from safemark.reports.gap_text import gap_csv, gap_terminal

    if form == "json":
        emit_json(document)
    elif form == "csv":
        emit(gap_csv(document))
    else:
        emit(gap_terminal(document, width(), is_coloured()))
