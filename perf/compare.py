"""How much comparing two runs of many records costs: CPU seconds and peak memory of the command.

    python perf/compare.py [RECORDS]

Two stored runs of BBQ-like records (7 metrics, 11 groups, clusters of about 25) and two of a plain
benchmark of independent questions are compared by `safemark compare --json`, each in a process of
its own. Leaves with 1 when one takes over 5 s of CPU or 400 MB at 100,000 records. Not a test:
times belong to the machine they were taken on.
"""

import os
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from safemark.benchmarks import bbq, xstest
from safemark.benchmarks._benchmark import Benchmark
from safemark.store import Entry, PartBody, RunBody, Store, StoredRun, now
from safemark.types import Attempt, Reply, Sample, Scalar, Score, Transcript

BAR_CPU_S, BAR_MB = 5.0, 400
COMMAND = Path(sys.executable).with_name("safemark")
Outcome = Callable[[random.Random, Sample], dict[str, Scalar]]


def bbq_sample(i: int) -> Sample:
    """A row as BBQ's are: eleven categories, two conditions, clusters of about 25."""
    ambiguous = i % 2 == 0
    return Sample(
        f"bbq-{i}",
        category=f"category {i % 11}",
        cluster=f"template {i // 25}",
        facets={
            "condition": "ambiguous" if ambiguous else "disambiguated",
            "unknown": i % 3,
            "biased": (i + 1) % 3,
            "right": i % 3 if ambiguous else (i + 1 + i % 4 // 2) % 3,
            "aligned": i % 4 < 2,
            "polarity": "neg" if i % 8 < 4 else "nonneg",
        },
    )


def bbq_outcome(draw: random.Random, sample: Sample) -> dict[str, Scalar]:
    """A letter, right more often than not, wrong on the biased side."""
    facets = sample.facets
    chosen = facets["right"] if draw.random() < 0.7 else draw.choice((0, 1, 2))
    biased = chosen == facets["biased"]
    answer = "unknown" if chosen == facets["unknown"] else "biased" if biased else "unbiased"
    return {
        "chosen": chosen,
        "correct": chosen == facets["right"],
        "answer": answer,
        "stereotyped": biased,
    }


def plain_sample(i: int) -> Sample:
    """A prompt of its own."""
    label = "safe" if i % 9 < 5 else "unsafe"
    return Sample(f"xstest-{i}", category=f"type {i % 18}", facets={"label": label})


def plain_outcome(draw: random.Random, sample: Sample) -> dict[str, Scalar]:
    """A refusal now and then."""
    refused = draw.random() < (0.1 if sample.facets["label"] == "safe" else 0.9)
    return {"verdict": "refusal" if refused else "compliance"}


def fill(
    store: Store,
    name: str,
    seed: int,
    n: int,
    benchmark: Benchmark,
    sample: Callable[[int], Sample],
    outcome: Outcome,
) -> None:
    """A finished run of ``n`` records."""
    run = StoredRun(name, name, "running", "", now(), None, name, name, RunBody("0", {}))
    store.add_run(run)
    way = benchmark.ways[0]
    planned: dict[str, int] = {}
    for i in range(n):
        category = sample(i).category or ""
        planned[category] = planned.get(category, 0) + 1
    body = PartBody(planned, way.scorer.name, way.scorer.version)
    part = store.ensure_part(name, benchmark.name, benchmark.version, way.name, "direct", body)
    scorer = store.ensure_scorer(way.scorer.name, way.scorer.version)
    draw = random.Random(seed)
    transcript = Transcript((Attempt(reply=Reply("A")),))
    for start in range(0, n, 5000):
        entries = []
        for i in range(start, min(n, start + 5000)):
            asked = sample(i)
            score = Score(outcome(draw, asked))
            key = f"{seed}/{i}".encode()[:16]
            entries.append(Entry(part.id, i, key, asked, 0, transcript, scorer, score))
        store.append(entries)
    store.set_status(name, "complete")


def measured(url: str, before: str, after: str) -> tuple[float, float]:
    """CPU seconds and peak megabytes of comparing two runs."""
    command = [str(COMMAND), "compare", before, after, "--json", "--store", url]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=dict(os.environ)) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"compare left with {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> int:
    """Fill a store, compare, print; 1 when over a bar."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    over = False
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/store.db"
        store = Store(url)
        for kind, benchmark, sample, outcome in (
            ("bbq", bbq.benchmark, bbq_sample, bbq_outcome),
            ("plain", xstest.benchmark, plain_sample, plain_outcome),
        ):
            for seed in (1, 2):
                fill(store, f"{seed}-{kind}", seed, n, benchmark, sample, outcome)
        store.close()
        print(f"{'two runs of':22}{'CPU':>9}{'peak memory':>14}")
        for kind in ("bbq", "plain"):
            cpu, memory = measured(url, f"1-{kind}", f"2-{kind}")
            is_over = n <= 100_000 and (cpu > BAR_CPU_S or memory > BAR_MB)
            over |= is_over
            print(f"{n:>10,} {kind:11}{cpu:8.2f}s{memory:11.0f} MB{'   over' if is_over else ''}")
    own = resource.getrusage(resource.RUSAGE_SELF)
    print(f"(filling the store took {own.ru_utime + own.ru_stime:.0f} s)")
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
