"""The document of a trend: what its pages, tables and JSON show. Types only."""

import msgspec

from safemark.reports.document import LightName, MetricDocument, Threshold

SCHEMA = 1


class Change(msgspec.Struct, frozen=True):
    """Something that is not as it was at the point before; ``breaks``: the line ends there."""

    what: str
    before: str
    after: str
    breaks: bool = False


class Point(msgspec.Struct, frozen=True):
    """One run in a series. ``stretch`` numbers the unbroken stretches of the line from 0."""

    run: str
    started: str
    status: str
    identity: str
    estimate: MetricDocument
    light: LightName
    why: str
    is_decided: bool
    stretch: int = 0
    changes: tuple[Change, ...] = ()


class ChangePoint(msgspec.Struct, frozen=True):
    """A run from which on the level differs, and by how much; ``low``/``high`` at 95 %.

    ``p`` is adjusted over everything that was looked at in the report. ``meanwhile`` is what
    else changed at that run: a coincidence in time, no cause.
    """

    run: str
    started: str
    before: float
    after: float
    difference: float
    low: float
    high: float
    p: float
    runs_before: int
    runs_after: int
    is_worse: bool | None
    meanwhile: tuple[Change, ...] = ()


class Month(msgspec.Struct, frozen=True):
    """A calendar month (UTC) of a series: its last measured run, and how far its runs lay apart."""

    month: str
    runs: int
    last: Point | None
    lowest: float | None
    highest: float | None


class Series(msgspec.Struct, frozen=True):
    """One headline over time. ``stretches_tested``: those long enough to look for a change in."""

    model: str
    benchmark: str
    title: str
    asked: str
    attack: str
    dimension: str
    metric: str
    label: str
    threshold: Threshold
    points: tuple[Point, ...]
    change_points: tuple[ChangePoint, ...]
    stretches_tested: int
    months: tuple[Month, ...]


class LeftOut(msgspec.Struct, frozen=True):
    """A run, or one benchmark of it, that cannot be read."""

    run: str
    what: str
    why: str


class Trend(msgspec.Struct, frozen=True):
    """All series of the runs that were looked at."""

    safemark: str
    schema: int
    model: str | None
    since: str | None
    until: str | None
    runs: int
    series: tuple[Series, ...]
    notices: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    correction: str
