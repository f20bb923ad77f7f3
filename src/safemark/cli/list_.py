"""``safemark list``: what there is to ask, to ask it of, and what was asked."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safemark.cli._options import Json
from safemark.cli._output import emit, emit_json, say, table
from safemark.errors import UnknownName

if TYPE_CHECKING:
    from safemark.attacks._attack import Attack


def list_(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="benchmarks, categories, attacks, scorers, models, removals, suites or runs.",
        ),
    ],
    store: Annotated[
        str | None, typer.Option(metavar="URL", help="With runs: which store.")
    ] = None,
    as_json: Json = False,
) -> int:
    """List benchmarks, categories of risk, attacks, scorers, models, removals, suites or runs."""
    listings: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "benchmarks": _benchmarks,
        "categories": _categories,
        "attacks": _attacks,
        "scorers": _scorers,
        "models": _models,
        "removals": _removals,
        "suites": _suites,
        "runs": lambda: _runs(store),
    }
    if what not in listings:
        raise UnknownName("listing", what, listings)
    rows = listings[what]()
    if as_json:
        emit_json(rows)
    elif rows:
        header = list(rows[0])
        emit(table([[_cell(row[name]) for name in header] for row in rows], header))
    else:
        say(f"no {what} yet")
    return 0


def _cell(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _benchmarks() -> list[dict[str, Any]]:
    from safemark import registry
    from safemark.data import find
    from safemark.errors import DataError

    rows: list[dict[str, Any]] = []
    for name in registry.names("benchmark"):
        benchmark = registry.benchmark(name)
        if benchmark.source is None:
            here = "embedded"
        else:
            try:
                found = find(benchmark.source)
                here = "no" if not found.files else (found.partial or "yes")
            except DataError:
                here = "altered"
        rows.append(
            {
                "name": name,
                "versions": [benchmark.version, *(other.version for other in benchmark.versions)],
                "dimensions": list(benchmark.dimensions),
                "asked": [way.name for way in benchmark.ways],
                "here": here,
                "title": benchmark.title,
            }
        )
    return rows


def _categories() -> list[dict[str, Any]]:
    from safemark import taxonomy
    from safemark.taxonomy import crosswalk

    return [
        {
            "category": category.id,
            "name": category.name,
            "pillar": pillar.name,
            "benchmarks": list(
                dict.fromkeys(feed.benchmark for feed in crosswalk.feeding(category.id))
            ),
        }
        for pillar in taxonomy.pillars()
        for category in pillar.categories
    ]


def _attacks() -> list[dict[str, Any]]:
    from safemark import registry

    return [
        {
            "name": name,
            "kind": _shape(attack),
            "queries": attack.queries,
            "needs": sorted({*attack.needs, *attack.wants}),
            "title": attack.title,
        }
        for name in registry.names("attack")
        for attack in [registry.load("attack", name)]
    ]


def _shape(attack: "Attack") -> str:
    if attack.kind == "perturbation":
        return attack.kind
    return "search" if attack.search is not None or attack.queries > 1 else "rewrite"


def _removals() -> list[dict[str, Any]]:
    from safemark import registry

    return [
        {"name": name, "needs": found.needs, "title": found.title}
        for name in registry.names("removal")
        for found in [registry.load("removal", name)]
    ]


def _scorers() -> list[dict[str, Any]]:
    from safemark import registry

    return [
        {"name": name, "version": registry.scorer(name).version}
        for name in registry.names("scorer")
    ]


def _models() -> list[dict[str, Any]]:
    from safemark.models.connect import providers

    return [{"model": name, "what": what} for name, what in providers().items()]


def _suites() -> list[dict[str, Any]]:
    from safemark.plan import QUICK_REQUESTS, SUITES

    about = {
        "quick": f"what is embedded or downloaded, at most {QUICK_REQUESTS:,} requests",
        "all": "every benchmark, whole; downloads what is missing",
    }
    return [
        {"suite": suite, "what": about.get(suite, f"benchmarks with a {suite} headline")}
        for suite in SUITES
    ]


def _runs(store_url: str | None) -> list[dict[str, Any]]:
    from safemark.store import Store

    with Store(store_url) as store:
        return [
            {
                "run": run.id,
                "model": run.model,
                "status": run.status,
                "started": run.started,
                "benchmarks": [part.benchmark for part in store.parts(run.id)],
            }
            for run in store.runs()
        ]
