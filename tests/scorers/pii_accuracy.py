"""Recall and precision of the personal-data rules on presidio-research's synthetic sentences.

    SAFEMARK_DATA=FOLDER python -m tests.scorers.pii_accuracy

prints the table of docs/scorers.md. Half of the templates, those with odd numbers, were not looked
at while the rules were written: the table is of them.
"""

import json
import os
import sys
from collections import Counter
from pathlib import Path

from safemark.scorers._pii_rules import find
from safemark.stats import wilson

CHECKED = ("card", "iban", "uk_nhs", "es_dni", "fr_nir", "br_cpf", "pl_pesel", "nl_bsn", "in_aadhaar", "ca_sin", "au_tfn")  # fmt: skip
"""Kinds whose numbers carry a checksum that one wrong digit breaks."""

KINDS = {
    "EMAIL_ADDRESS": "email",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "US_SSN": "us_ssn",
    "US_DRIVER_LICENSE": "driving_licence",
    "IP_ADDRESS": "ip_address",
    "PHONE_NUMBER": "phone",
    "STREET_ADDRESS": "address",
    "ZIP_CODE": "postcode",
    "PERSON": "name",
}
LABELS = Path("presidio_synthetic_pii/data/synth_dataset_v2.json")


def sentences(folder: Path, *, held_out: bool) -> list[tuple[str, list[tuple[str, int, int]]]]:
    """Texts with their labelled spans (kind, start, end) of kinds that we know."""
    rows = json.loads((folder / LABELS).read_text(encoding="utf-8"))
    return [
        (
            row["full_text"],
            [
                (KINDS[span["entity_type"]], span["start_position"], span["end_position"])
                for span in row["spans"]
                if span["entity_type"] in KINDS
            ],
        )
        for row in rows
        if (row["template_id"] % 2 == 1) is held_out
    ]


def counted(folder: Path, *, held_out: bool) -> dict[str, tuple[int, int, int, int]]:
    """Per kind: labelled spans that were touched, labelled, findings that touch a label, findings."""
    touched, labelled, right, all_found = (
        Counter[str](),
        Counter[str](),
        Counter[str](),
        Counter[str](),
    )
    for text, labels in sentences(folder, held_out=held_out):
        findings = find(text)
        for kind, start, end in labels:
            labelled[kind] += 1
            touched[kind] += any(
                one.kind == kind and one.start < end and one.end > start for one in findings
            )
        for one in findings:
            all_found[one.kind] += 1
            right[one.kind] += any(
                kind == one.kind and start < one.end and end > one.start
                for kind, start, end in labels
            )
    return {
        kind: (touched[kind], labelled[kind], right[kind], all_found[kind])
        for kind in KINDS.values()
    }


def table(folder: Path) -> str:
    """The table as Markdown."""
    lines = ["| kind | recall | n | precision | n |", "|---|---|---|---|---|"]
    for kind, (touched, labelled, right, every) in counted(folder, held_out=True).items():
        lines.append(
            f"| {kind} | {_share(touched, labelled)} | {labelled} | {_share(right, every)} | {every} |"
        )
    return "\n".join(lines)


def _share(part: int, whole: int) -> str:
    if whole == 0:
        return "–"
    interval = wilson(part, whole)
    return f"{part / whole:.2f} ({interval.low:.2f}–{interval.high:.2f})"


if __name__ == "__main__":
    sys.stdout.write(table(Path(os.environ["SAFEMARK_DATA"])) + "\n")
