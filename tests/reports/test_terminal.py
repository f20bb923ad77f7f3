import re

import msgspec
import pytest
from rich.cells import cell_len

from safemark.reports.document import Document, FurtherDocument, JudgeDocument
from safemark.reports.terminal import terminal
from tests.reports.documents import (
    HOSTILE,
    full_document,
    grey_document,
    hostile_document,
    interrupted_document,
    sample_document,
    unknown_document,
)

DOCUMENTS = [sample_document(), grey_document(), interrupted_document(), unknown_document()]


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize(
    "document", [*DOCUMENTS, *(hostile_document(m.replace("\ud800", "")) for m in HOSTILE)]
)
def test_no_line_is_wider_than_the_terminal(document: Document, width: int) -> None:
    for line in terminal(document, width, False).splitlines():
        assert cell_len(line) <= width


@pytest.mark.parametrize("marker", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("color", [True, False])
def test_no_text_of_a_document_moves_the_cursor_or_colours(marker: str, color: bool) -> None:
    shown = terminal(hostile_document(marker.replace("\ud800", "")), 100, color)
    ours = re.sub(r"\x1b\[[0-9;]*m", "", shown) if color else shown
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", ours)
    assert "\x1b[31mred" not in shown


def test_markup_and_emoji_codes_are_shown_as_they_are() -> None:
    shown = terminal(hostile_document("[red]x[/red] :boom:"), 80, False)
    assert "[red]x[/red] :boom:" in shown


def test_lights_are_words_and_colour_adds_nothing() -> None:
    plain = terminal(sample_document(), 80, False)
    for words in ("● green", "▲ yellow", "■ red", "○ grey", "not measured", "partial"):
        assert words in plain
    assert "\x1b" not in plain
    coloured = terminal(sample_document(), 80, True)
    assert "\x1b[1;31m■ red" in coloured
    assert re.sub(r" +\n", "\n", re.sub(r"\x1b\[[0-9;]*m", "", coloured)) == plain


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in terminal(sample_document())


@pytest.mark.parametrize("columns", [50, 60, 80])
def test_n_and_absent_stand_beside_every_figure_however_narrow(columns: int) -> None:
    document = sample_document()
    shown = terminal(document, columns, False)
    for each in document.dimensions:
        if (metric := each.headline) is not None:
            assert f"n {metric.n:,}  absent {metric.absent:,}\n" in shown


def test_a_row_of_the_table_has_the_n_and_absent_of_the_metric_it_shows() -> None:
    document = sample_document()
    first = document.benchmarks[0]
    own = [
        msgspec.structs.replace(each, n=1234, absent=2) if each.name == first.headline else each
        for each in first.metrics
    ]
    part = msgspec.structs.replace(first, metrics=own, n=58_000, absent=35, light="grey")
    document = msgspec.structs.replace(document, benchmarks=[part])
    lines = terminal(document, 120, False).splitlines()
    (row,) = (line for line in lines if re.match(r"○ grey +bbq ", line))
    assert row.split()[-2:] == ["1,234", "2"]
    (why,) = (line for line in lines if line.startswith("  bbq: "))
    assert "; of all 58,035: 6 unparsed answer, 2 timeout" in why


def test_a_row_without_a_metric_has_those_of_all_its_samples() -> None:
    document = sample_document()
    part = msgspec.structs.replace(document.benchmarks[0], headline="", headlines=[])
    shown = terminal(msgspec.structs.replace(document, benchmarks=[part]), 120, False)
    (row,) = (line for line in shown.splitlines() if re.search(r"[a-z] +bbq  ", line))
    assert row.split()[-2:] == ["58,484", "8"]


def test_a_typical_run_fits_a_screen_and_ends_with_the_way_to_the_page() -> None:
    lines = terminal(sample_document(), 80, False, "scorecard.html").splitlines()
    assert 25 <= len(lines) <= 35
    assert lines[-1] == "Full report: open scorecard.html"
    assert any(line == "Not covered" for line in lines)


def test_a_long_list_ends_with_how_many_more_and_goes_on_under_its_beginning() -> None:
    document = full_document()
    further = [
        FurtherDocument(name, 250, 0, {}, document.benchmarks[0].metrics[:1])
        for name in ("toxicity 1", "pii 1")
    ]
    parts = [
        msgspec.structs.replace(each, further=further, judge=JudgeDocument("not checked"))
        for each in (*document.benchmarks, *document.benchmarks[:1])
    ]
    parts[-1] = msgspec.structs.replace(parts[-1], name="benchmark_of_a_long_name")
    lines = terminal(msgspec.structs.replace(document, benchmarks=parts), 80, False).splitlines()

    begin = lines.index("Also scored, no lights taken") + 1
    assert all(" by " in line for line in lines[begin : begin + 6])
    assert lines[begin + 6] == "  and 6 more in the full report"
    judges = lines.index("Judges") + 1
    told = lines[judges : lines.index("", judges)]
    assert len(told) == 2
    assert all(line.startswith("  ") for line in told)
    assert "benchmark_4 and 1 more; `safemark judge check` does" in " ".join(told)
    assert not any("…" in line for line in lines[lines.index("Not covered") :])


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_is_not_known_is_never_a_number(document: Document) -> None:
    assert not re.search(r"\b(nan|inf|None)\b", terminal(document, 80, False), re.IGNORECASE)


def test_an_unfinished_run_says_so() -> None:
    assert "Interrupted: the figures are of what was finished before." in terminal(
        interrupted_document(), 80, False
    )


def test_a_failed_run_without_answers_has_no_figures() -> None:
    some = msgspec.structs.replace(sample_document(), status="failed")

    assert "Failed: nothing was scored, so there are no figures." in terminal(
        grey_document(), 100, False
    )
    assert "Failed: the figures are of what was stored before." in terminal(some, 100, False)
