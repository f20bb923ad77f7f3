"""Renderers that ways of asking share: one user turn, lettered options, options in seeded order.

Prompt texts stand in the file of the benchmark that uses them.
"""

import random
from collections.abc import Sequence

import msgspec

from safemark.types import Message, Messages, Sample

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def user(text: str) -> Messages:
    """A conversation of one user turn."""
    return (Message("user", text),)


def lettered(options: Sequence[str]) -> str:
    """Options one a line, each after its letter.

    >>> print(lettered(["yes", "no"]))
    A) yes
    B) no
    """
    return "\n".join(
        f"{letter}) {option}" for letter, option in zip(LETTERS, options, strict=False)
    )


def shuffled(sample: Sample, seed: int) -> Sample:
    """``sample`` with its choices in an order drawn from ``seed`` and its id, target following."""
    order = list(range(len(sample.choices)))
    random.Random(f"{seed}/{sample.id}").shuffle(order)
    choices = tuple(sample.choices[i] for i in order)
    target = order.index(sample.target) if isinstance(sample.target, int) else sample.target
    return msgspec.structs.replace(sample, choices=choices, target=target)


def by_likelihood(sample: Sample, context: str) -> Sample:
    """Asked by the likelihood of each choice, after a space, behind the raw text ``context``."""
    continuations = tuple(f" {choice}" for choice in sample.choices)
    return msgspec.structs.replace(
        sample, messages=(), context=context, continuations=continuations
    )


def as_asked(sample: Sample) -> Sample:
    """A sample whose messages are asked as they are."""
    return sample
