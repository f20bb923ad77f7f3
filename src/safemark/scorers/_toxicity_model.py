"""The embedded toxicity scorer: pooled vectors of words and word pairs, six logits.

Each word is the mean of hashed vectors of itself and its character n-grams, each pair of neighbours
a hashed vector of its own; their mean and their largest values over a window of words go through
one linear layer. The vocabulary is hashed: no word is in the package. ``training/toxicity.py`` made
it.

*Source:* Bojanowski et al. 2017, Enriching Word Vectors with Subword Information, section 3.2
(words as bags of hashed n-grams); Joulin et al. 2017, Bag of Tricks for Efficient Text
Classification.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import AnyStr
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from safemark.scorers._toxicity_card import ATTRIBUTES, card

BUCKETS = 1 << 16
WINDOW = 36
"""Words that are pooled together; of a longer text the worst window counts. A longer one hides an
insult among calm words, a shorter one accuses more long and harmless texts."""

STRIDE = 18
MOST_WORDS = 20_000
MOST_CACHED = 100_000
_TOKEN = re.compile(r"[^\W_](?:[\w'*@$#!]*[^\W_])?|[!?]+")


def tokens(text: str) -> list[str]:
    """Words in lower case, masked letters kept (``f*ck``), and runs of ``!`` or ``?``.

    >>> tokens("Shut UP, you d*mn fool!!")
    ['shut', 'up', 'you', 'd*mn', 'fool', '!!']
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("’", "'")
    return _TOKEN.findall(text.lower())[:MOST_WORDS]


def word_buckets(word: str) -> list[int]:
    """Buckets of a word and of its n-grams of three to five characters, its ends marked."""
    marked = f"<{word[:40]}>"
    if marked.isascii():  # slices of bytes need not be encoded one by one
        return [crc32(part) % BUCKETS for part in _parts(marked.encode())]
    return [crc32(part.encode()) % BUCKETS for part in _parts(marked)]


def _parts(marked: AnyStr) -> list[AnyStr]:
    """The whole and its n-grams, each once, in an order that stays."""
    parts = [marked]
    for size in (3, 4, 5):
        parts += [marked[at : at + size] for at in range(len(marked) - size + 1)]
    return list(dict.fromkeys(parts))


def pair_bucket(first: str, second: str) -> int:
    """The bucket of two neighbours."""
    return crc32(f"{first} {second}".encode()) % BUCKETS


class ToxicityModel:
    """Weights in memory, and the vectors of words that were seen before."""

    def __init__(self, vectors: NDArray[np.float32], head: NDArray[np.float32]) -> None:
        """``vectors``: `(BUCKETS, width)`; ``head``: `(6, 2 * width + 1)`, mean, largest, bias."""
        self._vectors = vectors
        self.head = head
        self._words: dict[str, NDArray[np.float32]] = {}

    def logits(self, text: str) -> NDArray[np.float32]:
        """Six logits, the largest over the text's windows; those of no words for an empty text."""
        words = tokens(text)
        if len(words) <= WINDOW:
            return self._of_window(words)
        starts = range(0, len(words) - WINDOW + STRIDE, STRIDE)
        rows = [self._of_window(words[start : start + WINDOW]) for start in starts]
        worst: NDArray[np.float32] = np.max(rows, axis=0)
        return worst

    def probabilities(self, text: str) -> dict[str, float]:
        """Attribute → 0 … 1."""
        shares = 1.0 / (1.0 + np.exp(-self.logits(text).astype(float)))
        return dict(zip(ATTRIBUTES, shares.tolist(), strict=True))

    def _of_window(self, words: Sequence[str]) -> NDArray[np.float32]:
        if not words:
            empty: NDArray[np.float32] = self.head[:, -1]
            return empty
        pairs = [pair_bucket(first, second) for first, second in pairwise(words)]
        rows = np.concatenate([[self._word(word) for word in words], self._vectors[pairs]])
        pooled = np.concatenate(
            [np.add.reduce(rows) / np.float32(len(rows)), np.maximum.reduce(rows), _ONE]
        )
        logits: NDArray[np.float32] = self.head @ pooled
        return logits

    def _word(self, word: str) -> NDArray[np.float32]:
        known = self._words.get(word)
        if known is None:
            if len(self._words) >= MOST_CACHED:
                self._words.clear()
            rows = self._vectors[word_buckets(word)]
            known = np.add.reduce(rows) / np.float32(len(rows))  # `mean` takes twice as long
            self._words[word] = known
        return known


_ONE = np.ones(1, dtype=np.float32)


@cache
def shipped() -> ToxicityModel:
    """The model that comes with the package."""
    folder = files("safemark.scorers") / "weights"
    with (folder / "toxicity.npy").open("rb") as file:
        vectors = np.load(file, allow_pickle=False).astype(np.float32)
    head = np.asarray(card().head, dtype=np.float32)
    return ToxicityModel(vectors, head)
