"""What every batch service can do, and which models have one."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from safemark.errors import CallFailed, UsageError
from safemark.models._wrapper import layers
from safemark.models.http import HttpModel
from safemark.types import Ask, Messages, Reason, Reply

PRICE_FACTOR = 0.5
"""What a batch costs of the price: both providers halve it."""

MOST_BYTES = 64 * 1024 * 1024
MOST_REQUESTS = 50_000
"""A batch holds no more; both providers take somewhat more."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question on its way into a batch; ``key`` is what its answer is found by."""

    key: bytes
    messages: Messages
    ask: Ask


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a batch is. ``why`` says what went wrong with all of it, "" where nothing did."""

    is_ended: bool
    total: int
    done: int
    failed: int
    status: str
    why: str = ""
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request: a reply, or why there is none."""

    key: bytes
    reply: Reply | CallFailed


class BatchService(Protocol):
    """A provider's batches for one model.

    ``finds_for_certain``: what `find` gives is ours; otherwise its answers will tell.
    """

    finds_for_certain: bool

    async def submit(self, job: str, requests: Sequence[Request]) -> str:
        """Hand in; the provider's name for the batch. Raises `CallFailed`."""
        ...

    async def find(
        self, job: str, keys: frozenset[bytes], since: str, known: frozenset[str]
    ) -> str | None:
        """The batch of ``job`` that may have been handed in before; None where there is none.

        ``since`` is when that was tried (ISO 8601), ``known`` are other batches of ours.
        """
        ...

    async def look(self, remote_id: str) -> Standing:
        """How far it is. Raises `CallFailed`."""
        ...

    def answers(self, remote_id: str, asks: "Asks") -> AsyncGenerator[Answer]:
        """Everything that came back, in no order. Raises `CallFailed`."""
        ...

    async def close(self) -> None: ...


class Asks(Protocol):
    """How each request was asked, by its key: replies are read knowing that."""

    def get(self, key: bytes, /) -> Ask | None: ...


def http_model(model: object) -> HttpModel | None:
    """The model behind HTTP inside its wrappers."""
    return next((layer for layer in layers(model) if isinstance(layer, HttpModel)), None)


def batch_service(model: object) -> BatchService:
    """The batches of ``model``'s provider.

    Raises:
        UsageError: it has none that is known here.
    """
    inner = http_model(model)
    name = str(getattr(model, "name", model))
    if inner is not None and name.startswith("openai/") and inner.protocol in ("chat", "responses"):
        from safemark.models.batch.openai import OpenAIBatches

        return OpenAIBatches(inner)
    if inner is not None and name.startswith("anthropic/"):
        from safemark.models.batch.anthropic import AnthropicBatches

        return AnthropicBatches(inner)
    raise UsageError(
        f"{name} cannot be asked by batch",
        "batches are for openai/… and anthropic/…; leave --batch away",
    )


def parsed_key(custom_id: Any) -> bytes | None:
    """The key that a line bears; None where it is none of ours."""
    try:
        return bytes.fromhex(custom_id)
    except (TypeError, ValueError):
        return None


def not_asked(word: str) -> CallFailed:
    """Why a line has no reply though nothing failed: the batch ended before it was its turn."""
    reason = Reason.TIMEOUT if word == "expired" else Reason.TRANSPORT
    return CallFailed(reason, f"the batch {word} before this was asked")
