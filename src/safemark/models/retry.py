"""A model whose passing failures are tried again, at the pace that its endpoint bears."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar, cast

import msgspec

from safemark.errors import CallFailed
from safemark.models import effort, tokens
from safemark.models._model import Model, Scores
from safemark.models._wrapper import Wrapper
from safemark.models.circuit import TRANSIENT
from safemark.models.limits import EndpointGivenUp, Gate
from safemark.models.window import Window
from safemark.types import Ask as AskSettings
from safemark.types import Likelihood, Messages, Reply

Answer = TypeVar("Answer")

_FIRST_GUESS = 64.0
_WEIGHT = 0.1


class Retrying(Wrapper):
    """Tries passing failures again, a bounded number of times, with jittered waits that double.

    Every try goes through ``gate``, which limits what is in flight, waits where the server asks
    for it, and says when the endpoint is given up.
    """

    def __init__(
        self,
        model: Model,
        gate: Gate | None = None,
        *,
        retries: int = 4,
        first_wait_s: float = 0.5,
        longest_wait_s: float = 60.0,
    ) -> None:
        super().__init__(model)
        self.gate = gate or Gate(Window(ceiling=model.concurrency))
        self.concurrency = self.gate.window.ceiling
        self.retries = retries
        self.first_wait_s = first_wait_s
        self.longest_wait_s = longest_wait_s
        self._jitter = random.Random()
        self._output_tokens = _FIRST_GUESS

    async def reply(self, messages: Messages, ask: AskSettings) -> Reply:
        expected = 0
        if self.gate.counts_tokens:
            expected = tokens.of_messages(messages, ask) + round(self._output_tokens)
        reply, retries = await self._persist(
            lambda: self.model.reply(messages, ask),
            expected,
            lambda reply: self._surprise(expected, reply),
        )
        return msgspec.structs.replace(reply, retries=retries) if retries else reply

    async def _loglikelihood(
        self, context: str | Messages, continuations: Sequence[str]
    ) -> tuple[Likelihood, ...]:
        inner = cast(Scores, self.model)
        expected = 0
        if self.gate.counts_tokens:
            expected = tokens.of_continuations(context, continuations)
        answer, _ = await self._persist(
            lambda: inner.loglikelihood(context, continuations), expected, lambda _answer: 0.0
        )
        return answer

    def _surprise(self, expected: int, reply: Reply) -> float:
        """Tokens that a reply took beyond those expected; the next expectation learns from it."""
        if not self.gate.counts_tokens or (taken := tokens.told(reply.usage)) is None:
            return 0.0
        out = reply.usage.output_tokens or 0
        self._output_tokens += _WEIGHT * (out - self._output_tokens)
        return taken - expected

    async def _persist(
        self,
        call: Callable[[], Awaitable[Answer]],
        expected: int,
        surprise: Callable[[Answer], float],
    ) -> tuple[Answer, int]:
        """The answer, and how often it was tried again."""
        gate = self.gate
        retries = 0
        last: CallFailed | None = None
        while True:
            began = await self._entered(expected, last)
            if last is not None:
                retries += 1
                gate.retries += 1
                effort.current().retries += 1
            try:
                answer = await call()
            except CallFailed as failure:
                gate.fail(began, failure)
                failure.retries = retries
                if failure.reason not in TRANSIENT or retries >= self.retries:
                    raise
                last = failure
            except BaseException:
                gate.abandon()
                raise
            else:
                gate.succeed(began, surprise(answer))
                return answer, retries
            await self._pause(retries, last)

    async def _entered(self, expected: int, last: CallFailed | None) -> float:
        """When the gate let the call in; where it has been closed for good, ``last`` counts."""
        try:
            return await self.gate.enter(expected)
        except EndpointGivenUp as given_up:
            if last is None:
                raise
            last.ending = given_up.ending
            raise last from given_up

    async def _pause(self, retries: int, failure: CallFailed) -> None:
        """Wait before another try; where the server said how long, the gate waits."""
        if failure.retry_after_s is not None or self.gate.circuit.given_up is not None:
            return
        doubled: float = min(self.first_wait_s * 2.0**retries, self.longest_wait_s)
        wait_s = doubled * self._jitter.uniform(0.5, 1.0)
        await asyncio.sleep(wait_s)
        spent = effort.current()
        spent.waited_s += wait_s
        spent.idle_s += wait_s
