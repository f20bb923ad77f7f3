"""The document of a comparison: what `safemark compare --json` prints and every rendering shows.

Types only. `safemark.reports.compare` builds one from records. A difference is *after minus
before*; the first run that was named is always the one before.
"""

from typing import Any, Literal

import msgspec

from safemark.reports.document import Status

SCHEMA = 1

VerdictName = Literal["worse", "better", "changed", "not_shown", "open", "undefined"]
"""What a difference says.

``worse``, ``better``: shown, after correction, whatever the absent outcomes were; ``changed``:
shown, but no farther from and no nearer to the target; ``not_shown``: these samples do not tell
the two apart, which is not the same as being equal; ``open``: shown by the known outcomes, but
absent ones could undo it; ``undefined``: there is nothing to test.
"""


class ComparedRun(msgspec.Struct, frozen=True):
    """One of the runs. ``label`` tells it from the others; ``source`` is the store or a file."""

    label: str
    run: str
    model: str
    identity: str
    started: str
    status: Status
    source: Literal["store", "file"]


class DifferenceDocument(msgspec.Struct, frozen=True):
    """One metric, overall (``group`` null) or for one group, on the samples that both runs have.

    ``before`` and ``after`` are its values on the ``n`` pairs with both outcomes; ``low`` …
    ``high`` the 95 % interval of their difference; ``outer_low`` … ``outer_high`` the interval
    over every outcome that the ``absent`` pairs could have had. ``p`` is two-sided, ``p_adjusted``
    corrected within its ``family``, ``outer_p_adjusted`` the same for the largest p that absent
    outcomes allow. ``distance`` is the change in distance from the target, for metrics that have
    one. ``worse`` and ``better`` count pairs that moved; null where a pair has no direction.
    Null is not known, never zero; ``undefined`` says why.
    """

    group: str | None
    before: float | None
    after: float | None
    difference: float | None
    low: float | None
    high: float | None
    outer_low: float | None
    outer_high: float | None
    p: float | None
    p_adjusted: float | None
    outer_p: float | None
    outer_p_adjusted: float | None
    family: Literal["headlines", "others"]
    verdict: VerdictName
    effect: float | None
    effect_name: str
    n: int
    clusters: int
    absent: int
    absent_before: int
    absent_after: int
    worse: int | None
    better: int | None
    distance: float | None
    distance_low: float | None
    distance_high: float | None
    distance_outer_low: float | None
    distance_outer_high: float | None
    interval_method: str
    test_method: str
    undefined: str | None


class MetricComparison(msgspec.Struct, frozen=True):
    """One metric in both runs."""

    name: str
    label: str
    unit: str
    better: Literal["higher", "lower", "target"]
    target: float | None
    range: tuple[float, float]
    is_headline: bool
    dimensions: list[str]
    whole: DifferenceDocument
    groups: list[DifferenceDocument]


class MovedSample(msgspec.Struct, frozen=True):
    """A sample whose outcome changed; ``worsening`` is positive where it became worse."""

    metric: str
    sample: str
    repeat: int
    group: str | None
    before: str
    after: str
    worsening: float


class LostSample(msgspec.Struct, frozen=True):
    """A sample that has an outcome in one of the runs only."""

    sample: str
    repeat: int
    group: str | None
    before: str
    after: str


class PartComparison(msgspec.Struct, frozen=True):
    """One benchmark, asked one way under one attack, in both runs.

    ``shared`` samples (times repeats) are in both; ``only_before`` and ``only_after`` are left
    out. ``version``, ``asked`` and ``scorer`` hold the two runs' words, one where they agree.
    """

    benchmark: str
    title: str
    version: list[str]
    asked: list[str]
    scorer: list[str]
    attack: str
    shared: int
    only_before: int
    only_after: int
    metrics: list[MetricComparison]
    moved: list[MovedSample]
    lost: list[LostSample]
    warnings: list[str]


class NotCompared(msgspec.Struct, frozen=True):
    """A benchmark that was not compared, and why; ``refused`` where `--across` would."""

    benchmark: str
    why: str
    refused: bool


class PairComparison(msgspec.Struct, frozen=True):
    """Two runs; ``before`` and ``after`` are places in ``runs``.

    ``differs`` names the settings that are not the same.
    """

    before: int
    after: int
    parts: list[PartComparison]
    not_compared: list[NotCompared]
    differs: dict[str, list[str]]


class Standing(msgspec.Struct, frozen=True):
    """One run's place on a board: ``first`` to ``last`` are the ranks that are not ruled out.

    Runs that have a letter in common are not told apart.
    """

    run: int
    value: float | None
    low: float | None
    high: float | None
    outer_low: float | None
    outer_high: float | None
    n: int
    absent: int
    first: int | None
    last: int | None
    letters: str


class Board(msgspec.Struct, frozen=True):
    """All runs on one headline, best first, on the samples that all of them have."""

    benchmark: str
    title: str
    asked: str
    attack: str
    metric: str
    label: str
    unit: str
    better: Literal["higher", "lower", "target"]
    target: float | None
    shared: int
    standings: list[Standing]
    missing: list[int]
    pairs_tested: int


class Comparison(msgspec.Struct, frozen=True):
    """Runs, compared. ``across`` is true where runs that were not made alike were compared."""

    safemark: str
    schema: int
    runs: list[ComparedRun]
    pairs: list[PairComparison]
    boards: list[Board]
    alpha: float
    headlines_tested: int
    others_tested: int
    across: bool
    warnings: list[str]


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `Comparison`."""
    (schema,), components = msgspec.json.schema_components(
        [Comparison], ref_template="#/$defs/{name}"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Safemark comparison",
        **schema,
        "$defs": components,
    }
