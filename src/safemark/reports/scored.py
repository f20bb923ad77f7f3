"""Recorded outputs, scored: each scorer's rates with their intervals, overall and by category."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from safemark.benchmarks._benchmark import Metric, Scorer
from safemark.reports.document import MetricDocument
from safemark.reports.metrics import Records, estimated, shown, told
from safemark.stats.clusters import coded
from safemark.types import Row, Sample, Score

SCHEMA = 1
MOST_GROUPS = 50
"""So many categories are told apart; a column with more is rather a name for each row."""


class ScorerDocument(msgspec.Struct, frozen=True):
    """What one scorer says of all outputs; ``trust`` is how far it is to be believed."""

    scorer: str
    trust: str
    n: int
    absent: int
    absent_reasons: dict[str, int]
    metrics: list[MetricDocument]


class ScoredDocument(msgspec.Struct, frozen=True):
    """What `safemark score` found. ``left_out`` says what is not told, and why."""

    safemark: str
    schema: int
    file: str
    outputs: int
    scorers: list[ScorerDocument]
    left_out: list[str]


@dataclass(slots=True)
class Tally:
    """What one scorer said so far: a code for each output, and the distinct kinds beside it.

    Outputs of the same prompt are one cluster: they are not independent.
    """

    scorer: Scorer
    kinds: dict[bytes, int] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    kind: "array[int]" = field(default_factory=lambda: array("q"))
    cluster: "array[int]" = field(default_factory=lambda: array("q"))

    def add(self, sample: Sample, score: Score) -> None:
        """Count one more output."""
        row = Row("", 0, sample.category, None, {}, score.outcomes, score.absent)
        key = _ENCODER.encode((sample.category, score.outcomes, score.absent))
        place = self.kinds.setdefault(key, len(self.rows))
        if place == len(self.rows):
            self.rows.append(row)
        self.kind.append(place)
        self.cluster.append(hash(sample.messages or sample.id))

    @property
    def records(self) -> Records:
        return Records(
            tuple(self.rows),
            np.array(self.kind, dtype=np.intp),
            coded(list(self.cluster)),
        )


_ENCODER = msgspec.json.Encoder(order="deterministic")


def summary(tally: Tally) -> tuple[ScorerDocument, str | None]:
    """A scorer's metrics, overall and by category; and what of it is not told, if anything."""
    records = tally.records
    reasons = {str(reason): n for reason, n in records.absences().most_common()}
    absent = sum(reasons.values())
    groups = {row.category for row in records.rows} - {None}
    by = "category" if 1 < len(groups) <= MOST_GROUPS else None
    metrics = [
        one
        for metric in told(tally.scorer.metrics, records)
        for one in _with_groups(replace(metric, by=by), records)
    ]
    left_out = None
    if len(groups) > MOST_GROUPS:
        left_out = f"rates by category: there are {len(groups)} of them, more than {MOST_GROUPS}"
    words = f"{tally.scorer.name} {tally.scorer.version}"
    if tally.scorer.judge:
        words += f" by {tally.scorer.judge}"
    document = ScorerDocument(
        words, tally.scorer.trust, len(records.kind) - absent, absent, reasons, metrics
    )
    return document, left_out


def _with_groups(metric: Metric, records: Records) -> Iterable[MetricDocument]:
    concerned = records.having(metric.where)
    whole = estimated(metric, records, concerned, {})
    if whole.n == 0:
        return
    yield shown(metric, None, whole)
    names = sorted({row.category for row in records.rows if row.category}) if metric.by else []
    for name in names:
        members = concerned & records.having(lambda row, name=name: row.category == name)  # type: ignore[misc]
        yield shown(metric, name, estimated(metric, records, members, {}))


def document(file: str, safemark: str, outputs: int, tallies: Sequence[Tally]) -> ScoredDocument:
    """Everything that was found, for `--json` and for the table."""
    read = [summary(tally) for tally in tallies]
    left_out = list(dict.fromkeys(why for _, why in read if why))
    return ScoredDocument(safemark, SCHEMA, file, outputs, [one for one, _ in read], left_out)


def line(number: int, sample: Sample, scores: Mapping[str, Score]) -> dict[str, object]:
    """One output's scores as a line of JSON; its text stays where it was."""
    found: dict[str, object] = {"row": number, "id": sample.id}
    if sample.category is not None:
        found["category"] = sample.category
    found["scores"] = {
        name: {"outcomes": dict(score.outcomes), "absent": score.absent, "why": score.why}
        for name, score in scores.items()
    }
    return found
