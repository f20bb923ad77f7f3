"""The one map of risk: 20 pillars and 94 categories, as ForesightSafety Bench names them (MIT).

The table is ``categories.yaml``; its source stands there. `crosswalk` says where other benchmarks'
categories lie on the map.
"""

from functools import cache
from importlib import resources
from typing import Any, Literal

import msgspec

from safemark.data import yaml_value
from safemark.errors import UnknownName

Tier = Literal["fundamental", "extended", "industrial"]


class Category(msgspec.Struct, frozen=True):
    """One of the 94; ``what`` says what an answer of that kind does.

    ``released_items`` are rows of the released tables, None where it has none of its own.
    """

    id: str
    name: str
    what: str
    released_items: int | None

    @property
    def pillar(self) -> str:
        """The id of its pillar.

        >>> category("F1.3").pillar
        'F1'
        """
        return self.id.partition(".")[0]


class Pillar(msgspec.Struct, frozen=True):
    """A row of the map: five to seven categories, three in the industries."""

    id: str
    tier: Tier
    name: str
    what: str
    how_tested: str
    categories: tuple[Category, ...]


class _File(msgspec.Struct, frozen=True):
    source: dict[str, str]
    pillars: tuple[Pillar, ...]


@cache
def _file() -> _File:
    return msgspec.convert(shipped("categories.yaml"), _File)


def shipped(name: str) -> Any:
    """What a table of this folder holds, as YAML gives it."""
    return yaml_value(resources.files("safemark.taxonomy").joinpath(name).read_bytes())


def source() -> dict[str, str]:
    """Where the names come from, with commit and licence."""
    return _file().source


def pillars() -> tuple[Pillar, ...]:
    """The 20 pillars, in the published order."""
    return _file().pillars


@cache
def categories() -> tuple[Category, ...]:
    """The 94 categories, in the published order."""
    return tuple(category for pillar in pillars() for category in pillar.categories)


@cache
def _by_id() -> dict[str, Category]:
    return {category.id: category for category in categories()}


def category(name: str) -> Category:
    """The category of that id.

    >>> category("F1.3").name
    'Stalking & Doxxing'

    Raises:
        UnknownName: there is none.
    """
    if name not in _by_id():
        raise UnknownName("category", name, _by_id(), "safemark list categories")
    return _by_id()[name]
