"""Jobs side by side: all are done once, what a job brings too, and a failure reaches the caller."""

import threading
import time
from dataclasses import replace

import pytest
import torch

from safemark.models.local import workers
from safemark.models.local.workers import Job
from tests.models.local.conftest import MakeModel
from tests.waiting import PATIENCE_S


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

    workers.run([job((first,)) for first in range(4)], count, 4)

    assert len(done) == len(set(done)) == 4 * (1 + 3 + 9 + 27)


def test_one_worker_goes_depth_first_in_order() -> None:
    done: list[str] = []

    def job(name: str) -> Job:
        def work() -> list[Job]:
            done.append(name)
            return [job(name + one) for one in "xy"] if len(name) < 2 else []

        return work

    workers.run([job("a"), job("b")], 1, 1)

    assert done == ["a", "ax", "ay", "b", "bx", "by"]


def test_two_jobs_are_done_at_the_same_time() -> None:
    both = threading.Barrier(2)

    def work() -> list[Job]:
        both.wait(PATIENCE_S)
        return []

    workers.run([work, work], 2, 2)


@pytest.mark.parametrize("count", [1, 3])
def test_the_first_failure_is_raised_and_jobs_that_wait_are_dropped(count: int) -> None:
    done: list[int] = []

    def fails() -> list[Job]:
        raise MemoryError("no room")

    def later() -> list[Job]:
        time.sleep(0.01)
        done.append(1)
        return []

    with pytest.raises(MemoryError, match="no room"):
        workers.run([fails, *[later] * 1000], count, 2)
    assert len(done) < (1 if count == 1 else 1000)


def test_each_worker_has_its_share_of_threads_and_one_that_is_alone_all() -> None:
    before = torch.get_num_threads()
    seen = []
    both = threading.Barrier(2)

    def work() -> list[Job]:
        both.wait(PATIENCE_S)
        seen.append((workers.allowed(4), torch.get_num_threads()))
        return []

    def alone() -> list[Job]:
        seen.append((workers.allowed(4), torch.get_num_threads()))
        return [work, work]

    workers.run([alone], 2, 4)

    assert seen == [(4, 1), (2, 1), (2, 1)]
    assert workers.allowed(4) == 4
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_thread_begun_afterwards_has_all_threads_of_torch(count: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    seen: list[int] = []
    try:
        workers.run([list, list, list], count, 3)
        later = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
        later.start()
        later.join()
    finally:
        torch.set_num_threads(before)

    assert seen == [3]


def test_a_small_pass_has_one_thread_and_a_large_one_what_it_is_worth(tiny: MakeModel) -> None:
    scorer = tiny()._scorer
    assert scorer
    network = replace(scorer.network, threads=6)
    used: list[int] = []
    hook = network.module.register_forward_pre_hook(lambda *_: used.append(torch.get_num_threads()))
    before = torch.get_num_threads()
    try:
        for parameters, tokens in ((28e6, 16), (28e6, 90), (28e6, 200), (1.1e9, 1)):
            network._multiplied = int(parameters)
            network.logits([0], torch.ones(1, tokens, dtype=torch.long))
    finally:
        hook.remove()

    assert used == [1, 2, 5, 6]
    assert torch.get_num_threads() == before
