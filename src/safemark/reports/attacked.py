"""What an attack came to, beside its rate: against plain asking, and for what it spent.

A pure reader of outcomes: the differences are paired on the samples that both parts hold, the
curves read what each sample's score says the attack took. Nothing is pooled.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from safemark.attacks._success import ASR, as_attacked, attack_success_rate
from safemark.benchmarks._benchmark import Benchmark, Metric
from safemark.reports.aligned import aligned, measured
from safemark.reports.differences import OF_OTHERS, difference, values
from safemark.reports.document import (
    AttackDifference,
    AttackDocument,
    Axis,
    CostCurve,
    CurvePoint,
    Example,
    FamilyDocument,
    Forecast,
)
from safemark.reports.joining import planned, stored_outcomes
from safemark.stats import estimate
from safemark.store import Outcomes, Store, StoredPart
from safemark.types import Scalar

AXES: tuple[Axis, ...] = ("attempts", "queries", "tokens", "seconds")
MOST_POINTS = 12
EXAMPLES = 3
_MOST_CHARACTERS = 1500

_Key = tuple[str, int]
"""Sample and repeat."""


def attack_document(
    store: Store, part: StoredPart, plain: StoredPart | None, benchmark: Benchmark
) -> AttackDocument | None:
    """What is told of an attacked part, None of one that was asked plainly.

    Args:
        plain: the same benchmark of the same run, asked plainly; None where it was not.
        benchmark: as it is asked plainly.
    """
    body = part.body.attack
    if body is None:
        return None
    outcomes = stored_outcomes(store, part, store.scorer_of(part))
    rate = attack_success_rate(benchmark, part.asked) if body.kind == "attack" else None
    return AttackDocument(
        id=body.id,
        title=body.title,
        kind=body.kind,
        source=body.source,
        helped_by=list(body.helped_by),
        settings=dict(body.settings),
        attempts=_mean(outcomes, "attack_attempts"),
        failures=_sum(outcomes, "attack_failures"),
        differences=[] if plain is None else _differences(store, plain, part, benchmark),
        curves=[] if rate is None else _curves(outcomes, rate, body.settings),
        examples=[] if rate is None else _examples(store, part, plain, rate),
    )


def _differences(
    store: Store, plain: StoredPart, part: StoredPart, benchmark: Benchmark
) -> list[AttackDifference]:
    """Attacked minus plain: the success rate, then each headline of the benchmark itself."""
    sides = [stored_outcomes(store, one, store.scorer_of(one)) for one in (plain, part)]
    found = aligned(sides, [planned(plain), planned(part)])
    if isinstance(found, str):
        return []
    kind = part.body.attack.kind if part.body.attack else None
    read = as_attacked(benchmark, part.asked, part.attack, kind)
    own = {headline.metric for headline in benchmark.headlines}
    wanted = [
        metric
        for metric in read.metrics
        if metric.name in {ASR, *own} and (not metric.ways or part.asked in metric.ways)
    ]
    told = []
    for metric in wanted:
        each = measured(found, (metric, metric))
        if each is None:
            continue
        everything = each.of(None)
        before, after = values(each, everything)
        moved = difference(found, each, everything, draws=OF_OTHERS)
        told.append(
            AttackDifference(
                metric=metric.name,
                label=metric.label or metric.name.replace("_", " "),
                unit=metric.unit,
                better=metric.better,
                plain=before,
                attacked=after,
                difference=moved.value,
                low=moved.low,
                high=moved.high,
                outer_low=moved.outer_low,
                outer_high=moved.outer_high,
                p=moved.p_value,
                pairs=moved.n_a,
                absent=moved.absent,
                only_plain=moved.only_a,
                only_attacked=moved.only_b,
                method=moved.interval_method,
            )
        )
    return told


def _curves(outcomes: Outcomes, rate: Metric, settings: Mapping[str, Scalar]) -> list[CostCurve]:
    """One curve for each kind of cost; ASR@k as a mean over draws where attempts are alike."""
    curves = [_curve(axis, outcomes, rate) for axis in AXES]
    if settings.get("exchangeable") is True:
        curves[0] = _at_k(outcomes, rate) or curves[0]
    return curves


def _at_k(outcomes: Outcomes, rate: Metric) -> CostCurve | None:
    """ASR@k over all choices of k attempts; None where samples were tried too seldom.

    Of n attempts judged and c successes, ``1 - C(n-c, k) / C(n, k)``, averaged over samples.

    Source: Chen et al. 2021, arXiv 2107.03374, eq. 1 (pass@k).
    """
    tried: list[tuple[int, int]] = []
    clusters: list[str] = []
    for place, code in enumerate(outcomes.kind.tolist()):
        kind = outcomes.kinds[code]
        if kind.absent is not None or not rate.where(kind.row):
            continue
        n = _number(kind.outcomes.get("attack_judged"))
        c = _number(kind.outcomes.get("attack_successes"))
        if n is not None and c is not None and n > 0:
            tried.append((int(n), int(c)))
            clusters.append(outcomes.cluster[place] or outcomes.sample[place])
    most = min((n for n, _ in tried), default=0)
    if most < 2:
        return None
    points = []
    for k in sorted({2**power for power in range(most.bit_length())} | {most}):
        values = np.array([[at_k(n, c, k), 1.0] for n, c in tried])
        seen = estimate(values, clusters, resamples=500)
        points.append(CurvePoint(float(k), seen.value, seen.low, seen.high))
    mean = sum(n for n, _ in tried) / len(tried)
    return CostCurve("attempts", points, len(tried), 0, mean, forecast(points))


def at_k(n: int, c: int, k: int) -> float:
    """The chance that k of n attempts, drawn without order, hold one of the c successes.

    >>> at_k(4, 1, 2)
    0.5
    """
    return 1.0 - math.comb(n - c, k) / math.comb(n, k)


MORE = (10, 100)
"""A forecast is given for so many times the attempts that were made."""


def forecast(points: Sequence[CurvePoint]) -> Forecast | None:
    """What more attempts would come to by the power law; None where three points do not tell.

    ``-log(ASR) = a N^-b``, by least squares of ``log(-log ASR)`` on ``log N``.

    Source: Hughes et al. 2024, arXiv 2412.03556, §3.3.
    """
    known = [
        (point.spent, point.value)
        for point in points
        if point.value is not None and 0.0 < point.value < 1.0
    ]
    if len(known) < 3:
        return None
    x = np.log([spent for spent, _ in known])
    y = np.log([-math.log(value) for _, value in known])
    slope, intercept = np.polyfit(x, y, 1)
    a, b = float(np.exp(intercept)), float(-slope)
    if b <= 0:
        return None
    largest = int(known[-1][0])
    at = [(n := more * largest, math.exp(-a * n**-b)) for more in MORE]
    told = ", ".join(f"{100 * value:.1f} % at {n:,} attempts" for n, value in at)
    text = (
        f"{told}: extrapolated from {len(known)} points up to {largest:,} attempts by"
        f" -log(rate) = {a:.3g} N^-{b:.3g}; no interval is known for this"
    )
    return Forecast(a, b, at, len(known), text)


def _curve(axis: Axis, outcomes: Outcomes, rate: Metric) -> CostCurve:
    """The success rate within each budget of one kind; what a sample took is in its score."""
    name = "attack_success_at" if axis == "attempts" else f"attack_{axis}_to_success"
    spent: list[float | None] = []
    clusters: list[str] = []
    unknown = 0
    whole: list[float] = []
    total = "attack_attempts" if axis == "attempts" else f"attack_{axis}"
    for place, code in enumerate(outcomes.kind.tolist()):
        kind = outcomes.kinds[code]
        row = kind.row
        if kind.absent is not None or not rate.where(row) or (found := rate.of(row)) is None:
            continue
        cost = _number(kind.outcomes.get(name))
        if found[0] >= 1.0 and cost is None:
            unknown += 1
            continue
        spent.append(cost if found[0] >= 1.0 else None)
        clusters.append(outcomes.cluster[place] or outcomes.sample[place])
        if (used := _number(kind.outcomes.get(total))) is not None:
            whole.append(used)
    budgets = _budgets([one for one in spent if one is not None], max(whole, default=0.0))
    points = []
    for budget in budgets:
        within = np.array(
            [[float(one is not None and one <= budget), 1.0] for one in spent], dtype=float
        ).reshape(-1, 2)
        seen = estimate(within, clusters, resamples=500)
        points.append(CurvePoint(budget, seen.value, seen.low, seen.high))
    mean = sum(whole) / len(whole) if whole else None
    return CostCurve(axis=axis, points=points, n=len(spent), unknown=unknown, mean=mean)


def _budgets(costs: Sequence[float], most: float) -> list[float]:
    """Where the curve has its points: costs at which it rises, thinned out, and its end."""
    rises = sorted(set(costs))
    if len(rises) > MOST_POINTS:
        places = np.unique(np.linspace(0, len(rises) - 1, MOST_POINTS).round().astype(int))
        rises = [rises[place] for place in places]
    if most > (rises[-1] if rises else 0.0):
        rises.append(most)
    return rises


def _examples(
    store: Store, part: StoredPart, plain: StoredPart | None, rate: Metric
) -> list[Example]:
    """The successes that took least, those first that plain asking did not have."""
    found = store.outcomes(part, store.scorer_of(part))
    had = _plain_successes(store, plain, rate)
    ranked: list[tuple[bool, float, int]] = []
    for place, code in enumerate(found.kind.tolist()):
        kind = found.kinds[code]
        row = kind.row
        if kind.absent is not None or not rate.where(row):
            continue
        succeeded = rate.of(row)
        at = _number(kind.outcomes.get("attack_success_at"))
        if succeeded is None or succeeded[0] < 1.0 or at is None:
            continue
        cost = _number(kind.outcomes.get("attack_queries_to_success")) or at
        ranked.append((found.sample[place] in had, cost, place))
    ranked.sort()
    positions = store.positions(part.id, [place for *_, place in ranked[:EXAMPLES]])
    texts = {position: text for position, _, _, text in store.texts(part.id, positions=positions)}
    told = []
    for (was_plain, _, place), position in zip(ranked, positions, strict=False):
        text = texts[position]
        at = int(_number(found.kinds[found.kind[place]].outcomes["attack_success_at"]) or 1)
        attempt = text.transcript.attempts[at - 1]
        told.append(
            Example(
                sample=found.sample[place],
                category=text.sample.category,
                attempt=at,
                sent=[(message.role, _cut(message.content)) for message in attempt.sent[-4:]],
                reply=_cut(attempt.reply.text if attempt.reply else ""),
                decoded=None if attempt.decoded is None else _cut(attempt.decoded),
                plain_too=was_plain,
            )
        )
    return told


def _plain_successes(store: Store, plain: StoredPart | None, rate: Metric) -> frozenset[str]:
    if plain is None:
        return frozenset()
    found = store.outcomes(plain, store.scorer_of(plain))
    succeeded = [
        kind.absent is None and rate.where(kind.row) and (rate.of(kind.row) or (0.0,))[0] >= 1.0
        for kind in found.kinds
    ]
    return frozenset(
        sample
        for sample, code in zip(found.sample, found.kind.tolist(), strict=True)
        if succeeded[code]
    )


def families(
    parts: Sequence[tuple[StoredPart, Outcomes]], rate: Metric, benchmark: str, asked: str
) -> list[FamilyDocument]:
    """Several attacks on the same samples: the worst of them, their mean, and any of them.

    Members of a family (one template each) come together; all attacks of a benchmark do as well.

    Args:
        parts: attacked parts of one benchmark asked one way, with their outcomes.
    """
    by_family: dict[str, list[tuple[StoredPart, Outcomes]]] = {}
    for part, outcomes in parts:
        body = part.body.attack
        family = str(body.settings.get("family", "")) if body else ""
        if family:
            by_family.setdefault(family, []).append((part, outcomes))
    if len(parts) > 1 and not any(len(members) == len(parts) for members in by_family.values()):
        by_family["all attacks"] = list(parts)
    return [
        _family(name, members, rate, benchmark, asked)
        for name, members in by_family.items()
        if len(members) > 1
    ]


def _family(
    name: str,
    members: Sequence[tuple[StoredPart, Outcomes]],
    rate: Metric,
    benchmark: str,
    asked: str,
) -> FamilyDocument:
    """All of it on the samples that every member was asked, so that any-of-N bounds each of them.

    A success anywhere is one; a sample with none and an absence is absent.
    """
    cluster: dict[_Key, str] = {}
    made = [(part.attack, _successes(outcomes, rate, cluster)) for part, outcomes in members]
    asked_of = [set(seen) for _, seen in made if seen]
    shared = set.intersection(*asked_of) if asked_of else set()
    rates = [(attack, [seen[key] for key in shared if key in seen]) for attack, seen in made]
    known = [
        (sum(told) / len(told), len(told), attack)
        for attack, seen in rates
        if (told := [one for one in seen if one is not None])
    ]
    worst = max(known, default=None)
    any_of = {key: [seen[key] for _, seen in made if key in seen] for key in sorted(shared)}
    won: list[tuple[float, float]] = []
    of: list[str] = []
    absent: list[str] = []
    for key, seen in any_of.items():
        if any(one == 1.0 for one in seen):
            won.append((1.0, 1.0))
        elif any(one is None for one in seen):
            absent.append(cluster[key])
            continue
        else:
            won.append((0.0, 1.0))
        of.append(cluster[key])
    found = estimate(
        np.array(won, dtype=float).reshape(-1, 2),
        of,
        absent_options=rate.options,
        absent_clusters=absent,
        better="lower",
    )
    return FamilyDocument(
        name=name,
        benchmark=benchmark,
        asked=asked,
        members=len(members),
        worst=None if worst is None else worst[0],
        worst_attack=None if worst is None else worst[2],
        worst_n=None if worst is None else worst[1],
        mean=sum(value for value, *_ in known) / len(known) if known else None,
        known=len(known),
        any_of=found.value,
        low=found.low,
        high=found.high,
        outer_low=found.outer_low,
        outer_high=found.outer_high,
        n=found.n,
        absent=found.absent,
    )


def _successes(
    outcomes: Outcomes, rate: Metric, cluster: dict[_Key, str]
) -> dict[_Key, float | None]:
    """Whether the attack succeeded, 1 or 0, by sample and repeat; None where that is absent.

    Their clusters are put into ``cluster``.
    """
    of_kind = [
        None if kind.absent is not None or (found := rate.of(kind.row)) is None else found[0]
        for kind in outcomes.kinds
    ]
    counts = [rate.where(kind.row) for kind in outcomes.kinds]
    seen: dict[_Key, float | None] = {}
    for place, code in enumerate(outcomes.kind.tolist()):
        if counts[code]:
            key = (outcomes.sample[place], int(outcomes.repeat[place]))
            seen[key] = of_kind[code]
            cluster[key] = outcomes.cluster[place] or outcomes.sample[place]
    return seen


def _values(outcomes: Outcomes, name: str) -> list[tuple[float, int]]:
    counts = np.bincount(outcomes.kind, minlength=len(outcomes.kinds)).tolist()
    return [
        (value, count)
        for kind, count in zip(outcomes.kinds, counts, strict=True)
        if (value := _number(kind.outcomes.get(name))) is not None
    ]


def _mean(outcomes: Outcomes, name: str) -> float | None:
    found = _values(outcomes, name)
    n = sum(count for _, count in found)
    return sum(value * count for value, count in found) / n if n else None


def _sum(outcomes: Outcomes, name: str) -> int:
    return int(sum(value * count for value, count in _values(outcomes, name)))


def _number(value: Scalar) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _cut(text: str) -> str:
    if len(text) <= _MOST_CHARACTERS:
        return text
    return f"{text[:_MOST_CHARACTERS]} … ({len(text) - _MOST_CHARACTERS:,} more characters)"
