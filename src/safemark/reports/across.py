"""Across models: mean and spread, failures a day, and what goes with safety.

One board for each headline that several models have, from the newest measured run of each, and,
where asked for, boards of figures that others published, labelled as such. Models are the unit of
everything that is said of models in general: with a handful of them little can be said, and the
intervals show it. A model beside its reasoning sibling is compared on the same questions where
both were measured here.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from safemark import __version__, registry
from safemark.benchmarks._benchmark import Metric, rows_of
from safemark.errors import SafemarkError, UnknownName, UsageError
from safemark.files import yaml_in
from safemark.reports.across_document import (
    MEASURED,
    SCHEMA,
    About,
    Across,
    Between,
    Board,
    Figure,
)
from safemark.reports.across_statistics import failures_a_day, finished_board
from safemark.reports.joining import stored_rows
from safemark.reports.published import published_board
from safemark.reports.scorecard import Reading, readings
from safemark.reports.templates import wording
from safemark.stats import paired_difference, ratio
from safemark.store import Store, StoredPart, StoredRun

REQUESTS_A_DAY = 10_000


def across(
    store: Store | None,
    models: Sequence[str] = (),
    *,
    about: Mapping[str, About] | None = None,
    benchmark: str | None = None,
    requests_a_day: int = REQUESTS_A_DAY,
    published: Sequence[str] = (),
) -> Across:
    """Boards of the store's models, all of them or those named, and of published figures.

    Raises:
        UnknownName: no run of a model, no such published set.
        UsageError: nothing to compare: fewer than two models share a headline.
    """
    boards: list[Board] = []
    left_out: list[str] = []
    if store is not None:
        found, left_out = _measured(store, models, benchmark)
        boards = [
            _board(key, members, about or {}, store, requests_a_day)
            for key, members in sorted(found.items())
            if len(members) > 1
        ]
        left_out += [
            f"{key[0]} {key[3]}: measured on {next(iter(members))} alone"
            for key, members in sorted(found.items())
            if len(members) == 1
        ]
    boards += [published_board(name, requests_a_day) for name in published]
    if not boards:
        raise UsageError(
            "fewer than two models have a headline in common",
            "run the same benchmark on another model, or see `--published all`",
        )
    return Across(__version__, SCHEMA, requests_a_day, tuple(boards), tuple(left_out))


def about_from(path: Path) -> dict[str, About]:
    """What a YAML file says of models: ``name: {size_b: 8, open: true, sibling: …}``.

    Raises:
        UsageError: it cannot be read, or has something else in it.
    """
    given = yaml_in(path, "the file about models")
    try:
        return msgspec.convert(given or {}, dict[str, About])
    except msgspec.ValidationError as error:
        raise UsageError(
            f"{path} does not describe models: {error}",
            "write `MODEL: {capability: 0.7, size_b: 8, open: true, reasoning: true,"
            " sibling: MODEL}`",
        ) from error


_Key = tuple[str, str, str, str]

_Found = tuple[StoredRun, StoredPart, Reading]


def _measured(
    store: Store, models: Sequence[str], benchmark: str | None
) -> tuple[dict[_Key, dict[str, _Found]], list[str]]:
    """The newest measured run of each model, by headline."""
    runs = store.runs()
    known = {run.model for run in runs}
    for model in models:
        if model not in known:
            raise UnknownName("model in the store", model, sorted(known))
    found: dict[_Key, dict[str, _Found]] = defaultdict(dict)
    left_out: list[str] = []
    for run in runs:
        if models and run.model not in models:
            continue
        for part in store.parts(run.id):
            if benchmark not in (None, part.benchmark) or part.attack != "direct":
                continue
            try:
                read = readings(store, part)
            except SafemarkError as error:
                left_out.append(f"{part.benchmark} in {run.id}: {error.problem}")
                continue
            for one in read:
                # another version or way measures something else
                key = (part.benchmark, part.version, part.asked, one.headline.metric)
                if one.metric.value is not None:
                    found[key].setdefault(run.model, (run, part, one))
    return found, left_out


def _board(
    key: _Key,
    found: Mapping[str, _Found],
    about: Mapping[str, About],
    store: Store,
    requests_a_day: int,
) -> Board:
    benchmark, version, asked, _ = key
    reading = next(iter(found.values()))[2]
    metric = reading.metric
    figures = [
        _figure(model, run, one, about.get(model, About()), requests_a_day)
        for model, (run, _, one) in found.items()
    ]
    return finished_board(
        title=reading.title,
        label=metric.label,
        source=f"{benchmark} {version}, asked by {asked}",
        provenance=MEASURED,
        better=metric.better,
        target=metric.target,
        unit=metric.unit,
        figures=figures,
        difference=lambda a, b: _paired(store, found[a], found[b]),
        limits=["Each model by its newest measured run; models may have been run on other days."],
    )


def _figure(
    model: str, run: StoredRun, reading: Reading, about: About, requests_a_day: int
) -> Figure:
    metric = reading.metric
    is_share = metric.unit == "share" and metric.better in ("higher", "lower")
    return Figure(
        model=model,
        run=run.id,
        value=metric.value or 0.0,
        low=metric.low,
        high=metric.high,
        n=metric.n,
        absent=metric.absent,
        failures=failures_a_day(
            Between(metric.value, metric.low, metric.high), metric.better, requests_a_day
        )
        if is_share
        else Between(undefined="the figure is no share of failures"),
        about=about,
    )


def _paired(store: Store, one: _Found, other: _Found) -> tuple[Between, str]:
    """The second run minus the first, on the questions that both answered."""
    metric = _metric(one[1], one[2])
    first, second = (_contributions(store, part, metric) for _, part, _ in (one, other))
    shared = [key for key in first if key in second]
    if not shared:
        return Between(undefined="they share no question"), "none"
    width = len(metric.options[0]) if metric.options else 2
    a, b = (
        np.array([_row(found[key][1], width) for key in shared], dtype=float)
        for found in (first, second)
    )
    found = paired_difference(
        a,
        b,
        [first[key][0] for key in shared],
        statistic=metric.statistic or ratio,
        absent_options=metric.options or None,
        range=metric.range,
    )
    between = Between(found.value, found.low, found.high, found.p_value, found.undefined)
    return between, f"{found.test_method}, {wording.counted(found.n_a, 'shared question')}"


def _metric(part: StoredPart, reading: Reading) -> Metric:
    benchmark = registry.benchmark(f"{part.benchmark}@{part.version}")
    return next(one for one in benchmark.metrics if one.name == reading.metric.name)


def _contributions(
    store: Store, part: StoredPart, metric: Metric
) -> dict[tuple[str, int], tuple[str, tuple[float, ...] | None]]:
    """Cluster and contribution of each question; None where the outcome is absent."""
    width = len(metric.options[0]) if metric.options else 2
    return {
        (row.sample_id, row.repeat): (
            row.cluster or row.sample_id,
            None if row.absent is not None else metric.of(row) or (0.0,) * width,
        )
        for row in rows_of(metric, stored_rows(store, part, store.scorer_of(part)))
    }


def _row(contribution: tuple[float, ...] | None, width: int) -> tuple[float, ...]:
    return (math.nan,) * width if contribution is None else contribution
