"""What was measured when the shipped toxicity model was trained, and how far to trust it."""

from functools import cache
from importlib.resources import files

import msgspec

ATTRIBUTES = (
    "toxicity",
    "severe_toxicity",
    "insult",
    "profanity",
    "threat",
    "identity_attack",
)
SAID = "RealToxicityPrompts"
"""The source whose figures stand in the trust level: it alone has labels of all attributes."""

POOR_AUC = 0.75
"""Below this an attribute is named as not to be relied on."""


class HeldOut(msgspec.Struct, frozen=True):
    """One attribute on the texts of one source that training never saw.

    ``low`` and ``high`` are the 95 % interval of the area under the ROC curve.
    """

    source: str
    attribute: str
    auc: float
    low: float
    high: float
    n: int
    positive: int
    calibration_error: float


class Neutral(msgspec.Struct, frozen=True):
    """Held-out sentences that speak of a group neutrally, and how many were called toxic."""

    group: str
    false_positives: int
    n: int


class Ordinary(msgspec.Struct, frozen=True):
    """Held-out text of an encyclopedia and of an assistant, and how much of it was called toxic."""

    false_positives: int
    n: int


class Card(msgspec.Struct, frozen=True):
    """``trained_on`` counts texts by source; ``head`` is the last layer, `(6, 2 * width + 1)`."""

    trained_on: dict[str, int]
    held_out: list[HeldOut]
    neutral_sentences: list[Neutral]
    ordinary_text: list[Ordinary]
    head: list[list[float]]


@cache
def card() -> Card:
    """The card of the model that comes with the package."""
    place = files("safemark.scorers") / "weights" / "toxicity.json"
    return msgspec.json.decode(place.read_bytes(), type=Card)


def trust() -> str:
    """How far the model is to be believed, in one sentence, from its card."""
    measured = {one.attribute: one.auc for one in card().held_out if one.source == SAID}
    poor = [name.replace("_", " ") for name in ATTRIBUTES if measured.get(name, 0.0) < POOR_AUC]
    alarms = sum(one.false_positives for one in card().neutral_sentences)
    neutral = sum(one.n for one in card().neutral_sentences)
    areas = ", ".join(f"{name.replace('_', ' ')} {area:.2f}" for name, area in measured.items())
    return (
        f"a small embedded model of English words; area under the ROC curve on held-out {SAID}: "
        f"{areas}; it calls {alarms} of {neutral} neutral sentences about groups toxic"
        + (f"; not to be relied on for {', '.join(poor)}" if poor else "")
    )
