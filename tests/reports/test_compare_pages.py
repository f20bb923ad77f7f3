"""A comparison as a page, in a terminal and in a spreadsheet: it shows, and nothing in it acts."""

import csv
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from safemark.reports.compare import compare
from safemark.reports.compare_csv import cell, differences_csv, moved_csv
from safemark.reports.compare_html import axis, compare_html
from safemark.reports.compare_terminal import compare_terminal
from safemark.reports.comparison import Comparison
from safemark.store import Store
from safemark.types import Reason, Sample, Score
from tests.reports import chromium as browser
from tests.reports.documents import HOSTILE
from tests.reports.runs import crows_run, run_of, xstest_run
from tests.reports.test_html import Reader

YES, NO = "compliance", "refusal"


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Two benchmarks, of which one run lacks one; a headline worse, one not told apart."""
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('pages')}/store.db")
    before = xstest_run(store, "main", [YES] * 20, [NO] * 30 + [YES])
    other = crows_run(store, "crows", [True] * 9)
    after = xstest_run(store, "new", [YES] * 19 + [Reason.TIMEOUT], [YES] * 12 + [NO] * 19)
    found = compare([replace(before, parts=(*before.parts, *other.parts)), after])
    store.close()
    return found


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('boards')}/store.db")
    sides = [
        xstest_run(store, name, [YES] * 9, [NO] * n + [Reason.EMPTY_REPLY] * (12 - n))
        for name, n in (("one", 12), ("two", 4), ("three", 0))
    ]
    found = compare(sides)
    store.close()
    return found


def hostile(comparison: Comparison, marker: str) -> Comparison:
    """The same with ``marker`` in every text that somebody else may have written."""
    kept = {"verdict", "family", "better", "status", "source", "effect_name", "undefined"}

    def poisoned(value: Any, key: str = "") -> Any:
        if key in kept:
            return value
        if isinstance(value, str):
            return marker
        if isinstance(value, list | tuple):
            return [poisoned(each) for each in value]
        if isinstance(value, dict) and key == "differs":
            return {marker: [marker, marker]}
        if isinstance(value, dict):
            return {name: poisoned(each, name) for name, each in value.items()}
        return value

    return msgspec.convert(poisoned(msgspec.to_builtins(comparison)), Comparison)


def test_the_page_says_what_differs_and_how_sure_that_is(comparison: Comparison) -> None:
    page = Reader(compare_html(comparison))
    for words in (
        "fake/main → fake/new",
        "Of 2 headlines: 1 worse, 1 not told apart.",
        "crows_pairs (only main was asked it).",
        "+35.5 points",
        "safemark show new --sample unsafe-0",
        "12 worse, 1 better",
        "absent: timeout",
        "Holm",
    ):
        assert words in page.text, words
    assert not re.search(r"\b(nan|inf|None|Undefined)\b", page.text, re.IGNORECASE)


def test_the_page_needs_no_network_and_no_script(comparison: Comparison) -> None:
    page = compare_html(comparison)
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page
    assert not re.search(r"<script|@import|url\(|<img|<iframe|\bon\w+=", page)


@pytest.mark.parametrize("marker", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_of_a_comparison_acts(
    comparison: Comparison, boards: Comparison, marker: str
) -> None:
    marker = marker.replace("\ud800", "")
    for found in (comparison, boards):
        poisoned = hostile(found, marker)
        page, text = compare_html(poisoned), compare_terminal(poisoned)
        acting = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff]"
        assert not re.search(acting, page + text)
        if "<" in marker or '"' in marker:
            assert marker not in page
        Reader(page)


def test_every_text_is_escaped_wherever_it_stands(
    comparison: Comparison, boards: Comparison
) -> None:
    for found in (comparison, boards):
        page = compare_html(hostile(found, "<i>\"'&"))
        assert "<i>" not in page
        assert Reader(page).text.count("<i>") > 20


def test_an_axis_holds_every_figure_and_lies_evenly_around_none(comparison: Comparison) -> None:
    found = [m.whole for pair in comparison.pairs for p in pair.parts for m in p.metrics]
    on = axis(found)
    ends = [end for each in found for end in (each.outer_low, each.outer_high) if end is not None]
    assert on.low == -on.high
    assert on.low <= min(ends) <= max(ends) <= on.high
    assert axis([]).high > 0


def test_the_terminal_fits_its_width_and_says_the_same(comparison: Comparison) -> None:
    for width in (60, 100):
        text = compare_terminal(comparison, width)
        assert max(map(len, text.splitlines())) <= width
        assert "Of 2 headlines: 1 worse, 1 not told apart." in " ".join(text.split())
        assert "not compared: crows_pairs: only main was asked it" in text
    assert "\x1b[" not in compare_terminal(comparison, 80, False)
    assert "\x1b[" in compare_terminal(comparison, 80, True)


def test_a_board_in_a_terminal_gives_ranks_and_letters(boards: Comparison) -> None:
    text = compare_terminal(boards, 100)
    assert "Runs that share a letter are not told apart." in text
    row = next(line for line in text.splitlines() if "fake/three" in line and "known" in line)
    assert row.split()[0] == "none"


def test_the_tables_hold_every_metric_and_every_listed_sample(comparison: Comparison) -> None:
    rows = list(csv.DictReader(io.StringIO(differences_csv(comparison))))
    (part,) = comparison.pairs[0].parts
    assert len(rows) == sum(1 + len(metric.groups) for metric in part.metrics)
    headline = next(r for r in rows if r["metric"] == "compliance_rate_unsafe" and not r["group"])
    assert (headline["verdict"], headline["headline"], headline["n"]) == ("worse", "yes", "31")
    assert float(headline["difference"]) == pytest.approx(11 / 31)
    moved = list(csv.DictReader(io.StringIO(moved_csv(comparison))))
    assert [row["sample"] for row in moved] == [sample.sample for sample in part.moved]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "|", " =", "%"])
def test_no_cell_is_a_formula(comparison: Comparison, start: str) -> None:
    formula = f'{start}HYPERLINK("http://x.example")'
    poisoned = hostile(comparison, formula)
    for text in (differences_csv(poisoned), moved_csv(poisoned)):
        cells = [each for row in csv.reader(io.StringIO(text)) for each in row]
        assert any("HYPERLINK" in each for each in cells)
        assert all(each.startswith("'") for each in cells if "HYPERLINK" in each)
    assert cell(-1.5) == -1.5


def test_a_lone_surrogate_in_an_id_breaks_no_rendering() -> None:
    store = Store("odd.db")
    sides = [
        run_of(store, name, "xstest", [
            (Sample("p\ud800\u202e", category="c", facets={"label": "unsafe"}), Score({"verdict": v}))
        ])
        for name, v in (("a", YES), ("b", NO))
    ]  # fmt: skip
    found = compare(sides)
    for text in (compare_html(found), compare_terminal(found), moved_csv(found)):
        assert "\u202e" not in text
        text.encode()
    store.close()


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_browser_shows_it_whole_and_asks_nobody(
    comparison: Comparison,
    boards: Comparison,
    chromium: str,
    tmp_path: Path,
    width: int,
    scheme: str,
) -> None:
    with browser.page(chromium, tmp_path / "profile") as page:
        for name, found in (("two", comparison), ("boards", boards)):
            file = tmp_path / f"{name}.html"
            file.write_text(compare_html(found), encoding="utf-8")
            page.open(file, width=width, scheme=scheme)
            assert page.requested == []
            assert page.complaints == []
            assert page.ask("document.documentElement.scrollWidth") <= width
            points = page.ask("document.querySelectorAll('.headline-row circle').length")
            assert points >= 2


def test_hostile_markers_reach_the_page() -> None:
    """The poisoning itself works: else the tests above could not fail."""
    store = Store("poison.db")
    sides = [xstest_run(store, name, unsafe=[v]) for name, v in (("a", YES), ("b", NO))]
    assert compare_html(hostile(compare(sides), "MARKER")).count("MARKER") > 20
    store.close()
