"""What the store is given and gives: runs, parts, entries, and what continuing needs to know."""

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from safemark.types import Ask, JudgeUse, Sample, Score, Transcript


class RunBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of a run beside its columns."""

    safemark: str
    spec: dict[str, Any]
    identity_detail: dict[str, str] = {}
    model_notes: tuple[str, ...] = ()
    environment: dict[str, Any] = {}
    not_covered: tuple[tuple[str, str], ...] = ()
    served: tuple["Served", ...] = ()
    judges: tuple[JudgeUse, ...] = ()


class Served(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who said that it answered: the model name and fingerprint in ``replies`` replies."""

    model: str | None = None
    fingerprint: str | None = None
    replies: int = 0


class EarlyStop(msgspec.Struct, frozen=True):
    """How the asking of a part ended before all of its samples: its headlines were decided.

    decides: ``light``, or ``gate``: only whether a light is red.
    largest: by headline metric, the most rows of one cluster that it speaks of.
    planned: samples times repeats that asking everything would have been.
    error: of each decision, however often it was looked at.
    """

    decides: str
    largest: dict[str, int]
    planned: int
    error: float


class AttackBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of the attack of a part: its id with versions and helpers, and its settings."""

    id: str
    title: str = ""
    kind: Literal["attack", "perturbation"] = "attack"
    source: str = ""
    queries: int = 1
    helped_by: tuple[str, ...] = ()
    settings: dict[str, str | int | float | bool] = {}


class Size(msgspec.Struct, frozen=True, array_like=True):
    """So many samples of a category ("" for none) that a metric counts, all of them in a group."""

    category: str
    group: str | None
    n: int


class PartBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of one benchmark × attack of a run.

    ``planned`` counts the samples (times repeats) that were to be asked, by category ("" where
    a sample has none), so that what was never asked is counted where it belongs; each was to be
    asked ``repeats`` times. ``sizes`` tell of each metric how many of the samples it counts, of
    every sample once; a metric that they do not name, or a run from before there were any, is not
    known.
    """

    planned: dict[str, int]
    scorer: str
    scorer_version: str
    judge: str = ""
    in_benchmark: int | None = None
    selection: str = "all"
    partial: str | None = None
    digests: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    ask: Ask = Ask()
    early_stop: EarlyStop | None = None
    repeats: int = 1
    attack: AttackBody | None = None
    sizes: dict[str, tuple[Size, ...]] = {}


class Text(msgspec.Struct, frozen=True):
    """The text half of a record."""

    sample: Sample
    transcript: Transcript


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as the store knows it."""

    id: str
    spec_key: str
    status: str
    status_why: str
    started: str
    finished: str | None
    model: str
    identity: str
    body: RunBody


@dataclass(frozen=True, slots=True)
class StoredPart:
    """One benchmark × attack of a run."""

    id: int
    run_id: str
    benchmark: str
    version: str
    asked: str
    attack: str
    body: PartBody


@dataclass(frozen=True, slots=True)
class Kept:
    """What continuing needs to know of one stored sample."""

    ask_key: bytes
    transcript_absent: str | None
    is_scored: bool
    score_absent: str | None


@dataclass(frozen=True, slots=True)
class StoredScorer:
    """Who judged: a scorer in one version, with one judge ("" where rules judge)."""

    id: int
    name: str
    version: str
    judge: str

    @property
    def words(self) -> str:
        """Name, version and judge, as a person reads them."""
        return f"{self.name} {self.version}" + (f" by {self.judge}" if self.judge else "")


@dataclass(frozen=True, slots=True)
class Entry:
    """One finished sample on its way into the store; ``replaces`` an earlier, absent try.

    ``further`` are the scores of scorers beside the benchmark's, by scorer id.
    """

    part_id: int
    position: int
    ask_key: bytes
    sample: Sample
    repeat: int
    transcript: Transcript
    scorer_id: int
    score: Score
    replaces: bool = False
    further: tuple[tuple[int, Score], ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Sums over a run's transcripts; None where no reply told."""

    requests: int
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    seconds: float
    retries: int | None = None
    waited_s: float | None = None


def now() -> str:
    """This moment in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_run_id() -> str:
    """A fresh id that sorts by time: ``YYYYMMDD-HHMMSS-fffffxx``, ``f`` the second's fraction."""
    seconds, rest = divmod(time.time_ns(), 10**9)
    moment = time.strftime("%Y%m%d-%H%M%S", time.gmtime(seconds))
    return f"{moment}-{rest * 2**20 // 10**9:05x}{os.urandom(1).hex()}"
