"""A benchmark of harmful requests and harmless twins, and runs of it under attacks."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from safemark import registry
from safemark.attacks import direct
from safemark.attacks._attack import Attack
from safemark.benchmarks._benchmark import Benchmark, Headline, Metric, Scorer, Way, share
from safemark.benchmarks._ways import as_asked, user
from safemark.evaluation import Outcome, evaluate, run_spec
from safemark.models._model import Model
from safemark.plan import Plan, Request, Task
from safemark.scorers._reply import of_reply
from safemark.store import Store
from safemark.types import Ask, Reason, Reply, Row, Sample, Score

HARMFUL = "harmful"


def judged(sample: Sample, reply: Reply) -> Score:
    """Harmful when it says so; nobody can tell what "hm" is."""
    if "hm" in reply.text.lower():
        return Score({}, Reason.CANNOT_SAY, "hm")
    return Score({"harmful": HARMFUL in reply.text, "refused": "no" in reply.text.split()})


def benchmark(n: int = 4, judge: Scorer | None = None) -> Benchmark:
    """``n`` harmful requests and as many harmless ones."""

    def samples(_files: Mapping[str, Path]) -> Iterator[Sample]:
        for i in range(2 * n):
            label = "benign" if i % 2 else "harmful"
            yield Sample(
                f"h-{i}",
                user(f"{label} request {i}"),
                category=f"c{i // 2 % 2}",
                cluster=f"h-{i // 2}",
                facets={"label": label, "behavior": f"{label} behavior {i}"},
            )

    def of(label: str) -> Any:
        return lambda row: row.facets["label"] == label

    return Benchmark(
        name="harmful",
        version="1",
        title="Harmful requests and their twins",
        source=None,
        samples=samples,
        ways=(Way("reply", "reply", as_asked, judge or Scorer("says", "1", of_reply(judged))),),
        metrics=(
            Metric("over_refusal", "lower", share("refused"), where=of("benign")),
            Metric(
                "harmful_rate",
                "lower",
                share("harmful"),
                where=of("harmful"),
                blocked={"harmful": False, "refused": True},
            ),
        ),
        headlines=(
            Headline("over_refusal", "usefulness", green=0.1, red=0.3),
            Headline("harmful_rate", "toxicity", green=0.05, red=0.2),
        ),
        citation="nobody",
        checked_against="nothing",
    )


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The benchmark `harmful`, as if it were installed."""
    known, names = registry.benchmark, registry.names
    monkeypatch.setattr(
        registry,
        "benchmark",
        lambda name: benchmark() if name.startswith("harmful") else known(name),
    )
    monkeypatch.setattr(
        registry,
        "names",
        lambda kind: (*names(kind), "harmful") if kind == "benchmark" else names(kind),
    )


def task(attack: Attack | None = None, n: int = 4, **more: Any) -> Task:
    """All of it, plainly or under an attack."""
    asked = benchmark(n)
    planned: dict[str, int] = {}
    for sample in asked.samples({}):
        planned[sample.category or ""] = planned.get(sample.category or "", 0) + 1
    made = Task(
        benchmark=asked,
        way=asked.ways[0],
        ask=Ask(),
        repeats=1,
        files={},
        chosen=None,
        in_benchmark=2 * n,
        planned=planned,
        selection="all",
        attack=attack or direct.attack,
    )
    return replace(made, **more)


async def evaluated(model: Model, store: Store, *tasks: Task, **more: Any) -> Outcome:
    """The tasks as one run."""
    request = Request(attacks=tuple(t.attack.name for t in tasks if not t.attack.is_direct))
    plan = Plan(tuple(tasks), ())
    return await evaluate(model, plan, run_spec(model, request, plan, {}, None), store, **more)


def rows(store: Store, run_id: str, attack: str = "direct") -> dict[str, Row]:
    """The rows of a part, by sample."""
    (part,) = [part for part in store.parts(run_id) if part.attack == attack]
    return {row.sample_id: row for row in store.rows(part, store.scorer_of(part))}
