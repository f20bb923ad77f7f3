"""One address over aiohttp and msgspec: a body goes out, a reply or the true reason comes back.

Knows the wire and what errors mean on it, whoever the provider. What a body holds and how a reply
is read stands in the file of each protocol; how often to try again and how many calls to have in
flight is decided by wrappers.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import msgspec

from safemark.errors import CallFailed
from safemark.models._faults import (
    WRONG_KEY,
    Refused,
    believable,
    meaning,
    message,
    retry_after_s,
    status_within,
)
from safemark.models._model import Identity
from safemark.models._settings import refused_setting
from safemark.secrets import HIDDEN, is_secret_name, remember, scrubbed
from safemark.types import Ask, Message, Messages, Reason, Reply, Usage

if TYPE_CHECKING:
    import aiohttp

Decoded = TypeVar("Decoded")

MAX_REPLY_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a model is asked, and with which key in which header."""

    base_url: str
    api_key: str | None = None
    key_variable: str = "OPENAI_API_KEY"
    key_header: str | None = None
    api_version: str | None = None
    timeout_s: float = 120.0


class HttpModel:
    """What every model behind an HTTP address shares; a protocol adds `reply`.

    ``extra`` goes into every request body as it is, ``effort`` where the protocol has its place for
    it. Proxy variables and ``SSL_CERT_FILE`` are honoured; no redirect is followed.
    """

    protocol = "chat"
    settings: Mapping[str, str] = MappingProxyType({})
    """What a server may refuse: names on the wire, and in an `Ask`."""

    key_header = "Authorization"
    fixed_headers: ClassVar[Mapping[str, str]] = {}
    address_hint = "is the address right, up to `/v1`?"

    def __init__(
        self,
        model: str,
        endpoint: Endpoint,
        *,
        name: str | None = None,
        concurrency: int = 32,
        effort: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name or f"openai/{model}"
        self.concurrency = concurrency
        self.notes: tuple[str, ...] = ()
        self._model = model
        self._endpoint = endpoint
        self._base_url = endpoint.base_url.rstrip("/")
        self._query = f"?api-version={endpoint.api_version}" if endpoint.api_version else ""
        self._effort = effort
        self._extra = dict(extra or {})
        self._refused: frozenset[str] = frozenset()
        self._url = ""
        self._session: aiohttp.ClientSession | None = None
        remember(endpoint.api_key)

    @property
    def identity(self) -> Identity:
        detail = {"address": scrubbed(self._base_url + self._query), "model": self._model}
        if self.protocol != "chat":
            detail["protocol"] = self.protocol
        if self._effort is not None:
            detail["effort"] = self._effort
        detail |= {
            f"body.{key}": HIDDEN if is_secret_name(key) else scrubbed(str(value))
            for key, value in sorted(self._extra.items())
        }
        detail |= self._more_identity()
        text = json.dumps(detail, sort_keys=True)
        return Identity(hashlib.sha256(text.encode()).hexdigest(), detail)

    def _more_identity(self) -> dict[str, str]:
        """What else changes answers, by the protocol."""
        return {}

    async def reply(self, messages: Messages, ask: Ask) -> Reply:
        content, refused = await self._agreed(
            self._url, lambda refused: self._body(messages, ask, refused)
        )
        return self._read(content, ask, refused)

    def _body(self, messages: Messages, ask: Ask, refused: frozenset[str]) -> dict[str, Any]:
        """What asks ``messages`` without the settings that are refused, named as on the wire."""
        raise NotImplementedError

    def _read(self, content: bytes, ask: Ask, refused: frozenset[str]) -> Reply:
        """The reply in what came back to such a body. Raises `CallFailed`."""
        raise NotImplementedError

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, url: str, body: Any) -> bytes:
        """What the server says to ``body``, a value that JSON can hold.

        Raises:
            CallFailed: it says nothing, or too much, or ``body`` cannot be sent.
            Refused: it answers with another status than 200.
        """
        import aiohttp

        data = _encoded(body)
        try:
            # a redirect could lead to a host that nobody named
            request = self._opened().post(url, data=data, allow_redirects=False)
            async with request as response:
                content = await _bounded(response)
                status, headers = response.status, response.headers
        except TimeoutError as error:
            why = f"no reply within {self._endpoint.timeout_s:g} s"
            raise CallFailed(Reason.TIMEOUT, why) from error
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, OSError) as error:
            raise CallFailed(
                Reason.TRANSPORT,
                scrubbed(f"{type(error).__name__}: {error}"),
                connection_hint(error, scrubbed(self._base_url)),
            ) from error
        except (aiohttp.ClientError, ValueError) as error:
            raise CallFailed(
                Reason.BAD_RESPONSE, scrubbed(f"{type(error).__name__}: {error}")
            ) from error
        if status != 200:
            raise self.refusal(status, headers, content, url)
        return content

    async def _agreed(
        self, url: str, body_of: Callable[[frozenset[str]], dict[str, Any]]
    ) -> tuple[bytes, frozenset[str]]:
        """What the server says to ``body_of`` what it refuses, and that: settings on the wire.

        A setting that turns out to be refused as such is left out from then on, and noted.

        Raises:
            CallFailed: as `_post`.
        """
        while True:
            refused = self._refused
            body = body_of(refused)
            try:
                return await self._post(url, body), refused
            except Refused as failure:
                if not self._learns(failure, body):
                    raise

    def _learns(self, failure: Refused, body: dict[str, Any]) -> bool:
        """Whether ``failure`` tells how to ask so that it does not happen again."""
        sent = self._settings_in(body)
        candidates = [name for name in self.settings if name in sent and name not in self._extra]
        name = refused_setting(failure.status, failure.said, candidates)
        if name is None:
            return False
        self._refused |= {name}
        self._note(self._refusal_note(name))
        return True

    def _settings_in(self, body: dict[str, Any]) -> dict[str, Any]:
        """The part of ``body`` that holds the settings."""
        return body

    def _refusal_note(self, name: str) -> str:
        return f"{self.settings[name]} is left out: the server refuses it"

    def _left_out(self, ask: Ask, refused: frozenset[str]) -> tuple[str, ...]:
        """The settings of ``ask`` that say something and are not sent."""
        names = sorted(self.settings[name] for name in refused)
        return tuple(name for name in names if getattr(ask, name) not in (None, ()))

    @property
    def refused(self) -> frozenset[str]:
        """The settings, as they are called on the wire, that the server was found to refuse."""
        return self._refused

    def leave_out(self, names: frozenset[str]) -> None:
        """Take it as known that the server refuses these settings."""
        if not names <= self._refused:
            self._refused |= names

    def address(self, path: str) -> str:
        """The address of ``path`` at this endpoint."""
        return f"{self._base_url}/{path}{self._query}"

    @property
    def proxy(self) -> str | None:
        """The proxy that the environment names for this endpoint, if any."""
        return _proxy(self._base_url)

    def headers(self) -> dict[str, str]:
        """What goes with every request, the key included; not the type of its body."""
        headers = dict(self.fixed_headers)
        if self._endpoint.api_key:
            header = self._endpoint.key_header or self.key_header
            scheme = "Bearer " if header == "Authorization" else ""
            headers[header] = scheme + self._endpoint.api_key
        return headers

    def request_body(self, messages: Messages, ask: Ask) -> dict[str, Any]:
        """The body that asks ``messages``."""
        return self._body(messages, ask, self._refused)

    def read_reply(self, content: bytes, ask: Ask) -> Reply:
        """The reply in what came back. Raises `CallFailed`."""
        return self._read(content, ask, self._refused)

    def _opened(self) -> "aiohttp.ClientSession":
        if self._session is None:
            import aiohttp

            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
                timeout=aiohttp.ClientTimeout(total=self._endpoint.timeout_s),
                headers={"Content-Type": "application/json", **self.headers()},
                # trust_env would look the proxy and ~/.netrc up for each request: 200 µs of 550
                proxy=self.proxy,
            )
        return self._session

    def _decoded(
        self, decoder: "msgspec.json.Decoder[Decoded]", content: bytes, kind: str
    ) -> Decoded:
        """``content`` as the protocol has it.

        Raises:
            CallFailed: it is something else; an error in a reply of status 200 keeps its meaning.
        """
        try:
            return decoder.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._other_than(kind, str(error), content) from error

    def _other_than(self, kind: str, problem: str, content: bytes) -> CallFailed:
        """The failure of a reply that is not ``kind``."""
        status = status_within(content)
        if status is not None:
            return self.refusal(status, {}, content)
        begin = scrubbed(content[:120].decode("utf-8", "backslashreplace"))
        return CallFailed(Reason.BAD_RESPONSE, f"the reply is no {kind} ({problem}): {begin}")

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes = (*self.notes, note)

    def refusal(
        self, status: int, headers: Mapping[str, str], content: bytes, url: str = ""
    ) -> Refused:
        """What an answer with another status than 200 means; ``url`` is what was asked."""
        text = scrubbed(content[:4000].decode("utf-8", "backslashreplace"))
        why = f"HTTP {status}: {message(text)}"
        if 300 <= status < 400:
            why = f"HTTP {status}: moved to {scrubbed(headers.get('Location', 'nowhere'))[:300]}"
        reason = meaning(status, text)
        hint = ""
        if reason is Reason.AUTHENTICATION:
            key = self._endpoint.key_variable
            hint = (
                f"check the key in {key}"
                if status in (401, 403) or WRONG_KEY.search(text)
                else f"the account of the key in {key} has no credit left"
            )
        elif reason is Reason.UNKNOWN_MODEL:
            hint = f"the server at {scrubbed(self._base_url)} has no model `{self._model}`"
        elif reason is Reason.BAD_REQUEST and status in (*range(300, 400), 404, 405):
            asked = f"{scrubbed(url)} was asked: " if url else ""
            hint = asked + self.address_hint
        return Refused(
            reason,
            why,
            hint,
            status=status,
            said=text,
            retry_after_s=retry_after_s(headers, text),
        )


def with_turns(messages: Messages, ask: Ask) -> Messages:
    """The conversation with its system text first and the begun answer last."""
    if ask.system is not None:
        messages = (Message("system", ask.system), *messages)
    if ask.prefill is not None:
        messages = (*messages, Message("assistant", ask.prefill))
    return messages


def seed_of(ask: Ask) -> int | None:
    """The seed of this draw."""
    return None if ask.seed is None else ask.seed + ask.draw


def usage_of(sent: Any, written: Any, cached: Any = None, thinking: Any = None) -> Usage:
    """Tokens as far as they can be believed; what they cost is no matter of the wire."""
    return Usage(
        believable(sent),
        believable(written),
        cached_tokens=believable(cached) or None,
        thinking_tokens=believable(thinking) or None,
    )


def thinking_of(shown: str | None, tokens: Any) -> str | None:
    """The thinking as far as it is shown: empty where there was some that is not, else None."""
    return shown or ("" if believable(tokens) else None)


def connection_hint(error: BaseException, address: str) -> str:
    """What to do about a connection to ``address`` that failed so."""
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"is {address} to be trusted? SSL_CERT_FILE names the authorities that are"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"nobody knows the host of {address}: is it right, is there a network?"
    return f"is a server listening at {address} ?"


def _encoded(body: Any) -> bytes:
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError as error:
        why = "the question holds a lone surrogate, which no server can be sent"
        raise CallFailed(Reason.BAD_REQUEST, why) from error


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


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for this address, if any."""
    address = urlsplit(url)
    if proxy_bypass(address.netloc):
        return None
    named = getproxies()
    return named.get(address.scheme) or named.get("all")
