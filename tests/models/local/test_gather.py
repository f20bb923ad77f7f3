"""Callers, one worker thread, and who gets which answer."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from safemark.models.local.gather import Deliver, Gatherer, Wanted
from tests.waiting import PATIENCE_S


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


class Doubling:
    """Doubles numbers and keeps the batches it was given; fails on negative ones."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def __call__(self, jobs: Sequence[int], deliver: Deliver[int], wanted: Wanted) -> None:
        self.batches.append(list(jobs))
        for index, job in enumerate(jobs):
            deliver(index, ValueError("unlucky") if job < 0 else 2 * job)


async def test_calls_that_wait_together_are_computed_together(executor: ThreadPoolExecutor) -> None:
    work = Doubling()
    ask = Gatherer(work, executor)

    assert await asyncio.gather(*(ask(n) for n in range(50))) == [2 * n for n in range(50)]
    assert work.batches == [list(range(50))]


async def test_callers_that_do_something_else_first_still_join(
    executor: ThreadPoolExecutor,
) -> None:
    work = Doubling()
    ask = Gatherer(work, executor)

    async def late(n: int) -> int:
        for _ in range(n):
            await asyncio.sleep(0)
        return await ask(n)

    await asyncio.gather(*(late(n) for n in range(6)))

    assert len(work.batches) == 1


async def test_a_batch_has_at_most_so_many(executor: ThreadPoolExecutor) -> None:
    work = Doubling()
    ask = Gatherer(work, executor, most=20)

    await asyncio.gather(*(ask(n) for n in range(50)))

    assert [len(batch) for batch in work.batches] == [20, 20, 10]


async def test_an_error_reaches_only_the_caller_concerned(executor: ThreadPoolExecutor) -> None:
    ask = Gatherer(Doubling(), executor)

    outcomes = await asyncio.gather(*(ask(n) for n in (12, -13, 14)), return_exceptions=True)

    assert outcomes[0] == 24
    assert isinstance(outcomes[1], ValueError)
    assert outcomes[2] == 28


async def test_a_crash_reaches_those_without_an_answer(executor: ThreadPoolExecutor) -> None:
    def work(jobs: Sequence[int], deliver: Deliver[int], wanted: Wanted) -> None:
        deliver(0, 1)
        raise ZeroDivisionError

    ask = Gatherer(work, executor)

    outcomes = await asyncio.gather(ask(0), ask(1), return_exceptions=True)

    assert outcomes[0] == 1
    assert isinstance(outcomes[1], ZeroDivisionError)
    assert await ask(2) == 1


async def test_a_forgotten_caller_is_told(executor: ThreadPoolExecutor) -> None:
    ask: Gatherer[int, int] = Gatherer(lambda jobs, deliver, wanted: None, executor)

    with pytest.raises(RuntimeError, match="without an answer"):
        await ask(0)


async def test_a_cancelled_caller_is_not_computed(executor: ThreadPoolExecutor) -> None:
    work = Doubling()
    ask = Gatherer(work, executor)
    leaving = asyncio.create_task(ask(1))
    staying = asyncio.create_task(ask(2))
    await asyncio.sleep(0)

    leaving.cancel()

    assert await staying == 4
    assert work.batches == [[2]]


async def test_work_under_way_sees_that_its_caller_left(executor: ThreadPoolExecutor) -> None:
    begun, left = threading.Event(), threading.Event()
    seen: list[bool] = []

    def work(jobs: Sequence[int], deliver: Deliver[int], wanted: Wanted) -> None:
        begun.set()
        left.wait(PATIENCE_S)
        seen.extend(wanted(index) for index in range(len(jobs)))
        for index in range(len(jobs)):
            deliver(index, jobs[index])

    ask = Gatherer(work, executor)
    leaving = asyncio.create_task(ask(1))
    staying = asyncio.create_task(ask(2))
    await asyncio.to_thread(begun.wait, PATIENCE_S)
    leaving.cancel()
    await asyncio.sleep(0)
    left.set()

    assert await staying == 2
    assert seen == [False, True]


async def test_the_event_loop_stays_alive_while_work_is_done(executor: ThreadPoolExecutor) -> None:
    begun, ticked = threading.Event(), threading.Event()

    def work(jobs: Sequence[int], deliver: Deliver[int], wanted: Wanted) -> None:
        begun.set()
        deliver(0, int(ticked.wait(PATIENCE_S)))

    waiting = asyncio.create_task(Gatherer(work, executor)(0))
    assert await asyncio.to_thread(begun.wait, PATIENCE_S)
    for _ in range(5):
        await asyncio.sleep(0.001)
    ticked.set()

    assert await waiting == 1


def test_one_gatherer_serves_one_event_loop_after_another(executor: ThreadPoolExecutor) -> None:
    ask = Gatherer(Doubling(), executor)

    async def once() -> int:
        return await ask(4)

    assert [asyncio.run(once()), asyncio.run(once())] == [8, 8]


async def test_what_is_no_exception_ends_the_waiting_too(executor: ThreadPoolExecutor) -> None:
    class Panic(BaseException):
        """As a library in Rust raises it."""

    def work(jobs: Sequence[int], deliver: Deliver[int], wanted: Wanted) -> None:
        raise Panic("out of threads")

    ask = Gatherer(work, executor)
    with pytest.raises(RuntimeError, match="Panic: out of threads"):
        await asyncio.wait_for(ask(1), PATIENCE_S)
