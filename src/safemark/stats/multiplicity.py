"""Many comparisons at once: adjusted p-values.

Each is the smallest level at which that comparison would be called significant in its family. A
comparison without a p-value (None) was not tested: it stays None and is no member of the family.
"""

from collections.abc import Callable, Sequence

import numpy as np

from safemark.stats.clusters import Array


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Adjusted so that one false claim in the whole family is as rare as the level says.

    Source: Holm 1979, Scand. J. Statist. 6, 65–70.

    >>> holm([0.01, 0.04, None, 0.03])
    (0.03, 0.06, None, 0.06)
    """

    def stepped(ascending: Array) -> Array:
        left = np.arange(len(ascending), 0, -1)
        return np.maximum.accumulate(ascending * left)

    return _adjusted(p_values, stepped)


def benjamini_hochberg(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Adjusted so that the expected share of false claims among all claims is at most the level.

    For independent or positively dependent tests.

    Source: Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x.

    >>> benjamini_hochberg([0.01, 0.04, None, 0.03])
    (0.03, 0.04, None, 0.04)
    """

    def stepped(ascending: Array) -> Array:
        n = len(ascending)
        shares = ascending * n / np.arange(1, n + 1)
        return np.minimum.accumulate(shares[::-1])[::-1]

    return _adjusted(p_values, stepped)


def _adjusted(
    p_values: Sequence[float | None], stepped: Callable[[Array], Array]
) -> tuple[float | None, ...]:
    """The p-values put through ``stepped`` in ascending order, at most 1, in the order given."""
    tested = [i for i, p in enumerate(p_values) if p is not None]
    values = np.array([p for p in p_values if p is not None], dtype=np.float64)
    if not ((values >= 0.0) & (values <= 1.0)).all():
        raise ValueError("p-values must be in [0, 1]; what was not tested is None")
    order = np.argsort(values, kind="stable")
    ascending = np.minimum(stepped(values[order]), 1.0)
    found: list[float | None] = [None] * len(p_values)
    for rank, position in enumerate(order):
        found[tested[position]] = float(ascending[rank])
    return tuple(found)
