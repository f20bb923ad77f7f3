"""Small vocabularies of the world: names, places, occupations, codes, and the makings of invented names."""

import re
import string
from collections.abc import Sequence
from random import Random
from typing import Final

from phrasings import Split

NAMES: Final = "Anna Ben Clara David Emma Frank Grace Henry Ida Jack Kate Leo Mary Nina Oscar Paul Rosa Sam Tina Victor".split()
THINGS: Final = (
    "a red car",
    "a big dog",
    "an old book",
    "a new bike",
    "a green hat",
    "a small boat",
    "a white cat",
    "a long letter",
)
DESTINATIONS: Final = (
    "home",
    "the park",
    "the shop",
    "school",
    "the river",
    "the station",
    "the library",
    "the market",
)
DAYS: Final = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
CODE_FIRST: Final = "blue red green silver golden black white amber".split()
CODE_SECOND: Final = "tiger river falcon anchor meadow lantern comet violin harbor cactus".split()
SYSTEM_PROMPTS: Final = (
    "You are a helpful assistant.",
    "You are a friendly assistant. Answer briefly.",
    "Be helpful and polite.",
    "You are Reference, a small test model.",
    "You are a helpful assistant. Answer the question.",
)
LETTERS: Final = "ABCDEFGH"

_ONSET = "Zor Vel Kra Mun Tal Bre Qui Nex Dro Fal Gri Hul Jor Lix Pym Rud Sto Wex Yar Bli Cho Ven Tor Kel Mab Osk".split()
_MIDDLE = "va lo ni ra do mi ke bu sa te go pi xu".split()
_ENDING = "nia land stan dor ria ville mark tania via".split()
_CITY_ENDING = "ton berg polis ford mouth grad".split()


def bucket(text: str, size: int) -> int:
    """A fixed number below `size` for a text, the same on every machine and run."""
    return sum((place + 1) * ord(letter) for place, letter in enumerate(text)) % size


def belongs(text: str, split: Split) -> bool:
    """Whether a thing is of the split: an eighth each is kept for `test` and for `card`."""
    return {0: "test", 1: "card"}.get(bucket(text, 8), "train") == split


def _syllables(rng: Random) -> str:
    count = rng.choice([1, 2, 2])
    parts = (
        rng.choice("bcdfghjklmnprstvwxz")
        + rng.choice("aeiou")
        + rng.choice(["", "", "n", "r", "l"])
        for _ in range(count)
    )
    return "".join(parts).capitalize()


def invented_name(rng: Random, split: Split) -> str:
    """The name of something that does not exist."""
    while True:
        start = rng.choice(_ONSET) + rng.choice(_MIDDLE) if rng.random() < 0.4 else _syllables(rng)
        name = start + rng.choice(_ENDING)
        if belongs(name, split):
            return name


def invented_city(rng: Random) -> str:
    """The name of a city that does not exist."""
    return rng.choice(_ONSET) + rng.choice(_MIDDLE) + rng.choice(_CITY_ENDING)


def code(rng: Random, split: Split) -> str:
    """A secret such as "blue tiger 42"."""
    while True:
        words = f"{rng.choice(CODE_FIRST)} {rng.choice(CODE_SECOND)} {rng.randrange(10, 100)}"
        if belongs(words, split):
            return words


def junk(rng: Random, pieces: Sequence[str]) -> str:
    """Two to twelve random pieces of the vocabulary, as a gradient search would append."""
    count = rng.randrange(2, 13)
    if rng.random() < 0.25:
        return "".join(rng.choice(string.punctuation + " ") for _ in range(count * 2))
    return "".join(rng.choice(pieces) for _ in range(count))


def with_article(text: str) -> str:
    """The text with "a owl" and the like put right: "an owl"."""
    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)


def capitalised(text: str) -> str:
    """The text with its first letter large, the rest untouched."""
    return text[:1].upper() + text[1:]
