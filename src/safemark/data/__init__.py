"""Public benchmark data: where it comes from, whether it is the pinned bytes, where it lies here.

Looked for in this order: mirrors named by ``SAFEMARK_DATA``, then the cache folder. Nothing is
used before its hash agrees, and nothing is downloaded but by `pull` and `fetch`.

    pinned.py     File, Source, Found, github: what is wanted, what was found
    digests.py    hashes of files, remembered while the file does not change
    locks.py      the sha256 of files whose publisher gives none, from their first pull on
    search.py     mirrors, cache_folder, find
    download.py   pull and fetch
    readers.py    lines, csv_rows, jsonl_rows, table_rows, json_value, yaml_value
"""

from safemark.data.download import NotFetched, Progress, fetch, pull
from safemark.data.pinned import File, Found, Source, github
from safemark.data.readers import csv_rows, json_value, jsonl_rows, lines, table_rows, yaml_value
from safemark.data.search import cache_folder, find, folder_of, mirrors

__all__ = [
    "File",
    "Found",
    "NotFetched",
    "Progress",
    "Source",
    "cache_folder",
    "csv_rows",
    "fetch",
    "find",
    "folder_of",
    "github",
    "json_value",
    "jsonl_rows",
    "lines",
    "mirrors",
    "pull",
    "table_rows",
    "yaml_value",
]
