"""From records to the document of a run: metrics, lights, costs, and what was not measured.

A pure reader: nothing is asked, nothing is written.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from safemark import registry
from safemark.attacks._attack import DIRECT
from safemark.attacks._success import ASR, as_attacked, attack_success_rate, of_answer
from safemark.benchmarks._benchmark import (
    DIMENSIONS,
    Benchmark,
    Dimension,
    Headline,
    Metric,
    Scorer,
)
from safemark.benchmarks._use_cases import for_use
from safemark.decide import always_valid
from safemark.errors import UnknownName, UsageError
from safemark.lights import Bands, Light, Verdict, dimension_light, headline_light, with_usefulness
from safemark.reports.attacked import attack_document, families
from safemark.reports.document import (
    SCHEMA,
    BenchmarkDocument,
    Cost,
    DimensionDocument,
    Document,
    FamilyDocument,
    FurtherDocument,
    HeadlineDocument,
    JudgeCost,
    MetricDocument,
    ModelDocument,
    NotCovered,
    Status,
    Threshold,
)
from safemark.reports.joining import planned, stored_outcomes, stored_rows
from safemark.reports.judge_error import judge_error
from safemark.reports.metrics import (
    Overall,
    Records,
    concerning,
    estimated,
    measured,
    shown,
    told,
)
from safemark.reports.not_asked import NotAsked
from safemark.reports.reliability import other_ways, reliability
from safemark.reports.worst_category import worst_category
from safemark.stats import Estimate
from safemark.store import Store, StoredPart, StoredRun, StoredScorer
from safemark.types import Reason

TITLES: dict[Dimension, str] = {
    "bias": "Bias and fairness",
    "toxicity": "Toxicity and harmful content",
    "truth": "Hallucination and truthfulness",
    "robustness": "Adversarial robustness",
    "privacy": "Privacy",
    "usefulness": "Usefulness",
}

_GREY = Verdict(Light.GREY, "not measured")


def document(store: Store, run: StoredRun, scorer: str | None = None) -> Document:
    """Everything that reports show of ``run``.

    Args:
        scorer: whose scores the metrics are of, where that one judged; each part's own otherwise.

    Raises:
        UnknownName: no benchmark of the run is installed any more, or nobody called ``scorer``
            judged it.
        UsageError: that scorer does not judge what the benchmark's metrics are of.
    """
    parts = store.parts(run.id)
    if scorer is not None:
        judges = [judge for part in parts for judge in store.scorers(part.id)]
        if _called(scorer, judges) is None:
            raise UnknownName(f"scorer of {run.id}", scorer, {judge.words for judge in judges})
    gone = [(part, why) for part in parts if (why := _unreadable(part))]
    if len(gone) == len(parts) > 0:
        _installed(store, parts[0])
    lost = {part.id for part, _ in gone}
    read = [_benchmark(store, part, scorer, parts) for part in parts if part.id not in lost]
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
            usage.requests,
            usage.input_tokens,
            usage.output_tokens,
            usage.cost_usd,
            usage.seconds,
            usage.retries,
            usage.waited_s,
            [
                JudgeCost(
                    use.name,
                    use.identity,
                    use.requests,
                    use.failed,
                    use.input_tokens,
                    use.output_tokens,
                    use.cost_usd,
                )
                for use in run.body.judges
            ],
        ),
        not_covered=_not_covered(run, read, [NotCovered(part.benchmark, w) for part, w in gone]),
        environment=dict(run.body.environment),
        attack_families=_families(store, parts),
    )


def _status(status: str) -> Status:
    known: tuple[Status, ...] = ("running", "complete", "budget", "interrupted", "failed")
    return next(name for name in known if name == status)


def _benchmark(
    store: Store, part: StoredPart, scorer: str | None, parts: Sequence[StoredPart]
) -> BenchmarkDocument:
    unattacked = _installed(store, part)
    benchmark = _as_read(unattacked, part)
    judges = store.scorers(part.id)
    own = next((judge for judge in judges if judge.id == store.scorer_of(part)), None)
    judge = _called(scorer, judges) or own
    judge_id = judge.id if judge else 0
    if judge is not None and own is not None and judge != own:
        _check_outcomes(store, part, own, judge)
    records = Records.of(stored_outcomes(store, part, judge_id))
    not_asked = _not_asked(benchmark, part, records)
    reasons = Counter({str(reason): n for reason, n in records.absences().items()})
    if missing := sum(not_asked.by_category.values()):
        reasons[str(Reason.NOT_ASKED)] += missing
    overall = _overall(store, part, judge_id)
    metrics, whole = measured(benchmark, records, part.asked, not_asked, overall)
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
        why=first.why if first else _unlit(benchmark, part.asked),
        headline=first.metric if first else "",
        n=len(records.kind) + missing - absent,
        absent=absent,
        absent_reasons=dict(reasons.most_common()),
        partial=part.body.partial,
        metrics=metrics,
        threshold=first.threshold if first else Threshold("", 0.0, 0.0, "none"),
        headlines=headlines,
        scorer=judge.words if judge else f"{part.body.scorer} {part.body.scorer_version}",
        samples_in_benchmark=part.body.in_benchmark,
        selection=part.body.selection,
        citation=benchmark.citation,
        licence=source.licence if source else "Apache-2.0",
        revision=source.revision if source else None,
        digests=dict(part.body.digests),
        notes=[
            *part.body.notes,
            *_worst(benchmark, part, records),
            *_untold(benchmark, part.asked, whole),
        ],
        further=[_further(store, part, other) for other in judges if other != judge],
        judge=judge_error(store, part, judge, whole),
        attacked=attack_document(store, part, _asked_plainly(part, parts), unattacked),
        reliability=reliability(records),
        other_ways=other_ways(store, part, parts),
    )


def _untold(
    benchmark: Benchmark, asked: str, whole: Mapping[str, tuple[Metric, Estimate]]
) -> list[str]:
    """Headlines that this way could tell and no answer does: what reads them is lacking."""
    lit = {headline.metric for headline in benchmark.headlines} - set(whole)
    return [
        f"told by none of these answers: {metric.label or metric.name}"
        for metric in benchmark.metrics
        if metric.name in lit and (not metric.ways or asked in metric.ways)
    ]


def _unlit(benchmark: Benchmark, asked: str) -> str:
    """Why a part has no headline."""
    if benchmark.unlit:
        return benchmark.unlit.why
    lit = {headline.metric for headline in benchmark.headlines}
    by = {way for one in benchmark.metrics if one.name in lit for way in one.ways}
    judged = [way.name for way in benchmark.ways if way.name in by and way.scorer.with_judge]
    if judged and asked not in by:
        return f"no light without a judge: `{benchmark.name}:{judged[0]}` with --judge MODEL"
    return "no headline can be measured this way"


def _worst(benchmark: Benchmark, part: StoredPart, records: Records) -> list[str]:
    """The worst category, where the benchmark measures bias by category."""
    found = worst_category(benchmark, part.asked, records)
    return [] if found is None else [found]


def _as_read(benchmark: Benchmark, part: StoredPart) -> Benchmark:
    """The benchmark under the attack of a part."""
    kind = part.body.attack.kind if part.body.attack else None
    return as_attacked(benchmark, part.asked, part.attack, kind)


def _asked_plainly(part: StoredPart, parts: Sequence[StoredPart]) -> StoredPart | None:
    """The same benchmark of the run, asked the same way without an attack."""
    wanted = (part.benchmark, part.version, part.asked, DIRECT)
    return next(
        (one for one in parts if (one.benchmark, one.version, one.asked, one.attack) == wanted),
        None,
    )


def _families(store: Store, parts: Sequence[StoredPart]) -> list[FamilyDocument]:
    """Of each benchmark that several attacks were made on: worst, mean, and any of them."""
    groups: dict[tuple[str, str, str], list[StoredPart]] = {}
    for part in parts:
        if part.body.attack is not None and part.body.attack.kind == "attack":
            groups.setdefault((part.benchmark, part.version, part.asked), []).append(part)
    found: list[FamilyDocument] = []
    for (name, _, asked), members in groups.items():
        rate = attack_success_rate(_installed(store, members[0]), asked)
        if rate is not None and len(members) > 1:
            read = [(one, stored_outcomes(store, one, store.scorer_of(one))) for one in members]
            found += families(read, rate, name, asked)
    return found


def _called(scorer: str | None, judges: Sequence[StoredScorer]) -> StoredScorer | None:
    """The newest of ``judges`` of that name, that NAME@VERSION, or those words; None if none is."""
    named = [
        judge
        for judge in judges
        if scorer in (judge.name, f"{judge.name}@{judge.version}", judge.words)
    ]
    return named[-1] if named else None


def _check_outcomes(store: Store, part: StoredPart, own: StoredScorer, other: StoredScorer) -> None:
    """Refuse a scorer that says nothing of what the benchmark's metrics read: else all were 0.

    Raises:
        UsageError: outcomes that the part's own scorer gives are not among the other's.
    """
    expected = _outcome_names(Records.of(store.outcomes(part, own.id)))
    given = _outcome_names(Records.of(store.outcomes(part, other.id)))
    if given and not expected <= given:
        missing = ", ".join(sorted(expected - given))
        raise UsageError(
            f"`{other.words}` does not judge what {part.benchmark} measures: it gives no {missing}",
            f"`safemark report {part.run_id}` shows its own metrics beside the benchmark's",
        )


def _outcome_names(records: Records) -> set[str]:
    return {name for row in records.rows if row.absent is None for name in of_answer(row.outcomes)}


def _further(store: Store, part: StoredPart, judge: StoredScorer) -> FurtherDocument:
    """What another scorer says of the same replies: its own metrics, apart from the benchmark's."""
    records = Records.of(store.outcomes(part, judge.id))
    reasons = {str(reason): n for reason, n in records.absences().most_common()}
    absent = sum(reasons.values())
    installed = _scorer(judge)
    metrics = [
        shown(metric, None, found)
        for metric in told(installed.metrics if installed else (), records)
        for found in [estimated(metric, records, concerning(metric, records), {})]
        if found.n
    ]
    n = len(records.kind) - absent
    trust = installed.trust if installed and _is_of(judge, installed) else ""
    return FurtherDocument(judge.words, n, absent, reasons, metrics, trust)


def _scorer(judge: StoredScorer) -> Scorer | None:
    """The installed scorer of that name; none where it is a benchmark's own."""
    if judge.name not in registry.names("scorer"):
        return None
    return registry.scorer(judge.name)


def _is_of(judge: StoredScorer, installed: Scorer) -> bool:
    """Whether it is of the installed version; behind that stands what it was told to look for."""
    return judge.version.split(" ")[0] == installed.version.split(" ")[0]


def _unreadable(part: StoredPart) -> str:
    """Why the outcomes of a part cannot be read; empty where they can.

    What another version of a benchmark asked is never read by this one's definitions.
    """
    for spec in (f"{part.benchmark}@{part.version}", part.benchmark):
        try:
            found = registry.benchmark(spec)
        except UnknownName:
            continue
        if found.version == part.version:
            return ""
        return f"asked in version {part.version}, and installed is {found.version}; ask again"
    return "asked, and not installed any more: its outcomes cannot be read"


def _installed(store: Store, part: StoredPart) -> Benchmark:
    """The benchmark of a part, with the bands of the use that its run names."""
    try:
        found = registry.benchmark(f"{part.benchmark}@{part.version}")
    except UnknownName as error:
        raise UnknownName(
            "installed benchmark", f"{part.benchmark}@{part.version}", registry.names("benchmark")
        ) from error
    return for_use(found, store.run(part.run_id).body.spec.get("use_case"))


@dataclass(frozen=True, slots=True)
class Reading:
    """One headline of a part: its light, and its metric over all samples."""

    title: str
    headline: HeadlineDocument
    metric: MetricDocument


def readings(store: Store, part: StoredPart) -> list[Reading]:
    """The headlines of a part alone, without groups: for whoever reads many runs.

    Raises:
        UnknownName: the benchmark is not installed any more.
    """
    benchmark = _as_read(_installed(store, part), part)
    scorer_id = store.scorer_of(part)
    records = Records.of(stored_outcomes(store, part, scorer_id))
    not_asked = _not_asked(benchmark, part, records)
    asked = records.counted
    overall = _overall(store, part, scorer_id)
    wanted = {headline.metric for headline in benchmark.headlines}
    whole: dict[str, tuple[Metric, Estimate]] = {}
    for metric in benchmark.metrics:
        if metric.name not in wanted or (metric.ways and part.asked not in metric.ways):
            continue
        missing = not_asked.counted(metric, asked)
        read = estimated(metric, records, concerning(metric, records), missing)
        found = overall(metric, read)
        if found.n or found.absent:
            whole[metric.name] = (metric, found)
    return [
        Reading(benchmark.title, _headline(headline, whole), shown(metric, None, found))
        for headline in benchmark.headlines
        if headline.metric in whole
        for metric, found in [whole[headline.metric]]
    ]


def _not_asked(benchmark: Benchmark, part: StoredPart, records: Records) -> NotAsked:
    """What was planned and never asked."""
    records_each = 1 if benchmark.joined else part.body.repeats
    return NotAsked(records.not_asked(planned(part)), part.body.sizes, records_each)


def _overall(store: Store, part: StoredPart, scorer_id: int) -> Overall:
    """How a metric over all records is told, where what it showed may have ended the asking."""
    stop = part.body.early_stop
    if stop is None:
        return lambda _metric, found: found
    rows = stored_rows(store, part, scorer_id)

    def allowing_for_looks(metric: Metric, found: Estimate) -> Estimate:
        if metric.name not in stop.largest:
            return found
        valid = always_valid(metric, rows, stop.largest[metric.name])
        return found if valid is None else replace(valid, worst=found.worst, best=found.best)

    return allowing_for_looks


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
            for part in sorted(read, key=_by_success)
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


def _by_success(part: BenchmarkDocument) -> tuple[bool, float]:
    """Plain parts in their order, then attacked ones, the most successful attack first."""
    if part.attacked is None:
        return False, 0.0
    rate = next((m.value for m in part.metrics if m.name == ASR and m.group is None), None)
    return True, -(rate or 0.0)


def _full_names(headlines: Sequence[tuple[BenchmarkDocument, HeadlineDocument]]) -> list[str]:
    """Benchmark and metric; with version and way where that names several."""
    plain = [f"{_under(part)} {h.metric.replace('_', ' ')}" for part, h in headlines]
    return [
        name if plain.count(name) == 1 else f"{name} ({part.version}, by {part.asked})"
        for name, (part, _) in zip(plain, headlines, strict=True)
    ]


def _under(part: BenchmarkDocument) -> str:
    return part.name if part.attack == DIRECT else f"{part.name} + {part.attack}"


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


def _not_covered(
    run: StoredRun, read: Sequence[BenchmarkDocument], gone: Sequence[NotCovered]
) -> list[NotCovered]:
    found = [*gone, *(NotCovered(what, why) for what, why in run.body.not_covered)]
    plain = (part for part in read if part.attack == DIRECT)
    found += [NotCovered(part.name, part.why) for part in plain if not part.headlines]
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
    if all(part.attack == DIRECT for part in read):
        found.append(NotCovered("attacks", "every question was asked plainly"))
    return list(dict.fromkeys(found))
