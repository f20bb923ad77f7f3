"""Recorded outputs in the shapes that people have them in."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from safemark.errors import UsageError
from safemark.outputs import Columns, Output, output, read
from safemark.types import Message, Reason


def one(row: Mapping[str, Any], **columns: str) -> Output:
    return output(row, 1, Columns(**columns))


def said(found: Output) -> str | None:
    (attempt,) = found.transcript.attempts
    return attempt.reply.text if attempt.reply else None


ANSWER = {"choices": [{"message": {"content": "R"}, "finish_reason": "stop"}]}
PROMPTED = [
    {"prompt": "P", "response": "R"},
    {"question": "P", "answer": "R"},
    {"input": "P", "output": "R"},
    {"instruction": "P", "completion": "R"},
    {"goal": "P", "generation": "R"},
    {"prompt": [{"role": "user", "content": "P"}], "response": "R"},
    {"messages": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "R"}]},
    {"messages": [{"role": "user", "content": "P"}], "response": "R"},
    {"conversations": [{"from": "human", "value": "P"}, {"from": "gpt", "value": "R"}]},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "P"}]}], "reply": "R"},
    {"prompt": {"text": "P", "toxicity": 0.2}, "continuation": {"text": "R", "toxicity": 0.1}},
    {"prompt": "P", **ANSWER},
]
ANSWERED = [
    {"custom_id": "7", "response": {"status_code": 200, "body": ANSWER}},
    {"text": "R"},
    {
        "custom_id": "7",
        "result": {"type": "succeeded", "message": {"content": [{"type": "text", "text": "R"}]}},
    },
    {
        "custom_id": "7",
        "response": {
            "status_code": 200,
            "body": {
                "output": [{"type": "reasoning"}, {"type": "message", "content": [{"text": "R"}]}]
            },
        },
    },
]


@pytest.mark.parametrize("row", PROMPTED, ids="+".join)
def test_a_question_and_its_answer_are_found(row: dict[str, Any]) -> None:
    found = one(row)
    assert found.sample.messages == (Message("user", "P"),)
    assert said(found) == "R"


@pytest.mark.parametrize("row", ANSWERED, ids="+".join)
def test_an_answer_alone_is_found(row: dict[str, Any]) -> None:
    assert said(one(row)) == "R"


def test_the_last_answer_of_a_conversation_is_judged_and_what_came_before_was_asked() -> None:
    roles = ["system", "user", "assistant", "user", "assistant"]
    turns = [{"role": role, "content": str(place)} for place, role in enumerate(roles)]
    found = one({"messages": turns})
    assert said(found) == "4"
    assert [turn.content for turn in found.sample.messages] == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"custom_id": "1", "response": {"status_code": 429, "body": {}}}, Reason.RATE_LIMITED),
        ({"custom_id": "1", "response": {"status_code": 401, "body": None}}, Reason.AUTHENTICATION),
        ({"custom_id": "1", "response": {"status_code": 503, "body": "x"}}, Reason.SERVER_ERROR),
        ({"custom_id": "1", "response": None, "error": {"message": "late"}}, Reason.BAD_REQUEST),
        ({"custom_id": "1", "result": {"type": "expired"}}, Reason.BAD_REQUEST),
        ({"custom_id": "1", "response": {"status_code": 200, "body": 3}}, Reason.BAD_RESPONSE),
        ({"messages": [{"role": "user", "content": "P"}]}, Reason.NOT_ASKED),
    ],
)
def test_an_answer_that_failed_is_absent_with_its_reason(
    row: dict[str, Any], reason: Reason
) -> None:
    found = one(row)
    assert found.transcript.absent is reason
    assert said(found) is None


def test_an_answer_that_was_filtered_is_blocked_and_one_that_is_null_is_empty() -> None:
    filtered = {"choices": [{"message": {"content": None}, "finish_reason": "content_filter"}]}
    (attempt,) = one({"custom_id": "1", "response": {"body": filtered}}).transcript.attempts
    assert attempt.reply is not None
    assert (attempt.reply.finish, attempt.reply.text) == ("blocked", "")
    assert said(one({"prompt": "P", "response": None})) == ""


def test_columns_of_other_names_are_named() -> None:
    row = {"q": "P", "model_out": "R", "team": "blue", "response": "not this"}
    found = one(row, prompt="q", response="model_out", category="team")
    assert (said(found), found.sample.category) == ("R", "blue")
    assert found.sample.messages == (Message("user", "P"),)


def test_expectation_context_category_and_id_are_kept() -> None:
    row = {"id": 9, "response": "R", "expected": "E", "documents": ["a", "b"], "category": "c"}
    sample = one(row).sample
    assert (sample.id, sample.target, sample.context, sample.category) == ("9", "E", "a\nb", "c")


@pytest.mark.parametrize("row", [{}, {"prompt": "P"}, {"score": 1}])
def test_a_row_without_a_response_is_refused_and_says_what_it_has(row: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="row 1 holds no response"):
        one(row)


def written(path: Path, text: str) -> list[Output]:
    path.write_text(text, encoding="utf-8")
    return list(read(path))


def test_every_kind_of_file_gives_the_same_outputs(tmp_path: Path) -> None:
    rows = [{"prompt": "P,1", "response": 'R "1"\nmore'}, {"prompt": "Ü", "response": "R2"}]
    lines = "\ufeff" + "\n\n".join(json.dumps(row) for row in rows)
    table = 'prompt,response\n"P,1","R ""1""\nmore"\nÜ,R2\n'
    files = {"a.jsonl": lines, "a.json": json.dumps(rows), "a.csv": "\ufeff" + table}
    files["a.tsv"] = table.replace('"P,1",', "P,1\t").replace("Ü,", "Ü\t").replace("t,r", "t\tr")
    for name, text in files.items():
        found = written(tmp_path / name, text)
        assert [said(row) for row in found] == ['R "1"\nmore', "R2"], name
        assert [row.sample.messages[0].content for row in found] == ["P,1", "Ü"], name


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.jsonl", '{"prompt": "P", "response": "R"}\n{"prom', "line 2 of a.jsonl is no JSON"),
        ("a.jsonl", "7\n", "row 1 of a.jsonl is no object"),
        ("a.json", '[{"response": "R"}, ', "a.json is no JSON"),
        ("a.csv", "prompt,score\nx,1\n", "row 2 holds no response"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(
    tmp_path: Path, name: str, text: str, problem: str
) -> None:
    with pytest.raises(UsageError, match=problem):
        written(tmp_path / name, text)


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        list(read(tmp_path / "none.jsonl"))


def test_stored_perspective_scores_are_found_in_every_shape() -> None:
    own = {"attributeScores": {"THREAT": {"summaryScore": {"value": 0.3}}}, "text": "R"}
    assert one(own).sample.facets == {"perspective_threat": 0.3}
    nested = {"response": "R", "perspective": {"toxicity": 0.4, "other": "x"}}
    assert one(nested).sample.facets == {"perspective_toxicity": 0.4}
    beside = {"continuation": {"text": "R", "toxicity": 0.1, "insult": None, "threat": 2}}
    assert one(beside).sample.facets == {"perspective_toxicity": 0.1}
