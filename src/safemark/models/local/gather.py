"""Many callers, one worker: concurrent calls are collected and computed together.

A batch starts when nobody adds to the queue any more, that is, when every caller in flight is
waiting. It runs in a thread, so that the event loop stays alive. Each caller gets its own result
or its own error, as soon as it is known, not when the batch ends.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")
Deliver = Callable[[int, Result | Exception], None]
Wanted = Callable[[int], bool]

Work = Callable[[Sequence[Job], Deliver[Result], Wanted], None]
"""Computes jobs in the worker thread: calls ``deliver(index, result or error)`` once for each;
``wanted(index)`` is false once that caller has gone away."""

QUIET_ROUNDS = 8
"""Turns of the event loop in which callers may still add a job."""

QUIET_S = 0.002
"""A pause after them for callers that come back from another thread (a store, say); small against
a forward pass, which takes 5 ms and more."""


class Gatherer(Generic[Job, Result]):
    """Queues jobs and hands them to ``work`` in batches of at most ``most``, one batch at a time.

    Gatherers that share an ``executor`` of one thread never compute at the same time. Usable from
    one event loop after another.
    """

    def __init__(
        self, work: Work[Job, Result], executor: ThreadPoolExecutor, *, most: int = 4096
    ) -> None:
        self._work = work
        self._executor = executor
        self._most = most
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: list[tuple[Job, asyncio.Future[Result]]] = []
        self._flusher: asyncio.Task[None] | None = None

    async def __call__(self, job: Job) -> Result:
        """The result of ``job``, computed together with whatever else is waiting."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._queue, self._flusher = loop, [], None
        future: asyncio.Future[Result] = loop.create_future()
        self._queue.append((job, future))
        if self._flusher is None or self._flusher.done():
            self._flusher = loop.create_task(self._flush(loop))
        return await future

    async def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._queue:
            await self._callers_wait()
            batch = [entry for entry in self._queue[: self._most] if not entry[1].done()]
            del self._queue[: self._most]
            if batch:
                await loop.run_in_executor(self._executor, self._compute, batch, loop)

    async def _callers_wait(self) -> None:
        seen = -1
        while seen != len(self._queue) < self._most:
            seen = len(self._queue)
            for _ in range(QUIET_ROUNDS):
                await asyncio.sleep(0)
            if seen == len(self._queue):
                await asyncio.sleep(QUIET_S)

    def _compute(
        self,
        batch: list[tuple[Job, asyncio.Future[Result]]],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        futures = [future for _, future in batch]
        delivered: set[int] = set()

        def deliver(index: int, outcome: Result | Exception) -> None:
            delivered.add(index)
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody listens
                loop.call_soon_threadsafe(_settle, futures[index], outcome)

        def wanted(index: int) -> bool:
            return not futures[index].done()

        try:
            self._work([job for job, _ in batch], deliver, wanted)
            failure: Exception = RuntimeError("the batch ended without an answer for this call")
        except Exception as error:  # noqa: BLE001  carried to the callers, not handled here
            failure = error
        except BaseException as error:  # noqa: BLE001  a panic of the tokenizer is no Exception
            failure = RuntimeError(f"{type(error).__name__}: {error}")
        for index in range(len(batch)):
            if index not in delivered and wanted(index):
                deliver(index, failure)


def _settle(future: asyncio.Future[Result], outcome: Result | Exception) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
