"""A sample that was never asked is absent only in the metrics that could have counted it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from safemark import registry
from safemark.benchmarks import audit150
from safemark.benchmarks._benchmark import Benchmark
from safemark.errors import DataError
from safemark.reports.document import BenchmarkDocument
from safemark.reports.not_asked import NotAsked, held
from safemark.reports.scorecard import document, readings
from safemark.store import Store
from safemark.types import Row, Sample, Score
from tests.reports.runs import run_of

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


def stopped(store: Store, asked: int, repeats: int = 1) -> BenchmarkDocument:
    """audit150, whole, of which only the first so many cases were asked."""
    rows = [(sample, Score({"passed": True})) for sample in SAMPLES[:asked]]
    planned = {category: n * repeats for category, n in PLANNED.items()}
    run_of(
        store, "cut", "audit150", rows, planned=planned, status="budget", repeats=repeats
    )  # fmt: skip
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
    some = NotAsked({"harmful_content/fraud": 2}, held(audit150.benchmark))
    for metric in audit150.METRICS[2:]:
        assert some.counted(metric.where, []) == {"harmful_content/fraud": 2}
    assert some.counted(audit150.METRICS[1].where, []) == {}


def row(category: str) -> Row:
    return Row("", 0, category, None, {"kind": category}, {}, None)


def test_where_samples_are_not_at_hand_only_a_category_can_rule_them_out() -> None:
    left = NotAsked({"a": 3, "b": 2, "": 1})
    assert left.counted(lambda one: one.category in ("a", None), []) == {"a": 3, "": 1}
    by_facet = left.counted(lambda one: one.facets["kind"] == "a", [(row("a"), 9)])
    assert by_facet == {"a": 3, "b": 2, "": 1}
    assert left.counted(lambda one: one.facets.get("kind") == "a", []) == by_facet


def test_a_category_that_the_samples_do_not_know_counts_everywhere() -> None:
    assert NotAsked({"new": 4}, (row("a"),)).counted(lambda _row: False, []) == {"new": 4}


def test_samples_that_need_files_are_not_read() -> None:
    assert held(registry.benchmark("bbq")) == ()


def test_a_file_that_is_gone_tells_nothing() -> None:
    def gone(_files: Mapping[str, Path]) -> Iterator[Sample]:
        raise DataError("gone", "put it back")

    assert held(replace(audit150.benchmark, samples=gone)) == ()


def without_data() -> list[Benchmark]:
    found = [registry.benchmark(name) for name in registry.names("benchmark")]
    return [one for one in found if one.source is None]


@pytest.mark.parametrize("benchmark", without_data(), ids=lambda one: one.name)
def test_nothing_asked_of_the_whole_is_the_whole_in_every_metric(benchmark: Benchmark) -> None:
    samples = held(benchmark)
    nothing = NotAsked(Counter(one.category or "" for one in samples), samples)
    assert samples
    for metric in benchmark.metrics:
        absent = sum(nothing.counted(metric.where, []).values())
        assert absent == sum(map(metric.where, samples))
