"""Metrics of pairs: how often two records of one unit differ, with bounds over absent ones.

A unit is a sample with its repeats, or a cluster of samples that ask the same. Its value is the
share of its pairs that differ; the metric is the mean over units with a pair. An absent record
could have been like the largest group of its unit, or like none of the others.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from safemark.benchmarks._benchmark import Metric
from safemark.stats import Estimate, estimate

if TYPE_CHECKING:
    from safemark.reports.metrics import Records

Flags = npt.NDArray[np.bool_]


def differing(values: Sequence[Hashable]) -> float | None:
    """Share of the pairs of ``values`` that differ; None where there is no pair.

    >>> differing(["a", "a", "b"]), differing(["a"])
    (0.66..., None)
    """
    pairs = len(values) * (len(values) - 1) / 2
    same = sum(count * (count - 1) / 2 for count in Counter(values).values())
    return 1 - same / pairs if pairs else None


def filled(values: Sequence[Hashable], absent: int) -> tuple[float | None, float | None]:
    """The least and the greatest such share that ``absent`` further values leave possible.

    >>> filled(["a", "a", "b"], 1)
    (0.5, 0.83...)
    """
    most = Counter(values).most_common(1)
    like = [most[0][0] if most else object()] * absent
    return differing([*values, *like]), differing([*values, *(object() for _ in range(absent))])


def pairs_estimate(
    metric: Metric, records: "Records", concerned: Flags, not_asked: Mapping[str, int]
) -> Estimate:
    """A metric with ``between`` over the records of some kinds, (K,).

    ``n`` and ``absent`` count answers, those of units that have a pair, not units. Further
    samples that were not asked each count as a unit of which nothing is known.
    """
    if metric.between is None:
        raise TypeError(f"{metric.name} compares nothing")
    told: list[Hashable] = [
        metric.between(row) if row.absent is None else None for row in records.rows
    ]
    is_absent = [row.absent is not None for row in records.rows]
    units: dict[int, list[Hashable]] = {}
    missing: Counter[int] = Counter()
    cluster_of: dict[int, int] = {}
    codes = records.cluster if metric.unit_of == "cluster" else records.sample
    unit_codes = records.cluster if codes is None else codes
    place = np.flatnonzero(concerned[records.kind])
    for unit, kind, cluster in zip(
        unit_codes[place].tolist(),
        records.kind[place].tolist(),
        records.cluster[place].tolist(),
        strict=True,
    ):
        cluster_of[unit] = cluster
        values = units.setdefault(unit, [])
        if is_absent[kind]:
            missing[unit] += 1
        else:
            values.append(told[kind])
    shares = {unit: differing(values) for unit, values in units.items()}
    answers = sum(len(units[unit]) for unit, share in shares.items() if share is not None)
    known = replace(_estimated(shares, cluster_of), n=answers)
    absent = missing.total() + sum(not_asked.values())
    if not absent:
        return known
    bounds = {unit: filled(values, missing[unit]) for unit, values in units.items()}
    unknown = [-1 - number for number in range(sum(not_asked.values()))]
    clusters = {**cluster_of, **{unit: unit for unit in unknown}}
    least, most = (
        _estimated(
            {**{unit: pair[side] for unit, pair in bounds.items()}, **dict.fromkeys(unknown, fill)},
            clusters,
        )
        for side, fill in ((0, 0.0), (1, 1.0))
    )
    lows = [value for value in (known.low, least.low) if value is not None]
    highs = [value for value in (known.high, most.high) if value is not None]
    return Estimate(
        value=known.value,
        low=known.low,
        high=known.high,
        n=known.n,
        absent=absent,
        worst=most.value,
        best=least.value,
        outer_low=min(lows, default=None),
        outer_high=max(highs, default=None),
        method=known.method,
    )


def _estimated(shares: Mapping[int, float | None], cluster_of: Mapping[int, int]) -> Estimate:
    """The mean over units that have a pair."""
    there = [(unit, share) for unit, share in shares.items() if share is not None]
    values = np.array([(share, 1.0) for _, share in there]) if there else np.zeros((0, 2))
    return estimate(values, [cluster_of[unit] for unit, _ in there], better="lower")
