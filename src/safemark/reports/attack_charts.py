"""The page's section on attacks: a ladder of rates, curves of cost, transfers, what got through.

From a document to the geometry of its charts; the words stand in `templates/attacks.html.jinja`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from safemark.attacks._success import ASR
from safemark.reports.document import (
    AttackDifference,
    AttackDocument,
    Axis,
    BenchmarkDocument,
    CostCurve,
    Document,
    FamilyDocument,
    MetricDocument,
    Threshold,
)
from safemark.reports.templates import wording

MOST_LINES = 8
MOST_RUNGS = 16
"""So many attacks are seen at once; those below them on the ladder are folded away."""
WIDTH, HEIGHT = 640.0, 220.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 12.0, 10.0, 34.0
_LOGARITHMIC = 20.0
"""From this ratio of the largest to the smallest cost on, the axis of costs is logarithmic."""

AXIS_WORDS: dict[Axis, str] = {
    "attempts": "attempts at a sample (ASR@k)",
    "queries": "queries spent on a sample, helpers' included",
    "tokens": "tokens spent on a sample, helpers' included",
    "seconds": "seconds spent on a sample",
}


@dataclass(frozen=True, slots=True)
class Rung:
    """One attack on a benchmark: its rate, what changed against plain asking, and what it took."""

    name: str
    title: str
    rate: MetricDocument
    threshold: Threshold | None
    change: AttackDifference | None
    twins: tuple[AttackDifference, ...]
    attack: AttackDocument | None


@dataclass(frozen=True, slots=True)
class Line:
    """An attack's curve as the points of an SVG polyline; ``style`` numbers its colour and dash."""

    name: str
    points: str
    style: int
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A labelled place on an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The rates of several attacks on one axis of cost."""

    words: str
    lines: tuple[Line, ...]
    across: tuple[Mark, ...]
    up: tuple[Mark, ...]
    plain: float | None
    left_out: int
    text: str


@dataclass(frozen=True, slots=True)
class Transferred:
    """Strings of another model, sent to this one: the rate there and here."""

    name: str
    source: str
    there: float | None
    here: MetricDocument


@dataclass(frozen=True, slots=True)
class AttackBoard:
    """All attacks on one benchmark, asked one way: ``rungs``, and ``more`` of them further down."""

    name: str
    title: str
    asked: str
    rungs: tuple[Rung, ...]
    more: tuple[Rung, ...]
    charts: tuple[Chart, ...]
    families: tuple[FamilyDocument, ...]
    transfers: tuple[Transferred, ...]
    perturbations: tuple[BenchmarkDocument, ...]

    @property
    def rates(self) -> list[MetricDocument]:
        """The rates on the ladder, for a common axis."""
        return [rung.rate for rung in (*self.rungs, *self.more)]

    @property
    def ladder(self) -> list[tuple[Rung, ...]]:
        """The rungs, seen and folded."""
        return [self.rungs, self.more] if self.more else [self.rungs]


def attack_boards(document: Document) -> list[AttackBoard]:
    """One board for each benchmark that was attacked, in the document's order."""
    groups: dict[tuple[str, str, str], list[BenchmarkDocument]] = {}
    for part in document.benchmarks:
        groups.setdefault((part.name, part.version, part.asked), []).append(part)
    return [
        _board(parts, document.attack_families)
        for parts in groups.values()
        if any(part.attacked is not None for part in parts)
    ]


def _board(parts: Sequence[BenchmarkDocument], families: Sequence[FamilyDocument]) -> AttackBoard:
    first = parts[0]
    attacked = [p for p in parts if p.attacked is not None and p.attacked.kind == "attack"]
    rungs = [rung for part in attacked if (rung := _rung(part)) is not None]
    rungs.sort(key=_height)
    plain = _plain(rungs)
    return AttackBoard(
        name=first.name,
        title=first.title,
        asked=first.asked,
        rungs=(*rungs[:MOST_RUNGS], *([plain] if plain else [])),
        more=tuple(rungs[MOST_RUNGS:]),
        charts=_charts(rungs, plain.rate.value if plain else None),
        families=tuple(f for f in families if (f.benchmark, f.asked) == (first.name, first.asked)),
        transfers=tuple(_transfers(rungs)),
        perturbations=tuple(
            p for p in parts if p.attacked is not None and p.attacked.kind == "perturbation"
        ),
    )


def _height(rung: Rung) -> tuple[bool, float, int, str]:
    """The highest rate first, of equal ones that of more samples; what is not known last."""
    value = rung.rate.value
    return value is None, -(value or 0.0), -rung.rate.n, rung.name


def _charts(rungs: Sequence[Rung], plain: float | None) -> tuple[Chart, ...]:
    found = [_chart(axis, rungs, plain) for axis in AXIS_WORDS]
    return tuple(chart for chart in (*found, _by_shots(rungs, plain)) if chart is not None)


def _rung(part: BenchmarkDocument) -> Rung | None:
    rate = wording.metric_named(part, ASR)
    if rate is None or part.attacked is None:
        return None
    changes = {each.metric: each for each in part.attacked.differences}
    return Rung(
        name=part.attack,
        title=part.attacked.title,
        rate=rate,
        threshold=part.threshold if part.threshold.metric == ASR else None,
        change=changes.pop(ASR, None),
        twins=tuple(changes.values()),
        attack=part.attacked,
    )


def _plain(rungs: Sequence[Rung]) -> Rung | None:
    """What succeeded without any attack, on the samples that most attacks share with it."""
    changes = [rung.change for rung in rungs if rung.change and rung.change.plain is not None]
    if not changes:
        return None
    change = max(changes, key=lambda one: one.pairs)
    rate = msgspec.structs.replace(
        rungs[0].rate,
        value=change.plain,
        n=change.pairs,
        absent=change.absent,
        **dict.fromkeys(("low", "high", "worst", "best", "outer_low", "outer_high")),
    )
    return Rung("no attack", "asked plainly", rate, rungs[0].threshold, None, (), None)


def _transfers(rungs: Sequence[Rung]) -> list[Transferred]:
    found = []
    for rung in rungs:
        settings = rung.attack.settings if rung.attack else {}
        source = settings.get("transfer_source")
        if source is not None:
            there = settings.get("source_success_rate")
            rate = float(there) if isinstance(there, int | float) else None
            found.append(Transferred(rung.name, str(source), rate, rung.rate))
    return found


def _chart(axis: Axis, rungs: Sequence[Rung], plain: float | None) -> Chart | None:
    """The curves on one axis; None where no attack has more than one point of it."""
    curves = [
        (rung, curve)
        for rung in rungs
        for curve in (rung.attack.curves if rung.attack else ())
        if curve.axis == axis and curve.points
    ]
    drawn = curves[:MOST_LINES]
    costs = [point.spent for _, curve in drawn for point in curve.points if point.spent > 0]
    if not costs or (axis in ("attempts", "queries") and max(costs) <= 1):
        return None
    scale = _Costs(min(costs), max(costs))
    lines = tuple(
        Line(rung.name, _steps(curve, scale), place, _said(rung.name, curve, axis))
        for place, (rung, curve) in enumerate(drawn)
    )
    words = AXIS_WORDS[axis]
    return Chart(
        words=words,
        lines=lines,
        across=scale.marks(),
        up=_UP,
        plain=None if plain is None else y(plain),
        left_out=len(curves) - len(drawn),
        text=f"Attack success rate by {words}: " + "; ".join(line.text for line in lines),
    )


def _by_shots(rungs: Sequence[Rung], plain: float | None) -> Chart | None:
    """The rate over the number of shots; None where fewer than two numbers were tried."""
    tried = sorted(
        (int(shots), rung.rate.value)
        for rung in rungs
        if rung.attack is not None
        and isinstance(shots := rung.attack.settings.get("shots"), int)
        and rung.attack.settings.get("family")
        and rung.rate.value is not None
    )
    if len(tried) < 2:
        return None
    scale = _Costs(float(tried[0][0]), float(tried[-1][0]))
    points = " ".join(f"{scale.at(shots):g},{y(value):g}" for shots, value in tried)
    said = ", ".join(f"{shots}: {wording.figure(value, 'share')}" for shots, value in tried)
    return Chart(
        words="shots before the request",
        lines=(Line("many_shot", points, 0, said),),
        across=scale.marks(),
        up=_UP,
        plain=None if plain is None else y(plain),
        left_out=0,
        text=f"Attack success rate by shots: {said}",
    )


@dataclass(frozen=True, slots=True)
class _Costs:
    """The axis of costs: logarithmic where they are far apart."""

    low: float
    high: float

    @property
    def is_log(self) -> bool:
        return self.high / self.low > _LOGARITHMIC

    def at(self, cost: float) -> float:
        """Where a cost lies, from the left."""
        if self.is_log:
            share = math.log(max(cost, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = cost / self.high
        return round(LEFT + (WIDTH - LEFT - RIGHT) * min(max(share, 0.0), 1.0), 1)

    def marks(self) -> tuple[Mark, ...]:
        """Labels at powers of ten, or at the ends and the middle."""
        values = [0.0, self.high / 2, self.high]
        if self.is_log:
            first = math.ceil(math.log10(self.low) - 1e-9)
            last = math.floor(math.log10(self.high) + 1e-9)
            values = [10.0**power for power in range(first, last + 1)]
        return tuple(Mark(self.at(value), _short(value)) for value in values)


def y(share: float) -> float:
    """Where a share lies, from the top of the chart down."""
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - share), 1)


_UP = tuple(Mark(y(share), f"{100 * share:.0f}") for share in (0.0, 0.25, 0.5, 0.75, 1.0))


def _steps(curve: CostCurve, scale: _Costs) -> str:
    """A rate that stands until the next cost at which it rises, drawn to the end of the axis."""
    points: list[tuple[float, float]] = []
    last = 0.0
    for point in curve.points:
        if point.value is not None:
            place = scale.at(point.spent)
            points += [(place, y(last)), (place, y(point.value))]
            last = point.value
    points.append((scale.at(scale.high), y(last)))
    return " ".join(f"{one:g},{other:g}" for one, other in points)


def _said(name: str, curve: CostCurve, axis: Axis) -> str:
    last = curve.points[-1]
    return (
        f"{name}: {wording.figure(last.value, 'share')} within {_short(last.spent)} {axis}"
        if last.value is not None
        else f"{name}: not known"
    )


def _short(value: float) -> str:
    """A cost in few characters: 12,300 is 12.3k.

    >>> _short(0.25), _short(7), _short(12300)
    ('0.25', '7', '12.3k')
    """
    if value >= 1e6:
        return f"{value / 1e6:.3g}M"
    if value >= 1e4:
        return f"{value / 1e3:.3g}k"
    return f"{value:,.0f}" if value >= 1e3 else f"{value:.3g}"
