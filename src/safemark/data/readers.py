"""Small readers of data files: lines, CSV, JSON Lines, JSON, YAML.

All read UTF-8 with or without a byte order mark. What is malformed is a `DataError` that names
the file and the line; what the columns mean is the benchmark's own business.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from safemark.errors import DataError, NotInstalled

_BOM = b"\xef\xbb\xbf"
_LONGEST_CELL = 2**31 - 1  # the csv module's own limit is 131,072 characters, for all readers


def lines(path: Path) -> Iterator[str]:
    """Every line without its end, empty ones too; broken at newlines only."""
    for text in _text_lines(path):
        yield text.rstrip("\r\n")


def csv_rows(
    path: Path, *, columns: Sequence[str] | None = None, delimiter: str = ","
) -> Iterator[dict[str, str]]:
    """Rows of a CSV file by column name; cells may run over several lines.

    The first row names the columns unless ``columns`` does. Empty rows are left out; a row with
    more or fewer cells than columns is malformed.
    """
    import csv

    if csv.field_size_limit() < _LONGEST_CELL:
        csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(_text_lines(path), delimiter=delimiter, strict=True)
    try:
        names = list(columns) if columns is not None else next(reader, [])
        if len(set(names)) < len(names):
            raise _malformed(path, reader.line_num, "a column is named twice")
        for cells in reader:
            if cells and len(cells) != len(names):
                problem = f"{len(cells)} cells where {len(names)} columns are named"
                raise _malformed(path, reader.line_num, problem)
            if cells:
                yield dict(zip(names, cells, strict=True))
    except csv.Error as error:
        raise _malformed(path, reader.line_num, str(error)) from error


def jsonl_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file with one JSON object a line; empty lines are left out.

    ``NaN``, which is no JSON but stands in published files, is read as Python's own.
    """
    for number, line in enumerate(_byte_lines(path), 1):
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            row = _lenient_json(line.strip(), path, number)
        if not isinstance(row, dict):
            raise _malformed(path, number, "not a JSON object")
        yield row


def table_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a Parquet file, or of a file with one JSON object a line.

    Raises:
        NotInstalled: a Parquet file where pyarrow is not installed.
        DataError: it cannot be read.
    """
    import importlib

    try:
        with path.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
    except OSError as error:
        raise _unreadable(path, error) from error
    if not is_parquet:
        yield from jsonl_rows(path)
        return
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise NotInstalled(
            f"{path.name} is in Parquet, which cannot be read here", "pip install pyarrow"
        ) from error
    try:
        rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    except (OSError, importlib.import_module("pyarrow").ArrowException) as error:
        raise _unreadable(path, error) from error
    yield from rows


def json_value(path: Path) -> Any:
    """The one value of a JSON file."""
    return _lenient_json("".join(_text_lines(path)), path, 1)


def yaml_value(text: str | bytes) -> Any:
    """What YAML says, read by the safe loader: libyaml's, ten times as fast, where it is there.

    Raises:
        yaml.YAMLError: it is none.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(text, Loader=loader)  # noqa: S506 - both are safe


def _lenient_json(text: str | bytes, path: Path, first_line: int) -> Any:
    import json

    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise _malformed(path, first_line + error.lineno - 1, error.msg) from error
    except (RecursionError, ValueError) as error:
        raise _malformed(path, first_line, str(error)) from error


def _text_lines(path: Path) -> Iterator[str]:
    """Lines with their ends, broken where CSV breaks them: at ``\\n``, ``\\r`` or both."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from file
    except UnicodeDecodeError as error:
        raise _malformed(path, _undecodable_line(path), f"not UTF-8: {error.reason}") from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _undecodable_line(path: Path) -> int:
    for number, line in enumerate(_byte_lines(path), 1):
        try:
            line.decode()
        except UnicodeDecodeError:
            return number
    return 1


def _byte_lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            if file.read(len(_BOM)) != _BOM:
                file.seek(0)
            yield from file
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> DataError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else error
    return DataError(f"{path} cannot be read: {why}", "`safemark data pull` fetches data")


def _malformed(path: Path, line: int, problem: str) -> DataError:
    return DataError(
        f"{path}, line {line}: {problem}",
        "`safemark data verify` says whether the file is the pinned one",
    )
