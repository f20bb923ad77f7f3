"""Google's Gemini API, ``generateContent``: ``google/NAME``.

A prompt or an answer that Google's filters hold back is ``blocked``; parts marked as thought are
the thinking. The key goes into a header, never into the address.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from safemark.models._faults import Finish, part_of
from safemark.models.http import Endpoint, HttpModel, seed_of, thinking_of, usage_of
from safemark.types import Ask, Messages, Reply

_BLOCKED = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "MODEL_ARMOR",
    }
)
_FINISHES: dict[str | None, Finish] = {None: "stop", "STOP": "stop", "MAX_TOKENS": "length"}


class _Part(msgspec.Struct):
    text: str | None = None
    thought: bool = False


class _Content(msgspec.Struct):
    parts: list[_Part] = []


class _Candidate(msgspec.Struct, rename="camel"):
    content: _Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None


class _Feedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None
    block_reason_message: str | None = None


class _Response(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] = []
    prompt_feedback: _Feedback | None = None
    model_version: str | None = None
    usage_metadata: Any = None


_response = msgspec.json.Decoder(_Response)


class Google(HttpModel):
    """A model behind Google's ``generateContent``.

    ``effort`` is a word (``thinkingLevel``) or a number of tokens (``thinkingBudget``).
    """

    protocol = "google"
    key_header = "x-goog-api-key"
    settings: Mapping[str, str] = MappingProxyType(
        {
            "temperature": "temperature",
            "topP": "top_p",
            "stopSequences": "stop",
            "seed": "seed",
        }
    )
    address_hint = "is the address right, up to `/v1beta`?"

    def __init__(self, model: str, endpoint: Endpoint, **more: Any) -> None:
        super().__init__(model, endpoint, **more)
        path = model if "/" in model else f"models/{model}"
        self._url = self.address(f"{path}:generateContent")

    def _settings_in(self, body: dict[str, Any]) -> dict[str, Any]:
        settings: dict[str, Any] = body.get("generationConfig", {})
        return settings

    def _body(self, messages: Messages, ask: Ask, refused: frozenset[str]) -> dict[str, Any]:
        system = [turn.content for turn in messages if turn.role == "system"]
        if ask.system is not None:
            system.insert(0, ask.system)
        contents = [
            {"role": _role(turn.role), "parts": [{"text": turn.content}]}
            for turn in messages
            if turn.role != "system"
        ]
        if ask.prefill is not None:
            contents.append({"role": "model", "parts": [{"text": ask.prefill}]})
        body: dict[str, Any] = {"contents": contents}
        if system:
            body["systemInstruction"] = {"parts": [{"text": text} for text in system]}
        settings = {
            "maxOutputTokens": ask.max_output_tokens,
            "temperature": ask.temperature,
            "topP": ask.top_p,
            "stopSequences": ask.stop or None,
            "seed": seed_of(ask),
            "thinkingConfig": _thinking(self._effort),
        }
        given = {
            name: value
            for name, value in settings.items()
            if value is not None and name not in refused
        }
        if given:
            body["generationConfig"] = given
        return _merged(body, self._extra)

    def _read(self, content: bytes, ask: Ask, refused: frozenset[str]) -> Reply:
        response = self._decoded(_response, content, "generateContent response")
        found = _ended(response)
        if found is None:
            raise self._other_than("generateContent response", "no candidates", content)
        parts, reason, ended = found
        usage = response.usage_metadata
        thinking_tokens = part_of(usage, "thoughtsTokenCount")
        return Reply(
            text="".join(part.text or "" for part in parts if not part.thought),
            finish=ended,
            thinking=thinking_of(
                "".join(part.text or "" for part in parts if part.thought), thinking_tokens
            ),
            usage=usage_of(
                part_of(usage, "promptTokenCount"),
                _sum(part_of(usage, "candidatesTokenCount"), thinking_tokens),
                part_of(usage, "cachedContentTokenCount"),
                thinking_tokens,
            ),
            model=response.model_version,
            finish_reason=None if reason == "STOP" else reason,
            left_out=self._left_out(ask, refused) if refused else (),
        )


def _ended(response: _Response) -> tuple[list[_Part], str | None, Finish] | None:
    """What was answered, the server's word for the end, and what it means.

    None where there is neither an answer nor a block.
    """
    if response.candidates:
        candidate = response.candidates[0]
        reason = candidate.finish_reason
        parts = candidate.content.parts if candidate.content else []
        return parts, reason, "blocked" if reason in _BLOCKED else _FINISHES.get(reason, "other")
    feedback = response.prompt_feedback
    if feedback is None or feedback.block_reason is None:
        return None
    return [], f"prompt: {feedback.block_reason}", "blocked"


def _role(role: str) -> str:
    return "model" if role == "assistant" else "user"


def _thinking(effort: str | None) -> dict[str, Any] | None:
    if effort is None:
        return None
    amount = {"thinkingBudget": int(effort)} if effort.isdecimal() else {"thinkingLevel": effort}
    return {"includeThoughts": True, **amount}


def _merged(body: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    """``extra`` over ``body``; ``generationConfig`` key by key."""
    if not extra:
        return body
    both = {**body, **extra}
    inside = extra.get("generationConfig")
    if isinstance(inside, dict):
        both["generationConfig"] = {**body.get("generationConfig", {}), **inside}
    return both


def _sum(answer: Any, thinking: Any) -> Any:
    """All the output: Google counts the thinking apart, and no answer as no account at all."""
    if not isinstance(thinking, int):
        return answer
    return thinking + (answer if isinstance(answer, int) else 0)
