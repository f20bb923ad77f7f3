"""How far a run is: a live line on a terminal, a line now and then elsewhere; on stderr."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from safemark.cli._output import say
from safemark.engine import Progress
from safemark.models.limits import Gate, Traffic

EVERY_S = 0.2
PLAIN_EVERY_S = 10.0


def line(progress: Progress, traffic: Sequence[Traffic] = ()) -> str:
    """Done of total, rate, time left, cost, absent outcomes; what goes on at each endpoint."""
    of = f" of {progress.total:,}" if progress.total else ""
    parts = [f"{progress.finished:,}{of}"]
    if progress.now_asking:
        parts.insert(0, progress.now_asking)
    if progress.per_s is not None:
        rate = progress.per_s
        parts.append(f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s")
    if progress.total and progress.left_s is not None:
        parts.append(f"{clock(progress.left_s)} left")
    if progress.tokens:
        parts.append(f"{progress.tokens:,} tokens")
    if progress.cost_usd is not None:
        parts.append(f"${progress.cost_usd:.4f}")
    parts.append(f"{progress.absent:,} absent")
    parts += [part for endpoint in traffic for part in _said(endpoint)]
    return " · ".join(parts)


def _said(traffic: Traffic) -> list[str]:
    """In flight of what is allowed, tries again, and what is waited for."""
    said = [f"{traffic.in_flight} of {traffic.allowed} in flight"]
    if traffic.retries:
        said.append(f"{traffic.retries:,} retries")
    if traffic.shut_s is not None:
        said.append(f"waiting {clock(traffic.shut_s + 0.999)} for {traffic.shut_by}")
    return said


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
async def shown(progress: Progress, gates: Sequence[Gate] = ()) -> AsyncIterator[None]:
    """Show ``progress``, and what goes on at ``gates``, while the block runs."""
    is_live = sys.stderr.isatty() and not os.environ.get("CI")
    showing = asyncio.create_task((_live if is_live else _plain)(progress, gates))
    try:
        yield
    finally:
        showing.cancel()
        if is_live:
            sys.stderr.write("\r\x1b[2K")
        retries = sum(gate.retries for gate in gates)
        say(line(progress) + (f" · {retries:,} retries" if retries else ""))


async def _live(progress: Progress, gates: Sequence[Gate]) -> None:
    while True:
        columns = max(20, _columns() - 1)
        sys.stderr.write("\r\x1b[2K" + _bar(progress, columns, _traffic(gates)))
        sys.stderr.flush()
        await asyncio.sleep(EVERY_S)


def _traffic(gates: Sequence[Gate]) -> list[Traffic]:
    now = asyncio.get_running_loop().time()
    return [gate.traffic(now) for gate in gates]


def _bar(progress: Progress, columns: int, traffic: Sequence[Traffic]) -> str:
    text = line(progress, traffic)
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


async def _plain(progress: Progress, gates: Sequence[Gate]) -> None:
    last = time.monotonic()
    while True:
        await asyncio.sleep(EVERY_S)
        if time.monotonic() - last >= PLAIN_EVERY_S:
            last = time.monotonic()
            say(line(progress, _traffic(gates)))
