"""A real application on this machine with manners of its own: what it is sent is kept as it came.

``with Chatbot(answer) as bot:`` ``answer`` is told each request and gives the response.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.serving import Server


@dataclass(frozen=True, slots=True)
class Came:
    """One request: ``path`` with its query, and the body as text."""

    method: str
    path: str
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Chatbot(Server):
    """Answers with what ``answer`` gives; keeps all that came."""

    def __init__(self, answer: Callable[[Came], web.Response]) -> None:
        super().__init__()
        self.came: list[Came] = []
        self._respond = answer

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _reply(self, request: web.Request) -> web.StreamResponse:
        came = Came(request.method, request.path_qs, dict(request.headers), await request.text())
        self.came.append(came)
        return self._respond(came)


def told(value: Any, status: int = 200, **headers: str) -> web.Response:
    """JSON."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return web.json_response(value, status=status, headers=named)


def written(text: str, content_type: str = "text/plain") -> web.Response:
    """Text of that type."""
    return web.Response(text=text, content_type=content_type)
