"""Waiting for what comes at once, and on a machine that is busy after a while."""

import time
from collections.abc import Callable

PATIENCE_S = 60.0


def until(holds: Callable[[], object], what: str) -> None:
    """Come back as soon as it holds.

    Raises:
        AssertionError: it did not in a minute.
    """
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.01)
