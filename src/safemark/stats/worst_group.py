"""What a mean over groups hides: the worst group, and the quartile on the bad side.

The worst of many groups looks worse than it is, since it was picked for that. So every group gets
an interval wide enough for all of them to hold at once (Bonferroni), and the ends of those, put
through the same aggregate, hold the aggregate of the true values: it grows with each of them.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from safemark.stats.clusters import Array, Labels, Statistic, coded
from safemark.stats.difference import Outcomes
from safemark.stats.estimate import Estimate, estimate
from safemark.stats.fills import ratio


@dataclass(frozen=True, slots=True)
class GroupAggregate:
    """An aggregate of the groups' values, with an interval that pays for picking among them.

    value: of the groups with a value; None without any.
    low, high: hold the aggregate of those groups' true values; None with ``value``.
    outer_low, outer_high: the same over every fill of the absent outcomes, groups without any
        outcome included; None where the fills are not known.
    group: the worst group seen (`worst_group` only).
    n_groups: groups with a value.
    n, absent: rows of all groups.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    outer_low: float | None
    outer_high: float | None
    group: Hashable | None
    n_groups: int
    n: int
    absent: int
    confidence: float
    method: str
    undefined: str | None


def worst_group(
    rows: npt.ArrayLike,
    groups: Labels,
    clusters: Labels | None = None,
    *,
    better: Literal["higher", "lower"] = "higher",
    statistic: Statistic = ratio,
    absent_options: Sequence[npt.ArrayLike] | None = None,
    range: tuple[float, float] = (0.0, 1.0),  # noqa: A002 - the word for it, as in `Ratio`
    confidence: float = 0.95,
    seed: int = 0,
    resamples: int = 2000,
) -> GroupAggregate:
    """The value of the worst group: the least if higher is better, else the greatest.

    Args:
        rows: outcomes, as for `paired_difference`; NaN is absent.
        groups: label of each row's group, (n,).
        clusters: label of each row's cluster, (n,); None when each row is its own.
        better: which way is good.

    Raises:
        ValueError: when lengths or shapes disagree or a value lies outside its range.

    Source: simultaneous intervals, Bonferroni; Dunn 1961, doi:10.1080/01621459.1961.10482090.

    >>> found = worst_group([1, 1, 1, 0, 1, 0], ["a", "a", "a", "b", "b", "b"])
    >>> found.group, round(found.value, 3)
    ('b', 0.333)
    """
    estimates = _by_group(
        rows, groups, clusters, statistic, absent_options, range, confidence, seed, resamples
    )
    worst = np.min if _is_higher(better) else np.max
    found = _aggregate("worst group", lambda values: float(worst(values)), estimates, confidence)
    group = next((g for g, e in estimates if e.value is not None and e.value == found.value), None)
    return replace(found, group=group)


def lower_quartile(
    rows: npt.ArrayLike,
    groups: Labels,
    clusters: Labels | None = None,
    *,
    better: Literal["higher", "lower"] = "higher",
    statistic: Statistic = ratio,
    absent_options: Sequence[npt.ArrayLike] | None = None,
    range: tuple[float, float] = (0.0, 1.0),  # noqa: A002 - the word for it, as in `Ratio`
    confidence: float = 0.95,
    seed: int = 0,
    resamples: int = 2000,
) -> GroupAggregate:
    """The quartile of the groups' values on the bad side: the lower if higher is better.

    Less at the mercy of one small group than the worst, and still not hidden by good ones.

    Args:
        rows, groups, clusters, better: as for `worst_group`.

    Raises:
        ValueError: as `worst_group`.

    Source: quantile by linear interpolation, Hyndman & Fan 1996, type 7,
    doi:10.1080/00031305.1996.10473566; the interval as for `worst_group`.

    >>> found = lower_quartile([1, 0, 1, 1, 0, 0], ["a", "a", "b", "b", "c", "c"])
    >>> found.value
    0.25
    """
    estimates = _by_group(
        rows, groups, clusters, statistic, absent_options, range, confidence, seed, resamples
    )
    share = 0.25 if _is_higher(better) else 0.75

    def quartile(values: Array) -> float:
        return float(np.quantile(values, share))

    return _aggregate("lower quartile of groups", quartile, estimates, confidence)


_ByGroup: TypeAlias = Sequence[tuple[Hashable, Estimate]]


def _by_group(
    rows: npt.ArrayLike,
    groups: Labels,
    clusters: Labels | None,
    statistic: Statistic,
    absent_options: Sequence[npt.ArrayLike] | None,
    within: tuple[float, float],
    confidence: float,
    seed: int,
    resamples: int,
) -> _ByGroup:
    """Each group's estimate, at a confidence at which all of them hold at once."""
    outcomes = Outcomes.of(rows, absent_options, within)
    n = len(outcomes.rows)
    if len(groups) != n or (clusters is not None and len(clusters) != n):
        raise ValueError(f"{n} rows need as many group and cluster labels")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must be strictly between 0 and 1, not {confidence}")
    codes = coded(groups)
    labels = list(dict.fromkeys(groups.tolist() if isinstance(groups, np.ndarray) else groups))
    sources = np.arange(n) if clusters is None else coded(clusters)

    def of_group(code: int) -> Estimate:
        known = (codes == code) & outcomes.is_known
        absent = (codes == code) & ~outcomes.is_known
        return estimate(
            outcomes.rows[known],
            sources[known],
            absent_options=outcomes.options or (),
            absent_clusters=sources[absent].tolist(),
            statistic=statistic,
            range=within,
            seed=seed,
            resamples=resamples,
            bounds_known=outcomes.options is not None,
            confidence=1.0 - (1.0 - confidence) / len(labels),
        )

    return [(label, of_group(code)) for code, label in enumerate(labels)]


def _aggregate(
    name: str, of: Callable[[Array], float], estimates: _ByGroup, confidence: float
) -> GroupAggregate:
    def through(values: Iterable[float | None]) -> float | None:
        """The aggregate of the values, None if there are none or one is not known."""
        known = list(values)
        found = [value for value in known if value is not None]
        return of(np.array(found)) if found and len(found) == len(known) else None

    seen = [e for _, e in estimates if e.value is not None]
    # A group whose absent outcomes could also leave it without a value is left out of no bound.
    all_known = [e for _, e in estimates if e.n + e.absent > 0]
    undefined = None
    if not seen:
        undefined = "no group has an outcome" if estimates else "there are no groups"
    n_groups = len(estimates)
    return GroupAggregate(
        name=name,
        value=through(e.value for e in seen),
        low=through(e.low for e in seen),
        high=through(e.high for e in seen),
        outer_low=through(e.outer_low for e in all_known) if seen else None,
        outer_high=through(e.outer_high for e in all_known) if seen else None,
        group=None,
        n_groups=len(seen),
        n=sum(e.n for _, e in estimates),
        absent=sum(e.absent for _, e in estimates),
        confidence=confidence,
        method=f"Bonferroni over {n_groups} groups" if seen else "none",
        undefined=undefined,
    )


def _is_higher(better: str) -> bool:
    if better not in ("higher", "lower"):
        raise ValueError(f'better must be "higher" or "lower", not {better!r}')
    return better == "higher"
