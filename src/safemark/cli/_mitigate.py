"""``--mitigate``: the same questions to a model bare and mitigated, and what that changes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from safemark.cli._output import say
from safemark.errors import UsageError

if TYPE_CHECKING:
    from safemark.plan import Request
    from safemark.reports.comparison import Comparison
    from safemark.store import Store

USEFUL = "audit150"
"""Asked as well where nothing that was named measures usefulness: it needs no download."""

TWICE = {"self-check": ", twice: it asks again about each answer"}
"""Mitigations that ask more than once for an answer, in words."""


def arms(
    names: Sequence[str], request: "Request", mitigations: Sequence[str]
) -> Iterator[tuple[str, "Request"]]:
    """Each model as it is, then behind each mitigation: its name and what is asked of it."""
    for name in names:
        yield name, request
        for mitigation in mitigations:
            yield name, replace(request, mitigation=mitigation)


def trial_of(request: "Request", mitigations: Sequence[str], batch: bool) -> "Request":
    """The request of a trial, with something that measures usefulness.

    Raises:
        UsageError: an unknown mitigation, or one that cannot be tried this way.
    """
    from safemark.models.mitigation import check_mitigation

    for name in mitigations:
        check_mitigation(name)
    if batch:
        raise UsageError("a mitigation is not asked by batch", "leave `--batch` away")
    return _with_usefulness(request)


def _with_usefulness(request: "Request") -> "Request":
    """The request with `USEFUL` added, where it names benchmarks and none is of usefulness.

    Raises:
        UnknownName: a benchmark that is not installed.
    """
    from safemark import registry

    found = [registry.benchmark(spec.partition(":")[0]) for spec in request.benchmarks]
    if any(head.dimension == "usefulness" for one in found for head in one.headlines):
        return request
    if request.benchmarks:
        say(f"usefulness: `{USEFUL}` is asked as well, as a mitigation may cost some")
        return replace(request, benchmarks=(*request.benchmarks, USEFUL))
    if request.suite not in (None, "quick", "all", "usefulness"):
        say(f"note: the suite `{request.suite}` may not show what a mitigation costs: -s all")
    return request


def trials(
    store: "Store", asked: "Sequence[tuple[str, Request]]", runs: Sequence[str]
) -> "list[Comparison]":
    """Each bare run, compared with the mitigated runs of the same model that follow it.

    Nothing where nothing was mitigated, or not everything that was ``asked`` has its run.
    """
    mitigations = {request.mitigation for _, request in asked} - {None}
    if not mitigations or len(runs) < len(asked):
        return []
    from safemark.reports.compare import compare
    from safemark.reports.sides import from_store

    per_model = 1 + len(mitigations)
    models = [runs[start : start + per_model] for start in range(0, len(runs), per_model)]
    return [
        compare([from_store(store, store.run(run)) for run in arms_of_one], listed=0)
        for arms_of_one in models
    ]
