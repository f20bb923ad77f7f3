"""A run that was stopped in the middle: every metric has the size that it has in a whole one."""

import asyncio
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from safemark import data
from safemark.data import Found, Source
from safemark.evaluation import evaluate, run_spec
from safemark.models.fake import Fake
from safemark.plan import Request, plan
from safemark.reports.document import BenchmarkDocument
from safemark.reports.scorecard import document
from safemark.store import Store
from safemark.types import Ask, Messages

FIXTURES = Path(__file__).parents[1] / "fixtures"
NEVER = -1
UNKNOWN = re.compile(r"known|determined|answer|enough|sure|tell", re.IGNORECASE)
ASKED = ("xstest", "bbq", "crows_pairs", "truthfulqa", "audit150")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(str(tmp_path / "store.db"))
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def _fixtures_for_data(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(source: Source) -> Found:
        files = {one.path: FIXTURES / source.name / one.path for one in source.files}
        there = {path: file for path, file in files.items() if file.is_file()}
        return Found(source, there)

    monkeypatch.setattr(data, "find", find)


def model(stop: asyncio.Event, after: int) -> Fake:
    """Refuses, takes any side but no tie, and sets ``stop`` at its word of that number."""
    left = after

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            stop.set()

    def answer(_messages: Messages, _ask: Ask) -> str:
        count()
        return "I'm sorry, but I can't help with that."

    def prefer(_context: str, continuation: str) -> float:
        count()
        return -1000.0 if UNKNOWN.search(continuation) else random.Random(continuation).random()

    made = Fake(answer, prefer)
    made.concurrency = 1
    return made


async def parts(store: Store, after: int, **asked: Any) -> dict[str, BenchmarkDocument]:
    """What a run tells of each benchmark that was stopped at the model's word of that number."""
    stop = asyncio.Event()
    asking = model(stop, after)
    request = Request(**{"benchmarks": ASKED, **asked})
    found = plan(request, asking, offline=True)
    spec = run_spec(asking, request, found, {}, None)
    outcome = await evaluate(asking, found, spec, store, fresh=True, stop=stop)
    assert outcome.ending.status == ("complete" if after == NEVER else "interrupted")
    told = document(store, store.run(outcome.run_id))
    return {one.name: one for one in told.benchmarks}


def sizes(part: BenchmarkDocument) -> dict[tuple[str, str | None], int]:
    return {(one.name, one.group): one.n + one.absent for one in part.metrics}


async def check(store: Store, after: int, **asked: Any) -> None:
    whole, stopped = await parts(store, NEVER, **asked), await parts(store, after, **asked)
    assert list(whole) == list(stopped)
    for name, part in stopped.items():
        expected = sizes(whole[name])
        lacking = {metric for metric, _ in expected} - {one.name for one in part.metrics}
        assert lacking <= {"repeats_disagreement"}, "which needs an answer to know what is compared"
        assert {key: n for key, n in sizes(part).items() if expected[key] != n} == {}, name


@pytest.mark.parametrize("after", [1, 3, 8, 16, 30, 60, 120, 180])
async def test_every_metric_has_the_size_that_it_has_in_a_whole_run(
    store: Store, after: int
) -> None:
    await check(store, after)


async def test_so_it_has_where_some_samples_were_chosen(store: Store) -> None:
    for after in (2, 9, 16, 25):
        await check(store, after, limit=5, seed=3)


async def test_so_it_has_where_each_is_asked_several_times(store: Store) -> None:
    for after in (2, 20, 200):
        await check(store, after, benchmarks=("xstest", "audit150"), repeats=3)


@pytest.mark.parametrize("after", [1, 3, 7, 12])
async def test_so_it_has_where_the_repeats_of_a_sample_are_one_record(
    store: Store, after: int
) -> None:
    await check(store, after, benchmarks=("real_toxicity_prompts",), repeats=3)


@pytest.mark.parametrize(("benchmark", "after"), [("xstest", 1), ("xstest", 3), ("audit150", 90)])
async def test_so_it_has_under_an_attack(store: Store, benchmark: str, after: int) -> None:
    await check(store, after, benchmarks=(benchmark,), attacks=("base64",), no_plain=True)
