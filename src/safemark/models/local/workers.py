"""Jobs side by side on the cores of one machine: each computes by itself, none waits for another.

Torch splits each matrix product over its threads, which then wait for one another hundreds of times
a forward pass. Where there are several passes to compute, a thread for each is faster, and a busy
machine slows it only by what it takes; a small pass goes through one thread at any time.
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


def run(jobs: Iterable[Job], workers: int, threads: int) -> None:
    """Runs ``jobs`` and what comes of them, the latest first, and returns when all is done.

    The workers share ``threads`` (`allowed`); one that finds itself alone may use them all.

    Raises:
        Exception: the first that a job raised; jobs that had not begun are dropped.
    """
    stack = list(jobs)[::-1]
    if workers <= 1:
        while stack:
            stack.extend([*stack.pop()()][::-1])
        return
    shared = _Shared(stack, threads, max(1, threads // workers))
    helpers = [
        threading.Thread(target=shared.help, name="safemark-pass") for _ in range(workers - 1)
    ]
    for helper in helpers:
        helper.start()
    try:
        with using(1):
            shared.work()
    finally:
        for helper in helpers:
            helper.join()
        # a new thread begins with the number that was set last, by whomever
        torch.set_num_threads(torch.get_num_threads())
    if shared.failure is not None:
        raise shared.failure


def fitting(device: torch.device, threads: int) -> int:
    """How many workers ``device`` has use for."""
    return min(threads, MOST_WORKERS) if device.type == "cpu" else 1


def allowed(threads: int) -> int:
    """How many of ``threads`` a pass in this thread may use: its worker's share, or all."""
    share: int | None = getattr(_here, "share", None)
    return threads if share is None else share


@contextmanager
def using(threads: int) -> Iterator[None]:
    """A block in which torch uses so many threads for what this one calls."""
    before = torch.get_num_threads()
    if before == threads:
        yield
        return
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


_here = threading.local()


@dataclass(slots=True)
class _Shared:
    """The jobs that wait, and how many are being done."""

    stack: list[Job]
    threads: int
    share: int
    busy: int = 0
    failure: BaseException | None = None
    changed: threading.Condition = field(default_factory=threading.Condition)

    def help(self) -> None:
        """`work` in a thread of its own."""
        torch.set_num_threads(1)
        self.work()

    def work(self) -> None:
        """Does jobs until there are none and nobody can bring another."""
        for job, is_alone in self._jobs():
            _here.share = self.threads if is_alone else self.share
            with self._done():
                found = [*job()][::-1]
                with self.changed:
                    self.stack.extend(found)
        _here.share = None

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
