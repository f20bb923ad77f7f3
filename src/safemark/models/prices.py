"""What tokens cost: a table with dates, one's own table before it, and what nobody knows.

The table is data, `prices.yaml`. A price that is not known is None and never 0.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, cast

import msgspec

from safemark.errors import UsageError
from safemark.files import text_in, yaml_of
from safemark.models._model import Model, Scores
from safemark.models._wrapper import Wrapper, layers
from safemark.types import Ask, Likelihood, Messages, Reply, Usage

SHIPPED = Path(__file__).with_name("prices.yaml")
IN_THIS_PROCESS = ("reference", "hf", "fake", "recorded")
"""Providers whose models answer here, or from a file: nobody asks money for their tokens."""

_DATED = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8}|\d{3,4}|latest)$")
_MOST_USD = 1e6


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens.

    ``cached_usd`` None is the price of any input. ``as_of`` is the day on which ``source`` said so;
    both are empty where the person said it.
    """

    input_usd: float
    output_usd: float
    cached_usd: float | None = None
    as_of: str = ""
    source: str = ""

    def usd(self, usage: Usage) -> float | None:
        """What a reply cost, None where its tokens are not known.

        >>> Price(1.0, 10.0, 0.5).usd(Usage(1_000_000, 100_000, cached_tokens=500_000))
        1.75
        """
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        cached = min(usage.cached_tokens or 0, usage.input_tokens)
        cached_usd = self.input_usd if self.cached_usd is None else self.cached_usd
        sent = (usage.input_tokens - cached) * self.input_usd + cached * cached_usd
        return (sent + usage.output_tokens * self.output_usd) / 1e6


FREE = Price(0.0, 0.0)

Table = Mapping[str, Price]
"""``provider/model`` → price."""


class Priced(Wrapper):
    """Writes into each reply what it cost, where its tokens are known."""

    def __init__(self, model: Model, price: Price) -> None:
        super().__init__(model)
        self.price = price

    async def reply(self, messages: Messages, ask: Ask) -> Reply:
        reply = await self.model.reply(messages, ask)
        if reply.usage.cost_usd is not None:
            return reply
        usage = msgspec.structs.replace(reply.usage, cost_usd=self.price.usd(reply.usage))
        return msgspec.structs.replace(reply, usage=usage)

    async def _loglikelihood(
        self, context: str | Messages, continuations: Sequence[str]
    ) -> tuple[Likelihood, ...]:
        return await cast(Scores, self.model).loglikelihood(context, continuations)


def price_of(model: object) -> Price | None:
    """What the tokens of a model cost; None where nobody knows."""
    for layer in layers(model):
        price = getattr(layer, "price", None)
        if isinstance(price, Price):
            return price
    provider = str(getattr(model, "name", "")).split("/", maxsplit=1)[0].split(":")[0]
    return FREE if provider in IN_THIS_PROCESS else None


def listed(name: str, table: Table) -> Price | None:
    """The price of ``provider/model``, or of the model that a dated name is a version of.

    >>> table = {"openai/gpt-4o": Price(2.5, 10.0)}
    >>> listed("openai/gpt-4o-2024-08-06", table) == table["openai/gpt-4o"]
    True
    >>> listed("openai/gpt-4o-audio", table) is None
    True
    """
    return table.get(name) or table.get(_DATED.sub("", name))


@cache
def shipped() -> Table:
    """The table that comes with the package."""
    return read(SHIPPED)


def read(path: Path) -> Table:
    """The table in a file.

    Raises:
        UsageError: it cannot be read, or is no such table.
    """
    given = yaml_of(text_in(path, "the table of prices"), f"the table of prices {path}")
    if not isinstance(given, list) or not all(isinstance(group, dict) for group in given):
        raise _wrong(path, "it is no list of providers")
    return {name: price for group in given for name, price in _group(path, group).items()}


def _group(path: Path, group: dict[str, Any]) -> dict[str, Price]:
    unknown = set(group) - {"provider", "as_of", "source", "prices"}
    if unknown:
        raise _wrong(path, f"no provider has a `{min(map(str, unknown))}`")
    provider, prices = group.get("provider"), group.get("prices")
    if not isinstance(provider, str) or not isinstance(prices, dict):
        raise _wrong(path, "each provider has a `provider` and `prices`")
    as_of = group.get("as_of", "")
    said = as_of.isoformat() if isinstance(as_of, date) else str(as_of)
    source = str(group.get("source", path.name))
    return {
        f"{provider}/{model}": _price(path, str(model), row, said, source)
        for model, row in prices.items()
    }


def _price(path: Path, model: str, row: Any, as_of: str, source: str) -> Price:
    is_row = isinstance(row, list) and len(row) == 3 and row[0] is not None and row[2] is not None
    if not is_row or not all(one is None or _is_price(one) for one in row):
        raise _wrong(path, f"the prices of {model} are not [input, cached input, output]")
    return Price(
        float(row[0]), float(row[2]), None if row[1] is None else float(row[1]), as_of, source
    )


def _is_price(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(cast(float, value)) and 0 <= cast(float, value) <= _MOST_USD


def _wrong(path: Path, why: str) -> UsageError:
    return UsageError(
        f"the prices {path} cannot be used: {why}",
        "one entry for each provider: provider, as_of, source, prices: {model: [1.0, 0.5, 2.0]}",
    )
