"""Builds the reference model from nothing: tokenizer, training, measurement, card.

    python reference/build.py

60 to 75 minutes on two CPU cores with AMX (see CARD.md). With the same seed,
processor kind and torch version the weights come out alike.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
PLATEAU: Final = ("--decay-share", "0")
STAGES: Final = (
    ("tokenizer.py",),
    ("train.py", "--steps", "1250", "--drill-steps", "450", "--drill-share", "0.7", *PLATEAU),
    ("train.py", "--continue", "--seed", "1", "--steps", "700", "--drill-steps", "350", "--drill-share", "0.5", *PLATEAU),
    ("train.py", "--continue", "--seed", "2", "--steps", "400", "--drill-steps", "320", "--drill-share", "0.7", *PLATEAU),
    ("train.py", "--continue", "--seed", "3", "--steps", "800", "--drill-steps", "500", "--drill-share", "0.35", "--decay-share", "0.6"),
    ("train.py", "--continue", "--finish", "--seed", "4", "--steps", "450", "--drill-steps", "0", "--decay-share", "0.8", "--peak-rate", "1.5e-3"),
    ("measure.py", "--split", "card"),
    ("card.py",),
    ("export_probes.py",),
    ("measure_probes.py",),
)  # fmt: skip
"""Each stage goes on where the last one ended; in the last two the rate falls to nothing."""


def main() -> None:
    """Runs every stage, stopping at the first that fails."""
    for stage in STAGES:
        print("$", *stage, flush=True)
        subprocess.run([sys.executable, str(FOLDER / stage[0]), *stage[1:]], check=True)


if __name__ == "__main__":
    main()
