"""What attacks over several turns share: the target's conversation, helpers' words, and their cost.

A conversation's attempts are its prefixes: each holds all that was sent up to its reply. What a
helper does wrong is a failure of the attacker, kept apart from attempts.
"""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from safemark.attacks._attack import asked_once, ends_all
from safemark.errors import CallFailed
from safemark.models._model import Model
from safemark.scorers._refusal_rules import Verdict, refusal_verdict
from safemark.types import Ask, Attempt, Message, Messages, Sample, Spent, Transcript

HELPING = Ask(temperature=1.0, top_p=0.9, max_output_tokens=1024)
"""How a model that writes attempts is asked."""

RATING = Ask(temperature=0.0, max_output_tokens=512)
"""How a model that rates them is asked."""


@dataclass(slots=True)
class Conversation:
    """One conversation with the target, under attack: attempts made, failures, what it took.

    ``turns`` are those that the next message goes after; a refused one can be taken back.
    """

    model: Model
    ask: Ask
    turns: list[Message]
    attempts: list[Attempt] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _spent: Spent = field(default_factory=Spent)
    _draw: int = 0

    @classmethod
    def of(cls, sample: Sample, model: Model, ask: Ask) -> "Conversation":
        """Begun with what the sample says before its last turn."""
        before = list(sample.messages)
        while before and before[-1].role == "assistant":
            before.pop()
        return cls(model, ask, before[:-1])

    @property
    def transcript(self) -> Transcript:
        """All that was tried."""
        return Transcript(tuple(self.attempts), tuple(self.failures))

    async def say(self, text: str) -> str | None:
        """The target's reply to a message; None where none came. The turns are kept.

        Raises:
            CallFailed: asking on is of no use.
        """
        sent = (*self.turns, Message("user", text))
        ask = msgspec.structs.replace(self.ask, draw=self.ask.draw * 1000 + self._draw)
        self._draw += 1
        attempt = await asked_once(self.model, sent, ask)
        self.attempts.append(msgspec.structs.replace(attempt, spent=self._spent))
        self._spent = Spent()
        if attempt.reply is None or not attempt.reply.text.strip():
            return None
        self.turns += [Message("user", text), Message("assistant", attempt.reply.text)]
        return attempt.reply.text

    def take_back(self) -> None:
        """Forget the last exchange: the target refused it."""
        del self.turns[-2:]

    async def ask_helper(self, helper: Model, messages: Messages, ask: Ask) -> str | None:
        """A helper's word, None (and a failure noted) where it gives none; what it took is kept.

        Raises:
            CallFailed: asking it on is of no use.
        """
        began = time.perf_counter()
        try:
            reply = await helper.reply(messages, ask)
        except CallFailed as failure:
            if ends_all(failure):
                raise
            self.took(1, 0, time.perf_counter() - began)
            self.failures.append(f"{helper.name}: {failure.problem}")
            return None
        usage = reply.usage
        known = None not in (usage.input_tokens, usage.output_tokens)
        tokens = (usage.input_tokens or 0) + (usage.output_tokens or 0) if known else None
        self.took(1, tokens, time.perf_counter() - began)
        if reply.finish == "blocked" or not reply.text.strip():
            self.failures.append(f"{helper.name}: said nothing")
            return None
        return reply.text

    def took(self, calls: int, tokens: int | None, seconds: float) -> None:
        """Count what was spent on the next attempt; ``tokens`` None is not known."""
        spent = self._spent
        both = None if tokens is None or spent.tokens is None else spent.tokens + tokens
        self._spent = Spent(spent.calls + calls, both, round(spent.seconds + seconds, 6))

    def charge_last(self) -> None:
        """Count what was spent since the last attempt to that attempt: it was rated, not made."""
        if self.attempts and self._spent != Spent():
            last, spent = self.attempts[-1], self._spent
            both = msgspec.structs.replace(
                last.spent,
                calls=last.spent.calls + spent.calls,
                tokens=None
                if last.spent.tokens is None or spent.tokens is None
                else last.spent.tokens + spent.tokens,
                seconds=last.spent.seconds + spent.seconds,
            )
            self.attempts[-1] = msgspec.structs.replace(last, spent=both)
            self._spent = Spent()


def refuses(text: str) -> bool:
    """Whether a reply refuses, by rules; what they cannot tell is no refusal."""
    return refusal_verdict(text)[0] is Verdict.refusal


def helper_name(model: Model) -> str:
    """A helper as records call it."""
    return f"{model.name} {model.identity.digest[:12]}"


_OBJECT = re.compile(r"\{.*\}", re.DOTALL)
_TRAILING_COMMA = re.compile(r",\s*([}\]])")


def json_in(text: str, *keys: str) -> Mapping[str, Any] | None:
    """The JSON object in a helper's words, read leniently; None without all of ``keys``.

    Words around it, a code fence, line breaks inside strings and a comma too many are forgiven.

    >>> json_in('Sure! ```{"prompt": "go", }```', "prompt")
    {'prompt': 'go'}
    """
    match = _OBJECT.search(text)
    if match is None:
        return None
    try:
        found = json.loads(_TRAILING_COMMA.sub(r"\1", match[0]), strict=False)
    except ValueError:
        return None
    if not isinstance(found, dict) or any(not isinstance(found.get(key), str) for key in keys):
        return None
    return found
