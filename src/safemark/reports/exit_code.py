"""What a run's document means to a shell."""

from safemark.lights import ALLOWED_ABSENT
from safemark.reports.document import BenchmarkDocument, Document

DONE, GATE_FAILED, USAGE, INCONCLUSIVE, STOPPED, INTERRUPTED = 0, 1, 2, 3, 4, 130


def exit_code(document: Document, *, gate: bool = False, strict: bool = False) -> int:
    """The exit code of ``safemark run``.

    A red light is certain whatever the absent outcomes were, so under ``gate`` it comes before
    "inconclusive". ``strict`` also calls an undecided light inconclusive.
    """
    if document.status == "interrupted":
        return INTERRUPTED
    if document.status == "budget":
        return STOPPED
    if gate and any(dimension.light == "red" for dimension in document.dimensions):
        return GATE_FAILED
    if document.status == "failed" or any(map(is_unmeasured, document.benchmarks)):
        return INCONCLUSIVE
    if strict and any(not dimension.is_decided for dimension in document.dimensions):
        return INCONCLUSIVE
    return DONE


def is_unmeasured(part: BenchmarkDocument) -> bool:
    """Whether too much of what was asked is absent, in all or under one of the headlines."""
    is_grey = any(headline.light == "grey" for headline in part.headlines)
    return is_grey or part.absent > ALLOWED_ABSENT * (part.n + part.absent)
