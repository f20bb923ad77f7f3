"""Metrics of a part's records: overall, by group, and as the system's where something was blocked.

Records are read in columns: a metric is asked once for each distinct kind of record, however many
records are of that kind. Lights and documents of runs are not known here.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from safemark.benchmarks._benchmark import Benchmark, Metric, share
from safemark.benchmarks._consistency import of_repeats
from safemark.benchmarks._sizes import group_of
from safemark.reports.document import MetricDocument
from safemark.reports.not_asked import NotAsked
from safemark.reports.repeated import pairs_estimate
from safemark.reports.together import groups_estimate
from safemark.stats import Estimate, estimate, ratio
from safemark.stats.clusters import coded
from safemark.stats.estimate import CONFIDENCE
from safemark.store import Outcomes
from safemark.types import Reason, Row

Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.intp]
Overall = Callable[[Metric, Estimate], Estimate]

MOST_WORDS = 12
"""So many different words of one outcome are told as metrics of their own."""


@dataclass(frozen=True, slots=True)
class Records:
    """A row of each kind, (K,), then kind, cluster and sample of each record, (n,) each.

    Where ``sample`` is not told, a cluster is one.
    """

    rows: tuple[Row, ...]
    kind: Codes
    cluster: Codes
    sample: Codes | None = None
    has_repeats: bool = False

    @classmethod
    def of(cls, found: Outcomes) -> "Records":
        named = (
            cluster or sample for cluster, sample in zip(found.cluster, found.sample, strict=True)
        )
        rows = tuple(kind.row for kind in found.kinds)
        return cls(
            rows,
            found.kind.astype(np.intp),
            coded(list(named)),
            coded(list(found.sample)),
            bool(found.repeat.any()),
        )

    def having(self, what: Callable[[Row], bool]) -> Flags:
        """The kinds of which ``what`` is true, (K,)."""
        return np.fromiter(map(what, self.rows), np.bool_, len(self.rows))

    @property
    def counts(self) -> list[int]:
        """How many records are of each kind, (K,)."""
        counts: list[int] = np.bincount(self.kind, minlength=len(self.rows)).tolist()
        return counts

    @property
    def counted(self) -> list[tuple[Row, int]]:
        """Each kind, and how many records are of it."""
        return list(zip(self.rows, self.counts, strict=True))

    def absences(self) -> Counter[Reason]:
        """How many records are absent, by reason."""
        found: Counter[Reason] = Counter()
        for row, count in zip(self.rows, self.counts, strict=True):
            if row.absent is not None:
                found[row.absent] += count
        return found

    def not_asked(self, planned: Mapping[str, int]) -> dict[str, int]:
        """How many of the planned samples have no record, by category."""
        stored: Counter[str] = Counter()
        for row, count in zip(self.rows, self.counts, strict=True):
            stored[row.category or ""] += count
        missing = {category: n - stored[category] for category, n in planned.items()}
        return {category: n for category, n in missing.items() if n > 0}


def measured(
    benchmark: Benchmark,
    records: Records,
    asked: str,
    not_asked: NotAsked | None = None,
    overall: Overall = lambda _metric, found: found,
) -> tuple[list[MetricDocument], dict[str, tuple[Metric, Estimate]]]:
    """Every metric of a benchmark, overall and by group; the overall estimates by name.

    Args:
        records: all stored ones, absent ones included.
        asked: the way of asking; metrics that it cannot tell are left out.
        not_asked: planned samples that have no record; each counts as absent in every metric that
            could have counted it.
        overall: what is told of a metric over all records, given its plain estimate.
    """
    metrics: list[MetricDocument] = []
    whole: dict[str, tuple[Metric, Estimate]] = {}
    unasked = not_asked or NotAsked({})
    asked_of = records.counted
    own = (*benchmark.metrics, *benchmark.further(records.rows))
    if records.has_repeats and not any(metric.between for metric in own):
        own = (*own, *of_repeats(records.rows))
    for metric in own:
        if metric.ways and asked not in metric.ways:
            continue
        concerned = concerning(metric, records)
        missing = unasked.counted(metric, asked_of)
        found = overall(metric, estimated(metric, records, concerned, missing))
        if found.n == 0 and found.absent == 0:
            continue
        whole[metric.name] = (metric, found)
        metrics.append(shown(metric, None, found))
        for group, members in groups(metric, records, concerned):
            of_group = unasked.counted_in(group, metric, asked_of)
            metrics.append(shown(metric, group, estimated(metric, records, members, of_group)))
        if (system := _with_blocks(metric, records, concerned, missing)) is not None:
            metrics.append(system)
    return metrics, whole


def concerning(metric: Metric, records: Records) -> Flags:
    """The kinds that a metric speaks of, absent ones included, (K,)."""
    return records.having(metric.where)


def estimated(
    metric: Metric,
    records: Records,
    concerned: Flags,
    not_asked: Mapping[str, int],
    confidence: float = CONFIDENCE,
) -> Estimate:
    """A metric over the records of some kinds.

    Args:
        concerned: which kinds, (K,).
        not_asked: further absent samples, by category.
        confidence: of the interval, where the metric is no share of pairs of repeats.
    """
    if metric.between is not None:
        return pairs_estimate(metric, records, concerned, not_asked)
    if metric.together is not None:
        return groups_estimate(metric, records, concerned, not_asked, confidence)
    width = len(metric.options[0]) if metric.options else 2
    parts = [
        metric.of(row) if is_concerned and row.absent is None else None
        for row, is_concerned in zip(records.rows, concerned, strict=True)
    ]
    is_scored = np.array([part is not None for part in parts], np.bool_)
    is_absent = concerned & records.having(lambda row: row.absent is not None)
    scored, absent = is_scored[records.kind], is_absent[records.kind]
    known = [part for part in parts if part is not None]
    values = np.array(known, dtype=float) if known else np.zeros((0, width))
    place = np.cumsum(is_scored) - 1  # of a kind among those that are scored
    absent_clusters: list[Any] = records.cluster[absent].tolist()
    for category, n in not_asked.items():
        absent_clusters += [f"not asked/{category}/{i}" for i in range(n)]
    return estimate(
        values[place[records.kind[scored]]],
        records.cluster[scored],
        absent_options=metric.options,
        absent_clusters=absent_clusters,
        statistic=metric.statistic or ratio,
        range=metric.range,
        better=metric.better,
        target=metric.target,
        bounds_known=bool(metric.options),
        confidence=confidence,
    )


def groups(metric: Metric, records: Records, concerned: Flags) -> list[tuple[str, Flags]]:
    """The kinds of each group, (K,) each, by the group's name."""
    if metric.by is None:
        return []
    found: dict[str, Flags] = {}
    for place, row in enumerate(records.rows):
        group = group_of(metric, row)
        if group is not None and concerned[place]:
            members = found.setdefault(group, np.zeros(len(records.rows), np.bool_))
            members[place] = True
    return sorted(found.items())


def _with_blocks(
    metric: Metric, records: Records, concerned: Flags, missing: Mapping[str, int]
) -> MetricDocument | None:
    """The metric of the system, in which a block is an outcome; None where nothing was blocked."""
    outcomes = metric.blocked
    blocked = concerned & records.having(lambda row: row.absent is Reason.BLOCKED)
    if outcomes is None or not blocked.any():
        return None
    read = tuple(
        msgspec.structs.replace(row, outcomes=outcomes, absent=None) if is_blocked else row
        for row, is_blocked in zip(records.rows, blocked, strict=True)
    )
    system = replace(
        metric,
        name=f"{metric.name}_with_blocks",
        label=f"{metric.label or metric.name}; blocked counts as refused",
    )
    found = estimated(system, replace(records, rows=read), concerned, missing)
    return shown(system, None, found)


def shown(metric: Metric, group: str | None, found: Estimate) -> MetricDocument:
    """A metric as documents hold it."""
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


def told(declared: tuple[Metric, ...], records: Records) -> tuple[Metric, ...]:
    """A scorer's own metrics; where it declares none, the share of each yes and of each word.

    Numbers are left out: what they can range over is not known, so nor are their bounds.
    """
    return declared or tuple(_shares(records))


def _shares(records: Records) -> list[Metric]:
    """One share for every outcome that is yes or no, one for every word of the others."""
    values: dict[str, set[bool | str]] = {}
    for row in records.rows:
        for name, value in row.outcomes.items() if row.absent is None else ():
            if isinstance(value, bool | str):
                values.setdefault(name, set()).add(value)
    found = []
    for name, seen in sorted(values.items()):
        if seen <= {True, False}:
            found.append(Metric(f"{_word(name)}_rate", "lower", share(name), label=_said(name)))
            continue
        for word in sorted(map(str, seen))[:MOST_WORDS]:
            metric = f"{_word(name)}_{_word(word)}_rate"
            label = _said(f"{name}: {word}")
            found.append(Metric(metric, "lower", share(name, word), label=label))
    return found


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _said(text: str) -> str:
    return text.replace("_", " ")
