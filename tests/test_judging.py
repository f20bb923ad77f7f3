"""Judging stored replies: bounded, interruptible, and nothing judged twice."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from safemark.benchmarks._benchmark import Scorer
from safemark.engine import Part, Progress, ask_all
from safemark.errors import CallFailed, StoreError, UsageError
from safemark.judging import rejudge, unjudged, with_judge
from safemark.models.fake import Fake
from safemark.store import Store
from safemark.types import Reason, Sample, Score, Transcript
from tests.small import Counting, part, scorer, task


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(str(tmp_path / "store.db"))
    yield opened
    opened.close()


async def answered(store: Store, n: int) -> Part:
    model = Counting()
    given = part(store, model, task(n))
    await ask_all(
        [given],
        model,
        store,
        identity="x",
        progress=Progress(total=n),
        stop=asyncio.Event(),
    )
    return given


async def test_every_reply_gets_a_score_and_none_a_second_one(store: Store) -> None:
    given = await answered(store, 600)
    other = store.ensure_scorer("other", "1")
    told: list[Score] = []
    waiting = unjudged(store, given.stored.id, other)
    assert waiting == list(range(600))
    await rejudge(store, given.stored.id, scorer(), other, waiting, told=told.append)
    assert len(told) == 600
    assert all(row.outcomes == {"passed": True} for row in store.rows(given.stored, other))
    assert unjudged(store, given.stored.id, other) == []


async def test_so_many_judgements_are_under_way_and_no_more(store: Store) -> None:
    given = await answered(store, 40)
    at_once = most = 0

    async def slow(sample: Sample, transcript: Transcript) -> Score:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1
        return Score({"passed": True})

    other = store.ensure_scorer("other", "1")
    await rejudge(store, given.stored.id, scorer(slow), other, range(40), at_once=7)
    assert most == 7
    assert unjudged(store, given.stored.id, other) == []


async def test_stopped_half_way_what_is_judged_is_stored_and_the_rest_can_follow(
    store: Store,
) -> None:
    given = await answered(store, 50)
    other = store.ensure_scorer("other", "1")
    stop = asyncio.Event()
    judged: list[str] = []

    def until_twenty(sample: Sample, transcript: Transcript) -> Score:
        judged.append(sample.id)
        if len(judged) == 20:
            stop.set()
        return Score({"passed": True})

    waiting = unjudged(store, given.stored.id, other)
    await rejudge(store, given.stored.id, scorer(until_twenty), other, waiting, stop=stop)
    left = unjudged(store, given.stored.id, other)
    assert left == list(range(20, 50))
    await rejudge(store, given.stored.id, scorer(until_twenty), other, left)
    assert sorted(judged) == sorted(f"small-{i}" for i in range(50))


async def test_cancelled_what_is_judged_is_stored(store: Store) -> None:
    given = await answered(store, 10)
    other = store.ensure_scorer("other", "1")
    hangs = asyncio.Event()

    async def hanging(sample: Sample, transcript: Transcript) -> Score:
        if sample.id == "small-6":
            hangs.set()
            await asyncio.Event().wait()
        return Score({"passed": True})

    working = asyncio.create_task(
        rejudge(store, given.stored.id, scorer(hanging), other, range(10))
    )
    await hangs.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert unjudged(store, given.stored.id, other) == [6, 7, 8, 9]


async def test_a_judge_that_fails_is_an_absent_score_that_waits(store: Store) -> None:
    given = await answered(store, 3)
    other = store.ensure_scorer("other", "1")

    def failing(sample: Sample, transcript: Transcript) -> Score:
        raise CallFailed(Reason.TIMEOUT, "slow")

    await rejudge(store, given.stored.id, scorer(failing), other, range(3))
    assert [row.absent for row in store.rows(given.stored, other)] == [Reason.TIMEOUT] * 3
    assert unjudged(store, given.stored.id, other) == [0, 1, 2]


async def test_a_failing_store_ends_the_judging(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = await answered(store, 600)
    calls = 0

    def full(*_: object) -> None:
        nonlocal calls
        calls += 1
        raise StoreError("the disk is full")

    monkeypatch.setattr(store, "rescore", full)
    with pytest.raises(StoreError, match="full"):
        await rejudge(store, given.stored.id, scorer(), 99, range(600))
    assert calls <= 2


def test_a_scorer_that_needs_a_judge_is_made_with_it() -> None:
    def asks(model: object) -> Scorer:
        return scorer(lambda sample, transcript: Score({"by": getattr(model, "name", "")}))

    needing = replace(scorer(), with_judge=asks)
    with pytest.raises(UsageError) as missing:
        with_judge(needing, None)
    assert "--judge" in missing.value.hint
    judge = Fake(name="fake/judge")
    made = with_judge(needing, judge)
    assert made.judge == f"fake/judge {judge.identity.digest[:12]}"
    assert made.with_judge is None
    assert made.score(Sample("s"), Transcript(())) == Score({"by": "fake/judge"})


def test_a_scorer_by_rules_takes_no_judge() -> None:
    assert with_judge(scorer(), None) == scorer()
    with pytest.raises(UsageError, match="judges by rules"):
        with_judge(scorer(), Fake())
