"""Rows that share a source, summed: what the bootstrap draws again.

A metric is a function of summed columns, so a cluster is known by its column sums alone.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]
Codes: TypeAlias = npt.NDArray[np.intp]
Labels: TypeAlias = Sequence[Hashable] | npt.NDArray[Any]

Statistic: TypeAlias = Callable[[Array], Array]
"""Summed columns (..., k) to values (...), NaN where undefined."""


def coded(labels: Labels) -> Codes:
    """Labels as whole numbers from 0, in order of first appearance, (n,).

    >>> coded(["b", "a", "b"]).tolist()
    [0, 1, 0]
    """
    if isinstance(labels, np.ndarray) and labels.dtype.kind in "iu":
        _, first, codes_of = np.unique(labels, return_index=True, return_inverse=True)
        return np.argsort(np.argsort(first))[codes_of.reshape(-1)]
    codes: dict[Hashable, int] = {}
    plain = labels.tolist() if isinstance(labels, np.ndarray) else labels
    return np.fromiter((codes.setdefault(label, len(codes)) for label in plain), dtype=np.intp)


def summed(rows: Array, codes: Codes, n_clusters: int) -> Array:
    """Column sums of each cluster, (n_clusters, k); the order of the rows changes no bit of them.

    Args:
        rows: (n, k).
        codes: the cluster of each row, in [0, n_clusters), (n,).
    """
    if not np.array_equal(rows, np.floor(rows)):  # sums of fractions depend on the order
        order = np.lexsort((*rows.T, codes))
        rows, codes = rows[order], codes[order]
    columns = [np.bincount(codes, column, n_clusters) for column in rows.T]
    return np.stack(columns, axis=1)
