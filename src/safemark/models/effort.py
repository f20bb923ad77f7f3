"""What answering one sample took beside the request itself: tries, and seconds of waiting.

Whoever waits or tries again adds to the `Effort` of the sample that is being asked; the loop
begins one for each sample and keeps it with the record. A search that asks several times, one
after the other or at once, adds to one and the same.
"""

import time
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Effort:
    """What one sample took so far.

    ``waited_s`` is the time for which a limit or a failure kept the endpoint shut, and the pauses
    between tries; where many wait for one limit it is counted once. ``idle_s`` is all the time of
    this sample that no request of it was under way: queueing for a free place as well.
    """

    retries: int = 0
    waited_s: float = 0.0
    idle_s: float = 0.0


_effort: ContextVar[Effort] = ContextVar("effort")


def begin() -> Effort:
    """A new effort, which what is asked from here on adds to."""
    effort = Effort()
    _effort.set(effort)
    return effort


def current() -> Effort:
    """The effort that is under way; one that nobody reads where none was begun."""
    return _effort.get(None) or Effort()


class Stopwatch:
    """Seconds that requests took since it was made; waiting for limits and retries is left out."""

    __slots__ = ("_began", "_effort", "_idle_s")

    def __init__(self) -> None:
        self._effort = current()
        self._idle_s = self._effort.idle_s
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        waited = self._effort.idle_s - self._idle_s
        return round(max(0.0, time.perf_counter() - self._began - waited), 6)
