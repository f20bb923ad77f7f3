"""One benchmark for one model: which way of asking, which files, which samples."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from safemark import data, registry
from safemark.benchmarks._benchmark import Benchmark, Way
from safemark.benchmarks._use_cases import for_use
from safemark.errors import DataError, UsageError
from safemark.judging import Judges
from safemark.models._model import Model, can
from safemark.plan.drawing import Fact, drawn, fact_of, planned, stratified
from safemark.plan.kinds import Kinds
from safemark.plan.request import Request
from safemark.plan.task import Task
from safemark.types import Ask


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms benchmarks are looked up: for what, for whom, with which judges.

    With ``pull``, data that is not here is downloaded, unless ``offline``.
    """

    request: Request
    model: Model
    judges: Judges
    pull: bool = False
    offline: bool = False


class NotDownloaded(DataError):
    """A benchmark's data is not on this machine."""


def task_of(spec: str, terms: Terms) -> Task:
    """The task of a benchmark, worded ``NAME[@VERSION][:WAY]``.

    Raises:
        UsageError: it is unknown, or the model cannot be asked it this way.
        DataError: its data is not here, has no samples, or is not the pinned one.
    """
    request = terms.request
    name, _, way_name = spec.partition(":")
    benchmark = for_use(registry.benchmark(name), request.use_case)
    way = way_of(benchmark, way_name or None, terms)
    if way is None:
        raise UsageError(
            f"`{benchmark.name}` cannot be asked of {terms.model.name}: it {needs_of(benchmark)}",
            "likelihoods come with local weights: safemark run hf/<id or folder>",
        )
    here = _here(benchmark, terms)
    facts, kinds = _read(benchmark, here.files)
    if not facts:
        raise DataError(f"`{benchmark.name}` has no samples in the files that are here")
    repeats = request.repeats if request.repeats > 1 else way.repeats
    whole = Task(
        benchmark=benchmark,
        way=way,
        ask=_ask(request, way),
        repeats=repeats,
        files=here.files,
        chosen=None,
        in_benchmark=len(facts),
        planned=planned(facts, None, repeats),
        selection="all",
        partial=here.partial,
        digests=here.digests,
        notes=here.notes,
        kinds=kinds,
    )
    if request.first is not None and request.first < len(facts):
        chosen = frozenset(range(request.first))
        return whole.choosing(facts, chosen, f"the first {request.first} of {len(facts)}")
    if request.limit is not None and request.limit < len(facts):
        chosen = stratified(facts, request.limit, request.seed)
        return whole.choosing(facts, chosen, drawn(len(chosen), len(facts), request.seed))
    return whole


def _read(benchmark: Benchmark, files: Mapping[str, Path]) -> tuple[list[Fact], Kinds]:
    """What drawing knows of each sample, and of which kind it is."""
    facts, kinds = [], Kinds()
    for sample in benchmark.samples(files):
        facts.append(fact_of(sample))
        kinds.add(sample)
    return facts, kinds


def way_of(benchmark: Benchmark, name: str | None, terms: Terms) -> Way | None:
    """The way of that name, else the first that the model can be asked and somebody can judge."""
    wanted = [way for way in benchmark.ways if name in (None, way.name)]
    usable = (way for way in wanted if can(terms.model, way.needs) and terms.judges.can(way.scorer))
    return next(usable, None)


def needs_of(benchmark: Benchmark) -> str:
    """What its ways of asking need of a model, in words."""
    needs = sorted({way.needs for way in benchmark.ways})
    return "needs " + " or ".join({"loglikelihood": "likelihoods"}.get(n, n) for n in needs)


def lacks_judge(spec: str, terms: Terms) -> bool:
    """Whether all that is missing to ask a benchmark of the model is a judge."""
    name, _, way = spec.partition(":")
    benchmark = registry.benchmark(name)
    if way_of(benchmark, way or None, terms) is not None:
        return False
    return any(can(terms.model, one.needs) for one in benchmark.ways if way in ("", one.name))


def _ask(request: Request, way: Way) -> Ask:
    own = way.temperature or 0.0
    temperature = own if request.temperature is None else request.temperature
    return Ask(
        temperature=temperature,
        max_output_tokens=request.max_output_tokens or way.max_output_tokens or 512,
        top_p=way.top_p,
        seed=request.seed if temperature > 0 else None,
        system=request.system,
    )


@dataclass(frozen=True, slots=True)
class _Here:
    """What of a benchmark's data is on this machine; nothing where it is part of the package."""

    files: Mapping[str, Path] = field(default_factory=dict)
    partial: str | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def _here(benchmark: Benchmark, terms: Terms) -> _Here:
    if benchmark.source is None:
        return _Here()
    found = data.find(benchmark.source)
    lacks = benchmark.needs_files & set(found.missing)
    if terms.pull and found.missing and (lacks or not found.files):
        found = data.pull(benchmark.source, offline=terms.offline)
        lacks = benchmark.needs_files & set(found.missing)
    if lacks or not found.files:
        raise NotDownloaded(
            f"the data of `{benchmark.name}` is not on this machine",
            f"safemark data pull {benchmark.name}",
        )
    notes = tuple(f"unpinned: {path}" for path in found.unpinned)
    return _Here(found.files, found.partial, found.digests, notes)
