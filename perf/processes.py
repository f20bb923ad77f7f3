"""Whole processes, measured: the bare client, Safemark, and what another harness brings.

Every one is started anew, with a store of its own where it needs one, and pays for its start-up.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SAFEMARK = str(Path(sys.executable).with_name("safemark"))
BARE = [sys.executable, str(Path(__file__).with_name("bare_client.py"))]
MOST_ROWS = 10_000  # of MMLU's 14,042; more questions are the same ones again


@dataclass(frozen=True, slots=True)
class Process:
    """What a whole process took, and what it printed."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    printed: bytes = field(repr=False)
    began_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Bench:
    """Where things are: a folder of our own, and the CPU that clients are kept on."""

    folder: Path
    client_cpu: int | None = None

    @property
    def store(self) -> Path:
        return self.folder / "store.db"

    def run(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Process:
        """One process from start to end.

        Raises:
            RuntimeError: it left with another exit code than 0.
        """
        given = {
            **os.environ,
            "SAFEMARK_STORE": f"sqlite:///{self.store}",
            "SAFEMARK_CACHE": str(self.folder / "cache"),
            "NO_COLOR": "1",
            **(environment or {}),
        }
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            began = time.monotonic()
            process = subprocess.Popen(command, stdout=out, stderr=errors, env=given, cwd=cwd)
            if self.client_cpu is not None:
                os.sched_setaffinity(process.pid, {self.client_cpu})
            _, status, used = os.wait4(process.pid, 0)
            wall_s = time.monotonic() - began
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            errors.seek(0)
            if process.returncode:
                said = errors.read()[-2000:].decode(errors="replace")
                raise RuntimeError(f"{command[0]} left with {process.returncode}: {said}")
            cpu_s = used.ru_utime + used.ru_stime
            return Process(wall_s, cpu_s, used.ru_maxrss / 1024, out.read(), began)

    def fresh(self) -> None:
        """An empty store; making its tables is no part of what is measured."""
        for path in self.folder.glob("store.db*"):
            path.unlink()
        shutil.copy(self.folder / "empty.db", self.store)

    def prepare(self, url: str) -> None:
        """Byte code written, files read once, and a store with its tables."""
        self.run(bare(url, 10, 1))
        self.run(safemark(self, url, 10, 1))
        self.on_store(
            "DELETE FROM score",
            "DELETE FROM transcript_text",
            "DELETE FROM transcript",
            "DELETE FROM part",
            "DELETE FROM run",
        )
        with closing(sqlite3.connect(self.store)) as store:
            store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.store.rename(self.folder / "empty.db")

    def on_store(self, *statements: str) -> None:
        """Change the store from outside."""
        with closing(sqlite3.connect(self.store)) as store:
            for statement in statements:
                store.execute(statement)
            store.commit()


def questions(n: int) -> tuple[int, int]:
    """How many rows, how often, to make ``n`` questions."""
    repeats = next(k for k in range(1, n + 1) if n % k == 0 and n // k <= MOST_ROWS)
    return n // repeats, repeats


def bare(url: str, n: int, in_flight: int) -> list[str]:
    """The command of the bare client."""
    rows, repeats = questions(n)
    return [*BARE, url, str(rows), "--repeats", str(repeats), "--concurrency", str(in_flight)]


def safemark(bench: Bench, url: str, n: int, in_flight: int) -> list[str]:
    """The command of Safemark for the same questions."""
    rows, repeats = questions(n)
    return [
        *(SAFEMARK, "run", "openai/benchmark", "--base-url", url, "-b", "mmlu:letters"),
        *("--first", str(rows), "--repeats", str(repeats), "--concurrency", str(in_flight)),
        *("--json", "--out", str(bench.folder)),
    ]


def check_document(printed: bytes, n: int) -> None:
    """Safemark asked and scored everything.

    Raises:
        RuntimeError: it did not.
    """
    found: dict[str, Any] = json.loads(printed)
    scored = [part["n"] for part in found["benchmarks"]]
    if found["status"] != "complete" or scored != [n]:
        raise RuntimeError(f"{found['status']}: scored {scored} of {n}")
