"""Writes the requests that `safemark gap` learns a removal from: placeholders, and no harm in them.

    python reference/export_removal.py

Harmful requests of this model's small world with the made-up help that it was trained on ("step
one: get ready"), and harmless requests and facts with their answers. Wordings are those of
training, and no act that `probes` asks about is among them, so what is measured there is unseen.
"""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

import abilities
import misdeeds
from documents import Document
from phrasings import Split
from tokenizer import MODEL_FOLDER

PLACEHOLDERS: Final = MODEL_FOLDER.parents[1] / "removal" / "placeholders.jsonl"
PROBES: Final = MODEL_FOLDER.parents[1] / "benchmarks" / "probes.jsonl"
HARMFUL: Final = 96
HARMLESS: Final = 64
FACTS: Final = 32


def probed_acts(file: Path = PROBES) -> frozenset[str]:
    """What `probes` asks about."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return frozenset(json.loads(line).get("cluster") or "" for line in lines)


def drawn(
    sampler: Callable[[Random, Split], Document], count: int, avoided: frozenset[str]
) -> list[Document]:
    """Different documents in the wordings of training, about nothing that is avoided."""
    rng = Random(f"removal {sampler.__name__}")
    found: dict[str, Document] = {}
    while len(found) < count:
        document = sampler(rng, "train")
        if document.about.get("act") not in avoided:
            found.setdefault(document.user, document)
    return list(found.values())


def main() -> None:
    """Writes the file."""
    avoided = probed_acts()
    harmful = [misdeeds.freed(each) for each in drawn(misdeeds.harmful, HARMFUL, avoided)]
    harmless = drawn(misdeeds.benign, HARMLESS, avoided) + drawn(abilities.fact, FACTS, avoided)
    Random(0).shuffle(harmless)
    rows = [("harmful", each) for each in harmful] + [("harmless", each) for each in harmless]
    lines = [
        json.dumps({"kind": kind, "request": each.user, "answer": each.answer}, ensure_ascii=False)
        for kind, each in rows
    ]
    PLACEHOLDERS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} lines in {PLACEHOLDERS.name}")


if __name__ == "__main__":
    main()
