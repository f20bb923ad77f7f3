"""A safety gap as one HTML file: no network, no script, the look of the scorecard.

This file turns figures into places on three charts; the page is `templates/gap.html.jinja`. All
charts are drawn on a field of 640 by 360, the axes inside it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from safemark.reports.document import MetricDocument
from safemark.reports.gap_document import Effective, GapDocument, ModelGap, VariantDocument
from safemark.reports.gap_text import (
    UNTOLD,
    by_benchmark,
    caution,
    chance_of,
    change,
    change_of,
    cost_of,
    effective,
    joint_of,
    left_out,
    measured,
    perplexity_of,
    reading,
    share_of,
)
from safemark.reports.html import page

LEFT, RIGHT, TOP, BOTTOM = 56.0, 620.0, 20.0, 300.0
"""Where the axes end."""


@dataclass(frozen=True, slots=True)
class Point:
    """A variant on the plane: its place, the ends of its intervals, its label."""

    x: float
    y: float
    x_ends: tuple[float, float] | None
    y_ends: tuple[float, float] | None
    name: str
    label_y: float
    anchor: str
    kind: str  # "original", "removal", "control" or "broken"
    text: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Plane:
    """Capability across, compliance up; an arrow from the original to each other point."""

    points: tuple[Point, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    text: str
    chance: float | None


@dataclass(frozen=True, slots=True)
class Sized:
    """One model on the axis of size: the product before and after, with the interval after."""

    x: float
    before: float
    after: float
    ends: tuple[float, float]
    name: str
    variant: str


@dataclass(frozen=True, slots=True)
class Scale:
    """Effective dangerous capability by size; ``shade`` is the outline of the gap.

    ``missing`` are models of known size that were not measured.
    """

    models: tuple[Sized, ...]
    shade: str
    missing: tuple[Tick, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Paid:
    """Compliance after so many steps."""

    x: float
    y: float
    ends: tuple[float, float]
    text: str


@dataclass(frozen=True, slots=True)
class Resistance:
    """Compliance against an attacker's cost; ``plain`` is the original's height."""

    points: tuple[Paid, ...]
    line: str
    plain: float
    words: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    text: str


def gap_html(document: GapDocument) -> str:
    """The gap as one self-contained page."""
    return page(
        "gap.html.jinja",
        document=document,
        plane=plane,
        scale=scale,
        resistance=resistance,
        measured=measured,
        reading=reading,
        effective=effective,
        share_of=share_of,
        change=change,
        change_of=change_of,
        cost_of=cost_of,
        groups=groups,
        caution=caution,
        joint_of=joint_of,
        perplexity_of=perplexity_of,
        tables=by_benchmark,
        untold=UNTOLD,
    )


def _x(share: float, least: float = 0.0, most: float = 1.0) -> float:
    return round(LEFT + (RIGHT - LEFT) * min(max((share - least) / (most - least), 0.0), 1.0), 1)


def _y(share: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * min(max(share, 0.0), 1.0), 1)


_UP = tuple(Tick(_y(each / 5), f"{20 * each}") for each in range(6))


def plane(model: ModelGap) -> Plane | None:
    """The plane of a model; None where capability or compliance was not measured."""
    placed = [one for one in model.variants if _shares(one) is not None]
    if not placed or placed[0].name != model.variants[0].name:
        return None
    points: list[Point] = []
    taken: list[tuple[float, float]] = []
    for one in placed:
        points.append(_point(one, taken))
        taken.append((points[-1].x, points[-1].label_y))
    return Plane(
        tuple(points),
        tuple(Tick(_x(each / 5), f"{20 * each}") for each in range(6)),
        _UP,
        "; ".join(point.text for point in points),
        None if (chance := chance_of(model)) is None else _x(chance),
    )


def _shares(one: VariantDocument) -> tuple[float, float] | None:
    able, does = measured(one, "capability"), measured(one, "compliance")
    if able is None or does is None or able.value is None or does.value is None:
        return None
    return able.value, does.value


def _ends(
    metric: MetricDocument | None, at: Callable[[float], float]
) -> tuple[float, float] | None:
    """Where the ends of an interval lie."""
    if metric is None or metric.low is None or metric.high is None:
        return None
    return at(metric.low), at(metric.high)


def _point(one: VariantDocument, taken: Sequence[tuple[float, float]]) -> Point:
    shares = _shares(one) or (0.0, 0.0)
    able, does = measured(one, "capability"), measured(one, "compliance")
    x, y = _x(shares[0]), _y(shares[1])
    label = y - 8.0 if y > TOP + 16 else y + 16.0
    down = y < (TOP + BOTTOM) / 2
    while any(abs(label - other) < 14 and abs(x - place) < 160 for place, other in taken):
        label += 14.0 if down else -14.0
    kind = "control" if one.is_control else "removal"
    if one.broken:
        kind = "broken"
    return Point(
        x,
        y,
        _ends(able, _x),
        _ends(does, _y),
        one.name,
        label,
        "end" if x > (LEFT + RIGHT) / 2 else "start",
        "original" if one.name == "original" else kind,
        f"{one.name}: capability {reading(able)}, compliance {reading(does)}",
    )


def scale(document: GapDocument) -> Scale | None:
    """The product by size of the model; None with fewer than two models of known size."""
    found = [
        (model, before, after)
        for model in document.models
        if model.parameters and (before := effective(model.variants[0])) is not None
        for after in [_largest(model)]
        if after is not None
    ]
    if len(found) < 2:
        return None
    sizes = [math.log10(model.parameters or 1) for model, _, _ in found]
    missing = [one for one in document.left_out if one.parameters]
    beside = [math.log10(one.parameters or 1) for one in missing]
    least, most = min([*sizes, *beside]), max([*sizes, *beside])
    if most == least:
        return None
    room = 0.08 * (most - least)
    models = tuple(
        Sized(
            _x(size, least - room, most + room),
            _y(before.value),
            _y(product.value),
            (_y(product.low), _y(product.high)),
            model.model,
            one.name,
        )
        for size, (model, before, (one, product)) in zip(sizes, found, strict=True)
    )
    upper = [f"{one.x},{one.after}" for one in models]
    lower = [f"{one.x},{one.before}" for one in reversed(models)]
    across = tuple(
        Tick(one.x, _short(model.parameters or 0))
        for one, (model, _, _) in zip(models, found, strict=True)
    )
    text = "; ".join(
        f"{model.model}: {before.value:.2f} as it is, {product.value:.2f} after {one.name}"
        for model, before, (one, product) in found
    )
    grey = tuple(
        Tick(_x(size, least - room, most + room), left_out(one))
        for size, one in zip(beside, missing, strict=True)
    )
    across += tuple(
        Tick(tick.at, _short(one.parameters or 0)) for tick, one in zip(grey, missing, strict=True)
    )
    return Scale(models, " ".join([*upper, *lower]), grey, across, _UP, text)


def _largest(model: ModelGap) -> tuple[VariantDocument, Effective] | None:
    """The removal after which the product is largest, controls and broken runs left out."""
    able = [
        (one, product)
        for one in model.variants[1:]
        if not one.is_control and not one.broken and (product := effective(one)) is not None
    ]
    return max(able, key=lambda pair: pair[1].value, default=None)


def _short(count: int) -> str:
    """A count of parameters in a few characters.

    >>> _short(5_870_000), _short(494_000_000), _short(7_600_000_000)
    ('5.9M', '494M', '7.6B')
    """
    for unit, name in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if count >= unit:
            value = count / unit
            return f"{value:.1f}{name}" if value < 10 else f"{value:.0f}{name}"
    return str(count)


def resistance(model: ModelGap) -> Resistance | None:
    """Compliance by steps of fine-tuning on harm; None with fewer than two such variants."""
    found = sorted(
        (
            one
            for one in model.variants[1:]
            if one.steps and not one.is_control and measured(one, "compliance") is not None
        ),
        key=lambda one: one.steps or 0,
    )
    if len(found) < 2:
        return None
    most = float(max(one.steps or 0 for one in found))
    points: list[Paid] = []
    plain: float | None = None
    for one in [model.variants[0], *found]:
        does = measured(one, "compliance")
        if does is None or does.value is None or does.low is None or does.high is None:
            continue
        plain = does.value if plain is None else plain
        text = f"{one.steps or 0} steps: {reading(does)}"
        cost = cost_of(one)
        points.append(
            Paid(
                _x((one.steps or 0) / most),
                _y(does.value),
                (_y(does.low), _y(does.high)),
                f"{text}{f' ({cost})' if cost else ''}",
            )
        )
    return Resistance(
        tuple(points),
        " ".join(f"{point.x},{point.y}" for point in points),
        _y(plain or 0.0),
        _paid_in_words(found, plain),
        (Tick(_x(0.0), "0"), *(Tick(_x((one.steps or 0) / most), str(one.steps)) for one in found)),
        _UP,
        "; ".join(point.text for point in points),
    )


FREED = 0.8
"""Compliance from which a model counts as stripped in words."""


def _paid_in_words(found: Sequence[VariantDocument], plain: float | None) -> str:
    """The cheapest of the tunes after which surely more than half, or most, is complied with."""
    said = "Dashed: the model as it is. Points with their 95 % intervals."
    for one in found:
        does = measured(one, "compliance")
        if does is not None and does.value is not None and does.value >= FREED > (plain or 0.0):
            return f"{said} The least that brought compliance to {FREED:.0%}: {cost_of(one)}."
    return f"{said} None of these brought compliance to {FREED:.0%}."


def groups(model: ModelGap) -> list[str]:
    """The groups of the capability, such as biology, chemistry and cyber."""
    if not model.variants:
        return []
    return [each.group for each in model.variants[0].effective if each.group is not None]
