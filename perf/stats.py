"""What the statistics cost: processor seconds, on arrays as large as a run gets.

    python perf/stats.py

Leaves with 1 when something is over its bar. Not a test: times belong to the machine they were
taken on.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from safemark.stats import (
    change_points,
    clustered_bootstrap,
    confidence_sequence,
    non_inferiority,
    paired_difference,
    ranked,
    ratio,
    unpaired_difference,
    worst_group,
)

N = 100_000


def shares(seed: int, n: int = N) -> npt.NDArray[np.float64]:
    """0/1 outcomes, a few of them absent."""
    rng = np.random.default_rng(seed)
    values = (rng.random(n) < 0.3).astype(float)
    values[rng.random(n) < 0.001] = np.nan
    return values


def sequence_of(n: int) -> None:
    """One confidence sequence, fed to its end."""
    rng = np.random.default_rng(0)
    sequence = confidence_sequence(n, n, 1, marks=(0.9, 0.8))
    for outcome in rng.random(n) < 0.85:
        sequence = sequence.after([float(outcome)])


def measured() -> list[tuple[str, Callable[[], object], float]]:
    """What is timed: name, call, and most seconds."""
    rng = np.random.default_rng(1)
    a, b = shares(1), shares(2)
    scores_a, scores_b = rng.random((2, N))
    tens = np.arange(N) // 10
    records = np.stack([rng.random(50_000), np.ones(50_000)], axis=1)
    fives = records.reshape(-1, 5, 2).sum(axis=1)
    series = rng.normal(0.7, 0.02, 200).tolist()
    boards = [shares(k, 2000) for k in range(10)]
    return [
        (
            "bootstrap: 10,000 resamples of 50,000 records in 10,000 clusters",
            lambda: clustered_bootstrap(fives, ratio, resamples=10_000),
            2.0,
        ),
        (
            "bootstrap: 10,000 resamples of 50,000 records, each its own cluster",
            lambda: clustered_bootstrap(records, ratio, resamples=10_000),
            2.0,
        ),
        ("paired: 100,000 samples, 0/1", lambda: paired_difference(a, b), 1.0),
        ("paired: 100,000 samples in 10,000 clusters", lambda: paired_difference(a, b, tens), 1.0),
        ("paired: 100,000 samples, scores", lambda: paired_difference(scores_a, scores_b), 1.0),
        ("no worse: 100,000 samples in clusters", lambda: non_inferiority(a, b, tens), 2.0),
        ("unpaired: 100,000 and 100,000 samples", lambda: unpaired_difference(a, b), 1.0),
        ("worst of 100 groups of 1,000", lambda: worst_group(a, np.arange(N) % 100), 2.0),
        ("leaderboard: 10 runs of 2,000", lambda: ranked(boards), 2.0),
        ("change points: 200 runs", lambda: change_points(series), 1.0),
        ("confidence sequence: 10,000 samples, one at a time", lambda: sequence_of(10_000), 3.0),
    ]


def main() -> int:
    """Time each once after a first call; 1 when over a bar."""
    paired_difference(shares(3, 100), shares(4, 100))
    over = False
    print(f"{'':70}{'CPU':>8}{'bar':>8}")
    for name, call, bar in measured():
        began = time.process_time()
        call()
        seconds = time.process_time() - began
        over |= seconds > bar
        print(f"{name:70}{seconds:7.2f}s{bar:7.1f}s{'   over' if seconds > bar else ''}")
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
