"""How far a run is: a live line on a terminal, a line now and then elsewhere; on stderr."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from safemark.cli._output import say
from safemark.engine import Progress

EVERY_S = 0.2
PLAIN_EVERY_S = 10.0


def line(progress: Progress) -> str:
    """Done of total, rate, time left, cost, absent outcomes."""
    parts = [f"{progress.finished:,} of {progress.total:,}"]
    if progress.now_asking:
        parts.insert(0, progress.now_asking)
    if progress.per_s is not None:
        rate = progress.per_s
        parts.append(f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s")
    if progress.left_s is not None:
        parts.append(f"{clock(progress.left_s)} left")
    if progress.tokens:
        parts.append(f"{progress.tokens:,} tokens")
    if progress.cost_usd is not None:
        parts.append(f"${progress.cost_usd:.4f}")
    parts.append(f"{progress.absent:,} absent")
    return " · ".join(parts)


def clock(seconds: float) -> str:
    """Seconds as people say them.

    >>> clock(75), clock(4000)
    ('1:15', '1:06:40')
    """
    whole = int(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@asynccontextmanager
async def shown(progress: Progress) -> AsyncIterator[None]:
    """Show ``progress`` while the block runs."""
    is_live = sys.stderr.isatty() and not os.environ.get("CI")
    showing = asyncio.create_task(_live(progress) if is_live else _plain(progress))
    try:
        yield
    finally:
        showing.cancel()
        if is_live:
            sys.stderr.write("\r\x1b[2K")
        say(line(progress))


async def _live(progress: Progress) -> None:
    while True:
        columns = max(20, _columns() - 1)
        sys.stderr.write("\r\x1b[2K" + _bar(progress, columns))
        sys.stderr.flush()
        await asyncio.sleep(EVERY_S)


def _bar(progress: Progress, columns: int) -> str:
    text = line(progress)
    room = min(24, columns - len(text) - 1)
    if room < 6 or not progress.total:
        return text[:columns]
    full = int(room * progress.finished / progress.total)
    return "█" * full + "░" * (room - full) + " " + text


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except OSError:
        return 80


async def _plain(progress: Progress) -> None:
    last = time.monotonic()
    while True:
        await asyncio.sleep(EVERY_S)
        if time.monotonic() - last >= PLAIN_EVERY_S:
            last = time.monotonic()
            say(line(progress))
