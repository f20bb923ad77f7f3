"""Locks: the sha256 of files whose publisher gives none, as they were at their first pull.

``locks.json`` lies in the cache folder; a key is the file's place there. A lock is never moved by
a download: whoever wants the publisher's newer file removes the line.
"""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from safemark.data.digests import write_whole
from safemark.errors import DataError


class Lock(msgspec.Struct, frozen=True):
    """What a file was when it was first pulled."""

    sha256: str
    size: int
    url: str


def locks_file(cache: Path) -> Path:
    """Where the locks are kept."""
    return cache / "locks.json"


def locks(cache: Path) -> dict[str, Lock]:
    """All locks. Raises `DataError` when they cannot be read, for then nothing is checked."""
    path = locks_file(cache)
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Lock])
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(
            f"the data locks in {path} cannot be read: {error}",
            "restore the file, or delete it to trust the files that are there",
        ) from error


def standing_lock(cache: Path, key: str, lock: Lock) -> Lock:
    """The lock that holds for ``key``: the one that was there, else ``lock``, now written."""
    path = locks_file(cache)
    with _alone(path.with_suffix(".lock")):
        known = locks(cache)
        if key not in known:
            known[key] = lock
            text = msgspec.json.format(msgspec.json.encode(known, order="sorted"), indent=2)
            write_whole(path, text + b"\n")
    return known[key]


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold ``path`` against other processes, where the system can."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        if sys.platform != "win32":
            import fcntl

            with contextlib.suppress(OSError):  # some network disks have no locks
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
