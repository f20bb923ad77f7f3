"""Which samples of a benchmark are asked: seeded, stratified, whole clusters, blind to answers."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from safemark.benchmarks._benchmark import Benchmark
from safemark.types import Sample


class Fact(NamedTuple):
    """What drawing knows of a sample: its category ("" for none), and what it was made from."""

    category: str
    cluster: str


def facts_of(benchmark: Benchmark, files: Mapping[str, Path]) -> list[Fact]:
    """What drawing knows of each sample, in the benchmark's order."""
    return [fact_of(sample) for sample in benchmark.samples(files)]


def fact_of(sample: Sample) -> Fact:
    """What drawing knows of a sample; without a cluster it is one of its own."""
    return Fact(sample.category or "", sample.cluster or sample.id)


def planned(facts: Sequence[Fact], chosen: frozenset[int] | None, repeats: int) -> dict[str, int]:
    """How many questions each category gets, repeats included; None chooses all samples."""
    counts = Counter(
        fact.category for index, fact in enumerate(facts) if chosen is None or index in chosen
    )
    return {category: count * repeats for category, count in counts.items()}


def drawn(n: int, of: int, seed: int) -> str:
    """How ``n`` of so many samples were chosen, in words."""
    return f"{n} of {of}, drawn by cluster within category (seed {seed})"


def stratified(facts: Sequence[tuple[str, str]], limit: int, seed: int) -> frozenset[int]:
    """Indices of ``limit`` samples, shared out over categories, in whole clusters.

    Each category gets its share of ``limit`` (largest remainders); within it clusters are drawn
    at random and taken whole while they fit; the last one is cut, from its first row on, so that
    exactly ``limit`` samples are drawn.

    Args:
        facts: category and cluster of each sample, in the benchmark's order.
        limit: how many samples, at most ``len(facts)``.
        seed: the same seed draws the same samples.

    >>> sorted(stratified([("a", "1"), ("a", "1"), ("b", "2"), ("b", "3")], 3, seed=0))
    [0, 1, 3]
    """
    clusters: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for index, (category, cluster) in enumerate(facts):
        clusters[category][cluster].append(index)
    sizes = {c: sum(map(len, groups.values())) for c, groups in clusters.items()}
    chosen: set[int] = set()
    for category, allotted in _allotted(sizes, limit).items():
        draw = random.Random(f"{seed}/{category}")
        groups = list(clusters[category].values())
        draw.shuffle(groups)
        chosen.update(_filled(groups, allotted))
    return frozenset(chosen)


def _filled(groups: Iterable[list[int]], room: int) -> list[int]:
    """Whole groups while they fit into ``room``, then the first rows of those that did not."""
    taken: list[int] = []
    waiting: list[list[int]] = []
    for group in groups:
        if len(group) <= room - len(taken):
            taken.extend(group)
        else:
            waiting.append(group)
    for group in waiting:
        taken.extend(group[: room - len(taken)])
    return taken


def _allotted(sizes: Mapping[str, int], limit: int) -> dict[str, int]:
    """``limit`` shared out in proportion to ``sizes``, by largest remainders.

    >>> _allotted({"a": 3, "b": 1}, 2)
    {'a': 2, 'b': 0}
    """
    total = sum(sizes.values())
    limit = min(limit, total)
    exact = {category: limit * size / total for category, size in sizes.items()}
    allotted = {category: int(share) for category, share in exact.items()}
    rest = limit - sum(allotted.values())
    by_remainder = sorted(exact, key=lambda c: (allotted[c] - exact[c], c))
    for category in by_remainder[:rest]:
        allotted[category] += 1
    return allotted
