"""Not worse, and no different, by more than a margin: what a p of 0.3 does not show.

That no difference was found is no evidence that there is none. Here the margin is the null: the
claim holds when the interval leaves it behind, with absent outcomes filled the worst way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy.typing as npt

from safemark.stats.clusters import Labels, Statistic
from safemark.stats.difference import Contrast, Difference, Measured
from safemark.stats.fills import Ratio, ratio
from safemark.stats.intervals import Interval
from safemark.stats.paired import paired_contrast
from safemark.stats.unpaired import unpaired_contrast


@dataclass(frozen=True, slots=True)
class MarginTest:
    """Whether b differs from a by less than a margin, for certain enough.

    margin: above 0, in units of the metric.
    alpha: the chance of each one-sided false claim.
    holds: the known outcomes show it; None with ``undefined``.
    outer_holds: they show it whatever the absent outcomes were; None where that is not known.
    p_value, outer_p_value: of a difference as large as the margin; the claim holds below alpha.
    low, high: interval of the difference at a confidence of 1 - 2 alpha, which p inverts.
    outer_low, outer_high: the same around the fills farthest apart.
    difference: the same comparison at 95 %, tested for no difference.
    undefined: why there is no answer, as a clause.
    """

    margin: float
    alpha: float
    holds: bool | None
    outer_holds: bool | None
    p_value: float | None
    outer_p_value: float | None
    low: float | None
    high: float | None
    outer_low: float | None
    outer_high: float | None
    difference: Difference
    undefined: str | None


def non_inferiority(  # noqa: PLR0913 - data, metric and method, all by keyword
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    clusters: Labels | None = None,
    *,
    margin: float = 0.02,
    better: Literal["higher", "lower"] = "higher",
    alpha: float = 0.025,
    paired: bool = True,
    clusters_b: Labels | None = None,
    statistic: Statistic = ratio,
    absent_options: Sequence[npt.ArrayLike] | None = None,
    range: tuple[float, float] = (0.0, 1.0),  # noqa: A002 - the word for it, as in `Ratio`
    seed: int = 0,
    resamples: int = 2000,
    permutations: int = 9999,
) -> MarginTest:
    """Whether b is worse than a by less than the margin: one-sided, at ``alpha``.

    At the default alpha the claim holds when the whole 95 % interval is on the good side of the
    margin.

    Args:
        a, b, clusters, statistic, absent_options, range, seed, resamples, permutations: as for
            `paired_difference`.
        better: which way is good.
        paired: False for two arms that share no samples; ``clusters`` are then those of a.

    Raises:
        ValueError: as `paired_difference`, and when margin or alpha is out of range.

    Source: ICH E9 (1998), §3.3.2 and §5.5 (one-sided 2.5 %).

    >>> same = [1, 0] * 500
    >>> non_inferiority(same, same).holds       # no pair of 1,000 differs
    True
    """
    found = _contrast(
        a,
        b,
        clusters,
        clusters_b,
        paired=paired,
        metric=Ratio(statistic, range),
        absent_options=absent_options,
        seed=seed,
        resamples=resamples,
        permutations=permutations,
    )
    if better not in ("higher", "lower"):
        raise ValueError(f'better must be "higher" or "lower", not {better!r}')

    def is_shown(interval: Interval) -> bool:
        return interval.low > -margin if better == "higher" else interval.high < margin

    return _margin_test(found, margin, alpha, is_shown)


def equivalence(  # noqa: PLR0913 - data, metric and method, all by keyword
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    clusters: Labels | None = None,
    *,
    margin: float,
    alpha: float = 0.05,
    paired: bool = True,
    clusters_b: Labels | None = None,
    statistic: Statistic = ratio,
    absent_options: Sequence[npt.ArrayLike] | None = None,
    range: tuple[float, float] = (0.0, 1.0),  # noqa: A002 - the word for it, as in `Ratio`
    seed: int = 0,
    resamples: int = 2000,
    permutations: int = 9999,
) -> MarginTest:
    """Whether b differs from a by less than the margin either way: two one-sided tests.

    At the default alpha the claim holds when the whole 90 % interval is within the margin.

    Args:
        a, b, …: as for `non_inferiority`.

    Raises:
        ValueError: as `paired_difference`, and when margin or alpha is out of range.

    Source: Schuirmann 1987, doi:10.1007/BF01068419.

    >>> same = [1, 0] * 500
    >>> equivalence(same, same, margin=0.02).holds
    True
    """
    found = _contrast(
        a,
        b,
        clusters,
        clusters_b,
        paired=paired,
        metric=Ratio(statistic, range),
        absent_options=absent_options,
        seed=seed,
        resamples=resamples,
        permutations=permutations,
    )
    return _margin_test(found, margin, alpha, lambda i: -margin < i.low and i.high < margin)


def _contrast(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    clusters: Labels | None,
    clusters_b: Labels | None,
    *,
    paired: bool,
    permutations: int,
    **shared: Any,
) -> Contrast:
    if paired:
        if clusters_b is not None:
            raise ValueError("pairs have one set of clusters; clusters_b is for paired=False")
        return paired_contrast(a, b, clusters, permutations=permutations, **shared)
    return unpaired_contrast(a, b, clusters, clusters_b, **shared)


def _margin_test(
    found: Contrast, margin: float, alpha: float, is_shown: Callable[[Interval], bool]
) -> MarginTest:
    if not margin > 0.0:
        raise ValueError(f"margin must be above 0, not {margin}")
    if not 0.0 < alpha < 0.5:
        raise ValueError(f"alpha must be strictly between 0 and 0.5, not {alpha}")
    confidence = 1.0 - 2.0 * alpha
    inner, outer = found.interval(confidence), found.outer(confidence)
    fills = (found.known, found.lowest, found.highest)
    return MarginTest(
        margin=margin,
        alpha=alpha,
        holds=is_shown(inner) if inner else None,
        outer_holds=is_shown(outer) if outer else None,
        p_value=_p_value(found.known, is_shown) if found.known else None,
        outer_p_value=max(_p_value(fill, is_shown) for fill in fills if fill) if outer else None,
        low=inner.low if inner else None,
        high=inner.high if inner else None,
        outer_low=outer.low if outer else None,
        outer_high=outer.high if outer else None,
        difference=found.difference(0.95),
        undefined=found.undefined,
    )


def _p_value(measured: Measured, is_shown: Callable[[Interval], bool]) -> float:
    """The smallest one-sided level at which it is shown; 0.5 where the value itself does not."""
    sure, unsure = 1e-12, 0.5
    if not is_shown(measured.spread.at(1.0 - 2.0 * unsure + 1e-9)):
        return unsure
    for _ in range(40):
        middle = (sure * unsure) ** 0.5
        if is_shown(measured.spread.at(1.0 - 2.0 * middle)):
            unsure = middle
        else:
            sure = middle
    return unsure
