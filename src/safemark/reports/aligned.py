"""Two or more runs' records of one benchmark, side by side: aligned by sample and repeat.

What a metric makes of a record is worked out once for each distinct kind of record, then looked
up; a hundred thousand records cost a few array operations. Which differences are tested is not
known here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from safemark.benchmarks._benchmark import Metric
from safemark.stats.clusters import coded
from safemark.store import Kind, Outcomes
from safemark.types import Reason

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


_NEVER_ASKED = Kind(absent=Reason.NOT_ASKED)


@dataclass(frozen=True)
class Aligned:
    """The same samples in each run, (n,) places into each run's outcomes.

    A place just past the end stands for a sample that was planned in that run and never asked.
    """

    outcomes: tuple[Outcomes, ...]
    places: tuple[Places, ...]
    only: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.places[0])

    def kinds(self, run: int) -> tuple[Kind, ...]:
        """The kinds of a run, and one more for a sample that was never asked."""
        return (*self.outcomes[run].kinds, _NEVER_ASKED)

    def codes(self, run: int) -> Places:
        """The kind of each row in a run, (n,)."""
        found = self.outcomes[run]
        return np.append(found.kind, len(found.kinds))[self.places[run]]

    def kind(self, run: int, row: int) -> Kind:
        """What one row came to in a run."""
        found, place = self.outcomes[run], int(self.places[run][row])
        return found.kinds[found.kind[place]] if place < len(found) else _NEVER_ASKED

    def key(self, row: int) -> tuple[str, int]:
        """Sample and repeat of a row."""
        outcomes, place = self._home(row)
        return outcomes.sample[place], int(outcomes.repeat[place])

    @cached_property
    def clusters(self) -> Places:
        """What each row shares with others, as numbers, (n,)."""
        homes = map(self._home, range(len(self)))
        return coded([each.cluster[place] or each.sample[place] for each, place in homes])

    def _home(self, row: int) -> tuple[Outcomes, int]:
        """A run that has the record of ``row``, and where."""
        for outcomes, places in zip(self.outcomes, self.places, strict=True):
            if (place := int(places[row])) < len(outcomes):
                return outcomes, place
        raise IndexError(row)


def aligned(outcomes: Sequence[Outcomes], planned: Sequence[dict[str, int]]) -> Aligned | str:
    """Samples (and repeats) that all runs have, in the first one's order; or why there are none.

    Where a run ended before all that was planned had been asked, the samples it never came to are
    absent in it, as far as its plan tells that there are so many; the others are left out.

    Args:
        planned: how many records each run was to have, by category ("" for none).
    """
    first, *others = outcomes
    if all(
        each.sample == first.sample and np.array_equal(each.repeat, first.repeat) for each in others
    ):
        rows = np.arange(len(first))
        return _checked(Aligned(tuple(outcomes), (rows,) * len(outcomes), (0,) * len(outcomes)))
    known = [_places(each) for each in outcomes]
    if any(len(places) != len(each) for places, each in zip(known, outcomes, strict=True)):
        return "a run holds one sample twice"
    waiting = [_never_asked(each, plan) for each, plan in zip(outcomes, planned, strict=True)]
    keys = _shared(known, outcomes, waiting)
    found = tuple(
        np.fromiter((places.get(key, past) for key in keys), np.intp, len(keys))
        for places, past in zip(known, map(len, outcomes), strict=True)
    )
    only = tuple(
        len(each) - int((places < len(each)).sum())
        for each, places in zip(outcomes, found, strict=True)
    )
    return _checked(Aligned(tuple(outcomes), found, only))


_Key = tuple[str, int]


def _places(outcomes: Outcomes) -> dict[_Key, int]:
    keys = zip(outcomes.sample, outcomes.repeat.tolist(), strict=True)
    return {key: place for place, key in enumerate(keys)}


def _never_asked(outcomes: Outcomes, planned: dict[str, int]) -> dict[str, int]:
    """How many planned records a run lacks, by category."""
    of_kind = np.bincount(outcomes.kind, minlength=len(outcomes.kinds)).tolist()
    lacking = dict(planned)
    for kind, n in zip(outcomes.kinds, of_kind, strict=True):
        category = kind.category or ""
        lacking[category] = lacking.get(category, 0) - n
    return {category: n for category, n in lacking.items() if n > 0}


def _shared(
    known: Sequence[dict[_Key, int]],
    outcomes: Sequence[Outcomes],
    waiting: Sequence[dict[str, int]],
) -> list[_Key]:
    """Keys that every run has, or was still to ask."""
    if not any(waiting):
        return [key for key in known[0] if all(key in places for places in known[1:])]
    everywhere: dict[_Key, str] = {}
    for places, each in zip(known, outcomes, strict=True):
        categories = [kind.category or "" for kind in each.kinds]
        of_rows = zip(places, each.kind.tolist(), strict=True)
        everywhere |= {key: categories[code] for key, code in of_rows if key not in everywhere}
    usable = [
        _fits(places, everywhere, lacking) for places, lacking in zip(known, waiting, strict=True)
    ]
    return [
        key
        for key, category in everywhere.items()
        if all(
            key in places or category in open_ for places, open_ in zip(known, usable, strict=True)
        )
    ]


def _fits(
    places: dict[_Key, int], everywhere: dict[_Key, str], lacking: dict[str, int]
) -> frozenset[str]:
    """Categories in which what a run lacks of the others' samples may be what it never asked."""
    missing: dict[str, int] = {}
    for key, category in everywhere.items():
        if key not in places:
            missing[category] = missing.get(category, 0) + 1
    return frozenset(c for c, n in missing.items() if n <= lacking.get(c, 0))


def _checked(found: Aligned) -> Aligned | str:
    return found if len(found) else "the runs share no samples"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one metric makes of one run's kinds: (n_kinds,) masks and (n_kinds, k) columns.

    ``counts`` is false where a known outcome is no part of the metric (its columns are zeros).
    """

    concerned: Mask
    absent: Mask
    counts: Mask
    columns: Array
    groups: tuple[str | None, ...]


def reading(metric: Metric, kinds: Sequence[Kind], is_asked: Sequence[bool]) -> Reading:
    """``metric`` of every kind; one that was never asked concerns no metric by itself."""
    width = len(metric.options[0]) if metric.options else 2
    n = len(kinds)
    concerned, absent, counts = (np.zeros(n, dtype=bool) for _ in range(3))
    columns = np.zeros((n, width))
    groups: list[str | None] = []
    for i, (kind, asked) in enumerate(zip(kinds, is_asked, strict=True)):
        row = kind.row
        absent[i] = kind.absent is not None
        concerned[i] = asked and metric.where(row)
        if concerned[i] and not absent[i] and (found := metric.of(row)) is not None:
            counts[i] = True
            columns[i] = found
        group = kind.category if metric.by == "category" else kind.facets.get(metric.by or "")
        groups.append(None if group is None or metric.by is None else str(group))
    return Reading(concerned, absent, counts, columns, tuple(groups))


@dataclass(frozen=True)
class Measured:
    """One metric on the rows it speaks of: its columns in each run, NaN where absent.

    ``rows`` are places into the alignment, (n,); ``columns`` one (n, k) for each run; ``groups``
    the label of each row, None where it has none.
    """

    metric: Metric
    rows: Places
    columns: tuple[Array, ...]
    group: Places
    groups: tuple[str | None, ...]

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def is_plain(self) -> bool:
        """Whether every known outcome is one number of one: then a pair's difference is one too."""
        if self.metric.statistic is not None or self.columns[0].shape[1] != 2:
            return False
        wholes = (column[:, 1] for column in self.columns)
        return all(bool(((whole == 1.0) | np.isnan(whole)).all()) for whole in wholes) and all(
            option[1] == 1.0 for option in self.metric.options
        )

    def clusters(self, found: Aligned, chosen: Mask) -> Places | None:
        """What the chosen rows share with each other; None where each is its own."""
        codes = found.clusters[self.rows[chosen]]
        return None if len(np.unique(codes)) == len(codes) else codes

    def of(self, label: str | None) -> Mask:
        """The rows of one group, all for None."""
        if label is None:
            return np.ones(len(self), dtype=bool)
        chosen: Mask = self.group == self.groups.index(label)
        return chosen


def measured(found: Aligned, metrics: Sequence[Metric]) -> Measured | None:
    """One metric, as each run's benchmark defines it, on the shared rows; None where it has none.

    Args:
        metrics: that metric in each run.
    """
    readings, codes = [], []
    for run, metric in enumerate(metrics):
        kinds = found.kinds(run)
        asked = [True] * (len(kinds) - 1) + [False]
        readings.append(reading(metric, kinds, asked))
        codes.append(found.codes(run))
    concerned = np.any([r.concerned[c] for r, c in zip(readings, codes, strict=True)], axis=0)
    told = np.any([(r.absent | r.counts)[c] for r, c in zip(readings, codes, strict=True)], axis=0)
    rows = np.flatnonzero(concerned & told)
    if len(rows) == 0:
        return None
    columns = []
    for r, c in zip(readings, codes, strict=True):
        of_rows = r.columns[c[rows]]
        of_rows[r.absent[c[rows]]] = np.nan
        columns.append(of_rows)
    group, groups = _grouped(readings, [c[rows] for c in codes])
    return Measured(metrics[0], rows, tuple(columns), group, groups)


def _grouped(
    readings: Sequence[Reading], codes: Sequence[Places]
) -> tuple[Places, tuple[str | None, ...]]:
    """Each row's group, as the first run that has one says."""
    names: dict[str | None, int] = {None: 0}
    group = np.zeros(len(codes[0]), dtype=np.intp)
    for each, of_rows in zip(reversed(readings), reversed(codes), strict=True):
        places = np.array([names.setdefault(g, len(names)) for g in each.groups], dtype=np.intp)
        found = places[of_rows]
        group = np.where(found == 0, group, found)
    return group, tuple(names)
