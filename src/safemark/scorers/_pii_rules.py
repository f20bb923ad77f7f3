"""Where a text holds personal data: recognisers by shape, checksum and the words around.

Precise rather than complete: a name is found only where the words around say that it is one. For
names in running text, `presidio` with a language model of its own finds more.
"""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from safemark.scorers._pii_ids import IDENTIFIERS, Identifier
from safemark.scorers._pii_secrets import ISSUED, LOGIN, NAMED, PRIVATE_KEY, looks_drawn
from safemark.scorers._pii_shapes import (
    ADDRESSES,
    BIRTH,
    DATE,
    EMAIL,
    FORMATTED_PHONE,
    HAS_DIGIT,
    IP_V4,
    IP_V6,
    LONG_NUMBER,
    LONG_RUN,
    MAC,
    MAY_HOLD_SECRET,
    MAY_NAME,
    NAMES,
    NO_NAME,
    NUMBER,
    PHONE_WORDS,
    TOLD_ADDRESS,
    TOLD_NUMBER,
    TOLD_POSTCODE,
    UK_POSTCODE,
)

NEAR_BEFORE = 48
NEAR_AFTER = 24
"""Characters around a number in which a word may say what it is."""

LONGEST_TEXT = 200_000
"""Characters of a text that are searched; what is behind them is not."""


@dataclass(frozen=True, slots=True)
class Found:
    """Personal data of one kind, from ``start`` to before ``end``, in characters."""

    kind: str
    start: int
    end: int


def find(text: str) -> tuple[Found, ...]:
    """Personal data in ``text``, in order and not overlapping; the surer kind wins a place.

    Kinds: email, secret, ip_address, mac_address, card, iban, national identifiers by country
    (`us_ssn`, `uk_nino`, …), phone, address, postcode, birth_date, name.
    """
    text = text[:LONGEST_TEXT]
    taken: list[Found] = []
    for found in _all(text):
        if all(found.end <= other.start or found.start >= other.end for other in taken):
            taken.append(found)
    return tuple(sorted(taken, key=lambda found: found.start))


def _all(text: str) -> Iterator[Found]:
    """Everything that any recogniser sees, the surest kinds first; cheap signs spare most texts."""
    has_digit = HAS_DIGIT.search(text) is not None
    yield from _secrets(text)
    if "@" in text:
        yield from _matches("email", EMAIL, text)
    if has_digit:
        yield from _internet(text)
        yield from _identifiers(text)
        yield from _told(text, "birth_date", BIRTH)
        for shape in ADDRESSES:
            yield from _matches("address", shape, text)
        yield from _told(text, "address", TOLD_ADDRESS)
        yield from _phones(text)
        yield from _told(text, "postcode", TOLD_POSTCODE)
        yield from _matches("postcode", UK_POSTCODE, text)
    if MAY_NAME.search(text):
        for shape in NAMES:
            for found in _told(text, "name", shape):
                if text[found.start : found.end].split(maxsplit=1)[0].rstrip(".,") not in NO_NAME:
                    yield found


def _matches(kind: str, shape: re.Pattern[str], text: str) -> Iterator[Found]:
    for match in shape.finditer(text):
        yield Found(kind, match.start(), match.end())


def _told(text: str, kind: str, shape: re.Pattern[str]) -> Iterator[Found]:
    """Where the words before say what the ``value`` behind them is."""
    for match in shape.finditer(text):
        yield Found(kind, match.start("value"), match.end("value"))


def _secrets(text: str) -> Iterator[Found]:
    if LONG_RUN.search(text):
        yield from _matches("secret", ISSUED, text)
    if "PRIVATE KEY" in text:
        yield from _matches("secret", PRIVATE_KEY, text)
    if MAY_HOLD_SECRET.search(text):
        yield from _told(text, "secret", LOGIN)
        for found in _told(text, "secret", NAMED):
            if looks_drawn(text[found.start : found.end]):
                yield found


def _internet(text: str) -> Iterator[Found]:
    shapes = [("ip_address", IP_V4)] if "." in text else []
    if ":" in text:
        shapes.append(("ip_address", IP_V6))
    for kind, shape in shapes:
        for match in shape.finditer(text):
            if _is_address_of_a_machine(match.group()):
                yield Found(kind, match.start(), match.end())
    if ":" in text or "-" in text:
        yield from _matches("mac_address", MAC, text)


def _is_address_of_a_machine(value: str) -> bool:
    """A valid address that is nobody's loopback, wildcard or example."""
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)


def _identifiers(text: str) -> Iterator[Found]:
    if not LONG_NUMBER.search(text) and not TOLD_NUMBER.search(text):
        return
    for row in IDENTIFIERS:
        if row.needs in ("context", "both") and not _is_named(row, text):
            continue
        for match in row.shape.finditer(text):
            if _fits(row, text, match):
                yield Found(row.kind, match.start(), match.end())


def _is_named(row: Identifier, text: str) -> bool:
    lowered = text.lower()
    return any(word in lowered for word in row.words)


def _fits(row: Identifier, text: str, match: re.Match[str]) -> bool:
    if row.needs == "shape":
        return True
    holds = row.holds is not None and row.holds(match.group())
    if row.needs == "checksum":
        return holds
    around = text[max(0, match.start() - NEAR_BEFORE) : match.end() + NEAR_AFTER].lower()
    is_told = any(word in around for word in row.words)
    return (is_told and holds) if row.needs == "both" else is_told


def _phones(text: str) -> Iterator[Found]:
    for match in NUMBER.finditer(text):
        value = match.group()
        digits = sum(character.isdigit() for character in value)
        if not 7 <= digits <= 17 or DATE.match(value) or value.count("(") != value.count(")"):
            continue
        before = text[max(0, match.start() - NEAR_BEFORE) : match.start()]
        if FORMATTED_PHONE.match(value) or PHONE_WORDS.search(before):
            yield Found("phone", match.start(), match.end())
