"""Every command: its help, its one JSON document, and nothing else on stdout."""

import importlib.util
import os
import pty
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from safemark import __version__
from safemark.cli._output import harmless
from safemark.cli._progress import line
from safemark.cli.main import app
from safemark.engine import Progress
from tests.cli.commands import PROGRAM, apart, safemark

ROOT: Any = typer.main.get_command(app)
COMMANDS = [
    [name, *more]
    for name, command in ROOT.commands.items()
    for more in ([], *([inner] for inner in getattr(command, "commands", {})))
]
GROUPS = [[name] for name, command in ROOT.commands.items() if hasattr(command, "commands")]
NOT_BUILT = {
    "redteam",
    "findings",
    "bundle",
    "explain",
    "mitigate",
    "serve",
    "guard",
}


@pytest.mark.parametrize("command", [[], *COMMANDS], ids=" ".join)
def test_each_command_tells_what_it_does(command: list[str]) -> None:
    done = safemark(*command, "--help")
    assert (done.code, done.err) == (0, "")
    assert f"safemark {' '.join(command)}".strip() in done.out
    assert safemark(*command, "-h").out == done.out
    if command and command not in GROUPS:
        assert "--json" in done.out


@pytest.mark.parametrize("command", [c for c in COMMANDS if len(c) == 1 and c not in GROUPS])
def test_help_ends_with_examples_that_the_command_takes(command: list[str]) -> None:
    said = safemark(*command, "--help").out.partition("\n  Examples:\n")[2]
    examples = [shlex.split(line) for line in said.splitlines()]
    assert examples
    for program, name, *arguments in examples:
        assert (program, [name]) == ("safemark", command)
        ROOT.commands[name].make_context(name, arguments)


def test_help_names_exactly_the_commands_that_are_built() -> None:
    text = safemark("--help").out
    commands = text.split("Commands:")[1]
    listed = [
        row.split()[0] for row in commands.splitlines() if row.startswith("  ") and row[2:3].strip()
    ]
    assert set(listed) == set(ROOT.commands)
    assert {"run", "list", "show", "report", "data", "runs", "doctor"} <= set(listed)
    assert not NOT_BUILT & set(listed)


def test_without_a_command_help_is_shown() -> None:
    done = safemark()
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Usage: safemark [OPTIONS] COMMAND")


@pytest.mark.parametrize("group", ["attacks", "data", "judge", "questions", "runs"])
def test_a_group_without_a_command_shows_its_help_and_cuts_no_line_of_it(group: str) -> None:
    done = safemark(group)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"Usage: safemark {group} [OPTIONS] COMMAND")
    assert "..." not in done.err.partition("Commands:")[2]


def test_the_version_is_printed() -> None:
    done = safemark("--version")
    assert (done.code, done.out) == (0, f"{__version__}\n")


@pytest.fixture
def run() -> str:
    found: str = safemark("run", "fake/comply", "-b", "audit150", "--first", "3", "--json").json[
        "run"
    ]
    return found


LISTINGS = ["benchmarks", "categories", "attacks", "scorers", "models", "suites", "runs"]


@pytest.mark.parametrize("what", LISTINGS)
def test_each_listing_is_a_table_and_a_json_list_of_the_same(run: str, what: str) -> None:
    listed = safemark("list", what, "--json")
    assert (listed.code, listed.err) == (0, "")
    assert len(listed.json) >= 1
    header, *rows = safemark("list", what).out.splitlines()
    assert header.split() == list(listed.json[0])
    assert len(rows) == len(listed.json)
    assert [row.split()[0] for row in rows] == [
        str(next(iter(r.values()))).split()[0] for r in listed.json
    ]


@pytest.mark.parametrize(
    "command",
    [
        ["run", "fake/comply", "-b", "audit150", "--first", "2"],
        ["run", "fake/comply", "-b", "audit150", "--dry-run"],
        ["show", "last"],
        ["show", "last", "--absent"],
        ["report", "last"],
        ["compare", "last", "last"],
        ["gate", "last", "--fail-on", "regression"],
        ["runs", "name", "last", "main"],
        ["runs", "export", "last"],
        ["data", "list"],
        ["data", "verify"],
        ["runs", "rm", "last", "--yes"],
    ],
    ids=" ".join,
)
def test_json_is_one_document_on_stdout_and_nothing_else(run: str, command: list[str]) -> None:
    done = safemark(*command, "--json")
    assert done.code in (0, 3), done.err
    assert done.json is not None
    assert done.out.endswith("\n")


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing it takes longer than the rest of these tests."""
    found = importlib.util.find_spec

    def missing(name: str) -> Any:
        return None if name == "torch" else found(name)

    monkeypatch.setattr("importlib.util.find_spec", missing)


@pytest.mark.usefixtures("without_torch")
def test_doctor_says_what_works_and_what_to_do() -> None:
    found: list[dict[str, Any]] = safemark("doctor", "--json").json
    by_name = {finding["what"]: finding for finding in found}
    assert by_name["safemark"]["is_fine"] is True
    assert by_name["store"]["is_fine"] is True
    assert by_name["audit150"]["said"] == "embedded"
    assert by_name["local models"]["hint"] == "pip install 'safemark[local]'"
    assert by_name["xstest"] == {
        "what": "xstest",
        "is_fine": None,
        "said": "not downloaded",
        "hint": "safemark data pull xstest",
    }
    assert by_name["openai"]["is_fine"] is None
    assert "OPENAI_API_KEY is not set" in by_name["openai"]["said"]


@pytest.mark.usefixtures("without_torch")
def test_doctor_exits_4_where_something_is_broken() -> None:
    Path("notes.txt").write_text("no database " * 100)
    done = safemark("doctor", "--store", "notes.txt")
    assert done.code == 4
    assert "FAIL  store:" in done.out


@pytest.mark.usefixtures("without_torch")
def test_doctor_never_shows_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a-key-for-doctor")
    done = safemark("doctor")
    assert "OPENAI_API_KEY is set" in done.out
    assert "sk-a-key" not in done.out + done.err


def test_offline_pull_says_what_would_be_fetched_and_fetches_nothing() -> None:
    done = safemark("data", "pull", "xstest", "--offline")
    assert done.code == 3
    assert (
        "xstest_prompts.csv from https://raw.githubusercontent.com/paul-rottger/xstest" in done.err
    )


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What a person sees: stdout and stderr of a command on a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", **environment},
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:
            break
        if not chunk:
            break
        seen += chunk
    process.wait(60)
    os.close(ours)
    return seen.decode()


COLOUR = "\x1b[3"


@pytest.mark.slow
def test_a_terminal_gets_colour_and_a_live_line_unless_it_wants_none(
    run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "CI"):
        monkeypatch.delenv(name, raising=False)
    assert COLOUR in on_a_terminal("show", run)
    assert COLOUR not in on_a_terminal("show", run, NO_COLOR="1")
    assert COLOUR not in on_a_terminal("show", run, CI="true")
    again = ["run", "fake/comply", "-b", "audit150", "--first", "3"]
    assert "\r\x1b[2K" in on_a_terminal(*again)
    assert "\r\x1b[2K" not in on_a_terminal(*again, CI="true")


def test_run_in_a_process_of_its_own_prints_data_and_messages_apart() -> None:
    done = apart("run", "fake/comply", "-b", "audit150", "--first", "3", "--json")
    assert done.code in (0, 3), done.err
    assert done.json["status"] == "complete"
    assert "3 of 3" in done.err


def test_progress_shows_rate_time_left_cost_and_absences(monkeypatch: pytest.MonkeyPatch) -> None:
    progress = Progress(
        total=1000, kept=100, done=400, absent=7, tokens=12345, cost_usd=0.5, began=0
    )
    progress.now_asking = "bbq"
    monkeypatch.setattr("time.monotonic", lambda: 4.0)
    assert line(progress) == (
        "bbq · 500 of 1,000 · 100/s · 0:05 left · 12,345 tokens · $0.5000 · 7 absent"
    )


def test_progress_of_a_run_that_has_not_begun_promises_nothing() -> None:
    assert line(Progress(total=10)) == "0 of 10 · 0 absent"


def test_text_of_others_cannot_move_the_cursor() -> None:
    assert harmless("a\x1b[2Jb\rc\x07\u202e\x9b") == r"a\x1b[2Jb\x0dc\x07\u202e\x9b"
    assert harmless("a\nb\tc") == "a\nb c"
    assert harmless("a\nb", lines=False) == r"a\x0ab"
