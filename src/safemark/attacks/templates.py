"""Templates of a file of one's own, each an attack of its own, as with the public sets.

    safemark run MODEL -b advbench --judge M --attack templates:jailbreaks.json

    ["… [INSERT PROMPT HERE] …", …]           a list, numbered from 0
    {"AIM": "… {request} …", …}               by name
    name,text                                 the same as CSV; without a name, numbered

The request stands where a template has a place for it, in any of the usual spellings, else after
it. Reports tell of the file as the worst of its templates, their mean, and any of them.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from safemark.attacks._attack import Attack, rewriting
from safemark.attacks.gptfuzz import PLACE
from safemark.attacks.in_the_wild import filled
from safemark.data import csv_rows
from safemark.errors import DataError, UsageError

SOURCE = "a file of one's own"
_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def of(argument: str) -> Attack:
    """The family of a file's templates.

    Raises:
        UsageError: the file cannot be read, or holds none.
    """
    path = Path(argument)
    found = read(path)
    family = f"templates:{_plain(path.stem)}"
    return Attack(
        family,
        "1",
        f"{len(found)} templates of {path.name}",
        source=SOURCE,
        members=lambda: tuple(
            one(f"{family}/{_plain(name)}", family, text) for name, text in found.items()
        ),
    )


def one(name: str, family: str, text: str) -> Attack:
    """A template as an attack; its text is in its version."""
    digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
    return Attack(
        name,
        f"1-{digest[:8]}",
        f"a template of {family.partition(':')[2]}",
        source=SOURCE,
        rewrite=rewriting(filled(text.replace(PLACE, "{request}"))),
        settings={"family": family},
    )


def read(path: Path) -> Mapping[str, str]:
    """The templates of a file by name.

    Raises:
        UsageError: it cannot be read, holds none, or two come to the same name.
    """
    hint = 'a JSON list of texts, {"NAME": "TEXT"}, or CSV with the columns name and text'
    try:
        rows = _rows(path)
    except (OSError, DataError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as templates: {error}", hint) from error
    named = [(_plain(name), text) for name, text in rows if text.strip()]
    found = dict(named)
    if not found:
        raise UsageError(f"{path} holds no template", hint)
    if len(found) < len(named):
        raise UsageError(f"two templates of {path} have the same name", "give each its own")
    return found


def _rows(path: Path) -> list[tuple[str, str]]:
    if path.suffix == ".csv":
        rows = enumerate(csv_rows(path))
        return [(row.get("name") or str(place), row.get("text") or "") for place, row in rows]
    found = msgspec.json.decode(path.read_bytes(), type=list[str] | dict[str, str])
    if isinstance(found, list):
        return [(str(place), text) for place, text in enumerate(found)]
    return list(found.items())


def _plain(name: str) -> str:
    """A name as part of an attack's: no sign that joins or splits attacks."""
    return _NAME.sub("-", name).strip("-")[:40] or "unnamed"


attack = Attack(
    "templates",
    "1",
    "templates of a file of one's own, each an attack of its own; name the file",
    source=SOURCE,
    with_argument=of,
)
