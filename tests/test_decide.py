import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from safemark import registry
from safemark.benchmarks._benchmark import Benchmark, Headline, Metric, share
from safemark.decide import (
    STOPPED_EARLY,
    UntilDecided,
    always_valid,
    shuffled,
)
from safemark.engine import Progress
from safemark.evaluation import evaluate, run_spec
from safemark.plan import Plan, Request
from safemark.reports.document import BenchmarkDocument
from safemark.reports.scorecard import document
from safemark.stats import Interval, source_limits, wilson
from safemark.store import Store
from safemark.types import Ask, Reason, Row
from tests.small import Counting, benchmark, evaluated, stop_after, task


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    opened = Store(str(tmp_path / "store.db"))
    monkeypatch.setattr(registry, "benchmark", lambda _name: benchmark(1000))
    yield opened
    opened.close()


def right(share_right: float) -> Any:
    """Answers of which a share is right, the same ones whenever they are asked."""

    def answer(text: str, _ask: Ask) -> str:
        return "ok" if random.Random(text).random() < share_right else "no"

    return answer


def read(store: Store, run: str) -> BenchmarkDocument:
    return document(store, store.run(run)).benchmarks[0]


async def test_a_clear_case_ends_with_at_least_half_of_the_samples_saved(store: Store) -> None:
    model = Counting(right(0.99))
    outcome = await evaluated(model, task(1000), store, until=UntilDecided())
    found = read(store, outcome.run_id)
    assert outcome.ending.status == "complete"
    assert len(model.asked) <= 500
    assert (found.light, found.n, found.absent) == ("green", len(model.asked), 0)


async def test_the_saving_stands_in_record_and_document(store: Store) -> None:
    model = Counting(right(0.05))
    outcome = await evaluated(model, task(1000), store, until=UntilDecided(seed=3))
    found = read(store, outcome.run_id)
    asked = len(model.asked)
    (note,) = [note for note in found.notes if note.startswith(STOPPED_EARLY)]
    assert f"decided after {asked} of 1,000 samples" in note
    assert f"{1000 - asked} were not asked" in note
    assert "seed 3" in found.selection
    stop = store.parts(outcome.run_id)[0].body.early_stop
    assert stop is not None
    assert (stop.planned, stop.largest) == (1000, {"passed_rate": 1})


async def test_what_was_saved_is_not_counted_as_absent(store: Store) -> None:
    outcome = await evaluated(Counting(), task(1000), store, until=UntilDecided())
    assert read(store, outcome.run_id).absent_reasons == {}


async def test_the_interval_of_a_part_that_stopped_early_allows_for_looking_often(
    store: Store,
) -> None:
    outcome = await evaluated(Counting(right(0.97)), task(1000), store, until=UntilDecided())
    whole = read(store, outcome.run_id).metrics[0]
    assert whole.method.startswith("always valid")
    plain = await evaluated(Counting(right(0.97)), task(1000, first=whole.n), store)
    ordinary = read(store, plain.run_id).metrics[0]
    assert None not in (whole.low, whole.high, ordinary.low, ordinary.high)
    assert whole.high - whole.low > ordinary.high - ordinary.low  # type: ignore[operator]


async def test_a_case_on_the_cut_point_is_asked_whole_and_reads_as_any_run(store: Store) -> None:
    model = Counting(right(0.9))
    outcome = await evaluated(model, task(200), store, until=UntilDecided())
    found = read(store, outcome.run_id)
    assert len(model.asked) == 200
    assert found.selection == "all"
    assert not [note for note in found.notes if note.startswith(STOPPED_EARLY)]
    assert found.metrics[0].method == "wilson"


async def test_the_gate_needs_less_than_the_light(store: Store) -> None:
    light, gate = Counting(right(0.8)), Counting(right(0.8))
    await evaluated(light, task(1000), store, until=UntilDecided("light"))
    outcome = await evaluated(gate, task(1000), store, until=UntilDecided("gate"))
    assert len(gate.asked) < len(light.asked)
    assert "not red" in "".join(read(store, outcome.run_id).notes)


async def test_too_many_absent_outcomes_decide_nothing(store: Store) -> None:
    def answer(text: str, _ask: Ask) -> str | Exception:
        return ValueError("broken") if random.Random(text).random() < 0.2 else "ok"

    model = Counting(answer)
    outcome = await evaluated(model, task(150), store, until=UntilDecided())
    assert outcome.ending.status == "failed"
    assert read(store, outcome.run_id).light == "grey"


async def test_whole_clusters_are_asked_and_the_seed_decides_which(store: Store) -> None:
    def clustered(n: int) -> Any:
        given = task(n)
        plain = given.benchmark.samples

        def samples(files: Any) -> Iterator[Any]:
            import msgspec

            for place, sample in enumerate(plain(files)):
                yield msgspec.structs.replace(sample, cluster=f"source {place // 5}")

        return replace(given, benchmark=replace(given.benchmark, samples=samples))

    asked: list[set[int]] = []
    for seed in (0, 0, 1):
        model = Counting()
        await evaluated(model, clustered(1000), store, until=UntilDecided(seed=seed))
        asked.append({int(text.rsplit(" ", 1)[1]) for text in model.asked})
    assert asked[0] == asked[1] != asked[2]
    assert all({place // 5 * 5 + i for i in range(5)} <= asked[0] for place in asked[0])


async def test_an_interrupted_run_goes_on_to_the_same_end(store: Store) -> None:
    whole = Counting(right(0.97))
    plain = await evaluated(whole, task(1000), store, until=UntilDecided(), fresh=True)
    stop = asyncio.Event()
    first = Counting(stop_after(20, stop))
    begun = await evaluated(first, task(1000), store, until=UntilDecided(), stop=stop)
    assert begun.ending.status == "interrupted"
    rest = Counting(right(0.97))
    ended = await evaluated(rest, task(1000), store, until=UntilDecided())
    assert (ended.run_id, ended.ending.status) == (begun.run_id, "complete")
    assert len(rest.asked) < len(whole.asked)
    assert read(store, ended.run_id).light == read(store, plain.run_id).light


@pytest.mark.parametrize(
    "metric",
    [
        Metric("m", "higher", share("passed"), options=()),
        Metric("m", "higher", share("passed"), statistic=lambda sums: sums[..., 0]),
    ],
    ids=["no options", "no ratio"],
)
def test_a_metric_without_always_valid_limits_has_none(metric: Metric) -> None:
    row = Row("a", 0, None, None, {}, {"passed": True}, None)
    assert always_valid(metric, [row], 1) is None


def test_an_absent_row_leaves_the_interval_and_widens_what_is_around_it() -> None:
    passed = [Row(f"{i}", 0, None, None, {}, {"passed": i < 80}, None) for i in range(100)]
    absent = [Row(f"a{i}", 0, None, None, {}, {}, Reason.TIMEOUT) for i in range(10)]
    metric = Metric("m", "higher", share("passed"))
    without, found = always_valid(metric, passed, 1), always_valid(metric, passed + absent, 1)
    assert without is not None
    assert found is not None
    assert (found.value, found.low, found.high) == (0.8, without.low, without.high)
    assert (found.n, found.absent) == (100, 10)
    assert None not in (found.low, found.high, found.outer_low, found.outer_high)
    assert (without.outer_low, without.outer_high) == (without.low, without.high)
    assert found.outer_low < found.low  # type: ignore[operator]
    assert found.outer_high > found.high  # type: ignore[operator]


def test_nothing_scored_is_undefined() -> None:
    row = Row("a", 0, None, None, {}, {}, Reason.TIMEOUT)
    assert always_valid(Metric("m", "higher", share("passed")), [row], 1) is None
    assert always_valid(Metric("m", "higher", share("passed")), [], 1) is None


def test_the_order_of_asking_is_seeded() -> None:
    names = [f"cluster {i}" for i in range(50)]
    orders = [sorted(names, key=partial(shuffled, seed=seed)) for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]


def looks(n: int, first: int = 32) -> Iterator[int]:
    """After how many samples a run of ``n`` is looked at."""
    asked = 0
    while asked < n:
        asked = min(n, asked + max(first, round(0.25 * asked)))
        yield asked


@cache
def limits(passed: int, n: int) -> Interval:
    outcomes = np.zeros((n, 3))
    outcomes[:, 1] = 1
    outcomes[:passed, 0] = 1
    return source_limits(outcomes, 1)


def _is_open(passed: int, n: int, headline: Headline) -> bool:
    found = limits(passed, n)
    return headline.red < found.high and found.low < headline.green


def simulated(rate: float, n: int, generator: Any, bench: Benchmark) -> tuple[str | None, int]:
    """The light, green or red, at which a run of ``n`` independent samples ends; after how many."""
    headline = bench.headlines[0]
    outcomes = generator.random(n) < rate
    for asked in looks(n):
        passed = int(outcomes[:asked].sum())
        # asked whole and still open, it is read as any other run
        is_whole = asked == n
        found = (
            wilson(passed, n)
            if is_whole and _is_open(passed, n, headline)
            else limits(passed, asked)
        )
        if found.low >= headline.green:
            return "green", asked
        if found.high <= headline.red:
            return "red", asked
    return None, n


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "wrong"), [(0.8999, "green"), (0.5001, "red"), (0.7, "any")])
def test_the_promised_error_holds_over_1000_runs_looked_at_often(rate: float, wrong: str) -> None:
    generator = np.random.default_rng(7)
    bench = benchmark(10)
    lights = [simulated(rate, 2000, generator, bench)[0] for _ in range(1000)]
    errors = sum(light is not None and wrong in ("any", light) for light in lights)
    assert errors <= 50


@pytest.mark.slow
def test_a_clear_case_saves_at_least_half_in_nearly_all_of_1000_runs() -> None:
    generator = np.random.default_rng(8)
    bench = benchmark(10)
    ended = [simulated(0.97, 2000, generator, bench) for _ in range(1000)]
    assert sum(light == "green" and asked <= 1000 for light, asked in ended) >= 950


async def test_repeats_of_a_sample_are_asked_together(store: Store) -> None:
    model = Counting(right(0.99))
    outcome = await evaluated(model, task(500, repeats=2), store, until=UntilDecided())
    found = read(store, outcome.run_id)
    assert found.n == len(model.asked) <= 500
    assert all(model.asked.count(text) == 2 for text in model.asked)
    stop = store.parts(outcome.run_id)[0].body.early_stop
    assert stop is not None
    assert (stop.planned, stop.largest) == (1000, {"passed_rate": 2})


async def test_a_part_that_was_decided_is_not_asked_again_when_the_run_goes_on(
    store: Store,
) -> None:
    def answer(text: str, _ask: Ask) -> str:
        is_open = text.startswith("open") and random.Random(text).random() > 0.9
        return "no" if is_open else "ok"

    clear, undecided = task(400), task(400, name="other", question="open")
    stop = asyncio.Event()
    asked: list[str] = []

    def until_300(text: str, ask: Ask) -> str:
        asked.append(text)
        if len(asked) == 300:
            stop.set()
        return answer(text, ask)

    plan = Plan((clear, undecided), ())
    first = Counting(until_300)
    spec = run_spec(first, Request(), plan, {}, None)
    begun = await evaluate(first, plan, spec, store, stop=stop, until=UntilDecided())
    assert begun.ending.status == "interrupted"
    assert store.parts(begun.run_id)[0].body.early_stop is not None
    progress = Progress()
    rest = Counting(answer)
    ended = await evaluate(rest, plan, spec, store, until=UntilDecided(), progress=progress)
    assert (ended.run_id, ended.ending.status) == (begun.run_id, "complete")
    assert all(text.startswith("open") for text in rest.asked)
    assert progress.finished == progress.total
