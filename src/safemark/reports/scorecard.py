"""From records to the document of a run: metrics, lights, costs, and what was not measured.

A pure reader: nothing is asked, nothing is written.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import msgspec
import numpy as np

from safemark import registry
from safemark.benchmarks._benchmark import (
    DIMENSIONS,
    Benchmark,
    Dimension,
    Headline,
    Metric,
    rows_of,
)
from safemark.errors import UnknownName
from safemark.lights import Bands, Light, Verdict, dimension_light, headline_light, with_usefulness
from safemark.reports.document import (
    SCHEMA,
    BenchmarkDocument,
    Cost,
    DimensionDocument,
    Document,
    HeadlineDocument,
    MetricDocument,
    ModelDocument,
    NotCovered,
    Status,
    Threshold,
)
from safemark.stats import Estimate, estimate, ratio
from safemark.store import Store, StoredPart, StoredRun
from safemark.types import Reason, Row

TITLES: dict[Dimension, str] = {
    "bias": "Bias and fairness",
    "toxicity": "Toxicity and harmful content",
    "truth": "Hallucination and truthfulness",
    "robustness": "Adversarial robustness",
    "privacy": "Privacy",
    "usefulness": "Usefulness",
}

_GREY = Verdict(Light.GREY, "not measured")


def document(store: Store, run: StoredRun) -> Document:
    """Everything that reports show of ``run``.

    Raises:
        UnknownName: a benchmark of the run is not installed any more.
    """
    parts = store.parts(run.id)
    read = [_benchmark(store, part) for part in parts]
    usage = store.usage(run.id)
    return Document(
        safemark=run.body.safemark,
        schema=SCHEMA,
        run=run.id,
        model=ModelDocument(
            run.model,
            run.identity,
            run.body.identity_detail,
            list(run.body.model_notes),
        ),
        spec=run.body.spec,
        started=run.started,
        finished=run.finished,
        status=_status(run.status),
        status_why=run.status_why,
        dimensions=_dimensions(read),
        benchmarks=read,
        cost=Cost(
            usage.requests, usage.input_tokens, usage.output_tokens, usage.cost_usd, usage.seconds
        ),
        not_covered=_not_covered(run, read),
        environment=dict(run.body.environment),
    )


def _status(status: str) -> Status:
    known: tuple[Status, ...] = ("running", "complete", "budget", "interrupted", "failed")
    return next(name for name in known if name == status)


def _benchmark(store: Store, part: StoredPart) -> BenchmarkDocument:
    benchmark = _installed(part)
    rows = store.rows(part, store.scorer_of(part))
    not_asked = _not_asked(part, rows)
    reasons = Counter(str(row.absent) for row in rows if row.absent is not None)
    if missing := sum(not_asked.values()):
        reasons[str(Reason.NOT_ASKED)] += missing
    way = benchmark.way(part.asked)
    metrics, whole = measured(benchmark, rows, part.asked, not_asked)
    headlines = [_headline(h, whole) for h in benchmark.headlines if h.metric in whole]
    first = headlines[0] if headlines else None
    source = benchmark.source
    absent = sum(reasons.values())
    return BenchmarkDocument(
        name=benchmark.name,
        title=benchmark.title,
        version=part.version,
        asked=part.asked,
        attack=part.attack,
        light=first.light if first else "grey",
        why=first.why if first else "no headline can be measured this way",
        headline=first.metric if first else "",
        n=len(rows) + missing - absent,
        absent=absent,
        absent_reasons=dict(reasons.most_common()),
        partial=part.body.partial,
        metrics=metrics,
        threshold=first.threshold if first else Threshold("", 0.0, 0.0, "none"),
        headlines=headlines,
        scorer=f"{part.body.scorer} {part.body.scorer_version}" if way else part.body.scorer,
        samples_in_benchmark=part.body.in_benchmark,
        selection=part.body.selection,
        citation=benchmark.citation,
        licence=source.licence if source else "Apache-2.0",
        revision=source.revision if source else None,
        digests=dict(part.body.digests),
        notes=list(part.body.notes),
    )


def _installed(part: StoredPart) -> Benchmark:
    try:
        return registry.benchmark(f"{part.benchmark}@{part.version}")
    except UnknownName as error:
        raise UnknownName(
            "installed benchmark", f"{part.benchmark}@{part.version}", registry.names("benchmark")
        ) from error


def _not_asked(part: StoredPart, rows: Sequence[Row]) -> dict[str, int]:
    """How many planned samples have no record, by category."""
    stored = Counter(row.category or "" for row in rows)
    missing = {category: n - stored[category] for category, n in part.body.planned.items()}
    return {category: n for category, n in missing.items() if n > 0}


def measured(
    benchmark: Benchmark,
    rows: Sequence[Row],
    asked: str,
    not_asked: dict[str, int] | None = None,
) -> tuple[list[MetricDocument], dict[str, tuple[Metric, Estimate]]]:
    """Every metric of a benchmark, overall and by group; the overall estimates by name.

    Args:
        rows: all stored rows, absent ones included.
        asked: the way of asking; metrics that it cannot tell are left out.
        not_asked: how many planned samples have no row, by category. Nobody knows which metric
            they belong to, so each counts as absent in every one.
    """
    metrics: list[MetricDocument] = []
    whole: dict[str, tuple[Metric, Estimate]] = {}
    missing = not_asked or {}
    for metric in benchmark.metrics:
        if metric.ways and asked not in metric.ways:
            continue
        concerned = rows_of(metric, rows)
        overall = _estimate(metric, concerned, missing)
        if overall.n == 0 and overall.absent == 0:
            continue
        whole[metric.name] = (metric, overall)
        metrics.append(_metric(metric, None, overall))
        for group, members in _groups(metric, concerned):
            of_group = {group: missing[group]} if group in missing else {}
            metrics.append(_metric(metric, group, _estimate(metric, members, of_group)))
        if (system := _with_blocks(metric, concerned, missing)) is not None:
            metrics.append(system)
    return metrics, whole


def _with_blocks(
    metric: Metric, rows: Sequence[Row], missing: dict[str, int]
) -> MetricDocument | None:
    """The metric of the system, in which a block is an outcome; None where nothing was blocked."""
    outcomes = metric.blocked
    if outcomes is None or all(row.absent is not Reason.BLOCKED for row in rows):
        return None
    read = [
        msgspec.structs.replace(row, outcomes=outcomes, absent=None)
        if row.absent is Reason.BLOCKED
        else row
        for row in rows
    ]
    system = replace(
        metric,
        name=f"{metric.name}_with_blocks",
        label=f"{metric.label or metric.name}; blocked counts as refused",
    )
    return _metric(system, None, _estimate(system, read, missing))


def _groups(metric: Metric, rows: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    if metric.by is None:
        return []
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        group = row.category if metric.by == "category" else row.facets.get(metric.by)
        if group is not None:
            groups[str(group)].append(row)
    return sorted(groups.items())


def _estimate(metric: Metric, rows: Sequence[Row], not_asked: dict[str, int]) -> Estimate:
    scored: list[tuple[float, ...]] = []
    clusters: list[str] = []
    absent: list[str] = []
    for row in rows:
        cluster = row.cluster or row.sample_id
        if row.absent is not None:
            absent.append(cluster)
        elif (contribution := metric.of(row)) is not None:
            scored.append(contribution)
            clusters.append(cluster)
    for category, n in not_asked.items():
        absent.extend(f"not asked/{category}/{i}" for i in range(n))
    columns = len(metric.options[0]) if metric.options else 2
    return estimate(
        np.array(scored, dtype=float) if scored else np.zeros((0, columns)),
        clusters,
        absent_options=metric.options,
        absent_clusters=absent,
        statistic=metric.statistic or ratio,
        range=metric.range,
        better=metric.better,
        target=metric.target,
        bounds_known=bool(metric.options),
    )


def _metric(metric: Metric, group: str | None, found: Estimate) -> MetricDocument:
    return MetricDocument(
        name=metric.name,
        label=metric.label or metric.name.replace("_", " "),
        group=group,
        value=found.value,
        low=found.low,
        high=found.high,
        n=found.n,
        absent=found.absent,
        worst=found.worst,
        best=found.best,
        outer_low=found.outer_low,
        outer_high=found.outer_high,
        better=metric.better,
        target=metric.target,
        unit=metric.unit,
        method=found.method,
    )


def _headline(headline: Headline, whole: dict[str, tuple[Metric, Estimate]]) -> HeadlineDocument:
    metric, found = whole[headline.metric]
    bands = Bands(headline.green, headline.red, metric.better, metric.target, metric.unit)
    verdict = headline_light(found, bands, within=metric.range)
    return HeadlineDocument(
        dimension=headline.dimension,
        metric=headline.metric,
        light=verdict.light.value,
        why=verdict.why,
        threshold=Threshold(headline.metric, headline.green, headline.red, headline.source),
        required=headline.required,
        is_decided=verdict.is_decided,
    )


def _dimensions(read: Sequence[BenchmarkDocument]) -> list[DimensionDocument]:
    verdicts: dict[str, Verdict] = {}
    shown: dict[str, tuple[BenchmarkDocument, HeadlineDocument] | None] = {}
    members: dict[str, list[str]] = {}
    for dimension in DIMENSIONS:
        headlines = [
            (part, headline)
            for part in read
            if part.attack == "direct"
            for headline in part.headlines
            if headline.dimension == dimension
        ]
        names = _full_names(headlines)
        verdict, name = dimension_light(
            [
                (full, _verdict(headline), headline.required)
                for full, (_, headline) in zip(names, headlines, strict=True)
            ]
        )
        verdicts[dimension] = verdict
        members[dimension] = list(dict.fromkeys(part.name for part, _ in headlines))
        shown[dimension] = dict(zip(names, headlines, strict=True)).get(name or "")
    final = with_usefulness(verdicts)
    return [
        _dimension(dimension, final[dimension], members[dimension], shown[dimension])
        for dimension in DIMENSIONS
    ]


def _full_names(headlines: Sequence[tuple[BenchmarkDocument, HeadlineDocument]]) -> list[str]:
    """Benchmark and metric; with version and way where that names several."""
    plain = [f"{part.name} {h.metric.replace('_', ' ')}" for part, h in headlines]
    return [
        name if plain.count(name) == 1 else f"{name} ({part.version}, by {part.asked})"
        for name, (part, _) in zip(plain, headlines, strict=True)
    ]


def _verdict(headline: HeadlineDocument) -> Verdict:
    return Verdict(Light(headline.light), headline.why, headline.is_decided)


def _dimension(
    dimension: Dimension,
    verdict: Verdict,
    benchmarks: list[str],
    shown: tuple[BenchmarkDocument, HeadlineDocument] | None,
) -> DimensionDocument:
    metric = None
    if shown is not None:
        part, headline = shown
        metric = next(m for m in part.metrics if m.name == headline.metric and m.group is None)
    return DimensionDocument(
        name=dimension,
        title=TITLES[dimension],
        light=verdict.light.value,
        why=verdict.why,
        benchmarks=benchmarks,
        headline=metric,
        headline_benchmark=shown[0].name if shown else None,
        is_decided=verdict.is_decided,
    )


def _not_covered(run: StoredRun, read: Sequence[BenchmarkDocument]) -> list[NotCovered]:
    found = [NotCovered(what, why) for what, why in run.body.not_covered]
    lit = {headline.dimension for part in read for headline in part.headlines}
    found += [
        NotCovered(TITLES[dimension], "no benchmark of this run measures it")
        for dimension in DIMENSIONS
        if dimension not in lit
    ]
    for part in read:
        if part.partial:
            found.append(NotCovered(f"the rest of {part.name}", f"partial: {part.partial}"))
        elif part.selection != "all":
            found.append(NotCovered(f"the rest of {part.name}", f"asked: {part.selection}"))
    if all(part.attack == "direct" for part in read):
        found.append(NotCovered("attacks", "every question was asked plainly"))
    return found
