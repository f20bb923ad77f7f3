"""A model that judges: what it used is counted, and a key that is wrong is tried once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from safemark.errors import CallFailed
from safemark.models._model import Model, Scores
from safemark.models._wrapper import Wrapper
from safemark.types import Ask as AskSettings
from safemark.types import JudgeUse, Likelihood, Messages, Reply, Usage


@dataclass(frozen=True, slots=True)
class _Ended:
    """Why the judge is not asked any more."""

    failure: CallFailed

    def again(self) -> CallFailed:
        """The same failure, for one who did not ask."""
        known = self.failure
        told = CallFailed(known.reason, known.problem, known.hint)
        told.ending, told.status = known.ending, known.status
        return told


class Judge(Wrapper):
    """Counts what the model inside uses; asks it nothing more once every call would fail.

    A wrong key, an unknown model, an endpoint that was given up and a spent budget are such ends:
    whoever asks afterwards is told the same, and no request is made.
    """

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.used = JudgeUse(model.name, model.identity.digest)
        self._ended: _Ended | None = None

    async def reply(self, messages: Messages, ask: AskSettings) -> Reply:
        self._check()
        try:
            reply = await self.model.reply(messages, ask)
        except CallFailed as failure:
            self._fail(failure)
            raise
        self._count(reply.usage)
        return reply

    async def _loglikelihood(
        self, context: str | Messages, continuations: Sequence[str]
    ) -> tuple[Likelihood, ...]:
        self._check()
        try:
            answer = await cast(Scores, self.model).loglikelihood(context, continuations)
        except CallFailed as failure:
            self._fail(failure)
            raise
        self._count(Usage())
        return answer

    def take_used(self) -> JudgeUse:
        """What was used since the last call of this."""
        used, self.used = self.used, JudgeUse(self.used.name, self.used.identity)
        return used

    def _check(self) -> None:
        if self._ended is not None:
            raise self._ended.again()

    def _fail(self, failure: CallFailed) -> None:
        self._add(failed=1)
        if failure.reason.opens_circuit or failure.ending is not None:
            self._ended = self._ended or _Ended(failure)

    def _count(self, usage: Usage) -> None:
        self._add(
            requests=1,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost_usd=usage.cost_usd,
        )

    def _add(self, **more: Any) -> None:
        self.used = self.used.plus(JudgeUse(self.used.name, self.used.identity, **more))
