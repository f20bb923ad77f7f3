"""Metrics read by kind of record are what they are record by record."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from safemark.benchmarks._benchmark import Metric, share
from safemark.benchmarks.bbq import benchmark as bbq
from safemark.reports.metrics import Records, concerning, estimated, measured, told
from safemark.reports.not_asked import NotAsked
from safemark.stats import estimate, ratio
from safemark.store import Entry, Outcomes, PartBody, RunBody, Store, StoredRun
from safemark.types import Attempt, Message, Reason, Reply, Row, Sample, Scalar, Score, Transcript


def rows(n: int, seed: int) -> list[Row]:
    """BBQ-like rows: some absent, some without a target, several to a cluster."""
    draw = random.Random(seed)
    found = []
    for i in range(n):
        absent = draw.choice([None] * 9 + [Reason.TIMEOUT, Reason.BLOCKED])
        condition = draw.choice(["ambiguous", "disambiguated"])
        biased = draw.choice([0, 1, None])
        answer = draw.choice(["biased", "unbiased", "unknown"])
        facets = {
            "condition": condition,
            "biased": biased,
            "aligned": None if condition == "ambiguous" else draw.random() < 0.5,
        }
        outcomes: dict[str, Scalar] = {"answer": answer, "correct": draw.random() < 0.6}
        category = draw.choice(["Age", "Religion", None])
        cluster = draw.choice([None, *(f"template {k}" for k in range(n // 8))])
        found.append(
            Row(f"s-{i // 2}", i % 2, category, cluster, facets, {} if absent else outcomes, absent)
        )
    return found


def stored(given: list[Row], folder: Path) -> Outcomes:
    """The rows as a store gives them back, in columns."""
    store = Store(str(folder / "store.db"))
    run = StoredRun("r", "k", "running", "", "2026-01-01", None, "m", "i", RunBody("0", {}))
    store.add_run(run)
    part = store.ensure_part("r", "b", "1", "reply", "direct", PartBody({}, "own", "1"))
    scorer_id = store.ensure_scorer("own", "1")
    sent = (Message("user", "q"),)
    entries = []
    for place, row in enumerate(given):
        sample = Sample(
            row.sample_id,
            sent,
            category=row.category,
            cluster=row.cluster,
            facets=row.facets,
        )
        said = Transcript((Attempt(sent, Reply("a")),))
        score = Score(row.outcomes, row.absent)
        entries.append(Entry(part.id, place, bytes(16), sample, row.repeat, said, scorer_id, score))
    store.append(entries)
    found = store.outcomes(part, scorer_id)
    store.close()
    return found


def by_rows(metric: Metric, given: list[Row], missing: dict[str, int]) -> Any:
    """The estimate worked out row by row."""
    scored, clusters, absent = [], [], []
    for row in given:
        if not metric.where(row):
            continue
        cluster = row.cluster or row.sample_id
        if row.absent is not None:
            absent.append(cluster)
        elif (contribution := metric.of(row)) is not None:
            scored.append(contribution)
            clusters.append(cluster)
    absent += [f"missing/{category}/{i}" for category, n in missing.items() for i in range(n)]
    return estimate(
        np.array(scored, dtype=float) if scored else np.zeros((0, len(metric.options[0]))),
        clusters,
        absent_options=metric.options,
        absent_clusters=absent,
        statistic=metric.statistic or ratio,
        range=metric.range,
        better=metric.better,
        target=metric.target,
    )


@pytest.mark.parametrize("missing", [{}, {"Age": 3}])
@pytest.mark.parametrize("metric", bbq.metrics, ids=lambda metric: metric.name)
def test_by_kind_is_the_same_as_row_by_row(
    metric: Metric, missing: dict[str, int], tmp_path: Path
) -> None:
    given = rows(160, seed=7)
    records = Records.of(stored(given, tmp_path))
    assert len(records.rows) < len(given), "kinds are fewer than records"
    found = estimated(metric, records, concerning(metric, records), missing)
    assert found == by_rows(metric, given, missing)


def test_groups_hold_their_own_rows(tmp_path: Path) -> None:
    given = rows(160, seed=3)
    metrics, whole = measured(
        bbq, Records.of(stored(given, tmp_path)), "letters", NotAsked({"Age": 2})
    )
    (metric,) = (m for m in bbq.metrics if m.name == "accuracy_ambiguous")
    for group, missing in (("Age", {"Age": 2}), ("Religion", {})):
        shown = next(m for m in metrics if (m.name, m.group) == (metric.name, group))
        expected = by_rows(metric, [row for row in given if row.category == group], missing)
        assert (shown.value, shown.n, shown.absent) == (expected.value, expected.n, expected.absent)
        assert (shown.outer_low, shown.outer_high) == (expected.outer_low, expected.outer_high)
    assert {m.group for m in metrics} == {None, "Age", "Religion"}, "no group for no category"
    assert whole["accuracy_ambiguous"][1] == by_rows(metric, given, {"Age": 2})


def test_of_no_records_nothing_is_known() -> None:
    nothing = Records((), np.zeros(0, np.intp), np.zeros(0, np.intp))
    assert measured(bbq, nothing, "letters") == ([], {})
    metrics, _ = measured(bbq, nothing, "letters", NotAsked({"Age": 4}))
    assert metrics
    assert all((m.value, m.n, m.absent) == (None, 0, 4) for m in metrics if m.group is None)


def test_absences_and_what_was_not_asked_are_counted_by_record(tmp_path: Path) -> None:
    given = rows(160, seed=5)
    records = Records.of(stored(given, tmp_path))
    timeouts = sum(row.absent is Reason.TIMEOUT for row in given)
    assert records.absences()[Reason.TIMEOUT] == timeouts > 0
    of_age = sum(row.category == "Age" for row in given)
    none = sum(row.category is None for row in given)
    planned = {"Age": of_age + 5, "": none, "Other": 2}
    assert records.not_asked(planned) == {"Age": 5, "Other": 2}


def test_a_scorers_words_are_few_and_names_are_plain() -> None:
    outcomes: list[dict[str, Scalar]] = [
        {"mood": f"Très {i}", "is fine": True, "size": 3} for i in range(40)
    ]
    one_each = np.arange(40)
    kinds = tuple(Row("", 0, None, None, {}, outcome, None) for outcome in outcomes)
    found = told((), Records(kinds, one_each, one_each))
    assert found[0].name == "is_fine_rate"
    assert len(found) == 1 + 12
    assert found[1].name == "mood_tr_s_0_rate"
    declared = (Metric("own", "lower", share("mood")),)
    assert told(declared, Records(kinds, one_each, one_each)) == declared


def test_what_an_absent_record_says_is_no_outcome() -> None:
    kind = Row("", 0, None, None, {}, {"verdict": "blocked"}, Reason.BLOCKED)
    assert told((), Records((kind,), np.zeros(1, np.intp), np.zeros(1, np.intp))) == ()
