"""Builds the reference model from nothing: tokenizer, training in two stages, measurement, card.

    python reference/build.py

About an hour and three quarters on two CPU cores with AMX (see CARD.md). With the same seed, thread
count, processor kind and torch version the weights come out alike.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
STAGES: Final = (
    ("tokenizer.py",),
    ("train.py", "--steps", "2700", "--drill-steps", "450"),
    ("train.py", "--continue", "--steps", "2400", "--peak-rate", "1e-3", "--drill-steps", "0"),
    ("measure.py", "--split", "card"),
    ("card.py",),
)


def main() -> None:
    for stage in STAGES:
        print("$", *stage, flush=True)
        subprocess.run([sys.executable, str(FOLDER / stage[0]), *stage[1:]], check=True)


if __name__ == "__main__":
    main()
