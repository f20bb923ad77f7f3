"""One metric in two runs, on pairs of aligned records: values, their difference, who moved how far.

Statistics are `safemark.stats`'s; here a metric is told apart from its distance to a target.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from safemark.benchmarks._benchmark import Metric
from safemark.reports.aligned import Aligned, Array, Mask, Measured
from safemark.stats import Difference, paired_difference, ratio


@dataclass(frozen=True, slots=True)
class Draws:
    """How often a bootstrap resamples, and how many swaps a test tries at most."""

    resamples: int
    permutations: int


OF_HEADLINES = Draws(2000, 9999)
OF_OTHERS = Draws(1000, 4999)
"""There are many of them: the ends of their intervals vary a little more from seed to seed."""


def tested(metric: Metric) -> dict[str, Any]:
    """What a test of ``metric`` itself is told beside the outcomes."""
    return {
        "statistic": metric.statistic or ratio,
        "absent_options": metric.options or None,
        "range": metric.range,
    }


def tested_distance(metric: Metric) -> dict[str, Any]:
    """The same of the distance from its target: lower is better."""
    target = metric.target or 0.0
    statistic: Callable[[Any], Any] = metric.statistic or ratio
    least, greatest = metric.range
    return {
        "statistic": lambda sums: np.abs(statistic(sums) - target),
        "absent_options": metric.options or None,
        "range": (0.0, max(target - least, greatest - target)),
    }


def outcomes_of(each: Measured, run: int, chosen: Mask) -> tuple[Array, bool]:
    """One run's outcomes of the chosen rows: (n,) where each is one number, else (n, k).

    The second says which.
    """
    plain = each.is_plain and bool(each.metric.options)
    columns = each.columns[run][chosen]
    return (columns[:, 0] if plain else columns), plain


def difference(
    found: Aligned,
    each: Measured,
    chosen: Mask,
    *,
    distance: bool = False,
    draws: Draws = OF_HEADLINES,
) -> Difference:
    """After minus before, of the metric itself or of its distance from the target."""
    (a, plain), (b, _) = outcomes_of(each, 0, chosen), outcomes_of(each, 1, chosen)
    clusters = each.clusters(found, chosen)
    if distance:
        a, b = each.columns[0][chosen], each.columns[1][chosen]
        draws = Draws(draws.resamples, 1)  # its p-value is not read
        told = tested_distance(each.metric)
    else:
        told = {"range": each.metric.range} if plain else tested(each.metric)
    return paired_difference(
        a,
        b,
        clusters,
        resamples=draws.resamples,
        permutations=draws.permutations,
        **told,
    )


def values(each: Measured, chosen: Mask) -> tuple[float | None, float | None]:
    """The metric in both runs, on the chosen pairs with both outcomes."""
    a, b = (columns[chosen] for columns in each.columns)
    both = ~np.isnan(a).any(axis=1) & ~np.isnan(b).any(axis=1)
    statistic = each.metric.statistic or ratio
    with np.errstate(divide="ignore", invalid="ignore"):
        found = [float(statistic(columns[both].sum(axis=0))) for columns in (a, b)]
    before, after = (value if np.isfinite(value) else None for value in found)
    return before, after


def worsening(each: Measured) -> Array | None:
    """How much each pair pulls the metric towards worse, NaN where absent, (n,).

    None where a pair has no direction of its own: the metric is no ratio of two sums. Of a metric
    with a target, worse is what pulls it away on the side where it came to lie.
    """
    metric = each.metric
    if metric.statistic is not None or each.columns[0].shape[1] != 2:
        return None
    a, b = each.columns
    before, after = values(each, np.ones(len(each), dtype=bool))
    if metric.better == "target":
        target = metric.target or 0.0
        side = np.sign((after if after is not None else target) - target) or 1.0
        weight, centre = float(side), target
    else:
        weight, centre = (-1.0 if metric.better == "higher" else 1.0), before or 0.0
    pulls = [columns[:, 0] - centre * columns[:, 1] for columns in (a, b)]
    moved: Array = np.round(weight * (pulls[1] - pulls[0]), 12)
    return moved
