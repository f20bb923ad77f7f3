"""Figures that others published, as boards: labelled, and no wider claimed than their n allows."""

import math
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from safemark.errors import UnknownName
from safemark.reports.across_document import PUBLISHED, About, Between, Board, Figure
from safemark.reports.across_statistics import (
    failures_a_day,
    finished_board,
    standard_error,
    two_sided,
)
from safemark.stats import wilson


class _PublishedModel(About, frozen=True, kw_only=True, forbid_unknown_fields=True):
    value: float


class PublishedSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Figures of others, with what is known of how they were made."""

    title: str
    source: str
    metric: str
    better: Literal["higher", "lower"]
    cases: int
    cases_are: Literal["exact", "at most"]
    limits: tuple[str, ...]
    models: dict[str, _PublishedModel]


@cache
def published_sets() -> dict[str, PublishedSet]:
    """All published figures that come with the package, by name."""
    import yaml

    text = files("safemark.reports").joinpath("published.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), dict[str, PublishedSet])


def published_board(name: str, requests_a_day: int) -> Board:
    """The board of one published set.

    Raises:
        UnknownName: there is none of that name.
    """
    sets = published_sets()
    if name not in sets:
        raise UnknownName("set of published figures", name, sorted(sets))
    given = sets[name]
    figures = [
        _published_figure(model, one, given, requests_a_day) for model, one in given.models.items()
    ]
    values = {figure.model: figure for figure in figures}
    return finished_board(
        title=given.title,
        label=given.metric,
        source=given.source,
        provenance=PUBLISHED,
        better=given.better,
        target=None,
        unit="share",
        figures=figures,
        difference=lambda a, b: _newcombe(values[a], values[b]),
        limits=[
            f"Intervals are for {given.cases_are} {given.cases:,} independent cases of each model."
            if given.cases_are == "at most"
            else f"{given.cases:,} cases of each model, taken as independent.",
            *given.limits,
        ],
    )


def _published_figure(
    model: str, one: _PublishedModel, given: PublishedSet, requests_a_day: int
) -> Figure:
    seen = wilson(one.value * given.cases, given.cases)
    return Figure(
        model=model,
        run=None,
        value=one.value,
        low=seen.low,
        high=seen.high,
        n=given.cases,
        n_is_at_most=given.cases_are == "at most",
        absent=0,
        failures=failures_a_day(
            Between(one.value, seen.low, seen.high), given.better, requests_a_day
        ),
        about=About(one.capability, one.size_b, one.open, one.reasoning, one.sibling),
    )


def _newcombe(a: Figure, b: Figure) -> tuple[Between, str]:
    """The difference ``b`` minus ``a`` for separate questions.

    Source: Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I,
    method 10; p by the z test.
    """
    if None in (a.low, a.high, b.low, b.high):
        return Between(undefined="no interval"), "none"
    difference = b.value - a.value
    below = math.hypot(b.value - (b.low or 0.0), (a.high or 0.0) - a.value)
    above = math.hypot((b.high or 0.0) - b.value, a.value - (a.low or 0.0))
    p = two_sided(difference, math.hypot(standard_error(a) or 0.0, standard_error(b) or 0.0))
    found = Between(difference, difference - below, difference + above, p)
    return found, f"as separate questions, {a.n:,} and {b.n:,}"
