"""Token ids of many texts at once: what several of them begin with is cut into tokens once.

Byte-level BPE looks at each word by itself. Where the rule that finds words is one of those below,
a word begins at every space between two letters, whatever stands before and behind it; so the
tokens of a text are those of its parts, and parts that many texts share (a primer, the examples
before a question) are looked at once. Other tokenizers get whole texts.
"""

import json
import re
from collections.abc import Sequence
from itertools import chain
from typing import Any

STRETCH = 200
"""Characters of a part; longer ones are shared less, shorter ones are more to put together."""

_WORD_ENDS = re.compile(r"[A-Za-z,.](?= [A-Za-z])")

_CONTRACTED = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_RULES = {
    _CONTRACTED + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + _REST,  # Llama 3, cl100k
    _CONTRACTED + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + _REST,  # Qwen 2 and later
}


def parts(text: str) -> list[str]:
    """``text`` in stretches that end where a word does; equal beginnings have equal parts."""
    found, begin = [], 0
    while (end := _WORD_ENDS.search(text, begin + STRETCH)) is not None:
        found.append(text[begin : end.end()])
        begin = end.end()
    found.append(text[begin:])
    return found


class Encoder:
    """The fast part of a tokenizer, ``backend``, that neither cuts texts off nor pads them."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self._in_parts = _is_local(backend) and _ends_plainly(backend)

    def ids(self, texts: Sequence[str], *, special: bool) -> list[tuple[int, ...]]:
        """Token ids of each text, with the special tokens put around it where ``special``."""
        if not self._in_parts:
            return [tuple(one) for one in self._encoded(texts, special=special)]
        cut = [parts(text) for text in texts]
        first = self._each({one[0] for one in cut}, special=special)
        rest = self._each({part for one in cut for part in one[1:]}, special=False)
        return [tuple(chain(first[head], *(rest[part] for part in tail))) for head, *tail in cut]

    def _each(self, texts: set[str], *, special: bool) -> dict[str, Sequence[int]]:
        ordered = sorted(texts)
        return dict(zip(ordered, self._encoded(ordered, special=special), strict=True))

    def _encoded(self, texts: Sequence[str], *, special: bool) -> list[Sequence[int]]:
        found = self._backend.encode_batch_fast(texts, add_special_tokens=special)
        return [one.ids for one in found]


def _is_local(backend: Any) -> bool:
    """Whether a word's tokens depend on that word alone, and words end where `parts` says."""
    model, normalizer = backend.model, _state(backend.normalizer)
    return (
        type(model).__name__ == "BPE"
        and not model.dropout
        and (normalizer or {}).get("type", "NFC") == "NFC"
        and _finds_words(_state(backend.pre_tokenizer))
        and not any(
            token.lstrip or token.rstrip or token.single_word or " " in token.content
            for token in backend.get_added_tokens_decoder().values()
        )
    )


def _finds_words(state: dict[str, Any] | None) -> bool:
    """Whether the steps that split a text are known ones."""
    steps = [state or {}]
    if steps[0].get("type") == "Sequence":
        steps = steps[0]["pretokenizers"]
    finds = False
    for step in steps:
        kind = step.get("type")
        if kind == "ByteLevel" and not step["add_prefix_space"]:
            finds |= step["use_regex"]
        elif kind == "Split" and step["behavior"] == "Isolated" and not step["invert"]:
            if step["pattern"].get("Regex") not in _RULES:
                return False
            finds = True
        elif kind != "Digits":
            return False
    return finds


def _state(step: Any) -> dict[str, Any] | None:
    """The settings of a step of the tokenizer, as its file has them."""
    found: dict[str, Any] | None = None if step is None else json.loads(step.__getstate__())
    return found


def _ends_plainly(backend: Any) -> bool:
    """Whether special tokens stand before a text only."""
    with_them, alone = (
        backend.encode("a", add_special_tokens=special).ids for special in (True, False)
    )
    return bool(alone) and with_them[-len(alone) :] == alone
