"""Builds the reference model from nothing: tokenizer, training, measurement, card.

    python reference/build.py

How long it takes says CARD.md. With the same seed, processor kind and torch version the weights come
out alike. The shipped model is replaced only once training is done.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tokenizer import MODEL_FOLDER

FOLDER: Final = Path(__file__).parent
BUILT: Final = FOLDER.parent / "build" / "reference" / "model"
MADE: Final[tuple[tuple[str, ...], ...]] = (
    ("tokenizer.py",),
    ("train.py", "--drills", "0", "2", "--seed", "0", "--steps", "1500"),
    ("train.py", "--drills", "3", "3", "--seed", "1", "--steps", "1500", "--continue"),
    ("train.py", "--stage", "1", "--seed", "2", "--steps", "650", "--gpu-steps", "2000", "--continue"),
    ("train.py", "--drills", "4", "4", "--seed", "3", "--steps", "1500", "--continue"),
    ("train.py", "--stage", "2", "--seed", "4", "--steps", "1100", "--gpu-steps", "4500", "--continue", "--decay-share", "1"),
    ("train.py", "--stage", "3", "--seed", "5", "--steps", "280", "--gpu-steps", "1500", "--continue", "--decay-share", "1", "--peak-rate", "1e-3"),
    ("train.py", "--stage", "4", "--seed", "6", "--steps", "600", "--gpu-steps", "2500", "--continue", "--decay-share", "1", "--peak-rate", "1e-3"),
    ("train.py", "--stage", "5", "--seed", "7", "--steps", "200", "--gpu-steps", "800", "--continue", "--decay-share", "1", "--peak-rate", "6e-4"),
)  # fmt: skip
"""Each stage goes on where the last one ended: drills to their gates, the world,
scenes by letter, and the world again with a falling rate, twice; at last wordings of many parts.
On a GPU a step has four times the rows."""

MEASURED: Final[tuple[tuple[str, ...], ...]] = (
    ("export_probes.py",),
    ("measure_probes.py",),
    ("measure.py", "--split", "card"),
    ("card.py",),
)


def run(*stage: str) -> None:
    """One script of this folder; stops the build where it fails."""
    print("$", *stage, flush=True)
    subprocess.run([sys.executable, str(FOLDER / stage[0]), *stage[1:]], check=True)


def make() -> None:
    """Trains in `build/`, and touches nothing that is shipped."""
    for stage in MADE:
        run(*stage, "--folder", str(BUILT))


def ship() -> None:
    """Puts the trained weights into the package and measures them."""
    shutil.copytree(BUILT, MODEL_FOLDER, dirs_exist_ok=True)
    for stage in MEASURED:
        run(*stage)


def main() -> None:
    """Runs every stage, or those of one part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=("make", "ship"), help="train, or ship what was trained")
    only = parser.parse_args().only
    if only != "ship":
        make()
    if only != "make":
        ship()


if __name__ == "__main__":
    main()
