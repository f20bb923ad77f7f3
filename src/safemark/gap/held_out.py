"""A text that no removal learns from, and how likely a model finds it: is it language still?

A variant that answers with noise is seen in its replies; one that is only half broken is seen
here: its perplexity rises. The shipped text is prose of every day, written for this project
(Apache-2.0); a text of one's own, in what the model was trained to read, says more.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import cast

import msgspec

from safemark.errors import CallFailed, UsageError
from safemark.models._model import Model, Scores, can
from safemark.types import Reason

MOST_CHARACTERS = 1_200
"""A longer passage is cut at the end of a word: what is asked fits into any model's context."""


@dataclass(frozen=True, slots=True)
class Text:
    """Passages, each read by itself."""

    name: str
    passages: tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over the passages."""
        return hashlib.sha256(msgspec.json.encode(self.passages)).hexdigest()


class Passage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a model made of one passage: nats over all its tokens, and its length.

    ``nats`` is None where there is no likelihood, for the reason in ``absent``.
    """

    bytes: int
    nats: float | None = None
    tokens: int = 0
    absent: Reason | None = None


class Reading(msgspec.Struct, frozen=True):
    """What a model made of a text."""

    text: str
    digest: str
    passages: tuple[Passage, ...]


def shipped() -> Text:
    """The text of this package."""
    text = resources.files("safemark.gap").joinpath("held_out.txt").read_text(encoding="utf-8")
    return Text("shipped", _passages(text))


def from_file(path: Path) -> Text:
    """A person's own text, UTF-8; an empty line stands between passages.

    Raises:
        UsageError: the file cannot be read, or holds fewer than two passages.
    """
    try:
        found = _passages(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--text {path} cannot be read: {error}", "a text file, UTF-8") from error
    if len(found) < 2:
        raise UsageError(
            f"--text {path} holds {len(found)} passages, and an interval needs at least 2",
            "put an empty line between passages",
        )
    return Text(path.name, found)


def _passages(text: str) -> tuple[str, ...]:
    parts = (part.strip() for part in text.replace("\r\n", "\n").split("\n\n"))
    return tuple(_cut(part) for part in parts if part)


def _cut(passage: str) -> str:
    if len(passage) <= MOST_CHARACTERS:
        return passage
    head = passage[:MOST_CHARACTERS]
    return head.rsplit(None, 1)[0] if " " in head else head


async def read(model: Model, text: Text) -> Reading | None:
    """Each passage by rolling likelihood, every token once; None where the model gives none."""
    if not can(model, "loglikelihood"):
        return None
    return Reading(
        text.name,
        text.digest,
        tuple(await asyncio.gather(*(_passage(cast(Scores, model), one) for one in text.passages))),
    )


async def _passage(model: Scores, passage: str) -> Passage:
    size = len(passage.encode())
    try:
        (found,) = await model.loglikelihood("", (passage,))
    except CallFailed as failure:
        return Passage(size, absent=failure.reason)
    if not -1e300 < found.logprob <= 0.0 or not found.tokens:
        return Passage(size, absent=Reason.NOT_A_NUMBER)
    return Passage(size, -found.logprob, found.tokens)
