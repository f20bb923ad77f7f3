"""Metrics of whole groups: the share of those whose every record has something, with bounds.

A group is a cluster of samples, once for each repeat. One that was cut off (asked in part) is left
out; one with an absent record is absent, and could have been either.
"""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from safemark.benchmarks._benchmark import SHARE, Metric
from safemark.stats import Estimate, estimate

if TYPE_CHECKING:
    from safemark.reports.metrics import Records

Flags = npt.NDArray[np.bool_]


def groups_estimate(
    metric: Metric,
    records: "Records",
    concerned: Flags,
    not_asked: Mapping[str, int],
    confidence: float,
) -> Estimate:
    """A metric with ``together`` over the records of some kinds, (K,); ``n`` counts groups.

    Further samples that were not asked each count as a group of which nothing is known.
    """
    wanted = metric.together
    if wanted is None:
        raise TypeError(f"{metric.name} is not of groups")
    holds = [None if row.absent is not None else wanted.holds(row) for row in records.rows]
    place = np.flatnonzero(concerned[records.kind])
    samples = records.cluster if records.sample is None else records.sample
    asked: Counter[int] = Counter()
    members: dict[tuple[int, int], list[int]] = {}
    for kind, cluster, sample in zip(
        records.kind[place].tolist(),
        records.cluster[place].tolist(),
        samples[place].tolist(),
        strict=True,
    ):
        members.setdefault((cluster, asked[sample]), []).append(kind)
        asked[sample] += 1
    known: list[tuple[float, float]] = []
    clusters: list[int] = []
    absent: list[int] = []
    for (cluster, _), kinds in members.items():
        if len(kinds) < wanted.size(records.rows[kinds[0]]):
            continue
        told = [holds[kind] for kind in kinds]
        if None in told:
            absent.append(cluster)
        else:
            known.append((float(all(told)), 1.0))
            clusters.append(cluster)
    nobody_asked = range(-sum(not_asked.values()), 0)
    return estimate(
        np.array(known) if known else np.zeros((0, 2)),
        clusters,
        absent_options=SHARE,
        absent_clusters=[*absent, *nobody_asked],
        better=metric.better,
        confidence=confidence,
    )
