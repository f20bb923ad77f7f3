"""The mean of the accuracies on two kinds of samples, so that naming one kind always gives half."""

from collections.abc import Callable

from safemark.benchmarks._benchmark import Metric
from safemark.stats import ratio
from safemark.types import Row


def is_correct(row: Row) -> bool:
    """Whether the outcome ``correct`` is true."""
    return bool(row.outcomes["correct"])


def balanced_accuracy(
    first: str,
    label: str,
    *,
    right: Callable[[Row], bool] = is_correct,
    by: str | None = "category",
    ways: tuple[str, ...] = (),
) -> Metric:
    """The metric `balanced_accuracy`, 0 to 1; chance is one half.

    Args:
        first: the facet that is true of one kind and false of the other.
        label: what the metric says, in words.
        right: whether an answer is.
        by: the facet by which it is given as well.
        ways: the ways of asking that can tell it, all when empty.
    """

    def of(row: Row) -> tuple[float, ...]:
        hit = float(right(row))
        return (hit, 1.0, 0.0, 0.0) if row.facets[first] else (0.0, 0.0, hit, 1.0)

    return Metric(
        name="balanced_accuracy",
        label=label,
        better="higher",
        of=of,
        # One absent row belongs to one side only; counting it on both keeps the bounds outer.
        options=((1.0, 1.0, 1.0, 1.0), (0.0, 1.0, 0.0, 1.0)),
        statistic=lambda sums: (ratio(sums[..., :2]) + ratio(sums[..., 2:])) / 2,
        by=by,
        ways=ways,
    )
