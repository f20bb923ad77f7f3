"""Printing: data to stdout, everything else to stderr; text of others made harmless."""

import json
import os
import sys
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from safemark.errors import SafemarkError, StoreError, UsageError

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def harmless(text: str, lines: bool = True) -> str:
    """``text`` with control and direction characters shown instead of obeyed."""

    def shown(char: str) -> str:
        if char == "\n" and lines:
            return char
        if char == "\t":
            return " "
        category = unicodedata.category(char)
        if category in ("Cc", "Cs") or char in _BIDI:
            return f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}"
        return char

    return "".join(map(shown, text))


def say(text: str = "") -> None:
    """A message to the person, on stderr."""
    print(text, file=sys.stderr, flush=True)


def emit(text: str) -> None:
    """Data, on stdout.

    Raises:
        BrokenPipeError: whoever read it has gone.
        StoreError: it cannot be written, as a disk is full.
    """
    out = text if text.endswith("\n") else text + "\n"
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(out.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        close_stdout()
        why = f"standard output cannot be written: {error.strerror}"
        raise StoreError(why, "free some space, or write to another place") from error


def close_stdout() -> None:
    """Nothing more is written to it, and what waits is dropped without a complaint."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def emit_json(value: Any) -> None:
    """One JSON document, on stdout; msgspec structs are welcome inside."""
    import msgspec

    is_utf8 = (sys.stdout.encoding or "utf-8").lower().replace("-", "") == "utf8"
    emit(json.dumps(msgspec.to_builtins(value), ensure_ascii=not is_utf8, indent=2))


def put(text: str, output: Path | None) -> None:
    """A report into a file, or on stdout where none was named or it is called ``-``.

    Raises:
        StoreError: the file cannot be written.
    """
    if output is None or str(output) == "-":
        emit(text)
    else:
        write_text(output, text)


def put_json(value: Any, output: Path | None) -> None:
    """The same of one JSON document; msgspec structs are welcome inside.

    Raises:
        StoreError: the file cannot be written.
    """
    if output is None or str(output) == "-":
        emit_json(value)
    else:
        import msgspec

        write_text(output, msgspec.json.format(msgspec.json.encode(value)).decode())


def on_one_thread() -> None:
    """Before numpy is loaded: its products here are small, and a second thread spins beside them.

    Comparing two runs of 100,000 records took 5.3 s of CPU with two threads, 4.4 s with one.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def left_out(gaps: Iterable[tuple[str, str]]) -> list[str]:
    """A line for each reason: what is left out for it, the first few by name.

    >>> left_out([("bbq", "pull bbq"), ("felm", "pull felm"), ("halueval2", "no judge")])
    ['left out: bbq, felm (pull NAME)', 'left out: halueval2 (no judge)']
    """
    from safemark.reports.left_out import by_reason

    return [f"left out: {one.named()} ({one.why})" for one in by_reason(gaps)]


def writable(folder: Path) -> None:
    """Makes the folder that reports go to.

    Raises:
        UsageError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--out {folder} cannot be used: {error.strerror}", "name a folder you may write to"
        ) from error


def write_text(path: Path, text: str, flag: str = "-o") -> None:
    """A report into a file, and on stderr where it is; ``flag`` is what named the file.

    Raises:
        StoreError: the file cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror}", f"name another file with {flag}"
        ) from error
    say(f"written: {path}")


def complain(error: SafemarkError, as_json: bool) -> None:
    """One sentence and a hint; as JSON as well where that was asked for."""
    from safemark.secrets import scrubbed

    problem, hint = scrubbed(error.problem), scrubbed(error.hint)
    if as_json:
        emit_json({"error": problem, "hint": hint, "exit_code": error.exit_code})
    say(f"error: {harmless(problem)}")
    if hint:
        say(f"\nhint: {harmless(hint)}")


def is_coloured() -> bool:
    """Whether stdout wants colour: a terminal, no ``NO_COLOR``, not ``CI``."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and not os.environ.get("CI")


def width() -> int:
    """Columns of the terminal; 80 where there is none."""
    import shutil

    return shutil.get_terminal_size((80, 24)).columns


def table(rows: list[list[str]], header: list[str]) -> str:
    """Plain columns, as wide as needed.

    >>> print(table([["a", "1"]], ["name", "n"]))
    name  n
    a     1
    """
    cells = [header, *([harmless(cell, lines=False) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )
