"""How long `safemark trend` takes over 200 runs: CPU seconds of whole processes.

    python -m perf.trend [RUNS [SAMPLES]]

Makes a store of so many runs of `audit150` (each of its questions counted several times over to
make up SAMPLES), one run a day, with a change of level in the middle, and reads it as text, as
HTML and as JSON.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from safemark.store import Store
from tests.histories import SAMPLES, add_run, day, repeated

RUNS = 200


def main() -> None:
    """Print one line for each form and size."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    sizes = [int(sys.argv[2])] if len(sys.argv) > 2 else [len(SAMPLES), 2000]
    print(f"{'runs':>5} {'samples':>8} {'form':>9} {'CPU s':>6} {'MB':>5}")
    for samples in sizes:
        with tempfile.TemporaryDirectory() as folder:
            made(Path(folder), runs, samples)
            for form in ("terminal", "html", "json"):
                seconds, megabytes = measured(Path(folder), form)
                print(f"{runs:5} {samples:8} {form:>9} {seconds:6.2f} {megabytes:5.0f}")


def made(folder: Path, runs: int, samples: int) -> None:
    """A store of ``runs`` runs with ``samples`` records each."""
    store = Store(str(folder / "store.db"))
    for number in range(runs):
        passed = 0.85 if number < runs / 2 else 0.75
        add_run(store, day(number), passed, samples=repeated(samples), seed=number)
    store.close()


def measured(folder: Path, form: str) -> tuple[float, float]:
    """CPU seconds and the most memory, in MB, of one command."""
    code = "from safemark.cli.main import main; main()"
    command = [sys.executable, "-c", code, "trend", "-f", form, "-o", str(folder / "out")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "SAFEMARK_STORE": str(folder / "store.db")}
    subprocess.run(command, check=True, env=environment, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, after.ru_maxrss / 1024


if __name__ == "__main__":
    main()
