"""A benchmark measured without engine or report: scripted answers in, metric values out.

Deliberately plain: sums of contributions, then the statistic. Intervals and bounds are the
business of `safemark.stats`.
"""

import asyncio
import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable

import numpy as np

from safemark.benchmarks._benchmark import Benchmark, Metric, Way
from safemark.stats import Estimate, estimate, ratio
from safemark.types import Attempt, Likelihood, Reason, Reply, Row, Sample, Score, Transcript

Answerer = Callable[[Sample, Sample], Attempt]
"""From a sample and what was rendered of it to an attempt."""


def row_of(sample: Sample, way: Way, answer: Answerer) -> Row:
    """One sample asked ``way``, answered and scored."""
    rendered = way.render(sample)
    attempt = answer(sample, rendered)
    transcript = Transcript((attempt,))
    if transcript.absent is not None:
        score = Score({}, transcript.absent, transcript.why)
    else:
        found = way.scorer.score(rendered, transcript)
        score = found if isinstance(found, Score) else asyncio.run(_awaited(found))
    return Row(
        sample_id=sample.id,
        repeat=0,
        category=sample.category,
        cluster=sample.cluster,
        facets=sample.facets,
        outcomes=score.outcomes,
        absent=score.absent,
    )


async def _awaited(found: object) -> Score:
    assert inspect.isawaitable(found)
    score = await found
    assert isinstance(score, Score)
    return score


def rows_of(
    benchmark: Benchmark, samples: Iterable[Sample], way: str, answer: Answerer
) -> list[Row]:
    """All samples asked that way."""
    found = benchmark.way(way)
    assert found is not None
    return [row_of(sample, found, answer) for sample in samples]


def metric(benchmark: Benchmark, name: str) -> Metric:
    return next(metric for metric in benchmark.metrics if metric.name == name)


def value(metric: Metric, rows: Iterable[Row]) -> float | None:
    """The metric over the scored rows; None where it is 0 ÷ 0."""
    parts = [
        part
        for row in rows
        if metric.where(row) and row.absent is None and (part := metric.of(row)) is not None
    ]
    if not parts:
        return None
    sums = np.sum(np.asarray(parts, dtype=np.float64), axis=0)
    if metric.statistic is not None:
        result = float(metric.statistic(sums))
        return None if np.isnan(result) else result
    return None if sums[1] == 0 else float(sums[0] / sums[1])


def estimated(metric: Metric, rows: Iterable[Row]) -> Estimate:
    """The metric with its interval and its bounds over absent rows."""
    width = len(metric.options[0]) if metric.options else 2
    there = [row for row in rows if metric.where(row)]
    parts = [(row, metric.of(row)) for row in there if row.absent is None]
    scored = [(row.cluster or row.sample_id, part) for row, part in parts if part is not None]
    return estimate(
        np.asarray([part for _, part in scored]) if scored else np.zeros((0, width)),
        [cluster for cluster, _ in scored],
        absent_options=metric.options,
        absent_clusters=[row.cluster or row.sample_id for row in there if row.absent is not None],
        statistic=metric.statistic or ratio,
        range=metric.range,
        better=metric.better,
        target=metric.target,
        bounds_known=bool(metric.options),
    )


def values(benchmark: Benchmark, rows: list[Row]) -> dict[str, float | None]:
    """Every metric of a benchmark, overall."""
    return {metric.name: value(metric, rows) for metric in benchmark.metrics}


def by_category(metric: Metric, rows: Iterable[Row]) -> dict[str | None, float | None]:
    """One metric for each category."""
    groups: dict[str | None, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.category].append(row)
    return {category: value(metric, group) for category, group in groups.items()}


def prefers(index: int, rendered: Sample) -> Attempt:
    """Likelihoods that are greatest for the continuation ``index``."""
    likelihoods = tuple(
        Likelihood(-1.0 if i == index else -5.0 - i, 1, i == index)
        for i in range(len(rendered.continuations))
    )
    return Attempt(
        sent=rendered.messages,
        context=rendered.context,
        continuations=rendered.continuations,
        likelihoods=likelihoods,
    )


def says(text: str) -> Attempt:
    return Attempt(reply=Reply(text))


def fails(reason: Reason) -> Attempt:
    return Attempt(absent=reason, why="scripted")
