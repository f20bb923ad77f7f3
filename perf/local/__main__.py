"""All of the local path in one run, each figure beside its bar.

    SAFEMARK_DATA=FOLDER python -m perf.local [--quick]

Takes a quarter of an hour on two idle cores, most of it the other side's. `--quick` takes a few
minutes and shows that everything works.
"""

import argparse
import tempfile
from pathlib import Path

from perf.bars import Bars
from perf.local import generation, items, machine, scoring


def main() -> None:
    """Both tables, then every bar."""
    arguments = argparse.ArgumentParser(description="The local path beside its bars.")
    arguments.add_argument("--quick", action="store_true", help="few items, no bars to speak of")
    arguments.add_argument("--folder", type=Path, help="where models are kept (a temporary one)")
    arguments.add_argument("--batch-sizes", default=scoring.BATCH_SIZES, help="lm-eval's to try")
    given = arguments.parse_args()
    items.check_data()
    bars = Bars()
    machine.print_machine()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        sizes, count, rows = given.batch_sizes, None, generation.ROWS
        if given.quick:
            sizes, count, rows = "16", 10, 4
        scoring.table(folder, items.SETS, sizes, count, bars)
        print()
        generation.table(folder, rows, bars)
    bars.print()
    machine.print_machine()


if __name__ == "__main__":
    main()
