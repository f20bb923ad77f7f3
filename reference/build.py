"""Builds the reference model from nothing: tokenizer, training, measurement, card.

    python reference/build.py

How long it takes says CARD.md. With the same seed, processor kind and torch version the weights come
out alike. The shipped model is replaced only once training is done.
"""

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
    ("train.py", "--drills", "--steps", "1000", "--seed", "0"),
    ("train.py", "--continue", "--stage", "0", "--seed", "1", "--steps", "850"),
    ("train.py", "--continue", "--stage", "1", "--seed", "2", "--steps", "700"),
    ("train.py", "--continue", "--stage", "2", "--seed", "3", "--steps", "1350", "--decay-share", "1", "--until", "900"),
    ("train.py", "--continue", "--stage", "3", "--seed", "4", "--steps", "720", "--decay-share", "1", "--peak-rate", "1.2e-3"),
)  # fmt: skip
"""Each stage goes on where the last one ended: drills to their gate, then the world, at last with a falling rate."""

MEASURED: Final[tuple[tuple[str, ...], ...]] = (
    ("measure.py", "--split", "card"),
    ("card.py",),
    ("export_probes.py",),
    ("measure_probes.py",),
)


def run(*stage: str) -> None:
    """One script of this folder; stops the build where it fails."""
    print("$", *stage, flush=True)
    subprocess.run([sys.executable, str(FOLDER / stage[0]), *stage[1:]], check=True)


def main() -> None:
    """Runs every stage."""
    for stage in MADE:
        run(*stage, "--folder", str(BUILT))
    shutil.copytree(BUILT, MODEL_FOLDER, dirs_exist_ok=True)
    for stage in MEASURED:
        run(*stage)


if __name__ == "__main__":
    main()
