"""What Safemark adds to the wire: whole processes of it beside a bare aiohttp client, in one run.

    SAFEMARK_DATA=FOLDER python -m perf.http_path [--sizes 2000,5000,20000] [--pairs 5] [--pin]

Both ask BBQ's questions of the same local server (`server.c`), in turns; the server's sum of hashes
shows that they asked the same. Safemark's side is all of `safemark run`: start-up, planning,
asking, judging, storing every record, report. Then: continuing a run of which all, or half, is
stored, and reading a stored run. Figures are medians and belong to the machine they were taken on;
on a busy one, CPU time says more than wall time. `docs/performance.md` explains and keeps them.
"""

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perf import server

SAFEMARK = str(Path(sys.executable).with_name("safemark"))
BARE = [sys.executable, str(Path(__file__).with_name("bare_client.py"))]
MOST_ROWS = 10_000  # of the 11,956 in the mirror; more questions are the same ones again
SETTINGS = ((0.0, 64), (50.0, 256))
"""Latency in milliseconds and requests in flight."""


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
    client_cpu: int | None

    @property
    def store(self) -> Path:
        return self.folder / "store.db"

    def run(self, command: Sequence[str], expected: int = 0) -> Process:
        """One process from start to end.

        Raises:
            RuntimeError: it left with another exit code than ``expected``.
        """
        environment = {
            **os.environ,
            "SAFEMARK_STORE": f"sqlite:///{self.store}",
            "SAFEMARK_CACHE": str(self.folder / "cache"),
            "NO_COLOR": "1",
        }
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            began = time.monotonic()
            process = subprocess.Popen(command, stdout=out, stderr=errors, env=environment)
            if self.client_cpu is not None:
                os.sched_setaffinity(process.pid, {self.client_cpu})
            _, status, used = os.wait4(process.pid, 0)
            wall_s = time.monotonic() - began
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            errors.seek(0)
            if process.returncode != expected:
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
        self.run([*bare(url, 10, 1)])
        self.run([*safemark(self, url, 10, 1)])
        with closing(sqlite3.connect(self.store)) as store:
            for table in ("score", "transcript_text", "transcript", "part", "run"):
                store.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
            store.commit()
            store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.store.rename(self.folder / "empty.db")


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
        *(SAFEMARK, "run", "openai/benchmark", "--base-url", url, "-b", "bbq:letters"),
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


def side_by_side(
    bench: Bench, sizes: Sequence[int], pairs: int, latency_ms: float, in_flight: int
) -> None:
    """A table of both clients at each size, in turns."""
    print(f"\n{latency_ms:g} ms latency, {in_flight} in flight, median of {pairs} pairs\n")
    print("| n | client | wall s | samples/s | CPU ms/sample | peak MB | ratio wall | ratio CPU |")
    print("|---|---|---|---|---|---|---|---|")
    cpu: dict[tuple[str, int], float] = {}
    with server.running(latency_ms, cpu=0 if bench.client_cpu is not None else None) as served:
        for n in sizes:
            taken: dict[str, list[Process]] = {"bare aiohttp": [], "safemark run": []}
            for _ in range(pairs):
                asked = set()
                for name, runs in taken.items():
                    bench.fresh()
                    served.reset()
                    is_bare = name == "bare aiohttp"
                    command = (
                        bare(served.url, n, in_flight)
                        if is_bare
                        else safemark(bench, served.url, n, in_flight)
                    )
                    runs.append(bench.run(command))
                    stats = served.stats()
                    asked.add((stats["requests"], stats["asked"]))
                    if not is_bare:
                        check_document(runs[-1].printed, n)
                if len(asked) != 1:
                    raise RuntimeError(f"not the same questions: {asked}")
            cpu |= print_rows(n, taken)
        print(f"\nof the server's own CPU, {1e6 * stats['cpu_s'] / n:.0f} µs a request; ", end="")
        print(f"at most {stats['most_in_flight'] or in_flight} in flight")
    if len(sizes) > 1:
        print_marginal(cpu, min(sizes), max(sizes))


def print_rows(n: int, taken: dict[str, list[Process]]) -> dict[tuple[str, int], float]:
    """Both rows of a size; ratios are medians over pairs, bare ÷ Safemark (1 is the wire)."""
    ones, others = taken.values()
    pairs = list(zip(ones, others, strict=True))
    wall = statistics.median(one.wall_s / other.wall_s for one, other in pairs)
    cpu = statistics.median(one.cpu_s / other.cpu_s for one, other in pairs)
    medians = {}
    for name, runs in taken.items():
        wall_s = statistics.median(run.wall_s for run in runs)
        cpu_s = medians[name, n] = statistics.median(run.cpu_s for run in runs)
        peak_mb = max(run.peak_mb for run in runs)
        ratios = "| | |" if name == "bare aiohttp" else f"| {wall:.2f} | {cpu:.2f} |"
        print(
            f"| {n:,} | {name} | {wall_s:.2f} | {n / wall_s:,.0f} | {1000 * cpu_s / n:.3f} "
            f"| {peak_mb:.0f} {ratios}",
            flush=True,
        )
    return medians


def print_marginal(cpu: dict[tuple[str, int], float], few: int, many: int) -> None:
    """What one more sample costs, start-up and fixed parts of the report left out."""
    for name in dict.fromkeys(name for name, _ in cpu):
        each = (cpu[name, many] - cpu[name, few]) / (many - few)
        fixed = cpu[name, few] - each * few
        print(f"{name}: {1e6 * each:.0f} µs of CPU for each further sample, {fixed:.2f} s fixed")


def continuing(bench: Bench, n: int, in_flight: int = 64) -> None:
    """How long it takes to find that all is stored, and to begin where half is."""
    print(f"\ncontinuing and reading a run of {n:,}\n")
    print("| what | wall s | CPU s | peak MB |\n|---|---|---|---|")
    with server.running() as served:
        command = safemark(bench, served.url, n, in_flight)
        bench.fresh()
        bench.run(command)
        with closing(sqlite3.connect(bench.store)) as store:
            store.execute("UPDATE run SET status = 'interrupted'")
            store.commit()
        served.reset()
        print_process("run again, all stored", bench.run(command))
        if asked := served.stats()["requests"]:
            raise RuntimeError(f"{asked} were asked again")
        for name, more in (
            ("show last", ["show", "last"]),
            ("report -f json", ["report", "last", "-f", "json"]),
            ("report -f html", ["report", "last", "-o", str(bench.folder / "page.html")]),
        ):
            print_process(name, bench.run([SAFEMARK, *more]))
        with closing(sqlite3.connect(bench.store)) as store:
            store.execute("UPDATE run SET status = 'interrupted'")
            for table in ("score", "transcript_text", "transcript"):
                store.execute(f"DELETE FROM {table} WHERE position % 2")  # noqa: S608
            store.commit()
        served.reset()
        half = bench.run(command)
        check_document(half.printed, n)
        stats = served.stats()
        if stats["requests"] != n // 2:
            raise RuntimeError(f"{stats['requests']} were asked, not the missing half")
        print_process("run again, half stored", half)
        print(f"| … until its first request | {stats['first_s'] - half.began_s:.2f} | | |")


def print_process(name: str, found: Process) -> None:
    """A row."""
    print(f"| {name} | {found.wall_s:.2f} | {found.cpu_s:.2f} | {found.peak_mb:.0f} |", flush=True)


def main() -> None:
    """Everything, printed as Markdown."""
    arguments = argparse.ArgumentParser(description="Safemark beside a bare aiohttp client.")
    arguments.add_argument("--sizes", default="2000,5000,20000", help="questions, with commas")
    arguments.add_argument("--pairs", type=int, default=5, help="measurements of each")
    arguments.add_argument("--pin", action="store_true", help="server and client a CPU each")
    arguments.add_argument("--read", type=int, default=20_000, help="size of the run that is read")
    given = arguments.parse_args()
    if not os.environ.get("SAFEMARK_DATA"):
        sys.exit("SAFEMARK_DATA names no folder: BBQ's questions are read from a local mirror")
    sizes = [int(size) for size in given.sizes.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), max(os.sched_getaffinity(0)) if given.pin else None)
        with server.running() as served:
            bench.prepare(served.url)
        for latency_ms, in_flight in SETTINGS:
            side_by_side(bench, sizes, given.pairs, latency_ms, in_flight)
        continuing(bench, given.read)
        load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
        print(f"\nPython {sys.version.split()[0]}, {os.cpu_count()} CPUs, load {load}")


if __name__ == "__main__":
    main()
