import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from safemark.attacks._success import BANDS
from safemark.reports.document import Document, Threshold
from safemark.reports.html import axis, html, linked, scale, ticks
from safemark.reports.templates import wording
from tests.reports import chromium as browser
from tests.reports.documents import (
    HOSTILE,
    crowded_document,
    full_document,
    grey_document,
    hostile_document,
    interrupted_document,
    metric,
    sample_document,
    unknown_document,
)

DOCUMENTS = {
    "sample": sample_document(),
    "grey": grey_document(),
    "interrupted": interrupted_document(),
    "crowded": crowded_document(),
    "full": full_document(),
    "unknown": unknown_document(),
    "hostile": hostile_document(" ".join(HOSTILE).replace("\ud800", "")),
    "long": hostile_document(HOSTILE[-1]),
}
ALLOWED = set(
    "html head meta link title style body svg defs pattern line symbol circle path use rect text "
    "main section header article footer div p span b em small bdi code pre h1 h2 h3 h4 ul li dl dt "
    "dd table thead tbody tr th td details summary a".split()
)


class Reader(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in {"meta", "link"} and not self.get_starttag_text().endswith("/>"):  # type: ignore[union-attr]
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_page_is_well_formed_and_has_no_tag_or_handler_but_ours(name: str) -> None:
    page = Reader(html(DOCUMENTS[name]))
    assert page.open == []
    assert page.tags <= ALLOWED
    assert not [each for each, _ in page.attributes if each.startswith("on")]
    assert {value.partition(":")[0] for each, value in page.attributes if each == "href"} <= {
        "#light-green", "#light-yellow", "#light-red", "#light-grey", "data", "https",
    }  # fmt: skip
    assert not [each for each, _ in page.attributes if each in {"src", "srcset", "style", "action"}]


@pytest.mark.parametrize("marker", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_of_a_document_acts(marker: str) -> None:
    page = html(hostile_document(marker.replace("\ud800", "")))
    if "<" in marker or '"' in marker:
        assert marker not in page
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff]", page
    )
    assert "12963" not in page


def test_every_text_is_escaped_wherever_it_stands() -> None:
    marker = "<i>\"'&"
    page = html(hostile_document(marker))
    assert "<i>" not in page
    reader = Reader(page)
    assert reader.text.count("<i>") > 50
    assert {name for name, value in reader.attributes if "<i>" in value} <= {
        "aria-label", "title", "content",
    }  # fmt: skip


def test_citations_link_to_https_and_nothing_else() -> None:
    assert 'href="https://arxiv.org/abs/2308.01263"' in linked(
        "see https://arxiv.org/abs/2308.01263."
    )
    assert "<a" not in linked("javascript:alert(1) http://x.example data:text/html,x")
    assert linked('https://x.example/"onclick="alert(1)').count('"') == 4


def test_a_page_needs_no_network_and_no_script() -> None:
    page = html(sample_document())
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page
    assert "<script" not in page
    assert "@import" not in page
    assert "url(" not in page.replace('fill="url(#hatch)"', "")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_not_known_is_never_a_number(name: str) -> None:
    text = Reader(html(DOCUMENTS[name])).text
    assert not re.search(r"\b(nan|inf|None|Undefined)\b", text, re.IGNORECASE)


def test_a_page_says_every_light_in_words() -> None:
    text = Reader(html(sample_document())).text
    for word in ("Green", "Yellow", "Red", "Grey", "Not measured", "Partial data", "Not covered"):
        assert word in text


def test_a_page_shows_value_interval_n_absent_bands_and_who_set_them() -> None:
    text = Reader(html(sample_document())).text
    for words in (
        "+8.2 %",
        "+6.8 to +9.6 %",
        "n 29,241 · absent 5",
        "6 unparsed answer, 2 timeout",
        "green from 50 %, red below 40 %",
        "Set by the guide: red below 40 %, green from 50 %",
        "These bands are ours.",
        "+4 more",
        "data/Age.jsonl",
        "safemark run openai/gpt-4o-mini -b bbq",
    ):
        assert words in text


def test_an_unfinished_run_says_so_at_the_top() -> None:
    top = html(interrupted_document()).partition('id="details"')[0]
    assert "Interrupted: the figures are of what was finished before." in top
    assert "the same command continues" in top


def test_a_document_without_anything_renders() -> None:
    empty = msgspec.structs.replace(grey_document(), dimensions=[], not_covered=[], environment={})
    assert "Nothing was measured." in html(empty)


def test_the_bands_of_a_target_lie_around_it() -> None:
    bias = metric("bias", 0.04, 0.02, 100, better="target", target=0.0, floor=-1.0)
    drawn = scale(bias, Threshold("bias", 0.05, 0.10, "ours"))
    assert drawn is not None
    assert [band.light for band in drawn.bands] == ["red", "yellow", "green", "yellow", "red"]
    assert [band.x for band in drawn.bands] == [0, 25, 37.5, 62.5, 75]
    assert drawn.point == 60
    assert drawn.zero == 50


@pytest.mark.parametrize(
    ("better", "lights"),
    [("higher", ["red", "yellow", "green"]), ("lower", ["green", "yellow", "red"])],
)
def test_bands_of_a_share_fill_the_scale(better: str, lights: list[str]) -> None:
    green, red = (0.6, 0.4) if better == "higher" else (0.4, 0.6)
    drawn = scale(metric("m", 0.5, 0.1, 9, better=better), Threshold("m", green, red, "ours"))
    assert drawn is not None
    assert [band.light for band in drawn.bands] == lights
    assert [(band.x, band.width) for band in drawn.bands] == [(0, 40), (40, 20), (60, 40)]


@pytest.mark.parametrize("better", ["higher", "lower", "target"])
@pytest.mark.parametrize("unit", ["share", "score"])
@pytest.mark.parametrize("value", [0.0, 0.003, 0.42, 0.97, 1.0])
@pytest.mark.parametrize(
    "threshold", [None, Threshold("m", 0.05, 0.15, ""), Threshold("m", 0, 0, "")]
)
def test_a_scale_holds_its_figures(
    better: str, unit: str, value: float, threshold: Threshold | None
) -> None:
    target = 0.5 if better == "target" else None
    one = metric("m", value, 0.1, 20, 2, better=better, unit=unit, target=target)
    on = axis([one], threshold)
    assert on.low <= min(value, one.outer_low or 0) < on.high
    assert on.high >= max(value, one.outer_high or 0)


def test_labels_of_a_scale_do_not_overlap() -> None:
    drawn = scale(metric("m", 0.995, 0.003, 900), Threshold("m", 0.99, 0.985, "ours"))
    assert drawn is not None
    places = [tick.x for tick in drawn.ticks]
    assert places == sorted(places)
    assert all(later - earlier > 5 for earlier, later in pairwise(places))


@pytest.mark.parametrize(("green", "red"), [(0.85, 0.70), (0.80, 0.60), (0.98, 0.90), (0.5, 0.4)])
def test_labels_of_a_narrow_scale_do_not_touch(green: float, red: float) -> None:
    """On 200 px, a character of 6 px: the room that the scale of a group has on a phone."""
    threshold = Threshold("m", green, red, "ours")
    whole = metric("m", 0.5, 0.5, 9)
    ends = []
    for tick in ticks(whole, threshold, axis([whole], threshold)):
        wide = 6 * len(tick.text)
        left = 2 * tick.x - {"start": 0, "middle": wide / 2, "end": wide}[tick.anchor]
        ends += [left, left + wide]
    assert len(ends) >= 4
    assert all(later - earlier >= 3 for earlier, later in list(pairwise(ends))[1::2])


def test_both_cut_points_on_each_side_of_a_target_have_their_label() -> None:
    typical = metric("m", 0.665, 0.08, 212, better="target", target=0.5)
    bands = Threshold("m", 0.05, 0.10, "ours")
    texts = [tick.text for tick in ticks(typical, bands, axis([typical], bands))]
    assert texts == ["20", "40", "45", "50", "55", "60", "80 %"]


def test_the_words_for_who_set_bands() -> None:
    said = [
        wording.who_set(Threshold("m", 0.5, 0.4, source))
        for source in ("ours", "ours: chance is 25 %", "HELM", "guide: red from 15 %", BANDS)
    ]
    assert said == [
        "these bands are ours",
        "these bands are ours: chance is 25 %",
        "set by HELM",
        "set by the guide: red from 15 %",
        BANDS,
    ]


def test_nothing_to_draw_is_no_scale() -> None:
    assert scale(metric("m", None, 0.0, 0), Threshold("m", 0.5, 0.4, "ours")) is None


def test_the_first_page_tells_beside_a_light_the_worst_others_and_how_many_more() -> None:
    page = html(full_document())
    first = Reader(_without_details(page)).text
    assert first.count("Benchmark 1 of very many words") == 6
    assert first.count("and 1 more") == 6
    assert "Benchmark 4 of very many words" not in first


def test_another_measure_of_the_same_benchmark_goes_by_its_own_name() -> None:
    document = full_document()
    first = document.benchmarks[0]
    second = msgspec.structs.replace(first.metrics[0], name="second", label="what else it measures")
    lit = msgspec.structs.replace(first.headlines[0], metric="second")
    part = msgspec.structs.replace(
        first, metrics=[*first.metrics, second], headlines=[*first.headlines, lit]
    )
    page = html(msgspec.structs.replace(document, benchmarks=[part]))
    beside = _without_details(page).partition('<p class="beside">')[2]
    assert "what else it measures" in beside
    assert "very many words" not in beside.partition("</p>")[0]


def _without_details(page: str) -> str:
    return page.partition('<section id="details">')[0] + "</main></body></html>"


def _pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


@pytest.mark.slow
def test_in_a_browser_nothing_is_requested_and_everything_fits(
    chromium: str, tmp_path: Path
) -> None:
    with browser.page(chromium, tmp_path / "profile") as page:
        for name, document in DOCUMENTS.items():
            file = tmp_path / f"{name}.html"
            file.write_text(html(document), encoding="utf-8")
            for width in (390, 1280):
                for scheme in ("light", "dark"):
                    page.open(file, width, scheme=scheme)
                    assert page.requested == [], name
                    assert page.complaints == [], name
                    assert page.ask("document.documentElement.scrollWidth") <= width, name
            assert str(page.ask("document.title")).startswith("Safemark scorecard: "), name
            paper = page.ask("getComputedStyle(document.body).backgroundColor")
            assert paper == "rgb(12, 15, 19)", name  # opened in dark mode last
            file.write_text(_without_details(html(document)), encoding="utf-8")
            page.open(file)
            assert _pages(page.pdf()) == 1, name


_ROWS = """[...document.querySelectorAll('.stacked tbody tr')].filter(r => r.offsetParent)"""
_SHOWN = (
    "[...r.querySelectorAll('td')].every(c => c.offsetWidth > 0 && c.scrollWidth <= c.offsetWidth)"
)
_BROKEN = """(r => {
  const text = r.querySelector('th bdi').firstChild, range = document.createRange();
  return [...text.data.matchAll(/\\S+/g)].some(word => {
    range.setStart(text, word.index); range.setEnd(text, word.index + word[0].length);
    return range.getClientRects().length > 1;
  });
})(r)"""


_NARROWEST = (
    """Math.min(...[...document.querySelectorAll('#scorecard .why')].map(e => e.offsetWidth))"""
)


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 721, 768, 900, 1100])
def test_at_every_width_reasons_have_room_and_are_not_cut(
    chromium: str, tmp_path: Path, width: int
) -> None:
    file = tmp_path / "page.html"
    file.write_text(html(full_document()), encoding="utf-8")
    with browser.page(chromium, tmp_path / "profile") as page:
        page.open(file, width)
        assert page.ask(_NARROWEST) >= 190
        assert page.ask(
            "[...document.querySelectorAll('#scorecard .clamp3')]"
            ".every(e => e.scrollHeight <= e.clientHeight + 1)"
        )


@pytest.mark.slow
def test_on_a_phone_rows_of_groups_show_everything_and_break_no_word(
    chromium: str, tmp_path: Path
) -> None:
    document = sample_document()
    named = [
        msgspec.structs.replace(each, group=each.group and f"harmful_content/{each.group}")
        for each in document.benchmarks[0].metrics
    ]
    part = msgspec.structs.replace(document.benchmarks[0], metrics=named)
    file = tmp_path / "page.html"
    file.write_text(html(msgspec.structs.replace(document, benchmarks=[part])), encoding="utf-8")
    with browser.page(chromium, tmp_path / "profile") as page:
        for width in (390, 1100):
            page.open(file, width)
            assert page.ask(f"{_ROWS}.length") >= 10
            assert page.ask(f"{_ROWS}.every(r => {_SHOWN})"), width
            assert not page.ask(f"{_ROWS}.some(r => {_BROKEN})"), width


@pytest.mark.slow
def test_details_begin_on_a_page_of_their_own(chromium: str, tmp_path: Path) -> None:
    document: Document = sample_document()
    file = tmp_path / "page.html"
    with browser.page(chromium, tmp_path / "profile") as page:
        file.write_text(html(document), encoding="utf-8")
        page.open(file)
        assert _pages(page.pdf()) > 2
