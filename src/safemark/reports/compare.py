"""From the records of two or more runs to a comparison: what differs, how sure that is, who moved.

A pure reader. The first run is the one before; every other is compared with it, sample by sample.
What is tested is decided before any p-value is seen: headlines are one family (Holm), all other
metrics and all groups another (Benjamini–Hochberg).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np

from safemark import __version__, registry
from safemark.attacks._success import as_attacked, of_answer
from safemark.benchmarks._benchmark import Headline, Metric
from safemark.errors import DataError, SafemarkError, UsageError
from safemark.reports.aligned import Aligned, Array, Measured, aligned, measured
from safemark.reports.boards import boards
from safemark.reports.comparison import (
    SCHEMA,
    Comparison,
    DifferenceDocument,
    LostSample,
    MetricComparison,
    MovedSample,
    NotCompared,
    PairComparison,
    PartComparison,
    VerdictName,
)
from safemark.reports.differences import (
    OF_HEADLINES,
    OF_OTHERS,
    difference,
    values,
    worsening,
)
from safemark.reports.matching import Match, common_metrics, judged_by, matched
from safemark.reports.sides import Side
from safemark.stats import benjamini_hochberg, holm
from safemark.store import Kind
from safemark.types import Scalar

ALPHA = 0.05
LISTED = 20
"""How many samples that moved are listed for each headline, unless told."""


def compare(sides: Sequence[Side], *, across: bool = False, listed: int = LISTED) -> Comparison:
    """Every run of ``sides`` against the first.

    Args:
        across: compare also what was made with other versions, judges or ways of asking.
        listed: how many samples that moved are listed for each headline.

    Raises:
        UsageError: fewer than two runs, or nothing that may be compared without ``across``.
        DataError: the runs share nothing.
    """
    if len(sides) < 2:
        raise UsageError("a comparison needs two runs", "`safemark list runs` shows what is stored")
    pairs = [_pair(sides, place, across=across, listed=listed) for place in range(1, len(sides))]
    if not any(pair.parts for pair in pairs):
        raise _nothing(pairs)
    adjusted = corrected([difference for pair in pairs for difference in _differences(pair)])
    replaced = iter(adjusted)
    pairs = [_replaced(pair, replaced) for pair in pairs]
    tested = [difference.family for difference in adjusted if difference.p is not None]
    return Comparison(
        safemark=__version__,
        schema=SCHEMA,
        runs=[side.run for side in sides],
        pairs=pairs,
        boards=boards(sides, across=across) if len(sides) > 2 else [],
        alpha=ALPHA,
        headlines_tested=tested.count("headlines"),
        others_tested=tested.count("others"),
        across=any(part.warnings for pair in pairs for part in pair.parts),
        warnings=_warnings(sides),
    )


def _nothing(pairs: Sequence[PairComparison]) -> SafemarkError:
    reasons = [each for pair in pairs for each in pair.not_compared]
    shown = list(dict.fromkeys(f"{each.benchmark}: {each.why}" for each in reasons))
    why = "; ".join(shown[:3]) or "neither run holds a benchmark"
    if any(each.refused for each in reasons):
        return UsageError(
            f"not comparable because {why}", "`--across` compares them all the same, and says so"
        )
    return DataError(
        f"not comparable because {why}", "`safemark show RUN` tells what a run was asked"
    )


def _warnings(sides: Sequence[Side]) -> list[str]:
    found = [
        f"{side.run.label} did not finish ({side.run.status}): what it never asked is absent"
        for side in sides
        if side.run.status != "complete"
    ]
    if len({side.run.run for side in sides}) < len(sides):
        found.append("one run was named more than once")
    return found


def _pair(sides: Sequence[Side], place: int, *, across: bool, listed: int) -> PairComparison:
    before, after = sides[0], sides[place]
    matches, not_compared = matched(before, after)
    parts: list[PartComparison] = []
    for match in matches:
        name = match.before.head.benchmark
        if match.unlike and not across:
            not_compared.append(NotCompared(name, " and ".join(match.unlike), refused=True))
            continue
        found = _part(match, listed)
        if isinstance(found, str):
            not_compared.append(NotCompared(name, found, refused=False))
        else:
            parts.append(found)
    return PairComparison(0, place, parts, not_compared, _differs(before.spec, after.spec))


_NOT_SETTINGS = frozenset({"identity", "asked", "benchmarks", "suite"})


def _differs(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[str]]:
    keys = sorted({*before, *after} - _NOT_SETTINGS)
    values = {key: (before.get(key), after.get(key)) for key in keys}
    return {
        key: [_plain(value) for value in pair] for key, pair in values.items() if pair[0] != pair[1]
    }


def _plain(value: Any) -> str:
    if value is None:
        return "not set"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _part(match: Match, listed: int) -> PartComparison | str:
    heads = (match.before.head, match.after.head)
    metrics = common_metrics(heads)
    if isinstance(metrics, str):
        return metrics
    sides = (match.before.outcomes(), match.after.outcomes())
    found = aligned(sides, [head.planned for head in heads])
    if isinstance(found, str):
        return found
    benchmark = as_attacked(
        registry.benchmark(f"{heads[0].benchmark}@{heads[0].version}"),
        heads[0].asked,
        heads[0].attack,
    )
    read = [each for metric in metrics if (each := measured(found, metric)) is not None]
    headlines = {
        metric: [h for h in benchmark.headlines if h.metric == metric]
        for metric in (h.metric for h in benchmark.headlines)
    }
    of_headlines = [each for each in read if each.metric.name in headlines]
    return PartComparison(
        benchmark=benchmark.name,
        title=benchmark.title,
        version=_distinct(head.version for head in heads),
        asked=_distinct(head.asked for head in heads),
        scorer=_distinct(map(judged_by, heads)),
        attack=heads[0].attack,
        shared=len(found),
        only_before=found.only[0],
        only_after=found.only[1],
        metrics=[_metric(found, each, headlines.get(each.metric.name, ())) for each in read],
        moved=[sample for each in of_headlines for sample in _moved(found, each, listed)],
        lost=_lost(found, listed),
        warnings=list(match.unlike),
    )


def _distinct(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _metric(found: Aligned, each: Measured, headlines: Sequence[Headline]) -> MetricComparison:
    metric = each.metric
    labels = sorted(label for label in each.groups if label is not None)
    family: Family = "headlines" if headlines else "others"
    moves = worsening(each)
    return MetricComparison(
        name=metric.name,
        label=metric.label or metric.name.replace("_", " "),
        unit=metric.unit,
        better=metric.better,
        target=metric.target,
        range=metric.range,
        is_headline=bool(headlines),
        dimensions=_distinct(headline.dimension for headline in headlines),
        whole=_difference(found, each, None, family, moves),
        groups=[_difference(found, each, label, "others", moves) for label in labels],
    )


Family: TypeAlias = Literal["headlines", "others"]


def _difference(
    found: Aligned, each: Measured, label: str | None, family: Family, moves: Array | None
) -> DifferenceDocument:
    chosen = each.of(label)
    draws = OF_HEADLINES if family == "headlines" else OF_OTHERS
    seen = difference(found, each, chosen, draws=draws)
    # of a group it only tells which way a difference goes that was shown
    is_told = label is None or (seen.p_value is not None and seen.p_value <= ALPHA)
    has_distance = each.metric.better == "target" and is_told
    away = difference(found, each, chosen, distance=True, draws=draws) if has_distance else None
    before, after = values(each, chosen)
    at = None if moves is None else moves[chosen]
    return DifferenceDocument(
        group=label,
        before=before,
        after=after,
        difference=seen.value,
        low=seen.low,
        high=seen.high,
        outer_low=seen.outer_low,
        outer_high=seen.outer_high,
        p=seen.p_value,
        p_adjusted=None,
        outer_p=seen.outer_p_value,
        outer_p_adjusted=None,
        family=family,
        verdict="undefined",
        effect=seen.effect,
        effect_name=seen.effect_name,
        n=seen.n_a,
        clusters=seen.n_clusters,
        absent=seen.absent,
        absent_before=seen.absent_a,
        absent_after=seen.absent_b,
        worse=None if at is None else int((at > 0).sum()),
        better=None if at is None else int((at < 0).sum()),
        distance=away.value if away else None,
        distance_low=away.low if away else None,
        distance_high=away.high if away else None,
        distance_outer_low=away.outer_low if away else None,
        distance_outer_high=away.outer_high if away else None,
        interval_method=seen.interval_method,
        test_method=seen.test_method,
        undefined=_not_of_samples(each.metric) or seen.undefined,
    )


def _not_of_samples(metric: Metric) -> str | None:
    """Why a metric has no difference sample by sample; None where it may have."""
    if metric.between is not None:
        return "it is of pairs of answers, which two runs do not share"
    return None if metric.together is None else "it is of whole groups, not of samples"


def _moved(found: Aligned, each: Measured, listed: int) -> list[MovedSample]:
    """Pairs whose outcome changed, worst first."""
    moves = worsening(each)
    if moves is None or not listed:
        return []
    order = np.argsort(-np.nan_to_num(moves), kind="stable")
    order = order[np.nan_to_num(moves)[order] != 0][:listed]
    shown = []
    for place in order.tolist():
        row = int(each.rows[place])
        sample, repeat = found.key(row)
        before, after = (_said(found.kind(run, row)) for run in (0, 1))
        group = each.groups[each.group[place]]
        moved = float(moves[place])
        shown.append(MovedSample(each.metric.name, sample, repeat, group, before, after, moved))
    return shown


def _lost(found: Aligned, listed: int) -> list[LostSample]:
    """Samples that have an outcome in one of the runs only; those that lost theirs first."""
    gone = [
        np.array([kind.absent is not None for kind in found.kinds(run)])[found.codes(run)]
        for run in (0, 1)
    ]
    rows = [*np.flatnonzero(gone[1] & ~gone[0]), *np.flatnonzero(gone[0] & ~gone[1])][:listed]
    return [
        LostSample(
            *found.key(int(row)),
            found.kind(0, int(row)).category,
            *(_said(found.kind(run, int(row))) for run in (0, 1)),
        )
        for row in rows
    ]


def _said(kind: Kind) -> str:
    if kind.absent is not None:
        return f"absent: {kind.absent}"
    told = of_answer(kind.outcomes).items()
    return ", ".join(f"{name} {_word(value)}" for name, value in told)[:80]


def _word(value: Scalar) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _differences(pair: PairComparison) -> Iterator[DifferenceDocument]:
    for part in pair.parts:
        for metric in part.metrics:
            yield metric.whole
            yield from metric.groups


def _replaced(pair: PairComparison, differences: Iterator[DifferenceDocument]) -> PairComparison:
    """The same pair, its differences taken from ``differences`` in the order of `_differences`."""
    parts = [
        msgspec.structs.replace(
            part, metrics=[_metric_replaced(metric, differences) for metric in part.metrics]
        )
        for part in pair.parts
    ]
    return msgspec.structs.replace(pair, parts=parts)


def _metric_replaced(
    metric: MetricComparison, differences: Iterator[DifferenceDocument]
) -> MetricComparison:
    whole = _decided(next(differences), metric)
    groups = [_decided(next(differences), metric) for _ in metric.groups]
    return msgspec.structs.replace(metric, whole=whole, groups=groups)


def corrected(found: Sequence[DifferenceDocument]) -> list[DifferenceDocument]:
    """The same differences with their p-values corrected, each within its family.

    Headlines by Holm 1979, the others by Benjamini & Hochberg 1995.
    """
    replaced = list(found)
    for family, correct in (("headlines", holm), ("others", benjamini_hochberg)):
        places = [i for i, each in enumerate(found) if each.family == family]
        inner = correct([found[i].p for i in places])
        outer = correct([_outer_p(found[i]) for i in places])
        for i, p, outer_p in zip(places, inner, outer, strict=True):
            replaced[i] = msgspec.structs.replace(found[i], p_adjusted=p, outer_p_adjusted=outer_p)
    return replaced


def _outer_p(found: DifferenceDocument) -> float | None:
    """The largest p that absent outcomes allow; 1 where nobody can tell."""
    if found.p is None:
        return None
    return 1.0 if found.outer_p is None else max(found.p, found.outer_p)


def _decided(found: DifferenceDocument, metric: MetricComparison) -> DifferenceDocument:
    return msgspec.structs.replace(found, verdict=verdict(found, metric.better))


def verdict(found: DifferenceDocument, better: str) -> VerdictName:
    """What a corrected difference says."""
    if found.p_adjusted is None or found.difference is None:
        return "undefined"
    if found.p_adjusted > ALPHA or found.difference == 0:
        return "not_shown"
    if found.outer_p_adjusted is None or found.outer_p_adjusted > ALPHA:
        return "open"
    if better == "target":
        if found.distance_low is not None and found.distance_low > 0:
            return "worse"
        if found.distance_high is not None and found.distance_high < 0:
            return "better"
        return "changed"
    return "better" if (found.difference > 0) == (better == "higher") else "worse"
