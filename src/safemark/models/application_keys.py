"""The keys of an application's file, as they are written: names, types, defaults.

What they mean together is checked in `application_file`.
"""

from typing import Any, Literal

import msgspec


class RequestKeys(msgspec.Struct, frozen=True, omit_defaults=True):
    """One HTTP request as the file words it; at most one of ``body``, ``form`` and ``text``."""

    url: str
    method: str = "POST"
    headers: dict[str, str] = {}
    query: dict[str, str | int | float | bool] = {}
    body: Any = None
    form: dict[str, str | int | float | bool] | None = None
    text: str | None = None


class BlockedKeys(msgspec.Struct, frozen=True):
    """A block is told by what stands at ``path``: any of ``values``."""

    path: str
    values: list[str | int | float | bool | None]


class UsageKeys(msgspec.Struct, frozen=True):
    """Paths of what a reply cost."""

    input_tokens: str | None = None
    output_tokens: str | None = None
    cost_usd: str | None = None


class ReplyKeys(msgspec.Struct, frozen=True, rename={"form": "as"}):
    """Where the answer stands in what comes back."""

    form: Literal["json", "text", "events", "lines"] = "json"
    path: str | None = None
    event: str | None = None
    end: str | None = None
    refusal: str | None = None
    thinking: str | None = None
    finish: str | None = None
    model: str | None = None
    error: str | None = None
    blocked: str | BlockedKeys | None = None
    usage: UsageKeys = UsageKeys()


class SessionKeys(msgspec.Struct, frozen=True, rename={"source": "from"}):
    """Where a conversation's name comes from: ours, or something of the application's."""

    source: str = "generated"
    start: dict[str, Any] | None = None


class MessageKeys(msgspec.Struct, frozen=True):
    """How the application words a message: its keys, and its names for the roles."""

    role: str = "role"
    content: str = "content"
    roles: dict[str, str] = {}


class ApplicationKeys(msgspec.Struct, frozen=True):
    """What stands in the file beside the request."""

    name: str | None = None
    version: str | None = None
    reply: ReplyKeys = ReplyKeys()
    session: SessionKeys | None = None
    history: Literal["sent", "kept"] | None = None
    messages: MessageKeys = MessageKeys()
    success: list[int] | None = None
    blocked_status: list[int] = []
    timeout_s: float = 120.0
    retries: int = 4
    concurrency: int = 8
