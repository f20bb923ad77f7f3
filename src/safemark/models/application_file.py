"""The file that says how an application is asked: read, checked and named wherever it is wrong.

    url: https://support.example/chat
    headers: {Authorization: "Bearer ${SUPPORT_BOT_KEY}"}
    body: {question: "{{prompt}}", user: "{{session}}"}
    reply: {path: answer.text}

`docs/applications.md` tells every key. Nothing is sent from here.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from safemark.errors import UnknownName, UsageError
from safemark.files import text_in, yaml_of
from safemark.models.application_keys import (
    ApplicationKeys,
    MessageKeys,
    ReplyKeys,
    RequestKeys,
    SessionKeys,
)
from safemark.models.json_path import JsonPath, NotThere, json_path
from safemark.models.request_template import placeholders
from safemark.secrets import HIDDEN, is_secret_name, remember, scrubbed

Read = TypeVar("Read")

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_BARE_PLACEHOLDER = re.compile(r"(?m)[:\[,]\s*\{\{\s*\w+\s*\}\}")
_LOGIN = re.compile(r"//[^/?#]*@")
_IN_ADDRESS = frozenset({"session", "id"})
_SECRET_HEADERS = ("cookie", "authorization")


@dataclass(frozen=True, slots=True)
class Blocked:
    """The sign of a filter's block: one of ``values``, or anything that is not nothing."""

    path: JsonPath
    values: tuple[Any, ...] | None

    def stands_in(self, document: Any) -> bool:
        """Whether ``document`` says that the answer was blocked."""
        found = self.path.get(document)
        if self.values is None:
            return bool(found)
        # True == 1 in Python, and not in JSON
        return any(found == value and type(found) is type(value) for value in self.values)


@dataclass(frozen=True, slots=True)
class ReplyShape:
    """Where the answer stands, with the paths read."""

    form: Literal["json", "text", "events", "lines"]
    path: JsonPath | None
    event: str | None
    end: str | None
    refusal: JsonPath | None
    thinking: JsonPath | None
    finish: JsonPath | None
    model: JsonPath | None
    error: JsonPath | None
    blocked: Blocked | None
    input_tokens: JsonPath | None
    output_tokens: JsonPath | None
    cost_usd: JsonPath | None


@dataclass(frozen=True, slots=True)
class SessionShape:
    """Where a session's name is found: ``generated``, or in a reply at ``where``."""

    source: Literal["generated", "path", "header", "cookie"]
    where: str
    start: RequestKeys | None

    def named_in(
        self, document: Any, headers: Mapping[str, str], cookies: Mapping[str, str]
    ) -> str:
        """The session's name as a reply tells it.

        Raises:
            NotThere: it does not.
        """
        if self.source == "path":
            found = json_path(self.where).find(document)
            if not isinstance(found, str | int) or isinstance(found, bool):
                raise NotThere(f"`{self.where}` holds no name")
            return str(found)
        told = headers if self.source == "header" else cookies
        if self.where not in told:
            raise NotThere(f"there is no {self.source} `{self.where}`")
        return told[self.where]


@dataclass(frozen=True, slots=True)
class Application:
    """A checked file. ``request`` still holds its variables: their values are nowhere but sent.

    ``keeps_history`` says that the application remembers a session's earlier turns, ``sends`` what
    has a place in the request.
    """

    name: str
    version: str | None
    request: RequestKeys
    reply: ReplyShape
    session: SessionShape | None
    keeps_history: bool
    sends: frozenset[str]
    messages: MessageKeys
    success: frozenset[int]
    blocked_status: frozenset[int]
    timeout_s: float
    retries: int
    concurrency: int
    variables: tuple[str, ...]
    digest: str


def application_file(spec: str) -> Application:
    """The application of a file, or of a block in one: ``FILE`` or ``FILE#model``.

    Raises:
        UsageError: the file cannot be read, or a key, placeholder, path or variable is wrong.
    """
    path, where = _file_and_place(spec)
    given = read_yaml(path, "the application")
    if where is not None:
        try:
            given = json_path(where).find(given)
        except NotThere as error:
            raise UsageError(f"{path} has no application at `{where}` ({error})") from error
    if not isinstance(given, dict):
        hint = "it holds `url:`, `body:` and `reply:`"
        raise UsageError(f"the application {path.name} is no mapping", hint)
    return application(given, path.name, path.stem)


def read_yaml(path: Path, what: str) -> Any:
    """A YAML file's content; only plain values, no tags.

    Raises:
        UsageError: it cannot be read, or is no YAML.
    """
    text = text_in(path, what)
    is_bare = _BARE_PLACEHOLDER.search(text) is not None
    hint = 'placeholders stand in quotes: "{{prompt}}"' if is_bare else ""
    return yaml_of(text, f"{what} {path}", hint)


def application(given: Mapping[str, Any], file: str, name: str) -> Application:
    """The application that a mapping describes; ``file`` is said in errors.

    Raises:
        UsageError: a key, placeholder, path or variable is wrong.
    """
    plain = {str(key): value for key, value in given.items()}
    _only_known(plain, {*_names(ApplicationKeys), *_names(RequestKeys)}, file)
    own = {key: plain[key] for key in _names(ApplicationKeys) if key in plain}
    keys = _read(own, ApplicationKeys, file)
    request = _request({key: plain[key] for key in _names(RequestKeys) if key in plain}, file)
    session = _session(keys.session, file)
    sends = _checked_placeholders(request, session, file)
    keeps_history = _keeps_history(keys.history, session, sends, file)
    _check_numbers(keys, file)
    requests = (request, session.start) if session and session.start else (request,)
    for one in requests:
        remember_secrets(one)
    return Application(
        name=keys.name or name,
        version=keys.version,
        request=request,
        reply=_reply(keys.reply, file),
        session=session,
        keeps_history=keeps_history,
        sends=sends,
        messages=keys.messages,
        success=frozenset(keys.success or range(200, 300)),
        blocked_status=frozenset(keys.blocked_status),
        timeout_s=keys.timeout_s,
        retries=keys.retries,
        concurrency=keys.concurrency,
        variables=tuple(sorted({name for one in requests for name in variables(one)})),
        digest=_digest(keys, requests),
    )


def variables(request: RequestKeys) -> list[str]:
    """The environment variables that a request names."""
    texts = [*request.headers.values(), *map(str, request.query.values()), request.url]
    return [name for text in texts for name in _VARIABLE.findall(text)]


def with_variables(text: str, environment: Mapping[str, str], *, is_header: bool = False) -> str:
    """``text`` with ``${NAME}`` replaced; each value is remembered as a secret.

    Raises:
        UsageError: a variable is not set, or cannot stand in a header.
    """

    def value(match: "re.Match[str]") -> str:
        name = match[1]
        found = environment.get(name, "").strip()
        if not found:
            raise UsageError(f"{name} is not set", f"export {name}=…")
        if is_header and re.search(r"[\x00-\x1f\x7f]", found):
            raise UsageError(f"{name} holds a line break or a control character")
        remember(found)
        return found

    return _VARIABLE.sub(value, text)


def remember_secrets(request: RequestKeys) -> None:
    """Hide what stands in the file where secrets stand: such headers, query values, a login."""
    for name, text in request.headers.items():
        if _is_secret_header(name):
            remember(text)
            remember(text.rpartition(" ")[2])
    for name, told in (*request.query.items(), *parse_qsl(urlsplit(request.url).query)):
        if is_secret_name(name):
            remember(str(told))
    password = urlsplit(request.url).password
    remember(password)
    remember(unquote(password or ""))


def _worded(request: RequestKeys) -> dict[str, Any]:
    """A request as the file words it, without the secrets in it: variables by their names."""
    worded: dict[str, Any] = msgspec.to_builtins(request)
    worded["url"] = _LOGIN.sub("//", request.url, count=1)
    for part in ("headers", "query"):
        worded[part] = {
            name: HIDDEN if _is_secret_header(name) and not _VARIABLE.search(str(text)) else text
            for name, text in getattr(request, part).items()
        }
    return worded


def _is_secret_header(name: str) -> bool:
    return is_secret_name(name) or name.lower().endswith(_SECRET_HEADERS)


def _digest(keys: ApplicationKeys, requests: Sequence[RequestKeys]) -> str:
    """Over everything in the file that can change an answer; over no secret."""
    decisive = {name: getattr(keys, name) for name in ("reply", "history", "messages", "version")}
    decisive["session"] = keys.session and keys.session.source
    decisive["requests"] = [_worded(request) for request in requests]
    return hashlib.sha256(msgspec.json.encode(decisive, order="deterministic")).hexdigest()


def _file_and_place(spec: str) -> tuple[Path, str | None]:
    if not spec:
        raise UsageError("`http:` names no file", "for example http:chatbot.yaml")
    path = Path(spec)
    file, sign, where = spec.rpartition("#")
    if sign and not path.exists():
        return Path(file), where
    return path, None


def _names(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return kind.__struct_encode_fields__


def _only_known(given: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in map(str, given):
        if key not in known:
            raise UnknownName(f"key in {where}", key, sorted(known))


def _read(given: Mapping[str, Any], kind: type[Read], where: str) -> Read:
    """``given`` as ``kind``, with unknown keys and wrong types named.

    Raises:
        UsageError: it does not fit.
    """
    _check_keys(given, kind, where)
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: {error}", "docs/applications.md tells every key") from error


def _check_keys(given: Mapping[str, Any], kind: Any, where: str) -> None:
    _only_known(given, set(_names(kind)), where)
    for field in msgspec.structs.fields(kind):
        inner = given.get(field.encode_name)
        if isinstance(inner, dict):
            for part in _struct_types(field.type):
                _check_keys(inner, part, f"`{field.encode_name}` in {where}")


def _struct_types(kind: Any) -> list[type[msgspec.Struct]]:
    options = getattr(kind, "__args__", (kind,))
    return [
        option
        for option in options
        if isinstance(option, type) and issubclass(option, msgspec.Struct)
    ]


def _request(given: dict[str, Any], where: str) -> RequestKeys:
    _check_keys(given, RequestKeys, where)
    if "url" not in given:
        raise UsageError(f"{where} names no `url`", "for example url: https://my.app/chat")
    request = _read(given, RequestKeys, where)
    if "{{" in _authority(request.url) or "${" in _authority(request.url):
        raise UsageError(f"the host in {where} must stand there as it is", "write the address out")
    if "${" in urlsplit(request.url).path:
        hint = "put it into `query:` or a header"
        raise UsageError(f"{where}: a variable may not stand in the address's path", hint)
    try:
        parts = urlsplit(request.url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        is_address = False
    if not is_address:
        hint = "for example https://my.app/chat"
        raise UsageError(f"{where}: `{scrubbed(request.url)}` is not an http address", hint)
    if sum(part is not None for part in (request.body, request.form, request.text)) > 1:
        raise UsageError(
            f"{where} has more than one of `body`, `form` and `text`", "keep the one that is sent"
        )
    if not re.fullmatch(r"[A-Za-z]+", request.method):
        raise UsageError(f"{where}: `{request.method}` is no method", "for example method: POST")
    try:
        content = msgspec.json.encode([request.body, request.form, request.text]).decode()
    except (RecursionError, TypeError) as error:
        raise UsageError(f"{where}: the body is nothing that JSON can hold") from error
    named = _VARIABLE.search(content)
    if named:
        raise UsageError(
            f"{where}: {named[0]} stands in the body; variables are read in headers and query only",
            "give the secret in a header",
        )
    return request


def _authority(url: str) -> str:
    return re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]


def _session(keys: SessionKeys | None, file: str) -> SessionShape | None:
    if keys is None:
        return None
    start = None
    if keys.start is not None:
        start = _request(keys.start, f"`session.start` in {file}")
    if keys.source == "generated":
        return SessionShape("generated", "", start)
    kind, sign, name = keys.source.partition(":")
    if sign and kind in ("header", "cookie"):
        return SessionShape("header" if kind == "header" else "cookie", name.strip(), start)
    json_path(keys.source)
    return SessionShape("path", keys.source, start)


def _checked_placeholders(
    request: RequestKeys, session: SessionShape | None, where: str
) -> frozenset[str]:
    path, _, query = request.url.partition("?")
    for text, place in ((path, "address"), (list(request.headers.values()), "headers")):
        outside = placeholders(text) - _IN_ADDRESS
        if outside:
            raise UsageError(
                f"{where}: `{{{{{min(outside)}}}}}` cannot stand in the {place}",
                "only {{session}} and {{id}} can; a prompt goes into body, form, text or query",
            )
    if "{{" in query:
        raise UsageError(f"{where}: a placeholder stands in the address", "put it into `query:`")
    content = [request.body, request.form, request.text, request.query]
    sends = placeholders(content)
    if not sends & {"prompt", "messages"}:
        raise UsageError(
            f"{where}: the request holds no question", 'put "{{prompt}}" or "{{messages}}" into it'
        )
    if session is not None and session.start is not None:
        asked = placeholders([session.start.body, session.start.form, session.start.query])
        if asked & {"prompt", "messages", "history"}:
            raise UsageError(f"{where}: `session.start` is sent before anything is asked")
    return sends | placeholders([path, list(request.headers.values())])


def _keeps_history(
    told: str | None, session: SessionShape | None, sends: frozenset[str], where: str
) -> bool:
    if told == "sent":
        if not sends & {"messages", "history"}:
            raise UsageError(
                f"{where}: `history: sent`, and earlier turns have no place in the request",
                'put "{{messages}}", or "{{history}}" beside "{{prompt}}", into it',
            )
        return False
    if session is None:
        if told == "kept" or "session" in sends:
            hint = "for example session: {from: generated}"
            raise UsageError(f"{where} does not say where {{{{session}}}} comes from", hint)
        return False
    if session.source != "cookie" and "session" not in sends:
        raise UsageError(f"{where}: the session's name has no place", 'put "{{session}}" into it')
    return told == "kept" or not sends & {"messages", "history"}


def _check_numbers(keys: ApplicationKeys, where: str) -> None:
    if not 0 < keys.timeout_s < 86_400 or keys.retries < 0 or keys.concurrency < 1:
        raise UsageError(
            f"{where}: timeout_s, retries or concurrency is out of range",
            "timeout_s: 120, retries: 4, concurrency: 8 is what holds without them",
        )


def _reply(keys: ReplyKeys, where: str) -> ReplyShape:
    if keys.form == "json" and keys.path is None:
        raise UsageError(
            f"{where} does not say where the answer stands",
            "for example reply: {path: choices[0].message.content}, or reply: {as: text}",
        )
    if keys.form == "text" and keys.path is not None:
        raise UsageError(f"{where}: a text has no path", "leave `path` away, or `as: text`")
    blocked = None
    if isinstance(keys.blocked, str):
        blocked = Blocked(json_path(keys.blocked), None)
    elif keys.blocked is not None:
        blocked = Blocked(json_path(keys.blocked.path), tuple(keys.blocked.values))
    return ReplyShape(
        form=keys.form,
        event=keys.event,
        end=keys.end,
        blocked=blocked,
        path=_path(keys.path),
        refusal=_path(keys.refusal),
        thinking=_path(keys.thinking),
        finish=_path(keys.finish),
        model=_path(keys.model),
        error=_path(keys.error),
        input_tokens=_path(keys.usage.input_tokens),
        output_tokens=_path(keys.usage.output_tokens),
        cost_usd=_path(keys.usage.cost_usd),
    )


def _path(text: str | None) -> JsonPath | None:
    return None if text is None else json_path(text)
