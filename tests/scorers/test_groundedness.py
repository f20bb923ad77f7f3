"""Whether a reply's sentences are borne out by the context: what is found, and what cannot be."""

from pathlib import Path

import pytest

from safemark import registry
from safemark.scorers._support import content, sentences, supported
from safemark.types import Attempt, Message, Reason, Reply, Sample, Score, Transcript
from tests.scorers import groundedness_accuracy

CONTEXT = (
    "The Eiffel Tower was built in 1889 by Gustave Eiffel's company. It stands in Paris and is"
    " 330 metres tall. Around six million people visit it each year."
)


def judged(text: str, context: str | None = CONTEXT, asked: str = "") -> Score:
    sample = Sample("1", (Message("user", asked),) if asked else (), context=context)
    scorer = registry.scorer("groundedness")
    score = scorer.score(sample, Transcript((Attempt((), Reply(text)),)))
    assert isinstance(score, Score)
    return score


@pytest.mark.parametrize(
    ("text", "is_grounded"),
    [
        ("The Eiffel Tower was built in 1889.", True),
        ("It is 330 metres tall.", True),
        ("Six million people visit each year!", True),
        ("The Eiffel Tower was built in 1899.", False),
        ("It is 330 metres tall and painted brown.", False),
        ("The Eiffel Tower was built in 1889. It is made of wrought iron.", False),
        ("Yes.", None),
    ],
)
def test_what_was_added_is_found(text: str, is_grounded: bool | None) -> None:
    score = judged(text)
    assert score.outcomes.get("is_grounded") is is_grounded
    assert (score.absent is Reason.CANNOT_SAY) is (is_grounded is None)


def test_words_from_far_apart_do_not_add_up_to_a_sentence() -> None:
    assert judged("Six million people built Paris in 1889.").outcomes["is_grounded"] is False


def test_sentences_are_counted_and_the_least_supported_is_named() -> None:
    score = judged("It stands in Paris. Napoleon ordered 77 cannons there.")
    assert score.outcomes == {
        "is_grounded": False,
        "supported": 0.5,
        "sentences": 2,
        "unsupported": 1,
    }
    assert "Napoleon" in score.why
    assert "new: 77" in score.why


def test_a_denial_in_the_same_words_passes_as_the_documentation_says() -> None:
    assert judged("The Eiffel Tower was not built in 1889.").outcomes["is_grounded"] is True


def test_without_a_context_of_its_own_what_was_asked_is_the_context() -> None:
    found = judged("It is 330 metres tall.", None, f"{CONTEXT}\nHow tall is it?")
    assert found.outcomes["is_grounded"] is True
    assert judged("It is 330 metres tall.", None).absent is Reason.UNSUPPORTED


def test_endings_and_thousands_separators_do_not_matter() -> None:
    assert content("visited 1,200 towers") == content("visits 1200 tower")


def test_empty_and_hostile_texts_are_read_in_no_time() -> None:
    assert sentences("") == []
    assert supported("", CONTEXT) == []
    for text in ("a. " * 60_000, "1," * 90_000, ".\n" * 90_000, "x" * 190_000):
        supported(text[:20_000], text)  # the suite's time-out is the assertion


def test_the_documented_accuracy_is_the_measured_one(data: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "scorers.md").read_text(encoding="utf-8")
    assert groundedness_accuracy.line(data) in page
