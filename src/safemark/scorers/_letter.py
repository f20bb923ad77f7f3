"""Which option a free reply names, by letter or by its own words.

Sure or nothing: a reply that names two options, one that is not there, or a letter beside another
option's text gives None, never a guess. What was asked, and which option is right, is not known
here.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

_THINKING = re.compile(r"^.*</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_DRESSING = re.compile(r"\\boxed|\\text(?:bf)?|\\mathrm|[*_`$#{}\"“”]|\\[()\[\]]")
_SOLE = re.compile(
    r"(?:option|choice|answer)?\s*[(\[<]?([A-Za-z])[)\]>]?\s*[.:,;!]*", re.IGNORECASE
)
_ANNOUNCED = re.compile(
    r"\b(?:answer|option|choice|selection)\b[^.\n:=]{0,30}?(?:\bis\b|\bwould be\b|\bmust be\b|[:=])"
    r"\s*(?:(?:most likely|likely|probably|clearly|therefore|still|simply|option|choice|letter)\b"
    r"\s*:?\s*)*"
    r"|\b(?:i|i'd|i'll|i'm|i would|i will|we|let me|let's)\s+(?:\w+\s+){0,2}?"
    r"(?:choose|pick|select|chose|go with|going with|say|answer)\b\s*:?\s*(?:with\s+)?"
    r"(?:option|choice|letter|answer)?\s*:?\s*",
    re.IGNORECASE,
)
_LEADING = re.compile(
    r"(?:(?:the\s+)?(?:correct\s+)?(?:option|choice|answer)\s+)?"
    r"(?:[(\[]([A-Za-z])[)\]]|([A-Za-z])(?=\s*[).:,\-–—]|\s*$))",
    re.IGNORECASE,
)
_MARKED = re.compile(
    r"[(\[]([A-Za-z])[)\]]|(?<![\w'(\[])([A-Za-z])\)|\b(?:[Oo]ption|[Cc]hoice|[Ll]etter) ([A-Z])\b"
)
_BARE = re.compile(
    # "Vitamin C" and "plan B" name no option: a letter alone counts after these words only.
    r"(?:(?:^|[.,;:!?>→\n：，。是]|\b(?i:is|it's|be|was|say|so|thus|then|therefore|hence|think|believe|guess"
    r"|with|for|or|and|nor|neither|either|both|that|to|not|than|over|between|pick|choose|select"
    r"|out))\s*)(?<![\w'(\[.])([A-Z])(?![\w'’)\]]|\.\w)",
    re.MULTILINE,
)
_AFTER_AN_ARTICLE = re.compile(r"[ \t]+(?!(?:because|since|as|is|was|and|or|fits|seems|for)\b)\w")
_NEGATED_BEFORE = re.compile(
    r"(?:\bnot|\bnor|n't(?: be)?|\bneither|\brules? out|\bruled out|\beliminat\w+|\bexclud\w+"
    r"|\binstead of|\brather than|\bover|\bthan)\s+(?:option |choice |the |either )?[(\[]?$",
    re.IGNORECASE,
)
_NEGATED_AFTER = re.compile(
    r"[)\]]?\s*(?:is|was|are|cannot be|can't be)\s*(?:wrong|incorrect|not\b|false|ruled out)"
    r"|[)\]]?\s*(?:isn't|wasn't|can't be|cannot be)\b",
    re.IGNORECASE,
)
_ANOTHER = re.compile(
    r"[)\]]?\s*(?:,|/|&|\bor\b|\band\b)\s*(?:maybe |perhaps |possibly |also )?"
    r"(?:option |choice )?[(\[]?([A-Za-z])(?![\w'])",
    re.IGNORECASE,
)
_CONCLUDES = re.compile(
    r"\b(?:so|therefore|thus|hence|final(?:ly)?|conclu\w+|answer|overall|in short|in sum)\b|=>|→",
    re.IGNORECASE,
)
_LETTERS_ONLY = re.compile(r"(?:[(\[]?\b[A-Za-z]\b[)\].:,;]*\s*){2,}")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


class _Reply(NamedTuple):
    """A reply without its dressing, and the options it may name."""

    text: str
    options: tuple[str, ...]


def chosen_option(reply: str, options: Sequence[str]) -> int | None:
    """Index of the one option that ``reply`` names, or None where it names none or several.

    >>> chosen_option("Let me think. (A) is wrong. So the answer is (B).", ["old", "young"])
    1
    >>> chosen_option("A dog would not know.", ["old", "young"]) is None
    True
    """
    text = _undressed(_THINKING.sub("", reply))
    said = _Reply(text, tuple(_undressed(option).rstrip(".").casefold() for option in options))
    if not text:
        return None
    for look in (_whole, _announced, _own_line, _led, _concluded, _anywhere):
        found = look(said)
        if found is not None:
            return found if found >= 0 else None
    return None


_SEVERAL = -1  # named, but not one: no later rule may settle on less


def _undressed(text: str) -> str:
    plain = text.replace("’", "'").replace("‘", "'")
    return _DRESSING.sub("", plain).strip()


def _index(letter: str, options: Sequence[str]) -> int | None:
    position = ord(letter.upper()) - ord("A")
    return position if position < len(options) else None


def _same_text(text: str, options: Sequence[str]) -> int | None:
    """The option whose text this is, word for word."""
    wanted = text.strip().strip(".!,;:'()").casefold()
    matches = [i for i, option in enumerate(options) if option.strip(".!,;:'()") == wanted]
    return matches[0] if len(matches) == 1 and wanted else None


def _starting_with(text: str, options: Sequence[str]) -> int | None:
    """The longest option that ``text`` begins with, as whole words."""
    lowered = text.lstrip(" '(").casefold()
    fits = [
        i
        for i, option in enumerate(options)
        if option and re.match(re.escape(option) + r"(?!\w)", lowered)
    ]
    return max(fits, key=lambda i: len(options[i])) if fits else None


def _whole(said: _Reply) -> int | None:
    """The reply is a letter, an option, or a letter and its option."""
    if _LETTERS_ONLY.fullmatch(said.text):
        letters = {letter.upper() for letter in re.findall("[A-Za-z]", said.text)}
        if len(letters) > 1:
            return _SEVERAL
        return _sole(letters.pop(), said.options)
    return _sole(said.text, said.options)


def _sole(text: str, options: Sequence[str]) -> int | None:
    same = _same_text(text, options)
    if same is not None:
        return same
    match = _SOLE.fullmatch(text)
    if match:
        index = _index(match[1], options)
        return _SEVERAL if index is None else index
    return None


def _announced(said: _Reply) -> int | None:
    """The last "the answer is …" that is followed by a letter or an option."""
    found = None
    for match in _ANNOUNCED.finditer(said.text):
        tail = said.text[match.end() :].lstrip()
        named = _named_at_start(tail, said.options)
        found = named if named is not None else found
    return found


def _named_at_start(tail: str, options: Sequence[str]) -> int | None:
    match = re.match(r"[(\[<]?([A-Za-z])[)\]>]?(?![\w'])", tail)
    if match is None:
        return _starting_with(tail, options)
    bracketed = not match[0].isalpha()
    rest = tail[match.end() :]
    index = _index(match[1], options)
    if not bracketed and match[1] in "aAI" and _AFTER_AN_ARTICLE.match(rest):
        own = index is not None and _starting_with(rest, options) == index
        if not own:
            return _starting_with(tail, options)
    if (
        index is None
        or _ANOTHER.match(tail[match.start(1) + 1 :])
        or _contradicts(rest, index, options)
    ):
        return _SEVERAL
    return index


def _contradicts(rest: str, index: int, options: Sequence[str]) -> bool:
    """Whether what follows a letter is another option's text."""
    text = re.sub(r"^[\s).:,\-–—=]+(?:is\s+)?", "", rest)
    beside = _starting_with(text, options)
    return beside is not None and beside != index and options[beside] != options[index]


def _own_line(said: _Reply) -> int | None:
    """The first line, or the last sentence, is a letter or an option and nothing else."""
    first, _, rest = said.text.partition("\n")
    last = _SENTENCE_END.split(said.text)[-1]
    parts = [part.strip() for part in (first if rest else "", last if last != said.text else "")]
    named = {index for part in parts if (index := _sole(part, said.options)) is not None}
    return None if not named else named.pop() if len(named) == 1 else _SEVERAL


def _led(said: _Reply) -> int | None:
    """The reply begins with a marked letter and is not a list of the options."""
    match = _LEADING.match(said.text)
    if match is None:
        return None
    rest = said.text[match.end() :]
    index = _index(match[1] or match[2], said.options)
    if index is None or _NEGATED_AFTER.match(rest):
        return None
    if _ANOTHER.match(rest) or _contradicts(rest, index, said.options) or _is_a_list(said):
        return _SEVERAL
    last = _SENTENCE_END.split(said.text)[-1]
    concluded = _letters(last, said.options) if _CONCLUDES.search(last) else set()
    return index if concluded <= {index} else _SEVERAL


def _is_a_list(said: _Reply) -> bool:
    """Whether two or more options are repeated with their letters, none of them denied."""
    repeated = set()
    for match in _MARKED.finditer(said.text):
        index = _index(match[match.lastindex or 1], said.options)
        own = index is not None and (
            _starting_with(said.text[match.end() :].lstrip(" .:)-"), said.options) == index
        )
        if own and not _NEGATED_BEFORE.search(said.text[: match.start()]):
            repeated.add(index)
    return len(repeated) > 1


def _concluded(said: _Reply) -> int | None:
    """The last sentence names one option by letter."""
    parts = _SENTENCE_END.split(said.text)
    if len(parts) < 2:
        return None
    letters = _letters(parts[-1], said.options)
    return letters.pop() if len(letters) == 1 else None


def _anywhere(said: _Reply) -> int | None:
    """One letter, or one option's text, is named in the whole reply and no other is."""
    letters = _letters(said.text, said.options)
    texts = _texts(said)
    if len(letters) > 1 or len(texts) > 1:
        return _SEVERAL
    named = letters | texts
    return named.pop() if len(named) == 1 else None


def _letters(text: str, options: Sequence[str]) -> set[int]:
    """Options named by letter and not denied; letters beyond the options are left out."""
    matches = list(_MARKED.finditer(text))
    for match in _BARE.finditer(text):
        article = match[1] in "AI" and _AFTER_AN_ARTICLE.match(text[match.end() :])
        if not article and match[1] != "I":
            matches.append(match)
    found = set()
    for match in matches:
        group = match.lastindex or 1
        index = _index(match[group], options)
        before, after = text[: match.start(group)], text[match.end() :]
        denied = _NEGATED_BEFORE.search(before) or _NEGATED_AFTER.match(after)
        if index is not None and not denied:
            found.add(index)
    return found


def _texts(said: _Reply) -> set[int]:
    """Options whose text occurs as whole words, longest first and none inside another."""
    lowered = said.text.casefold()
    found = set()
    for index in sorted(range(len(said.options)), key=lambda i: -len(said.options[i])):
        option = said.options[index]
        if not option:
            continue
        pattern = rf"(?<!\w){re.escape(option)}(?!\w)"
        for match in re.finditer(pattern, lowered):
            if not _NEGATED_BEFORE.search(lowered[: match.start()]):
                found.add(index)
        lowered = re.sub(pattern, lambda match: "\0" * len(match[0]), lowered)
    return found
