"""WildBench: conversations, checklists, and the weighted score of task groups."""

from pathlib import Path

import numpy as np
import pytest

from safemark.benchmarks import wildbench
from safemark.data import jsonl_rows
from safemark.errors import DataError
from safemark.judging import Judges
from safemark.plan import Request, plan
from safemark.types import Message, Row, Sample
from tests.benchmarks.measuring import metric, value
from tests.scorers.judging import Words, answered

FILE = Path(__file__).parents[1] / "fixtures" / "wildbench" / wildbench.TASKS


@pytest.fixture
def tasks() -> list[Sample]:
    return list(wildbench.samples({wildbench.TASKS: FILE}))


def scored(tasks: list[Sample], *scores: int) -> list[Row]:
    return [
        Row(task.id, 0, task.category, None, task.facets, {"score": score}, None)
        for task, score in zip(tasks, scores, strict=False)
    ]


def test_a_conversation_is_asked_as_it_was_held(tasks: list[Sample]) -> None:
    assert tasks[1].messages == (
        Message("user", "What is 2 + 2?"),
        Message("assistant", "4"),
        Message("user", "And times three, with a plan?"),
    )
    assert tasks[0].facets["checklist"] == "- Is it a poem?\n- Is it red?"


def test_a_task_counts_once_in_each_group_of_its_tags(tasks: list[Sample]) -> None:
    assert [one.facets["groups"] for one in tasks] == [
        "Creative Tasks",  # both of its tags are of this group
        "Planning & Reasoning|Math & Data Analysis",
        "Coding & Debugging",
    ]


def test_the_score_is_the_publishers_weighted_mean(tasks: list[Sample]) -> None:
    rows = scored(tasks, 8, 6, 3)
    # creative (8-5)2 = 6; planning and mathematics (6-5)2 = 2; coding (3-5)2 = -4
    expected = (0.5 * 6 + 1.25 * 2 + 1.0 * 2 + 1.25 * -4) / (0.5 + 1.25 + 1.0 + 1.25)
    assert value(metric(wildbench.benchmark, "wb_score"), rows) == pytest.approx(expected)
    assert value(metric(wildbench.benchmark, "mean_score"), rows) == pytest.approx(17 / 3)
    assert value(metric(wildbench.benchmark, "mean_score_math_and_data_analysis"), rows) == 6.0
    assert value(metric(wildbench.benchmark, "mean_score_information_advice_seeking"), rows) is None


def test_best_and_worst_are_the_ends_of_the_range(tasks: list[Sample]) -> None:
    found = metric(wildbench.benchmark, "wb_score")
    for score, end in ((10, found.range[1]), (1, found.range[0])):
        assert value(found, scored(tasks, score, score, score)) == pytest.approx(end)


def test_no_task_has_no_score_and_many_sums_are_scored_at_once() -> None:
    both = np.array([[0.0] * 10, [10.0, 0, 0, 0, 0, 2, 0, 0, 0, 0]])
    found = wildbench.wb_score(both)
    assert np.isnan(found[0])
    assert found[1] == 0.0


async def test_a_judges_score_becomes_the_outcome(tasks: list[Sample]) -> None:
    way = wildbench.benchmark.way("reply")
    assert way is not None
    words = Words('{"strengths": "a", "weaknesses": "b", "score": "8"}')
    ready = Judges((words,)).ready(way.scorer)
    found = await ready.score(tasks[1], answered("Twelve."))  # type: ignore[misc]
    assert found.outcomes["score"] == 8
    text = words.asked[0][1].content
    assert "USER: What is 2 + 2?\n\nASSISTANT: 4" in text
    assert "- Is it 12?" in text
    assert text.count("And times three, with a plan?") == 1, "the query is no part of the history"


@pytest.mark.parametrize(
    "row",
    [
        {"conversation_input": [], "primary_tag": "Math"},
        {"conversation_input": [{"role": "assistant", "content": "x"}], "primary_tag": "Math"},
        {"conversation_input": [{"role": "user", "content": "x"}], "primary_tag": "Cooking"},
    ],
)
def test_a_row_of_another_shape_is_said(row: dict[str, object]) -> None:
    with pytest.raises(DataError, match="WildBench, row 7"):
        wildbench.sample(7, row)


def test_the_publishers_form_is_read_with_the_same_tasks_as_json_lines(
    tmp_path: Path, tasks: list[Sample]
) -> None:
    arrow = pytest.importorskip("pyarrow", reason="reads Parquet")
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "test-00000-of-00001.parquet"
    rows = list(jsonl_rows(FILE))
    parquet.write_table(arrow.Table.from_pylist(rows), file, row_group_size=2)
    assert file.read_bytes()[:4] == b"PAR1"
    read = list(wildbench.samples({wildbench.TASKS: file}))
    assert read == tasks
    assert len(read) == 3
    assert all(isinstance(turn, Message) for task in read for turn in task.messages)


def test_a_parquet_file_that_is_cut_off_is_named(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow.parquet", reason="reads Parquet")
    file = tmp_path / "tasks.parquet"
    file.write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match=r"tasks\.parquet"):
        list(wildbench.samples({wildbench.TASKS: file}))


def test_parquet_without_its_reader_leaves_the_set_out_of_a_suite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    from safemark.models.fake import Fake

    file = tmp_path / "wildbench" / wildbench.TASKS
    file.parent.mkdir(parents=True)
    file.write_bytes(b"PAR1 and more")
    monkeypatch.setenv("SAFEMARK_DATA", str(tmp_path))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    judges = Judges((Fake(name="fake/judge"),))
    request = Request(suite="usefulness", judge=("fake/judge",))
    found = plan(request, Fake(), offline=True, judges=judges)
    why = dict(found.not_covered)["wildbench"]
    assert "in Parquet" in why
    assert "pip install pyarrow" in why
