"""Every code block of README.md, CONTRIBUTING.md and docs/ does what the page says.

A page is read from top to bottom in one folder of its own.

- ``console``: each line that begins with ``$ `` is run by bash (a trailing backslash continues
  it). The lines under it must come out in that order, other lines may stand between them; ``…``
  stands for anything. A command must succeed unless the page shows its ``error:``.
- ``python``: run in one namespace for the whole page.
- Any other language is for the eye.

A block right under ``<!-- not run: reason -->`` is not run, and one under ``<!-- needs data -->``
only where the benchmark files are. ``<!-- file: NAME -->`` writes the block to that file.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [
    *(page for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md") if page.exists()),
    *sorted((ROOT / "docs").rglob("*.md")),
]
BLOCK = re.compile(
    r"(?:^<!--[ ]*(?P<note>(?:not\ run|needs\ data|file)[^\n]*?)[ ]*-->\n+)?"
    r"^```(?P<language>[a-z]*)[^\n]*\n(?P<body>.*?)^```[ ]*$",
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block; ``line`` is where its body begins, counted from 1."""

    language: str
    note: str
    body: str
    line: int


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a console block and the lines that the page shows under it."""

    text: str
    shown: tuple[str, ...]


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    for found in BLOCK.finditer(page):
        line = page.count("\n", 0, found.start("body")) + 1
        yield Block(found["language"], found["note"] or "", found["body"], line)


def commands(body: str) -> list[Command]:
    """The commands of a console block; what stands above the first one is a mistake."""
    found: list[tuple[str, list[str]]] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif not found:
            raise ValueError(f"a console block begins with `$ `, not with {line!r}")
        elif found[-1][0].endswith("\\") and not found[-1][1]:
            found[-1] = (f"{found[-1][0]}\n{line.removeprefix('> ')}", [])
        else:
            found[-1][1].append(line)
    return [Command(text, tuple(shown)) for text, shown in found]


def first_missing(shown: tuple[str, ...], printed: str) -> str | None:
    """The first line shown that was not printed after the ones before it, or None.

    Runs of spaces count as one, so a column may grow.
    """
    lines = iter([" ".join(line.split()) for line in printed.splitlines()])
    for expected in shown:
        words = " ".join(expected.split())
        pattern = re.compile(".*".join(re.escape(part) for part in words.split("…")))
        if words.strip("… ") and not any(pattern.fullmatch(line) for line in lines):
            return expected
    return None


def run(command: Command, folder: Path) -> None:
    """Run it as a person in ``folder`` would, and compare."""
    scripts = str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "100",
    }
    done = subprocess.run(
        ["bash", "-c", command.text],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    printed = f"$ {command.text}\n{done.stdout}(exit {done.returncode})"
    fails_as_shown = any(line.startswith("error:") for line in command.shown)
    assert fails_as_shown or done.returncode == 0, printed
    missing = first_missing(command.shown, done.stdout)
    assert missing is None, f"not printed: {missing!r}\n{printed}"


def read(page: Path, folder: Path, *, has_data: bool) -> None:
    """Do everything that a page says, in ``folder``."""
    namespace: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page.read_text(encoding="utf-8")):
        kind, _, rest = block.note.partition(":")
        if kind == "not run":
            assert rest.strip(), f"{page.name}:{block.line}: not run, but no reason given"
        elif kind == "file":
            file = folder / rest.strip()
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.body, encoding="utf-8")
        elif kind == "needs data" and not has_data:
            continue
        elif block.language == "console":
            for command in commands(block.body):
                run(command, folder)
        elif block.language == "python":
            code = compile("\n" * (block.line - 1) + block.body, str(page), "exec")
            exec(code, namespace)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_the_page_does_what_it_shows(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mirror: str
) -> None:
    if mirror:
        monkeypatch.setenv("SAFEMARK_DATA", mirror)
    read(page, tmp_path, has_data=bool(mirror))


def test_a_block_knows_its_note_and_its_line() -> None:
    page = (
        "# Title\n\n<!-- not run: needs a key -->\n```console\n$ true\n```\n\n```python\n1\n```\n"
    )
    assert list(blocks(page)) == [
        Block("console", "not run: needs a key", "$ true\n", 5),
        Block("python", "", "1\n", 9),
    ]


def test_a_command_goes_on_after_a_backslash() -> None:
    assert commands("$ echo one \\\n>   two\none two\n\n$ true\n") == [
        Command("echo one \\\n  two", ("one two", "")),
        Command("true", ()),
    ]


def test_dots_stand_for_anything_and_order_counts() -> None:
    printed = "bias      0.123   green\nmodel X\ndone in 3.4 s\n"
    assert first_missing(("bias … green", "…", "done in … s"), printed) is None
    assert first_missing(("model X", "bias … green"), printed) == "bias … green"
    assert first_missing(("model",), printed) == "model"


def test_a_page_that_shows_what_is_not_printed_fails(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo one\ntwo\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="not printed: 'two'"):
        read(page, tmp_path, has_data=False)


def test_a_command_may_fail_only_where_the_page_shows_it(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="exit 2"):
        run(Command("echo 'error: no'; exit 2", ("…",)), tmp_path)
    run(Command("echo 'error: no'; exit 2", ("error: no",)), tmp_path)


def test_a_block_that_is_not_run_says_why(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- not run: -->\n```console\n$ false\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="no reason"):
        read(page, tmp_path, has_data=False)
