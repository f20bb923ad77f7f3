"""An event loop whose clock jumps to the next timer: an hour of waiting takes no time.

``passes(story())`` runs a coroutine in it. Nothing real may be waited for inside: no sockets, no
threads.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Begins at 1,000 seconds and never sleeps."""

    def __init__(self) -> None:
        selector = selectors.DefaultSelector()
        super().__init__(selector)
        self._virtual_s = 1000.0
        select = selector.select

        def jump(timeout: float | None = None) -> Any:
            if timeout is None:
                raise RuntimeError("everything waits and nothing will ever happen")
            self._virtual_s += max(0.0, timeout)
            return select(0)

        setattr(selector, "select", jump)  # noqa: B010 - a method is no field to mypy

    def time(self) -> float:
        return self._virtual_s


def passes(story: Coroutine[Any, Any, T]) -> T:
    """What the coroutine gives."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(story)


def now() -> float:
    """Seconds since the story began."""
    return asyncio.get_running_loop().time() - 1000.0
