"""Jobs side by side on the cores of one machine: each computes by itself, none waits for another.

Torch splits each matrix product over its threads, which then wait for one another hundreds of times
a forward pass. Where there are several passes to compute, a thread for each is faster, and a busy
machine slows it only by what it takes.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import torch

MOST_WORKERS = 8
"""More would wait for the interpreter: a small model's pass holds it a tenth of the time."""

Job: TypeAlias = Callable[[], "Iterable[Job]"]
"""Does its work and returns what can be done after it."""


def run(jobs: Iterable[Job], workers: int) -> None:
    """Runs ``jobs`` and what comes of them, the latest first, and returns when all is done.

    ``workers`` share the threads that torch has here; one that finds itself alone has them all.

    Raises:
        Exception: the first that a job raised; jobs that had not begun are dropped.
    """
    stack = list(jobs)[::-1]
    if workers <= 1:
        while stack:
            stack.extend([*stack.pop()()][::-1])
        return
    shared = _Shared(stack)
    threads = torch.get_num_threads()
    helpers = [
        threading.Thread(target=shared.work, args=(threads, workers), name="safemark-pass")
        for _ in range(workers - 1)
    ]
    for helper in helpers:
        helper.start()
    try:
        shared.work(threads, workers)
    finally:
        for helper in helpers:
            helper.join()
        torch.set_num_threads(threads)
    if shared.failure is not None:
        raise shared.failure


def fitting(device: torch.device) -> int:
    """How many workers ``device`` has use for."""
    return min(torch.get_num_threads(), MOST_WORKERS) if device.type == "cpu" else 1


@contextmanager
def one_thread() -> Iterator[None]:
    """A block in which torch uses one thread, where this one calls it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@dataclass(slots=True)
class _Shared:
    """The jobs that wait, and how many are being done."""

    stack: list[Job]
    busy: int = 0
    failure: BaseException | None = None
    changed: threading.Condition = field(default_factory=threading.Condition)

    def work(self, threads: int, workers: int) -> None:
        """Does jobs until there are none and nobody can bring another."""
        mine = 0
        for job, is_alone in self._jobs():
            wanted = threads if is_alone else max(1, threads // workers)
            if wanted != mine:
                torch.set_num_threads(wanted)
                mine = wanted
            with self._done():
                found = [*job()][::-1]
                with self.changed:
                    self.stack.extend(found)

    def _jobs(self) -> Iterator[tuple[Job, bool]]:
        while True:
            with self.changed:
                while not self.stack and self.busy and self.failure is None:
                    self.changed.wait()
                if not self.stack or self.failure is not None:
                    return
                job = self.stack.pop()
                is_alone = not self.stack and not self.busy
                self.busy += 1
            yield job, is_alone

    @contextmanager
    def _done(self) -> Iterator[None]:
        """Whatever becomes of the job, the others hear of it."""
        try:
            yield
        except BaseException as error:  # noqa: BLE001  raised again by `run`, in the caller's thread
            self.failure = self.failure or error
        finally:
            with self.changed:
                self.busy -= 1
                self.changed.notify_all()
