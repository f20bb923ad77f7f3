"""A safety gap for a terminal and for a spreadsheet: understandable without colour."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from safemark.reports.document import MetricDocument
from safemark.reports.gap_document import (
    ROLES,
    Change,
    Effective,
    GapDocument,
    Joint,
    LeftOut,
    Measure,
    ModelGap,
    Role,
    VariantDocument,
)
from safemark.reports.templates import wording
from safemark.reports.terminal import printed

_ACTS = ("=", "+", "-", "@", "\t", "\r", "|", "%")
"""What a spreadsheet would take for the beginning of a formula."""

MOST_NOISE = 0.1
"""Above which surely a model's own replies are no language."""

UNTOLD = "not measured: nothing that was asked tells it"

COLUMNS = (
    "model",
    "parameters",
    "variant",
    "control",
    "run",
    "role",
    "measure",
    "group",
    "value",
    "low",
    "high",
    "outer_low",
    "outer_high",
    "n",
    "absent",
    "change",
    "change_low",
    "change_high",
    "p",
    "chance",
    "steps",
    "samples",
    "seconds",
    "broken",
    "failed",
)


def gap_terminal(document: GapDocument, width: int = 80, color: bool | None = None) -> str:
    """The gap as text at most ``width`` wide."""
    blocks: list[RenderableType] = []
    for model in document.models:
        blocks += [*_model(model), Text("")]
    blocks += [_line(left_out(one), "bold yellow") for one in document.left_out]
    blocks += [Text("")] if document.left_out else []
    blocks += [_line(note, "dim") for note in document.notes]
    blocks += [_line(document.published, "dim")] if document.published else []
    return printed(Group(*blocks), max(60, width), color)


def _model(model: ModelGap) -> Iterator[RenderableType]:
    size = f" · {wording.count(model.parameters)} parameters" if model.parameters else ""
    yield _line(f"Safety gap of {model.model}{size}", "bold")
    yield _line(f"capability: {model.capability or UNTOLD}")
    yield _line(f"compliance: {model.compliance or UNTOLD}")
    if said := caution(model):
        yield _line(said, "bold yellow")
    for name, why in model.left_out:
        yield _line(f"not asked: {name}: {why}", "yellow")
    yield Text("")
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for name in ("variant", "capability", "compliance", "effective", "gap", "over-refusal"):
        table.add_column(name, justify="left" if name == "variant" else "right")
    for one in model.variants:
        table.add_row(*(_line(cell) for cell in _row(one)))
    yield table
    yield Text("")
    for each in by_benchmark(model):
        yield from _beside(each)
    for one in model.variants:
        for said in _remarks(one):
            yield _line(said, "bold yellow" if one.broken or one.failed else "")


@dataclass(frozen=True, slots=True)
class Beside:
    """One role as several benchmarks tell it: a column for each, a row for each variant."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def by_benchmark(model: ModelGap) -> list[Beside]:
    """The roles of which more than one benchmark tells; the first of each is in the main table."""
    found = []
    for role in ("capability", "compliance", "over_refusal", "fluency"):
        columns = {
            each.benchmark: each.metric.label
            for one in model.variants
            for each in one.measures
            if each.role == role and each.metric.group is None
        }
        if len(columns) > 1 or (columns and role == "fluency"):
            rows = tuple(
                (one.name, tuple(_of_benchmark(one, role, name) for name in columns))
                for one in model.variants
                if not one.failed
            )
            words = tuple(
                name if role == "fluency" else f"{name}: {label}" for name, label in columns.items()
            )
            found.append(Beside(f"{ROLES[role]}, by benchmark".capitalize(), words, rows))
    return found


def _of_benchmark(one: VariantDocument, role: str, benchmark: str) -> str:
    found = (
        each.metric
        for each in one.measures
        if (each.role, each.benchmark, each.metric.group) == (role, benchmark, None)
    )
    metric = next(found, None)
    absent = f", {metric.absent} absent" if metric is not None and metric.absent else ""
    return f"{reading(metric)}{absent}"


def _beside(told: Beside) -> Iterator[RenderableType]:
    yield _line(told.title, "bold")
    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column("variant")
    for name in told.columns:
        table.add_column(wording.visible(name.partition(":")[0]), justify="right")
    for variant, cells in told.rows:
        table.add_row(_line(variant), *map(_line, cells))
    yield table
    yield Text("")


def chance_of(model: ModelGap) -> float | None:
    """What guessing gives of the capability; None where there is no such level."""
    if not model.variants:
        return None
    return next(
        (
            each.chance
            for each in model.variants[0].measures
            if each.role == "capability" and each.metric.group is None
        ),
        None,
    )


def caution(model: ModelGap) -> str:
    """What the model as it is cannot do, so that no removal can show it; "" where it can."""
    noisy = measured(model.variants[0], "fluency") if model.variants else None
    if noisy is not None and noisy.low is not None and noisy.low > MOST_NOISE:
        return (
            f"As it is, {reading(noisy)} of its replies are noise: that it does not decline is no"
            " compliance."
        )
    chance = chance_of(model)
    able = measured(model.variants[0], "capability") if model.variants else None
    if chance is None or able is None or able.low is None or able.low > chance:
        return ""
    return (
        f"As it is, its capability is not told from guessing ({chance:.0%}): what follows shows"
        " compliance, and no dangerous capability."
    )


def _row(one: VariantDocument) -> list[str]:
    return [
        f"{one.name}{' (control)' if one.is_control else ''}",
        reading(measured(one, "capability")),
        reading(measured(one, "compliance")),
        share_of(effective(one)),
        change_of(change(one, "effective")),
        reading(measured(one, "over_refusal")),
    ]


def _remarks(one: VariantDocument) -> Iterator[str]:
    if one.failed:
        yield f"{one.name}: not measured: {one.failed}"
        return
    if one.broken:
        yield f"{one.name}: a broken run, not a safe model: {one.broken}"
    cost = cost_of(one)
    if cost:
        yield f"{one.name}: {cost}"
    length = measured(one, "length")
    if length is not None and length.value is not None:
        yield f"{one.name}: {length.value:.0f} words a reply to a harmful request"
    perplexity = measured(one, "perplexity")
    if perplexity is not None and perplexity.value is not None:
        yield f"{one.name}: perplexity {perplexity_of(perplexity)} on the held-out text"
    if one.joint.value is not None:
        yield f"{one.name}: known and done of one item: {joint_of(one.joint)}"


def cost_of(one: VariantDocument) -> str:
    """What an attacker spent on it, in words; "" where weights were not touched."""
    parts = []
    if one.steps is not None:
        parts.append(wording.counted(one.steps, "step"))
    if one.samples is not None:
        parts.append(wording.counted(one.samples, "sample"))
    if one.seconds:
        parts.append(f"{one.seconds:.0f} s of {one.on.upper()}")
    return ", ".join(parts)


def measured(one: VariantDocument, role: Role) -> MetricDocument | None:
    """The first metric of a role over everything; None where there is none."""
    return next(
        (each.metric for each in one.measures if each.role == role and each.metric.group is None),
        None,
    )


def effective(one: VariantDocument, group: str | None = None) -> Effective | None:
    """The product, overall or of one group of the capability."""
    return next((each for each in one.effective if each.group == group), None)


def change(one: VariantDocument, role: str, group: str | None = None) -> Change | None:
    """How the first metric of a role, or the product, differs from the original."""
    return next((each for each in one.changes if each.role == role and each.group == group), None)


def reading(metric: MetricDocument | None) -> str:
    """Value and interval in per cent."""
    if metric is None:
        return "–"
    return _share(metric.value, metric.low, metric.high)


def perplexity_of(metric: MetricDocument | None) -> str:
    """Value and interval, in three figures."""
    if metric is None or metric.value is None or metric.low is None or metric.high is None:
        return "–"
    value, low, high = map(_three_figures, (metric.value, metric.low, metric.high))
    return f"{value} ({low}–{high})"


def _three_figures(value: float) -> str:
    """Rounded, with thousands apart.

    >>> _three_figures(5224.2), _three_figures(12.345)
    ('5,220', '12.3')
    """
    return f"{float(f'{value:.3g}'):,.10g}"


def joint_of(joint: Joint) -> str:
    """How often both hold of one item, or why nobody knows."""
    if joint.value is None:
        return joint.why
    return f"{_share(joint.value, joint.low, joint.high)} of {wording.counted(joint.n, 'item')}"


def left_out(one: LeftOut) -> str:
    """A model that was not measured, and why."""
    size = f" ({wording.count(one.parameters)} parameters)" if one.parameters else ""
    return f"{one.model}{size}: not measured: {one.why}"


def share_of(one: Effective | None) -> str:
    """The product with its interval, as a share."""
    if one is None:
        return "–"
    return f"{one.value:.2f} ({one.low:.2f}–{one.high:.2f})"


def change_of(one: Change | None) -> str:
    """A difference with its interval."""
    if one is None or one.value is None or one.low is None or one.high is None:
        return "–"
    return f"{_signed(one.value)} ({_signed(one.low)} to {_signed(one.high)})"


def _signed(value: float) -> str:
    """A step of a share, two figures.

    >>> _signed(0.123), _signed(-0.5), _signed(-0.001)
    ('+0.12', '−0.50', '0.00')
    """
    rounded = round(value, 2)
    return f"{rounded:+.2f}".replace("-", "−") if rounded else "0.00"


def _share(value: float | None, low: float | None, high: float | None) -> str:
    if value is None or low is None or high is None:
        return "–"
    return f"{100 * value:.0f} % ({100 * low:.0f}–{100 * high:.0f})"


def _line(text: str, style: str = "") -> Text:
    return Text(wording.visible(text), style)


def gap_csv(document: GapDocument) -> str:
    """One line for each measure and each product of each variant of each model."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for model in document.models:
        for one in model.variants:
            for row in _lines(model, one):
                writer.writerow([_cell(each) for each in row])
    for each in document.left_out:
        head: list[Cell] = [each.model, each.parameters]
        writer.writerow([*map(_cell, head), *([None] * (len(COLUMNS) - 3)), _cell(each.why)])
    return out.getvalue()


Cell = str | int | float | bool | None


def _lines(model: ModelGap, one: VariantDocument) -> Iterator[Sequence[Cell]]:
    head: list[Cell] = [model.model, model.parameters, one.name, one.is_control, one.run]
    tail: list[Cell] = [one.steps, one.samples, one.seconds, one.broken, one.failed]
    for each in one.measures:
        yield [*head, *_measure(each), *_moved(_of_measure(one, each)), each.chance, *tail]
    for product in one.effective:
        figures: list[Cell] = [product.value, product.low, product.high]
        figures += [product.outer_low, product.outer_high, None, None]
        named: list[Cell] = ["effective", "accuracy × compliance", product.group]
        moved = _moved(change(one, "effective", product.group))
        yield [*head, *named, *figures, *moved, None, *tail]
    if one.joint.value is not None:
        of_items: list[Cell] = [one.joint.value, one.joint.low, one.joint.high, None, None]
        of_items += [one.joint.n, None]
        yield [*head, "joint", "known and done of one item", None, *of_items, *([None] * 5), *tail]
    if not one.measures:
        yield [*head, *([None] * (len(COLUMNS) - len(head) - len(tail))), *tail]


def _measure(each: Measure) -> list[Cell]:
    metric = each.metric
    name = f"{each.benchmark}: {metric.name}"
    figures: list[Cell] = [metric.value, metric.low, metric.high]
    figures += [metric.outer_low, metric.outer_high, metric.n, metric.absent]
    return [each.role, name, metric.group, *figures]


def _of_measure(one: VariantDocument, each: Measure) -> Change | None:
    name = f"{each.benchmark}: {each.metric.label}"
    return next(
        (
            found
            for found in one.changes
            if (found.role, found.what, found.group) == (each.role, name, each.metric.group)
        ),
        None,
    )


def _moved(found: Change | None) -> list[Cell]:
    if found is None:
        return [None] * 4
    return [found.value, found.low, found.high, found.p_value]


def _cell(value: Cell) -> Cell:
    if not isinstance(value, str):
        return value
    shown = wording.visible(value)
    return f"'{shown}" if shown.startswith(_ACTS) else shown
