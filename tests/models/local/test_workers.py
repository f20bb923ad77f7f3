"""Jobs side by side: all are done once, what a job brings too, and a failure reaches the caller."""

import threading
import time

import pytest
import torch

from safemark.models.local import workers
from safemark.models.local.workers import Job


@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_job_and_what_it_brings_is_done_once(count: int) -> None:
    done: list[tuple[int, ...]] = []
    lock = threading.Lock()

    def job(name: tuple[int, ...]) -> Job:
        def work() -> list[Job]:
            with lock:
                done.append(name)
            return [job((*name, child)) for child in range(3)] if len(name) < 4 else []

        return work

    workers.run([job((first,)) for first in range(4)], count)

    assert len(done) == len(set(done)) == 4 * (1 + 3 + 9 + 27)


def test_one_worker_goes_depth_first_in_order() -> None:
    done: list[str] = []

    def job(name: str) -> Job:
        def work() -> list[Job]:
            done.append(name)
            return [job(name + one) for one in "xy"] if len(name) < 2 else []

        return work

    workers.run([job("a"), job("b")], 1)

    assert done == ["a", "ax", "ay", "b", "bx", "by"]


def test_two_jobs_are_done_at_the_same_time() -> None:
    both = threading.Barrier(2)

    def work() -> list[Job]:
        both.wait(timeout=20)
        return []

    workers.run([work, work], 2)


@pytest.mark.parametrize("count", [1, 3])
def test_the_first_failure_is_raised_and_jobs_that_wait_are_dropped(count: int) -> None:
    done = []

    def fails() -> list[Job]:
        raise MemoryError("no room")

    def later() -> list[Job]:
        time.sleep(0.01)
        done.append(1)
        return []

    with pytest.raises(MemoryError, match="no room"):
        workers.run([fails, *[later] * 50], count)
    assert len(done) < 10


def test_each_worker_has_its_share_of_threads_and_the_caller_keeps_its_own() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(4)
    seen = []
    both = threading.Barrier(2)

    def work() -> list[Job]:
        both.wait(timeout=20)
        seen.append(torch.get_num_threads())
        return []

    def alone() -> list[Job]:
        seen.append(torch.get_num_threads())
        return [work, work]

    try:
        workers.run([alone], 2)
        after = torch.get_num_threads()
    finally:
        torch.set_num_threads(threads)

    assert (seen, after) == ([4, 2, 2], 4)
