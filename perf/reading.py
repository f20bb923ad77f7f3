"""How long a stored run takes to go on, to show and to report, and how much memory large ones need.

    SAFEMARK_DATA=FOLDER python -m perf.reading [--sizes 100000,200000]

Each size is run once over a local server. Then the same command again where all is stored, and
where half is; `safemark show`, `safemark report`, and `safemark rejudge`.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from perf import server
from perf.bars import Bars
from perf.http_path import check_data, numbers, print_machine
from perf.processes import SAFEMARK, Bench, Process, check_document, safemark

UNFINISHED = "UPDATE run SET status = 'interrupted'"
HALF_GONE = tuple(
    f"DELETE FROM {table} WHERE position % 2"  # noqa: S608 - our own names
    for table in ("score", "transcript_text", "transcript")
)


def reading(bench: Bench, sizes: Sequence[int], bars: Bars, in_flight: int = 64) -> None:
    """A table for each size."""
    for n in sizes:
        print(f"\na run of {n:,}: made, continued, read\n")
        print("| what | wall s | CPU s | peak MB |\n|---|---|---|---|")
        with server.running() as served:
            _of_size(bench, served, n, in_flight, bars)


def _of_size(bench: Bench, served: server.Server, n: int, in_flight: int, bars: Bars) -> None:
    command = safemark(bench, served.url, n, in_flight)
    bench.fresh()
    made = printed("safemark run", bench.run(command))
    check_document(made.printed, n)
    if n == 200_000:
        bars.at_most(f"peak memory at {n:,}", made.peak_mb, 400, "MB")
    bench.on_store(UNFINISHED)
    served.reset()
    again = printed("run again, all stored", bench.run(command))
    if asked := served.stats()["requests"]:
        raise RuntimeError(f"{asked} were asked again")
    if n == 200_000:
        bars.at_most(f"continuing {n:,}, all stored", again.wall_s, 12, "s")
    for name, more in (
        ("show last", ["show", "last"]),
        ("report -f json", ["report", "last", "-f", "json"]),
        ("report -f html", ["report", "last", "-o", str(bench.folder / "page.html")]),
    ):
        found = printed(name, bench.run([SAFEMARK, *more]))
        if n == 100_000:
            bars.at_most(f"{name} of {n:,}", found.wall_s, 3, "s")
    printed("rejudge --with refusal", bench.run([SAFEMARK, "rejudge", "last", "--with", "refusal"]))
    bench.on_store(UNFINISHED, *HALF_GONE)
    served.reset()
    half = printed("run again, half stored", bench.run(command))
    check_document(half.printed, n)
    stats = served.stats()
    if stats["requests"] != n // 2:
        raise RuntimeError(f"{stats['requests']} were asked, not the missing half")
    first_s = stats["first_s"] - half.began_s
    print(f"| … until its first request | {first_s:.2f} | | |")
    if n == 200_000:
        bars.at_most(f"continuing {n:,}, half stored, to the first request", first_s, 3, "s")


def printed(name: str, found: Process) -> Process:
    """The same, shown as a row."""
    print(f"| {name} | {found.wall_s:.2f} | {found.cpu_s:.2f} | {found.peak_mb:.0f} |", flush=True)
    return found


def main() -> None:
    """Everything, printed as Markdown."""
    arguments = argparse.ArgumentParser(description="Continuing and reading stored runs.")
    arguments.add_argument("--sizes", default="100000,200000", help="questions, with commas")
    given = arguments.parse_args()
    check_data()
    bars = Bars()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        with server.running() as served:
            bench.prepare(served.url)
        reading(bench, numbers(given.sizes), bars)
    bars.print()
    print_machine()


if __name__ == "__main__":
    main()
