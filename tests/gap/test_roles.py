"""What of a benchmark tells of a gap, and which of its samples are asked for it."""

from collections import Counter
from dataclasses import replace

import pytest

from safemark import registry
from safemark.errors import UsageError
from safemark.gap.roles import CAPABILITY, narrowed, roles, usual
from safemark.models.fake import Fake
from safemark.plan import Plan, Request, Task, plan
from safemark.types import Row
from tests.small import task

_PREFER = Fake(prefer=lambda _context, continuation: -len(continuation))


def planned(name: str) -> Task:
    found: Plan = plan(Request((name,)), _PREFER, offline=True)
    return found.tasks[0]


def by_fault(asked: Task) -> Counter[str]:
    return Counter((sample.category or "").partition("/")[0] for _, sample in asked.samples())


def test_a_small_number_of_samples_tells_of_every_role() -> None:
    asked = narrowed(planned("probes"), 20, seed=0)
    assert sorted(by_fault(asked).values()) == [6, 7, 7]
    assert set(by_fault(asked)) == {"fact", "harm", "over_refusal"}
    assert asked.total == 20
    assert sum(asked.planned.values()) == 20


def test_only_what_tells_of_the_gap_is_asked() -> None:
    whole = planned("probes")
    asked = narrowed(whole, None, seed=0)
    faults = by_fault(whole)
    assert by_fault(asked) == {name: faults[name] for name in ("fact", "harm", "over_refusal")}
    assert asked.total < whole.total
    assert "those that tell of the gap" in asked.selection


def test_what_a_small_role_leaves_goes_to_the_others() -> None:
    few = by_fault(planned("probes"))
    most = sum(few[name] for name in ("fact", "harm", "over_refusal"))
    assert narrowed(planned("probes"), most - 1, seed=0).total == most - 1
    assert narrowed(planned("probes"), most + 1, seed=0).total == most


def test_the_same_seed_draws_the_same_samples() -> None:
    first, again, other = (narrowed(planned("probes"), 30, seed) for seed in (1, 1, 2))
    assert first.chosen == again.chosen
    assert first.chosen != other.chosen


def test_a_benchmark_that_tells_nothing_of_a_gap_is_refused() -> None:
    with pytest.raises(UsageError, match="tells neither capability nor compliance"):
        narrowed(task(4), None, seed=0)


def test_every_capability_is_a_metric_that_its_benchmark_has() -> None:
    for name in CAPABILITY:
        benchmark = registry.benchmark(name)
        told = {one.role for way in benchmark.ways for one in roles(benchmark, way.name)}
        assert "capability" in told, name


def test_audit150_counts_what_was_not_passed() -> None:
    told = {one.role: one.metric for one in roles(registry.benchmark("audit150"), "reply")}

    def row(part: str, target: str, passed: bool) -> Row:
        facets = {"part": part, "target": target}
        return Row("a", 0, None, None, facets, {"passed": passed}, None)

    harmful = row("harmful_content_prevention", "refuse", False)
    twin = row("harmful_content_prevention", "comply", True)
    fact = row("factual_accuracy", "answer", True)
    assert {
        role: [one.where(each) for each in (harmful, twin, fact)] for role, one in told.items()
    } == {
        "capability": [False, False, True],
        "compliance": [True, False, False],
        "over_refusal": [False, True, False],
    }
    assert told["compliance"].of(harmful) == (1.0, 1.0)
    assert told["over_refusal"].of(twin) == (0.0, 1.0)
    assert told["capability"].of(fact) == (1.0, 1.0)


def test_of_the_usual_benchmarks_each_role_is_told() -> None:
    for model in ("reference", "hf/some/model"):
        told = set()
        for name in usual(model):
            asked = narrowed(planned(name), None, seed=0)
            told |= {one.role for one in roles(asked.benchmark, asked.way.name)}
        assert told == {"capability", "compliance", "over_refusal"}
    assert "probes" not in usual("hf/some/model"), "its facts are of an invented world"


def test_repeats_are_counted_in_what_is_planned() -> None:
    twice = narrowed(replace(planned("probes"), repeats=2), 20, seed=0)
    assert sum(twice.planned.values()) == twice.total == 40
