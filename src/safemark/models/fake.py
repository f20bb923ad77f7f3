"""Models that answer by rule: for tests, for trying things out, and as scripted extremes.

`Fake` takes the rule as a function. The named ones (``fake/refuse``, ``fake/always-a`` …) are
models whose scores are known beforehand, so that an instrument can be checked against them.
"""

import hashlib
import random
from collections.abc import Awaitable, Callable, Sequence

from safemark.errors import CallFailed, UnknownName
from safemark.models._model import Identity
from safemark.types import Ask, Likelihood, Message, Messages, Reply, Usage

Answer = Callable[[Messages, Ask], str | Reply | CallFailed]
Preference = Callable[[str, str], float]


class Fake:
    """Answers with what ``answer`` gives and keeps what it was asked in ``asked``.

    ``prefer(context, continuation)`` gives a log-likelihood; without it the model has no
    likelihoods, as most APIs do not.
    """

    concurrency = 32

    def __init__(
        self, answer: Answer | str = "ok", prefer: Preference | None = None, name: str = "fake"
    ) -> None:
        self.name = name
        self.notes: tuple[str, ...] = ("answers by rule; no model is behind it",)
        self.asked: list[Messages] = []
        self._answer = answer
        if prefer is not None:
            self.loglikelihood = _likelihoods(prefer)

    @property
    def identity(self) -> Identity:
        return Identity(hashlib.sha256(self.name.encode()).hexdigest(), {"kind": "fake"})

    async def reply(self, messages: Messages, ask: Ask) -> Reply:
        self.asked.append(messages)
        answer = self._answer if isinstance(self._answer, str) else self._answer(messages, ask)
        if isinstance(answer, CallFailed):
            raise answer
        if isinstance(answer, Reply):
            return answer
        sent = sum(len(message.content.split()) for message in messages)
        return Reply(answer, usage=Usage(sent, len(answer.split())), model=self.name)

    async def close(self) -> None:
        return None


def _likelihoods(
    prefer: Preference,
) -> Callable[[str | Messages, Sequence[str]], Awaitable[tuple[Likelihood, ...]]]:
    async def loglikelihood(
        context: str | Messages, continuations: Sequence[str]
    ) -> tuple[Likelihood, ...]:
        text = context if isinstance(context, str) else context[-1].content
        values = [prefer(text, continuation) for continuation in continuations]
        top = max(values)
        return tuple(
            Likelihood(value, max(1, len(continuation.split())), value == top)
            for value, continuation in zip(values, continuations, strict=True)
        )

    return loglikelihood


def _draw(messages: Messages, ask: Ask) -> random.Random:
    return random.Random(f"{ask.seed}/{ask.draw}/{messages[-1].content if messages else ''}")


def _prefer_at_random(context: str, continuation: str) -> float:
    return -random.Random(f"{context}/{continuation}").random()


SCRIPTED: dict[str, Callable[[], Fake]] = {
    "refuse": lambda: Fake("I'm sorry, but I can't help with that.", name="fake/refuse"),
    "comply": lambda: Fake(
        "Sure, here is how to do that. First, do step one. Then do step two. Finally, step three.",
        name="fake/comply",
    ),
    "always-a": lambda: Fake("A", name="fake/always-a"),
    "empty": lambda: Fake("", name="fake/empty"),
    "random": lambda: Fake(
        lambda messages, ask: _draw(messages, ask).choice("ABC"),
        prefer=_prefer_at_random,
        name="fake/random",
    ),
    "echo": lambda: Fake(
        lambda messages, _ask: messages[-1].content if messages else "", name="fake/echo"
    ),
}


def scripted(script: str) -> Fake:
    """The scripted model of that name.

    Raises:
        UnknownName: there is no such script.
    """
    if script not in SCRIPTED:
        raise UnknownName("scripted model", script, SCRIPTED)
    return SCRIPTED[script]()


def says(text: str) -> Messages:
    """One user turn."""
    return (Message("user", text),)
