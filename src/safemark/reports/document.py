"""The document of a run: what every report shows and `--json` prints.

Types only. `safemark.reports.scorecard` builds one from records; HTML, Markdown, terminal, JSON
and exit codes read it and decide nothing themselves. The published JSON Schema is generated from
these types, so that the two cannot disagree.
"""

from typing import Any, Literal

import msgspec

from safemark.types import Scalar

SCHEMA = 1

LightName = Literal["green", "yellow", "red", "grey"]
Axis = Literal["attempts", "queries", "tokens", "seconds"]
Status = Literal["running", "complete", "budget", "interrupted", "failed"]


class MetricDocument(msgspec.Struct, frozen=True):
    """One metric, overall (``group`` null) or for one group.

    ``low``/``high`` is the 95 % interval on the scored samples; ``worst``/``best`` the value if
    every absent outcome had been the worst or the best possible; ``outer_low``/``outer_high`` the
    interval around those bounds, from which lights are taken. Null is not known, never zero.
    """

    name: str
    label: str
    group: str | None
    value: float | None
    low: float | None
    high: float | None
    n: int
    absent: int
    worst: float | None
    best: float | None
    outer_low: float | None
    outer_high: float | None
    better: Literal["higher", "lower", "target"]
    target: float | None
    unit: str
    method: str


class Threshold(msgspec.Struct, frozen=True):
    """The bands of a headline; for ``better: target`` both are distances from the target."""

    metric: str
    green: float
    red: float
    source: str


class HeadlineDocument(msgspec.Struct, frozen=True):
    """One headline of a benchmark and the light it gives to a dimension."""

    dimension: str
    metric: str
    light: LightName
    why: str
    threshold: Threshold
    required: bool
    is_decided: bool = True


class FurtherDocument(msgspec.Struct, frozen=True):
    """What a scorer beside the benchmark's own says of the same replies; no light comes of it.

    ``trust`` is how far to believe it, "" where nothing is known of that.
    """

    scorer: str
    n: int
    absent: int
    absent_reasons: dict[str, int]
    metrics: list[MetricDocument]
    trust: str = ""


class CorrectedDocument(msgspec.Struct, frozen=True):
    """A rate as the scorer counted it, and with its error on labelled answers taken out.

    Null with ``undefined``, which says why.
    """

    metric: str
    label: str
    naive: float | None
    naive_low: float | None
    naive_high: float | None
    value: float | None
    low: float | None
    high: float | None
    sensitivity: float | None
    specificity: float | None
    method: str
    undefined: str | None


class JudgeDocument(msgspec.Struct, frozen=True):
    """How far the scorer can be believed: its calibration on ``n`` labelled answers, if any.

    ``why`` says it in a sentence, and why nothing is corrected where that is so. ``absent``:
    labelled answers of which the scorer gave no word. No light is taken from corrected rates.
    ``flip_rate``: the share of ``flip_n`` injected answers that turned a judge's verdict over.
    """

    why: str
    labels: str | None = None
    n: int = 0
    absent: int = 0
    accuracy: float | None = None
    accuracy_low: float | None = None
    accuracy_high: float | None = None
    rates: list[CorrectedDocument] = []
    flip_rate: float | None = None
    flip_low: float | None = None
    flip_high: float | None = None
    flip_n: int = 0


class AttackDifference(msgspec.Struct, frozen=True):
    """A metric under attack minus the same asked plainly, on the ``pairs`` that have both.

    ``only_plain`` and ``only_attacked`` count pairs in which only one of the two had it; null where
    outcomes are not yes or no.
    """

    metric: str
    label: str
    unit: str
    better: Literal["higher", "lower", "target"]
    plain: float | None
    attacked: float | None
    difference: float | None
    low: float | None
    high: float | None
    outer_low: float | None
    outer_high: float | None
    p: float | None
    pairs: int
    absent: int
    only_plain: int | None
    only_attacked: int | None
    method: str


class CurvePoint(msgspec.Struct, frozen=True):
    """The attack success rate when no sample may take more than ``spent``."""

    spent: float
    value: float | None
    low: float | None
    high: float | None


class Forecast(msgspec.Struct, frozen=True):
    """What more attempts would come to, if the law that fits these held on: an extrapolation.

    ``-log(rate)`` is taken as ``a × attempts^-b``; ``at`` holds attempts and rate.
    """

    a: float
    b: float
    at: list[tuple[int, float]]
    points: int
    text: str


class CostCurve(msgspec.Struct, frozen=True):
    """The attack success rate for what is spent on a sample; on ``attempts`` it is ASR@k.

    ``mean`` is what the attack spent on a sample; ``unknown`` successes of which nobody knows what
    they took are left out.
    """

    axis: Axis
    points: list[CurvePoint]
    n: int
    unknown: int
    mean: float | None
    forecast: Forecast | None = None


class Example(msgspec.Struct, frozen=True):
    """One attempt that succeeded; ``plain_too`` where plain asking had succeeded as well."""

    sample: str
    category: str | None
    attempt: int
    sent: list[tuple[str, str]]
    reply: str
    decoded: str | None
    plain_too: bool


class AttackDocument(msgspec.Struct, frozen=True):
    """The attack of a part: what it is, what it changed, and what it took.

    ``failures`` are the attacker's own, which are no attempts; ``attempts`` the mean of a sample.
    """

    id: str
    title: str
    kind: Literal["attack", "perturbation"]
    source: str
    helped_by: list[str]
    settings: dict[str, Scalar]
    attempts: float | None
    failures: int
    differences: list[AttackDifference]
    curves: list[CostCurve]
    examples: list[Example]


class FamilyDocument(msgspec.Struct, frozen=True):
    """Several attacks on the same samples of a benchmark: worst, mean, and any of them.

    ``worst`` is that of ``worst_n`` samples, ``mean`` that of the ``known`` members with a rate. A
    sample at which none succeeded and one is absent is absent in ``any_of``.
    """

    name: str
    benchmark: str
    asked: str
    members: int
    worst: float | None
    worst_attack: str | None
    worst_n: int | None
    mean: float | None
    known: int
    any_of: float | None
    low: float | None
    high: float | None
    outer_low: float | None
    outer_high: float | None
    n: int
    absent: int


class ReliabilityBin(msgspec.Struct, frozen=True):
    """Answers whose confidence lies above ``low``, up to ``high``: how sure, and how many right."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float


class WaysDocument(msgspec.Struct, frozen=True):
    """How far a part agrees with the same benchmark asked an ``other`` way, sample by sample.

    ``same`` is the share in which both have the outcome or neither has, ``kappa`` that in excess of
    chance. ``only_this`` and ``only_other`` count those in which one alone has it; ``absent`` are
    samples of both that one has no outcome of.
    """

    other: str
    outcome: str
    n: int
    absent: int
    same: float | None
    low: float | None
    high: float | None
    kappa: float | None
    kappa_low: float | None
    kappa_high: float | None
    only_this: int
    only_other: int


class BenchmarkDocument(msgspec.Struct, frozen=True):
    """One benchmark, asked one way, under one attack.

    ``light``, ``why``, ``headline`` and ``threshold`` are those of the first of ``headlines``.
    ``n`` and ``absent`` are of all samples; each of ``metrics`` has its own.
    """

    name: str
    title: str
    version: str
    asked: str
    attack: str
    light: LightName
    why: str
    headline: str
    n: int
    absent: int
    absent_reasons: dict[str, int]
    partial: str | None
    metrics: list[MetricDocument]
    threshold: Threshold
    headlines: list[HeadlineDocument]
    scorer: str
    samples_in_benchmark: int | None
    selection: str
    citation: str
    licence: str
    revision: str | None
    digests: dict[str, str]
    notes: list[str]
    further: list[FurtherDocument] = []
    judge: JudgeDocument | None = None
    attacked: AttackDocument | None = None
    reliability: list[ReliabilityBin] = []
    other_ways: list[WaysDocument] = []


class DimensionDocument(msgspec.Struct, frozen=True):
    """A row of the scorecard."""

    name: str
    title: str
    light: LightName
    why: str
    benchmarks: list[str]
    headline: MetricDocument | None
    headline_benchmark: str | None
    is_decided: bool = True


class ModelDocument(msgspec.Struct, frozen=True):
    """What was measured."""

    name: str
    identity: str
    detail: dict[str, str] = {}
    notes: list[str] = []


class JudgeCost(msgspec.Struct, frozen=True):
    """What one judge of the run was asked and used, on top of what the model used."""

    name: str
    identity: str
    requests: int
    failed: int
    input_tokens: int | None
    output_tokens: int | None
    usd: float | None


class Cost(msgspec.Struct, frozen=True):
    """What the run used. ``usd`` is null where no price is known.

    ``seconds`` are those of all requests together, ``waited_s`` those of waiting for limits and
    between tries; ``retries`` come on top of ``requests``. Null: a run of before these were kept.
    """

    requests: int
    input_tokens: int | None
    output_tokens: int | None
    usd: float | None
    seconds: float | None
    retries: int | None = None
    waited_s: float | None = None
    judges: list[JudgeCost] = []


class NotCovered(msgspec.Struct, frozen=True):
    """Something a reader might expect in the scorecard that was not measured."""

    what: str
    why: str


class Document(msgspec.Struct, frozen=True):
    """A run, read."""

    safemark: str
    schema: int
    run: str
    model: ModelDocument
    spec: dict[str, Any]
    started: str
    finished: str | None
    status: Status
    status_why: str
    dimensions: list[DimensionDocument]
    benchmarks: list[BenchmarkDocument]
    cost: Cost
    not_covered: list[NotCovered]
    environment: dict[str, Scalar] = {}
    attack_families: list[FamilyDocument] = []


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `Document`."""
    (schema,), components = msgspec.json.schema_components(
        [Document], ref_template="#/$defs/{name}"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Safemark run document",
        **schema,
        "$defs": components,
    }
