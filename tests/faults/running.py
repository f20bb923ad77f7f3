"""What a faulty run leaves behind, read as any other program would: records, requests, files."""

import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tests.cli.commands import Done

_RECORDS = """
select t.repeat, t.retries, s.scorer_id, s.absent, s.why, x.body
from transcript t join transcript_text x using (part_id, position)
join part p on p.id = t.part_id
join scorer c on c.name = json_extract(cast(p.body as text), '$.scorer')
             and c.version = json_extract(cast(p.body as text), '$.scorer_version')
left join score s
  on s.part_id = t.part_id and s.position = t.position and s.scorer_id = c.id
"""
"""Each sample with its benchmark's own score; other scorers may have judged it as well."""


@dataclass(frozen=True, slots=True)
class Record:
    """One stored sample: ``absent`` is the reason, None where it is scored."""

    question: str
    repeat: int
    absent: str | None
    why: str
    retries: int
    reply: dict[str, Any] | None
    is_judged: bool

    @property
    def outcome(self) -> str:
        """``scored``, or the reason; ``unjudged`` where there is neither."""
        return (self.absent or "scored") if self.is_judged else "unjudged"


def store_file() -> Path:
    return Path(os.environ["SAFEMARK_STORE"].removeprefix("sqlite:///"))


def records() -> list[Record]:
    """Everything that is stored."""
    if not store_file().exists():
        return []
    with closing(sqlite3.connect(f"file:{store_file()}?mode=ro", uri=True)) as connection:
        has = "select count(*) from sqlite_master where name = 'score'"
        if connection.execute(has).fetchone() == (0,):
            return []
        rows = connection.execute(_RECORDS).fetchall()
    return [_record(row) for row in rows]


def _record(row: tuple[Any, ...]) -> Record:
    repeat, retries, scorer, absent, why, body = row
    text = msgspec.json.decode(body)
    (attempt,) = text["transcript"]["attempts"]
    question = text["sample"]["messages"][-1]["content"]
    return Record(
        question, repeat, absent, why or "", retries, attempt.get("reply"), scorer is not None
    )


def is_complete() -> bool:
    """Whether a stored run has nothing left to ask."""
    if not store_file().exists():
        return False
    with closing(sqlite3.connect(f"file:{store_file()}?mode=ro", uri=True)) as connection:
        has = "select count(*) from sqlite_master where name = 'run'"
        if connection.execute(has).fetchone() == (0,):
            return False
        return ("complete",) in connection.execute("select status from run").fetchall()


def by_question() -> dict[str, Record]:
    """The one record of each question.

    Raises:
        AssertionError: a question has several.
    """
    found = records()
    twice = {what for what, n in Counter(one.question for one in found).items() if n > 1}
    assert not twice, f"several records of {twice}"
    return {one.question: one for one in found}


def everything_written(done: Done) -> bytes:
    """All files under the working directory and beside the store, and what was printed."""
    return b"\n".join(_files()) + f"\n{done.out}\n{done.err}".encode()


def _files() -> Iterator[bytes]:
    for top in {Path.cwd(), store_file().parent}:
        for path in top.rglob("*"):
            if path.is_file() and path.name not in ("desk.yaml", ".env"):
                yield path.read_bytes()
