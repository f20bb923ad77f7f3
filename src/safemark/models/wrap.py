"""Models around a model: bounded retries, and a budget that stops a run.

Each wrapper forwards `loglikelihood` through itself where the model has it, and has none where
the model has none. Waiting and spending are decided here, never in the loop.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar, cast

import msgspec

from safemark.errors import CallFailed
from safemark.models._model import Identity, Model, Scores, can
from safemark.types import Ask as AskSettings
from safemark.types import Likelihood, Messages, Reason, Reply

Answer = TypeVar("Answer")

TRANSIENT = frozenset({Reason.TIMEOUT, Reason.TRANSPORT, Reason.RATE_LIMITED, Reason.SERVER_ERROR})


class _Wrapper:
    """What every wrapper shares: the inner model's name, identity, appetite and end."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.name = model.name
        self.concurrency = model.concurrency
        if can(model, "loglikelihood"):
            self.loglikelihood = self._loglikelihood

    @property
    def identity(self) -> Identity:
        return self.model.identity

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(getattr(self.model, "notes", ()))

    async def close(self) -> None:
        await self.model.close()

    async def _loglikelihood(
        self, context: str | Messages, continuations: Sequence[str]
    ) -> tuple[Likelihood, ...]:
        raise NotImplementedError


class Retrying(_Wrapper):
    """Tries transient failures again, a bounded number of times, with jittered waits.

    A server's Retry-After is honoured up to ``longest_wait_s``. An endpoint that has never
    answered is not worth waiting for: after ``hopeless`` calls in a row that failed through, later
    ones are tried once only until one succeeds.
    """

    def __init__(
        self,
        model: Model,
        retries: int = 4,
        first_wait_s: float = 0.5,
        longest_wait_s: float = 60.0,
        hopeless: int = 3,
    ) -> None:
        super().__init__(model)
        self.retries = retries
        self.first_wait_s = first_wait_s
        self.longest_wait_s = longest_wait_s
        self.hopeless = hopeless
        self.retried = 0
        self._failed_through = 0
        self._jitter = random.Random()

    async def reply(self, messages: Messages, ask: AskSettings) -> Reply:
        reply, retries = await self._persist(lambda: self.model.reply(messages, ask))
        return msgspec.structs.replace(reply, retries=retries) if retries else reply

    async def _loglikelihood(
        self, context: str | Messages, continuations: Sequence[str]
    ) -> tuple[Likelihood, ...]:
        inner = cast(Scores, self.model)
        answer, _ = await self._persist(lambda: inner.loglikelihood(context, continuations))
        return answer

    async def _persist(self, call: Callable[[], Awaitable[Answer]]) -> tuple[Answer, int]:
        tries = 0
        while True:
            try:
                answer = await call()
            except CallFailed as failure:
                failure.retries = tries
                if failure.reason not in TRANSIENT:
                    raise
                allowed = 0 if self._failed_through >= self.hopeless else self.retries
                if tries >= allowed:
                    self._failed_through += 1
                    raise
                await asyncio.sleep(self._wait_s(tries, failure.retry_after_s))
                tries += 1
                self.retried += 1
            else:
                self._failed_through = 0
                return answer, tries

    def _wait_s(self, tries: int, asked_for_s: float | None) -> float:
        if asked_for_s is not None:
            return min(asked_for_s, self.longest_wait_s) + self._jitter.uniform(0, 0.25)
        doubled: float = min(self.first_wait_s * 2.0**tries, self.longest_wait_s)
        return doubled * self._jitter.uniform(0.5, 1.0)


class BudgetSpent(CallFailed):
    """The run may not ask any more; what was not asked stays absent."""

    def __init__(self, why: str) -> None:
        super().__init__(Reason.NOT_ASKED, why, "raise the budget and repeat the command")


class Budgeted(_Wrapper):
    """Stops asking when the time, the tokens or the money set aside are used up.

    Requests that are under way when a budget runs out are let finish, so a budget may be passed
    by at most ``concurrency`` requests.
    """

    def __init__(
        self,
        model: Model,
        *,
        max_time_s: float | None = None,
        token_budget: int | None = None,
        max_cost_usd: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(model)
        self.max_time_s = max_time_s
        self.token_budget = token_budget
        self.max_cost_usd = max_cost_usd
        self.tokens = 0
        self.cost_usd = 0.0
        self._clock = clock
        self._began = clock()

    def _check(self) -> None:
        if self.max_time_s is not None and self._clock() - self._began >= self.max_time_s:
            raise BudgetSpent(f"the time budget of {self.max_time_s:g} s is used up")
        if self.token_budget is not None and self.tokens >= self.token_budget:
            raise BudgetSpent(f"the budget of {self.token_budget} tokens is used up")
        if self.max_cost_usd is not None and self.cost_usd >= self.max_cost_usd:
            raise BudgetSpent(f"the budget of ${self.max_cost_usd:g} is used up")

    async def reply(self, messages: Messages, ask: AskSettings) -> Reply:
        self._check()
        reply = await self.model.reply(messages, ask)
        self.tokens += (reply.usage.input_tokens or 0) + (reply.usage.output_tokens or 0)
        self.cost_usd += reply.usage.cost_usd or 0.0
        return reply

    async def _loglikelihood(
        self, context: str | Messages, continuations: Sequence[str]
    ) -> tuple[Likelihood, ...]:
        self._check()
        inner = cast(Scores, self.model)
        answer = await inner.loglikelihood(context, continuations)
        self.tokens += sum(likelihood.tokens for likelihood in answer)
        return answer
