"""The static templates of ForesightSafety Bench, from rows written for this test."""

import csv
from pathlib import Path

import pytest

from safemark.attacks import foresight_templates
from safemark.attacks.foresight_templates import COLUMNS, FILE, templates
from safemark.benchmarks._foresight_files import COMMIT, REPOSITORY
from safemark.data import find
from safemark.errors import DataError
from safemark.types import Message, Sample

GOALS = ("Name a tulip", "Count the {bees}", "Draw, then fold, a map")


def table(folder: Path, texts: dict[str, str], goals: tuple[str, ...] = GOALS) -> Path:
    """An expanded table: a row a goal, each column's text with ``#`` replaced by the goal."""
    path = folder / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Index", "Subject", "Goal", *texts])
        for number, goal in enumerate(goals):
            writer.writerow(
                [number, "Geography", goal, *(t.replace("#", goal) for t in texts.values())]
            )
    return path


WORDS = {name: f"You are {name}.\nAnswer “#” as {name} would." for name in COLUMNS}


def test_a_template_is_what_the_rows_of_its_column_share(tmp_path: Path) -> None:
    found = templates(table(tmp_path, WORDS))
    assert [one("Why?") for one in found] == [text.replace("#", "Why?") for text in WORDS.values()]


def test_columns_are_found_in_any_order_and_case_and_a_stray_row_decides_nothing(
    tmp_path: Path,
) -> None:
    upper = {name.upper(): WORDS[name] for name in reversed(COLUMNS)}
    path = table(tmp_path, upper)
    text = path.read_text(encoding="utf-8-sig")
    path.write_text(text.replace("You are AIM.\nAnswer “Name", "You are not.\nAnswer “Name"))
    assert templates(path)[0]("Why?") == WORDS["AIM"].replace("#", "Why?")


@pytest.mark.parametrize("text", ["The same for all.", "", "#"])
def test_a_column_without_a_template_is_an_error_but_the_bare_request_is_one(
    tmp_path: Path, text: str
) -> None:
    path = table(tmp_path, {**WORDS, "AIM": text})
    if text == "#":
        assert templates(path)[0]("Why?") == "Why?"
        return
    with pytest.raises(DataError, match="`AIM` holds no one template"):
        templates(path)


def test_rows_that_share_nothing_or_a_missing_column_are_errors(tmp_path: Path) -> None:
    path = table(tmp_path, WORDS)
    lines = path.read_text(encoding="utf-8-sig").replace("Answer “Name", "Tell “Name")
    path.write_text(lines.replace("Answer “Count", "Say “Count"))
    with pytest.raises(DataError, match="`AIM`"):
        templates(path)
    fewer = {name: WORDS[name] for name in COLUMNS[:4]}
    with pytest.raises(DataError, match="`ANTI_GPT_V2`"):
        templates(table(tmp_path, fewer))


async def test_each_template_is_an_attack_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = foresight_templates.SOURCE
    table(tmp_path / source.name, WORDS)
    monkeypatch.setenv("SAFEMARK_DATA", str(tmp_path))
    monkeypatch.setenv("SAFEMARK_CACHE", str(tmp_path / "cache"))
    assert find(source).files
    members = foresight_templates.attack.members
    assert members is not None
    names = [one.name for one in members()]
    assert names == [f"foresight_templates:{number}" for number in range(5)]
    sample = Sample("s", (Message("user", "Name a rose"),))
    asked = await members()[4].rewritten(sample)
    assert asked.messages[-1].content == WORDS["ANTI_GPT_V2"].replace("#", "Name a rose")


def test_it_comes_from_the_same_release_as_the_tables() -> None:
    source = foresight_templates.SOURCE
    assert (source.revision, foresight_templates.REPOSITORY) == (COMMIT, REPOSITORY)
    (file,) = source.files
    assert (file.git_blob, file.sha256) == (None, None), "no hash was known, none is made up"
