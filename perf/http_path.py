"""What Safemark adds to the wire: whole processes of it beside a bare aiohttp client, in one run.

    SAFEMARK_DATA=FOLDER python -m perf.http_path [--sizes 5000,20000,50000] [--pairs 3] [--pin]
                                                  [--peers 5000]

All ask MMLU's questions of the same local server (`server.c`), in turns; the server's sum of
hashes shows that the bare client and Safemark asked the same. Safemark's side is all of `safemark
run`: start-up, planning, asking, judging, storing every record, report. With `--peers` the same
questions are asked by other harnesses (`peers/`). Figures are medians and belong to the machine
they were taken on; on a busy one, CPU time says more than wall time. `docs/performance.md` explains
and keeps them.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from perf import peers, server
from perf.bars import Bars
from perf.processes import Bench, Process, bare, check_document, questions, safemark

SETTINGS = ((0.0, 64, 0.4), (50.0, 256, 0.8))
"""Latency in milliseconds, requests in flight, and the bar at 50,000: bare ÷ Safemark."""

JUDGED_SIZE = 50_000
PEER_BARS = {"lm_eval": 6.0, "inspect": 30.0}


def side_by_side(
    bench: Bench, sizes: Sequence[int], pairs: int, setting: tuple[float, int, float], bars: Bars
) -> None:
    """A table of both clients at each size, in turns."""
    latency_ms, in_flight, _ = setting
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
            judge(bars, n, taken, setting)
        print(f"\nof the server's own CPU, {1e6 * stats['cpu_s'] / n:.0f} µs a request; ", end="")
        print(f"at most {stats['most_in_flight'] or in_flight} in flight")
    if len(sizes) > 1:
        print_marginal(cpu, min(sizes), max(sizes))


def ratios(taken: dict[str, list[Process]]) -> tuple[float, float]:
    """Medians over pairs of bare ÷ Safemark, wall and CPU: 1 is the wire."""
    pairs = list(zip(*taken.values(), strict=True))
    wall = statistics.median(one.wall_s / other.wall_s for one, other in pairs)
    cpu = statistics.median(one.cpu_s / other.cpu_s for one, other in pairs)
    return wall, cpu


def judge(
    bars: Bars, n: int, taken: dict[str, list[Process]], setting: tuple[float, int, float]
) -> None:
    """The bars that are set for this size."""
    latency_ms, in_flight, bar = setting
    if n == JUDGED_SIZE:
        wall, _ = ratios(taken)
        what = f"bare ÷ Safemark, wall, {n:,} at {latency_ms:g} ms, {in_flight} in flight"
        bars.at_least(what, wall, bar)
    if n == 5_000 and latency_ms == 0:
        peak_mb = max(run.peak_mb for run in taken["safemark run"])
        bars.at_most(f"peak memory at {n:,}", peak_mb, 250, "MB")


def print_rows(n: int, taken: dict[str, list[Process]]) -> dict[tuple[str, int], float]:
    """Both rows of a size."""
    wall, cpu = ratios(taken)
    medians = {}
    for name, runs in taken.items():
        cpu_s = medians[name, n] = statistics.median(run.cpu_s for run in runs)
        of_pair = "| | |" if name == "bare aiohttp" else f"| {wall:.2f} | {cpu:.2f} |"
        print_row(n, name, runs, of_pair, cpu_s)
    return medians


def print_row(n: int, name: str, runs: Sequence[Process], ratio: str, cpu_s: float) -> None:
    """A row."""
    wall_s = statistics.median(run.wall_s for run in runs)
    peak_mb = max(run.peak_mb for run in runs)
    figures = f"{wall_s:.2f} | {n / wall_s:,.0f} | {1000 * cpu_s / n:.3f} | {peak_mb:.0f}"
    print(f"| {n:,} | {name} | {figures} {ratio}", flush=True)


def print_marginal(cpu: dict[tuple[str, int], float], few: int, many: int) -> None:
    """What one more sample costs, start-up and fixed parts of the report left out."""
    for name in dict.fromkeys(name for name, _ in cpu):
        each = (cpu[name, many] - cpu[name, few]) / (many - few)
        fixed = cpu[name, few] - each * few
        print(f"{name}: {1e6 * each:.0f} µs of CPU for each further sample, {fixed:.2f} s fixed")


def beside_peers(bench: Bench, sizes: Sequence[int], bars: Bars, in_flight: int = 64) -> None:
    """A table of Safemark and of other harnesses at each size, without latency."""
    print(f"\nbeside other harnesses, no latency, {in_flight} in flight, one run each\n")
    print("| n | client | wall s | samples/s | CPU ms/sample | peak MB | wall × | CPU × |")
    print("|---|---|---|---|---|---|---|---|")
    with server.running() as served:
        for n in sizes:
            bench.fresh()
            ours = bench.run(safemark(bench, served.url, n, in_flight))
            check_document(ours.printed, n)
            print_row(n, "safemark run", [ours], "| | |", ours.cpu_s)
            for name, command in peers.PEERS.items():
                path = peers.questions(*questions(n), bench.folder)
                made = command(served.url, path, in_flight, bench.folder)
                served.reset()
                theirs = bench.run(made.words, made.environment, made.folder)
                if (asked := served.stats()["requests"]) != n:
                    raise RuntimeError(f"{name} asked {asked} of {n}")
                wall, cpu = theirs.wall_s / ours.wall_s, theirs.cpu_s / ours.cpu_s
                print_row(n, name, [theirs], f"| {wall:.1f} | {cpu:.1f} |", theirs.cpu_s)
                if n >= 5_000:
                    bars.at_least(f"{name} ÷ Safemark, wall, at {n:,}", wall, PEER_BARS[name])


def numbers(text: str) -> list[int]:
    """Numbers with commas between."""
    return [int(number) for number in text.split(",") if number]


def main() -> None:
    """Everything, printed as Markdown."""
    arguments = argparse.ArgumentParser(description="Safemark beside a bare aiohttp client.")
    arguments.add_argument("--sizes", default="5000,20000,50000", help="questions, with commas")
    arguments.add_argument("--pairs", type=int, default=3, help="measurements of each")
    arguments.add_argument("--pin", action="store_true", help="server and client a CPU each")
    arguments.add_argument("--peers", default="", help="sizes at which others are asked too")
    given = arguments.parse_args()
    check_data()
    bars = Bars()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), max(os.sched_getaffinity(0)) if given.pin else None)
        with server.running() as served:
            bench.prepare(served.url)
        for setting in SETTINGS:
            side_by_side(bench, numbers(given.sizes), given.pairs, setting, bars)
        if given.peers:
            beside_peers(bench, numbers(given.peers), bars)
    bars.print()
    print_machine()


def check_data() -> None:
    """Leaves where there are no questions to ask."""
    if not os.environ.get("SAFEMARK_DATA"):
        sys.exit("SAFEMARK_DATA names no folder: MMLU's questions are read from a local mirror")


def print_machine() -> None:
    """What the figures belong to."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"\nPython {sys.version.split()[0]}, {os.cpu_count()} CPUs, load {load}")


if __name__ == "__main__":
    main()
