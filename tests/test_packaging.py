"""What is installed, what is imported when, and what lies in the wheel."""

import json
import subprocess
import sys
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

WAITS_FOR_A_MODEL = {"torch", "transformers", "tokenizers", "safetensors", "accelerate", "peft"}
WAITS_FOR_A_RUN = {"numpy", "sqlalchemy", "alembic", "aiohttp", "jinja2", "inspect_ai", "psycopg"}

IMPORT = "import safemark"
HELP = """
from safemark.cli.main import main
sys.argv = ["safemark", *{arguments}]
try:
    main()
except SystemExit as left:
    assert not left.code, left.code
"""


def imported_by(code: str) -> set[str]:
    """The top names in ``sys.modules`` of a new interpreter that ran ``code``."""
    listing = "\nprint('\\nmodules', *{name.partition('.')[0] for name in sys.modules})"
    program = f"import sys\n{code}{listing}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_importing_safemark_imports_nothing_heavy() -> None:
    assert not imported_by(IMPORT) & (WAITS_FOR_A_MODEL | WAITS_FOR_A_RUN)


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"]], ids=" ".join)
def test_asking_for_help_imports_nothing_heavy(arguments: list[str]) -> None:
    loaded = imported_by(HELP.format(arguments=arguments))
    assert "safemark" in loaded
    assert not loaded & (WAITS_FOR_A_MODEL | WAITS_FOR_A_RUN)


def test_the_console_script_is_the_command_line() -> None:
    (script,) = entry_points(group="console_scripts", name="safemark")
    assert script.value == "safemark.cli.main:main"


def test_constraints_pin_one_version_for_every_build_of_it() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert len(pins) == len({pin.partition("==")[0] for pin in pins})
    assert not [pin for pin in pins if pin.count("==") != 1 or "+" in pin or "@" in pin]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """A wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip(sys.executable, environment, "wheel", "--no-deps", "-w", str(folder), str(ROOT))
    (built,) = folder.glob("safemark-*.whl")
    return built


def pip(python: str | Path, environment: dict[str, str], *arguments: str) -> str:
    """What pip printed, with the network settings that it has outside the tests."""
    command = [str(python), "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_wheel_holds_what_the_checkout_holds(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    source = ROOT / "src"
    files = [path for path in (source / "safemark").rglob("*") if path.is_file()]
    expected = {str(path.relative_to(source)) for path in files if "__pycache__" not in path.parts}
    assert expected <= names
    for kind in (
        "safemark/py.typed",
        "safemark/models/reference/*.safetensors",
        "safemark/benchmarks/*.jsonl",
        "safemark/reports/templates/*.html*",
        "safemark/migrations/versions/*.py",
    ):
        assert [name for name in names if Path(name).match(kind)], f"no {kind} in the wheel"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_base_install_is_small_and_has_no_torch(
    wheel: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    pip(python, environment, "install", "-c", str(ROOT / "constraints.txt"), str(wheel))

    listing = json.loads(pip(python, environment, "list", "--format", "json"))
    packages = {row["name"].lower() for row in listing} - {"pip", "setuptools"}
    assert len(packages) <= 40, sorted(packages)
    assert not packages & WAITS_FOR_A_MODEL

    for arguments in (["--help"], ["--version"], ["list", "benchmarks"]):
        done = subprocess.run(
            [python.with_name("safemark"), *arguments], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout
