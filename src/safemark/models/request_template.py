"""Filling a request's template with what is asked: by structure, never by splicing into JSON.

A text that is one placeholder becomes that value, a list stays a list; within a longer text it is
put in as text. What was filled in is not read again, so a prompt that holds ``{{session}}`` stays
a prompt. A placeholder alone whose value is not known takes its key with it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from safemark.errors import UnknownName, UsageError

TEXTS = frozenset(
    {"prompt", "system", "session", "id", "temperature", "max_output_tokens", "seed", "draw"}
)
LISTS = frozenset({"messages", "history", "stop"})
PLACEHOLDERS = TEXTS | LISTS

_ONE = re.compile(r"\{\{\s*([\w-]*)\s*\}\}")
_ABSENT = object()


def placeholders(template: Any) -> frozenset[str]:
    """The names of all placeholders in a template of mappings, lists and texts.

    Raises:
        UnknownName: one of them does not exist.
        UsageError: a list stands within a text.
    """
    found: set[str] = set()
    for text in _texts(template):
        names = _ONE.findall(text)
        for name in names:
            if name not in PLACEHOLDERS:
                raise UnknownName("placeholder", name, PLACEHOLDERS)
            if name in LISTS and not _ONE.fullmatch(text):
                raise UsageError(
                    f"`{{{{{name}}}}}` is a list and cannot stand within a text",
                    f'let it be the whole value: "{{{{{name}}}}}"',
                )
        found.update(names)
    return frozenset(found)


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """``template`` with ``values`` in their places.

    >>> filled({"q": "{{prompt}}", "t": "{{temperature}}"}, {"prompt": 'say "hi"'})
    {'q': 'say "hi"'}
    """
    found = _filled(template, values)
    return None if found is _ABSENT else found


def filled_text(template: str, values: Mapping[str, Any]) -> str:
    """The same for a text that stays one: lists as JSON, what is not known as nothing."""
    return _ONE.sub(lambda match: _as_text(values.get(match[1])), template)


def filled_path(template: str, values: Mapping[str, Any]) -> str:
    """The same for an address: what is put in can neither end a segment nor begin a query."""
    return _ONE.sub(lambda match: quote(_as_text(values.get(match[1])), safe=""), template)


def _filled(template: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(template, str):
        whole = _ONE.fullmatch(template)
        if whole is None:
            return filled_text(template, values)
        value = values.get(whole[1])
        return _ABSENT if value is None else value
    if isinstance(template, dict):
        pairs = ((key, _filled(value, values)) for key, value in template.items())
        return {key: value for key, value in pairs if value is not _ABSENT}
    if isinstance(template, list):
        return [one for one in (_filled(value, values) for value in template) if one is not _ABSENT]
    return template


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _texts(template: Any) -> Iterator[str]:
    if isinstance(template, str):
        yield template
    elif isinstance(template, dict):
        for value in template.values():
            yield from _texts(value)
    elif isinstance(template, list):
        for value in template:
            yield from _texts(value)
