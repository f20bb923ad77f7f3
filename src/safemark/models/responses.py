"""OpenAI's Responses API: ``openai/NAME -M api=responses``.

Items instead of choices: messages with text and refusal parts, reasoning with summaries. Nothing
is kept by the server (``store`` is false).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from safemark.errors import CallFailed
from safemark.models._faults import Finish, finish, meaning, part_of
from safemark.models.http import Endpoint, HttpModel, thinking_of, usage_of
from safemark.secrets import scrubbed
from safemark.types import Ask, Message, Messages, Reason, Reply


class _Part(msgspec.Struct):
    type: str = ""
    text: str | None = None
    refusal: str | None = None


class _Item(msgspec.Struct):
    type: str = ""
    content: list[_Part] | None = None
    summary: list[_Part] | None = None


class _Response(msgspec.Struct):
    output: list[_Item]
    status: str | None = None
    model: str | None = None
    incomplete_details: Any = None
    error: Any = None
    usage: Any = None


_response = msgspec.json.Decoder(_Response)


class Responses(HttpModel):
    """A model behind a Responses API, its address given up to and including ``/v1``."""

    protocol = "responses"
    settings: Mapping[str, str] = MappingProxyType({"temperature": "temperature", "top_p": "top_p"})

    def __init__(self, model: str, endpoint: Endpoint, **more: Any) -> None:
        super().__init__(model, endpoint, **more)
        self._url = self.address("responses")
        self._note("seed and stop are left out: the Responses API has none")

    def _body(self, messages: Messages, ask: Ask, refused: frozenset[str]) -> dict[str, Any]:
        turns = messages
        if ask.prefill is not None:
            self._note(
                "begun answers are sent as finished turns: this API does not go on from them"
            )
            turns = (*messages, Message("assistant", ask.prefill))
        body: dict[str, Any] = {"model": self._model, "input": turns, "store": False}
        if ask.system is not None:
            body["instructions"] = ask.system
        if ask.max_output_tokens is not None:
            body["max_output_tokens"] = ask.max_output_tokens
        if ask.temperature is not None and "temperature" not in refused:
            body["temperature"] = ask.temperature
        if ask.top_p is not None and "top_p" not in refused:
            body["top_p"] = ask.top_p
        if self._effort is not None:
            body["reasoning"] = {"effort": self._effort, "summary": "auto"}
        return body | self._extra

    def _left_out(self, ask: Ask, refused: frozenset[str]) -> tuple[str, ...]:
        names = [name for name in ("seed", "stop") if getattr(ask, name) not in (None, ())]
        return tuple(sorted((*super()._left_out(ask, refused), *names)))

    def _read(self, content: bytes, ask: Ask, refused: frozenset[str]) -> Reply:
        response = self._decoded(_response, content, "response")
        if response.status in ("failed", "cancelled"):
            raise self._failed(response)
        parts = _parts(response, "message", "content")
        shown = _parts(response, "reasoning", "summary") + _parts(response, "reasoning", "content")
        ended, reason = _ended(response)
        usage = response.usage
        thinking_tokens = part_of(usage, "output_tokens_details", "reasoning_tokens")
        return Reply(
            text="".join(part.text or part.refusal or "" for part in parts),
            finish=ended,
            thinking=thinking_of("\n\n".join(part.text or "" for part in shown), thinking_tokens),
            usage=usage_of(
                part_of(usage, "input_tokens"),
                part_of(usage, "output_tokens"),
                part_of(usage, "input_tokens_details", "cached_tokens"),
                thinking_tokens,
            ),
            model=response.model,
            finish_reason=reason,
            left_out=self._left_out(ask, refused),
        )

    def _failed(self, response: _Response) -> CallFailed:
        code, message = part_of(response.error, "code"), part_of(response.error, "message")
        why = scrubbed(f"{code or response.status}: {message or 'no explanation'}")[:300]
        if code == "rate_limit_exceeded":
            return CallFailed(Reason.RATE_LIMITED, why)
        reason = meaning(400, why)
        return CallFailed(Reason.SERVER_ERROR if reason is Reason.BAD_REQUEST else reason, why)


def _parts(response: _Response, kind: str, name: str) -> list[_Part]:
    found: list[_Part] = []
    for item in response.output:
        if item.type == kind:
            found += getattr(item, name) or ()
    return found


def _ended(response: _Response) -> tuple[Finish, str | None]:
    """How the answer ended, and the server's word where it is another."""
    if response.status == "incomplete":
        reason = part_of(response.incomplete_details, "reason")
        word = reason if isinstance(reason, str) else "incomplete"
        return finish(word), word
    calls = {item.type for item in response.output} - {"message", "reasoning"}
    if calls and not _parts(response, "message", "content"):
        return "other", min(calls)
    return "stop", None
