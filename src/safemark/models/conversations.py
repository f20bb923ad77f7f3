"""Which conversation of an application a next turn belongs to.

An application that keeps the history itself is told a session's name and the new turn only. A
model is given the whole conversation each time, so the conversation so far is what a session is
found by. One that branched off, or holds answers that were never given, has no session.
"""

import hashlib
from collections import OrderedDict

import msgspec

from safemark.types import Messages

MOST = 10_000
"""So many conversations are remembered; the oldest are forgotten, so memory does not grow."""


class Conversations:
    """The sessions that wait for a next turn, by what was said in them and the draw."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._sessions: OrderedDict[bytes, list[str]] = OrderedDict()

    def take(self, said: Messages, draw: int) -> str | None:
        """A session in which exactly ``said`` was said; it is taken out. None where there is none.

        >>> from safemark.types import Message
        >>> said = (Message("user", "Hello"), Message("assistant", "Hi"))
        >>> sessions = Conversations()
        >>> sessions.keep(said, 0, "s-1")
        >>> sessions.take(said, 0), sessions.take(said, 0)
        ('s-1', None)
        """
        key = _key(said, draw)
        waiting = self._sessions.get(key)
        if not waiting:
            return None
        session = waiting.pop()
        if not waiting:
            del self._sessions[key]
        return session

    def keep(self, said: Messages, draw: int, session: str) -> None:
        """Remember that ``said`` was said in ``session``, which waits for a next turn."""
        self._sessions.setdefault(_key(said, draw), []).append(session)
        while len(self._sessions) > self._most:
            self._sessions.popitem(last=False)


def _key(said: Messages, draw: int) -> bytes:
    return hashlib.blake2b(msgspec.json.encode((draw, said)), digest_size=16).digest()
