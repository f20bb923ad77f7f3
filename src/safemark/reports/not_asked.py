"""How many of the samples that were never asked a metric could count, by category.

A plan is kept by category. Where the package holds a benchmark's samples, they tell how many of a
category a metric can count at most. Of others only the category is known: it counts in every metric
that does not rule it out by its name.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from safemark.benchmarks._benchmark import Benchmark
from safemark.errors import DataError
from safemark.types import Row, Sample, Scalar

Counts = Callable[[Row], bool]


@dataclass(frozen=True, slots=True)
class NotAsked:
    """Planned samples that have no record, by category ("" for none).

    ``held`` are all samples of the benchmark, without outcomes, each to be asked ``repeats`` times;
    none where they are not at hand.
    """

    by_category: Mapping[str, int]
    held: tuple[Row, ...] = ()
    repeats: int = 1

    def counted(self, counts: Counts, asked: Iterable[tuple[Row, int]]) -> dict[str, int]:
        """How many of them ``counts`` may be true of, by category.

        Args:
            asked: the kinds of record that there are, and how many there are of each.
        """
        if not self.by_category:
            return {}
        if not self.held:
            return {name: n for name, n in self.by_category.items() if _may_count(counts, name)}
        left: Counter[str] = Counter()
        for row in self.held:
            left[row.category or ""] += self.repeats * counts(row)
        for row, n in asked:
            left[row.category or ""] -= n * counts(row)
        most = {name: min(n, left.get(name, n)) for name, n in self.by_category.items()}
        return {name: n for name, n in most.items() if n > 0}


def held(benchmark: Benchmark) -> tuple[Row, ...]:
    """The samples of a benchmark that needs no data set; none of one whose own file is gone."""
    if benchmark.source is not None:
        return ()
    try:
        return _rows(benchmark.samples)
    except (DataError, OSError):
        return ()


@cache
def _rows(samples: Callable[[Mapping[str, Path]], Iterable[Sample]]) -> tuple[Row, ...]:
    return tuple(Row(s.id, 0, s.category, s.cluster, s.facets, {}, None) for s in samples({}))


class _NotKnown(Exception):
    """A facet was read of a sample of which only the category is known."""


class _NoFacets(Mapping[str, Scalar]):
    def __getitem__(self, name: str) -> Scalar:
        raise _NotKnown(name)

    def __iter__(self) -> Iterator[str]:
        raise _NotKnown

    def __len__(self) -> int:
        raise _NotKnown


def _may_count(counts: Counts, category: str) -> bool:
    """Whether a sample of a category may be counted, as far as the category alone tells."""
    try:
        return counts(Row("", 0, category or None, None, _NoFacets(), {}, None))
    except _NotKnown:
        return True
