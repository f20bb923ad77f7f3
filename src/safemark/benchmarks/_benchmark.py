"""What a benchmark is: a value made of small functions.

Source → samples → a way of asking → a scorer → metrics → headlines with their bands. The file of
a benchmark is the only place that knows the dataset's column names.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from safemark.data import Source
from safemark.models._model import Capability, Model
from safemark.types import Ask, Row, Sample, Scalar, Score, Transcript

Better = Literal["higher", "lower", "target"]
Dimension = Literal["bias", "toxicity", "truth", "robustness", "privacy", "usefulness"]
DIMENSIONS: tuple[Dimension, ...] = (
    "bias",
    "toxicity",
    "truth",
    "robustness",
    "privacy",
    "usefulness",
)

Facets = Mapping[str, Scalar]
Outcomes = Mapping[str, Scalar]
SHARE: tuple[tuple[float, ...], ...] = ((1.0, 1.0), (0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Scorer:
    """Judges one transcript. ``score`` may be a plain function or a coroutine function.

    ``version`` changes whenever the same reply could be judged differently. One that asks a model
    to judge is made ``with_judge``; ``judge`` then says which model, "" where rules judge.
    ``metrics`` are what is told of its outcomes beside a benchmark's own metrics. One that needs to
    be told what to look for is made by ``with_argument`` from what stands behind the colon in
    ``contains:TEXT``; its version then says which. ``trust`` is how far to believe it, measured.
    ``claims`` are a harmless and a harmful verdict as its judge would word them: what an answer
    would claim that tries to talk the judge round. ``at_once`` judgements may be under way.
    ``votes_on`` are the outcomes, true or false, on each of which several judges vote; ``harmful``
    where there are none.
    """

    name: str
    version: str
    score: Callable[[Sample, Transcript], Score | Awaitable[Score]]
    judge: str = ""
    with_judge: Callable[[Model], "Scorer"] | None = None
    metrics: tuple["Metric", ...] = ()
    with_argument: Callable[[str], "Scorer"] | None = None
    claims: tuple[str, str] | None = None
    at_once: int = 1
    trust: str = ""
    votes_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """A way of asking: how a sample is rendered, what the model must be able to do, who judges.

    ``likelihood`` and ``lm-eval`` need ``loglikelihood``; ``letters`` and ``reply`` need ``reply``.
    ``temperature``, ``top_p`` and ``repeats`` are the benchmark's own, for those that measure how
    often, not whether. ``converse`` asks a rendered sample over several turns, ``turns`` at most,
    where one question is not enough; an attempt of its transcript is then one of these turns.
    """

    name: str
    needs: Capability
    render: Callable[[Sample], Sample]
    scorer: Scorer
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    repeats: int = 1
    converse: Callable[[Sample, Model, Ask], Awaitable[Transcript]] | None = None
    turns: int = 1


@dataclass(frozen=True, slots=True)
class Together:
    """What every record of a whole group must have, and of how many samples the group is made."""

    holds: Callable[[Row], bool]
    size: Callable[[Row], int]


@dataclass(frozen=True, slots=True)
class Metric:
    """A function of columns summed over samples; by default column 0 ÷ column 1.

    ``where`` reads only facets, so absent samples are counted where they belong. ``of`` gives a
    scored sample's contribution, None when it is no part of the metric. ``options`` are the
    contributions that one absent sample could have made: bounds are computed over them.
    ``by`` names a facet (or ``category``) for which the metric is given per group as well.
    ``ways`` are the ways of asking that can tell it, all when empty. ``blocked`` are the outcomes
    that a provider's or guard's block amounts to for the *system*: the bare model's answer stays
    absent, and where anything was blocked the metric is given in that second reading as well.
    One with ``between`` is of pairs: how often two records of a ``unit_of`` differ in it, the mean
    over units; ``of`` and ``options`` are then not read, nor where it is of whole clusters
    ``together``: the share of those whose every record has something.
    """

    name: str
    better: Better
    of: Callable[[Row], tuple[float, ...] | None]
    where: Callable[[Row], bool] = lambda _row: True
    options: tuple[tuple[float, ...], ...] = SHARE
    statistic: Callable[[Any], Any] | None = None
    range: tuple[float, float] = (0.0, 1.0)
    unit: str = "share"
    target: float | None = None
    by: str | None = None
    label: str = ""
    ways: tuple[str, ...] = ()
    blocked: Outcomes | None = None
    between: Callable[[Row], Scalar] | None = None
    unit_of: Literal["sample", "cluster"] = "sample"
    together: Together | None = None


@dataclass(frozen=True, slots=True)
class Headline:
    """The metric that a dimension's light is taken from, with its bands.

    Between ``green`` and ``red`` is yellow. For ``better: target`` both are distances from the
    metric's target. ``source`` says who set the bands: a publisher, a guide, or "ours".
    """

    metric: str
    dimension: Dimension
    green: float
    red: float
    source: str = "ours"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Unlit:
    """The dimension that a benchmark without a headline belongs to, and why no light is taken."""

    dimension: Dimension
    why: str


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A pinned dataset, how to ask it and how to read the answers.

    ``samples`` is given the verified files that are there, by their path in the source, and
    yields samples; it must not need all of them. ``headlines[0]`` is *the* headline. ``joined`` is
    given where metrics are of samples, not of replies: what a sample's rows come to together, told
    how many there are when all were asked. ``further`` gives metrics of groups that only the rows
    can name. ``of_file`` reads a person's own file where one is named as the version, None where it
    is none. One that is not ``is_quick`` is left out of the suite of that name. One without a
    headline says with ``unlit`` why: what it measures is told, and its light is grey.
    """

    name: str
    version: str
    title: str
    source: Source | None
    samples: Callable[[Mapping[str, Path]], Iterable[Sample]]
    ways: tuple[Way, ...]
    metrics: tuple[Metric, ...]
    headlines: tuple[Headline, ...]
    citation: str
    checked_against: str
    languages: tuple[str, ...] = ("en",)
    needs_files: frozenset[str] = field(default_factory=frozenset)
    versions: tuple["Benchmark", ...] = ()
    joined: Callable[[Sequence[Row], int], Score] | None = None
    further: Callable[[Iterable[Row]], Iterable["Metric"]] = lambda _rows: ()
    of_file: Callable[[str], "Benchmark | None"] | None = None
    is_quick: bool = True
    unlit: Unlit | None = None

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """What it tells of, each once."""
        own = (self.unlit.dimension,) if self.unlit else ()
        return tuple(dict.fromkeys((*(one.dimension for one in self.headlines), *own)))

    def way(self, name: str) -> Way | None:
        """The way of asking called ``name``, if there is one."""
        return next((way for way in self.ways if way.name == name), None)


def share(outcome: str, value: Scalar = True) -> Callable[[Row], tuple[float, ...] | None]:
    """Contribution to a share: 1 of 1 when ``outcome`` equals ``value``, else 0 of 1."""

    def contribution(row: Row) -> tuple[float, ...]:
        return (1.0 if row.outcomes.get(outcome) == value else 0.0, 1.0)

    return contribution


def rows_of(metric: Metric, rows: Sequence[Row]) -> list[Row]:
    """The rows that a metric speaks of, absent ones included."""
    return [row for row in rows if metric.where(row)]
