"""The memory: runs, their parts, transcripts, texts and scores in SQLite or PostgreSQL.

Numbers lie in columns apart from text, so that a report over many records reads no text. What is
written is committed before it is counted as stored; a killed process loses nothing that was. Who
asks and who judges is not known here.

    nouns.py      what is given and gotten: StoredRun, StoredPart, Entry, Kept …
    tables.py     the tables, as the migrations make them
    database.py   opening, migrating, reading and writing, and what can go wrong with a disk
    columns.py    from records to columns
    records.py    Store
"""

from safemark.store.columns import encoded
from safemark.store.nouns import (
    Entry,
    Kept,
    PartBody,
    RunBody,
    StoredPart,
    StoredRun,
    Text,
    Usage,
    new_run_id,
    now,
)
from safemark.store.records import Store
from safemark.store.tables import HEAD, metadata

__all__ = [
    "HEAD",
    "Entry",
    "Kept",
    "PartBody",
    "RunBody",
    "Store",
    "StoredPart",
    "StoredRun",
    "Text",
    "Usage",
    "encoded",
    "metadata",
    "new_run_id",
    "now",
]
