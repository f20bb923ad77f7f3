"""How long one waits before Safemark does anything: medians of fresh processes.

    python perf/startup.py [REPEATS]

Wall time of the whole process, the interpreter's own start included. Leaves with 1 when a median
is over its bar. Not a test: times belong to the machine they were taken on.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

COMMAND = Path(sys.executable).with_name("safemark")
MEASURED: tuple[tuple[str, list[str], float | None], ...] = (
    ("python -c pass", [sys.executable, "-c", "pass"], None),
    ("import safemark", [sys.executable, "-c", "import safemark"], 0.15),
    ("safemark --help", [str(COMMAND), "--help"], 0.3),
)


def seconds(command: list[str]) -> float:
    """Wall time of one process."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> int:
    """Measure in turns, so that a busy moment touches all alike; 1 when over a bar."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 21
    for _, command, _ in MEASURED:
        seconds(command)  # writes byte code and fills the file cache
    taken: dict[str, list[float]] = {name: [] for name, _, _ in MEASURED}
    for _ in range(repeats):
        for name, command, _ in MEASURED:
            taken[name].append(seconds(command))

    over = False
    print(f"{'':18}{'median':>9}{'fastest':>9}{'slowest':>9}{'bar':>8}   ({repeats} each)")
    for name, _, bar in MEASURED:
        times = taken[name]
        median = statistics.median(times)
        is_over = bar is not None and median > bar
        over |= is_over
        print(
            f"{name:18}{median:8.3f}s{min(times):8.3f}s{max(times):8.3f}s"
            f"{f'{bar} s' if bar else '':>8}{'   over' if is_over else ''}"
        )
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
