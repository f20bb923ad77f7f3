"""Which stored records people are asked to label.

Some are drawn by lot: rates are taken from these alone. Some are those that teach most: scorers
disagree, one could not say, or a number lies near its threshold. They are easy prey for the judge's
errors and would make any rate look worse than it is, so they are marked and kept apart.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from safemark.store import Drawn, Store, StoredPart
from safemark.types import Reason, Row

NEAR = 0.25
"""A number so close to its threshold is near it."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A record to label, and how it came to be proposed."""

    part_id: int
    position: int
    drawn: Drawn


def proposed(
    store: Store,
    parts: Sequence[StoredPart],
    outcome: str,
    *,
    by_lot: int,
    teaching: int,
    threshold: float = 0.5,
    seed: int = 0,
) -> tuple[Proposed, ...]:
    """Records of these parts that hold a reply: ``by_lot`` drawn by lot, then the most teaching.

    The lot is the same for everybody, and a larger one begins with the smaller.

    Args:
        outcome: the one that people label.
        threshold: from which on an outcome that is a number counts as yes.
    """
    candidates = [(part.id, place) for part in parts for place in _answered(store, part)]
    random.Random(f"{seed}/{[part.id for part in parts]}").shuffle(candidates)
    lot, rest = candidates[:by_lot], candidates[by_lot:]
    worth = {
        (part.id, place): value
        for part in parts
        for place, value in _worth(store, part, outcome, threshold).items()
    }
    hard = sorted((key for key in rest if worth.get(key, 0.0) > 0.0), key=lambda key: -worth[key])
    return (
        *(Proposed(*key, "random") for key in lot),
        *(Proposed(*key, "teaching") for key in hard[:teaching]),
    )


def _answered(store: Store, part: StoredPart) -> list[int]:
    kept = store.kept(part.id, 0)
    return sorted(place for place, found in kept.items() if found.transcript_absent is None)


def _worth(store: Store, part: StoredPart, outcome: str, threshold: float) -> dict[int, float]:
    """How much a label of each record would teach, 0 … 1, by position."""
    places = sorted(store.kept(part.id, 0))
    by_scorer = [store.rows(part, scorer.id) for scorer in store.scorers(part.id)]
    return {
        place: _of_record([rows[i] for rows in by_scorer], outcome, threshold)
        for i, place in enumerate(places)
    }


def _of_record(rows: Sequence[Row], outcome: str, threshold: float) -> float:
    said = [row.outcomes.get(outcome) for row in rows if row.absent is None]
    words = {value for value in said if isinstance(value, str | bool)}
    if len(words) > 1:
        return 1.0
    if any(row.absent in (Reason.CANNOT_SAY, Reason.UNPARSED_VERDICT) for row in rows):
        return 0.9
    numbers = [v for v in said if isinstance(v, int | float) and not isinstance(v, bool)]
    distances = [abs(number - threshold) for number in numbers]
    nearest = min(distances, default=NEAR)
    return 0.8 * (1.0 - nearest / NEAR) if nearest < NEAR else 0.0
