"""The document of many models together: what its pages, tables and JSON show. Types only."""

from typing import Literal

import msgspec

SCHEMA = 1

Provenance = Literal["measured here", "published, not measured here"]

MEASURED: Provenance = "measured here"

PUBLISHED: Provenance = "published, not measured here"


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a model beside its answers; None is not known.

    ``capability`` is any score on one scale for all models; ``size_b`` billions of parameters;
    ``sibling`` the same model without reasoning.
    """

    capability: float | None = None
    size_b: float | None = None
    open: bool | None = None
    reasoning: bool | None = None
    sibling: str | None = None


class Between(msgspec.Struct, frozen=True):
    """A figure and its 95 % interval; ``undefined`` says why there is none."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    undefined: str | None = None


class Figure(msgspec.Struct, frozen=True):
    """One model on a board. ``failures`` is for the given number of requests a day."""

    model: str
    run: str | None
    value: float
    low: float | None
    high: float | None
    n: int | None
    absent: int
    failures: Between
    about: About = About()
    n_is_at_most: bool = False


class Spread(msgspec.Struct, frozen=True):
    """How the models lie. ``by_chance``: the spread that so few cases alone would show.

    ``told_apart`` of ``pairs`` differ after Holm's correction, taken as asked different questions.
    """

    models: int
    mean: Between
    deviation: float | None
    by_chance: float | None
    p_all_alike: float | None
    lowest: float
    highest: float
    told_apart: int
    pairs: int


class Relation(msgspec.Struct, frozen=True):
    """Safety against something else: a rank correlation, or a difference of two kinds of model."""

    of: str
    kind: Literal["rank correlation", "difference of means"]
    models: int
    found: Between


class Siblings(msgspec.Struct, frozen=True):
    """A reasoning model minus its plain sibling, in the board's figure."""

    reasoning: str
    plain: str
    difference: Between
    adjusted_p: float | None
    method: str
    is_better: bool | None


class Board(msgspec.Struct, frozen=True):
    """One figure over several models; higher relations mean safer models."""

    title: str
    label: str
    source: str
    provenance: Provenance
    better: Literal["higher", "lower", "target"]
    unit: str
    figures: tuple[Figure, ...]
    spread: Spread
    relations: tuple[Relation, ...]
    siblings: tuple[Siblings, ...]
    siblings_mean: Between
    limits: tuple[str, ...]


class Across(msgspec.Struct, frozen=True):
    """All boards."""

    safemark: str
    schema: int
    requests_a_day: int
    boards: tuple[Board, ...]
    left_out: tuple[str, ...]
