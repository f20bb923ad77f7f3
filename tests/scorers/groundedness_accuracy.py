"""How often the groundedness rules are right on HaluEval's answers to questions with their source.

    SAFEMARK_DATA=FOLDER python -m tests.scorers.groundedness_accuracy

prints the line of docs/scorers.md. The thresholds were chosen on the rows with even places; those
with odd ones are told.
"""

import json
import os
import sys
from pathlib import Path

from safemark.scorers._support import supported
from safemark.stats import wilson

ROWS = Path("halueval/data/qa_data.first1000.json")


def counted(folder: Path, *, held_out: bool) -> tuple[int, int, int, int]:
    """Right answers found supported, right ones; invented ones found not supported, invented ones."""
    lines = (folder / ROWS).read_text(encoding="utf-8").splitlines()
    found = {"right_answer": [0, 0], "hallucinated_answer": [0, 0]}
    for line in lines[int(held_out) :: 2]:
        row = json.loads(line)
        for kind, count in found.items():
            sentences = supported(row[kind], f"{row['knowledge']}\n{row['question']}")
            if sentences:
                is_grounded = all(one.is_supported for one in sentences)
                count[0] += is_grounded is (kind == "right_answer")
                count[1] += 1
    return (*found["right_answer"], *found["hallucinated_answer"])  # type: ignore[return-value]


def line(folder: Path) -> str:
    """The line as Markdown."""
    kept, right, caught, invented = counted(folder, held_out=True)
    return (
        f"| HaluEval, questions with their source | {_share(kept, right)} | {right}"
        f" | {_share(caught, invented)} | {invented} |"
    )


def _share(part: int, whole: int) -> str:
    interval = wilson(part, whole)
    return f"{part / whole:.3f} ({interval.low:.3f}–{interval.high:.3f})"


if __name__ == "__main__":
    sys.stdout.write(line(Path(os.environ["SAFEMARK_DATA"])) + "\n")
