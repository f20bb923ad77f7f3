"""Hashes of files, remembered while the file does not change.

Hashing BBQ at every start would cost more than starting. What was hashed is remembered in
``verified.json`` in the cache folder, by path, and believed only while size, both times and inode
are the same. Losing that file, or not being able to write it, costs time and nothing else.
"""

import contextlib
import os
import stat
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec

from safemark.errors import DataError

Kind = Literal["git", "sha256"]

SETTLED_S = 2.0
"""A file that changed less than this before it was hashed is not remembered.

File times are as coarse as 2 s (FAT): a second change in the same tick could not be seen.
"""

_CHUNK = 1 << 20


class Digested(msgspec.Struct, frozen=True):
    """A file's hashes and the state in which it had them."""

    size: int
    mtime_ns: int
    ctime_ns: int  # also moves when someone sets mtime back
    inode: int
    digests: dict[Kind, str]

    def is_of(self, status: os.stat_result) -> bool:
        """Whether the file has not been touched since."""
        return (self.size, self.mtime_ns, self.ctime_ns, self.inode) == _state(status)

    def is_settled(self, at_ns: int) -> bool:
        """Whether a change after ``at_ns`` is bound to show in the file's times."""
        return at_ns - max(self.mtime_ns, self.ctime_ns) >= SETTLED_S * 1e9


class Memory:
    """Digests of files, kept in one JSON file from one process to the next."""

    def __init__(self, path: Path, *, is_believed: bool = True) -> None:
        self._path = path
        self._known = _read(path) if is_believed else {}
        self._new: dict[str, Digested] = {}

    def digested(self, path: Path, kinds: Iterable[Kind]) -> Digested | None:
        """As the function `digested`, but a file that has not changed is not read again."""
        key = str(path.absolute())
        known = self._known.get(key)
        with contextlib.suppress(OSError):
            if known and set(kinds) <= set(known.digests) and known.is_of(path.stat()):
                return known
        began_ns = time.time_ns()
        found = digested(path, kinds)
        with contextlib.suppress(OSError):
            if found and found.is_settled(began_ns) and found.is_of(path.stat()):
                self._known[key] = self._new[key] = found
        return found

    def save(self) -> None:
        """Add what is new to the file, if that can be written."""
        if not self._new:
            return
        with contextlib.suppress(OSError):
            kept = {key: seen for key, seen in _read(self._path).items() if Path(key).exists()}
            write_whole(self._path, msgspec.json.encode(kept | self._new))


def digested(path: Path, kinds: Iterable[Kind]) -> Digested | None:
    """Size and hashes of the file at ``path``, None when there is no file.

    Raises `DataError` for what cannot be read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise DataError(f"{path} is not a file", "move it away")
        with path.open("rb") as file:
            return _hashed(file, kinds)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}", "check its permissions"
        ) from error


def write_whole(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path``: a reader, or a crash, sees all of the old or all of the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(path)
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def temporary_beside(path: Path) -> Path:
    """A name no one else has, on the same disk as ``path``."""
    return path.with_name(f".{os.urandom(8).hex()}.part")


def agrees(found: Digested, expected: Mapping[Kind, str]) -> bool:
    """Whether every expected hash is the one found."""
    return all(found.digests[kind] == hash_ for kind, hash_ in expected.items())


def _state(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _hashed(file: BinaryIO, kinds: Iterable[Kind]) -> Digested:
    import hashlib

    size, mtime_ns, ctime_ns, inode = _state(os.fstat(file.fileno()))
    hashes = {
        kind: hashlib.sha256() if kind == "sha256" else hashlib.sha1(usedforsecurity=False)
        for kind in kinds
    }
    if "git" in hashes:
        hashes["git"].update(b"blob %d\0" % size)
    while chunk := file.read(_CHUNK):
        for hash_ in hashes.values():
            hash_.update(chunk)
    digests = {kind: hash_.hexdigest() for kind, hash_ in hashes.items()}
    return Digested(size, mtime_ns, ctime_ns, inode, digests)


def _read(path: Path) -> dict[str, Digested]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Digested])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}
