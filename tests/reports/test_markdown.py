import re
from collections.abc import Iterator

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from safemark.reports.document import Document
from safemark.reports.markdown import code, escaped, fenced, markdown
from tests.reports.documents import (
    HOSTILE,
    grey_document,
    hostile_document,
    interrupted_document,
    sample_document,
    unknown_document,
)


def _tokens(text: str) -> Iterator[Token]:
    for token in (
        MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    ):
        yield token
        yield from token.children or ()


def _shape(document: Document) -> list[tuple[str, str]]:
    """What a renderer would build, without the words."""
    return [
        (token.type, token.tag)
        for token in _tokens(markdown(document))
        if token.type not in {"text", "softbreak", "text_special", "code_inline"}
    ]


@pytest.mark.parametrize("marker", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_of_a_document_changes_the_shape_of_the_report(marker: str) -> None:
    text = marker.replace("\ud800", "")
    linked = {"link_open", "link_close"}
    plain = [each for each in _shape(hostile_document("harmless")) if each[0] not in linked]
    found = [each for each in _shape(hostile_document(text)) if each[0] not in linked]
    assert found == plain


@pytest.mark.parametrize("marker", HOSTILE, ids=range(len(HOSTILE)))
def test_a_report_holds_no_tag_but_ours_and_no_mention(marker: str) -> None:
    text = markdown(hostile_document(marker.replace("\ud800", "")))
    blocks = [token.content for token in _tokens(text) if token.type.startswith("html")]
    tags = set(re.findall(r"</?[a-z]+", "".join(blocks)))
    assert tags <= {"<details", "</details", "<summary", "</summary"}
    without_citations = re.sub(r"<https://[^>]*>", "", text)
    prose = " ".join(each.content for each in _tokens(without_citations) if each.type == "text")
    assert not re.search(r"@team|#1|:/|www\.|@evil", prose + "".join(blocks))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def test_links_are_only_those_of_citations() -> None:
    links = {
        str(token.attrs["href"])
        for token in _tokens(markdown(sample_document()))
        if token.type == "link_open"
    }
    assert links == {
        "https://aclanthology.org/2022.findings-acl.165",
        "https://aclanthology.org/2020.emnlp-main.154",
        "https://arxiv.org/abs/2109.07958",
        "https://arxiv.org/abs/2308.01263",
    }


@pytest.mark.parametrize(
    "text",
    ["# a", "- a", "+ a", "1. a", "1) a", "---", "===", "> a", "```", "| a |", "~~~", "    a"],
)
def test_a_line_that_would_start_a_block_is_a_paragraph(text: str) -> None:
    kinds = [token.type for token in _tokens(escaped(text))]
    assert kinds[:2] == ["paragraph_open", "inline"]


def test_figures_are_left_readable() -> None:
    assert escaped("+8.2 %") == "+8.2 %"
    assert escaped("87.0 to 100.0 %") == "87.0 to 100.0 %"


@pytest.mark.parametrize("text", ["a", "a`b", "``", "`", "a``b`c"])
def test_code_shows_its_text(text: str) -> None:
    (found,) = [token.content for token in _tokens(code(text)) if token.type == "code_inline"]
    assert found == text
    (block,) = [token.content for token in _tokens(fenced(text)) if token.type == "fence"]
    assert block == text + "\n"


@pytest.mark.parametrize(
    "document", [sample_document(), grey_document(), interrupted_document(), unknown_document()]
)
def test_what_is_not_known_is_never_a_number(document: Document) -> None:
    assert not re.search(r"\b(nan|inf|None)\b", markdown(document), re.IGNORECASE)


def test_a_report_says_lights_bands_absence_and_what_is_not_covered() -> None:
    text = markdown(sample_document())
    for words in (
        "🟡 yellow",
        "🔴 red",
        "🟢 green",
        "⚪ grey",
        "not measured",
        "+6.8 to +9.6 %",
        "green from 50 %, red below 40 %",
        "6 unparsed answer, 2 timeout",
        "### Not covered",
        "safemark run openai/gpt-4o-mini -b bbq",
    ):
        assert words in text


def test_counts_of_a_whole_benchmark_are_said_to_be_of_all_and_bands_to_be_whose() -> None:
    shown = markdown(sample_document())
    assert "In all 58,484 scored, 8 absent (6 unparsed answer, 2 timeout)." in shown
    assert "; these bands are ours." in shown
    assert "; set by the guide: red below 40 %, green from 50 %." in shown
