"""A moderation endpoint (``/moderations``) as a model: n messages are answered by n verdicts."""

from typing import Any

import msgspec

from safemark.errors import CallFailed
from safemark.models.http import Endpoint, HttpModel
from safemark.types import Ask, Messages, Reason, Reply


class Verdict(msgspec.Struct, frozen=True):
    """What the endpoint says of one text; scores are 0 … 1, those it does not give are left out."""

    flagged: bool
    categories: dict[str, bool | None] = {}
    category_scores: dict[str, float | None] = {}


class _Answer(msgspec.Struct, frozen=True):
    results: list[Verdict]
    model: str | None = None


_ANSWER = msgspec.json.Decoder(_Answer)
_VERDICTS = msgspec.json.Decoder(list[Verdict])


class Moderation(HttpModel):
    """Asks an OpenAI-compatible endpoint about the texts of all messages at once."""

    protocol = "moderations"

    def __init__(self, model: str, endpoint: Endpoint) -> None:
        super().__init__(model, endpoint, name=f"moderation/{model}")
        self._url = self.address("moderations")

    def _body(self, messages: Messages, ask: Ask, refused: frozenset[str]) -> dict[str, Any]:
        del ask, refused
        return {"model": self._model, "input": [message.content for message in messages]}

    def _read(self, content: bytes, ask: Ask, refused: frozenset[str]) -> Reply:
        del ask, refused
        answer = self._decoded(_ANSWER, content, "moderation")
        return Reply(msgspec.json.encode(answer.results).decode(), model=answer.model)


def verdicts(reply: Reply, count: int) -> list[Verdict]:
    """The verdicts in a reply to ``count`` texts.

    Raises:
        CallFailed: there are more or fewer of them.
    """
    found = _VERDICTS.decode(reply.text)
    if len(found) != count:
        raise CallFailed(
            Reason.BAD_RESPONSE, f"{len(found)} moderation verdicts came for {count} texts"
        )
    return found
