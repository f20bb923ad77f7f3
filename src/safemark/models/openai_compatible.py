"""Any server that speaks OpenAI's chat completions, over aiohttp and msgspec.

One session per endpoint. Knows the wire and the meaning of its errors; how often to try again
and how many calls to have in flight is decided by wrappers.
"""

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import msgspec

from safemark.errors import CallFailed
from safemark.models._model import Identity
from safemark.secrets import HIDDEN, is_secret_name, remember, scrubbed
from safemark.types import Ask, Message, Messages, Reason, Reply, Usage

if TYPE_CHECKING:
    import aiohttp

MAX_REPLY_BYTES = 64 * 1024 * 1024
_UNKNOWN_MODEL = re.compile(
    r"model_not_found|model_not_available|DeploymentNotFound|unknown model|no such model"
    r"|not a valid model|invalid[ _]model|model not exist|server is pinned to"
    r"|does not exist or you do not have access"
    r"|models?\W+\S*\W+(was |is )?(not found|does not exist)",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(
    r"context_length_exceeded|maximum context length|prompt is too long", re.IGNORECASE
)
_BLOCKED = re.compile(
    r"content_filter|content_policy|content management policy|moderation|flagged", re.IGNORECASE
)
_NO_CREDIT = re.compile(r"insufficient_quota|insufficient credits", re.IGNORECASE)
_REFUSED = range(400, 500)

_MEANINGS: tuple[tuple[Reason, Collection[int], re.Pattern[str] | None], ...] = (
    (Reason.BLOCKED, (403,), _BLOCKED),
    (Reason.AUTHENTICATION, (401, 402, 403), None),
    (Reason.AUTHENTICATION, _REFUSED, _NO_CREDIT),
    (Reason.RATE_LIMITED, (429,), None),
    (Reason.TIMEOUT, (408,), None),
    (Reason.SERVER_ERROR, range(500, 600), None),
    (Reason.UNKNOWN_MODEL, (400, 404), _UNKNOWN_MODEL),
    (Reason.CONTEXT_TOO_LONG, _REFUSED, _TOO_LONG),
    (Reason.BLOCKED, _REFUSED, _BLOCKED),
)
"""What a status, with these words in the body, means; the first that fits. Else a bad request."""


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
    prompt_tokens: Any = None
    completion_tokens: Any = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    model: str | None = None
    system_fingerprint: str | None = None
    usage: Any = None


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
        detail |= {
            f"body.{key}": HIDDEN if is_secret_name(key) else scrubbed(str(value))
            for key, value in sorted(self._extra.items())
        }
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
            # a redirect could lead to a host that nobody named
            request = self._opened().post(self._url, data=body, allow_redirects=False)
            async with request as response:
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
                # trust_env would look the proxy and ~/.netrc up for each request: 200 µs of 550
                proxy=_proxy(self._url),
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
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            begin = scrubbed(content[:120].decode("utf-8", "backslashreplace"))
            raise CallFailed(
                Reason.BAD_RESPONSE, f"the reply is no chat completion ({error}): {begin}"
            ) from error
        if not completion.choices:
            raise CallFailed(Reason.BAD_RESPONSE, "the reply has no choices")
        choice = completion.choices[0]
        tokens_in, tokens_out = _tokens(completion.usage)
        return Reply(
            text=_words(choice.message),
            finish=_finish(choice.finish_reason),
            thinking=choice.message.reasoning_content or choice.message.reasoning,
            usage=Usage(tokens_in, tokens_out, self._cost(tokens_in, tokens_out)),
            model=completion.model,
            fingerprint=completion.system_fingerprint,
        )

    def _cost(self, tokens_in: int | None, tokens_out: int | None) -> float | None:
        if self._price is None or tokens_in is None:
            return None
        output = (tokens_out or 0) * self._price.output_usd
        return (tokens_in * self._price.input_usd + output) / 1e6

    def _refusal(self, status: int, headers: Mapping[str, str], content: bytes) -> CallFailed:
        text = scrubbed(content[:2000].decode("utf-8", "backslashreplace"))
        why = f"HTTP {status}: {_message(text)}"
        if 300 <= status < 400:
            why = f"HTTP {status}: moved to {scrubbed(headers.get('Location', 'nowhere'))[:300]}"
        reason = _meaning(status, text)
        hint = ""
        if reason is Reason.AUTHENTICATION:
            key = self._key_variable
            hint = (
                f"check the key in {key}"
                if status in (401, 403)
                else f"the account of the key in {key} has no credit left"
            )
        elif reason is Reason.UNKNOWN_MODEL:
            hint = f"the server at {scrubbed(self._base_url)} has no model `{self._model}`"
        elif reason is Reason.BAD_REQUEST:
            hint = "is the address right, up to `/v1`?"
        return CallFailed(reason, why, hint, retry_after_s=_retry_after_s(headers))


def _meaning(status: int, text: str) -> Reason:
    for reason, statuses, words in _MEANINGS:
        if status in statuses and (words is None or words.search(text)):
            return reason
    return Reason.BAD_REQUEST


async def _bounded(response: "aiohttp.ClientResponse") -> bytes:
    """The whole body, at most `MAX_REPLY_BYTES` of it."""
    length = response.content_length
    is_plain = "Content-Encoding" not in response.headers
    if is_plain and length is not None and length <= MAX_REPLY_BYTES:
        return await response.read()
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_REPLY_BYTES:
            raise ValueError(f"the reply is longer than {MAX_REPLY_BYTES} bytes")
    return bytes(body)


def _tokens(usage: Any) -> tuple[int | None, int | None]:
    """Tokens in and out as far as the server tells them believably; accounts are no answers."""
    try:
        told = msgspec.convert(usage, _Usage)
    except msgspec.ValidationError:
        return None, None
    return _believable(told.prompt_tokens), _believable(told.completion_tokens)


def _believable(count: Any) -> int | None:
    is_count = isinstance(count, int | float) and 0 <= count < 2**31 and count == int(count)
    return int(count) if is_count else None


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


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for this address, if any."""
    address = urlsplit(url)
    if proxy_bypass(address.netloc):
        return None
    named = getproxies()
    return named.get(address.scheme) or named.get("all")


def _message(text: str) -> str:
    """The sentence inside an error body, or its beginning."""
    try:
        body = json.loads(text)
        error = body.get("error", {})
        message = error.get("message") if isinstance(error, dict) else error
        message = message or body.get("message") or body.get("detail")
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
