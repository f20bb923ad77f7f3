"""What is wrong is said in one sentence with a hint, on stderr, with the exit code of its kind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.commands import PROGRAM, apart, safemark

WHOLE = "`--limit` takes a whole number, 1 or more, "


@pytest.mark.parametrize(
    ("arguments", "problem", "hint"),
    [
        (["run", "fake", "-b", "xtest"], "no benchmark called `xtest`", "did you mean `xstest`?"),
        (
            ["run", "fake", "-b", "truthfulqa@v7"],
            "no version of truthfulqa called `v7`",
            "did you mean `v1`?",
        ),
        (
            ["run", "fake", "-b", "bbq:leters"],
            "no way of asking bbq called `leters`",
            "did you mean `letters`?",
        ),
        (["run", "fake", "-s", "quik"], "no suite called `quik`", "did you mean `quick`?"),
        (["run", "opnai/gpt"], "no model provider called `opnai`", "did you mean `openai`?"),
        (
            ["run", "gpt-4o"],
            "`gpt-4o` does not say whose model it is",
            "openai/gpt-4o; `safemark list models`",
        ),
        (["run", "mistral"], "`mistral` names no model", "for example `mistral/NAME`"),
        (["run", "frodo"], "`frodo` does not say whose model it is", "PROVIDER/MODEL"),
        (["run", "refrence"], "no model called `refrence`", "did you mean `reference`?"),
        (["run", "Qwen/Qwen3-4B"], "no model provider called `Qwen`", "`hf/Qwen/Qwen3-4B`"),
        (["run", "openai"], "`openai` names no model", "for example `openai/NAME`"),
        (["run", "openai/"], "`openai/` names no model", "for example `openai/NAME`"),
        (["run", "fake/refues"], "no scripted model called `refues`", "did you mean `refuse`?"),
        (["run", "fake", "--limt", "3"], "no option called `--limt`", "did you mean `--limit`?"),
        (["rum", "fake"], "no command called `rum`", "did you mean `run`?"),
        (["data", "pul"], "no command called `pul`", "did you mean `pull`?"),
        (["data", "pull", "bqq"], "no benchmark called `bqq`", "did you mean `bbq`?"),
        (["data", "path", "audit150"], "`audit150` needs no download", "safemark run -b audit150"),
        (["list", "benchmark"], "no listing called `benchmark`", "did you mean `benchmarks`?"),
        (["report", "last", "-f", "htm"], "no report format called `htm`", "did you mean `html`?"),
        (["show", "last"], "the store holds no run yet", "`safemark run` makes one"),
        (["report", "2099"], "no run called `2099`", "there is no run at all"),
        (["runs", "rm", "2099", "--yes"], "no run called `2099`", "there is no run at all"),
        (["run", "fake", "--limit", "0"], WHOLE + "not `0`", "safemark run --help"),
        (["run", "fake", "--limit", "x"], WHOLE + "not `x`", "safemark run --help"),
        (["run", "fake", "--seed", "1.5"], "`--seed` takes a whole number, not `1.5`", "--help"),
        (["run", "fake", "--rpm", "0"], "`--rpm` takes a number, 0.1 or more, not `0`", "--help"),
        (["plan", "--rate", "x"], "`--rate` takes a number, not `x`", "safemark plan --help"),
        (["run", ""], "`MODEL` is given an empty name", "is a variable unset"),
        (["run", "fake", "-b", ""], "`-b` is given an empty name", "is a variable unset"),
        (["run", "fake", "-b", "audit150,"], "`-b` is given an empty name", "a comma too many"),
        (["run", "fake", "-s", ""], "`-s` is given an empty name", "is a variable unset"),
        (["run", "fake", "-s", "quick,"], "`-s` is given an empty name", "a comma too many"),
        (["run", "fake", "--attack", " "], "`--attack` is given an empty name", "variable"),
        (["run", "fake", "--also", "pii,,toxicity"], "`--also` is given an empty name", "comma"),
        (["run", "fake", "--judge", ""], "`--judge` is given an empty name", "variable"),
        (["run", "fake", "--attacker", ""], "`--attacker` is given an empty name", "variable"),
        (["gap", "--remove", "ablation,,prefill"], "`--remove` is given an empty name", "comma"),
        (["gap", "--on", "audit150,"], "`--on` is given an empty name", "comma"),
        (["gap", "--curve", "5,,10"], "`--curve` is given an empty name", "comma"),
        (["gap", "--curve", "5,0"], "--curve 5,0 is no list of numbers above 0", "5,10,25"),
        (["gap", "-f", "xml"], "no report format called `xml`", "csv, json, text"),
        (["run", "fake", "--temperature", "inf"], "`--temperature` takes a number, not `inf`", "-"),
        (["gate", "--margin", "inf"], "`--margin` takes a number, not `inf`", "gate --help"),
        (["run", "fake", "--system", "@"], "`--system @` names no file", "--system @prompt.txt"),
        (
            ["run", "fake", "--questions", "helth"],
            "no file or set of questions called `helth`",
            "did you mean `health`?",
        ),
        (
            ["compare", "./none.csv", "last"],
            "there is no baseline file ./none.csv, and no run or model of that name",
            "safemark runs export RUN -o FILE",
        ),
        (["report"], "`RUN` is missing", "safemark report --help"),
        (["list"], "`WHAT` is missing", "safemark list --help"),
        (["doctor", "x", "y"], "`x y` is more than the command takes", "safemark doctor --help"),
        (["run", "--limit"], "`--limit` is given no value", "--help"),
        (["run", "--dry-run=yes"], "`--dry-run` takes no value", "--help"),
        (["data", "pull", "bbq", ""], "`BENCHMARK` is given an empty name", "variable"),
        (["compare", "", "last"], "`RUN` is given an empty name", "variable"),
        (["show", "last", "-b", ""], "`-b` is given an empty name", "variable"),
        (["rejudge", "last", "--judge", ""], "`--judge` is given an empty name", "variable"),
        (
            ["run", "fake", "--limit", "2", "--first", "2"],
            "`--limit` and `--first` exclude each other",
            "give one of them",
        ),
        (["run", "fake", "-b", "bbq", "-s", "all"], "`-b` and `--suite` exclude", "give one"),
        (["run", "fake", "--max-time", "soon"], "--max-time soon is no duration", "90s, 10m"),
        (["run", "fake", "-M", "x"], "-M x is not KEY=VALUE", "-M dtype=float32"),
        (["run", "fake", "--base-url", "http://x"], "`--base-url` does not go with", "openai/NAME"),
        (["run", "fake", "--system", "@nowhere"], "--system nowhere cannot be read", ""),
        (["run", "ollama/x", "-M", "retrys=2"], "no model option called `retrys`", "`retries`"),
        (["run", "ollama/x", "-M", "retries=many"], "-M retries=many is not a number", ""),
        (["run", "ollama/x", "-M", "timeout_s=nan"], "-M timeout_s=nan is out of range", ""),
        (["run", "ollama/x", "--base-url", "localhost"], "`localhost` is not an http", "http://"),
        (["run", "ollama/x", "--base-url", "http://"], "`http://` is not an http", "http://"),
        (["run", "ollama/x", "--base-url", "http://h:port/"], "is not an http address", ""),
        (["run", "fake", "-b", "crows_pairs"], "cannot be asked of fake", "hf/<id or folder>"),
        (["run", "fake", "--store", "mysql://h/d"], "stores of kind `mysql`", "sqlite:///FILE"),
        (
            ["run", "fake", "--config", "nowhere.yaml"],
            "the config nowhere.yaml cannot be read",
            "is the path right?",
        ),
        (["run", "recorded:/nope.jsonl"], "/nope.jsonl cannot be read", "is the path right?"),
        (["run", "fake", "--out", "/dev/null/x"], "--out /dev/null/x cannot be used", "write to"),
    ],
)
def test_a_wrong_command_exits_2_and_says_what_is_meant(
    arguments: list[str], problem: str, hint: str
) -> None:
    done = safemark(*arguments)
    first, *rest = done.err.strip().split("\n\n")
    assert done.code == 2, done.err
    assert first.startswith("error: ")
    assert problem in first
    assert "\n" not in first
    assert hint in "".join(rest)
    if rest:
        assert rest[-1].startswith("hint: ")
    assert done.out == ""


@pytest.mark.parametrize("provider", ["openai", "openrouter"])
def test_a_missing_key_names_its_variable(provider: str) -> None:
    done = safemark("run", f"{provider}/x")
    variable = f"{provider.upper()}_API_KEY"
    assert done.code == 2
    assert f"{variable} is not set" in done.err
    assert f"hint: export {variable}=" in done.err


def test_a_folder_is_told_to_be_local_weights(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    done = safemark("run", "weights")
    assert done.code == 2
    assert "hint: for local weights say `hf/weights`" in done.err


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("limt: 3", "no key in c.yaml called `limt`", "did you mean `limit`?"),
        ("- limit", "the config c.yaml is no mapping", "key: value"),
        ("limit: [3\nseed: 1", "the config c.yaml is not YAML: expected ',' or ']'", "a bracket"),
        (
            "limit: 3\nseed: 1\nlimit: 4",
            "c.yaml names `limit` twice, in lines 1 and 3",
            "leave one",
        ),
        ("model: {url: x, url: y}", "c.yaml names `url` twice, in line 1", "leave one"),
        ("benchmark: ''", "`-b` is given an empty name", "is a variable unset"),
        ("limit: three", WHOLE + "not `three`", ""),
        ("limit: [1, 2]", "the config key `limit` takes one value", ""),
        ("limit: {a: 1}", "the config key `limit` takes one value", ""),
        ("limit: 2020-01-01", WHOLE + "not `2020-01-01`", ""),
        ("limit: 2020-99-01", "the config c.yaml is not YAML: month must be in", ""),
        ("benchmark: xtest", "no benchmark called `xtest`", "`xstest`"),
    ],
)
def test_a_wrong_config_exits_2_and_says_what_is_meant(text: str, problem: str, hint: str) -> None:
    Path("c.yaml").write_text(text)
    done = safemark("run", "fake", "--config", "c.yaml")
    assert done.code == 2, done.err
    assert problem in done.err
    assert hint in done.err
    assert len(done.err.strip().splitlines()) <= 3, "one sentence, and one hint"


def test_broken_yaml_is_told_by_its_line() -> None:
    Path("c.yaml").write_text("limit: 3\nmodel: [a\nseed: 1\n")
    assert "(line 3)" in safemark("run", "fake", "--config", "c.yaml").err


def test_what_a_merge_brings_may_be_named_again() -> None:
    Path("c.yaml").write_text(
        "model:\n  <<: &all {limit: 1}\n  limit: 2\nbenchmark: audit150\nlimit: 3\n"
    )
    assert "twice" not in safemark("run", "--config", "c.yaml").err


def test_a_config_that_is_no_text_is_unreadable() -> None:
    Path("c.yaml").write_bytes(b"limit: \xff\xfe")
    done = safemark("run", "fake", "--config", "c.yaml")
    assert done.code == 2
    assert "the config c.yaml cannot be read" in done.err


def test_errors_are_json_where_json_was_asked_for() -> None:
    done = safemark("run", "fake", "-b", "xtest", "--json")
    assert done.code == 2
    assert done.json == {
        "error": "no benchmark called `xtest`",
        "hint": "did you mean `xstest`?",
        "exit_code": 2,
    }
    assert "error: no benchmark" in done.err


def test_data_that_is_not_here_exits_3_and_names_the_command() -> None:
    done = safemark("run", "fake", "-b", "xstest", "--offline")
    assert done.code == 3, done.err
    assert "safemark data pull xstest" in done.err


def test_shared_data_goes_by_its_own_name_as_messages_call_it(data: Path) -> None:
    done = safemark("data", "path", "cyberseceval")
    assert done.code == 0, done.err
    assert str(data) in done.out
    alone = [safemark("data", "path", f"cyberseceval_{one}").out for one in ("frr", "injection")]
    assert sorted(done.out.split()) == sorted({*alone[0].split(), *alone[1].split()})


def test_several_judges_may_stand_in_a_config() -> None:
    Path("c.yaml").write_text(
        "model: fake/comply\nbenchmark: [audit150]\njudge: [fake/refuse, fake/echo, fake/comply]\n"
        "limit: 1\ndry-run: true\n",
        encoding="utf-8",
    )
    done = safemark("run", "--config", "c.yaml")
    assert "takes one value" not in done.err
    assert done.code == 0, done.err


def test_a_store_that_cannot_be_written_exits_4() -> None:
    Path("file").touch()
    done = safemark("run", "fake", "-b", "audit150", "--store", "file/store.db")
    assert done.code == 4
    assert "hint: name another" in done.err


def test_an_unreadable_dotenv_is_said_in_one_sentence() -> None:
    Path(".env").write_bytes(b"OPENAI_API_KEY=\xff\xfe\xfa")
    done = safemark("run", "fake")
    assert done.code == 2
    assert ".env cannot be read" in done.err


def test_arguments_that_are_no_text_are_refused() -> None:
    done = safemark("run", "fake", "--system", "\udcff")
    assert done.code == 2
    assert "is not UTF-8" in done.err


def test_control_characters_in_a_name_are_shown_and_not_obeyed() -> None:
    done = safemark("run", "fake", "-b", "\x1b[31mred\u202e")
    assert done.code == 2
    assert "\x1b" not in done.err
    assert "\u202e" not in done.err
    assert r"\x1b[31mred\u202e" in done.err


def test_our_own_bug_is_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_given: object, **_named: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("safemark.plan.plan", broken)
    monkeypatch.setattr("safemark.api.plan", broken)
    with pytest.raises(ZeroDivisionError):
        safemark("run", "fake", "-b", "audit150")


def test_a_reader_that_stops_reading_is_no_error() -> None:
    program = subprocess.list2cmdline(PROGRAM[:1]) + f" -c '{PROGRAM[2]}'"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {program} list models --json | head -c 1"],
        capture_output=True,
        text=True,
        env=dict(os.environ),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
def test_a_full_disk_behind_standard_output_is_told_in_a_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PROGRAM, "list", "models"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    problem, hint = done.stderr.strip().split("\n\n")
    assert done.returncode == 4
    assert problem == "error: standard output cannot be written: No space left on device"
    assert hint.startswith("hint: ")


def test_a_terminal_that_is_not_utf8_gets_escapes_and_valid_json(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = apart("list", "benchmarks", "--json")
    assert (done.code, done.err) == (0, "")
    assert done.out.isascii()
    assert len(done.json) >= 5
    plain = apart("list", "models")
    assert (plain.code, plain.err) == (0, "")


def test_an_empty_text_is_no_empty_name() -> None:
    assert safemark("ask", "fake", "", "--system", "").code == 0


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "safemark", "run", "fake", "-b", "xtest"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, "did you mean `xstest`?" in done.stderr) == (2, True)
