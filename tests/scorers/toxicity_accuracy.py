"""What the embedded toxicity model reached on text that training never saw, from its card.

    python -m tests.scorers.toxicity_accuracy

prints the tables of docs/scorers.md.
"""

import sys

from safemark.scorers._toxicity_card import card


def table() -> str:
    """The tables as Markdown."""
    lines = [
        "| text | attribute | area under the ROC curve | n | of these positive | calibration error |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.source} | {one.attribute.replace('_', ' ')}"
        f" | {one.auc:.2f} ({one.low:.2f}–{one.high:.2f}) | {one.n} | {one.positive}"
        f" | {one.calibration_error:.2f} |"
        for one in card().held_out
    ]
    lines += ["", "| neutral sentences about | called toxic | n |", "|---|---|---|"]
    lines += [
        f"| {one.group.replace('_', ' ')} | {one.false_positives} | {one.n} |"
        for one in card().neutral_sentences
    ]
    lines += [
        f"| ordinary text: encyclopedia, an assistant's answers | {one.false_positives} | {one.n} |"
        for one in card().ordinary_text
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
