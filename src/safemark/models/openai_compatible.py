"""Any server that speaks OpenAI's chat completions.

Knows how a conversation is sent and a reply is read, and what reasoning models do otherwise: a
token limit of another name, settings that they refuse, thinking kept apart from the answer. The
wire itself is in `http`.
"""

from types import MappingProxyType
from typing import Any

import msgspec

from safemark.errors import CallFailed
from safemark.models import _thinking
from safemark.models._faults import finish, part_of
from safemark.models.http import Endpoint, HttpModel, seed_of, thinking_of, usage_of, with_turns
from safemark.models.providers import COMPLETION_TOKENS, Dialect
from safemark.types import Ask, Messages, Reason, Reply

_THINKING_COUNTS = "thinking counts towards the token limit (max_completion_tokens)"
_BEGUN = "begun answers are sent as finished turns: this provider does not go on from them"
_OPENED = (
    "the chat template opens the thinking: with `-M thinking=opened` replies cut off while thinking"
    " are told apart"
)
_SETTINGS = {
    "max_tokens": "max_output_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "stop": "stop",
}


class _Text(msgspec.Struct):
    content: str | list[dict[str, Any]] | None = None
    refusal: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None


class _Choice(msgspec.Struct):
    message: _Text
    finish_reason: str | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    model: str | None = None
    system_fingerprint: str | None = None
    usage: Any = None


_completion = msgspec.json.Decoder(_Completion)


class OpenAICompatible(HttpModel):
    """A chat model behind an OpenAI-compatible address, given up to and including ``/v1``.

    ``is_thinking_opened`` says that the chat template begins the thinking, so that a reply without
    the closing mark is thinking and no answer.
    """

    def __init__(
        self,
        model: str,
        endpoint: Endpoint,
        *,
        dialect: Dialect | None = None,
        is_thinking_opened: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(model, endpoint, **more)
        self._url = self.address("chat/completions")
        self._dialect = dialect or Dialect()
        self._is_thinking_opened = is_thinking_opened
        self.settings = MappingProxyType({**_SETTINGS, self._dialect.seed: "seed"})
        if self._dialect.max_tokens == COMPLETION_TOKENS:
            self._note(_THINKING_COUNTS)

    def _more_identity(self) -> dict[str, str]:
        return {"thinking": "opened"} if self._is_thinking_opened else {}

    def _refusal_note(self, name: str) -> str:
        return _THINKING_COUNTS if name == "max_tokens" else super()._refusal_note(name)

    def _body(self, messages: Messages, ask: Ask, refused: frozenset[str]) -> dict[str, Any]:
        turns = with_turns(messages, ask)
        body: dict[str, Any] = {"model": self._model, "messages": turns}
        if ask.temperature is not None:
            body["temperature"] = ask.temperature
        if ask.max_output_tokens is not None:
            body[self._dialect.max_tokens] = ask.max_output_tokens
        if ask.top_p is not None:
            body["top_p"] = ask.top_p
        if ask.stop:
            body["stop"] = ask.stop
        if ask.seed is not None:
            body[self._dialect.seed] = seed_of(ask)
        if self._effort is not None:
            body["reasoning_effort"] = self._effort
        for name in refused:
            value = body.pop(name, None)
            if name == "max_tokens" and value is not None:
                body[COMPLETION_TOKENS] = value
        if ask.prefill is not None:
            body |= self._begun(turns)
        return {**body, **self._extra} if self._extra else body

    def _begun(self, turns: Messages) -> dict[str, Any]:
        """What makes the server go on from the last turn instead of answering it."""
        dialect = self._dialect
        if not dialect.goes_on:
            self._note(_BEGUN)
        if dialect.begun_flag is None:
            return dict(dialect.begun)
        last: dict[str, Any] = {**msgspec.structs.asdict(turns[-1]), dialect.begun_flag: True}
        return {**dialect.begun, "messages": [*turns[:-1], last]}

    def _left_out(self, ask: Ask, refused: frozenset[str]) -> tuple[str, ...]:
        return super()._left_out(ask, refused - {"max_tokens"})

    def _read(self, content: bytes, ask: Ask, refused: frozenset[str]) -> Reply:
        completion = self._decoded(_completion, content, "chat completion")
        if not completion.choices:
            raise CallFailed(Reason.BAD_RESPONSE, "the reply has no choices")
        choice = completion.choices[0]
        text, thinking = self._apart(choice.message)
        ended = finish(choice.finish_reason)
        usage = completion.usage
        thinking_tokens = part_of(usage, "completion_tokens_details", "reasoning_tokens")
        return Reply(
            text=text,
            finish=ended,
            thinking=thinking_of(thinking, thinking_tokens),
            usage=usage_of(
                part_of(usage, "prompt_tokens"),
                part_of(usage, "completion_tokens"),
                part_of(usage, "prompt_tokens_details", "cached_tokens"),
                thinking_tokens,
            ),
            model=completion.model,
            fingerprint=completion.system_fingerprint,
            finish_reason=None if choice.finish_reason == ended else choice.finish_reason,
            left_out=self._left_out(ask, refused) if refused else (),
        )

    def _apart(self, message: _Text) -> tuple[str, str | None]:
        """Answer and thinking, which servers give as a field of its own, as parts, or as text."""
        text, thinking = _words(message)
        if thinking is None and (self._is_thinking_opened or _may_think(text)):
            answer, thinking = _thinking.apart(text, self._is_thinking_opened)
            if thinking is not None and not self._is_thinking_opened and text.startswith(thinking):
                self._note(_OPENED)
            return answer, thinking
        return text, thinking


def _may_think(text: str) -> bool:
    return "hink>" in text or "THINK]" in text or "hink▷" in text


def _words(message: _Text) -> tuple[str, str | None]:
    """Answer and thinking as far as they come in fields of their own."""
    told = (message.reasoning_content, message.reasoning)
    thinking = next((text for text in told if isinstance(text, str) and text), None)
    if isinstance(message.content, list):
        parts = message.content
        thinking = _joined(parts, "thinking") or thinking
        return _joined(parts, "text"), thinking
    return message.content or message.refusal or "", thinking


def _joined(parts: Any, name: str) -> str:
    """The texts under ``name``, those inside parts inside parts too."""
    texts = (part.get(name) for part in parts if isinstance(part, dict))
    return "".join(
        _joined(text, "text") if isinstance(text, list) else text
        for text in texts
        if isinstance(text, str | list)
    )
