"""What a number of cases can tell apart: asked before a run, and of a light not yet decided.

Where rows come in clusters, ``design_effect`` says how many of them are worth one independent row.
"""

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np

from safemark.stats.clusters import Array, Labels, Statistic, coded, summed
from safemark.stats.fills import ratio
from safemark.stats.intervals import normal_quantile, wilson

MOST_SAMPLES = 10_000_000


def detectable_difference(
    p: float, n: int, power: float = 0.8, confidence: float = 0.95
) -> float | None:
    """The smallest difference of two independent shares near ``p`` that is told apart reliably.

    The two shares lie evenly on both sides of ``p``, or as evenly as [0, 1] allows, and are
    compared by the two-sided z test for two proportions.

    Args:
        p: the share around which the two lie, in [0, 1].
        n: cases of each, at least 1.
        power: probability that the difference is found, in [0.5, 1).
        confidence: of the test, strictly between 0 and 1.

    Returns:
        A difference in (0, 1], or None when so few cases would miss even 0 against 1.

    Raises:
        ValueError: when an argument is outside its range.

    Source: Fleiss, Levin & Paik 2003, Statistical Methods for Rates and Proportions, §4.2.

    >>> round(detectable_difference(0.7, 150), 2)       # 150 cases each: about 15 points
    0.15
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"p must be in [0, 1], not {p}")
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    _check_power(power)
    _check_confidence(confidence, 1.0)
    z_test, z_power = normal_quantile((1.0 + confidence) / 2.0), normal_quantile(power)

    def is_found(difference: float) -> bool:
        under_null, under_truth = _unpaired_spreads(p, difference)
        return difference * math.sqrt(n) >= z_test * under_null + z_power * under_truth

    return _smallest(is_found, 1.0)


def samples_to_decide(
    value: float,
    n: int,
    cut: float,
    confidence: float = 0.95,
    *,
    design_effect: float = 1.0,
    range: tuple[float, float] = (0.0, 1.0),  # noqa: A002 - the word for it, as in `Ratio`
) -> int | None:
    """How many samples in all until Wilson's interval around ``value`` excludes ``cut``.

    Args:
        value: the present value, in ``range``, taken to stay as it is.
        n: samples that it rests on now, at least 0.
        cut: the cut point, in ``range``.
        confidence: of the interval, strictly between 0 and 1.
        design_effect: how many samples of this kind are worth one independent one, above 0;
            more than 1 where they come in clusters.
        range: of the metric. Outside (0, 1) the answer is an upper one: no bounded metric varies
            more than a share does.

    Returns:
        Samples in all, at least ``n``; None when the value is the cut point, so that no number
        decides, or when it would take more than 10 million.

    Raises:
        ValueError: when an argument is outside its range.

    >>> samples_to_decide(0.7, 150, 0.65)
    350
    """
    least, greatest = range
    if not least <= value <= greatest or not least <= cut <= greatest:
        raise ValueError(f"value and cut must be in {range}, not {value} and {cut}")
    if n < 0 or not design_effect > 0.0:
        raise ValueError("n must be at least 0 and design_effect above 0")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must be strictly between 0 and 1, not {confidence}")
    if value == cut:
        return None
    share, border = ((x - least) / (greatest - least) for x in (value, cut))
    # Wilson's interval inverts the score test: the cut is outside it as soon as
    # (share - border)² > z² border (1 - border) / n.
    z = normal_quantile((1.0 + confidence) / 2.0)
    square = (share - border) ** 2
    needed = z**2 * border * (1.0 - border) / square * design_effect if square else math.inf
    if needed < n:
        return n
    return math.floor(needed) + 1 if needed < MOST_SAMPLES else None


def paired_power(
    difference: float,
    discordance: float,
    n: float,
    confidence: float = 0.95,
    *,
    design_effect: float = 1.0,
) -> float:
    """How likely McNemar's two-sided test finds a difference between two runs on ``n`` samples.

    Args:
        difference: of the two shares, in [-1, 1].
        discordance: share of samples on which the two runs differ, at least the difference.
        n: pairs, above 0.

    Source: Connor 1987, doi:10.2307/2531961.

    >>> round(paired_power(0.03, 0.10, 1000), 2)
    0.85
    """
    gap = _checked_pair(difference, discordance, confidence, design_effect)
    if not n > 0.0:
        raise ValueError(f"n must be above 0, not {n}")
    if discordance == 0.0:
        return 0.0
    z = normal_quantile((1.0 + confidence) / 2.0)
    effective = math.sqrt(n / design_effect)
    under_null = z * math.sqrt(discordance)
    under_truth = math.sqrt(max(0.0, discordance - gap**2))
    if under_truth == 0.0:
        return 1.0 if gap * effective >= under_null else 0.0
    far, near = ((-gap, gap)[i] * effective - under_null for i in (0, 1))
    return sum(NormalDist().cdf(x / under_truth) for x in (far, near))


def paired_samples(
    difference: float,
    discordance: float,
    power: float = 0.8,
    confidence: float = 0.95,
    *,
    design_effect: float = 1.0,
) -> int | None:
    """How many samples both runs need for McNemar's test to find a difference that often.

    Returns:
        None when no number up to 10 million does it.

    Source: Connor 1987, doi:10.2307/2531961.

    >>> paired_samples(0.03, 0.10)          # 3 points, where one answer in ten changes
    870
    """
    gap = _checked_pair(difference, discordance, confidence, design_effect)
    _check_power(power)
    if gap == 0.0:
        return None
    z_test, z_power = normal_quantile((1.0 + confidence) / 2.0), normal_quantile(power)
    root = z_test * math.sqrt(discordance) + z_power * math.sqrt(max(0.0, discordance - gap**2))
    return _whole(design_effect * (root / gap) ** 2)


def paired_detectable_difference(
    n: int,
    discordance: float,
    power: float = 0.8,
    confidence: float = 0.95,
    *,
    design_effect: float = 1.0,
) -> float | None:
    """The smallest difference that two runs on the same ``n`` samples tell apart that often.

    Returns:
        In (0, discordance], or None when not even that is found.

    >>> round(paired_detectable_difference(150, 0.2), 3)
    0.101
    """
    _checked_pair(0.0, discordance, confidence, design_effect)
    _check_power(power)
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")

    def is_found(difference: float) -> bool:
        needed = paired_samples(
            difference, discordance, power, confidence, design_effect=design_effect
        )
        return needed is not None and needed <= n

    return _smallest(is_found, discordance)


def unpaired_samples(
    p: float,
    difference: float,
    power: float = 0.8,
    confidence: float = 0.95,
    *,
    design_effect: float = 1.0,
) -> int | None:
    """How many samples each of two arms needs for a difference of shares around ``p``.

    The counterpart of `detectable_difference`, with the same test and the same reading of ``p``.

    Returns:
        None when no number up to 10 million does it.

    Source: Fleiss, Levin & Paik 2003, Statistical Methods for Rates and Proportions, §4.2.

    >>> unpaired_samples(0.7, 0.03)         # 3 points
    3662
    """
    if not 0.0 <= p <= 1.0 or not 0.0 <= difference <= 1.0:
        raise ValueError(f"p and difference must be in [0, 1], not {p} and {difference}")
    _check_confidence(confidence, design_effect)
    _check_power(power)
    if difference == 0.0:
        return None
    z_test, z_power = normal_quantile((1.0 + confidence) / 2.0), normal_quantile(power)
    under_null, under_truth = _unpaired_spreads(p, difference)
    return _whole(design_effect * ((z_test * under_null + z_power * under_truth) / difference) ** 2)


def precision_samples(
    p: float, half_width: float, confidence: float = 0.95, *, design_effect: float = 1.0
) -> int | None:
    """How many samples until Wilson's interval around ``p`` is no longer than twice the half width.

    Returns:
        None when no number up to 10 million does it.

    >>> precision_samples(0.5, 0.03)
    1064
    """
    if not 0.0 <= p <= 1.0 or not 0.0 < half_width <= 1.0:
        raise ValueError(f"p must be in [0, 1] and half_width in (0, 1], not {p}, {half_width}")
    _check_confidence(confidence, design_effect)

    def is_narrow(n: float) -> bool:
        seen = wilson(p * n, n, confidence)
        return seen.high - seen.low <= 2.0 * half_width

    few, enough = 0, MOST_SAMPLES
    if not is_narrow(enough):
        return None
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if is_narrow(middle) else (middle, enough)
    return _whole(design_effect * enough)


def design_effect(rows: Array, clusters: Labels, *, statistic: Statistic = ratio) -> float | None:
    """How much more a metric varies than if its rows were independent, by the jackknife.

    Args:
        rows: contributions of scored rows, as for `estimate`, (n, k).
        clusters: label of each row's cluster, (n,).

    Returns:
        Above 0; None with fewer than two clusters or no variation to go by.

    Source: Kish 1965, Survey Sampling, §5.4; jackknife, Efron & Tibshirani 1993, §11.

    >>> rows = np.array([(1, 1), (1, 1), (0, 1), (0, 1), (1, 1), (1, 1), (0, 1), (0, 1)])
    >>> round(design_effect(rows, list("aabbccdd")), 2)     # two of a kind in each cluster
    2.33
    """
    rows = np.asarray(rows, dtype=np.float64)
    if len(clusters) != len(rows):
        raise ValueError(f"{len(rows)} rows cannot have {len(clusters)} cluster labels")
    rows, labels = rows[rows.any(axis=1)], coded(clusters)[rows.any(axis=1)]
    if len(rows) == 0:
        return None
    _, codes = np.unique(labels, return_inverse=True)
    sums = summed(rows, codes, int(codes.max()) + 1)
    clustered, independent = (_jackknife_variance(x, statistic) for x in (sums, rows))
    if clustered is None or not independent:
        return None
    return clustered / independent or None


def _jackknife_variance(rows: Array, statistic: Statistic) -> float | None:
    """Of the statistic of the summed rows, (n, k), leaving out one at a time."""
    n = len(rows)
    if n < 2:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        without = np.sort(np.asarray(statistic(rows.sum(axis=0) - rows), dtype=np.float64))
    if not np.isfinite(without).all():
        return None
    return float(((without - without.mean()) ** 2).sum() * (n - 1) / n)


def _unpaired_spreads(p: float, difference: float) -> tuple[float, float]:
    """Root of n times the variance of the difference: under no difference, and under this one."""
    first = min(max(0.0, p - difference / 2.0), 1.0 - difference)
    second = first + difference
    middle = (first + second) / 2.0
    return (
        math.sqrt(max(0.0, 2.0 * middle * (1.0 - middle))),
        math.sqrt(max(0.0, first * (1.0 - first) + second * (1.0 - second))),
    )


def _smallest(is_found: Callable[[float], bool], most: float) -> float | None:
    """The border in (0, most] from which on a difference is found."""
    if not is_found(most):
        return None
    missed, found = 0.0, most
    for _ in range(60):
        middle = (missed + found) / 2.0
        missed, found = (missed, middle) if is_found(middle) else (middle, found)
    return found


def _whole(needed: float) -> int | None:
    """The next whole number of samples, or None where it is out of reach."""
    return math.ceil(needed - 1e-9) if needed <= MOST_SAMPLES else None


def _checked_pair(difference: float, discordance: float, confidence: float, effect: float) -> float:
    """The size of the difference."""
    if not abs(difference) <= discordance <= 1.0:
        raise ValueError(f"discordance must be in [|difference|, 1], not {discordance}")
    _check_confidence(confidence, effect)
    return abs(difference)


def _check_confidence(confidence: float, effect: float) -> None:
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must be strictly between 0 and 1, not {confidence}")
    if not effect > 0.0:
        raise ValueError(f"design_effect must be above 0, not {effect}")


def _check_power(power: float) -> None:
    if not 0.5 <= power < 1.0:
        raise ValueError(f"power must be in [0.5, 1), not {power}")
