"""Every other provider through Inspect's: ``inspect/bedrock/NAME``, ``inspect/vertex/NAME`` …

Needs the extra ``inspect`` and whatever package Inspect's provider needs. Only the provider itself
is called: Inspect's own retries, cache, limits and transcripts stay out, so that a failure is told
here and memory does not grow. What the provider's package tries again by itself is not seen.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from safemark.errors import CallFailed, UsageError
from safemark.models._faults import Finish, meaning
from safemark.models._model import Identity
from safemark.models.http import seed_of, thinking_of, usage_of, with_turns
from safemark.secrets import HIDDEN, is_secret_name, remember, scrubbed
from safemark.types import Ask, Messages, Reason, Reply, Usage

if TYPE_CHECKING:
    from inspect_ai.model import ModelOutput, ModelUsage

CONFIG = "config."
"""Options that go into Inspect's ``GenerateConfig``; any other is the provider's own argument."""

_FINISHES: dict[str, Finish] = {
    "stop": "stop",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "blocked",
}
_AS_ERRORS = ("model_length", "content_filter")
"""Ends that Inspect makes of HTTP errors; these have no usage."""


class InspectModel:
    """A model behind one of Inspect's providers.

    ``options`` are ``config.KEY`` for Inspect's ``GenerateConfig`` and arguments of the provider.
    """

    def __init__(
        self,
        model: str,
        *,
        timeout_s: float = 120.0,
        effort: str | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        given = {key: _value(key, value) for key, value in (options or {}).items()}
        self._options = given
        self._effort = effort
        self._timeout_s = timeout_s
        self._model = model
        self._config = {
            key.removeprefix(CONFIG): value
            for key, value in given.items()
            if key.startswith(CONFIG)
        }
        arguments = {key: value for key, value in given.items() if not key.startswith(CONFIG)}
        self._api = _opened(model, arguments)
        self.name = f"inspect/{model}"
        self.notes = (f"asked through Inspect {_version()}",)
        self.concurrency = max(1, self._api.max_connections())

    @property
    def identity(self) -> Identity:
        detail = {"inspect": self._model}
        if self._effort is not None:
            detail["effort"] = self._effort
        detail |= {
            key: HIDDEN if is_secret_name(key) else scrubbed(str(value))
            for key, value in sorted(self._options.items())
        }
        text = json.dumps(detail, sort_keys=True)
        return Identity(hashlib.sha256(text.encode()).hexdigest(), detail)

    async def close(self) -> None:
        await self._api.aclose()

    async def reply(self, messages: Messages, ask: Ask) -> Reply:
        turns = [_turn(turn.role, turn.content) for turn in with_turns(messages, ask)]
        try:
            async with asyncio.timeout(self._timeout_s):
                answered = await self._api.generate(turns, [], "none", self._asked(ask))
        except TimeoutError as error:
            why = f"no reply within {self._timeout_s:g} s"
            raise CallFailed(Reason.TIMEOUT, why) from error
        except Exception as error:
            raise self._failure(error) from error
        output = answered[0] if isinstance(answered, tuple) else answered
        if isinstance(output, Exception):
            raise self._failure(output) from output
        return self._read(output)

    def _asked(self, ask: Ask) -> Any:
        from inspect_ai.model import GenerateConfig

        effort: dict[str, Any] = {}
        if self._effort is not None:
            is_number = self._effort.isdecimal()
            name = "reasoning_tokens" if is_number else "reasoning_effort"
            effort = {name: int(self._effort) if is_number else self._effort}
        settings = {
            "temperature": ask.temperature,
            "max_tokens": ask.max_output_tokens or self._api.max_tokens(),
            "top_p": ask.top_p,
            "stop_seqs": list(ask.stop) or None,
            "seed": seed_of(ask),
            **effort,
            **self._config,
        }
        return GenerateConfig(**settings)

    def _read(self, output: "ModelOutput") -> Reply:
        if not output.choices:
            said = scrubbed(str(output.error or "the reply has no choices"))[:300]
            raise CallFailed(Reason.BAD_RESPONSE, said)
        word = output.stop_reason
        finish = _FINISHES.get(word, "other")
        if output.error is not None or (output.usage is None and word in _AS_ERRORS):
            # then the text is the provider's message, and no answer
            said = scrubbed(str(output.error or output.completion))[:300]
            reasons = {"length": Reason.CONTEXT_TOO_LONG, "blocked": Reason.BLOCKED}
            raise CallFailed(reasons.get(finish, Reason.BAD_RESPONSE), said)
        content = output.choices[0].message.content
        parts: list[Any] = [] if isinstance(content, str) else list(content)
        thoughts = [part for part in parts if part.type == "reasoning"]
        shown = "".join(_shown(part) for part in thoughts)
        usage = output.usage
        thinking_tokens = usage.reasoning_tokens if usage else None
        thinking = thinking_of(shown, thinking_tokens)
        return Reply(
            text=content
            if isinstance(content, str)
            else "".join(part.text for part in parts if part.type == "text"),
            finish=finish,
            thinking="" if thinking is None and thoughts else thinking,
            usage=_usage(usage),
            model=output.model or None,
            finish_reason=None if word == finish else word,
        )

    def _failure(self, error: Exception) -> CallFailed:
        """What a provider's exception means: by its HTTP status, or by what Inspect makes of it."""
        why = scrubbed(f"{type(error).__name__}: {error}")[:300]
        status = _status(error)
        decision = self._api.should_retry(error)
        retry_after_s = _seconds(getattr(decision, "retry_after", None))
        if self._api.is_auth_failure(error):
            reason = Reason.AUTHENTICATION
        elif status is not None:
            reason = meaning(status, scrubbed(str(error)))
        elif isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
            reason = Reason.TIMEOUT
        elif isinstance(error, OSError) or "Connection" in type(error).__name__:
            reason = Reason.TRANSPORT
        elif decision:
            is_limit = getattr(decision, "kind", "") == "rate_limit"
            reason = Reason.RATE_LIMITED if is_limit else Reason.SERVER_ERROR
        else:
            reason = Reason.BAD_RESPONSE
        failure = CallFailed(reason, why, retry_after_s=retry_after_s)
        failure.status = status
        return failure


def _usage(usage: "ModelUsage | None") -> Usage:
    """Inspect counts what is read from a cache, or written to it, apart."""
    if usage is None:
        return Usage()
    cached = usage.input_tokens_cache_read or 0
    tokens_in = usage.input_tokens + cached + (usage.input_tokens_cache_write or 0)
    return usage_of(tokens_in, usage.output_tokens, cached, usage.reasoning_tokens)


def _opened(model: str, arguments: Mapping[str, Any]) -> Any:
    """Inspect's provider of that model.

    Raises:
        UsageError: Inspect, the provider, its package or its key is not there.
    """
    try:
        from inspect_ai.model import get_model
    except ImportError as error:
        raise UsageError(
            f"inspect/{model} needs Inspect, which is not installed",
            "pip install 'safemark[inspect]'",
        ) from error
    try:
        return get_model(model, memoize=False, **arguments).api
    except Exception as error:
        # Inspect's own are meant for a console: the message may be marked up
        said = getattr(error, "message", None) or str(error)
        text = " ".join(scrubbed(_plain(str(said))).split())
        raise UsageError(
            f"Inspect does not open `{model}`: {text[:300]}",
            "https://inspect.aisi.org.uk/providers.html lists providers, packages and variables",
        ) from error


def _plain(text: str) -> str:
    """Without the marks of rich."""
    from rich.errors import MarkupError
    from rich.text import Text

    try:
        return Text.from_markup(text).plain
    except MarkupError:
        return text


def _version() -> str:
    from importlib.metadata import version

    return version("inspect-ai")


def _turn(role: str, text: str) -> Any:
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    if role == "system":
        return ChatMessageSystem(content=text)
    if role == "assistant":
        return ChatMessageAssistant(content=text)
    return ChatMessageUser(content=text)


def _value(key: str, value: str) -> Any:
    if is_secret_name(key):
        remember(value)
    try:
        return json.loads(value)
    except ValueError:
        return value


def _shown(part: Any) -> str:
    """The thinking that a part shows: a redacted one has a summary at most."""
    return str((part.summary or "") if part.redacted else part.reasoning)


def _status(error: BaseException) -> int | None:
    for name in ("status_code", "code"):
        value = getattr(error, name, None)
        if isinstance(value, int):
            return value
    return None


def _seconds(value: Any) -> float | None:
    return max(0.0, float(value)) if isinstance(value, int | float) else None
