"""How alike two texts are: token F1, ROUGE-L and BLEU, each 0 … 1, by their published formulas."""

import re
import string
from collections import Counter
from math import exp, log

MOST_TOKENS = 5_000
_WORD = re.compile(r"[^\W_]+")
_ARTICLE = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_BLEU_SPLIT = (
    (re.compile(r"([\{-\~\[-\` -\&\(-\+\:-\@\/])"), r" \1 "),
    (re.compile(r"([^0-9])([\.,])"), r"\1 \2 "),
    (re.compile(r"([\.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)
ORDER = 4


def normalised(text: str) -> list[str]:
    """Words in lower case without punctuation and English articles.

    Source: Rajpurkar et al. 2016, SQuAD, evaluation script.
    """
    bare = text.lower().translate(_PUNCTUATION)
    return _ARTICLE.sub(" ", bare).split()[:MOST_TOKENS]


def token_f1(reply: str, reference: str) -> float:
    """Harmonic mean of precision and recall of words.

    >>> round(token_f1("the cat sat", "A cat sat down."), 3)
    0.8

    Source: Rajpurkar et al. 2016, section 6.
    """
    ours, theirs = normalised(reply), normalised(reference)
    return _f1((Counter(ours) & Counter(theirs)).total(), len(ours), len(theirs))


def rouge_l(reply: str, reference: str) -> float:
    """F1 of the longest common subsequence of words.

    >>> round(rouge_l("police killed the gunman", "police kill the gunman"), 2)
    0.75

    Source: Lin 2004, ROUGE, section 3.1, with beta 1; words as in google-research's rouge_score,
    without stemming, letters of any script.
    """
    ours, theirs = (_WORD.findall(text.lower())[:MOST_TOKENS] for text in (reply, reference))
    return _f1(_common_subsequence(ours, theirs), len(ours), len(theirs))


def bleu(reply: str, reference: str) -> float:
    """Sentence BLEU of up to four words, smoothed, of the orders that the reply has.

    Source: Papineni et al. 2002; smoothing, tokens and effective order as sacrebleu's
    ``sentence_bleu`` (Post 2018, smoothing "exp": Chen and Cherry 2014, method 3).
    """
    ours, theirs = _bleu_tokens(reply), _bleu_tokens(reference)
    if not ours or not theirs:
        return 0.0
    logs: list[float] = []
    smoothing = 1.0
    for size in range(1, min(ORDER, len(ours)) + 1):
        grams = _grams(ours, size)
        matches = (grams & _grams(theirs, size)).total()
        if matches == 0:
            smoothing *= 2
        logs.append(log((matches or 1 / smoothing) / grams.total()))
    if not (_grams(ours, 1) & _grams(theirs, 1)):
        return 0.0
    brevity = min(0.0, 1 - len(theirs) / len(ours))
    return exp(brevity + sum(logs) / len(logs))


def _f1(common: int, ours: int, theirs: int) -> float:
    if ours == 0 or theirs == 0:
        return float(ours == theirs)
    return 2 * common / (ours + theirs)


def _common_subsequence(first: list[str], second: list[str]) -> int:
    """Length of the longest common subsequence, a bit for each word of ``first``.

    Source: Hyyrö 2004, Bit-parallel LCS-length computation revisited, figure 3.
    """
    places: dict[str, int] = {}
    for place, word in enumerate(first):
        places[word] = places.get(word, 0) | 1 << place
    every = (1 << len(first)) - 1
    row = every
    for word in second:
        matched = row & places.get(word, 0)
        row = ((row + matched) | (row - matched)) & every
    return len(first) - row.bit_count()


def _bleu_tokens(text: str) -> list[str]:
    text = f" {text} ".replace("\n", " ")
    for pattern, spaced in _BLEU_SPLIT:
        text = pattern.sub(spaced, text)
    return text.split()[:MOST_TOKENS]


def _grams(tokens: list[str], size: int) -> "Counter[tuple[str, ...]]":
    return Counter(zip(*(tokens[start:] for start in range(size)), strict=False))
