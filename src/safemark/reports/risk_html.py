"""The risk map as a folder of HTML pages: no network, no script.

This file turns figures into places; the pages are `templates/risk.html.jinja` and
`templates/risk_category.html.jinja`, their looks `templates/risk.css` on the scorecard's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safemark import taxonomy
from safemark.errors import StoreError
from safemark.reports.html import page
from safemark.reports.risk import BY_RULES
from safemark.reports.risk_document import CategoryPage, Cell, ModelRisk, RiskMap
from safemark.reports.risk_published import ai4science, average

RADIUS = 190.0
MIDDLE = 230.0
"""Of the radar, in pixels."""

SHOWN_ON_RADAR = 12
"""So many models have a radar of their own; the map has all."""

FEW = 12
"""Up to so many models have wide columns on the map."""


@dataclass(frozen=True, slots=True)
class Spoke:
    """A pillar's axis: where it ends, and its label."""

    x: float
    y: float
    text_x: float
    text_y: float
    anchor: str
    text: str
    name: str


@dataclass(frozen=True, slots=True)
class Ring:
    """A rate all around, labelled between the first two spokes."""

    radius: float
    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Shape:
    """One model on the radar: measured points, and lines between those of neighbouring pillars.

    ``area`` is the outline as SVG has it, "" where a pillar is not measured.
    """

    model: str
    points: tuple[tuple[float, float], ...]
    lines: tuple[tuple[float, float, float, float], ...]
    area: str
    text: str


@dataclass(frozen=True, slots=True)
class Radar:
    """Pillars around, the rate outwards, from none in the middle to ``most`` at the rim."""

    spokes: tuple[Spoke, ...]
    rings: tuple[Ring, ...]
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A rate on an axis across, in per cent of the width."""

    point: float
    low: float
    high: float
    text: str


def risk_pages(found: RiskMap) -> dict[str, str]:
    """File name → page: ``index.html`` and one for each category, such as ``F1.3.html``."""
    order = [one.id for one in found.categories]
    by_id = {one.id: one for one in found.categories}
    pages = {"index.html": _index(found, by_id)}
    for place, name in enumerate(order):
        pages[f"{name}.html"] = page(
            "risk_category.html.jinja",
            found=found,
            category=by_id[name],
            before=order[place - 1] if place else None,
            after=order[place + 1] if place + 1 < len(order) else None,
            bar=bar,
            share=share,
            told=told,
            measured=any(one.cells[name].judged or one.cells[name].absent for one in found.models),
            why_not=why_not(by_id[name]),
            has_twins=any(name in one.twins for one in found.models),
            most=rim([one.cells[name] for one in found.models]),
            published=_published_cells(name),
        )
    return pages


def write_pages(found: RiskMap, folder: Path) -> Path:
    """Write the pages into ``folder``, which is made; the first of them is given back.

    Raises:
        StoreError: a page cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in risk_pages(found).items():
            (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be written: {error.strerror}", "name another folder with -o"
        ) from error
    return folder / "index.html"


def _index(found: RiskMap, by_id: dict[str, CategoryPage]) -> str:
    return page(
        "risk.html.jinja",
        found=found,
        pillars=taxonomy.pillars(),
        by_id=by_id,
        radar=radar(found.models),
        bar=bar,
        share=share,
        step=step,
        told=told,
        most=rim([one.overall for one in found.models]),
        by_rules=[one.model for one in found.models if BY_RULES in one.judged_by],
        partly={one.model for one in found.models if is_partly(one, found.models)},
        is_wide=len(found.models) <= FEW,
        unmeasured=unmeasured(found),
        has_twins=any(one.over_refusal.judged for one in found.models),
        refusing=[one.model for one in found.models if refuses_much(one)],
        ai4science=ai4science(),
        average=average,
    )


def is_partly(one: ModelRisk, models: Sequence[ModelRisk]) -> bool:
    """Whether a model was measured in fewer than half as many categories as another."""
    return 2 * one.measured < max(each.measured for each in models)


MUCH = 0.3
"""From this share of harmless twins on a low risk rate is no safety: safemark94's red band."""


def refuses_much(one: ModelRisk) -> bool:
    """Whether a model helps with so few harmless twins that its risk rate says little."""
    return one.over_refusal.rate is not None and one.over_refusal.rate >= MUCH


def unmeasured(found: RiskMap) -> list[tuple[CategoryPage, str]]:
    """Categories in which no model was measured, and why."""
    return [
        (one, why_not(one))
        for one in found.categories
        if not any(each.cells[one.id].judged for each in found.models)
    ]


def why_not(category: CategoryPage) -> str:
    """Why nothing is known of a category: nothing risky is shipped, or nothing was asked.

    What can be asked stands beside it.
    """
    if category.grey:
        return category.grey
    asked = dict.fromkeys(feed.partition(":")[0] for feed in category.feeds)
    return f"no answer to {', '.join(asked)} was read"


def step(cell: Cell) -> str:
    """The colour of a cell: r0 (no risk) to r10 (every answer), "none" where it is not measured.

    >>> step(Cell(unsafe=1, judged=4, rate=0.25)), step(Cell())
    ('r3', 'none')
    """
    return "none" if cell.rate is None else f"r{math.ceil(round(10 * cell.rate, 9))}"


def share(rate: float | None) -> str:
    """A rate in per cent, as short as a cell wants it.

    >>> share(0.25), share(0.004), share(None)
    ('25', '<1', '·')
    """
    if rate is None:
        return "·"
    return "<1" if 0 < rate < 0.01 else f"{100 * rate:.0f}"


def told(cell: Cell) -> str:
    """A cell in words.

    >>> told(Cell(3, 12, 1, 0.25, 0.089, 0.532))
    '3 of 12 unsafe: 25.0 % (8.9 to 53.2), 1 absent'
    """
    absent = f", {cell.absent:,} absent" if cell.absent else ""
    if cell.rate is None or cell.low is None or cell.high is None:
        return f"not measured{absent}"
    low, high = 100 * cell.low, 100 * cell.high
    return (
        f"{cell.unsafe:,} of {cell.judged:,} unsafe: {100 * cell.rate:.1f} %"
        f" ({low:.1f} to {high:.1f}){absent}"
    )


def rim(cells: Sequence[Cell]) -> float:
    """The upper end of an axis that shows these rates with their limits, in tenths."""
    highest = max((cell.high or 0.0 for cell in cells), default=0.0)
    return max(math.ceil(round(10 * highest, 9)) / 10, 0.1)


def bar(cell: Cell, most: float) -> Bar | None:
    """A rate and its limits on an axis from 0 to ``most``; None where it is not measured."""
    if cell.rate is None or cell.low is None or cell.high is None:
        return None
    at = [round(100 * min(value / most, 1.0), 2) for value in (cell.rate, cell.low, cell.high)]
    return Bar(at[0], at[1], at[2], told(cell))


def radar(models: Sequence[ModelRisk]) -> Radar:
    """The pillars of the first models that were measured in most of what others were."""
    shown = [one for one in models if not is_partly(one, models)][:SHOWN_ON_RADAR]
    pillars = taxonomy.pillars()
    rates = [one.pillars[pillar.id].rate or 0.0 for one in shown for pillar in pillars]
    most = max(math.ceil(round(10 * max(rates, default=0.0), 9)) / 10, 0.1)
    angles = [2 * math.pi * place / len(pillars) for place in range(len(pillars))]
    between = angles[1] / 2
    rings = tuple(
        Ring(round(RADIUS * part, 1), *_at(between, RADIUS * part), f"{100 * most * part:g} %")
        for part in (0.5, 1.0)
    )
    return Radar(
        tuple(_spoke(one.id, one.name, angle) for one, angle in zip(pillars, angles, strict=True)),
        rings,
        tuple(_shape(one, angles, most) for one in shown),
    )


def _at(angle: float, radius: float) -> tuple[float, float]:
    return (
        round(MIDDLE + radius * math.sin(angle), 1),
        round(MIDDLE - radius * math.cos(angle), 1),
    )


def _spoke(id_: str, name: str, angle: float) -> Spoke:
    x, y = _at(angle, RADIUS)
    text_x, text_y = _at(angle, RADIUS + 12)
    side = math.sin(angle)
    anchor = "middle" if abs(side) < 0.2 else "start" if side > 0 else "end"
    return Spoke(x, y, text_x, round(text_y + 4, 1), anchor, id_, name)


def _shape(one: ModelRisk, angles: Sequence[float], most: float) -> Shape:
    placed: list[tuple[float, float] | None] = []
    for pillar, angle in zip(taxonomy.pillars(), angles, strict=True):
        rate = one.pillars[pillar.id].rate
        placed.append(None if rate is None else _at(angle, RADIUS * min(rate / most, 1.0)))
    lines = tuple(
        (*a, *b)
        for a, b in zip(placed, [*placed[1:], placed[0]], strict=True)
        if a is not None and b is not None
    )
    points = tuple(each for each in placed if each is not None)
    area = " ".join(f"{x:g},{y:g}" for x, y in points) if len(points) == len(placed) else ""
    return Shape(one.model, points, lines, area, _worst_pillars(one))


def _worst_pillars(one: ModelRisk) -> str:
    """What a radar says in words: the three highest rates.

    Pillars that were not measured are counted.
    """
    names = {pillar.id: pillar.name for pillar in taxonomy.pillars()}
    rated = sorted(
        ((cell.rate, id_) for id_, cell in one.pillars.items() if cell.rate is not None),
        key=lambda each: (-each[0], list(names).index(each[1])),
    )
    shown = [f"{id_} {names[id_]} {100 * rate:.0f} %" for rate, id_ in rated[:3] if rate]
    missing = len(names) - len(rated)
    known = "highest in " + ", ".join(shown) if shown else "no answer was judged unsafe"
    return known + (f"; {missing} of {len(names)} pillars not measured" if missing else "")


def _published_cells(category: str) -> list[tuple[str, float, float]]:
    """Model, published rates asked directly and attacked, in per cent; of AI4Science alone."""
    tables = ai4science()
    places = [place for place, id_ in enumerate(tables.subjects.values()) if id_ == category]
    return [
        (model, cells[place], tables.attacked[model][place])
        for place in places
        for model, cells in tables.direct.items()
    ]
