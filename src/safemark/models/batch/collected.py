"""A model that answers from what a batch brought, and asks where that brought nothing."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from typing import cast

import msgspec

from safemark.errors import CallFailed
from safemark.models._model import Model, Scores
from safemark.models._wrapper import Wrapper
from safemark.models.batch.service import PRICE_FACTOR
from safemark.models.prices import price_of
from safemark.store.batches import KEY_BYTES, Line
from safemark.types import Ask, Likelihood, Messages, Reason, Reply

NOTE = "asked through the provider's batch API; directly, where that brought nothing"


class RequestKeys:
    """What the requests of a run are known by: model, question, settings, and which of its kind.

    The same question asked twice is two requests: `key` numbers them in the order it is called.
    """

    def __init__(self, identity: str) -> None:
        self._identity = identity
        self._seen: Counter[bytes] = Counter()

    def key(self, messages: Messages, ask: Ask) -> bytes:
        """The key of the next request of that kind."""
        alike = self._digest((self._identity, messages, ask))
        number = self._seen[alike]
        self._seen[alike] += 1
        return alike if number == 0 else self._digest((alike, number))

    @staticmethod
    def _digest(value: object) -> bytes:
        return hashlib.blake2b(msgspec.json.encode(value), digest_size=KEY_BYTES).digest()


class Collected(Wrapper):
    """Answers from what came back for a run, at half the price; asks ``model`` for the rest.

    A failure that will not pass is not asked again: it is why there is no reply.
    """

    def __init__(self, model: Model, line_of: Callable[[bytes], Line | None]) -> None:
        super().__init__(model)
        self._keys = RequestKeys(model.identity.digest)
        self._line_of = line_of
        self._price = price_of(model)

    @property
    def notes(self) -> tuple[str, ...]:
        return (*super().notes, NOTE)

    async def reply(self, messages: Messages, ask: Ask) -> Reply:
        line = self._line_of(self._keys.key(messages, ask))
        if line is None or (line.absent is not None and line.absent.is_worth_retrying):
            return await self.model.reply(messages, ask)
        if line.reply is None:
            raise CallFailed(line.absent or Reason.BAD_RESPONSE, line.why)
        return self._priced(line.reply, 1.0 if line.is_direct else PRICE_FACTOR)

    def _priced(self, reply: Reply, factor: float) -> Reply:
        usage = reply.usage
        whole = usage.cost_usd
        if whole is None and self._price is not None:
            whole = self._price.usd(usage)
        cost = None if whole is None else whole * factor
        return msgspec.structs.replace(reply, usage=msgspec.structs.replace(usage, cost_usd=cost))

    async def _loglikelihood(
        self, context: str | Messages, continuations: Sequence[str]
    ) -> tuple[Likelihood, ...]:
        return await cast(Scores, self.model).loglikelihood(context, continuations)
