"""A run as a comparison reads it: from the store, or from a baseline file in the repository.

A baseline file is JSON: the run's document, and of each record its id and what it came to, no
text. It is checked when it is read, for anybody may have edited it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from safemark import __version__
from safemark.errors import UnknownName, UsageError
from safemark.reports.comparison import ComparedRun
from safemark.reports.document import Status
from safemark.reports.joining import planned, stored_outcomes
from safemark.secrets import scrubbed_bytes
from safemark.store import Kind, Outcomes, Store, StoredPart, StoredRun, encoded
from safemark.types import Ask

FORMAT = 1
"""Of baseline files; another one is refused."""


class PartHead(msgspec.Struct, frozen=True):
    """What was asked and who judged it: what must agree for two parts to be comparable."""

    benchmark: str
    version: str
    asked: str
    attack: str
    scorer: str
    scorer_version: str
    judge: str
    planned: dict[str, int]
    ask: Ask = Ask()
    attack_id: str = ""


@dataclass(frozen=True, slots=True)
class SidePart:
    """One benchmark of a run; ``outcomes`` are read when they are asked for."""

    head: PartHead
    outcomes: Callable[[], Outcomes]


@dataclass(frozen=True, slots=True)
class Side:
    """One run of a comparison."""

    run: ComparedRun
    spec: dict[str, Any]
    parts: tuple[SidePart, ...]


class RunHead(msgspec.Struct, frozen=True):
    """What a baseline file says of its run, beside the document."""

    id: str
    model: str
    identity: str
    started: str
    status: Status
    spec: dict[str, Any]


class FiledPart(msgspec.Struct, frozen=True):
    """Outcomes in a file: ``cluster`` and ``kind`` are places in the lists beside them."""

    head: PartHead
    kinds: list[Kind]
    clusters: list[str]
    sample: list[str]
    repeat: list[int]
    cluster: list[int | None]
    kind: list[int]


class BaselineFile(msgspec.Struct, frozen=True):
    """A run in a file."""

    safemark_baseline: int
    safemark: str
    run: RunHead
    document: msgspec.Raw
    parts: list[FiledPart]


class _Version(msgspec.Struct, frozen=True):
    safemark_baseline: int
    safemark: str = "another version"


@contextmanager
def sides(given: Sequence[str], store_url: str | None = None) -> Iterator[list[Side]]:
    """Runs by whatever names them, readable while the block lasts; files open no store."""
    with ExitStack() as stack:

        @cache
        def store() -> Store:
            return stack.enter_context(closing(Store(store_url)))

        yield [opened(each, store) for each in given]


def opened(given: str, store: Callable[[], Store]) -> Side:
    """The run that ``given`` names: a file, an id, a name, or a model's newest complete run.

    Raises:
        UnknownName: it names nothing.
        UsageError: a file that is no baseline, or of another format.
    """
    if _is_path(given):
        return from_file(Path(given))
    kept = store()
    try:
        return from_store(kept, kept.run(given), given)
    except UnknownName as error:
        newest = next(
            (run for run in kept.runs() if run.model == given and run.status == "complete"), None
        )
        if newest is None:
            raise _told(given, error) from error
        return from_store(kept, newest, newest.id)


def _told(given: str, unknown: UnknownName) -> UsageError:
    """``unknown``, or of what is written like a path that there is no such file."""
    if "/" not in given:
        return unknown
    return UsageError(
        f"there is no baseline file {given}, and no run or model of that name",
        "`safemark runs export RUN -o FILE` writes one; `safemark list runs` shows the runs",
    )


def _is_path(given: str) -> bool:
    """Whether a file is meant: it is there, or it is written as one."""
    return given.endswith(".json") or (("/" in given or "." in given) and Path(given).is_file())


def from_store(store: Store, run: StoredRun, label: str | None = None) -> Side:
    """A stored run; ``label`` is what the person called it."""
    is_name = label is not None and label[:1].isalpha() and label != "last"
    return Side(
        ComparedRun(
            label if label is not None and is_name else run.id,
            run.id,
            run.model,
            run.identity,
            run.started,
            msgspec.convert(run.status, Status),
            "store",
        ),
        run.body.spec,
        tuple(_stored_part(store, part) for part in store.parts(run.id)),
    )


def _stored_part(store: Store, part: StoredPart) -> SidePart:
    return SidePart(_head(part), lambda: stored_outcomes(store, part, store.scorer_of(part)))


def _head(part: StoredPart) -> PartHead:
    body = part.body
    return PartHead(
        part.benchmark,
        part.version,
        part.asked,
        part.attack,
        body.scorer,
        body.scorer_version,
        body.judge,
        planned(part),
        body.ask,
        body.attack.id if body.attack else "",
    )


def baseline_text(store: Store, run: StoredRun) -> bytes:
    """``run`` as a baseline file: one benchmark a line, the same bytes for the same records."""
    from safemark.reports.scorecard import document

    side = from_store(store, run)
    head = RunHead(
        run.id, run.model, run.identity, run.started, side.run.status, dict(run.body.spec)
    )
    parts = [encoded(_filed(part)) for part in side.parts]
    lines = [
        b'{"safemark_baseline":%d,"safemark":%s,' % (FORMAT, encoded(__version__)),
        b'"run":%s,' % encoded(head),
        b'"document":%s,' % encoded(document(store, run)),
        b'"parts":[',
        b",\n".join(parts),
        b"]}\n",
    ]
    return scrubbed_bytes(b"\n".join(lines))


def _filed(part: SidePart) -> FiledPart:
    found = part.outcomes()
    names: dict[str, int] = {}
    cluster = [
        None if name is None else names.setdefault(name, len(names)) for name in found.cluster
    ]
    return FiledPart(
        part.head,
        list(found.kinds),
        list(names),
        list(found.sample),
        found.repeat.tolist(),
        cluster,
        found.kind.tolist(),
    )


def from_file(path: Path) -> Side:
    """The run that a baseline file holds.

    Raises:
        UsageError: it cannot be read, is no baseline file, or is of another format.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the baseline {path} cannot be read: {error.strerror}",
            "`safemark runs export RUN -o FILE` writes one",
        ) from error
    found = _decoded(path, text)
    return Side(
        ComparedRun(
            path.name,
            found.run.id,
            found.run.model,
            found.run.identity,
            found.run.started,
            found.run.status,
            "file",
        ),
        found.run.spec,
        tuple(_filed_part(path, part) for part in found.parts),
    )


def _decoded(path: Path, text: bytes) -> BaselineFile:
    hint = "write it anew: `safemark runs export RUN -o FILE`"
    try:
        version = msgspec.json.decode(text, type=_Version)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no baseline file ({error})", hint) from error
    if version.safemark_baseline != FORMAT:
        raise UsageError(
            f"not comparable because {path} is a baseline of format"
            f" {version.safemark_baseline} (Safemark {version.safemark}); this one reads {FORMAT}",
            hint,
        )
    try:
        return msgspec.json.decode(text, type=BaselineFile)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"the baseline {path} is damaged ({error})", hint) from error


def _filed_part(path: Path, part: FiledPart) -> SidePart:
    n = len(part.sample)
    columns = (part.repeat, part.cluster, part.kind)
    is_whole = (
        all(len(column) == n for column in columns)
        and all(0 <= place < len(part.kinds) for place in part.kind)
        and all(place is None or 0 <= place < len(part.clusters) for place in part.cluster)
        and all(0 <= repeat < 2**31 for repeat in part.repeat)
    )
    if not is_whole:
        raise UsageError(
            f"the baseline {path} is damaged (the columns of {part.head.benchmark} do not agree)",
            "write it anew: `safemark runs export RUN -o FILE`",
        )
    outcomes = Outcomes(
        tuple(part.sample),
        np.array(part.repeat, dtype=np.int32),
        tuple(None if place is None else part.clusters[place] for place in part.cluster),
        np.array(part.kind, dtype=np.int32),
        tuple(part.kinds),
    )
    return SidePart(part.head, lambda: outcomes)
