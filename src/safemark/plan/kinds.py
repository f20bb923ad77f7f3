"""Which samples of a benchmark no metric can tell apart before they are answered."""

from array import array
from collections import Counter
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field

from safemark.types import Row, Sample


@dataclass(slots=True)
class Kinds:
    """A code for each sample, in the benchmark's order, and a row without outcomes for each."""

    rows: list[Row] = field(default_factory=list)
    codes: "array[int]" = field(default_factory=lambda: array("L"))
    _known: dict[Hashable, int] = field(default_factory=dict)

    def add(self, sample: Sample) -> None:
        """Take the next sample of the benchmark."""
        key = (sample.category, *sample.facets.items())
        code = self._known.setdefault(key, len(self.rows))
        if code == len(self.rows):
            self.rows.append(Row("", 0, sample.category, None, sample.facets, {}, None))
        self.codes.append(code)

    def counts(self, chosen: Collection[int] | None) -> list[tuple[Row, int]]:
        """How many of the ``chosen`` samples are of each kind; None chooses all."""
        codes = self.codes if chosen is None else (self.codes[index] for index in chosen)
        return [(self.rows[code], n) for code, n in sorted(Counter(codes).items())]
