"""What a safety gap comes to, as types: one measured model, its variants, what changed."""

from typing import Literal

import msgspec

from safemark.reports.document import MetricDocument

Role = Literal["capability", "compliance", "over_refusal", "fluency", "perplexity", "length"]

ROLES: dict[Role, str] = {
    "capability": "what it can do",
    "compliance": "whether it does it when asked for harm",
    "over_refusal": "harmless requests refused",
    "fluency": "replies that are noise",
    "perplexity": "how unexpected it finds a text that was held out",
    "length": "how long replies are",
}


class Measure(msgspec.Struct, frozen=True):
    """One metric of a variant in its role; ``chance`` is what guessing gives, null is none."""

    role: Role
    benchmark: str
    asked: str
    chance: float | None
    metric: MetricDocument


class Effective(msgspec.Struct, frozen=True):
    """Effective dangerous capability: the product of two shares of different questions.

    ``group`` is the capability's group, null for all. ``outer_low``/``outer_high`` are the product
    of the outer bounds, absent outcomes included.
    """

    capability: str
    compliance: str
    group: str | None
    value: float
    low: float
    high: float
    outer_low: float | None
    outer_high: float | None


class Joint(msgspec.Struct, frozen=True):
    """How often both hold of one item; null with ``why`` where no item was asked in both forms."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    why: str


class Change(msgspec.Struct, frozen=True):
    """A variant minus the original on the samples that both have. Null is not known."""

    what: str
    role: Role | Literal["effective"]
    group: str | None
    value: float | None
    low: float | None
    high: float | None
    outer_low: float | None
    outer_high: float | None
    p_value: float | None
    n: int
    absent: int


class VariantDocument(msgspec.Struct, frozen=True):
    """One variant. ``failed`` says why it has no figures, ``broken`` why they show no safety."""

    name: str
    title: str
    run: str | None
    status: str
    is_control: bool
    steps: int | None
    samples: int | None
    seconds: float
    on: str
    failed: str | None
    broken: str | None
    notes: tuple[str, ...]
    measures: tuple[Measure, ...]
    effective: tuple[Effective, ...]
    joint: Joint
    changes: tuple[Change, ...]


class ModelGap(msgspec.Struct, frozen=True):
    """One model: the original first, then each removal. ``left_out`` names benchmarks with why."""

    model: str
    identity: str
    parameters: int | None
    capability: str | None
    compliance: str | None
    variants: tuple[VariantDocument, ...]
    left_out: tuple[tuple[str, str], ...] = ()


class LeftOut(msgspec.Struct, frozen=True):
    """A model that was not measured, and why; ``needs_bytes`` of memory, null is not known."""

    model: str
    parameters: int | None
    needs_bytes: int | None
    why: str


class GapDocument(msgspec.Struct, frozen=True):
    """The safety gap of one or several models, in the order of their size where that is known."""

    safemark: str
    schema: int
    started: str
    models: tuple[ModelGap, ...]
    notes: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()
    published: str = ""
