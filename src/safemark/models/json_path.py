"""Where something stands in a JSON document: ``choices[0].message.content``.

Names follow dots, positions and names that hold dots stand in brackets, ``[*]`` is every element.
What is not there is told with what is there instead.
"""

import re
from dataclasses import dataclass
from typing import Any

from safemark.errors import UsageError

_STEP = re.compile(
    r"""\.?(?P<name>[^.\[\]\s"']+)
      | \[(?P<index>-?\d+)\]
      | \[(?P<every>\*)\]
      | \[(?P<quote>["'])(?P<quoted>.*?)(?P=quote)\]""",
    re.VERBOSE,
)
_EVERY = slice(None)
_SHOWN_KEYS = 8


class NotThere(LookupError):
    """The document has nothing at that path; says what stands where the path breaks off."""


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A path as it was written, and its steps."""

    text: str
    steps: tuple[Any, ...]

    def find(self, document: Any) -> Any:
        """What stands there; a list of everything where the path holds ``[*]``.

        Raises:
            NotThere: a step leads nowhere.

        >>> json_path("a[*].b").find({"a": [{"b": 1}, {"b": 2}]})
        [1, 2]
        """
        return _walk(document, self.steps, "")

    def get(self, document: Any) -> Any | None:
        """The same, None where nothing stands there."""
        try:
            return self.find(document)
        except NotThere:
            return None


def json_path(text: str) -> JsonPath:
    """The path that ``text`` writes; a leading ``$`` may stand for the document.

    Raises:
        UsageError: it is no path.
    """
    rest = text.strip().removeprefix("$")
    steps: list[Any] = []
    while rest:
        match = _STEP.match(rest)
        if match is None:
            raise UsageError(f"`{text}` is no path", "for example choices[0].message.content")
        steps.append(_step(match))
        rest = rest[match.end() :]
    return JsonPath(text.strip(), tuple(steps))


def _step(match: "re.Match[str]") -> Any:
    if match["every"]:
        return _EVERY
    if match["index"] is not None:
        return int(match["index"])
    return match["name"] if match["name"] is not None else match["quoted"]


def _walk(value: Any, steps: tuple[Any, ...], been: str) -> Any:
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if step is _EVERY:
        if not isinstance(value, list):
            raise NotThere(f"{_place(been)} is {kind(value)}, not a list")
        return [_walk(one, rest, f"{been}[{i}]") for i, one in enumerate(value)]
    if isinstance(step, int):
        if not isinstance(value, list):
            raise NotThere(f"{_place(been)} is {kind(value)}, not a list")
        if not -len(value) <= step < len(value):
            raise NotThere(f"{_place(been)} is {kind(value)}, so there is no [{step}]")
        return _walk(value[step], rest, f"{been}[{step}]")
    if not isinstance(value, dict) or step not in value:
        raise NotThere(f"no `{step}`: {_place(been)} is {kind(value)}")
    return _walk(value[step], rest, f"{been}.{step}" if been else step)


def _place(been: str) -> str:
    return f"`{been}`" if been else "the document"


def kind(value: Any) -> str:
    """What a JSON value is, in a few words.

    >>> kind({"a": 1, "b": 2}), kind([1]), kind(None)
    ('an object with `a`, `b`', 'a list of 1', 'null')
    """
    if isinstance(value, dict):
        keys = [f"`{key}`" for key in value][:_SHOWN_KEYS]
        more = ", …" if len(value) > _SHOWN_KEYS else ""
        return f"an object with {', '.join(keys)}{more}" if keys else "an empty object"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return "a text" if isinstance(value, str) else "a number"
