import csv
import io
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from safemark.cli._moment import moment
from safemark.errors import UnknownName, UsageError
from safemark.reports.trend import notice_for, trend
from safemark.reports.trend_document import Point, Series, Trend
from safemark.reports.trend_html import chart, trend_html
from safemark.reports.trend_text import trend_csv, trend_terminal
from safemark.store import Store
from tests.histories import TRUTH, add_run, day
from tests.reports.documents import HOSTILE
from tests.reports.test_html import ALLOWED, Reader


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(str(tmp_path / "store.db"))
    yield opened
    opened.close()


def only(found: Trend) -> Series:
    (series,) = found.series
    return series


def fallen(store: Store, **more: object) -> list[str]:
    """Five runs at 90 %, then five at 60 %; the second five differ in ``more``."""
    before = [add_run(store, day(i), 0.9) for i in range(5)]
    return before + [add_run(store, day(i), 0.6, **more) for i in range(5, 10)]  # type: ignore[arg-type]


def test_each_run_is_a_point_with_its_value_and_interval(store: Store) -> None:
    runs = [add_run(store, day(0), 0.8), add_run(store, day(1), 0.7)]
    series = only(trend(store))
    assert [point.run for point in series.points] == runs
    assert [point.estimate.value for point in series.points] == [0.8, 0.7]
    # Wilson's interval of 80 of 100, from a table
    assert series.points[0].estimate.low == pytest.approx(0.7111, abs=1e-4)
    assert series.points[0].estimate.high == pytest.approx(0.8666, abs=1e-4)


def test_a_fall_is_found_at_its_run_with_its_size(store: Store) -> None:
    runs = fallen(store)
    (found,) = only(trend(store)).change_points
    assert found.run == runs[5]
    assert [found.before, found.after] == pytest.approx([0.9, 0.6])
    assert found.low < -0.3 < found.high < 0
    assert (found.runs_before, found.runs_after, found.is_worse) == (5, 5, True)
    assert found.p < 0.01
    assert found.meanwhile == ()


def test_two_runs_are_enough_for_a_great_fall(store: Store) -> None:
    add_run(store, day(0), 0.9)
    fell = add_run(store, day(1), 0.2)
    assert [one.run for one in only(trend(store)).change_points] == [fell]


def test_chance_alone_is_seldom_flagged(store: Store) -> None:
    draw = random.Random(5)
    for model in range(10):
        for i in range(8):
            add_run(store, day(i), 0.97, model=f"model {model}", seed=draw.randrange(10**9))
    found = trend(store)
    assert sum(series.stretches_tested for series in found.series) == 10
    assert sum(len(series.change_points) for series in found.series) == 0


def test_what_is_tested_besides_raises_p(store: Store) -> None:
    add_run(store, day(0), 0.85)
    add_run(store, day(1), 0.68)
    alone = only(trend(store, "openai/tested")).change_points
    assert len(alone) == 1
    for model in range(40):
        add_run(store, day(0), 0.85, model=f"model {model}")
        add_run(store, day(1), 0.85, model=f"model {model}")
    assert not any(series.change_points for series in trend(store).series)


@pytest.mark.parametrize(
    ("more", "what", "before", "after"),
    [
        ({"identity": "identity 2"}, "model identity", "identity 1", "identity 2"),
        ({"system": "Be kind."}, "system prompt", "none", "Be kind."),
        ({"scorer_version": "99"}, "scorer", "audit 1", "audit 99"),
        ({"judge": "openai/judge"}, "judge", "none", "openai/judge"),
        ({"partial": "6 of 11 files"}, "data", "whole", "6 of 11 files"),
        ({"selection": "50 of 100, drawn"}, "samples", "all", "50 of 100, drawn"),
        ({"selection": "the first 100 of 200"}, "samples", "all", "the first 100 of 200"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_changed_is_noted_and_breaks_the_line_where_figures_do_not_compare(
    store: Store, more: dict[str, str], what: str, before: str, after: str
) -> None:
    fallen(store, **more)
    series = only(trend(store))
    noted = [change for point in series.points for change in point.changes]
    assert [(change.what, change.after) for change in noted] == [(what, after)]
    assert noted[0].before.startswith(before.split(maxsplit=1)[0])
    breaks = what in {"scorer", "judge", "data"} or "first" in after
    assert noted[0].breaks is breaks
    assert series.points[-1].stretch == int(breaks)
    # no change of level is claimed across a break; else it stands beside what changed meanwhile
    assert [[one.what for one in found.meanwhile] for found in series.change_points] == (
        [] if breaks else [[what]]
    )


def test_another_fingerprint_is_noted_and_asks_for_a_new_evaluation(store: Store) -> None:
    add_run(store, day(0), served=[("gpt-x-2026-01", "fp_1")])
    add_run(store, day(1))  # replies that tell nothing are no change
    last = add_run(store, day(2), served=[("gpt-x-2026-01", "fp_2")])
    found = trend(store)
    (notice,) = found.notices
    assert "fingerprint in replies changed from fp_1 (2026-01-01) to fp_2 (2026-01-03)" in notice
    assert "evaluate again" in notice
    assert notice_for(store, store.run(last)) == notice
    assert notice_for(store, store.run(found.series[0].points[0].run)) is None


def test_the_same_names_are_no_notice(store: Store) -> None:
    for i in range(2):
        add_run(store, day(i), served=[("gpt-x", "fp_1"), ("gpt-x", "fp_2")])
    found = trend(store)
    assert found.notices == ()
    assert not any(point.changes for point in only(found).points)


def test_a_run_without_outcomes_is_a_gap_and_no_zero(store: Store) -> None:
    for i in range(3):
        add_run(store, day(i), 0.8, absent=1.0 if i == 1 else 0.0)
    series = only(trend(store))
    assert [point.estimate.value for point in series.points] == [0.8, None, 0.8]
    assert series.points[1].light == "grey"
    assert series.change_points == ()
    drawn = chart(series)
    assert drawn is not None
    assert (len(drawn.marks), len(drawn.gaps)) == (2, 1)
    assert "·" in trend_terminal(trend(store))


def test_nothing_measured_at_all_says_so(store: Store) -> None:
    add_run(store, day(0), absent=1.0)
    found = trend(store)
    assert chart(only(found)) is None
    assert "not measured" in trend_terminal(found)
    assert "Nothing was measured in 1 run" in Reader(trend_html(found)).text
    assert "nan" not in trend_csv(found).lower()


def test_one_run_is_too_few_to_look_for_a_change(store: Store) -> None:
    add_run(store, day(0))
    found = trend(store)
    assert only(found).stretches_tested == 0
    assert "Too few comparable runs" in trend_terminal(found)


def test_an_empty_store_says_how_to_fill_it(store: Store) -> None:
    with pytest.raises(UsageError, match="no run yet"):
        trend(store)


def test_an_unknown_model_is_named_with_its_likeliest_meaning(store: Store) -> None:
    add_run(store, day(0))
    with pytest.raises(UnknownName) as caught:
        trend(store, "openai/testd")
    assert caught.value.hint == "did you mean `openai/tested`?"


def test_an_unknown_benchmark_is_refused(store: Store) -> None:
    add_run(store, day(0))
    with pytest.raises(UnknownName, match="audit15"):
        trend(store, benchmark="audit15")


def test_a_time_without_runs_says_when_there_were_some(store: Store) -> None:
    add_run(store, day(0))
    with pytest.raises(UsageError, match="from 2026-01-01 to 2026-01-01"):
        trend(store, since="2027-01-01T00:00:00Z")


def test_since_and_until_choose_runs(store: Store) -> None:
    for i in range(4):
        add_run(store, day(i))
    found = trend(store, since=day(1), until=day(3))
    assert [point.started for point in only(found).points] == [day(1), day(2)]


def test_a_run_that_still_goes_on_is_left_out(store: Store) -> None:
    add_run(store, day(0))
    add_run(store, day(1), status="running")
    found = trend(store)
    assert len(only(found).points) == 1
    assert found.left_out[0].why.startswith("it is still running")


def test_a_benchmark_that_is_gone_is_left_out_with_the_reason(store: Store) -> None:
    add_run(store, day(0), version="0.0-gone")
    found = trend(store)
    assert found.series == ()
    assert "0.0-gone" in found.left_out[0].why
    assert "0.0-gone" in Reader(trend_html(found)).text


def test_models_have_series_of_their_own(store: Store) -> None:
    add_run(store, day(0), 0.9, model="a")
    add_run(store, day(1), 0.5, model="b")
    found = trend(store)
    assert [series.model for series in found.series] == ["a", "b"]
    assert not any(series.change_points for series in found.series)
    assert [series.model for series in trend(store, "b").series] == ["b"]


def test_months_show_their_last_run_and_their_range(store: Store) -> None:
    for i, passed in ((0, 0.8), (10, 0.7), (20, 0.75), (40, 0.9)):
        add_run(store, day(i), passed)
    january, february = only(trend(store)).months
    assert (january.month, january.runs, january.lowest, january.highest) == (
        "2026-01",
        3,
        0.7,
        0.8,
    )
    assert isinstance(january.last, Point)
    assert january.last.estimate.value == 0.75
    assert (february.month, february.runs) == ("2026-02", 1)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("30d", "2026-07-16T10:00:00Z"),
        ("2w", "2026-08-01T10:00:00Z"),
        ("6mo", "2026-02-15T10:00:00Z"),
        ("1y", "2025-08-15T10:00:00Z"),
        ("2026-03-01", "2026-03-01T00:00:00Z"),
        ("2026-03-01T02:00:00+02:00", "2026-03-01T00:00:00Z"),
    ],
)
def test_times_are_read(given: str, expected: str) -> None:
    assert moment(given, datetime(2026, 8, 15, 10, tzinfo=UTC)) == expected


@pytest.mark.parametrize("given", ["", "6", "six months", "2026-13-01", "99999y", "-3d"])
def test_what_is_no_time_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="is no time"):
        moment(given)


def test_the_page_is_well_formed_and_has_nothing_but_our_tags(store: Store) -> None:
    fallen(store, system="Be kind.", served=[("gpt-x", "fp_2")])
    read = Reader(trend_html(trend(store)))
    assert read.open == []
    assert read.tags <= ALLOWED | {"title"}
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    assert "−30.0 points" in read.text
    assert "from 6 January 2026, 12:00 UTC on: 90.0 % over 5 runs, then 60.0 % over 5" in read.text
    assert "system prompt: none → Be kind." in read.text


def test_hostile_text_acts_nowhere(store: Store) -> None:
    text = " ".join(HOSTILE).replace("\ud800", "")
    add_run(store, day(0), model=text)
    add_run(store, day(1), model=text, system=text, served=[(text[:200], text[:200])])
    found = trend(store)
    read = Reader(trend_html(found))
    assert read.open == []
    assert read.tags <= ALLOWED | {"title"}
    shown = trend_terminal(found) + trend_csv(found)
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_a_spreadsheet_finds_no_formula(store: Store) -> None:
    add_run(store, day(0), model="=cmd()")
    (_, row) = csv.reader(io.StringIO(trend_csv(trend(store))))
    assert row[0] == "'=cmd()"


def test_the_csv_has_a_line_for_each_point(store: Store) -> None:
    runs = fallen(store)
    lines = list(csv.DictReader(io.StringIO(trend_csv(trend(store)))))
    assert [line["run"] for line in lines] == runs
    assert [line["change_of_level"] for line in lines] == [
        "yes" if r == runs[5] else "" for r in runs
    ]
    assert float(lines[0]["value"]) == 0.9
    assert int(lines[0]["n"]) == len(TRUTH)


def test_the_sparkline_falls_and_breaks_with_the_line(store: Store) -> None:
    add_run(store, day(0), 0.9)
    add_run(store, day(1), 0.5)
    add_run(store, day(2), 0.5, judge="another")
    assert "█▁|▁" in trend_terminal(trend(store))
