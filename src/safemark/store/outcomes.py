"""What a part's records came to, in columns: one code a record, and the distinct kinds beside it.

Metrics read category, facets and outcomes only, and few of these differ: a hundred thousand
records have some hundred kinds. A kind is decoded once, a record costs a code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from safemark.store.tables import SCORE, TRANSCRIPT
from safemark.types import Reason, Row, Scalar

Codes = npt.NDArray[np.int32]

_AT_ONCE = 5_000


class Kind(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a metric may read of a record, the sample's id apart."""

    category: str | None = None
    facets: Mapping[str, Scalar] = {}
    outcomes: Mapping[str, Scalar] = {}
    absent: Reason | None = None

    @property
    def row(self) -> Row:
        """A row of that kind, of no sample in particular."""
        return Row("", 0, self.category, None, self.facets, self.outcomes, self.absent)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The records of a part in the order of the benchmark, (n,) each.

    ``kind`` indexes ``kinds``; ``cluster`` names what a sample shares with others, None where it
    is its own.
    """

    sample: tuple[str, ...]
    repeat: Codes
    cluster: tuple[str | None, ...]
    kind: Codes
    kinds: tuple[Kind, ...]

    def __len__(self) -> int:
        return len(self.sample)


def read_outcomes(connection: Connection, part_id: int, scorer_id: int) -> Outcomes:
    """The records of a part as one scorer judged them."""
    query = (
        sa.select(
            TRANSCRIPT.c.sample_id,
            TRANSCRIPT.c.repeat,
            TRANSCRIPT.c.cluster,
            TRANSCRIPT.c.category,
            TRANSCRIPT.c.facets,
            SCORE.c.outcomes,
            TRANSCRIPT.c.absent,
            SCORE.c.absent,
        )
        .select_from(
            TRANSCRIPT.outerjoin(
                SCORE,
                sa.and_(
                    SCORE.c.part_id == TRANSCRIPT.c.part_id,
                    SCORE.c.position == TRANSCRIPT.c.position,
                    SCORE.c.scorer_id == scorer_id,
                ),
            )
        )
        .where(TRANSCRIPT.c.part_id == part_id)
        .order_by(TRANSCRIPT.c.position)
    )
    samples: list[str] = []
    clusters: list[str | None] = []
    repeats: list[Codes] = []
    codes: list[Codes] = []
    known: dict[tuple[Any, ...], int] = {}
    shared: dict[str | None, str | None] = {}
    found = connection.execution_options(yield_per=_AT_ONCE).execute(query)
    for batch in found.partitions(_AT_ONCE):
        sample, repeat, cluster, *kind = zip(*batch, strict=True)
        samples += sample
        clusters += map(shared.setdefault, cluster, cluster)
        repeats.append(np.fromiter(repeat, np.int32, len(batch)))
        keys = zip(*kind, strict=True)
        codes.append(
            np.fromiter((known.setdefault(k, len(known)) for k in keys), np.int32, len(batch))
        )
    empty = np.zeros(0, np.int32)
    return Outcomes(
        tuple(samples),
        np.concatenate(repeats) if repeats else empty,
        tuple(clusters),
        np.concatenate(codes) if codes else empty,
        tuple(map(_kind, known)),
    )


_CELLS = msgspec.json.Decoder(dict[str, str | int | float | bool | None])


def _kind(columns: tuple[Any, ...]) -> Kind:
    category, facets, outcomes, unanswered, unscored = columns
    reason = unanswered or unscored or (Reason.NOT_ASKED if outcomes is None else None)
    return Kind(
        category=category,
        facets=_CELLS.decode(facets),
        outcomes=_CELLS.decode(outcomes) if outcomes else {},
        absent=Reason(reason) if reason else None,
    )
