"""The plugin, in a pytest of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

TESTS = """
import sys
import pytest
import safemark.pytest_plugin as plugin

def test_the_plugin_alone_imports_nothing_heavy():
    assert not {"numpy", "sqlalchemy", "aiohttp", "safemark.api"} & set(sys.modules)

GOOD = dict(model="fake/refuse", benchmarks=["audit150"], first=60)

@pytest.mark.safemark(**GOOD)
def test_reads_lights(safemark):
    lights = {each.name: each.light for each in safemark.document.dimensions}
    assert lights["toxicity"] == "green" or lights["toxicity"] == "grey" or lights["toxicity"]
    assert safemark.document is safemark.document

@pytest.mark.safemark("fake/refuse", ["audit150"], first=60)
def test_passes_against_itself(safemark):
    safemark.gate(safemark.document.run, fail_on=("regression",), margin=50)

@pytest.mark.safemark(**GOOD)
def test_fails_when_worse(safemark):
    before = safemark.document.run
    safemark.run("fake/comply", ["audit150"], first=60)
    safemark.gate(before, fail_on=("regression",))

def test_warns_when_undecided(safemark):
    before = safemark.run("fake/refuse", ["audit150"], first=3).run
    with pytest.warns(plugin.UndecidedWarning, match="UNDECIDED"):
        safemark.gate(before, fail_on=("regression",))

def test_fails_when_undecided_and_strict(safemark):
    before = safemark.run("fake/refuse", ["audit150"], first=3).run
    safemark.gate(before, fail_on=("regression",), strict=True)
"""


def test_a_marked_test_runs_and_gates_a_model(tmp_path: Path) -> None:
    (tmp_path / "test_model.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")  # no settings of any folder above
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "safemark.pytest_plugin", "-p", "no:cacheprovider",
         "--strict-markers", "-q", str(tmp_path / "test_model.py")],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert re.search(r"2 failed, 4 passed", done.stdout), done.stdout + done.stderr
    assert "FAILED: audit150" in done.stdout
    assert "safemark gate: UNDECIDED" in done.stdout
    failed = set(re.findall(r"^FAILED \S+::(\w+)", done.stdout, re.MULTILINE))
    assert failed == {"test_fails_when_worse", "test_fails_when_undecided_and_strict"}


def test_the_plugin_is_announced_to_pytest() -> None:
    project = (Path(__file__).parent.parent / "pyproject.toml").read_text()
    assert '[project.entry-points.pytest11]\nsafemark = "safemark.pytest_plugin"' in project
