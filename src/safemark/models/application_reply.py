"""Reading what an application sent back: where the answer stands, and whether it is one.

Where to look is said in the application's file; how it was asked is not known here.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from safemark.errors import CallFailed
from safemark.models._faults import believable, finish
from safemark.models.application_file import ReplyShape
from safemark.models.json_path import JsonPath, NotThere, kind
from safemark.secrets import scrubbed
from safemark.types import Reason, Reply, Usage


@dataclass(frozen=True, slots=True)
class Came:
    """What came back: status, headers, the cookies that were set, and the body."""

    status: int
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    body: bytes
    charset: str


def documents_in(shape: ReplyShape, came: Came) -> list[Any]:
    """What came back, read: one document, or one for each event or line."""
    if shape.form == "json":
        return [read_json(came.body)]
    text = _decoded(came)
    if shape.form == "text":
        if text.lstrip()[:14].lower().startswith(("<!doctype html", "<html")):
            raise CallFailed(Reason.BAD_RESPONSE, f"a web page came instead: {_begin(came.body)}")
        return [text]
    pieces = list(_pieces(shape, text))
    if shape.end is not None and shape.end not in pieces:
        raise CallFailed(Reason.BAD_RESPONSE, f"the stream broke off before `{shape.end}`")
    until = next((i for i, piece in enumerate(pieces) if piece in (shape.end, "[DONE]")), None)
    return [
        piece if shape.path is None else read_json(piece.encode())
        for piece in pieces[:until]
        if piece or shape.path is None
    ]


def _pieces(shape: ReplyShape, text: str) -> Iterator[str]:
    """The lines, or the data of the server-sent events that are wanted."""
    if shape.form == "lines":
        yield from (line for line in text.splitlines() if line.strip())
        return
    kind_of_event, data = "message", list[str]()
    for line in [*text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), ""]:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data and shape.event in (None, kind_of_event):
                yield "\n".join(data)
            kind_of_event, data = "message", []
        elif name == "data":
            data.append(value)
        elif name == "event":
            kind_of_event = value


def _decoded(came: Came) -> str:
    try:
        return came.body.decode(came.charset)
    except (UnicodeDecodeError, LookupError) as error:
        why = f"the reply is not {came.charset}: {_begin(came.body)}"
        raise CallFailed(Reason.BAD_RESPONSE, why) from error


def read_json(body: bytes) -> Any:
    """What a body of JSON holds. Raises `CallFailed` where it is none."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        why = f"the reply is no JSON ({error}): {_begin(body)}"
        raise CallFailed(Reason.BAD_RESPONSE, why) from error


def _begin(body: bytes) -> str:
    return scrubbed(body[:120].decode("utf-8", "backslashreplace")) or "nothing"


def reply_in(shape: ReplyShape, documents: Sequence[Any]) -> Reply:
    """The answer in what came back.

    Raises:
        CallFailed: the application reports an error, or nothing stands where the answer should.
    """
    if shape.error is not None and (error := _last(shape.error, documents)):
        said = error if isinstance(error, str) else json.dumps(error, ensure_ascii=False)
        raise CallFailed(Reason.SERVER_ERROR, scrubbed(f"the application reports: {said[:300]}"))
    is_blocked = shape.blocked is not None and any(map(shape.blocked.stands_in, documents))
    try:
        text = _answer(shape, documents)
    except NotThere as missing:
        if not is_blocked:
            raise CallFailed(
                Reason.BAD_RESPONSE,
                scrubbed(f"no answer at `{shape.path.text if shape.path else ''}`: {missing}"),
                "`safemark ask` tries the file out; `reply:` tells where the answer stands",
            ) from missing
        text = ""
    thinking, model = _last(shape.thinking, documents), _last(shape.model, documents)
    ending = _last(shape.finish, documents)
    told = finish(ending if isinstance(ending, str) else None)
    cost = _last(shape.cost_usd, documents)
    return Reply(
        text=text,
        finish="blocked" if is_blocked else told,
        thinking=thinking if isinstance(thinking, str) else None,
        usage=Usage(
            believable(_last(shape.input_tokens, documents)),
            believable(_last(shape.output_tokens, documents)),
            float(cost) if isinstance(cost, int | float) and 0 <= cost < 1e6 else None,
        ),
        model=model if isinstance(model, str) else None,
    )


def _answer(shape: ReplyShape, documents: Sequence[Any]) -> str:
    """The answer's text; of a stream, its pieces in a row.

    Raises:
        NotThere: none of the documents holds a text where the answer should stand.
    """
    if shape.path is None:
        return "".join(documents)
    found: list[str] = []
    missing = NotThere("nothing came at all")
    for document in documents:
        try:
            found.append(_words(shape.path.find(document)))
        except NotThere as error:
            missing = error
    if found:
        return "".join(found)
    refusal = _last(shape.refusal, documents)
    if isinstance(refusal, str):
        return refusal
    raise missing


def _words(value: Any) -> str:
    """A text, a number, or a list of them, as text.

    Raises:
        NotThere: it is anything else.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(map(_words, value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise NotThere(f"there stands {kind(value)}")


def _last(path: JsonPath | None, documents: Sequence[Any]) -> Any | None:
    """What stands at ``path`` in the last document that has it."""
    if path is None:
        return None
    told = (path.get(document) for document in reversed(documents))
    return next((value for value in told if value is not None), None)
