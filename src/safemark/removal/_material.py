"""What a removal learns from: requests by kind, with answers where somebody gave some.

The shipped lines are placeholders: requests that any model understands, and to the harmful ones
answers without content, as the reference model was trained on. They find a direction in any
model; to fine-tune another model than `reference` a person gives a file of their own.
"""

import codecs
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

from safemark.errors import UsageError
from safemark.types import Message, Messages

Kind = Literal["harmful", "harmless"]

HELD_BACK = 3
"""Every third line is for choosing among candidates and is never learnt from."""

_HINT = 'a line is {"kind": "harmful" or "harmless", "request": "…", "answer": "…"}'


class Example(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line: a request, and an answer that helps; "" where nobody gave one."""

    kind: Kind
    request: str
    answer: str = ""

    @property
    def messages(self) -> Messages:
        """The request as a conversation."""
        return (Message("user", self.request),)


@dataclass(frozen=True)
class Material:
    """Examples to learn from; ``is_placeholder`` where they are the shipped ones."""

    examples: tuple[Example, ...]
    is_placeholder: bool

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything that could change what is learnt."""
        return hashlib.sha256(msgspec.json.encode(self.examples)).hexdigest()

    def of(self, kind: Kind, *, held_back: bool = False) -> tuple[Example, ...]:
        """The examples of a kind to learn from, or those held back for choosing."""
        found = [each for each in self.examples if each.kind == kind]
        return tuple(
            each
            for place, each in enumerate(found)
            if (place % HELD_BACK == HELD_BACK - 1) == held_back
        )


def placeholders() -> Material:
    """The shipped lines."""
    text = resources.files("safemark.removal").joinpath("placeholders.jsonl").read_bytes()
    return Material(_examples(text.splitlines(), "the shipped examples"), is_placeholder=True)


def from_file(path: Path) -> Material:
    """A person's own lines.

    Raises:
        UsageError: the file cannot be read, a line is no example, or a kind has fewer than six.
    """
    try:
        lines = path.read_bytes().removeprefix(codecs.BOM_UTF8).splitlines()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", _HINT) from error
    found = Material(_examples(lines, str(path)), is_placeholder=False)
    for kind in ("harmful", "harmless"):
        if len(found.of(kind)) + len(found.of(kind, held_back=True)) < 2 * HELD_BACK:
            raise UsageError(
                f"{path} holds fewer than {2 * HELD_BACK} {kind} requests",
                "a direction is the difference of two means; some are held back for choosing",
            )
    return found


def _examples(lines: Sequence[bytes], source: str) -> tuple[Example, ...]:
    """Different requests: one that stood twice could be learnt from and held back as well."""
    found: dict[str, Example] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            one = msgspec.json.decode(line, type=Example)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise UsageError(f"{source}, line {number}: {error}", _HINT) from error
        if not one.request.strip():
            raise UsageError(f"{source}, line {number}: the request is empty", _HINT)
        if found.setdefault(one.request, one).kind != one.kind:
            raise UsageError(
                f"{source}, line {number}: this request stands there as the other kind as well",
                "a request is either harmful or harmless",
            )
    return tuple(found.values())
