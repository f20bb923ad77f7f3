"""Whether sentences of a reply are borne out by a given text: by their words, not their sense."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

MOST_CHARACTERS = 200_000
WINDOW = 1
"""So many neighbouring sentences of the given text may bear out one sentence together."""

ENOUGH = 0.9
"""This share of a sentence's content words must stand in one window; chosen on half of HaluEval's
rows (docs/scorers.md)."""

_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+|\n+")
_WORD = re.compile(r"[^\W_]+(?:[.,]\d+)*")
_ENDING = re.compile(r"(?:'s|ies|es|s|ing|ed|ly)$")
_EMPTY = frozenset(
    """a about after all also an and any are as at be because been before being but by can could did
    do does for from had has have he her here hers him his how i if in into is it its just may me
    might more most must my no nor not of on one only or other our out over said same she should so
    some such than that the their them then there these they this those through to too under until
    up very was we were what when where which while who whom why will with would you your yes answer
    according based context document passage provided text states mentioned""".split()
)


@dataclass(frozen=True, slots=True)
class Support:
    """Of one sentence: the share of its content words that are borne out, and its new numbers."""

    sentence: str
    share: float
    new_numbers: tuple[str, ...]

    @property
    def is_supported(self) -> bool:
        return self.share >= ENOUGH and not self.new_numbers


def sentences(text: str) -> list[str]:
    """Sentences and lines, those without a letter or digit left out.

    >>> sentences("It rains. It pours!\\n- 3 cats")
    ['It rains.', 'It pours!', '- 3 cats']
    """
    parts = (part.strip() for part in _SENTENCE.split(text[:MOST_CHARACTERS]))
    return [part for part in parts if _WORD.search(part)]


def content(text: str) -> list[str]:
    """Words that carry content, without common endings; numbers as they are.

    >>> content("The cats jumped over 1,200 walls.")
    ['cat', 'jump', '1200', 'wall']
    """
    words = (word.lower() for word in _WORD.findall(text.replace("’", "'")))
    return [_stem(word) for word in words if word not in _EMPTY]


def _stem(word: str) -> str:
    if word[0].isdigit():
        return word.replace(",", "")
    return (_ENDING.sub("", word) if len(word) > 4 else word.removesuffix("s")) or word


def supported(reply: str, given: str) -> list[Support]:
    """Each sentence of ``reply`` that says something, and how far ``given`` bears it out."""
    windows = _windows([frozenset(content(sentence)) for sentence in sentences(given)])
    numbers = {word for window in windows for word in window if word[0].isdigit()}
    found = []
    for sentence in sentences(reply):
        words = content(sentence)
        if not words:
            continue
        new = tuple(
            word for word in dict.fromkeys(words) if word[0].isdigit() and word not in numbers
        )
        held = max((sum(word in window for word in words) for window in windows), default=0)
        found.append(Support(sentence, held / len(words), new))
    return found


def _windows(given: Sequence[frozenset[str]]) -> list[frozenset[str]]:
    last = max(1, len(given) - WINDOW + 1)
    return [frozenset().union(*given[start : start + WINDOW]) for start in range(last)]
