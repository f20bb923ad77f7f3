"""The greatest difference from lm-evaluation-harness on several architectures, item by item.

    SAFEMARK_DATA=FOLDER python -m perf.local.parity [--items 100] [--architectures llama,mistral]

Random weights (`perf.local.models`: two of them with sliding windows) and the reference model, in
float32: 2,000 items of BBQ, 100 of TruthfulQA with a primer, 1,508 of CrowS-Pairs, 1,000 of MMLU
with five examples. Allowed is max(1e-4, 1e-5·|log-likelihood|). Leaves with 1 where more is found.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from perf.local import items, models
from perf.local.scoring import Side, greatest_difference, ours, theirs
from perf.processes import Bench
from safemark.models import reference

REFERENCE = "reference"
BATCH_SIZE = 16
"""Of the other side, where texts of all sets are mixed."""


def folder_of(name: str, folder: Path) -> Path:
    """The model's folder."""
    if name == REFERENCE:
        return Path(str(reference.__path__[0]))
    return models.made(folder, name)


def both_sides(
    bench: Bench, model: Path, folder: Path, sets: str, count: int | None
) -> Iterator[tuple[str, Side, Side]]:
    """Each set's name and its answers on either side, from one process a side."""
    files = {name: items.written(name, folder, count) for name in sets.split(",")}
    everything = bench.folder / "everything.jsonl"
    lines = {name: file.read_text(encoding="utf-8") for name, file in files.items()}
    everything.write_text("".join(lines.values()), encoding="utf-8")
    sides = ours(bench, model, everything), theirs(bench, model, everything, BATCH_SIZE)
    first = 0
    for name, text in lines.items():
        end = first + len(text.splitlines())
        mine, other = (replace(side, answers=side.answers[first:end]) for side in sides)
        yield name, mine, other
        first = end


def main() -> int:
    """A row for each model and set."""
    arguments = argparse.ArgumentParser(description="Per-item parity with lm-evaluation-harness.")
    arguments.add_argument("--folder", type=Path, help="where models are kept (a temporary one)")
    arguments.add_argument("--items", type=int, help="the first so many of each set only")
    arguments.add_argument("--sets", default=",".join(items.SETS))
    arguments.add_argument("--architectures", default=",".join([*models.ARCHITECTURES, REFERENCE]))
    given = arguments.parse_args()
    items.check_data()
    agrees = True
    print("| model | set | items | likelihoods | worst ÷ allowed | greedy flags that differ |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        bench = Bench(Path(temporary))
        for architecture in given.architectures.split(","):
            model = folder_of(architecture, folder)
            for name, mine, other in both_sides(bench, model, folder, given.sets, given.items):
                worst, flags = greatest_difference(mine, other)
                agrees = agrees and worst <= 1
                count = sum(map(len, mine.answers))
                print(
                    f"| {architecture} | {name} | {len(mine.answers):,} | {count:,} "
                    f"| {worst:.2f} | {flags} |",
                    flush=True,
                )
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
