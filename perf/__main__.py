"""All of the HTTP path in one run, each figure beside its bar.

    SAFEMARK_DATA=FOLDER python -m perf [--quick] [--peers 5000,50000]

Takes about ten minutes on two cores with peers at 5,000; other harnesses at 50,000 take a quarter
of an hour more. `--quick` takes a minute and shows that everything works.
"""

import argparse
import tempfile
from pathlib import Path

from perf import server
from perf.bars import Bars
from perf.http_path import (
    SETTINGS,
    beside_peers,
    check_data,
    numbers,
    print_machine,
    side_by_side,
)
from perf.processes import Bench
from perf.reading import reading


def main() -> None:
    """Every table, then every bar."""
    arguments = argparse.ArgumentParser(description="The HTTP path beside its bars.")
    arguments.add_argument("--quick", action="store_true", help="small sizes, no bars to speak of")
    arguments.add_argument("--peers", default="5000", help="sizes at which others are asked too")
    given = arguments.parse_args()
    check_data()
    sizes, pairs, read = (
        ((1_000,), 1, (2_000,))
        if given.quick
        else (
            (5_000, 20_000, 50_000),
            3,
            (100_000, 200_000),
        )
    )
    bars = Bars()
    print_machine()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        with server.running() as served:
            bench.prepare(served.url)
        for setting in SETTINGS:
            side_by_side(bench, sizes, pairs, setting, bars)
        beside_peers(bench, (500,) if given.quick else numbers(given.peers), bars)
        reading(bench, read, bars)
    bars.print()
    print_machine()


if __name__ == "__main__":
    main()
