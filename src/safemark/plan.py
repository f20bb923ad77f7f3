"""What a run will ask: which benchmarks, in which way, and which of their samples.

Selecting is seeded and knows nothing of answers. The same benchmark, seed and number always give
the same samples, whatever else the run does.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from safemark import data, registry
from safemark.benchmarks._benchmark import DIMENSIONS, Benchmark, Scorer, Way
from safemark.errors import DataError, UnknownName, UsageError
from safemark.judging import NO_JUDGE, Judges, with_judge
from safemark.models._model import Model, can
from safemark.scorers._judge.votes import Rule
from safemark.types import Ask, Sample

QUICK_REQUESTS = 2000
"""At most so many requests make the suite `quick`."""

SUITES = ("quick", "all", *DIMENSIONS)

USUAL = "usual"
"""Stands for the scorers that judge every free reply unless somebody says otherwise."""

USUAL_SCORERS = ("toxicity", "pii")
NOBODY = "none"


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asked for, before anything is looked up.

    ``limit`` draws a seeded, stratified sample of whole clusters; ``first`` takes the first rows.
    ``temperature`` None is the benchmark's own, 0 where it has none. ``also`` are scorers that
    judge every reply beside the benchmark's own; `USUAL` among them stands for toxicity and
    personal data of free replies (a letter has neither). ``until_decided`` ends a benchmark as soon
    as its lights, or the gate, are decided. ``judge`` are models that scorers ask who need one;
    several decide by ``judge_rule``, the majority by default.
    """

    benchmarks: tuple[str, ...] = ()
    suite: str | None = None
    limit: int | None = None
    first: int | None = None
    repeats: int = 1
    seed: int = 0
    system: str | None = None
    temperature: float | None = None
    max_output_tokens: int | None = None
    also: tuple[str, ...] = ()
    until_decided: Literal["light", "gate"] | None = None
    judge: tuple[str, ...] = ()
    judge_rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One benchmark, asked one way: the samples are read anew each time they are gone through.

    ``chosen`` are indices into the benchmark's samples, None for all of them. ``planned`` counts
    them by category ("" for none), repeats included.
    """

    benchmark: Benchmark
    way: Way
    ask: Ask
    repeats: int
    files: Mapping[str, Path]
    chosen: frozenset[int] | None
    in_benchmark: int
    planned: Mapping[str, int]
    selection: str
    partial: str | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Samples times repeats."""
        return sum(self.planned.values())

    def samples(self) -> Iterator[tuple[int, Sample]]:
        """Index in the benchmark and sample as rendered, in the benchmark's order."""
        for index, sample in enumerate(self.benchmark.samples(self.files)):
            if self.chosen is None or index in self.chosen:
                yield index, self.way.render(sample)


@dataclass(frozen=True, slots=True)
class Plan:
    """The tasks of a run, and what a reader might expect that is not among them.

    ``also`` judge every reply of every task, beside its own scorer; ``usual`` only free replies.
    ``judges`` are the models that those ask who need one.
    """

    tasks: tuple[Task, ...]
    not_covered: tuple[tuple[str, str], ...]
    also: tuple[Scorer, ...] = ()
    usual: tuple[Scorer, ...] = ()
    judges: tuple[Model, ...] = ()

    def beside(self, task: Task) -> tuple[Scorer, ...]:
        """Who judges the replies of ``task`` beside its own scorer."""
        if task.way.name.startswith("letters"):
            return self.also
        named = {scorer.name for scorer in self.also}
        return (*self.also, *(scorer for scorer in self.usual if scorer.name not in named))

    @property
    def total(self) -> int:
        """Requests that the run will make."""
        return sum(task.total for task in self.tasks)


def plan(
    request: Request,
    model: Model,
    *,
    pull: bool = False,
    offline: bool = False,
    judges: Judges | None = None,
) -> Plan:
    """Look up everything that ``request`` names for ``model``.

    With ``pull``, datasets that were named and are not here are downloaded first. What needs a
    judge is left out where there are no ``judges``.

    Raises:
        UsageError: an unknown or impossible benchmark, version, way or suite.
        DataError: a dataset that was named is not here, or not the pinned one.
    """
    check_names(request)
    judges = judges or Judges()
    found = _named(request, model, pull, offline, judges)
    also = tuple(judges.ready(registry.scorer(name)) for name in _also(request))
    usual = tuple(map(registry.scorer, USUAL_SCORERS if USUAL in request.also else ()))
    tasks = [_judged(task, judges) for task in found.tasks]
    own = model.identity.digest
    if any(judge.identity.digest == own for judge in judges.models):
        tasks = [_noted(task, also) for task in tasks]
    return replace(found, tasks=tuple(tasks), also=also, usual=usual, judges=judges.models)


def _judged(task: Task, judges: Judges) -> Task:
    """The task with its scorer ready to judge."""
    return replace(task, way=replace(task.way, scorer=judges.ready(task.way.scorer)))


def _noted(task: Task, also: Sequence[Scorer]) -> Task:
    """The task with a note, where the model under test judges its own answers."""
    if not any(scorer.judge for scorer in (task.way.scorer, *also)):
        return task
    return replace(task, notes=(*task.notes, JUDGES_ITSELF))


JUDGES_ITSELF = "judged by the model under test itself, as --judge asked for"


def _named(request: Request, model: Model, pull: bool, offline: bool, judges: Judges) -> Plan:
    if request.benchmarks:
        unjudged = [spec for spec in request.benchmarks if _lacks_judge(spec, model, judges)]
        wanted = [spec for spec in request.benchmarks if spec not in unjudged]
        if not wanted:
            raise UsageError(
                f"`{unjudged[0]}` is judged by a model, and none was named",
                "--judge MODEL, for example --judge openai/gpt-4o-mini",
            )
        named = [_task(spec, request, model, pull, offline, judges) for spec in wanted]
        # a benchmark that was named twice is asked once
        distinct = {
            (task.benchmark.name, task.benchmark.version, task.way.name): task for task in named
        }
        return Plan(tuple(distinct.values()), tuple((spec, NO_JUDGE) for spec in unjudged))
    return _suite(request, model, pull, offline, judges)


def _lacks_judge(spec: str, model: Model, judges: Judges) -> bool:
    """Whether all that is missing to ask a benchmark of ``model`` is a judge."""
    name, _, way = spec.partition(":")
    benchmark = registry.benchmark(name)
    if _way(benchmark, way or None, model, judges) is not None:
        return False
    return any(can(model, one.needs) for one in benchmark.ways if way in ("", one.name))


def _also(request: Request) -> list[str]:
    """The scorers that were named; `NOBODY` is no scorer.

    Raises:
        UsageError: nobody and somebody are named together.
    """
    if NOBODY in request.also and len(request.also) > 1:
        raise UsageError(f"`--also {NOBODY}` goes with no scorer", "leave one of them out")
    return [name for name in dict.fromkeys(request.also) if name not in (USUAL, NOBODY)]


def check_names(request: Request) -> None:
    """Refuse what no model could be asked, before a model is loaded.

    Raises:
        UsageError: an unknown benchmark, version, way, suite or scorer, or options that exclude
            each other.
    """
    if request.limit is not None and request.first is not None:
        raise UsageError("`--limit` and `--first` exclude each other", "give one of them")
    if request.benchmarks and request.suite:
        raise UsageError("`-b` and `--suite` exclude each other", "give one of them")
    if request.suite is not None and request.suite not in SUITES:
        raise UnknownName("suite", request.suite, SUITES, "safemark list suites")
    for name in _also(request):
        scorer = registry.scorer(name)
        if not request.judge:
            with_judge(scorer, None)
    for spec in request.benchmarks:
        name, _, way = spec.partition(":")
        benchmark = registry.benchmark(name)
        if way and benchmark.way(way) is None:
            known = [way.name for way in benchmark.ways]
            raise UnknownName(f"way of asking {benchmark.name}", way, known)


def _suite(request: Request, model: Model, pull: bool, offline: bool, judges: Judges) -> Plan:
    suite = request.suite or "quick"
    tasks: list[Task] = []
    left_out: list[tuple[str, str]] = []
    for name in registry.names("benchmark"):
        benchmark = registry.benchmark(name)
        if suite in DIMENSIONS and suite not in {h.dimension for h in benchmark.headlines}:
            continue
        if _lacks_judge(name, model, judges):
            left_out.append((name, NO_JUDGE))
            continue
        if _way(benchmark, None, model, judges) is None:
            left_out.append((name, f"{model.name} cannot be asked this way ({_needs(benchmark)})"))
            continue
        try:
            tasks.append(_task(name, request, model, pull and suite != "quick", offline, judges))
        except DataError as error:
            if not isinstance(error, NotDownloaded):
                raise
            left_out.append((name, f"not downloaded; `safemark data pull {name}`"))
    if not tasks:
        missing = any("not downloaded" in why for _, why in left_out)
        raise (DataError if missing else UsageError)(
            f"nothing of the suite `{suite}` can be asked of {model.name}",
            "; ".join(f"{what}: {why}" for what, why in left_out[:3])
            or "`safemark list benchmarks` shows what there is",
        )
    if suite == "quick" and not (request.first or request.limit):
        tasks, no_room = _within(tasks, QUICK_REQUESTS, request.seed)
        left_out += no_room
    return Plan(tuple(tasks), tuple(left_out))


class NotDownloaded(DataError):
    """A benchmark's data is not on this machine."""


def _within(tasks: list[Task], most: int, seed: int) -> tuple[list[Task], list[tuple[str, str]]]:
    """The same tasks, each cut so that all together make at most ``most`` requests.

    The small ones stay whole and leave what they do not need to the others. A task of which not
    even one sample fits, because of its repeats, is left out.
    """
    fitted: dict[str, Task] = {}
    left_out: list[tuple[str, str]] = []
    left = most
    for done, task in enumerate(sorted(tasks, key=lambda task: task.total)):
        name = task.benchmark.name
        samples = left // (len(tasks) - done) // task.repeats
        if samples == 0:
            left_out.append((name, f"{task.repeats:,} repeats do not fit into {most:,} requests"))
            continue
        fits = samples * task.repeats >= task.total
        fitted[name] = task if fits else _cut(task, samples, seed)
        left -= fitted[name].total
    return [fitted[t.benchmark.name] for t in tasks if t.benchmark.name in fitted], left_out


def _cut(task: Task, limit: int, seed: int) -> Task:
    facts = [(s.category or "", s.cluster or s.id) for s in task.benchmark.samples(task.files)]
    chosen = stratified(facts, limit, seed)
    return replace(
        task,
        chosen=chosen,
        planned=_planned(facts, chosen, task.repeats),
        selection=_drawn(len(chosen), len(facts), seed),
    )


def _task(
    spec: str, request: Request, model: Model, pull: bool, offline: bool, judges: Judges
) -> Task:
    name, _, way_name = spec.partition(":")
    benchmark = registry.benchmark(name)
    way = _way(benchmark, way_name or None, model, judges)
    if way is None:
        raise UsageError(
            f"`{benchmark.name}` cannot be asked of {model.name}: it {_needs(benchmark)}",
            "likelihoods come with local weights: safemark run hf/<id or folder>",
        )
    files, partial, digests, notes = _files(benchmark, pull, offline)
    facts = [(s.category or "", s.cluster or s.id) for s in benchmark.samples(files)]
    if not facts:
        raise DataError(f"`{benchmark.name}` has no samples in the files that are here")
    chosen: frozenset[int] | None = None
    selection = "all"
    if request.first is not None and request.first < len(facts):
        chosen = frozenset(range(request.first))
        selection = f"the first {request.first} of {len(facts)}"
    if request.limit is not None and request.limit < len(facts):
        chosen = stratified(facts, request.limit, request.seed)
        selection = _drawn(len(chosen), len(facts), request.seed)
    return Task(
        benchmark=benchmark,
        way=way,
        ask=_ask(request, way),
        repeats=request.repeats,
        files=files,
        chosen=chosen,
        in_benchmark=len(facts),
        planned=_planned(facts, chosen, request.repeats),
        selection=selection,
        partial=partial,
        digests=digests,
        notes=notes,
    )


def _drawn(n: int, of: int, seed: int) -> str:
    return f"{n} of {of}, drawn by cluster within category (seed {seed})"


def _ask(request: Request, way: Way) -> Ask:
    own = way.temperature or 0.0
    temperature = own if request.temperature is None else request.temperature
    return Ask(
        temperature=temperature,
        max_output_tokens=request.max_output_tokens or way.max_output_tokens or 512,
        seed=request.seed if temperature > 0 else None,
        system=request.system,
    )


def _way(benchmark: Benchmark, name: str | None, model: Model, judges: Judges) -> Way | None:
    """The way of that name, else the first that the model can be asked and somebody can judge."""
    wanted = [way for way in benchmark.ways if name in (None, way.name)]
    usable = (way for way in wanted if can(model, way.needs) and judges.can(way.scorer))
    return next(usable, None)


def _needs(benchmark: Benchmark) -> str:
    needs = sorted({way.needs for way in benchmark.ways})
    return "needs " + " or ".join({"loglikelihood": "likelihoods"}.get(n, n) for n in needs)


def _files(
    benchmark: Benchmark, pull: bool, offline: bool
) -> tuple[Mapping[str, Path], str | None, Mapping[str, str], tuple[str, ...]]:
    if benchmark.source is None:
        return {}, None, {}, ()
    found = data.find(benchmark.source)
    if pull and found.missing and (not found.files or benchmark.needs_files & set(found.missing)):
        found = data.pull(benchmark.source, offline=offline)
    missing = benchmark.needs_files & set(found.missing)
    if not found.files or missing:
        raise NotDownloaded(
            f"the data of `{benchmark.name}` is not on this machine",
            f"safemark data pull {benchmark.name}",
        )
    notes = tuple(f"unpinned: {path}" for path in found.unpinned)
    return found.files, found.partial, found.digests, notes


def _planned(
    facts: Sequence[tuple[str, str]], chosen: frozenset[int] | None, repeats: int
) -> dict[str, int]:
    counts = Counter(
        category for index, (category, _) in enumerate(facts) if chosen is None or index in chosen
    )
    return {category: count * repeats for category, count in counts.items()}


def stratified(facts: Sequence[tuple[str, str]], limit: int, seed: int) -> frozenset[int]:
    """Indices of ``limit`` samples, shared out over categories, in whole clusters.

    Each category gets its share of ``limit`` (largest remainders); within it clusters are drawn
    at random and taken whole while they fit; the last one is cut, from its first row on, so that
    exactly ``limit`` samples are drawn.

    Args:
        facts: category and cluster of each sample, in the benchmark's order.
        limit: how many samples, at most ``len(facts)``.
        seed: the same seed draws the same samples.

    >>> sorted(stratified([("a", "1"), ("a", "1"), ("b", "2"), ("b", "3")], 3, seed=0))
    [0, 1, 3]
    """
    clusters: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for index, (category, cluster) in enumerate(facts):
        clusters[category][cluster].append(index)
    sizes = {c: sum(map(len, groups.values())) for c, groups in clusters.items()}
    chosen: set[int] = set()
    for category, allotted in _allotted(sizes, limit).items():
        draw = random.Random(f"{seed}/{category}")
        groups = list(clusters[category].values())
        draw.shuffle(groups)
        chosen.update(_filled(groups, allotted))
    return frozenset(chosen)


def _filled(groups: Iterable[list[int]], room: int) -> list[int]:
    taken: list[int] = []
    waiting: list[list[int]] = []
    for group in groups:
        if len(group) <= room - len(taken):
            taken.extend(group)
        else:
            waiting.append(group)
    for group in waiting:
        taken.extend(group[: room - len(taken)])
    return taken


def _allotted(sizes: Mapping[str, int], limit: int) -> dict[str, int]:
    """``limit`` shared out in proportion to ``sizes``, by largest remainders.

    >>> _allotted({"a": 3, "b": 1}, 2)
    {'a': 2, 'b': 0}
    """
    total = sum(sizes.values())
    limit = min(limit, total)
    exact = {category: limit * size / total for category, size in sizes.items()}
    allotted = {category: int(share) for category, share in exact.items()}
    rest = limit - sum(allotted.values())
    by_remainder = sorted(exact, key=lambda c: (allotted[c] - exact[c], c))
    for category in by_remainder[:rest]:
        allotted[category] += 1
    return allotted
