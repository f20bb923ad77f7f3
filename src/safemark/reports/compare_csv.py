"""A comparison as tables for a spreadsheet: the differences, or the samples that moved.

A cell that a spreadsheet would take for a formula is given an apostrophe in front. What is not
known is an empty cell.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from safemark.reports.comparison import (
    Comparison,
    DifferenceDocument,
    MetricComparison,
    PairComparison,
    PartComparison,
)
from safemark.reports.templates.wording import finite, visible

FIGURES = (
    "before",
    "after",
    "difference",
    "low",
    "high",
    "outer_low",
    "outer_high",
    "p",
    "p_adjusted",
    "outer_p_adjusted",
    "effect",
    "n",
    "clusters",
    "absent",
    "absent_before",
    "absent_after",
    "worse",
    "better",
)
_ACTS = ("=", "+", "-", "@", "\t", "\r", "|", "%")

Cell = str | int | float | None


def differences_csv(comparison: Comparison) -> str:
    """One line for each metric and group of each pair of runs."""
    header = [
        *("run_before", "run_after", "benchmark", "version", "asked", "attack", "metric", "group"),
        *("headline", "better_is", "unit", "verdict"),
        *FIGURES,
        *("effect_name", "family", "interval_method", "test_method", "undefined"),
    ]
    return _table(header, _differences(comparison))


def _differences(comparison: Comparison) -> Iterator[Sequence[Cell]]:
    for pair in comparison.pairs:
        for part in pair.parts:
            for metric in part.metrics:
                for found in (metric.whole, *metric.groups):
                    yield _difference(comparison, pair, part, metric, found)


def _difference(
    comparison: Comparison,
    pair: PairComparison,
    part: PartComparison,
    metric: MetricComparison,
    found: DifferenceDocument,
) -> list[Cell]:
    return [
        comparison.runs[pair.before].run,
        comparison.runs[pair.after].run,
        part.benchmark,
        " and ".join(part.version),
        " and ".join(part.asked),
        part.attack,
        metric.name,
        found.group,
        "yes" if metric.is_headline and found.group is None else "no",
        metric.better,
        metric.unit,
        found.verdict,
        *(getattr(found, name) for name in FIGURES),
        found.effect_name,
        found.family,
        found.interval_method,
        found.test_method,
        found.undefined,
    ]


def moved_csv(comparison: Comparison) -> str:
    """One line for each listed sample that moved."""
    header = (
        "run_before run_after benchmark metric sample repeat group before after worsening"
    ).split()
    return _table(
        header,
        (
            [
                comparison.runs[pair.before].run,
                comparison.runs[pair.after].run,
                part.benchmark,
                sample.metric,
                sample.sample,
                sample.repeat,
                sample.group,
                sample.before,
                sample.after,
                sample.worsening,
            ]
            for pair in comparison.pairs
            for part in pair.parts
            for sample in part.moved
        ),
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()


def cell(value: Cell) -> str | int | float:
    """A value as a cell that only shows it.

    >>> cell("=HYPERLINK(1)"), cell(-0.5), cell(None), cell(float("nan"))
    ("'=HYPERLINK(1)", -0.5, '', '')
    """
    if isinstance(value, float):
        return "" if finite(value) is None else value
    if value is None:
        return ""
    if isinstance(value, str):
        shown = visible(value)
        return f"'{shown}" if shown.lstrip().startswith(_ACTS) else shown
    return value
