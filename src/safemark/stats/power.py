"""What a number of cases can tell apart: asked before a run, and of a light not yet decided."""

import math

from safemark.stats.intervals import normal_quantile

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
    if not 0.5 <= power < 1.0:
        raise ValueError(f"power must be in [0.5, 1), not {power}")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must be strictly between 0 and 1, not {confidence}")
    z_test, z_power = normal_quantile((1.0 + confidence) / 2.0), normal_quantile(power)

    def is_found(difference: float) -> bool:
        first = min(max(0.0, p - difference / 2.0), 1.0 - difference)
        second = first + difference
        middle = (first + second) / 2.0
        under_null = math.sqrt(max(0.0, 2.0 * middle * (1.0 - middle)))
        under_truth = math.sqrt(max(0.0, first * (1.0 - first) + second * (1.0 - second)))
        return difference * math.sqrt(n) >= z_test * under_null + z_power * under_truth

    if not is_found(1.0):
        return None
    missed, found = 0.0, 1.0
    for _ in range(60):
        middle = (missed + found) / 2.0
        missed, found = (missed, middle) if is_found(middle) else (middle, found)
    return found


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
