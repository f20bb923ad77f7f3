"""Where a series of runs changed its level: claimed only when chance does not explain it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from safemark.stats.clusters import Array


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """One change of level.

    index: of the first value after it, in the series as given.
    before, after: means of the values of the segments on both sides.
    p_value: of so large a step anywhere in the stretch that was searched.
    adjusted_p: for all stretches that were searched; significant at ``alpha`` or it is not here.
    """

    index: int
    before: float
    after: float
    p_value: float
    adjusted_p: float


def change_points(
    values: Sequence[float | None],
    errors: Sequence[float | None] | None = None,
    *,
    alpha: float = 0.05,
    permutations: int = 9999,
    seed: int = 0,
) -> tuple[ChangePoint, ...]:
    """Significant changes of level, in order: binary segmentation with a test at each cut.

    The whole series is cut where the step is largest in standard errors; a significant cut is
    kept and both parts are searched, each at half the level, so that the chance of any false claim
    stays at ``alpha`` (p is doubled at each depth and is never below that of the cut above it).

    Args:
        values: in order of time; None is left out and keeps its place.
        errors: standard error of each value, above 0: the step is then compared with series that
            vary by these alone, and few runs can suffice. Without them, with the same values in
            other orders; five values or fewer can then not be significant at 0.05.
        alpha: the level for the whole series, strictly between 0 and 1. Over several series,
            divide it.
        permutations, seed: of the test, which counts the data among them: (b + 1) / (m + 1).

    Raises:
        ValueError: when lengths disagree, a value is not finite or an error not above 0.

    Source: Vostrikova 1981 (binary segmentation); level split along the tree, Meinshausen 2008,
    doi:10.1093/biomet/asn007.

    >>> [c.index for c in change_points([0.1, 0.12, 0.11, 0.3, 0.31], errors=[0.02] * 5)]
    [3]
    """
    if errors is not None and len(errors) != len(values):
        raise ValueError(f"{len(values)} values cannot have {len(errors)} errors")
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha must be strictly between 0 and 1, not {alpha}")
    given = [(i, value, 1.0 if errors is None else errors[i]) for i, value in enumerate(values)]
    known = [(i, v, e) for i, v, e in given if v is not None and e is not None]
    series = np.array([v for _, v, _ in known], dtype=np.float64)
    spread = np.array([e for _, _, e in known], dtype=np.float64)
    if not np.isfinite(series).all() or not (np.isfinite(spread) & (spread > 0.0)).all():
        raise ValueError("values must be finite and errors above 0; what is absent is None")
    weights = 1.0 / spread**2
    generator = np.random.Generator(np.random.PCG64(seed))

    def p_of(part: slice) -> tuple[int, float]:
        """The best cut of a part, counted from its start, and the p of a step that large."""
        seen, weight = series[part], weights[part]
        steps = _steps(seen[None, :], weight[None, :])[0]
        chance = _noise if errors is not None else _shuffled
        largest = chance(seen, weight, permutations, generator)
        extreme = int((largest >= steps.max() * (1.0 - 1e-9)).sum())
        return int(steps.argmax()) + 1, (extreme + 1) / (permutations + 1)

    cuts: list[tuple[int, float, float]] = []

    def search(start: int, end: int, doubled: float, above: float) -> None:
        if end - start < 2 or np.ptp(series[start:end]) == 0.0:
            return
        cut, p = p_of(slice(start, end))
        adjusted = min(1.0, max(above, p * doubled))
        if adjusted <= alpha:
            cuts.append((start + cut, p, adjusted))
            search(start, start + cut, 2.0 * doubled, adjusted)
            search(start + cut, end, 2.0 * doubled, adjusted)

    search(0, len(series), 1.0, 0.0)
    cuts.sort()
    borders = [0, *(cut for cut, _, _ in cuts), len(series)]
    means = [
        float(np.average(series[i:j], weights=weights[i:j])) for i, j in pairwise(borders) if j > i
    ]
    return tuple(
        ChangePoint(known[cut][0], means[i], means[i + 1], p, adjusted)
        for i, (cut, p, adjusted) in enumerate(cuts)
    )


def _noise(values: Array, weights: Array, draws: int, generator: np.random.Generator) -> Array:
    """The largest step of series that do not change but vary by their errors, (draws,)."""
    drawn = generator.standard_normal((draws, len(values))) / np.sqrt(weights)
    largest: Array = _steps(drawn, weights[None, :]).max(axis=1)
    return largest


def _shuffled(values: Array, weights: Array, draws: int, generator: np.random.Generator) -> Array:
    """The largest step of the same values in other orders, (draws,)."""
    order = generator.permuted(np.tile(np.arange(len(values)), (draws, 1)), axis=1)
    largest: Array = _steps(values[order], weights[order]).max(axis=1)
    return largest


def _steps(series: Array, weights: Array) -> Array:
    """Step at each cut, in standard errors, (m, n) to (m, n - 1)."""
    weighted = np.cumsum(series * weights, axis=1)
    total = np.cumsum(np.broadcast_to(weights, series.shape), axis=1)
    left, right = total[:, :-1], total[:, -1:] - total[:, :-1]
    before = weighted[:, :-1] / left
    after = (weighted[:, -1:] - weighted[:, :-1]) / right
    steps: Array = np.abs(after - before) * np.sqrt(left * right / (left + right))
    return steps
