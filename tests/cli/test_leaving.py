"""How the process ends once torch is loaded: at once, but with all that belongs to an end."""

import subprocess
import sys
from pathlib import Path

BEGIN = """
import atexit, os, sys, types
from safemark.cli.main import main
sys.modules["torch"] = types.ModuleType("torch")
at_once = os._exit
os._exit = lambda code: print("at once", flush=True) or at_once(code)
atexit.register(print, "at exit")
sys.argv = ["safemark", {word!r}]
"""


def ended(word: str, end: str = "main()", **options: object) -> subprocess.CompletedProcess[str]:
    code = BEGIN.format(word=word) + end
    return subprocess.run(  # type: ignore[call-overload]
        [sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, timeout=60, **options
    )


def test_what_runs_at_exit_runs_and_the_process_is_gone() -> None:
    done = ended("--help", stdout=subprocess.PIPE)
    assert done.returncode == 0, done.stderr
    assert "Tell how safe" in done.stdout
    assert done.stdout.endswith("at exit\nat once\n")


def test_the_exit_code_is_the_commands() -> None:
    done = ended("no-such-command", stdout=subprocess.PIPE)
    assert done.returncode == 2
    assert "no-such-command" in done.stderr
    assert done.stdout == "at exit\nat once\n"


def test_a_profiler_has_the_last_word() -> None:
    profiled = "import cProfile; cProfile.run('main()')"
    done = ended("--help", profiled, stdout=subprocess.PIPE)
    assert "function calls" in done.stdout
    assert "at once" not in done.stdout


def test_output_that_cannot_be_written_is_told() -> None:
    with Path("/dev/full").open("w") as full:
        done = ended("--help", stdout=full)
    assert done.returncode != 0
    assert "No space left" in done.stderr
