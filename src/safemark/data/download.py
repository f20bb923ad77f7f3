"""Pull: the files that are missing here, from their own publisher, verified before they appear.

What has arrived lies under another name until its hash agrees; a failure of any kind leaves what
was there before. aiohttp is imported when something is really fetched.
"""

import contextlib
import errno
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from safemark import __version__
from safemark.data.digests import Kind, digested, temporary_beside
from safemark.data.locks import Lock, locks, locks_file, standing_lock
from safemark.data.pinned import File, Found, Source, is_trusted_address
from safemark.data.search import (
    cache_folder,
    expected_hashes,
    find,
    find_in_mirrors,
    folder_of,
    is_wanted,
    key_of,
    mismatch,
)
from safemark.errors import DataError, SafemarkError, StoreError

if TYPE_CHECKING:
    import aiohttp

Progress = Callable[[str, int, int | None], None]
"""Told the file's path, its bytes so far, and all its bytes where known."""

BACKOFF_S = (0.5, 2.0, 8.0)
"""Pauses before each further try; as many tries follow the first."""

LONGEST_PAUSE_S = 60.0
MOST_BYTES = 4 << 30
AT_ONCE = 4
_CHUNK = 1 << 16
_STALE_S = 24 * 3600.0


def pull(
    source: Source,
    *,
    force: bool = False,
    offline: bool = False,
    progress: Progress | None = None,
    mirrors: Sequence[Path] | None = None,
) -> Found:
    """`fetch`, for code that is not async."""
    import asyncio

    return asyncio.run(
        fetch(source, force=force, offline=offline, progress=progress, mirrors=mirrors)
    )


async def fetch(
    source: Source,
    *,
    force: bool = False,
    offline: bool = False,
    progress: Progress | None = None,
    mirrors: Sequence[Path] | None = None,
) -> Found:
    """Download what is missing of ``source`` into the cache; what is here and verified after it.

    ``force`` downloads anew what the cache holds, whatever state it is in; files of a mirror are
    left to the mirror. ``offline``, or ``SAFEMARK_OFFLINE``, opens no socket. Raises `DataError`
    for what cannot be had or is not the pinned file, `StoreError` for a cache that cannot be
    written.
    """
    here = find_in_mirrors(source, mirrors=mirrors) if force else find(source, mirrors=mirrors)
    wanted = [file for file in source.files if file.path in here.missing]
    if not wanted:
        return here
    if offline or is_offline():
        raise _not_fetched(source, wanted)
    await _download(source, wanted, progress)
    return find(source, mirrors=mirrors)


def is_offline() -> bool:
    """Whether ``SAFEMARK_OFFLINE`` forbids every socket but the model's."""
    return os.environ.get("SAFEMARK_OFFLINE", "").strip().lower() not in ("", "0", "false", "no")


def _not_fetched(source: Source, wanted: Sequence[File]) -> DataError:
    listing = "\n".join(f"  {file.path} from {file.url}" for file in wanted)
    return DataError(
        f"offline: {len(wanted)} of {len(source.files)} files of {source.name} "
        "would have to be fetched",
        f"go online, or put them in a folder named by SAFEMARK_DATA:\n{listing}",
    )


async def _download(source: Source, wanted: Sequence[File], progress: Progress | None) -> None:
    import asyncio

    import aiohttp

    slots = asyncio.Semaphore(AT_ONCE)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=20, sock_read=60)
    agent = {"User-Agent": f"safemark/{__version__}"}
    async with aiohttp.ClientSession(trust_env=True, timeout=timeout, headers=agent) as session:

        async def place(file: File) -> None:
            async with slots:
                await _place(session, source, file, progress)

        results = await asyncio.gather(*map(place, wanted), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, SafemarkError):
            raise result
    failures = [result for result in results if isinstance(result, SafemarkError)]
    if len(failures) == 1:
        raise failures[0]
    if failures:
        first, others = failures[0], len(failures) - 1
        raise type(first)(f"{first.problem} (and {others} more could not be had)", first.hint)


async def _place(
    session: "aiohttp.ClientSession", source: Source, file: File, progress: Progress | None
) -> None:
    """Download one file and, once it has proved to be the right one, put it in its place."""
    target = folder_of(source) / file.path
    temporary = temporary_beside(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target.parent)
        await _receive(session, file, temporary, progress)
        _verify(source, file, temporary)
        temporary.replace(target)
    except OSError as error:
        raise _unwritable(source, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _verify(source: Source, file: File, received: Path) -> None:
    """Raise unless the bytes at ``received`` are the pinned ones; lock them if none are pinned."""
    cache, key = cache_folder(), key_of(source, file)
    lock = None if file.is_pinned else locks(cache).get(key)
    kinds: tuple[Kind, ...] = tuple(expected_hashes(file, lock)) or ("sha256",)
    found = digested(received, kinds)
    if found is None:
        raise StoreError(f"{received} has gone while it was verified", "pull again")
    is_right = is_wanted(file, expected_hashes(file, lock), found)
    if is_right and not file.is_pinned:
        if not found.size:
            raise DataError(f"{file.url} gave an empty file", "nothing was kept; try again later")
        lock = standing_lock(cache, key, Lock(found.digests["sha256"], found.size, file.url))
        is_right = lock.sha256 == found.digests["sha256"]
    if is_right:
        return
    problem = mismatch(source, file, lock, found, f"came from {file.url}")
    if lock:
        raise DataError(
            f"{problem}: its publisher has changed it since the first pull",
            f"nothing was kept; to accept the new one remove `{key}` from {locks_file(cache)}",
        )
    raise DataError(problem, "nothing was kept; did a proxy or a login page answer instead?")


class NotFetched(DataError):
    """A publisher's file cannot be had: nobody answers, or asks for a login, or has removed it."""


class _Passing(Exception):
    """A failure that may be over at the next try."""

    def __init__(self, why: str, retry_after_s: float | None = None) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


async def _receive(
    session: "aiohttp.ClientSession", file: File, into: Path, progress: Progress | None
) -> None:
    import asyncio
    import random

    for backoff_s in (*BACKOFF_S, None):
        try:
            await _receive_once(session, file, into, progress)
        except _Passing as failure:
            if backoff_s is None:
                raise NotFetched(
                    f"`{file.path}` could not be fetched from {file.url}: "
                    f"{failure}, {len(BACKOFF_S) + 1} times",
                    "check the network and the proxy variables, or try again later",
                ) from failure
            pause_s = failure.retry_after_s
            if pause_s is None:
                pause_s = backoff_s * random.uniform(0.5, 1.5)
            await asyncio.sleep(min(pause_s, LONGEST_PAUSE_S))
        else:
            return


async def _receive_once(
    session: "aiohttp.ClientSession", file: File, into: Path, progress: Progress | None
) -> None:
    """Write the body of ``file.url`` to ``into``. Raises `_Passing` where a next try may do."""
    import aiohttp

    try:
        async with session.get(file.url) as response:
            _check(file, response)
            with into.open("wb") as body:
                await _write(file, response, body.write, progress)
                body.flush()
                os.fsync(body.fileno())
    except TimeoutError as error:
        raise _Passing("no answer in time") from error
    except aiohttp.ClientSSLError as error:
        raise DataError(
            f"the certificate of {file.url} is not trusted: {type(error).__name__}",
            "behind a company proxy, set SSL_CERT_FILE to its certificates",
        ) from error
    except aiohttp.ClientPayloadError as error:
        raise _Passing("the connection ended before the file did") from error
    except aiohttp.ClientConnectorError as error:
        raise _Passing(f"no connection ({error.strerror or error.os_error})") from error
    except aiohttp.ClientError as error:
        raise _Passing(type(error).__name__) from error


def _check(file: File, response: "aiohttp.ClientResponse") -> None:
    """Raise unless this answer is a file."""
    status = response.status
    if status == 429 or status >= 500:
        raise _Passing(f"HTTP {status}", _seconds(response.headers.get("Retry-After")))
    if status in (401, 403):
        raise NotFetched(
            f"{file.url} may not be read (HTTP {status})",
            "its publisher asks for an agreement or a login: fetch it yourself, "
            "and name its folder in SAFEMARK_DATA",
        )
    if status != 200:
        raise NotFetched(
            f"`{file.path}` is not at {file.url} (HTTP {status})",
            "its publisher has moved or removed it: see its homepage",
        )
    if not is_trusted_address(str(response.url)):
        raise DataError(f"{file.url} leads to an address without https", "nothing was kept")
    is_page = response.content_type == "text/html" and not file.path.endswith((".html", ".htm"))
    if is_page and not file.is_pinned:
        raise DataError(
            f"{file.url} gave a web page where a file was asked for",
            "nothing was kept; did a proxy or a login page answer instead?",
        )


async def _write(
    file: File,
    response: "aiohttp.ClientResponse",
    write: Callable[[bytes], object],
    progress: Progress | None,
) -> None:
    total = file.size
    if total is None and "Content-Encoding" not in response.headers:
        total = response.content_length
    done = 0
    async for chunk in response.content.iter_chunked(_CHUNK):
        done += len(chunk)
        if done > (file.size or MOST_BYTES):
            raise DataError(
                f"{file.url} gave more than the {file.size or MOST_BYTES:,} bytes expected",
                "nothing was kept; did a proxy or a login page answer instead?",
            )
        write(chunk)
        if progress:
            progress(file.path, done, total)


def _seconds(retry_after: str | None) -> float | None:
    if retry_after and retry_after.strip().isdecimal():
        return float(retry_after)
    return None


def _sweep(folder: Path) -> None:
    """Remove what killed downloads left behind."""
    for part in folder.glob(".*.part"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > _STALE_S:
                part.unlink()


def _unwritable(source: Source, error: OSError) -> StoreError:
    folder = folder_of(source)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        problem = f"no space is left for the data of {source.name} in {folder}"
    else:
        problem = f"the data of {source.name} cannot be kept in {folder}: {error.strerror}"
    return StoreError(problem, "make room, or name another folder in SAFEMARK_CACHE")
