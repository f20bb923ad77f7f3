"""The benchmarks of a suite: those that this model can be asked now, and why not the others."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from safemark import data, registry
from safemark.benchmarks._benchmark import DIMENSIONS, Benchmark
from safemark.errors import DataError, NotInstalled, SafemarkError, UsageError
from safemark.judging import NO_JUDGE
from safemark.plan.drawing import drawn, facts_of, stratified
from safemark.plan.looking_up import NotDownloaded, Terms, lacks_judge, needs_of, task_of, way_of
from safemark.plan.request import suites_of
from safemark.plan.task import Gap, Plan, Task

QUICK_REQUESTS = 2000
"""At most so many requests make the suite `quick`."""


def suite_plan(terms: Terms, most: int) -> Plan:
    """The benchmarks of the suites that were named; of `quick` at most ``most`` samples.

    Raises:
        UsageError: none of them can be asked of this model.
        DataError: none, and the data of at least one is not here.
    """
    suites = suites_of(terms.request)
    is_quick = suites == ("quick",)
    terms = replace(terms, pull=terms.pull and not is_quick)
    tasks: list[Task] = []
    obstacles: dict[str, SafemarkError] = {}
    beside: list[Gap] = []
    for name, benchmark in _of_dimensions(set(suites) & set(DIMENSIONS)):
        if is_quick and not benchmark.is_quick:
            beside.append((name, f"not in the suite `quick`; `safemark run -b {name}`"))
            continue
        found = _task_or_why_not(name, benchmark, terms)
        if isinstance(found, Task):
            tasks.append(found)
        else:
            obstacles[name] = found
    if not tasks:
        raise _nothing(",".join(suites), terms, obstacles)
    left_out = [(name, _why(obstacle)) for name, obstacle in obstacles.items()]
    if is_quick and not (terms.request.first or terms.request.limit):
        tasks, no_room = _within(tasks, most, terms.request.seed)
        left_out += no_room
    return Plan(tuple(tasks), (*left_out, *beside))


def _of_dimensions(dimensions: Collection[str]) -> Iterator[tuple[str, Benchmark]]:
    """Name and benchmark of each that tells of one of these dimensions; of none given: of all."""
    for name in registry.names("benchmark"):
        benchmark = registry.benchmark(name)
        if not dimensions or any(one in dimensions for one in benchmark.dimensions):
            yield name, benchmark


def _task_or_why_not(name: str, benchmark: Benchmark, terms: Terms) -> Task | SafemarkError:
    if lacks_judge(name, terms):
        return UsageError(NO_JUDGE)
    if way_of(benchmark, None, terms) is None:
        why = f"{terms.model.name} cannot be asked this way ({needs_of(benchmark)})"
        return UsageError(why)
    try:
        return task_of(name, terms)
    except NotDownloaded:
        return DataError("not downloaded", f"`safemark data pull {name}`")
    except (NotInstalled, data.NotFetched) as error:
        return error


def _why(obstacle: SafemarkError) -> str:
    return "; ".join(filter(None, (obstacle.problem, obstacle.hint)))


def _nothing(suite: str, terms: Terms, obstacles: Mapping[str, SafemarkError]) -> SafemarkError:
    lacks_data = any(isinstance(obstacle, DataError) for obstacle in obstacles.values())
    whys = [f"{name}: {_why(obstacle)}" for name, obstacle in obstacles.items()]
    return (DataError if lacks_data else UsageError)(
        f"nothing of the suite `{suite}` can be asked of {terms.model.name}",
        "; ".join(whys[:3]) or "`safemark list benchmarks` shows what there is",
    )


def _within(tasks: Sequence[Task], most: int, seed: int) -> tuple[list[Task], list[Gap]]:
    """The same tasks, each cut so that all together make at most ``most`` requests.

    The small ones stay whole and leave what they do not need to the others. A task of which not
    even one sample fits, because of its repeats, is left out.
    """
    fitted: dict[str, Task] = {}
    left_out: list[Gap] = []
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
    facts = facts_of(task.benchmark, task.files)
    chosen = stratified(facts, limit, seed)
    return task.choosing(facts, chosen, drawn(len(chosen), len(facts), seed))
