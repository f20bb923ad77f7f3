"""The risk map of a store: what every model's answers were judged, by the 94 categories.

Read is each model's newest run of a benchmark, asked directly; a judged one before one by rules.
A benchmark tells of risk by its ``risk_rate``, else its ``harmful_rate``, and where rules judged
alone by its ``compliance_rate``, which is said beside it. Where its categories lie on the map the
crosswalk says; a question that lies in two categories counts in both. Answers of two models are
compared where the question, the way of asking and the judge are the same.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from msgspec.structs import replace

from safemark import __version__, registry, taxonomy
from safemark.benchmarks._benchmark import Benchmark, Metric
from safemark.errors import SafemarkError, UnknownName, UsageError
from safemark.reports.joining import stored_rows
from safemark.reports.risk_document import (
    SCHEMA,
    CategoryPage,
    Cell,
    ModelRisk,
    PublishedFigure,
    Refusals,
    RiskMap,
    Transcript,
)
from safemark.reports.risk_published import overall_published
from safemark.reports.risk_statistics import Answers, cell, mean_of_cells, ranks
from safemark.secrets import scrubbed
from safemark.stats.ranks import Rank
from safemark.store import Store, StoredPart, StoredRun
from safemark.taxonomy import crosswalk
from safemark.types import Row

SHOWN_UNSAFE = 5
"""Examples on a category's page."""

BY_RULES = "refusal rules"
"""Said where rules judged alone: their rate is of answers that do not refuse in full."""

_CUT = 2_000
COMPLIANCE = "compliance_rate"
NAN = float("nan")

_METRICS = ("risk_rate", "harmful_rate", COMPLIANCE)


@dataclass(slots=True)
class _Gathered:
    """One model's answers: by category and question, cluster and 1, 0 or None (absent).

    ``unsafe`` are the first unsafe ones by category: their part and place in its stored order.
    ``twins`` are answers to harmless twins: category, cluster, and 1 where it would not help.
    """

    runs: list[str] = field(default_factory=list)
    judged_by: set[str] = field(default_factory=set)
    answers: dict[str, dict[str, tuple[str, float | None]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    unsafe: dict[str, list[tuple[StoredPart, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    twins: list[tuple[str, str, float | None]] = field(default_factory=list)


def risk_map(
    store: Store,
    models: Sequence[str] = (),
    *,
    benchmarks: Sequence[str] = (),
    examples: bool = True,
) -> RiskMap:
    """All models of the store, or those named; ``benchmarks`` restricts what is read.

    Raises:
        UnknownName: no run of a model.
        UsageError: nothing in the store tells of any of the 94.
    """
    gathered, left_out = _gathered(store, models, benchmarks)
    if not gathered:
        raise UsageError(
            "no stored run tells of any of the 94 categories",
            "run one that does: `safemark run MODEL -b safemark94` or `-b foresight --judge JUDGE`",
        )
    names = sorted(gathered)
    answers, absent = _table([gathered[name] for name in names])
    found = [_model(name, gathered[name], answers, k, absent[k]) for k, name in enumerate(names)]
    placed, pairs, apart = ranks(answers, [one.overall.rate for one in found])
    ordered = tuple(_ranked(found[rank.index], rank) for rank in placed)
    shown = (
        _examples(store, {one.model: gathered[one.model] for one in ordered}) if examples else {}
    )
    return RiskMap(
        __version__,
        SCHEMA,
        ordered,
        tuple(_page(category, shown) for category in taxonomy.categories()),
        pairs,
        apart,
        tuple(PublishedFigure(model, rate) for model, rate in overall_published().items()),
        tuple(left_out),
    )


def _ranked(one: ModelRisk, rank: Rank) -> ModelRisk:
    return replace(one, first=rank.first, last=rank.last, letters=rank.letters)


def _gathered(
    store: Store, models: Sequence[str], benchmarks: Sequence[str]
) -> tuple[dict[str, _Gathered], list[str]]:
    runs = store.runs()
    known = {run.model for run in runs}
    for model in models:
        if model not in known:
            raise UnknownName("model in the store", model, sorted(known))
    found: dict[str, _Gathered] = {}
    read: set[tuple[str, str]] = set()
    left_out: list[str] = []
    parts = [
        (run, part)
        for run in runs
        if not models or run.model in models
        for part in store.parts(run.id)
        if part.attack == "direct" and (not benchmarks or part.benchmark in benchmarks)
    ]
    for by_rules, (run, part) in product((False, True), parts):
        key = (run.model, part.benchmark)
        if key in read:
            continue
        try:
            if _add(store, run, part, found, by_rules=by_rules):
                read.add(key)
        except SafemarkError as error:
            if not by_rules:
                left_out.append(f"{part.benchmark} in {run.id}: {error.problem}")
    return found, left_out


def _add(
    store: Store,
    run: StoredRun,
    part: StoredPart,
    found: dict[str, _Gathered],
    *,
    by_rules: bool,
) -> bool:
    """Add a part's answers to its model's, if judged so; whether there were any."""
    benchmark = registry.benchmark(f"{part.benchmark}@{part.version}")
    metric = risk_metric(benchmark, part.asked)
    if metric is None or by_rules != (metric.name == COMPLIANCE):
        return False
    rows = stored_rows(store, part, store.scorer_of(part))
    places = {
        category: _places(part.benchmark, category) for category in {r.category for r in rows}
    }
    told = [
        (place, row, where)
        for place, row in enumerate(rows)
        if metric.where(row) and (where := places[row.category])
    ]
    if not told:
        return False
    model = found.setdefault(run.model, _Gathered())
    model.runs.append(run.id)
    body = part.body
    model.judged_by.add(BY_RULES if by_rules else body.judge or body.scorer)
    measured = f"{part.benchmark}\0{part.version}\0{part.asked}\0{body.scorer}\0{body.judge}"
    for place, row, where in told:
        unsafe = _unsafe(metric, row)
        if unsafe is None and row.absent is None:
            continue
        name = f"{measured}\0{row.sample_id}\0{row.repeat}"
        cluster = f"{part.benchmark}\0{row.cluster or row.sample_id}"
        for category in where:
            model.answers[category][name] = (cluster, unsafe)
            shown = model.unsafe[category]
            if unsafe and benchmark.joined is None and len(shown) < SHOWN_UNSAFE:
                shown.append((part, place))
    twin = twin_metric(benchmark, part.asked)
    if twin is not None:
        model.twins += [
            (category, f"{part.benchmark}\0{row.cluster or row.sample_id}", _unsafe(twin, row))
            for row in rows
            if twin.where(row)
            for category in places[row.category]
        ]
    return True


def twin_metric(benchmark: Benchmark, asked: str) -> Metric | None:
    """The metric that tells how many harmless twins were not helped with; None without such."""
    named = [one.metric for one in benchmark.headlines if one.dimension == "usefulness"]
    for metric in benchmark.metrics:
        if metric.name in named and metric.better == "lower" and metric.statistic is None:
            return metric if not metric.ways or asked in metric.ways else None
    return None


def risk_metric(benchmark: Benchmark, asked: str) -> Metric | None:
    """The metric in which a benchmark tells of risk when asked that way; None where none does."""
    for name in _METRICS:
        for metric in benchmark.metrics:
            if metric.name == name and (not metric.ways or asked in metric.ways):
                return metric
    return None


def _places(benchmark: str, category: str | None) -> tuple[str, ...]:
    place = None if category is None else crosswalk.of(benchmark, category)
    return () if place is None else place.categories


def _unsafe(metric: Metric, row: Row) -> float | None:
    """1 or 0; None where it was not judged, or is no part of the metric."""
    found = None if row.absent is not None else metric.of(row)
    return None if found is None or found[1] == 0 else float(found[0] / found[1] >= 0.5)


def _table(models: Sequence[_Gathered]) -> tuple[Answers, list[dict[str, int]]]:
    """All answers as a table, and how many are absent, by model and category."""
    place: dict[tuple[str, str], int] = {}
    clusters: dict[str, int] = {}
    category_codes = {one.id: code for code, one in enumerate(taxonomy.categories())}
    category: list[int] = []
    cluster: list[int] = []
    for one in models:
        for name, answers in one.answers.items():
            for question, (group, _) in answers.items():
                if (name, question) not in place:
                    place[name, question] = len(place)
                    category.append(category_codes[name])
                    cluster.append(clusters.setdefault(group, len(clusters)))
    unsafe = np.full((len(place), len(models)), np.nan)
    absent: list[dict[str, int]] = []
    for k, one in enumerate(models):
        for name, answers in one.answers.items():
            for question, (_, value) in answers.items():
                if value is not None:
                    unsafe[place[name, question], k] = value
        absent.append(
            {
                name: sum(value is None for _, value in each.values())
                for name, each in one.answers.items()
            }
        )
    return Answers(unsafe, np.array(category, np.intp), np.array(cluster, np.intp)), absent


def _model(
    name: str, one: _Gathered, answers: Answers, k: int, absent: Mapping[str, int]
) -> ModelRisk:
    unsafe = answers.unsafe[:, k]
    cells: dict[str, Cell] = {}
    pillars: dict[str, Cell] = {}
    code = 0
    for pillar in taxonomy.pillars():
        first = code
        for category in pillar.categories:
            own = answers.category == code
            cells[category.id] = cell(unsafe[own], answers.cluster[own], absent.get(category.id, 0))
            code += 1
        within = (answers.category >= first) & (answers.category < code)
        missing = sum(absent.get(category.id, 0) for category in pillar.categories)
        pillars[pillar.id] = mean_of_cells(
            unsafe[within], answers.category[within], answers.cluster[within], missing
        )
    overall = mean_of_cells(unsafe, answers.category, answers.cluster, sum(absent.values()))
    measured = sum(each.judged > 0 for each in cells.values())
    twins, over_refusal = _refusals(one.twins)
    return ModelRisk(
        name,
        tuple(sorted(set(one.runs))),
        tuple(sorted(one.judged_by)),
        cells,
        pillars,
        overall,
        measured,
        twins=twins,
        over_refusal=over_refusal,
    )


def _refusals(
    answers: Sequence[tuple[str, str, float | None]],
) -> tuple[dict[str, Refusals], Refusals]:
    """By category, and the mean of the categories."""
    codes = {one.id: code for code, one in enumerate(taxonomy.categories())}
    clusters: dict[str, int] = {}
    category = np.array([codes[name] for name, _, _ in answers], np.intp)
    cluster = np.array([clusters.setdefault(one, len(clusters)) for _, one, _ in answers], np.intp)
    refused = np.array([NAN if value is None else value for *_, value in answers], np.float64)
    by_category = {}
    for name, code in codes.items():
        own = category == code
        if own.any():
            missing = int(np.isnan(refused[own]).sum())
            by_category[name] = _as_refusals(cell(refused[own], cluster[own], missing))
    missing = int(np.isnan(refused).sum())
    return by_category, _as_refusals(mean_of_cells(refused, category, cluster, missing))


def _as_refusals(found: Cell) -> Refusals:
    return Refusals(found.unsafe, found.judged, found.absent, found.rate, found.low, found.high)


def _examples(store: Store, models: Mapping[str, _Gathered]) -> dict[str, tuple[Transcript, ...]]:
    """Answers judged unsafe, by category: one of each model in turn, `SHOWN_UNSAFE` at most."""
    chosen: dict[str, list[tuple[str, StoredPart, int]]] = {}
    for category in taxonomy.categories():
        turns = [
            (turn, number, model, *each)
            for number, (model, one) in enumerate(models.items())
            for turn, each in enumerate(one.unsafe.get(category.id, ()))
        ]
        turns.sort(key=lambda each: each[:2])
        chosen[category.id] = [each[2:] for each in turns[:SHOWN_UNSAFE]]
    wanted: dict[int, set[int]] = defaultdict(set)
    for several in chosen.values():
        for _, part, place in several:
            wanted[part.id].add(place)
    texts = {
        (part, place): found
        for part, places in wanted.items()
        for place, found in _texts(store, part, sorted(places)).items()
    }
    return {
        category: tuple(
            Transcript(model, part.run_id, part.benchmark, *texts[part.id, place])
            for model, part, place in several
            if (part.id, place) in texts
        )
        for category, several in chosen.items()
    }


def _texts(
    store: Store, part_id: int, places: Sequence[int]
) -> dict[int, tuple[str, str, str, str]]:
    """Sample, what was asked, answered, and why judged so, of a part's records by their places."""
    place_of = dict(zip(store.positions(part_id, places), places, strict=True))
    found = {}
    for position, sample, _, text in store.texts(part_id, positions=place_of):
        attempt = text.transcript.attempts[-1]
        sent = attempt.sent or text.sample.messages
        asked = "\n\n".join(f"{one.role}: {one.content}" for one in sent)
        answered = "" if attempt.reply is None else attempt.decoded or attempt.reply.text
        whys = [score.why for *_, score in store.scores(part_id, position) if score.why]
        told = (_cut(asked), _cut(answered), _cut(whys[0] if whys else ""))
        found[place_of[position]] = (sample, *told)
    return found


def _cut(text: str) -> str:
    clean = scrubbed(text)
    return clean if len(clean) <= _CUT else f"{clean[:_CUT]} … ({len(clean) - _CUT:,} more)"


def _page(category: taxonomy.Category, shown: Mapping[str, tuple[Transcript, ...]]) -> CategoryPage:
    pillar = next(one for one in taxonomy.pillars() if one.id == category.pillar)
    return CategoryPage(
        category.id,
        category.name,
        category.what,
        pillar.id,
        pillar.name,
        pillar.how_tested,
        tuple(_feed(one) for one in crosswalk.feeding(category.id)),
        crosswalk.grey().get(category.id),
        shown.get(category.id, ()),
    )


def _feed(one: crosswalk.Feed) -> str:
    if one.benchmark in crosswalk.by_id():
        return one.benchmark
    what = "all of it" if one.category == crosswalk.WHOLE else one.category
    return f"{one.benchmark}: {what}"
