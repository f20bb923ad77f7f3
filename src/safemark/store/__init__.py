"""The memory: runs, their parts, transcripts, texts and scores in SQLite or PostgreSQL.

Numbers lie in columns apart from text, so that a report over many records reads no text. What is
written is committed before it is counted as stored; a killed process loses nothing that was. Who
asks and who judges is not known here.

    nouns.py      what is given and gotten: StoredRun, StoredPart, Entry, Kept …
    tables.py     the tables, as the migrations make them
    database.py   opening, migrating, reading and writing, and what can go wrong with a disk
    columns.py    from records to columns
    outcomes.py   a part's outcomes in columns, for readers of many records
    batches.py    what was handed in to a provider for later
    calibrations.py  how often scorers err, and the labels that people gave
    records.py    Store
"""

from safemark.store.batches import BatchJob, Line
from safemark.store.calibrations import Annotation, Calibration, Cell, Drawn, Flips
from safemark.store.columns import encoded
from safemark.store.nouns import (
    AttackBody,
    EarlyStop,
    Entry,
    Kept,
    PartBody,
    RunBody,
    Served,
    Size,
    StoredPart,
    StoredRun,
    StoredScorer,
    Text,
    Usage,
    new_run_id,
    now,
)
from safemark.store.outcomes import Kind, Outcomes
from safemark.store.records import Store
from safemark.store.tables import HEAD, metadata

__all__ = [
    "HEAD",
    "Annotation",
    "AttackBody",
    "BatchJob",
    "Calibration",
    "Cell",
    "Drawn",
    "EarlyStop",
    "Entry",
    "Flips",
    "Kept",
    "Kind",
    "Line",
    "Outcomes",
    "PartBody",
    "RunBody",
    "Served",
    "Size",
    "Store",
    "StoredPart",
    "StoredRun",
    "StoredScorer",
    "Text",
    "Usage",
    "encoded",
    "metadata",
    "new_run_id",
    "now",
]
