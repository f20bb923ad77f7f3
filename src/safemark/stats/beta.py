"""The beta distribution: its cumulative function and quantile, without scipy.

Clopper–Pearson limits and Student's t are quantiles of it; nothing else is known here.
"""

import math

_TINY = 1e-300  # keeps Lentz's method from dividing by zero
_MOST_TERMS = 1_000_000  # about sqrt(max(a, b)) are needed; this covers counts up to 1e12


def beta_cdf(x: float, a: float, b: float) -> float:
    """Probability that a Beta(a, b) variable is at most ``x``: the regularised incomplete beta.

    Args:
        x: in [0, 1].
        a, b: both above 0.

    Source: Press et al., Numerical Recipes, 3rd ed., §6.4; NIST DLMF 8.17.22.

    >>> beta_cdf(0.25, 1, 1)
    0.25
    """
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    # The fraction converges fast only below the mean; above it, the mirror image is used.
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - math.exp(_log_front(1.0 - x, b, a)) * _fraction(1.0 - x, b, a) / b
    return math.exp(_log_front(x, a, b)) * _fraction(x, a, b) / a


def beta_quantile(p: float, a: float, b: float) -> float:
    """The ``x`` with ``beta_cdf(x, a, b) == p``: Newton's steps, kept inside a shrinking bracket.

    Args:
        p: in [0, 1].
        a, b: both above 0.

    >>> round(beta_quantile(0.5, 2, 2), 12)
    0.5
    """
    if p <= 0.0:
        return 0.0
    if p >= 1.0:
        return 1.0
    low, high, x = 0.0, 1.0, a / (a + b)
    for _ in range(200):
        excess = beta_cdf(x, a, b) - p
        if excess == 0.0:
            return x
        low, high = (low, x) if excess > 0.0 else (x, high)
        density = math.exp(_log_front(x, a, b) - math.log(x) - math.log1p(-x))
        step = x - excess / density if density > 0.0 else -1.0
        following = step if low < step < high else (low + high) / 2.0
        if abs(following - x) <= 1e-15 * x or not low < following < high:
            return following
        x = following
    return x


def _log_front(x: float, a: float, b: float) -> float:
    """Logarithm of x^a (1-x)^b / B(a, b)."""
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    return a * math.log(x) + b * math.log1p(-x) - log_beta


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta, by Lentz's method."""
    c = 1.0
    d = 1.0 / _nonzero(1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        d = 1.0 / _nonzero(1.0 + even * d)
        c = _nonzero(1.0 + even / c)
        value *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        d = 1.0 / _nonzero(1.0 + odd * d)
        c = _nonzero(1.0 + odd / c)
        value *= d * c
        if abs(d * c - 1.0) < 1e-15:
            return value
    raise ArithmeticError(f"the incomplete beta of a={a}, b={b} at {x} did not converge")


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
