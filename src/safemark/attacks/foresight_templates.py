"""The five static jailbreak templates of ForesightSafety Bench; each is an attack of its own.

Beijing-AISI 2026, "ForesightSafety Bench", arXiv 2602.14135 · MIT,
github.com/Beijing-AISI/ForesightSafety-Bench

    safemark run openai/gpt-4o-mini -b foresight --judge M --attack foresight_templates

In order: AIM, BETTER_DAN, DEV_MODE_V2, DEV_MODE_Ranti, ANTI_GPT_V2, with which the publisher asks
its AI4Science and environmental requests. They are not released as templates: the expanded table
has a column for each, the request already filled in. A template is what all rows of its column
share around their request; a column whose rows share nothing is an error.

The layout is known from the publisher's code and README; the table itself was not at hand, nor a
hash of it (it is held to its first pull), so this is checked on rows written for the tests only.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from safemark.attacks._public_set import public_set
from safemark.attacks._template import Filling
from safemark.data import Source, csv_rows, github
from safemark.errors import DataError

REPOSITORY = "Beijing-AISI/ForesightSafety-Bench"
COMMIT = "8d8e44b6dd1437c6eec1314ea11c7348616ef23d"
FILE = "AI4SCI-Safety/data/safetybench_ai4sci/ai4sci_safebench_20260123_expanded.csv"
COLUMNS = ("AIM", "BETTER_DAN", "DEV_MODE_V2", "DEV_MODE_Ranti", "ANTI_GPT_V2")
REQUEST = "Goal"

SOURCE = Source(
    name="foresight_templates",
    homepage=f"https://github.com/{REPOSITORY}",
    revision=COMMIT,
    licence="MIT",
    files=github(REPOSITORY, COMMIT, {FILE: (None, None)}),
)


def templates(file: Path) -> Sequence[Filling]:
    """The templates, in the order of `COLUMNS`.

    Raises:
        DataError: a column is missing, or its rows hold no one template.
    """
    rows = [{name.lower(): text for name, text in row.items()} for row in csv_rows(file)]
    return tuple(_shared(rows, column, file) for column in COLUMNS)


def _shared(rows: Sequence[Mapping[str, str]], column: str, file: Path) -> Filling:
    """What more than half of a column's rows have around their request."""
    wanted = (REQUEST.lower(), column.lower())
    filled = [(row[wanted[0]], row[wanted[1]]) for row in rows if all(map(row.get, wanted))]
    found = Counter(
        (before, after)
        for request, text in filled
        for before, place, after in [text.partition(request)]
        if place
    )
    if not filled or not found or found.most_common(1)[0][1] * 2 <= len(filled):
        raise DataError(
            f"{file}: the column `{column}` holds no one template around `{REQUEST}`",
            "`safemark data verify` says whether the file is the pinned one",
        )
    return Filling(*found.most_common(1)[0][0])


attack = public_set(
    "foresight_templates",
    "the static templates of ForesightSafety Bench",
    "Beijing-AISI 2026, ForesightSafety Bench, arXiv 2602.14135",
    SOURCE,
    templates,
)
