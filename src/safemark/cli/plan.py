"""``safemark plan``: how many cases it takes, what a number of cases can show, what that costs."""

from typing import TYPE_CHECKING, Annotated

import typer

from safemark.cli._options import Json, StoreUrl
from safemark.cli._output import emit, emit_json, say, table
from safemark.errors import UsageError

if TYPE_CHECKING:
    from safemark.reports.planning import Planning, Price, Stored


def plan(
    model: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", help="Rates and costs of this one's stored runs."),
    ] = None,
    benchmarks: Annotated[
        list[str] | None,
        typer.Option("-b", "--benchmark", metavar="NAME", help="Only this one's stored runs."),
    ] = None,
    difference: Annotated[
        float, typer.Option(metavar="POINTS", help="The difference to be told apart.")
    ] = 3.0,
    cases: Annotated[int, typer.Option(metavar="N", help="What can N cases show?")] = 150,
    precision: Annotated[
        float, typer.Option(metavar="POINTS", help="Half of the interval that is wanted.")
    ] = 2.0,
    rates: Annotated[
        list[float] | None,
        typer.Option("--rate", metavar="PERCENT", help="Around this rate. [50 70 90 98]"),
    ] = None,
    discordance: Annotated[
        float | None,
        typer.Option(
            metavar="PERCENT", help="Questions on which two runs disagree. [stored runs, or rates]"
        ),
    ] = None,
    power: Annotated[
        float, typer.Option(metavar="P", help="How surely the difference is to be found.")
    ] = 0.8,
    confidence: Annotated[float, typer.Option(metavar="PERCENT", help="Of tests.")] = 95.0,
    input_usd: Annotated[
        float | None, typer.Option(min=0.0, metavar="USD", help="Price of a million tokens in.")
    ] = None,
    output_usd: Annotated[
        float | None, typer.Option(min=0.0, metavar="USD", help="Price of a million tokens out.")
    ] = None,
    store: StoreUrl = None,
    as_json: Json = False,
) -> int:
    """Say how many cases tell models apart, what a suite can show, and what precision costs."""
    from safemark.reports.planning import RATES, Goal, planning
    from safemark.store import Store

    goal = Goal(
        difference=difference / 100,
        cases=cases,
        precision=precision / 100,
        power=power,
        confidence=confidence / 100,
        rates=RATES if not rates else tuple(rate / 100 for rate in rates),
        discordance=None if discordance is None else discordance / 100,
    )
    with Store(store) as opened:
        found = planning(
            goal,
            opened,
            model=model,
            benchmarks=benchmarks or (),
            price=_price(input_usd, output_usd),
        )
    if as_json:
        emit_json(found)
    else:
        emit(_shown(found))
        for note in found.left_out:
            say(f"left out: {note}")
    return 0


def _price(input_usd: float | None, output_usd: float | None) -> "Price | None":
    from safemark.reports.planning import Price

    if input_usd is None and output_usd is None:
        return None
    if input_usd is None or output_usd is None:
        raise UsageError("a price has two parts", "give --input-usd and --output-usd")
    return Price(input_usd, output_usd)


def _shown(found: "Planning") -> str:
    from safemark.reports.planning import in_words

    goal = found.goal
    sure = f"power {goal.power:g}, confidence {_percent(goal.confidence)}"
    blocks = [
        f"To tell {100 * goal.difference:g} points apart ({sure})",
        table(_needed(found), ["rate", "cases of each", *_shared_headings(found)]),
        "",
        f"What {goal.cases:,} cases can show",
        table(
            _can_show(found),
            ["rate", f"{_percent(goal.confidence)} interval", "of each", *_shared_headings(found)],
        ),
        "",
        *in_words(found),
        "",
    ]
    nothing = "No stored run tells more: rates, disagreement and cost are not known."
    return "\n".join([*blocks, *(_stored(found) or [nothing])])


def _shared_headings(found: "Planning") -> list[str]:
    """Above the columns of questions that both are asked, with how often they disagree on one."""
    several = len(found.needed[0].shared) > 1
    return ["shared, answers unrelated", "half as unlike"] if several else ["shared"]


def _needed(found: "Planning") -> list[list[str]]:
    return [
        [
            _percent(one.rate),
            _count(one.separate),
            *(
                f"{_count(each.cases)} (disagree on {_percent(each.discordance)})"
                for each in one.shared
            ),
        ]
        for one in found.needed
    ]


def _can_show(found: "Planning") -> list[list[str]]:
    return [
        [
            _percent(one.rate),
            f"{100 * one.low:.1f} to {100 * one.high:.1f} %",
            _points(one.separate),
            *(_points(each.difference) for each in one.shared),
        ]
        for one in found.can_show
    ]


def _stored(found: "Planning") -> list[str]:
    if not found.stored:
        return []
    goal = found.goal
    rows = [
        [
            one.benchmark,
            one.metric.replace("_", " "),
            "not known" if one.value is None else f"{100 * one.value:.1f}",
            "not known" if one.design_effect is None else f"{one.design_effect:g}",
            "not known" if one.discordance is None else _percent(one.discordance),
            _held(one.separate, one),
            _held(one.shared, one),
            _held(one.for_precision, one),
            "not known" if one.usd_for_precision is None else f"${one.usd_for_precision:,.2f}",
        ]
        for one in found.stored
    ]
    header = [
        "benchmark",
        "headline",
        "value",
        "design effect",
        "disagree",
        "cases of each",
        "shared cases",
        f"for ±{100 * goal.precision:g}",
        "cost of that",
    ]
    return [
        f"From stored runs: for {100 * goal.difference:g} points, and ±{100 * goal.precision:g}",
        table(rows, header),
        "* more than the benchmark holds; disagree: of two runs, asked the same question",
    ]


def _held(cases: int | None, one: "Stored") -> str:
    more = cases is not None and one.in_benchmark is not None and cases > one.in_benchmark
    return _count(cases) + (" *" if more else "")


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _points(share: float | None) -> str:
    return "none" if share is None else f"from {100 * share:.1f} points"


def _count(cases: int | None) -> str:
    return "too many" if cases is None else f"{cases:,}"
