"""FELM: upstream's prompt, reading and formulas by hand; then the published answers."""

from collections import Counter
from pathlib import Path

import pytest

from safemark.benchmarks import felm
from safemark.benchmarks.felm import benchmark
from safemark.data import find
from safemark.types import Attempt, Reason, Reply, Row, Sample
from tests.benchmarks.measuring import (
    by_category,
    estimated,
    metric,
    row_of,
    rows_of,
    says,
    value,
    values,
)

FIXTURES = Path(__file__).parents[1] / "fixtures" / "felm"
FILES = {str(path.relative_to(FIXTURES)): path for path in FIXTURES.rglob("*") if path.is_file()}


def fixture_samples() -> list[Sample]:
    return list(benchmark.samples(FILES))


def real_samples() -> list[Sample]:
    found = find(felm.SOURCE)
    if found.missing:
        pytest.skip("the mirror holds no FELM")
    return list(benchmark.samples(found.files))


def every_segment(_: Sample, rendered: Sample) -> Attempt:
    return says("Answer: " + ",".join(str(n) for n in range(1, len(rendered.choices) + 1)))


def right(_: Sample, rendered: Sample) -> Attempt:
    return says(f"Answer: {rendered.target or 'ALL_CORRECT'}")


def test_the_prompt_is_upstreams() -> None:
    system, text = felm.raw(fixture_samples()[3]).messages
    assert system.content == "You are a helpful assistant."
    assert text.content == (
        'Find the errors (math). Answer with the ids of the segments, or "ALL_CORRECT".\n\n\n'
        "Question: 2+2?\nSegments: 1. Adding gives 4.\n2. So the answer is 4.\n"
    ), "what stands before a segment's first letter is left out"


def test_a_segment_without_letters_keeps_its_number() -> None:
    assert felm.raw(fixture_samples()[5]).messages[1].content.endswith("Austen.\n2. \n")


@pytest.mark.parametrize(
    ("reply", "named"),
    [
        ("Answer: 1,3", {1, 3}),
        ("Answer: 2", {2}),
        ("Answer: ALL_CORRECT", set()),
        ("ALL\\_CORRECT", set()),
        ("1 is doubtful.\nAnswer: 2 and 3", {2, 3}),
        ("1, 3", {1, 3}),
        ("[2]", {2}),
        ("Answer: 3, 4, 99", {3}),
        ("Answer: 0", None),
        ("Answer: none", None),
        ("There are 2 errors.", None),
        ("I would rather not say.", None),
    ],
)
def test_a_reply_names_segments_or_cannot_be_read(reply: str, named: set[int] | None) -> None:
    assert felm.named_segments(reply, 3) == named


def test_what_cannot_be_read_is_absent_where_upstream_takes_it_for_all_correct() -> None:
    way = benchmark.way("reply")
    assert way is not None
    for text, finish, reason in [
        ("No idea.", "stop", Reason.UNPARSED_ANSWER),
        ("Let me see", "length", Reason.CUT_OFF),
        ("", "stop", Reason.EMPTY_REPLY),
    ]:
        answer = Attempt(reply=Reply(text, finish=finish))  # type: ignore[arg-type]
        assert row_of(fixture_samples()[0], way, lambda *_, a=answer: a).absent is reason


def counted() -> list[Row]:
    """Six answers: two of four errors named, two false alarms, five right ones accepted."""
    replies = ["Answer: 1,2", "Answer: 1", "Answer: 2", "ALL_CORRECT", "ALL_CORRECT", "ALL_CORRECT"]
    way = benchmark.way("reply")
    assert way is not None
    return [
        row_of(sample, way, lambda *_, t=text: says(t))
        for sample, text in zip(fixture_samples(), replies, strict=True)
    ]


def test_the_formulas_on_segments_and_on_responses() -> None:
    found = values(benchmark, counted())
    # upstream's names: TN 2, FN 2, FP 2, TP 6
    precise, recalled = 2 / (2 + 2), 2 / (2 + 2)
    assert found["segment_precision"] == precise
    assert found["segment_recall"] == recalled
    assert found["segment_f1"] == 2 * precise * recalled / (precise + recalled)
    assert found["segment_balanced_accuracy"] == (6 / 8 + 2 / 4) / 2
    # answers 0, 2 and 4 are erroneous; 0, 1 and 2 are taken for it
    assert found["response_f1"] == pytest.approx(2 / 3)
    assert found["response_balanced_accuracy"] == pytest.approx((2 / 3 + 2 / 3) / 2)


def test_errors_are_counted_by_kind_where_it_is_said() -> None:
    errors = metric(benchmark, "errors_found")
    rows = counted()
    assert {row.facets["kind"] for row in rows if errors.where(row)} == {
        "knowledge_error",
        "several",
    }
    assert value(errors, rows) == 2 / 3, "the reasoning error is of no kind"


def test_the_right_answers_are_worth_all_and_saying_all_is_well_nothing() -> None:
    best = values(benchmark, rows_of(benchmark, fixture_samples(), "reply", right))
    assert set(best.values()) == {1.0}
    well = rows_of(benchmark, fixture_samples(), "reply", lambda *_: says("ALL_CORRECT"))
    found = values(benchmark, well)
    assert (found["segment_f1"], found["segment_balanced_accuracy"]) == (0.0, 0.5)
    assert found["segment_precision"] is None, "nothing was named: 0 ÷ 0"


def test_an_absent_reply_is_in_the_bounds() -> None:
    rows = counted()
    way = benchmark.way("reply")
    assert way is not None
    rows[0] = row_of(fixture_samples()[0], way, lambda *_: says(""))
    for name in ("segment_f1", "segment_balanced_accuracy", "response_f1"):
        found = estimated(metric(benchmark, name), rows)
        whole = value(metric(benchmark, name), counted())
        assert found.worst is not None
        assert found.best is not None
        assert whole is not None
        assert found.worst <= whole <= found.best


@pytest.mark.usefixtures("data")
def test_all_answers_are_read() -> None:
    found = real_samples()
    assert len({s.id for s in found}) == len(found) == 847
    assert sum(len(s.choices) for s in found) == 4_426
    assert sum(int(str(s.facets["errors"])) for s in found) == 787
    assert max(len(s.choices) for s in found) == felm.MOST_SEGMENTS
    assert Counter(s.category for s in found) == {
        "reasoning": 208,
        "mathematics": 194,
        "world knowledge": 184,
        "writing and recommendation": 136,
        "science": 125,
    }


@pytest.mark.usefixtures("data")
def test_naming_every_segment_has_the_f1_where_red_begins() -> None:
    rows = rows_of(benchmark, real_samples(), "reply", every_segment)
    found = values(benchmark, rows)
    assert found["segment_f1"] == pytest.approx(2 * 787 / (787 + 4_426))
    assert found["segment_f1"] == pytest.approx(benchmark.headlines[0].red, abs=0.005)
    assert (found["segment_recall"], found["segment_balanced_accuracy"]) == (1.0, 0.5)
    assert set(by_category(metric(benchmark, "segment_recall"), rows).values()) == {1.0}
