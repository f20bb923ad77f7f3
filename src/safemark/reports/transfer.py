"""Attacks against models: who is reached by what, of several runs; and a run's files for HarmBench.

A pure reader. A row is one attack on one benchmark, a column one run; a cell is an attack success
rate with its interval, never pooled.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from safemark.attacks._stored import HARMBENCH, Exported, completions, results, test_cases
from safemark.attacks._success import ASR
from safemark.attacks.transfer import strings_of
from safemark.errors import StoreError, UsageError
from safemark.reports.document import Document, MetricDocument
from safemark.reports.templates.wording import metric_named
from safemark.store import Store, StoredRun


class MatrixRow(msgspec.Struct, frozen=True):
    """One attack on one benchmark; ``cells`` are those of the runs, null where one did not do it.

    ``source`` is whose strings they are and ``there`` their rate at that source, where it is a
    transfer.
    """

    benchmark: str
    asked: str
    attack: str
    source: str | None
    there: float | None
    cells: list[MetricDocument | None]


class Matrix(msgspec.Struct, frozen=True):
    """Attacks × runs."""

    runs: list[str]
    models: list[str]
    rows: list[MatrixRow]


def matrix(documents: Sequence[Document]) -> Matrix:
    """Every attack of the runs, in the order in which they come.

    Raises:
        UsageError: none of them made an attack.
    """
    keys: dict[tuple[str, str, str], tuple[str | None, float | None]] = {}
    cells: dict[tuple[tuple[str, str, str], int], MetricDocument] = {}
    for place, document in enumerate(documents):
        for part in document.benchmarks:
            rate = metric_named(part, ASR)
            if part.attacked is None or rate is None:
                continue
            key = (part.name, part.asked, part.attack)
            settings = part.attacked.settings
            there = settings.get("source_success_rate")
            source = settings.get("transfer_source")
            keys[key] = (
                None if source is None else str(source),
                float(there) if isinstance(there, int | float) else None,
            )
            cells[key, place] = rate
    if not keys:
        raise UsageError("none of these runs made an attack", "safemark run … --attack NAME")
    return Matrix(
        runs=[document.run for document in documents],
        models=[document.model.name for document in documents],
        rows=[
            MatrixRow(*key, *about, [cells.get((key, i)) for i in range(len(documents))])
            for key, about in keys.items()
        ],
    )


_SLUG = re.compile(r"[^A-Za-z0-9._-]+")


def export_harmbench(store: Store, run: StoredRun, folder: Path) -> list[Path]:
    """Write a run's attacks as HarmBench lays them out; the files that were written.

        METHOD/test_cases/test_cases.json        what was sent, by behaviour
        METHOD/completions/MODEL.json            with what came back
        METHOD/results/MODEL.json                with labels; null where an outcome is absent

    METHOD is the attack's name without signs that a path could not hold; a second part that would
    come to the same place is named by its way of asking and its number in the run too.

    Raises:
        UsageError: the run asked nothing of HarmBench or another benchmark by reply.
        StoreError: a file cannot be written.
    """
    written: list[Path] = []
    places: set[Path] = set()
    model = _slug(run.model)
    for part in store.parts(run.id):
        rows = [
            Exported(sample.removeprefix(HARMBENCH), strings)
            for sample, strings in strings_of(store, part, every=True)
            if strings
        ]
        if not rows:
            continue
        method = "DirectRequest" if part.body.attack is None else _slug(part.attack)
        place = folder / _slug(part.benchmark) / method
        if place in places:
            place = folder / _slug(f"{part.benchmark}-{part.asked}-{part.id}") / method
        places.add(place)
        written += [
            _write(place / "test_cases" / "test_cases.json", test_cases(rows)),
            _write(place / "completions" / f"{model}.json", completions(rows)),
            _write(place / "results" / f"{model}.json", results(rows)),
        ]
    if not written:
        raise UsageError(f"run {run.id} holds no reply to write", "`safemark show RUN` shows it")
    return written


def _slug(name: str) -> str:
    return _SLUG.sub("-", name).strip("-") or "unnamed"


def _write(path: Path, found: Any) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2))
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror}", "name a folder you may write to"
        ) from error
    return path
