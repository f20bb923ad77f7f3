"""How many samples each metric of a benchmark speaks of, known before anything is asked."""

from collections import Counter
from collections.abc import Iterable, Sequence

from safemark.benchmarks._benchmark import Metric
from safemark.store import Size
from safemark.types import Row


def group_of(metric: Metric, row: Row) -> str | None:
    """The group that a row counts in, where the metric is given by group."""
    group = row.category if metric.by == "category" else row.facets.get(metric.by or "")
    return None if group is None else str(group)


def sizes(
    metrics: Sequence[Metric], kinds: Iterable[tuple[Row, int]]
) -> dict[str, tuple[Size, ...]]:
    """How many samples each metric counts, by category and group.

    Args:
        kinds: rows without outcomes, and how many samples there are like each.
    """
    found: dict[str, Counter[tuple[str, str | None]]] = {one.name: Counter() for one in metrics}
    for row, n in kinds:
        for metric in metrics:
            if metric.where(row):
                found[metric.name][row.category or "", group_of(metric, row)] += n
    return {
        name: tuple(Size(*place, n) for place, n in counts.items() if n)
        for name, counts in found.items()
    }
