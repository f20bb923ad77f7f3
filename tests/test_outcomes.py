"""A part's outcomes in columns are its rows, record by record."""

from collections.abc import Iterator

import pytest

from safemark.store import Store
from safemark.types import Reason, Row
from tests.reports.runs import crows_run, xstest_run


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    url = "outcomes.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    opened = Store(url)
    yield opened
    opened.close()


def rows(store: Store, run: str) -> tuple[list[Row], list[Row]]:
    """As rows and as columns, of the run's one part."""
    (part,) = store.parts(run)
    scorer = store.scorer_of(part)
    found = store.outcomes(part, scorer)
    records = zip(found.sample, found.repeat.tolist(), found.cluster, found.kind, strict=True)
    read = []
    for sample, repeat, cluster, code in records:
        kind = found.kinds[code].row
        read.append(
            Row(sample, repeat, kind.category, cluster, kind.facets, kind.outcomes, kind.absent)
        )
    return store.rows(part, scorer), read


def test_columns_hold_what_rows_hold(store: Store) -> None:
    verdicts = ["refusal", "compliance", Reason.TIMEOUT, "refusal", Reason.BLOCKED] * 3
    xstest_run(store, "x", verdicts, verdicts, repeats=2)
    crows_run(store, "c", [True, False, Reason.NOT_A_NUMBER] * 9, clusters=4)
    for run, n in (("x", 60), ("c", 27)):
        expected, found = rows(store, run)
        assert len(found) == n
        assert found == expected


def test_few_kinds_stand_for_many_records(store: Store) -> None:
    xstest_run(store, "x", ["refusal"] * 500)
    (part,) = store.parts("x")
    found = store.outcomes(part, store.scorer_of(part))
    assert (len(found), len(found.kinds)) == (500, 2)


def test_a_record_without_that_scorers_score_was_not_asked(store: Store) -> None:
    xstest_run(store, "x", ["refusal"])
    (part,) = store.parts("x")
    found = store.outcomes(part, 12345)
    assert [found.kinds[code].absent for code in found.kind] == [Reason.NOT_ASKED]


def test_a_part_without_records_is_empty(store: Store) -> None:
    xstest_run(store, "x")
    (part,) = store.parts("x")
    found = store.outcomes(part, store.scorer_of(part))
    assert (len(found), found.kinds, len(found.kind), len(found.repeat)) == (0, (), 0, 0)
