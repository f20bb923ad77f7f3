"""Batches over HTTP: JSON in and out, a file up, lines down.

A request that makes something is sent once: whether it arrived is found out by looking, not by
sending it again. One that only reads is tried again a few times.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from safemark.errors import CallFailed
from safemark.models.circuit import TRANSIENT
from safemark.models.http import HttpModel
from safemark.secrets import scrubbed
from safemark.types import Reason

if TYPE_CHECKING:
    import aiohttp

Found = TypeVar("Found")

READ_TRIES = 4
FIRST_WAIT_S = 1.0
_TIMEOUT_S = 600.0
_AGAIN = "repeat the command: it looks again"
_LONGEST_LINE = 64 * 1024 * 1024


class Wire:
    """The address and key of ``model``, for requests that are no questions."""

    def __init__(self, model: HttpModel, first_wait_s: float = FIRST_WAIT_S) -> None:
        self.model = model
        self._first_wait_s = first_wait_s
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, path: str, **query: str) -> Any:
        """What stands at ``path``. Raises `CallFailed`."""
        return await self._persist(lambda: self._json("GET", path, params=query))

    async def post(self, path: str, body: Any) -> Any:
        """What comes of ``body``, sent once. Raises `CallFailed`."""
        headers = {"Content-Type": "application/json"}
        return await self._json("POST", path, data=json.dumps(body).encode(), headers=headers)

    async def upload(self, path: str, name: str, content: bytes, **fields: str) -> Any:
        """What comes of a file with further form fields, sent once. Raises `CallFailed`."""
        import aiohttp

        form = aiohttp.FormData()
        for key, value in fields.items():
            form.add_field(key, value)
        form.add_field("file", content, filename=name, content_type="application/jsonl")
        return await self._json("POST", path, data=form)

    async def lines(self, path: str) -> AsyncGenerator[Any]:
        """Each line of a file, read; few in memory at a time. Raises `CallFailed`."""
        rest = b""
        async for chunk in self._chunks(path):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                if line.strip():
                    yield _read(line)
            if len(rest) > _LONGEST_LINE:
                raise CallFailed(Reason.BAD_RESPONSE, "a line of the results does not end")
        if rest.strip():
            yield _read(rest)

    async def _chunks(self, path: str) -> AsyncGenerator[bytes]:
        with _failures_named():
            async with self._request("GET", path) as response:
                if response.status != 200:
                    content = await response.read()
                    raise self.model.refusal(response.status, response.headers, content)
                async for chunk in response.content.iter_chunked(1 << 16):
                    yield chunk

    async def _json(self, method: str, path: str, **more: Any) -> Any:
        with _failures_named():
            async with self._request(method, path, **more) as response:
                content = await response.read()
                if response.status != 200:
                    raise self.model.refusal(response.status, response.headers, content)
                return _read(content)

    def _request(self, method: str, path: str, **more: Any) -> Any:
        if self._session is None:
            import aiohttp

            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S), proxy=self.model.proxy
            )
        headers = {**self.model.headers(), **more.pop("headers", {})}
        url = self.model.address(path)
        # a redirect could lead to a host that nobody named
        return self._session.request(method, url, headers=headers, allow_redirects=False, **more)

    async def _persist(self, read: Callable[[], Awaitable[Found]]) -> Found:
        for tries in range(READ_TRIES):
            try:
                return await read()
            except CallFailed as failure:
                if failure.reason not in TRANSIENT or tries == READ_TRIES - 1:
                    raise
                wait_s = self._first_wait_s * 2**tries
                await asyncio.sleep(min(failure.retry_after_s or wait_s, 60.0))
        raise AssertionError("unreachable")


@contextmanager
def _failures_named() -> Iterator[None]:
    """Inside, what goes wrong on the way is a `CallFailed` that says so."""
    import aiohttp

    try:
        yield
    except TimeoutError as error:
        raise CallFailed(Reason.TIMEOUT, f"no reply within {_TIMEOUT_S:g} s", _AGAIN) from error
    except (aiohttp.ClientError, OSError) as error:
        why = scrubbed(f"{type(error).__name__}: {error}")
        raise CallFailed(Reason.TRANSPORT, why, _AGAIN) from error


def segment(name: str) -> str:
    """A name from the provider as one segment of an address."""
    return quote(name, safe="")


def named(found: Any, name: str) -> str:
    """The text called ``name`` in what came back.

    Raises:
        CallFailed: there is none.
    """
    value = found.get(name) if isinstance(found, dict) else None
    if not isinstance(value, str) or not value:
        raise CallFailed(Reason.BAD_RESPONSE, f"the reply holds no `{name}`")
    return value


def _read(content: bytes) -> Any:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        begin = scrubbed(content[:120].decode("utf-8", "backslashreplace"))
        raise CallFailed(Reason.BAD_RESPONSE, f"the reply is no JSON: {begin}") from error
    if not isinstance(found, dict):
        raise CallFailed(Reason.BAD_RESPONSE, "the reply is no object")
    return found
