"""Finished samples on their way into the store."""

import asyncio

from safemark.errors import StoreError
from safemark.judging import BATCH, FLUSH_S
from safemark.store import Entry, Store
from safemark.types import Transcript

MOST_CHARACTERS = 16_000_000
"""Replies of so much text are stored at once, so that large ones do not pile up."""


class Writer:
    """Stores finished samples in batches, off the event loop, one batch at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[Entry] = []
        self._characters = 0
        self._lock = asyncio.Lock()
        self._failure: StoreError | None = None

    async def put(self, entry: Entry) -> None:
        """Take one more, and store all that wait when they are many or large.

        Raises:
            StoreError: the store cannot be written, now or some time before.
        """
        if self._failure is not None:
            raise self._failure
        self._waiting.append(entry)
        self._characters += _characters(entry.transcript)
        if len(self._waiting) >= BATCH or self._characters >= MOST_CHARACTERS:
            await self.flush()

    async def flush(self) -> None:
        """Store all that wait.

        Raises:
            StoreError: the store cannot be written, now or some time before.
        """
        async with self._lock:
            if self._failure is not None:
                raise self._failure
            batch, self._waiting = self._waiting, []
            self._characters = 0
            if not batch:
                return
            storing = asyncio.create_task(asyncio.to_thread(self._store.append, batch))
            try:
                try:
                    await asyncio.shield(storing)
                except asyncio.CancelledError:
                    await storing  # a thread cannot be called back
                    raise
            except StoreError as failure:
                self._failure = failure
                raise

    async def keep_flushing(self) -> None:
        """Store every `FLUSH_S` seconds what waits, until cancelled or the store fails."""
        while self._failure is None:
            await asyncio.sleep(FLUSH_S)
            try:
                await self.flush()
            except StoreError:
                return


def _characters(transcript: Transcript) -> int:
    """The length of its replies' texts."""
    return sum(len(one.reply.text) for one in transcript.attempts if one.reply is not None)
