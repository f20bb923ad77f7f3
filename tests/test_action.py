"""The composite GitHub Action: its scripts run, and nothing that a user writes becomes a command."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ACTION = Path(__file__).parent.parent / "action.yml"
READ: dict[str, Any] = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = READ["runs"]["steps"]
SCRIPTS = {step.get("name", ""): step for step in STEPS if "run" in step}


def test_no_expression_stands_in_a_script() -> None:
    """An input that GitHub pastes into a script is a command; one in a variable is a word."""
    assert len(SCRIPTS) >= 4
    for step in SCRIPTS.values():
        assert "${{" not in step["run"], step["name"]
        assert step["shell"] == "bash"


def test_every_input_is_used_and_described() -> None:
    text = ACTION.read_text(encoding="utf-8")
    for name, given in READ["inputs"].items():
        assert re.search(rf"inputs\.{name}\b", text), name
        assert given["description"].endswith(".")
    assert {"config", "baseline", "fail-on", "comment", "cache"} <= set(READ["inputs"])


def run_step(name: str, folder: Path, **inputs: str) -> tuple[int, dict[str, str], str]:
    """One step's script as a runner starts it: exit code, outputs, and what it printed."""
    outputs = folder / "outputs"
    outputs.write_text("")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "RUNNER_TEMP": str(folder),
        "GITHUB_OUTPUT": str(outputs),
        "SAFEMARK_STORE": f"sqlite:///{folder}/safemark/store.db",
        **dict.fromkeys(SCRIPTS[name]["env"].keys() - {"SAFEMARK_STORE", "SAFEMARK_CACHE"}, ""),
        **inputs,
    }
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", SCRIPTS[name]["run"]],
        cwd=folder, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    told = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    return done.returncode, told, done.stdout + done.stderr


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "safe mark.yaml"  # a space, so that quoting is tried
    file.write_text(
        "model: fake/refuse\nbenchmark: [audit150]\nfirst: 3\ngate:\n  fail-on: [regression]\n"
    )
    return file


def test_the_scripts_run_a_model_and_gate_it(tmp_path: Path, config: Path) -> None:
    code, told, printed = run_step("Run", tmp_path, CONFIG=config.name)
    assert code == 0, printed
    code, gated, printed = run_step(
        "Gate", tmp_path, RUN=told["run"], CONFIG=config.name, BASELINE=told["run"], STRICT="true"
    )
    assert (code, gated["exit-code"]) == (3, "3"), printed
    out = tmp_path / "safemark-out"
    assert {file.name for file in out.iterdir()} >= {
        "run.json", "scorecard.html", "junit.xml", "summary.md", "compare.html",
    }  # fmt: skip


def test_an_input_is_a_word_and_no_command(tmp_path: Path) -> None:
    hostile = '"; touch owned; echo "$(touch owned) --config'
    for step, inputs in (
        ("Run", {"CONFIG": hostile, "MODEL": "$(touch owned)"}),
        ("Gate", {"RUN": hostile, "BASELINE": hostile, "FAIL_ON": hostile}),
    ):
        code, _, _ = run_step(step, tmp_path, **inputs)
        assert code == 2
    assert not list(tmp_path.rglob("owned"))
