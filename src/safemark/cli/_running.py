"""The runs of one command, one after another: asked, written, shown; the exit code of all."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safemark.cli._batch import ByBatch
from safemark.cli._mitigate import trials
from safemark.cli._output import emit, emit_json, harmless, is_coloured, left_out, say, width
from safemark.errors import StoreError

if TYPE_CHECKING:
    from safemark.api import Settings
    from safemark.engine import Progress
    from safemark.evaluation import Outcome
    from safemark.models._model import Model
    from safemark.plan import Plan, Request
    from safemark.reports.comparison import Comparison
    from safemark.reports.document import Document
    from safemark.store import Store, StoredRun


_LONGEST_WHY = 600


@dataclass(frozen=True, slots=True)
class Showing:
    """Where results go, and what makes a command fail: a red light, an undecided one."""

    out: Path
    gate: bool
    strict: bool
    as_json: bool

    def page(self, name: str, request: "Request", of: int) -> Path:
        """Where the scorecard of a run goes, one of so many of this command."""
        whole = "+".join(filter(None, (name, request.mitigation)))
        return self.out / ("scorecard.html" if of == 1 else f"scorecard-{_slug(whole)}.html")


def run_all(
    asked: "Sequence[tuple[str, Request]]",
    settings: "Settings",
    store_url: str | None,
    showing: Showing,
    by_batch: ByBatch | None,
) -> int:
    """Ask each model what is asked of it; the worst exit code of them.

    Raises:
        SafemarkError: one of them cannot be asked at all.
    """
    from safemark.reports.exit_code import INCONCLUSIVE, INTERRUPTED, exit_code
    from safemark.store import Store

    _collect_garbage_rarely()
    printed: list[Document | dict[str, Any]] = []
    runs: list[str] = []
    worst = 0
    with Store(store_url) as store:
        for name, request in asked:
            if by_batch is not None:
                waiting = by_batch.waits_for(name, request, settings, store)
                if waiting is not None:
                    printed.append(waiting)
                    worst = max(worst, INCONCLUSIVE)
                    continue
            going_on = settings if by_batch is None else replace(settings, fresh=False)
            page = showing.page(name, request, len(asked))
            document = _ran(name, request, going_on, store, page, showing.as_json)
            printed.append(document)
            runs.append(document.run)
            code = exit_code(document, gate=showing.gate, strict=showing.strict)
            worst = max(worst, code)
            if code == INTERRUPTED:
                say("\nstopped; what is finished is stored. Repeat the command to continue.")
                break
        comparisons = trials(store, asked, runs)
    if showing.as_json:
        found = {"runs": printed, **({"comparisons": comparisons} if comparisons else {})}
        emit_json(printed[0] if len(asked) == 1 else found)
    else:
        for comparison in comparisons:
            _show_comparison(comparison)
    return worst


def _ran(
    name: str, request: "Request", settings: "Settings", store: "Store", page: Path, as_json: bool
) -> "Document":
    """One run, written to its page and shown."""
    document, outcome, progress = asyncio.run(_asked(name, request, settings, store))
    _write_html(document, page)
    if not as_json:
        _show(document, outcome, page)
    _say_what_was_refused(progress)
    _say_who_answers(store, outcome.run_id)
    return document


async def _asked(
    name: str, request: "Request", settings: "Settings", store: "Store"
) -> "tuple[Document, Outcome, Progress]":
    """One run, its progress shown on the way, stopped by a signal."""
    from safemark.api import Watch, run_one, stopping_on_signals
    from safemark.cli._progress import shown
    from safemark.models.wrap import gates

    asked: list[Model] = []
    begun: asyncio.Future[Progress] = asyncio.get_running_loop().create_future()

    def planned(model: "Model", plan: "Plan") -> None:
        asked.append(model)
        _say_what_is_left_out(model, plan)

    def started(run: "StoredRun", continued: bool, progress: "Progress") -> None:
        verb = "continuing" if continued else "run"
        say(f"{verb} {run.id} · {harmless(run.model)} · {progress.total:,} requests")
        begun.set_result(progress)

    async def show_progress() -> None:
        async with shown(await begun, gates(asked[0])):
            await asyncio.Event().wait()

    stop = asyncio.Event()
    with stopping_on_signals(stop, lambda: say("\nstopping … (again to quit at once)")):
        showing = asyncio.create_task(show_progress())
        try:
            watch = Watch(planned, started)
            document, outcome = await run_one(name, request, settings, store, stop, watch)
            return document, outcome, await begun
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)


def _collect_garbage_rarely() -> None:
    """A run makes many small objects that live until they are stored: 30 µs a sample of looking.

    What was imported by now stays for good and is not looked at again.
    """
    import gc

    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _say_what_is_left_out(model: "Model", plan: "Plan") -> None:
    for note in getattr(model, "notes", ()):
        say(f"note: {harmless(note)}")
    for line in left_out(plan.not_covered):
        say(line)


def _show(document: "Document", outcome: "Outcome", page: Path) -> None:
    from safemark.decide import STOPPED_EARLY
    from safemark.reports.terminal import terminal

    emit(terminal(document, width(), is_coloured(), str(page)))
    if outcome.ending.why and outcome.ending.status != "complete":
        say(f"\n{outcome.ending.status}: {harmless(outcome.ending.why)}")
    for benchmark in document.benchmarks:
        for note in benchmark.notes:
            if note.startswith(STOPPED_EARLY):
                say(f"\n{benchmark.name} {harmless(note)}")
    say(f"\nrecords: safemark show {document.run}")


def _say_what_was_refused(progress: "Progress") -> None:
    """The first words of a server that could not be understood, or did not understand."""
    from safemark.types import Reason

    for reason in (Reason.BAD_REQUEST, Reason.BAD_RESPONSE):
        if why := " ".join(progress.whys.get(reason, "").split()):
            shown = harmless(why if len(why) <= _LONGEST_WHY else f"{why[:_LONGEST_WHY]} …")
            say(f"\n{reason.replace('_', ' ')}, the first: {shown}")


def _say_who_answers(store: "Store", run_id: str) -> None:
    """A notice where replies name another model or fingerprint than in the run before."""
    from safemark.reports.trend import notice_for

    if (notice := notice_for(store, store.run(run_id))) is not None:
        say(f"\nnotice: {harmless(notice)}")


def _write_html(document: "Document", page: Path) -> None:
    from safemark.reports.html import html

    try:
        page.write_text(html(document), encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise StoreError(
            f"{page} cannot be written: {error.strerror}",
            f"the records are stored: safemark report {document.run} -o FILE",
        ) from error


def _show_comparison(comparison: "Comparison") -> None:
    from safemark.reports.compare_terminal import compare_terminal

    emit("")
    emit(compare_terminal(comparison, width(), is_coloured(), 0))


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-") or "model"
