"""What was given to an option, as text, and what it means: lists, durations, text in a file."""

import re
from collections.abc import Iterable
from pathlib import Path

from safemark.errors import UsageError
from safemark.files import text_in

_DURATION = re.compile(r"^(\d+(?:\.\d+)?)\s*(s|m|h)?$")
_SECONDS = {"s": 1, "m": 60, "h": 3600, None: 1}


def listed(given: str | Iterable[str] | None, called: str) -> list[str]:
    """What was named, with commas or by repeating the option; ``called`` names it in an error.

    Raises:
        UsageError: one name is empty.

    >>> listed(["base64, pair", "goat"], "--attack")
    ['base64', 'pair', 'goat']
    """
    each = [given] if isinstance(given, str) else given or ()
    parts = [part.strip() for words in each for part in words.split(",")]
    if not all(parts):
        raise UsageError(
            f"`{called}` is given an empty name", "is a variable unset, or a comma too many?"
        )
    return parts


def text_of(given: str | None, flag: str) -> str | None:
    """The text itself, or after ``@`` what stands in that file.

    Raises:
        UsageError: the file cannot be read, or none is named.
    """
    if given is None or not given.startswith("@"):
        return given
    if given == "@":
        raise UsageError(f"`{flag} @` names no file", f"for example {flag} @prompt.txt")
    return text_in(Path(given[1:]), flag)


def seconds_of(given: str | None, flag: str) -> float | None:
    """A duration in seconds.

    Raises:
        UsageError: it is none.

    >>> seconds_of("1.5m", "--max-time")
    90.0
    """
    if given is None:
        return None
    match = _DURATION.match(given.strip())
    if match is None:
        raise UsageError(f"{flag} {given} is no duration", "for example 90s, 10m or 2h")
    return float(match[1]) * _SECONDS[match[2]]
