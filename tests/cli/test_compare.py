"""`safemark compare`, `gate` and `runs name`: what they print, write and leave with."""

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.commands import safemark

FIRST = ("-b", "audit150", "--first", "60")


def run(model: str, *more: str) -> str:
    """The id of a fresh run."""
    found: str = safemark("run", model, *(more or FIRST), "--new", "--json").json["run"]
    return found


@pytest.fixture
def two() -> tuple[str, str]:
    """Runs of a model that refuses and of one that complies."""
    return run("fake/refuse"), run("fake/comply")


def test_compare_prints_a_table_or_json_or_csv(two: tuple[str, str]) -> None:
    text = safemark("compare", *two)
    assert (text.code, text.err) == (0, "")
    assert "before  fake/refuse" in text.out
    found = safemark("compare", *two, "--json")
    assert found.json["schema"] == 1
    assert [each["run"] for each in found.json["runs"]] == list(two)
    rows = list(csv.DictReader(io.StringIO(safemark("compare", *two, "-f", "csv").out)))
    assert {row["run_after"] for row in rows} == {two[1]}
    moved = safemark("compare", *two, "-f", "moved", "--moved", "3").out.splitlines()
    assert len(moved) == 1 + 3


def test_compare_writes_a_page_and_files(two: tuple[str, str]) -> None:
    assert safemark("compare", *two, "-f", "html").code == 0
    assert "<!DOCTYPE html>" in Path("compare.html").read_text()
    assert safemark("compare", *two, "--json", "-o", "c.json").out == ""
    assert json.loads(Path("c.json").read_text())["schema"] == 1
    assert safemark("compare", *two, "-f", "csv", "-o", "no/such/folder.csv").code == 4
    assert "did you mean `csv`?" in safemark("compare", *two, "-f", "csvs").err


def test_compare_takes_models_names_and_files(two: tuple[str, str]) -> None:
    safemark("runs", "name", two[0], "main")
    safemark("runs", "export", two[1], "-o", "comply.json")
    for runs in (("fake/refuse", "fake/comply"), ("main", "comply.json"), two):
        found = safemark("compare", *runs, "--json").json
        assert [each["run"] for each in found["runs"]] == list(two)
    board = safemark("compare", "main", "comply.json", "fake/refuse", "--json").json["boards"]
    assert len(board) >= 1


def test_what_is_not_comparable_says_why_and_what_to_do(two: tuple[str, str]) -> None:
    alone = safemark("compare", two[0])
    assert (alone.code, alone.err) == (
        2,
        "error: a comparison needs two runs\n\nhint: `safemark list runs` shows what is stored\n",
    )
    other = run("fake/refuse", "-b", "probes", "--first", "5")
    strangers = safemark("compare", two[0], other)
    assert strangers.code == 3
    assert "not comparable because" in strangers.err
    missing = safemark("compare", two[0], "no-such-run")
    assert missing.code == 2
    assert "no run called `no-such-run`" in missing.err
    assert safemark("compare", two[0], "no-such-run", "--json").json["exit_code"] == 2


def test_gate_leaves_with_its_answer(two: tuple[str, str]) -> None:
    good, bad = two
    assert safemark("gate", good, "--baseline", good, "--fail-on", "regression").code == 0
    failed = safemark("gate", bad, "--baseline", good, "--fail-on", "regression")
    assert failed.code == 1
    assert failed.out.rstrip().endswith("FAILED: something is shown to be worse, or red")
    assert safemark("gate", bad).code == 1
    assert safemark("gate", good, "--require", "bbq", "--fail-on", "regression").code == 3
    found = safemark("gate", bad, "--baseline", good, "--json")
    assert (found.json["exit_code"], found.json["outcome"]) == (1, "failed")


def test_an_undecided_gate_warns_and_under_strict_leaves_with_3() -> None:
    before, after = run("fake/refuse", "-b", "audit150", "--first", "3"), run("fake/refuse", "-b", "audit150", "--first", "3")  # fmt: skip
    done = safemark("gate", after, "--baseline", before, "--fail-on", "regression")
    assert done.code == 0
    assert "warning: undecided" in done.err
    strict = safemark("gate", after, "--baseline", before, "--fail-on", "regression", "--strict")
    assert strict.code == 3


def test_rules_stand_in_a_file_and_flags_win(two: tuple[str, str]) -> None:
    good, bad = two
    Path("gate.yaml").write_text(
        f"baseline: {good}\nfail_on: [regression]\nmargin: 5\nsmall-regressions: pass\n"
    )
    assert safemark("gate", bad, "--config", "gate.yaml").code == 1
    found = safemark("gate", good, "--config", "gate.yaml", "--margin", "3", "--json").json
    assert (found["rules"]["margin"], found["rules"]["fail-on"]) == (3.0, ["regression"])
    Path("all.yaml").write_text(
        f"model: fake/comply\ngate:\n  baseline: {good}\n  fail-on: red, regression\n"
    )
    assert safemark("gate", bad, "--config", "all.yaml", "--json").json["baseline"]["run"] == good


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("margn: 2", "did you mean `margin`?"),
        ("margin: much", "margin"),
        ("margin: -1", "below 0"),
        ("fail-on: [everything]", "everything"),
        ("- 1", "no mapping"),
        ("a: [", "is not YAML"),
    ],
)
def test_a_rule_that_is_wrong_is_refused(text: str, said: str) -> None:
    Path("gate.yaml").write_text(text)
    done = safemark("gate", "--config", "gate.yaml")
    assert done.code == 2
    assert said in done.err
    assert "no reason to fail called `blue`" in safemark("gate", "--fail-on", "blue").err


def test_a_gate_writes_what_a_ci_system_reads(
    two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "step.md")
    Path("step.md").write_text("before\n")
    good, bad = two
    done = safemark(
        "gate", bad, "--baseline", good, "--junit", "j.xml", "--summary", "s.md", "--html", "c.html"
    )
    assert done.code == 1
    suite = ET.fromstring(Path("j.xml").read_text()).find("testsuite")
    assert suite is not None
    assert int(suite.attrib["failures"]) >= 1
    assert "::error title=Safemark%3A failed" in done.err
    assert "::error" not in done.out
    assert Path("step.md").read_text().startswith("before\n### ❌ Safemark gate: failed")
    assert "### ❌" in Path("s.md").read_text()
    assert "<!DOCTYPE html>" in Path("c.html").read_text()


def test_what_a_gate_cannot_write_is_told_by_its_own_flag(two: tuple[str, str]) -> None:
    good, _ = two
    alone = safemark("gate", good, "--html", "c.html")
    assert "c.html is not written: without a baseline" in alone.err
    assert not Path("c.html").exists()
    for flag in ("--junit", "--summary"):
        done = safemark("gate", good, flag, ".")
        assert done.code == 4
        assert done.err.endswith(f"hint: name another file with {flag}\n")


def test_a_baseline_is_written_first_and_then_only_by_what_passes(two: tuple[str, str]) -> None:
    good, bad = two
    both = ("--baseline", "base.json", "--write-baseline", "base.json", "--fail-on", "regression")
    first = safemark("gate", good, *both)
    assert first.code == 0
    assert "no baseline at base.json yet" in first.err
    kept = Path("base.json").read_bytes()
    failed = safemark("gate", bad, *both)
    assert failed.code == 1
    assert "base.json is left as it is" in failed.err
    assert Path("base.json").read_bytes() == kept


def test_a_baseline_of_another_format_is_not_comparable(two: tuple[str, str]) -> None:
    Path("base.json").write_text('{"safemark_baseline": 99, "safemark": "7.0"}')
    done = safemark("gate", two[0], "--baseline", "base.json")
    assert done.code == 2
    assert "error: not comparable because base.json is a baseline of format 99" in done.err


def test_names_are_given_listed_and_taken_away(two: tuple[str, str]) -> None:
    assert "no run has a name yet" in safemark("runs", "name").err
    assert safemark("runs", "name", two[0], "main", "--json").json == {"main": two[0]}
    assert safemark("runs", "name").out.splitlines()[1].split() == ["main", two[0]]
    assert safemark("show", "main", "--json").json["document"]["run"] == two[0]
    assert safemark("runs", "name", "--remove", "main", "--json").json == {}
    assert "no name of a run called `main`" in safemark("runs", "name", "--remove", "main").err
    for name in ("last", "20261120-x", "a b", "-x", ""):
        assert safemark("runs", "name", "--", two[0], name).code == 2
    assert "two words" in safemark("runs", "name", two[0]).err
