"""Any application behind HTTP as a target: ``http:FILE`` says how it is asked.

What a person tests is often a chatbot and not its model: own address, own words for things, own
memory of a conversation. The file is read in `application_file`, what comes back in
`application_reply`. How often to try again and how many calls to have in flight is decided by
wrappers.
"""

import json
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import msgspec

from safemark.errors import CallFailed
from safemark.models._faults import meaning, message, retry_after_s
from safemark.models._model import Identity
from safemark.models.application_file import Application, with_variables
from safemark.models.application_keys import RequestKeys
from safemark.models.application_reply import Came, documents_in, read_json, reply_in
from safemark.models.conversations import Conversations
from safemark.models.http import _bounded, _proxy, connection_hint
from safemark.models.json_path import NotThere
from safemark.models.request_template import filled, filled_path, filled_text
from safemark.secrets import scrubbed
from safemark.types import Ask, Message, Messages, Reason, Reply

if TYPE_CHECKING:
    import aiohttp

_PLACES = {
    "temperature": "temperature",
    "max_output_tokens": "longest answer",
    "seed": "seed",
    "stop": "stop words",
}


@dataclass(frozen=True, slots=True)
class _Turn:
    """One turn as the application is told it; ``said`` is the conversation before it."""

    said: Messages
    session: str | None
    values: dict[str, Any]


class HttpApplication:
    """An application that is asked over HTTP as its file says.

    Variables in headers and query are read from ``environment`` now; their values are secrets.

    Raises:
        UsageError: a variable is not set.
    """

    def __init__(
        self, application: Application, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = f"http:{application.name}"
        self.concurrency = application.concurrency
        self._application = application
        self._environment = os.environ if environment is None else environment
        self._conversations = Conversations()
        self._session: aiohttp.ClientSession | None = None
        self._has_answered = False
        start = application.session.start if application.session else None
        for request in (application.request, *([start] if start else [])):
            self._headers(request, {})
            self._query(request, {})
        self.notes = _notes(application)

    @property
    def identity(self) -> Identity:
        application = self._application
        detail = {"address": _address(application.request.url), "application": application.name}
        if application.version is not None:
            detail["version"] = application.version
        return Identity(application.digest, detail)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def reply(self, messages: Messages, ask: Ask) -> Reply:
        """The application's answer to the last turn. Raises `CallFailed` when there is none."""
        turn = await self._turn(messages, ask)
        try:
            came = await self._answered(self._application.request, turn.values, turn.session)
            documents = documents_in(self._application.reply, came)
            reply = reply_in(self._application.reply, documents)
            if self._application.session is not None:
                self._remember(turn, messages, ask, reply, came, documents)
        except CallFailed:
            if turn.said and turn.session is not None:
                self._conversations.keep(turn.said, ask.draw, turn.session)
            raise
        self._has_answered = True
        return reply

    async def _turn(self, messages: Messages, ask: Ask) -> _Turn:
        """What is put into the request, and in which session."""
        application = self._application
        system, turns = _without_system(messages, ask)
        if not turns or turns[-1].role != "user":
            raise _no_place("a conversation that does not end with the person's turn")
        shown = turns[-1:] if application.keeps_history else turns
        _check_places(application, system, shown, ask)
        said = turns[:-1]
        if application.keeps_history:
            session = await self._continued(said, ask)
        else:
            session = await self._begun(ask)
        return _Turn(said, session, _values(application, system, shown, session, ask))

    async def _continued(self, said: Messages, ask: Ask) -> str | None:
        """The session in which ``said`` was said; a new one where nothing was said yet."""
        if not said:
            return await self._begun(ask)
        session = self._conversations.take(said, ask.draw)
        if session is None:
            raise CallFailed(
                Reason.UNSUPPORTED,
                "the application keeps the history itself, and never had this conversation",
                'where it takes earlier turns, put "{{messages}}" into the request',
            )
        return session

    async def _begun(self, ask: Ask) -> str | None:
        """A new session's name; None where the first reply will tell it."""
        session = self._application.session
        if session is None:
            return None
        if session.start is None:
            return str(uuid.uuid4()) if session.source == "generated" else None
        name = str(uuid.uuid4())
        values = {"id": name, "session": name, "draw": ask.draw, "system": ask.system}
        came = await self._answered(session.start, values, None)
        if session.source == "generated":
            return name
        try:
            document = read_json(came.body) if session.source == "path" else None
            return session.named_in(document, came.headers, came.cookies)
        except NotThere as error:
            raise CallFailed(Reason.BAD_RESPONSE, f"no session was begun: {error}") from error

    def _remember(
        self,
        turn: _Turn,
        messages: Messages,
        ask: Ask,
        reply: Reply,
        came: Came,
        documents: Sequence[Any],
    ) -> None:
        """Keep the session for a next turn; a first reply may have to tell its name."""
        shape = self._application.session
        if shape is None or not self._application.keeps_history:
            return
        name = turn.session
        if name is None or shape.source == "cookie":
            try:
                document = next((one for one in documents if isinstance(one, dict)), None)
                name = shape.named_in(document, came.headers, came.cookies)
            except NotThere as error:
                if name is None:
                    why = f"the first reply names no session: {error}"
                    raise CallFailed(Reason.BAD_RESPONSE, why) from error
        _, turns = _without_system(messages, ask)
        said = (*turns, Message("assistant", reply.text))
        self._conversations.keep(said, ask.draw, name)

    async def _answered(
        self, request: RequestKeys, values: Mapping[str, Any], session: str | None
    ) -> Came:
        """What a request brings back, its status good."""
        came = await self._sent(request, values, session)
        if came.status not in self._application.success:
            raise self._refusal(came)
        return came

    async def _sent(
        self, request: RequestKeys, values: Mapping[str, Any], session: str | None
    ) -> Came:
        import aiohttp
        from yarl import URL

        timeout_s = self._application.timeout_s
        try:
            content, content_type = _content(request, values)
            path, _, fixed = request.url.partition("?")
            query = [with_variables(fixed, self._environment), self._query(request, values)]
            url = "?".join(filter(None, (filled_path(path, values), "&".join(filter(None, query)))))
        except UnicodeEncodeError as error:
            why = "the question holds a lone surrogate, which no application can be sent"
            raise CallFailed(Reason.BAD_REQUEST, why) from error
        headers = self._headers(request, values)
        if content_type and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = content_type
        shape = self._application.session
        if shape is not None and shape.source == "cookie" and session is not None:
            headers["Cookie"] = f"{shape.where}={session}"
        try:
            # a redirect could lead to a host that nobody named
            async with self._opened().request(
                request.method.upper(),
                URL(url),
                data=content,
                headers=headers,
                allow_redirects=False,
            ) as response:
                return Came(
                    response.status,
                    response.headers,
                    _cookies(response.headers.getall("Set-Cookie", [])),
                    await _bounded(response),
                    response.charset or "utf-8",
                )
        except TimeoutError as error:
            raise CallFailed(Reason.TIMEOUT, f"no reply within {timeout_s:g} s") from error
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, OSError) as error:
            raise CallFailed(
                Reason.TRANSPORT,
                scrubbed(f"{type(error).__name__}: {error}"),
                connection_hint(error, _address(request.url)),
            ) from error
        except (aiohttp.ClientError, ValueError) as error:
            raise CallFailed(
                Reason.BAD_RESPONSE, scrubbed(f"{type(error).__name__}: {error}")
            ) from error

    def _opened(self) -> "aiohttp.ClientSession":
        if self._session is None:
            import aiohttp

            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
                timeout=aiohttp.ClientTimeout(total=self._application.timeout_s),
                # one jar would make a single conversation of all
                cookie_jar=aiohttp.DummyCookieJar(),
                proxy=_proxy(self._application.request.url),
            )
        return self._session

    def _headers(self, request: RequestKeys, values: Mapping[str, Any]) -> dict[str, str]:
        return {
            name: filled_text(with_variables(text, self._environment, is_header=True), values)
            for name, text in request.headers.items()
        }

    def _query(self, request: RequestKeys, values: Mapping[str, Any]) -> str:
        told = {name: str(value) for name, value in request.query.items()}
        return urlencode(
            {
                name: filled_text(with_variables(text, self._environment), values)
                for name, text in told.items()
            }
        )

    def _refusal(self, came: Came) -> CallFailed:
        text = scrubbed(came.body[:2000].decode("utf-8", "backslashreplace"))
        why = f"HTTP {came.status}: {message(text)}"
        if 300 <= came.status < 400:
            why = f"HTTP {came.status}: moved to {scrubbed(came.headers.get('Location', ''))[:300]}"
        if came.status in self._application.blocked_status:
            return CallFailed(Reason.BLOCKED, why)
        wait_s = retry_after_s(came.headers, text)
        reason = meaning(came.status, text)
        hint = ""
        if reason is Reason.AUTHENTICATION and self._has_answered:
            # a key that was good is not what is wrong now
            reason = Reason.BAD_REQUEST
            hint = f"if a filter answers so, say `blocked_status: [{came.status}]`"
        elif reason is Reason.AUTHENTICATION:
            named = ", ".join(self._application.variables)
            hint = f"check the key in {named}" if named else "does it want a key in `headers:`?"
        elif came.status in (404, 405) and not self._has_answered:
            reason = Reason.UNKNOWN_MODEL
            hint = f"nothing answers {_address(self._application.request.url)}; is `url` right?"
        elif reason in (Reason.BAD_REQUEST, Reason.UNKNOWN_MODEL):
            reason = Reason.BAD_REQUEST
            hint = "does the body hold what the application wants?"
        return CallFailed(reason, why, hint, retry_after_s=wait_s)


def _notes(application: Application) -> tuple[str, ...]:
    missing = [words for name, words in _PLACES.items() if name not in application.sends]
    notes = []
    if missing:
        notes.append(f"the application's own settings hold: it is told no {', '.join(missing)}")
    if application.variables:
        host = urlsplit(application.request.url).hostname
        notes.append(f"{', '.join(application.variables)} is sent to {host}")
    return tuple(notes)


def _address(url: str) -> str:
    return scrubbed(url.partition("?")[0])


def _without_system(messages: Messages, ask: Ask) -> tuple[str, Messages]:
    """The system prompt, all of it, and the turns."""
    parts = [ask.system] if ask.system is not None else []
    parts += [message.content for message in messages if message.role == "system"]
    return "\n\n".join(parts), tuple(m for m in messages if m.role != "system")


def _values(
    application: Application, system: str, shown: Messages, session: str | None, ask: Ask
) -> dict[str, Any]:
    """What each placeholder stands for."""
    listed = shown if ask.prefill is None else (*shown, Message("assistant", ask.prefill))
    if system and "system" not in application.sends:
        listed = (Message("system", system), *listed)
    words = application.messages
    messages = [
        {words.role: words.roles.get(message.role, message.role), words.content: message.content}
        for message in listed
    ]
    return {
        "prompt": shown[-1].content,
        "messages": messages,
        "history": messages[:-1],
        "system": system or None,
        "session": session,
        "id": str(uuid.uuid4()),
        "temperature": ask.temperature,
        "max_output_tokens": ask.max_output_tokens,
        "seed": None if ask.seed is None else ask.seed + ask.draw,
        "stop": list(ask.stop) or None,
        "draw": ask.draw,
    }


def _check_places(application: Application, system: str, shown: Messages, ask: Ask) -> None:
    sends = application.sends
    if system and not sends & {"system", "messages", "history"}:
        raise _no_place("a system prompt", '"{{system}}"')
    if len(shown) > 1 and not sends & {"messages", "history"}:
        raise _no_place("earlier turns", '"{{messages}}"')
    if ask.prefill is not None and "messages" not in sends:
        raise _no_place("the beginning of an answer", '"{{messages}}"')


def _no_place(what: str, placeholder: str = "") -> CallFailed:
    hint = f"put {placeholder} into it" if placeholder else ""
    return CallFailed(
        Reason.UNSUPPORTED, f"the application's request has no place for {what}", hint
    )


def _content(request: RequestKeys, values: Mapping[str, Any]) -> tuple[bytes | None, str]:
    if request.body is not None:
        return msgspec.json.encode(filled(request.body, values)), "application/json"
    if request.form is not None:
        told = {name: filled(str(value), values) for name, value in request.form.items()}
        pairs = {
            name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for name, value in told.items()
            if value is not None
        }
        return urlencode(pairs).encode(), "application/x-www-form-urlencoded"
    if request.text is not None:
        return filled_text(request.text, values).encode(), "text/plain; charset=utf-8"
    return None, ""


def _cookies(headers: Sequence[str]) -> dict[str, str]:
    jar: SimpleCookie = SimpleCookie()
    for header in headers:
        try:
            jar.load(header)
        except CookieError:
            continue
    return {name: morsel.value for name, morsel in jar.items()}
