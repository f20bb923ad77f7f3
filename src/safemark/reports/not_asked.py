"""How many of the samples that were never asked a metric could count, by category.

A run keeps, when it is planned, how many of its samples each metric counts. Of one that kept none,
and of metrics that were not thought of then, only the category is known: a sample that was not
asked counts in every metric that does not rule it out by its category's name.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from safemark.benchmarks._benchmark import Metric
from safemark.benchmarks._sizes import group_of
from safemark.store import Size
from safemark.types import Row, Scalar

Asked = Iterable[tuple[Row, int]]
"""The kinds of record that there are, and how many there are of each."""


@dataclass(frozen=True, slots=True)
class NotAsked:
    """Planned samples that have no record, by category ("" for none).

    ``sizes`` tell how many samples each metric was to count, each in so many ``records_each``.
    """

    by_category: Mapping[str, int]
    sizes: Mapping[str, Sequence[Size]] = field(default_factory=dict)
    records_each: int = 1

    def counted(self, metric: Metric, asked: Asked) -> dict[str, int]:
        """How many of them ``metric`` may count, by category."""
        sizes = self._sizes_of(metric)
        if sizes is None:
            return {name: n for name, n in self.by_category.items() if _may_count(metric, name)}
        return self._left(sizes, (one for one in asked if metric.where(one[0])))

    def counted_in(self, group: str, metric: Metric, asked: Asked) -> dict[str, int]:
        """The same of one group; where no sizes are known, those of the category of its name."""
        sizes = self._sizes_of(metric)
        if sizes is None:
            missing = self.counted(metric, asked)
            return {group: missing[group]} if group in missing else {}
        return self._left(
            (size for size in sizes if size.group == group),
            (one for one in asked if metric.where(one[0]) and group_of(metric, one[0]) == group),
        )

    def _sizes_of(self, metric: Metric) -> Sequence[Size] | None:
        """What is known of a metric; nothing needs to be where all was asked."""
        return self.sizes.get(metric.name) if self.by_category else ()

    def _left(self, sizes: Iterable[Size], asked: Asked) -> dict[str, int]:
        """What of ``sizes`` was not ``asked``, and never more than was planned."""
        left: Counter[str] = Counter()
        for size in sizes:
            left[size.category] += size.n * self.records_each
        for row, n in asked:
            left[row.category or ""] -= n
        most = {name: min(n, left[name]) for name, n in self.by_category.items()}
        return {name: n for name, n in most.items() if n > 0}


class _NotKnown(Exception):
    """A facet was read of a sample of which only the category is known."""


class _NoFacets(Mapping[str, Scalar]):
    def __getitem__(self, name: str) -> Scalar:
        raise _NotKnown(name)

    def __iter__(self) -> Iterator[str]:
        raise _NotKnown

    def __len__(self) -> int:
        raise _NotKnown


def _may_count(metric: Metric, category: str) -> bool:
    """Whether a sample of a category may be counted, as far as the category alone tells."""
    try:
        return metric.where(Row("", 0, category or None, None, _NoFacets(), {}, None))
    except _NotKnown:
        return True
