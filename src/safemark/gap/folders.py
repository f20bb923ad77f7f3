"""The folder in which a stripped model lies while a server of one's own reads it: never for long.

It is for its owner's eyes only, and removed on leaving, whatever ended the block. Who is killed
cannot remove anything: so each folder has a lock, which ends with the process that made it, and
`sweep` removes every folder whose lock is free, and ends the server that still reads it. It is
called at the start of every `safemark gap`.
"""

import fcntl
import os
import shutil
import signal
import stat
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from safemark.errors import UsageError

_SERVER = "server.json"


class Process(msgspec.Struct, frozen=True):
    """A process by its number and the kernel's clock when it began: numbers are given again."""

    number: int
    began: str


def root() -> Path:
    """Where such folders lie, of this user alone; ``TMPDIR`` decides on which disk.

    Raises:
        UsageError: somebody else made it, or could read it.
    """
    found = Path(tempfile.gettempdir()) / f"safemark-variants-{os.getuid()}"
    with suppress(FileExistsError):
        found.mkdir(mode=0o700)
    status = found.lstat()
    is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    if not is_ours or status.st_mode & 0o077:
        raise UsageError(
            f"{found} is not a folder of this user alone",
            "remove it, or set TMPDIR to a folder of your own",
        )
    return found


@contextmanager
def guarded() -> Iterator[Path]:
    """An empty folder for as long as the block lasts; then it is gone, with all that is in it."""
    place = root() / uuid.uuid4().hex
    lock = place.with_suffix(".lock")
    handle = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_EXCL, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        place.mkdir(mode=0o700)
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        lock.unlink(missing_ok=True)
        os.close(handle)


def note_server(folder: Path, number: int) -> None:
    """Beside the folder: which process, the first of its group, reads it."""
    process = Process(number, _began(number))
    _note(folder).write_bytes(msgspec.json.encode(process))


def forget_server(folder: Path) -> None:
    """It has ended."""
    _note(folder).unlink(missing_ok=True)


def sweep() -> int:
    """Removes what processes that were killed left behind; how many folders that were."""
    here = root()
    gone = 0
    for lock in sorted(here.glob("*.lock")):
        with suppress(OSError):
            handle = os.open(lock, os.O_RDWR)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                gone += _swept(lock.with_suffix(""))
                lock.unlink(missing_ok=True)
            finally:
                os.close(handle)
    return gone


def _swept(folder: Path) -> bool:
    note = _note(folder)
    if note.is_file():
        with suppress(msgspec.MsgspecError, OSError):
            _end(msgspec.json.decode(note.read_bytes(), type=Process))
        note.unlink(missing_ok=True)
    was_there = folder.is_dir()
    shutil.rmtree(folder, ignore_errors=True)
    return was_there


def _note(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.{_SERVER}")


def _end(process: Process) -> None:
    """Ends the group of a process, where it is still the same process."""
    if process.began and _began(process.number) == process.began:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.number, signal.SIGKILL)


def _began(number: int) -> str:
    """When a process began, in the kernel's ticks; "" where that is not to be known."""
    try:
        line = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return line.rpartition(")")[2].split()[19]
