"""A real server on this machine that speaks OpenAI's chat completions, and misbehaves on demand.

``with Server(answer) as server:`` listens on a port of its own, in a thread of its own.
``answer`` is told the question and how often it was asked before; it gives what is sent back, one
of the replies below. ``server.asked`` holds every question in the order it came.
"""

import asyncio
import json
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.waiting import PATIENCE_S

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextmanager
def kept_port() -> Iterator[int]:
    """A port on which nobody listens, kept: no other program is given it while the block lasts.

    A server that binds it by its number gets it, and gets it again after it was down.
    """
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        yield keeper.getsockname()[1]


class Server:
    """Counts what it is asked; keeps headers and bodies of all requests."""

    def __init__(
        self,
        answer: Callable[[str, int], Answer] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.asked: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.port = 0
        self._tls = tls
        self._answer = answer or (lambda _text, _before: says())
        self._seen: Counter[str] = Counter()
        self._loop: asyncio.AbstractEventLoop
        self._runner: web.AppRunner
        self._site: web.TCPSite
        self._ready = threading.Event()
        self._stop: asyncio.Event
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._port = ExitStack()

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self.port = self._port.enter_context(kept_port())
        self._thread.start()
        assert self._ready.wait(PATIENCE_S)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_S)
        self._port.close()

    def _run(self) -> None:
        asyncio.run(self._serve())  # and lets go of answers that were still being given

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._reply)
        runner = self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await self._listen()
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _listen(self) -> None:
        self._site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self._tls)
        await self._site.start()

    async def dies(self, seconds: float) -> None:
        """Nobody listens for so long, and all connections are reset; then it is back."""
        await self._site.stop()
        assert self._runner.server is not None
        for connection in self._runner.server.connections:
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(seconds)
        await self._listen()

    async def _reply(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        text = question_in(body)
        self.asked.append(text)
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        self.paths.append(request.path_qs)
        before = self._seen[text]
        self._seen[text] += 1
        return await self._answer(text, before)(request)


def question_in(body: dict[str, Any]) -> str:
    """The last text that is asked, whatever the protocol."""
    if "messages" in body:
        return str(body["messages"][-1]["content"])
    if "contents" in body:
        return str(body["contents"][-1]["parts"][0]["text"])
    if "input" in body:
        last = body["input"][-1]  # a turn, or one of the texts of a moderation request
        return last if isinstance(last, str) else str(last["content"])
    return str(body.get("prompt", ""))


def completion(text: str | None = "Paris.", **of_choice: Any) -> dict[str, Any]:
    """A chat completion; ``of_choice`` are further fields of its one choice."""
    message = {"role": "assistant", "content": text, **of_choice.pop("message", {})}
    return {
        "id": "x",
        "object": "chat.completion",
        "model": "served-model",
        "system_fingerprint": "fp_1",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", **of_choice}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }


def says(text: str | None = "Paris.", **of_choice: Any) -> Answer:
    """HTTP 200 with that text."""
    return sends(json.dumps(completion(text, **of_choice)).encode())


def sends(
    body: bytes, status: int = 200, content_type: str = "application/json", **headers: str
) -> Answer:
    """Exactly those bytes."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(body=body, status=status, content_type=content_type, headers=named)

    return answer


def fails(status: int, message: str = "no", code: str | None = None, **headers: str) -> Answer:
    """An error as OpenAI words it."""
    body = {"error": {"message": message, "type": "error", "code": code}}
    return sends(json.dumps(body).encode(), status, **headers)


def tears() -> Answer:
    """Half a body, then the connection is reset."""

    async def answer(request: web.Request) -> web.StreamResponse:
        body = json.dumps(completion()).encode()
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        assert request.transport is not None
        request.transport.abort()
        return response

    return answer


def hangs_up() -> Answer:
    """The connection is closed before a word is said."""

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    return answer


def waits(seconds: float, then: Answer | None = None) -> Answer:
    """That answer, late."""

    async def answer(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await (then or says())(request)

    return answer
