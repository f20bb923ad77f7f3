"""How AutoDAN breeds prompts: roulette, crossover of sentences, words by what they were worth.

A prompt is its sentences. All chance comes from the generator that is handed in.

*Source:* Liu et al. 2023, "AutoDAN: Generating Stealthy Jailbreak Prompts on Aligned Large Language
Models", arXiv 2310.04451, §3 and algorithms 1 to 5.
"""

import math
import re
from collections.abc import Mapping, Sequence
from random import Random

from safemark.attacks._synonyms import synonyms, with_words, words

Prompt = tuple[str, ...]
"""Sentences."""

SWAPPED = 0.5
"""A word with synonyms is swapped with this probability."""

_END = re.compile(r"(?<=[.!?])\s+")
_NUMBER = re.compile(r"^\d+\.\s+", re.MULTILINE)


def sentences(text: str) -> Prompt:
    """The whole sentences of a text; numbers of lists and a last one without an end are left out.

    >>> sentences("Stay calm. Do not stop! Question:")
    ('Stay calm.', 'Do not stop!')
    """
    found = (" ".join(one.split()) for one in _END.split(_NUMBER.sub("", text)))
    return tuple(one for one in found if one.endswith((".", "!", "?")))


def spun(worth: Sequence[float], count: int, draw: Random) -> list[int]:
    """Places drawn with the softmax of ``worth``, again and again the same ones if need be."""
    most = max(worth)
    return draw.choices(range(len(worth)), [math.exp(one - most) for one in worth], k=count)


def crossed(one: Prompt, other: Prompt, points: int, draw: Random) -> tuple[Prompt, Prompt]:
    """Two children: between cuts at the same places, sentences are exchanged or not.

    At most ``points`` cuts, and as many as the shorter one has places for.
    """
    shortest = min(len(one), len(other))
    if shortest < 2:
        return one, other
    cuts = sorted(draw.sample(range(1, shortest), min(points, shortest - 1)))
    first: list[str] = []
    second: list[str] = []
    for start, end in zip([0, *cuts], [*cuts, None], strict=True):
        parts = (one[start:end], other[start:end])
        here, there = parts if draw.random() < 0.5 else parts[::-1]
        first += here
        second += there
    return tuple(first), tuple(second)


def word_worth(
    before: Mapping[str, float], prompts: Sequence[Prompt], worth: Sequence[float]
) -> dict[str, float]:
    """What each word is worth: the mean of the prompts that hold it, and half of what it was.

    Source: algorithm 3 (momentum word scoring).
    """
    seen: dict[str, list[float]] = {}
    for prompt, value in zip(prompts, worth, strict=True):
        for word in dict.fromkeys(words(" ".join(prompt))):
            seen.setdefault(word, []).append(value)
    means = {word: sum(values) / len(values) for word, values in seen.items()}
    moved = {word: (before.get(word, mean) + mean) / 2 for word, mean in means.items()}
    return {**before, **moved}


def reworded(prompt: Prompt, known: Mapping[str, float], draw: Random) -> Prompt:
    """The prompt with words swapped for synonyms, those likelier that were worth more.

    A synonym that was never seen counts as the worst; where none is better, the word stays.
    """

    def change(word: str) -> str:
        choices = synonyms(word)
        if not choices or draw.random() >= SWAPPED:
            return word
        least = min((known[one] for one in choices if one in known), default=0.0)
        weights = [known.get(one, least) - least for one in choices]
        return draw.choices(choices, weights)[0] if sum(weights) > 0 else word

    return tuple(with_words(sentence, change) for sentence in prompt)


def varied(prompt: Prompt, draw: Random) -> Prompt:
    """The prompt with two sentences in each other's place and words swapped for any synonym."""
    turned = list(prompt)
    if len(turned) > 1:
        here, there = draw.sample(range(len(turned)), 2)
        turned[here], turned[there] = turned[there], turned[here]

    def change(word: str) -> str:
        choices = synonyms(word)
        return draw.choice(choices) if choices and draw.random() < SWAPPED else word

    return tuple(with_words(sentence, change) for sentence in turned)
