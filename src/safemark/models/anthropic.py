"""Anthropic's Messages API: ``anthropic/NAME``.

The system text stands apart from the turns; thinking comes as blocks of its own. A ``refusal`` by
Anthropic's classifiers is a block by the provider, not an answer of the model.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import msgspec

from safemark.errors import CallFailed
from safemark.models._faults import Refused, finish, part_of
from safemark.models.http import Endpoint, HttpModel, usage_of
from safemark.types import Ask, Message, Messages, Reason, Reply

LIMIT_WITHOUT_ONE = 4096
"""``max_tokens`` must be sent; so much where the `Ask` has no limit."""

_THOUGHTS = ("thinking", "redacted_thinking")


class _Block(msgspec.Struct):
    type: str = ""
    text: str | None = None
    thinking: str | None = None


class _Message(msgspec.Struct):
    content: list[_Block]
    stop_reason: str | None = None
    model: str | None = None
    usage: Any = None


_message = msgspec.json.Decoder(_Message)


class Anthropic(HttpModel):
    """A model behind Anthropic's Messages API.

    ``effort`` is a word (adaptive thinking) or a number of tokens (thinking of a fixed budget,
    which is added to the token limit; the API wants no temperature then).
    """

    protocol = "anthropic"
    key_header = "x-api-key"
    fixed_headers: ClassVar[dict[str, str]] = {"anthropic-version": "2023-06-01"}
    settings: Mapping[str, str] = MappingProxyType(
        {
            "temperature": "temperature",
            "top_p": "top_p",
            "seed": "seed",
        }
    )
    address_hint = "is the address right, without `/v1`?"

    def __init__(self, model: str, endpoint: Endpoint, **more: Any) -> None:
        super().__init__(model, endpoint, **more)
        self._base_url = self._base_url.removesuffix("/v1")
        self._url = self.address("v1/messages")
        self._thinking, self._budget = _thinking(self._effort)
        if self._budget:
            self._refused = frozenset({"temperature"})
            self._note("temperature is left out: thinking of a fixed budget takes none")

    async def reply(self, messages: Messages, ask: Ask) -> Reply:
        try:
            return await super().reply(messages, ask)
        except Refused as failure:
            raise _of_prefill(failure) from failure

    def _body(self, messages: Messages, ask: Ask, refused: frozenset[str]) -> dict[str, Any]:
        system = [turn.content for turn in messages if turn.role == "system"]
        turns = [turn for turn in messages if turn.role != "system"]
        if ask.system is not None:
            system.insert(0, ask.system)
        if ask.prefill and not ask.prefill.isspace():
            # a begun answer that ends in white space is refused
            turns.append(Message("assistant", ask.prefill.rstrip()))
        limit = ask.max_output_tokens or LIMIT_WITHOUT_ONE
        body: dict[str, Any] = {
            "model": self._model,
            "max_tokens": limit + self._budget,
            "messages": turns,
        }
        if system:
            body["system"] = "\n\n".join(system)
        if ask.temperature is not None and "temperature" not in refused:
            body["temperature"] = ask.temperature
        if ask.top_p is not None and "top_p" not in refused:
            body["top_p"] = ask.top_p
        if ask.stop:
            body["stop_sequences"] = ask.stop
        if ask.seed is not None:
            self._note("the seed is left out: the API has none")
        return body | self._thinking | self._extra

    def _read(self, content: bytes, ask: Ask, refused: frozenset[str]) -> Reply:
        message = self._decoded(_message, content, "message")
        ended = finish(message.stop_reason)
        usage = message.usage
        thoughts = [block.thinking for block in message.content if block.type in _THOUGHTS]
        cached = part_of(usage, "cache_read_input_tokens")
        return Reply(
            text=_joined(block.text for block in message.content if block.type == "text"),
            finish=ended,
            thinking=_joined(thoughts) if thoughts else None,
            usage=usage_of(
                _sum(
                    part_of(usage, "input_tokens"),
                    cached,
                    part_of(usage, "cache_creation_input_tokens"),
                ),
                part_of(usage, "output_tokens"),
                cached,
            ),
            model=message.model,
            finish_reason=None if message.stop_reason == ended else message.stop_reason,
            left_out=self._left_out(ask, refused | {"seed"}),
        )


def _thinking(effort: str | None) -> tuple[dict[str, Any], int]:
    """What goes into the body for thinking, and the tokens set aside for it."""
    if effort is None:
        return {}, 0
    if effort.isdecimal():
        return {"thinking": {"type": "enabled", "budget_tokens": int(effort)}}, int(effort)
    return {"thinking": {"type": "adaptive"}, "output_config": {"effort": effort}}, 0


def _of_prefill(failure: Refused) -> CallFailed:
    """The same failure, or, where the model goes on from no begun answer, one that says so."""
    if failure.status == 400 and "prefill" in failure.said:
        hint = "ask in a way that begins no answer"
        return CallFailed(Reason.UNSUPPORTED, failure.problem, hint)
    return failure


def _joined(texts: Any) -> str:
    return "".join(text for text in texts if text)


def _sum(first: Any, *more: Any) -> Any:
    """All the input: Anthropic counts what is read from the cache or written to it apart."""
    if not isinstance(first, int):
        return None
    return first + sum(count for count in more if isinstance(count, int) and count > 0)
