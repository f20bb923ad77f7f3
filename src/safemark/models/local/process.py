"""What a loaded model wants of the process that it is in: threads, memory, quiet."""

import ctypes
import gc
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager

KEPT_PIECE = 2**25
KEPT_FREE = 2**30
"""Bytes of memory: see `keep_freed_memory`."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h


def respect_cores() -> None:
    """No more threads than the cores this process may use, and fewer where OMP_NUM_THREADS says."""
    import torch

    if "OMP_NUM_THREADS" not in os.environ and hasattr(os, "sched_getaffinity"):
        torch.set_num_threads(max(1, min(torch.get_num_threads(), len(os.sched_getaffinity(0)))))


def keep_freed_memory() -> None:
    """Lets the allocator keep what a forward pass frees, for the next one.

    Given back to the system and taken again, page by page, it costs a thirtieth of the time. Larger
    pieces than `KEPT_PIECE` still go back at once. Only glibc's allocator knows these settings.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, KEPT_PIECE)
        libc.mallopt(_M_TRIM_THRESHOLD, KEPT_FREE)


@contextmanager
def uncollected() -> Iterator[None]:
    """No collection of garbage while the block runs.

    To import torch and transformers makes a million objects that stay, and each collection walks
    over all of them: a fifth of the time.
    """
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars and no advice from transformers while the block runs."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    had_bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if had_bars:
            logging.enable_progress_bar()
