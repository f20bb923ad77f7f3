"""A sample that was never asked is absent only in the metrics that could have counted it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from safemark import registry
from safemark.benchmarks import audit150
from safemark.benchmarks._benchmark import Benchmark, Metric, share
from safemark.benchmarks._sizes import group_of, sizes
from safemark.plan.kinds import Kinds
from safemark.reports.document import BenchmarkDocument
from safemark.reports.not_asked import NotAsked
from safemark.reports.scorecard import document, readings
from safemark.store import Size, Store
from safemark.types import Row, Sample, Scalar, Score
from tests.reports.runs import run_of

FIXTURES = Path(__file__).parents[1] / "fixtures"
SAMPLES = list(audit150.samples({}))
PLANNED = Counter(sample.category or "" for sample in SAMPLES)
WHOLE = {
    "audit_score": 150,
    "truth_score": 100,
    "harmful_requests_refused": 25,
    "harmless_twins_answered": 25,
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(str(tmp_path / "store.db"))
    yield opened
    opened.close()


def sizes_of(benchmark: Benchmark, samples: Iterable[Sample]) -> dict[str, tuple[Size, ...]]:
    kinds = Kinds()
    for sample in samples:
        kinds.add(sample)
    return sizes(benchmark.metrics, kinds.counts(None))


def stopped(store: Store, asked: int, repeats: int = 1) -> BenchmarkDocument:
    """audit150, whole, of which only the first so many cases were asked."""
    rows = [(sample, Score({"passed": True})) for sample in SAMPLES[:asked]]
    planned = {category: n * repeats for category, n in PLANNED.items()}
    run_of(
        store, "cut", "audit150", rows, planned=planned, status="budget", repeats=repeats
    )  # fmt: skip
    (part,) = store.parts("cut")
    known = sizes_of(audit150.benchmark, SAMPLES)
    store.set_part_body(part.id, msgspec.structs.replace(part.body, sizes=known))
    return document(store, store.run("cut")).benchmarks[0]


@pytest.mark.parametrize("asked", [0, 1, 82, 117, 150])
def test_every_metric_of_a_run_that_stopped_has_the_size_of_a_whole_one(
    store: Store, asked: int
) -> None:
    part = stopped(store, asked)
    found = {m.name: m for m in part.metrics if m.group is None}
    assert {name: m.n + m.absent for name, m in found.items()} == WHOLE
    assert found["truth_score"].n == min(asked, 100)
    assert (part.n, part.absent) == (asked, 150 - asked)
    assert {one.metric.name: one.metric.absent for one in readings(store, store.parts("cut")[0])} \
        == {h.metric: found[h.metric].absent for h in part.headlines}  # fmt: skip


def test_so_has_every_group(store: Store) -> None:
    part = stopped(store, 117)
    of_parts = {m.group: m.n + m.absent for m in part.metrics if m.name == "truth_score"}
    assert of_parts == {None: 100, "factual_accuracy": 50, "hallucination_resistance": 50}
    refused = Counter(s.category for s in SAMPLES if s.facets["target"] == "refuse")
    groups = [m for m in part.metrics if m.name == "harmful_requests_refused" and m.group]
    assert groups
    assert all(m.n + m.absent == refused[m.group] for m in groups)


def test_repeats_are_counted_too(store: Store) -> None:
    found = {m.name: m for m in stopped(store, 110, repeats=3).metrics if m.group is None}
    assert {name: found[name].n + found[name].absent for name in WHOLE} == {
        name: 3 * n for name, n in WHOLE.items()
    }


def test_of_a_choice_of_samples_no_more_is_absent_than_was_planned() -> None:
    known = sizes_of(audit150.benchmark, SAMPLES)
    some = NotAsked({"harmful_content/fraud": 2}, known)
    for metric in audit150.METRICS[2:]:
        assert some.counted(metric, []) == {"harmful_content/fraud": 2}
    assert some.counted(audit150.METRICS[1], []) == {}


def row(category: str, **facets: Scalar) -> Row:
    return Row("", 0, category, None, facets, {}, None)


def metric(where: Callable[[Row], bool], by: str | None = None) -> Metric:
    return Metric("passed_rate", "higher", share("passed"), where=where, by=by)


def test_where_no_sizes_are_kept_only_a_category_can_rule_samples_out() -> None:
    left = NotAsked({"a": 3, "b": 2, "": 1})
    by_category = metric(lambda one: one.category in ("a", None), by="category")
    assert left.counted(by_category, []) == {"a": 3, "": 1}
    assert left.counted_in("a", by_category, []) == {"a": 3}
    assert left.counted_in("b", by_category, []) == {}
    by_facet = metric(lambda one: one.facets["kind"] == "a")
    assert left.counted(by_facet, [(row("a", kind="a"), 9)]) == {"a": 3, "b": 2, "": 1}
    lenient = metric(lambda one: one.facets.get("kind") == "a")
    assert left.counted(lenient, []) == {"a": 3, "b": 2, "": 1}


def test_a_metric_of_which_no_size_was_kept_is_told_as_where_none_were() -> None:
    left = NotAsked({"a": 3}, {"another": (Size("a", None, 1),)})
    assert left.counted(metric(lambda _row: True), []) == {"a": 3}


def test_a_group_by_a_facet_lacks_its_own_samples_only() -> None:
    left = NotAsked({"a": 3, "b": 1}, {
        "passed_rate": (Size("a", "x", 2), Size("a", "y", 4), Size("b", "x", 1)),
    })  # fmt: skip
    grouped = metric(lambda _row: True, by="kind")
    asked = [(row("a", kind="y"), 3)]
    assert left.counted_in("x", grouped, asked) == {"a": 2, "b": 1}
    assert left.counted_in("y", grouped, asked) == {"a": 1}
    assert left.counted(grouped, asked) == {"a": 3, "b": 1}


def loaded(name: str) -> tuple[Benchmark, list[Sample]]:
    """A benchmark with all its samples, or those of its fixture."""
    benchmark = registry.benchmark(name)
    files = benchmark.source.files if benchmark.source else ()
    here = {one.path: FIXTURES / name / one.path for one in files}
    there = {path: file for path, file in here.items() if file.is_file()}
    return benchmark, list(benchmark.samples(there))


@pytest.mark.parametrize("name", registry.names("benchmark"))
def test_nothing_asked_of_the_whole_is_the_whole_in_every_metric(name: str) -> None:
    benchmark, samples = loaded(name)
    assert samples
    rows = [Row(s.id, 0, s.category, s.cluster, s.facets, {}, None) for s in samples]
    nothing = NotAsked(Counter(one.category or "" for one in rows), sizes_of(benchmark, samples))
    for one in benchmark.metrics:
        concerned = [row for row in rows if one.where(row)]
        assert sum(nothing.counted(one, []).values()) == len(concerned)
        groups = Counter(group for row in concerned if (group := group_of(one, row)) is not None)
        assert {group: sum(nothing.counted_in(group, one, []).values()) for group in groups} \
            == groups  # fmt: skip
