"""Any server that speaks OpenAI's chat completions, over aiohttp and msgspec.

One session per endpoint. Knows the wire and the meaning of its errors; how often to try again
and how many calls to have in flight is decided by wrappers.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from safemark.errors import CallFailed
from safemark.models._model import Identity
from safemark.secrets import remember, scrubbed
from safemark.types import Ask, Message, Messages, Reason, Reply, Usage

if TYPE_CHECKING:
    import aiohttp

MAX_REPLY_BYTES = 64 * 1024 * 1024
_UNKNOWN_MODEL = re.compile(
    r"model_not_found|unknown model|no such model|model\W+\S*\W+(was |is )?(not found|does not exist)"
    r"|does not exist or you do not have access",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(r"context_length_exceeded|maximum context length|prompt is too long", re.I)
_BLOCKED = re.compile(r"content_filter|content_policy|content management policy", re.IGNORECASE)


class _Text(msgspec.Struct):
    content: str | list[dict[str, Any]] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[Any] | None = None


class _Choice(msgspec.Struct):
    message: _Text
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    model: str | None = None
    system_fingerprint: str | None = None
    usage: _Usage | None = None


_completion = msgspec.json.Decoder(_Completion)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    input_usd: float
    output_usd: float


class OpenAICompatible:
    """A chat model behind an OpenAI-compatible address.

    ``base_url`` is the address up to and including ``/v1``. ``extra`` goes into every request
    body as it is. Proxy variables and ``SSL_CERT_FILE`` are honoured.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        api_key: str | None,
        key_variable: str = "OPENAI_API_KEY",
        name: str | None = None,
        concurrency: int = 32,
        timeout_s: float = 120.0,
        price: Price | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name or f"openai/{model}"
        self.concurrency = concurrency
        self.notes: tuple[str, ...] = ()
        self._model = model
        self._base_url = base_url.rstrip("/")
        self._url = self._base_url + "/chat/completions"
        self._key_variable = key_variable
        self._api_key = api_key
        self._timeout_s = timeout_s
        self._price = price
        self._extra = dict(extra or {})
        self._session: aiohttp.ClientSession | None = None
        remember(api_key)

    @property
    def identity(self) -> Identity:
        detail = {"address": scrubbed(self._base_url), "model": self._model}
        detail |= {f"body.{key}": str(value) for key, value in sorted(self._extra.items())}
        text = json.dumps(detail, sort_keys=True)
        return Identity(hashlib.sha256(text.encode()).hexdigest(), detail)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def reply(self, messages: Messages, ask: Ask) -> Reply:
        import aiohttp

        body = msgspec.json.encode(self._body(messages, ask))
        try:
            async with self._opened().post(self._url, data=body) as response:
                content = await _bounded(response)
                status, headers = response.status, response.headers
        except TimeoutError as error:
            raise CallFailed(Reason.TIMEOUT, f"no reply within {self._timeout_s:g} s") from error
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, OSError) as error:
            raise CallFailed(
                Reason.TRANSPORT,
                scrubbed(f"{type(error).__name__}: {error}"),
                f"is a server listening at {scrubbed(self._base_url)} ?",
            ) from error
        except (aiohttp.ClientError, ValueError) as error:
            raise CallFailed(
                Reason.BAD_RESPONSE, scrubbed(f"{type(error).__name__}: {error}")
            ) from error
        if status != 200:
            raise self._refusal(status, headers, content)
        return self._read(content)

    def _opened(self) -> "aiohttp.ClientSession":
        if self._session is None:
            import aiohttp

            headers = {"Content-Type": "application/json"}
            if self._api_key:
                headers["Authorization"] = f"Bearer {self._api_key}"
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
                timeout=aiohttp.ClientTimeout(total=self._timeout_s),
                headers=headers,
                trust_env=True,
                auto_decompress=True,
            )
        return self._session

    def _body(self, messages: Messages, ask: Ask) -> dict[str, Any]:
        if ask.system is not None:
            messages = (Message("system", ask.system), *messages)
        if ask.prefill is not None:
            messages = (*messages, Message("assistant", ask.prefill))
        settings = {
            "temperature": ask.temperature,
            "max_tokens": ask.max_output_tokens,
            "top_p": ask.top_p,
            "stop": list(ask.stop) or None,
            "seed": None if ask.seed is None else ask.seed + ask.draw,
        }
        given = {key: value for key, value in settings.items() if value is not None}
        return {"model": self._model, "messages": messages, **given, **self._extra}

    def _read(self, content: bytes) -> Reply:
        try:
            completion = _completion.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            begin = scrubbed(content[:120].decode("utf-8", "backslashreplace"))
            raise CallFailed(
                Reason.BAD_RESPONSE, f"the reply is no chat completion ({error}): {begin}"
            ) from error
        if not completion.choices:
            raise CallFailed(Reason.BAD_RESPONSE, "the reply has no choices")
        choice = completion.choices[0]
        usage = completion.usage or _Usage()
        return Reply(
            text=_words(choice.message),
            finish=_finish(choice.finish_reason),
            thinking=choice.message.reasoning_content or choice.message.reasoning,
            usage=Usage(usage.prompt_tokens, usage.completion_tokens, self._cost(usage)),
            model=completion.model,
            fingerprint=completion.system_fingerprint,
        )

    def _cost(self, usage: _Usage) -> float | None:
        if self._price is None or usage.prompt_tokens is None:
            return None
        output = (usage.completion_tokens or 0) * self._price.output_usd
        return (usage.prompt_tokens * self._price.input_usd + output) / 1e6

    def _refusal(self, status: int, headers: Mapping[str, str], content: bytes) -> CallFailed:
        text = scrubbed(content[:2000].decode("utf-8", "backslashreplace"))
        why = f"HTTP {status}: {_message(text)}"
        if status in (401, 403):
            key = self._key_variable
            return CallFailed(Reason.AUTHENTICATION, why, f"check the key in {key}")
        if status in (400, 404) and _UNKNOWN_MODEL.search(text):
            hint = f"the server at {scrubbed(self._base_url)} has no model `{self._model}`"
            return CallFailed(Reason.UNKNOWN_MODEL, why, hint)
        if status == 429:
            return CallFailed(Reason.RATE_LIMITED, why, retry_after_s=_retry_after_s(headers))
        if status == 408:
            return CallFailed(Reason.TIMEOUT, why)
        if status >= 500:
            return CallFailed(Reason.SERVER_ERROR, why, retry_after_s=_retry_after_s(headers))
        if _TOO_LONG.search(text):
            return CallFailed(Reason.CONTEXT_TOO_LONG, why)
        if _BLOCKED.search(text):
            return CallFailed(Reason.BLOCKED, why)
        return CallFailed(Reason.BAD_REQUEST, why, "is the address right, up to `/v1`?")


async def _bounded(response: "aiohttp.ClientResponse") -> bytes:
    """The whole body, at most `MAX_REPLY_BYTES` of it."""
    length = response.content_length
    if length is not None and length <= MAX_REPLY_BYTES:
        return await response.read()
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_REPLY_BYTES:
            raise ValueError(f"the reply is longer than {MAX_REPLY_BYTES} bytes")
    return bytes(body)


def _words(message: _Text) -> str:
    if isinstance(message.content, list):
        parts = (part.get("text") for part in message.content)
        return "".join(part for part in parts if isinstance(part, str))
    return message.content or message.refusal or ""


def _finish(reason: str | None) -> Literal["stop", "length", "blocked", "other"]:
    if reason in (None, "stop", "eos", "end_turn"):
        return "stop"
    if reason in ("length", "max_tokens"):
        return "length"
    return "blocked" if reason == "content_filter" else "other"


def _message(text: str) -> str:
    """The sentence inside an error body, or its beginning."""
    try:
        error = json.loads(text).get("error", {})
        message = error.get("message") if isinstance(error, dict) else error
    except (ValueError, AttributeError):
        message = None
    return str(message or text.strip() or "no explanation")[:300]


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    value = headers.get("Retry-After")
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None

