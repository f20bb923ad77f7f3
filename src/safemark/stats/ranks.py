"""Many runs in order, where the order is one that the data support.

Every two are compared on their shared samples, the p-values adjusted for their number. A run's
ranks are those that no significant comparison rules out; runs that share a letter were not told
apart.
"""

import builtins
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt

from safemark.stats.clusters import Labels, Statistic
from safemark.stats.difference import Difference, Outcomes
from safemark.stats.fills import Ratio, ratio
from safemark.stats.multiplicity import holm
from safemark.stats.paired import paired_difference


@dataclass(frozen=True, slots=True)
class Rank:
    """One run's place.

    index: of the run, in the order given.
    value: its metric; None puts it last, without ranks or letters.
    first, last: ranks that are not ruled out, 1 is the best.
    letters: two runs with one in common were not told apart.
    """

    index: int
    value: float | None
    first: int | None
    last: int | None
    letters: str


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Ranks, best first, and what they rest on.

    differences: of each two runs (i, j), i < j: j minus i, unadjusted.
    adjusted: Holm's p-values over all of them; None where two could not be compared.
    """

    ranks: tuple[Rank, ...]
    differences: Mapping[tuple[int, int], Difference]
    adjusted: Mapping[tuple[int, int], float | None]


def ranked(
    outcomes: Sequence[npt.ArrayLike],
    clusters: Labels | None = None,
    *,
    better: Literal["higher", "lower"] = "higher",
    alpha: float = 0.05,
    statistic: Statistic = ratio,
    absent_options: Sequence[npt.ArrayLike] | None = None,
    range: tuple[float, float] = (0.0, 1.0),  # noqa: A002 - the word for it, as in `Ratio`
    seed: int = 0,
    resamples: int = 2000,
    permutations: int = 9999,
) -> Leaderboard:
    """Runs on the same samples, every two compared by `paired_difference`.

    Args:
        outcomes: of each run, the same samples in the same order, as for `paired_difference`.
        better: which way is good.
        alpha: the level at which two are told apart.

    Raises:
        ValueError: as `paired_difference`.

    >>> good, poor = [1] * 60, [1] * 20 + [0] * 40
    >>> [(r.index, r.first, r.last, r.letters) for r in ranked([poor, good, good]).ranks]
    [(1, 1, 2, 'a'), (2, 1, 2, 'a'), (0, 3, 3, 'b')]
    """
    if better not in ("higher", "lower"):
        raise ValueError(f'better must be "higher" or "lower", not {better!r}')
    metric = Ratio(statistic, range)
    values = [_value(metric, Outcomes.of(run, absent_options, range)) for run in outcomes]
    pairs = list(combinations(builtins.range(len(outcomes)), 2))
    # The smallest p that drawn permutations can give must survive the adjustment.
    permutations = max(permutations, math.ceil(2 * len(pairs) / alpha))
    differences = {
        (i, j): paired_difference(
            outcomes[i],
            outcomes[j],
            clusters,
            statistic=statistic,
            absent_options=absent_options,
            range=range,
            seed=seed,
            resamples=resamples,
            permutations=permutations,
        )
        for i, j in pairs
    }
    p_values = holm([difference.p_value for difference in differences.values()])
    adjusted = dict(zip(differences, p_values, strict=True))
    signs = {pair: difference.value for pair, difference in differences.items()}
    ranks = rank_groups(values, adjusted, better=better, alpha=alpha, differences=signs)
    return Leaderboard(ranks, differences, adjusted)


def rank_groups(
    values: Sequence[float | None],
    adjusted: Mapping[tuple[int, int], float | None],
    *,
    better: Literal["higher", "lower"] = "higher",
    alpha: float = 0.05,
    differences: Mapping[tuple[int, int], float | None] | None = None,
) -> tuple[Rank, ...]:
    """Ranks and letters from adjusted p-values, best first.

    A run's first rank comes after all that are significantly better, its last before all that are
    significantly worse. The letters are the largest sets of which no two differ significantly.

    Args:
        values: of each run; None where there is none.
        adjusted: of each two (i, j), i < j; two that are missing or None were not told apart.
        differences: j minus i where they were compared; the values' difference where not given.

    Source: rank intervals, Goldstein & Spiegelhalter 1996, doi:10.2307/2983325, by tests as in
    Mogstad et al. 2024, doi:10.1093/restud/rdad006; letters, Piepho 2004,
    doi:10.1198/1061860043515.

    >>> [(r.index, r.letters) for r in rank_groups([0.9, 0.8, 0.7], {(0, 2): 0.01})]
    [(0, 'a'), (1, 'ab'), (2, 'b')]
    """
    sign = 1.0 if better == "higher" else -1.0
    known = [i for i, value in enumerate(values) if value is not None]
    order = sorted(known, key=lambda i: (-sign * (values[i] or 0.0), i))
    beaten: set[tuple[int, int]] = set()  # (better, worse)
    for (i, j), p in adjusted.items():
        given = (differences or {}).get((i, j))
        first, second = values[i], values[j]
        if p is None or p > alpha or first is None or second is None:
            continue
        gap = sign * (second - first if given is None else given)
        if gap:
            beaten.add((j, i) if gap > 0 else (i, j))
    sets = _undecided_sets(order, {frozenset(pair) for pair in beaten})
    letters = {i: "".join(_letter(k) for k, s in enumerate(sets) if i in s) for i in order}
    ranks = [
        Rank(
            index=i,
            value=values[i],
            first=1 + sum((j, i) in beaten for j in order),
            last=len(order) - sum((i, j) in beaten for j in order),
            letters=letters[i],
        )
        for i in order
    ]
    unknown = [i for i, value in enumerate(values) if value is None]
    return (*ranks, *(Rank(i, None, None, None, "") for i in unknown))


def _value(metric: Ratio, run: Outcomes) -> float | None:
    return metric.value(np.sort(run.rows, axis=0).sum(axis=0))


def _undecided_sets(order: Sequence[int], apart: set[frozenset[int]]) -> list[frozenset[int]]:
    """The largest sets of which no two are apart, in the order of their best members."""
    sets = [frozenset(order)] if order else []
    for pair in sorted(apart, key=sorted):
        split = [s - {member} if pair <= s else s for s in sets for member in sorted(pair)]
        distinct = set(split)
        sets = [s for s in distinct if not any(s < other for other in distinct)]
    place = {i: k for k, i in enumerate(order)}
    return sorted(sets, key=lambda s: sorted(place[i] for i in s))


def _letter(k: int) -> str:
    """A, b, …, z, then a1, b1, ….

    >>> _letter(0), _letter(26)
    ('a', 'a1')
    """
    return chr(ord("a") + k % 26) + (str(k // 26) if k >= 26 else "")
