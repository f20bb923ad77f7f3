"""What a run may spend: money, tokens, time. A budget that is used up ends the asking."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from safemark.errors import CallFailed
from safemark.models import tokens
from safemark.models._model import Model, Scores
from safemark.models._wrapper import Wrapper
from safemark.models.prices import Price
from safemark.types import Ask as AskSettings
from safemark.types import Likelihood, Messages, Reason, Reply, Usage

Answer = TypeVar("Answer")

_ROUNDING = 1e-9


class BudgetSpent(CallFailed):
    """The run may not ask any more; what was not asked stays absent."""

    def __init__(self, why: str, hint: str) -> None:
        super().__init__(Reason.NOT_ASKED, why, hint)
        self.ending = ("budget", f"{why}; {hint}")


@dataclass(slots=True)
class Budget:
    """What may be spent, and what was: by one run over all the commands that worked on it.

    Money and tokens of earlier commands count (`carry`); time is that of this command, from its
    first request on. A request is asked only while it is expected to stay inside, by the mean of
    those before it; so a budget is passed, if at all, by the surprise in the last replies.
    """

    max_time_s: float | None = None
    max_tokens: int | None = None
    max_cost_usd: float | None = None
    tokens: int = 0
    cost_usd: float = 0.0
    _carried_tokens: int = 0
    _carried_usd: float = 0.0
    _replies: int = 0
    _in_flight: int = 0
    _deadline: float | None = None

    @property
    def is_unlimited(self) -> bool:
        """Whether nothing is limited."""
        return self.max_time_s is self.max_tokens is self.max_cost_usd is None

    def carry(self, tokens: int, cost_usd: float) -> None:
        """What earlier commands spent on the same run."""
        self._carried_tokens, self._carried_usd = tokens, cost_usd

    def deadline(self, now: float) -> float | None:
        """When the time is over, by the loop's clock; the first to ask starts it."""
        if self._deadline is None and self.max_time_s is not None:
            self._deadline = now + self.max_time_s
        return self._deadline

    def begin(self, now: float) -> None:
        """One more request, if it fits.

        Raises:
            BudgetSpent: it does not.
        """
        deadline = self.deadline(now)
        if deadline is not None and now >= deadline:
            raise self.out_of_time()
        if self.max_tokens is not None and not self._fits(
            self._carried_tokens, self.tokens, self.max_tokens
        ):
            raise BudgetSpent(
                f"the budget of {self.max_tokens:,} tokens is used up"
                f" ({self._carried_tokens + self.tokens:,} spent{self._earlier()})",
                "repeat the command with a larger --token-budget: it continues",
            )
        if self.max_cost_usd is not None and not self._fits(
            self._carried_usd, self.cost_usd, self.max_cost_usd
        ):
            raise BudgetSpent(
                f"the budget of ${self.max_cost_usd:g} is used up"
                f" (${self._carried_usd + self.cost_usd:.4f} spent{self._earlier()})",
                "repeat the command with a larger --max-cost: it continues",
            )
        self._in_flight += 1

    def end(self, tokens: int = 0, cost_usd: float = 0.0, *, is_reply: bool = True) -> None:
        """A request that was begun has ended and took so much."""
        self._in_flight -= 1
        self._replies += is_reply
        self.tokens += tokens
        self.cost_usd += cost_usd

    def out_of_time(self) -> BudgetSpent:
        """The time is over."""
        return BudgetSpent(
            f"the time budget of {self.max_time_s:g} s is used up",
            "repeat the command: it continues",
        )

    def _fits(self, carried: float, spent: float, most: float) -> bool:
        mean = spent / self._replies if self._replies else 0.0
        expected = carried + spent + mean * (self._in_flight + 1)
        return carried + spent < most and expected <= most * (1 + _ROUNDING)

    def _earlier(self) -> str:
        has_earlier = self._carried_tokens or self._carried_usd
        return ", earlier commands included" if has_earlier else ""


class Budgeted(Wrapper):
    """Asks while the budget lasts; several models may share one.

    Where a server does not tell its tokens they are estimated, so that no budget stands open.
    When the time is over, what is under way is let go: it is neither stored nor counted.
    """

    def __init__(
        self,
        model: Model,
        budget: Budget | None = None,
        *,
        price: Price | None = None,
        max_time_s: float | None = None,
        token_budget: int | None = None,
        max_cost_usd: float | None = None,
    ) -> None:
        super().__init__(model)
        self.budget = budget or Budget(max_time_s, token_budget, max_cost_usd)
        self._price = price

    async def reply(self, messages: Messages, ask: AskSettings) -> Reply:
        return await self._within(
            lambda: self.model.reply(messages, ask),
            lambda reply: self._spent(messages, ask, reply),
        )

    async def _loglikelihood(
        self, context: str | Messages, continuations: Sequence[str]
    ) -> tuple[Likelihood, ...]:
        inner = cast(Scores, self.model)
        asked = tokens.of_continuations(context, continuations)
        return await self._within(
            lambda: inner.loglikelihood(context, continuations),
            lambda answer: self._counted(
                max(asked, sum(found.tokens for found in answer)), 0, None
            ),
        )

    async def _within(
        self,
        call: Callable[[], Awaitable[Answer]],
        spent: Callable[[Answer], tuple[int, float]],
    ) -> Answer:
        now = asyncio.get_running_loop().time()
        self.budget.begin(now)
        try:
            answer = await self._in_time(call, now)
        except BaseException:
            self.budget.end(is_reply=False)
            raise
        self.budget.end(*spent(answer))
        return answer

    async def _in_time(self, call: Callable[[], Awaitable[Answer]], now: float) -> Answer:
        deadline = self.budget.deadline(now)
        if deadline is None:
            return await call()
        try:
            async with asyncio.timeout_at(deadline) as limit:
                return await call()
        except TimeoutError:
            if limit.expired():
                raise self.budget.out_of_time() from None
            raise

    def _spent(self, messages: Messages, ask: AskSettings, reply: Reply) -> tuple[int, float]:
        usage = reply.usage
        sent, got = usage.input_tokens, usage.output_tokens
        if sent is None:
            sent = tokens.of_messages(messages, ask)
        if got is None:
            got = tokens.estimated(len(reply.text) + len(reply.thinking or ""))
        return self._counted(sent, got, usage.cost_usd)

    def _counted(self, sent: int, got: int, cost_usd: float | None) -> tuple[int, float]:
        if cost_usd is None:
            cost_usd = 0.0 if self._price is None else self._price.usd(Usage(sent, got)) or 0.0
        return sent + got, cost_usd if math.isfinite(cost_usd) else 0.0
