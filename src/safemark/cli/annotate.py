"""``safemark annotate``: label a sample of records by hand, blind to the judge."""

import getpass
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safemark.cli._options import Json, OneBenchmark, RunId, StoreUrl
from safemark.cli._output import emit, emit_json, harmless, on_one_thread, say

if TYPE_CHECKING:
    from safemark.annotate.sheet import Item, Result, Subject


def annotate(
    run: RunId,
    annotator: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="Who labels. [your login name]")
    ] = None,
    scorer: Annotated[
        str | None,
        typer.Option("--with", metavar="SCORER", help="Whose verdict is labelled. [its own]"),
    ] = None,
    benchmark: OneBenchmark = None,
    outcome: Annotated[
        str | None, typer.Option(metavar="NAME", help="The outcome that is labelled. [verdict]")
    ] = None,
    by_lot: Annotated[
        int, typer.Option("--random", min=0, help="Records drawn by lot; rates read these.")
    ] = 50,
    teaching: Annotated[
        int, typer.Option(min=0, help="Records on which judges differ or waver; kept apart.")
    ] = 10,
    seed: Annotated[int, typer.Option(help="Of the lot.")] = 0,
    page: Annotated[
        bool, typer.Option("--page", help="Label on a local page in place of the terminal.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the page. [a free one]")] = 0,
    adjudicate: Annotated[
        bool, typer.Option("--adjudicate", help="Decide where two people differ.")
    ] = False,
    result: Annotated[
        bool, typer.Option("--result", help="Label nothing; say what came of the labels.")
    ] = False,
    store: StoreUrl = None,
    as_json: Json = False,
) -> int:
    """Label records of a run by hand; what people say becomes the calibration of the scorer.

    Two people label the same records, blind to the judge and to each other; --adjudicate decides
    where they differ. Reports then show rates with the judge's error taken out.
    """
    import asyncio

    on_one_thread()
    from safemark.annotate import sheet
    from safemark.store import Store

    with Store(store) as opened:
        what = sheet.subject(
            opened, opened.run(run), scorer=scorer, benchmark=benchmark, outcome=outcome
        )
        if not result:
            who = sheet.ADJUDICATOR if adjudicate else annotator or getpass.getuser()
            items = (
                sheet.differing(opened, what)
                if adjudicate
                else sheet.sheet(opened, what, who, by_lot=by_lot, teaching=teaching, seed=seed)
            )

            def kept(item: "Item", label: str) -> None:
                sheet.keep(opened, what, item, who, label)

            if page:
                asyncio.run(_on_page(items, what, kept, port))
            else:
                _in_terminal(items, what, kept)
        found = sheet.result(opened, what)
    if as_json:
        emit_json({"run": what.run.id, "scorer": what.scorer.words, **_document(found)})
    else:
        emit(_text(what, found))
    return 0


async def _on_page(
    items: "list[Item]", what: "Subject", kept: "Callable[[Item, str], None]", port: int
) -> None:
    import asyncio

    from safemark.annotate.page import Page
    from safemark.api import stopping_on_signals

    page = Page(items, what.words, kept)
    runner = await page.start(port)
    try:
        say(f"open {page.address}\n(works once, on this machine; Ctrl-C ends, labels are kept)")
        with stopping_on_signals(page.done, lambda: say("\nstopping …")):
            await page.done.wait()
            await asyncio.sleep(0.2)  # the last page is on its way
    finally:
        await runner.cleanup()


def _in_terminal(items: "list[Item]", what: "Subject", kept: "Callable[[Item, str], None]") -> None:
    keys = {str(number): word for number, word in enumerate(what.words, 1)}
    choice = "  ".join(f"{key} {word}" for key, word in keys.items())
    for number, item in enumerate(items, 1):
        say(f"\n{'=' * 8} {number} of {len(items)}\n\nASKED\n{harmless(item.asked)}")
        say(f"\nANSWERED\n{harmless(item.answered)}\n")
        if item.differing:
            say(f"people differ: {', '.join(item.differing)}")
        answer = _answered(f"{choice}  s skip  q quit: ", {*keys, "s", "q"})
        if answer == "q":
            return
        if answer != "s":
            kept(item, keys[answer])


def _answered(question: str, allowed: set[str]) -> str:
    """One of ``allowed``; ``q`` where there is nobody to answer."""
    while True:
        say(question)
        try:
            answer = input().strip().lower()
        except (EOFError, OSError):
            return "q"
        if answer in allowed:
            return answer


def _document(found: "Result") -> dict[str, Any]:
    return {
        "annotators": list(found.annotators),
        "agreement": None if found.agreement is None else asdict(found.agreement),
        "random": None if found.by_lot is None else asdict(found.by_lot),
        "teaching": None if found.teaching is None else asdict(found.teaching),
        "undecided": found.undecided,
    }


def _text(what: "Subject", found: "Result") -> str:
    from safemark.cli.judge import share

    lines = [f"{what.scorer.words} on run {what.run.id}, labelled by {len(found.annotators)}"]
    if found.agreement is not None:
        agreed = found.agreement
        kappa = agreed.undefined if agreed.kappa is None else f"kappa {agreed.kappa:.2f}"
        lines.append(f"two people on {agreed.n} records: {kappa}")
    for name, of in (("drawn by lot", found.by_lot), ("teaching, in no rate", found.teaching)):
        if of is not None:
            lines.append(
                f"{name}: accuracy {share(of.accuracy)}, sensitivity {share(of.sensitivity)}, "
                f"specificity {share(of.specificity)}, n {of.n}, absent {of.absent}"
            )
    if found.undecided:
        lines.append(f"{found.undecided} undecided: --adjudicate decides where people differ")
    if found.calibration is not None:
        lines.append("stored as a calibration: `safemark report` shows rates with and without it")
    return "\n".join(lines)
