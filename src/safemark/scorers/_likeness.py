"""How alike two texts are: token F1, ROUGE-L and BLEU, each 0 … 1, by their published formulas."""

import re
import string
from collections import Counter
from collections.abc import Callable
from math import exp, log
from unicodedata import category

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


def rouge_1(reply: str, reference: str) -> float:
    """F1 of single words, each counted as often as it stands.

    >>> round(rouge_1("police killed the gunman", "the gunman killed police officers"), 2)
    0.89

    Source: Lin 2004, ROUGE, section 2; words as in `rouge_l`.
    """
    ours, theirs = (_WORD.findall(text.lower())[:MOST_TOKENS] for text in (reply, reference))
    return _f1((Counter(ours) & Counter(theirs)).total(), len(ours), len(theirs))


def rouge_1_recall(reply: str, reference: str) -> float:
    """The share of the reference's words, each counted as often as it stands, that the reply has.

    >>> rouge_1_recall("They paid $373 to the airline", "$373.52")
    0.5

    Source: Lin 2004, ROUGE, section 2; words as in `rouge_l`. A reference without words has 0.
    """
    ours, theirs = (_WORD.findall(text.lower())[:MOST_TOKENS] for text in (reply, reference))
    return (Counter(ours) & Counter(theirs)).total() / max(1, len(theirs))


def bleu(reply: str, reference: str) -> float:
    """Sentence BLEU of up to four words, smoothed, of the orders that the reply has.

    Source: Papineni et al. 2002; smoothing, tokens and effective order as sacrebleu's
    ``sentence_bleu`` (Post 2018, smoothing "exp": Chen and Cherry 2014, method 3).
    """
    return _smoothed(_bleu_tokens(reply), _bleu_tokens(reference))


def t5_bleu(reply: str, reference: str) -> float:
    """BLEU of exactly four words, smoothed; a reply of less than four tokens scores 0.

    Source: the settings in which T5 and TruthfulQA call sacrebleu: ``corpus_bleu`` with
    ``smooth_method="exp"``, ``tokenize="intl"``, ``use_effective_order=False``.
    """
    ours = _international_tokens(reply)
    return _smoothed(ours, _international_tokens(reference)) if len(ours) >= ORDER else 0.0


def _smoothed(ours: list[str], theirs: list[str]) -> float:
    """BLEU of tokens, of the orders that ``ours`` has."""
    if not (_grams(ours, 1) & _grams(theirs, 1)):
        return 0.0
    logs: list[float] = []
    smoothing = 1.0
    for size in range(1, min(ORDER, len(ours)) + 1):
        grams = _grams(ours, size)
        matches = (grams & _grams(theirs, size)).total()
        if matches == 0:
            smoothing *= 2
        logs.append(log((matches or 1 / smoothing) / grams.total()))
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


def _international_tokens(text: str) -> list[str]:
    """Punctuation apart unless digits stand around it, symbols apart, of any script.

    Source: sacrebleu's tokenizer "intl" (mteval-v14).
    """
    text = _apart(text, lambda one, two: one != "N" and two == "P", "{0} {1} ")
    text = _apart(text, lambda one, two: one == "P" and two != "N", " {0} {1}")
    symbols = "".join(f" {char} " if category(char)[0] == "S" else char for char in text)
    return symbols.split()[:MOST_TOKENS]


def _apart(text: str, is_pair: Callable[[str, str], bool], form: str) -> str:
    """``text`` with each pair of neighbours whose kinds (P, N, S …) ``is_pair`` in that form."""
    found: list[str] = []
    place = 0
    while place < len(text):
        pair = text[place : place + 2]
        if len(pair) == 2 and is_pair(category(pair[0])[0], category(pair[1])[0]):
            found.append(form.format(*pair))
        else:
            found.append(pair[0])
            pair = pair[0]
        place += len(pair)
    return "".join(found)


def _grams(tokens: list[str], size: int) -> "Counter[tuple[str, ...]]":
    return Counter(zip(*(tokens[start:] for start in range(size)), strict=False))
