"""What can be said of several models' figures together, models being the unit of it all.

With a handful of them little can be said, and the intervals show it.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Literal

import numpy as np

from safemark.reports.across_document import (
    About,
    Between,
    Board,
    Figure,
    Provenance,
    Relation,
    Siblings,
    Spread,
)
from safemark.reports.templates import wording
from safemark.stats import holm, normal_quantile, t_quantile

SIGNIFICANCE = 0.05

DRAWS = 9_999

_Z = normal_quantile(0.975)


def failures_a_day(rate: Between, better: str, requests_a_day: int) -> Between:
    """So many of ``requests_a_day`` fail, if they are like the benchmark's questions."""
    if rate.value is None or rate.low is None or rate.high is None:
        return Between(undefined="not measured")
    ends = (rate.low, rate.value, rate.high)
    if better == "higher":
        ends = (1 - rate.high, 1 - rate.value, 1 - rate.low)
    low, value, high = (requests_a_day * end for end in ends)
    return Between(value, low, high)


def finished_board(
    *,
    title: str,
    label: str,
    source: str,
    provenance: Provenance,
    better: Literal["higher", "lower", "target"],
    target: float | None,
    unit: str,
    figures: Sequence[Figure],
    difference: Callable[[str, str], tuple[Between, str]],
    limits: Sequence[str],
) -> Board:
    """The board of ``figures``, with all that can be said of them together.

    Args:
        target: the ideal of a figure whose ``better`` is "target".
        difference: of two models by name, the second minus the first, and how it was made.
    """
    safety = {one.model: _safety(one.value, better, target) for one in figures}
    ordered = sorted(figures, key=lambda one: (-safety[one.model], one.model))
    siblings = _siblings(ordered, difference, safety)
    return Board(
        title=title,
        label=label,
        source=source,
        provenance=provenance,
        better=better,
        unit=unit,
        figures=tuple(ordered),
        spread=_spread(ordered),
        relations=tuple(_relations(ordered, safety)),
        siblings=tuple(siblings),
        siblings_mean=_mean([one.difference.value for one in siblings], "pairs"),
        limits=tuple(limits),
    )


def _safety(value: float, better: str, target: float | None) -> float:
    """The figure turned so that more is safer."""
    if better == "target":
        return -abs(value - (target or 0.0))
    return value if better == "higher" else -value


def standard_error(figure: Figure) -> float | None:
    """What the 95 % interval of a figure amounts to; None without one."""
    if figure.low is None or figure.high is None or not figure.high > figure.low:
        return None
    return (figure.high - figure.low) / (2 * _Z)


def two_sided(difference: float, error: float) -> float | None:
    """The p of the two-sided z test; None where the error is 0."""
    return math.erfc(abs(difference) / error / math.sqrt(2)) if error > 0 else None


def _spread(figures: Sequence[Figure]) -> Spread:
    values = np.array([one.value for one in figures])
    errors = [standard_error(one) for one in figures]
    known = [error for error in errors if error is not None]
    is_known = len(known) == len(figures) and len(figures) > 1
    pairs = [
        two_sided(
            one.value - other.value,
            math.hypot(standard_error(one) or 0.0, standard_error(other) or 0.0),
        )
        for one, other in combinations(figures, 2)
    ]
    adjusted = holm(pairs)
    return Spread(
        models=len(figures),
        mean=_mean(values.tolist(), "models"),
        deviation=float(values.std(ddof=1)) if len(values) > 1 else None,
        by_chance=float(np.sqrt(np.mean(np.square(known)))) if is_known else None,
        p_all_alike=_all_alike(values, np.array(known)) if is_known else None,
        lowest=float(values.min()),
        highest=float(values.max()),
        told_apart=sum(p is not None and p < SIGNIFICANCE for p in adjusted),
        pairs=len(pairs),
    )


def _mean(values: Sequence[float | None], of: str) -> Between:
    """The mean over models as Student's t sees it: of models like these.

    >>> found = _mean([0.7, 0.8, 0.9], "models")
    >>> round(found.low, 3), round(found.high, 3)
    (0.552, 1.048)
    """
    known = [value for value in values if value is not None]
    if not known:
        return Between(undefined=f"no {of}")
    mean = float(np.mean(known))
    if len(known) < 2:
        return Between(mean, undefined=f"one of {of} says nothing of others")
    error = float(np.std(known, ddof=1)) / math.sqrt(len(known))
    reach = t_quantile(0.975, len(known) - 1) * error
    return Between(mean, mean - reach, mean + reach)


def _all_alike(values: Any, errors: Any) -> float:
    """How often models that are all alike would lie at least this far apart, by simulation."""
    draws = np.random.default_rng(0).normal(size=(DRAWS, len(values))) * errors
    weights = 1 / errors**2

    def spread(some: Any) -> Any:
        middle = (some * weights).sum(axis=-1, keepdims=True) / weights.sum()
        return (weights * (some - middle) ** 2).sum(axis=-1)

    return float((1 + (spread(draws) >= spread(values) - 1e-12).sum()) / (1 + DRAWS))


def _relations(figures: Sequence[Figure], safety: Mapping[str, float]) -> Iterator[Relation]:
    numbers: dict[str, Callable[[About], float | None]] = {
        "capability": lambda about: about.capability,
        "size": lambda about: about.size_b,
    }
    for of, number in numbers.items():
        known = [(number(one.about), safety[one.model]) for one in figures]
        found = [(float(x), y) for x, y in known if x is not None]
        yield Relation(of, "rank correlation", len(found), _rank_correlation(found))
    kinds: dict[str, Callable[[About], bool | None]] = {
        "open minus closed": lambda about: about.open,
        "reasoning minus plain": lambda about: about.reasoning,
    }
    for of, is_first in kinds.items():
        groups: dict[bool, list[float]] = {True: [], False: []}
        for one in figures:
            if (kind := is_first(one.about)) is not None:
                groups[kind].append(safety[one.model])
        n = len(groups[True]) + len(groups[False])
        yield Relation(of, "difference of means", n, _difference(groups[True], groups[False]))


def _rank_correlation(pairs: Sequence[tuple[float, float]]) -> Between:
    """Spearman's rho; interval by Fisher's z, p by permutation.

    Source: Bonett & Wright 2000, doi:10.1007/BF02294183, for the error of z.
    """
    if len(pairs) < 4:
        return Between(
            undefined=f"known of {wording.counted(len(pairs), 'model')}, four are needed"
        )
    x, y = (_ranks(np.array(column)) for column in zip(*pairs, strict=True))
    if x.std() == 0 or y.std() == 0:
        return Between(undefined="all models are alike in one of the two")
    rho = float(np.corrcoef(x, y)[0, 1])
    generator = np.random.default_rng(0)
    shuffled = np.array([generator.permutation(x) for _ in range(1_999)])
    centred = (shuffled - x.mean()) @ (y - y.mean()) / (len(y) * x.std() * y.std())
    p = float((1 + (np.abs(centred) >= abs(rho) - 1e-12).sum()) / 2_000)
    if abs(rho) > 1 - 1e-9:
        return Between(rho, p=p, undefined="all in one order: no interval")
    error = math.sqrt((1 + rho**2 / 2) / (len(pairs) - 3))
    low, high = (math.tanh(math.atanh(rho) + sign * _Z * error) for sign in (-1, 1))
    return Between(rho, low, high, p)


def _ranks(values: Any) -> Any:
    """Ranks from 1; ties share their mean rank."""
    below = (values[:, None] > values[None, :]).sum(axis=1)
    ties = (values[:, None] == values[None, :]).sum(axis=1)
    return below + (ties + 1) / 2


def _difference(first: Sequence[float], second: Sequence[float]) -> Between:
    """First minus second mean, by Welch's t."""
    if len(first) < 2 or len(second) < 2:
        return Between(
            undefined=f"{len(first)} against {len(second)} models; two of each kind are needed"
        )
    variances = [float(np.var(group, ddof=1)) / len(group) for group in (first, second)]
    difference = float(np.mean(first) - np.mean(second))
    total = sum(variances)
    if total == 0:
        return Between(difference, undefined="models of a kind are all alike: no interval")
    freedom = total**2 / sum(
        v**2 / (len(group) - 1) for v, group in zip(variances, (first, second), strict=True)
    )
    reach = t_quantile(0.975, max(1, math.floor(freedom))) * math.sqrt(total)
    return Between(difference, difference - reach, difference + reach)


def _siblings(
    figures: Sequence[Figure],
    difference: Callable[[str, str], tuple[Between, str]],
    safety: Mapping[str, float],
) -> list[Siblings]:
    pairs = [
        (one.model, one.about.sibling)
        for one in figures
        if one.about.sibling is not None and one.about.sibling in safety
    ]
    found = [difference(plain, reasoning) for reasoning, plain in pairs]
    adjusted = holm([between.p for between, _ in found])
    return [
        Siblings(
            reasoning,
            plain,
            between,
            p,
            method,
            None if p is None or p >= SIGNIFICANCE else safety[reasoning] > safety[plain],
        )
        for (reasoning, plain), (between, method), p in zip(pairs, found, adjusted, strict=True)
    ]
