"""How far a scorer can be believed: its words on labelled answers, rates with its error removed.

A calibration counts what a scorer said of answers that people had labelled. From it come accuracy,
sensitivity, specificity and kappa, and the correction of a rate that the scorer counted elsewhere.
Where labels come from (a file, people at `safemark annotate`) is not known to the arithmetic.
"""

import asyncio
import csv
import hashlib
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from safemark.benchmarks._benchmark import SHARE, Metric, Scorer
from safemark.errors import UnknownName, UsageError
from safemark.judging import scored
from safemark.stats import CorrectedRate, Count, cohen_kappa, rogan_gladen, wilson
from safemark.store import Calibration, Cell
from safemark.types import Attempt, Message, Reason, Reply, Row, Sample, Scalar, Score, Transcript

CANNOT_SAY = "cannot_say"
"""The label of an answer of which people could not say either; a scorer should leave it absent."""

YES, NO = "true", "false"
POSITIVE = ("refusal", "unsafe", "harmful", "jailbroken", "yes", "fail", YES)
"""Words that sensitivity speaks of unless others are named; the first that a scorer uses."""

WORDS = {("refusal", "verdict"): ("refusal", "partial_refusal", "compliance")}
"""All that a scorer's outcome can say, where that is known beforehand."""

_BINARY = {"1": YES, "0": NO, "true": YES, "false": NO, "yes": YES, "no": NO}
_COLUMNS = ("prompt", "response", "label")
_MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Labelled:
    """An answer and what a person says of it; ``label`` None: the person gave none."""

    sample: Sample
    transcript: Transcript
    label: str | None


@dataclass(frozen=True, slots=True)
class Share:
    """A quality in [0, 1] (kappa: [-1, 1]) with its 95 % interval; None with ``undefined``."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    undefined: str | None = None


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a scorer agrees with people on ``n`` labelled answers that it judged.

    absent: labelled answers of which the scorer gave no word.
    undecidable, left_absent: answers of which people could not say, and on how many of these the
        scorer gave no word either; in none of the shares.
    """

    accuracy: Share
    sensitivity: Share
    specificity: Share
    kappa: Share
    n: int
    absent: int
    undecidable: int
    left_absent: int


def read_labels(path: Path) -> list[Labelled]:
    """The rows of a CSV file (or TSV) with columns prompt, response, label and maybe category.

    Raises:
        UsageError: it cannot be read, lacks a column, or no row has a label.
    """
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, delimiter=delimiter, strict=True)
            names = [name.strip().lower() for name in reader.fieldnames or ()]
            reader.fieldnames = names
            if missing := [name for name in _COLUMNS if name not in names]:
                raise UsageError(
                    f"{path.name} has no column {' and no column '.join(missing)}",
                    "its first line must name the columns: prompt,response,label (and category)",
                )
            rows = [_labelled(row, reader.line_num) for row in reader]
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path.name} is not UTF-8", "save it as CSV in UTF-8") from error
    except csv.Error as error:
        raise UsageError(f"{path.name} is no CSV ({error})") from error
    if not any(row.label for row in rows):
        raise UsageError(f"{path.name} holds no labelled answer", "fill in the column `label`")
    return rows


def _labelled(row: dict[str, str | None], line: int) -> Labelled:
    prompt, response = row["prompt"] or "", row["response"] or ""
    asked = (Message("user", prompt),)
    sample = Sample(str(line), asked, category=(row.get("category") or "").strip() or None)
    transcript = Transcript((Attempt(asked, Reply(response)),))
    return Labelled(sample, transcript, (row["label"] or "").strip().lower() or None)


async def judged_labels(
    scorer: Scorer, rows: Sequence[Labelled], at_once: int = 1
) -> tuple[Score, ...]:
    """The scorer's word on each row, in order; absent where it fails."""
    scores: list[Score | None] = [None] * len(rows)
    waiting = iter(enumerate(rows))

    async def work() -> None:
        for place, row in waiting:
            scores[place] = await scored(scorer, row.sample, row.transcript)

    async with asyncio.TaskGroup() as group:
        for _ in range(max(1, at_once)):
            group.create_task(work())
    return tuple(score for score in scores if score is not None)


def outcome_of(scorer: str, scores: Iterable[Score], named: str | None = None) -> str:
    """The outcome that labels speak of: the named one, ``verdict``, or the only yes or no.

    Raises:
        UsageError: there is none, or several and none was named.
    """
    seen: dict[str, Scalar] = {}
    for score in scores:
        if score.absent is None:
            seen |= {name: value for name, value in score.outcomes.items() if value is not None}
    if named is not None:
        if seen and named not in seen:
            raise UnknownName(f"outcome of {scorer}", named, tuple(seen))
        return named
    if "verdict" in seen or (scorer, "verdict") in WORDS:
        return "verdict"
    candidates = [name for name, value in seen.items() if isinstance(value, bool)] or list(seen)
    if len(candidates) == 1:
        return candidates[0]
    if usual := {scorer, f"has_{scorer}"} & set(candidates):
        return usual.pop()
    if not candidates:
        raise UsageError(
            f"`{scorer}` judged none of the answers",
            "--json shows the reasons; a scorer that asks a model needs --judge MODEL",
        )
    raise UsageError(
        f"`{scorer}` gives several outcomes: {', '.join(candidates[:_MOST_NAMED])}",
        "name the one that the labels speak of with --outcome NAME",
    )


def calibration(
    scorer: str,
    rows: Sequence[Labelled],
    scores: Sequence[Score],
    *,
    labels: str,
    outcome: str | None = None,
    positive: Sequence[str] = (),
    threshold: float = 0.5,
) -> Calibration:
    """What a scorer said of labelled answers, counted.

    Args:
        scores: of the rows, in their order.
        labels: where the labels are from, for people.
        outcome: which of the scorer's outcomes they speak of; found when None.
        positive: the words that sensitivity speaks of; found when empty.
        threshold: from which on a number counts as yes.

    Raises:
        UsageError: a label is no word of the scorer, or what they speak of cannot be told.
    """
    name = outcome_of(scorer, scores, outcome)
    values = [None if s.absent is not None else s.outcomes.get(name) for s in scores]
    is_number = any(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    verdicts = [_word(value, threshold) for value in values]
    given = _checked(scorer, name, rows, verdicts)
    words = tuple(positive) or _positive(verdicts, given)
    counted = Counter(
        (row.sample.category, label, verdict)
        for row, label, verdict in zip(rows, given, verdicts, strict=True)
        if label is not None
    )
    cells = tuple(
        Cell(label, verdict, n, category)
        for (category, label, verdict), n in sorted(counted.items(), key=str)
    )
    digest = _digest(rows, given)
    return Calibration(name, words, cells, labels, digest, threshold if is_number else None)


def _word(value: Scalar, threshold: float) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return YES if value else NO
    return YES if value >= threshold else NO


def _checked(
    scorer: str, outcome: str, rows: Sequence[Labelled], verdicts: Sequence[str | None]
) -> list[str | None]:
    """Labels in the words of the scorer: 0 and 1 as yes and no.

    Raises:
        UsageError: one is no word of the scorer.
    """
    said = [row.label for row in rows]
    spoken = {verdict for verdict in verdicts if verdict is not None}
    known = set(WORDS.get((scorer, outcome), ())) or spoken
    if {label for label in said if label not in (None, CANNOT_SAY)} <= set(_BINARY) - known:
        return [_BINARY.get(label, label) if label else None for label in said]
    if known & {YES, NO}:
        said = [_BINARY.get(label, label) if label else None for label in said]
    is_closed = (scorer, outcome) in WORDS or known <= {YES, NO}
    used = {label for label in said if label is not None and label != CANNOT_SAY}
    if known and ((is_closed and not used <= known) or not used & known):
        wrong = min(used - known)
        line = next(row.sample.id for row, label in zip(rows, said, strict=True) if label == wrong)
        raise UsageError(
            f"the label `{wrong}` in line {line} is no word of `{scorer}`",
            f"its words for {outcome}: {', '.join(sorted(known))}; or label with 0 and 1, "
            f"and {CANNOT_SAY} where people could not say",
        )
    return said


def _positive(verdicts: Sequence[str | None], given: Sequence[str | None]) -> tuple[str, ...]:
    spoken = {*verdicts, *given}
    return next(((word,) for word in POSITIVE if word in spoken and word != YES), (YES,))


def _digest(rows: Sequence[Labelled], given: Sequence[str | None]) -> str:
    digest = hashlib.sha256()
    for row, label in zip(rows, given, strict=True):
        reply = row.transcript.attempts[-1].reply if row.transcript.attempts else None
        said = (
            row.sample.messages[-1].content if row.sample.messages else "",
            reply and reply.text,
        )
        digest.update(repr((*said, label)).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()


def categories(found: Calibration) -> list[str]:
    """The categories of the labelled answers, sorted."""
    return sorted({cell.category for cell in found.cells if cell.category is not None})


def is_binary(found: Calibration) -> bool:
    """Whether people said yes or no, whatever words the scorer uses."""
    return {cell.label for cell in found.cells if cell.label != CANNOT_SAY} <= {YES, NO}


def quality(found: Calibration, category: str | None = None) -> Quality:
    """How well the scorer agrees with people, overall or in one category."""
    cells = [cell for cell in found.cells if category is None or cell.category == category]
    decided = [cell for cell in cells if cell.label != CANNOT_SAY]
    judged = [cell for cell in decided if cell.verdict is not None]
    binary = is_binary(found)

    def is_positive(word: str | None) -> bool:
        return word in found.positive or (binary and word == YES)

    def verdict(cell: Cell) -> str | None:
        if not binary or cell.verdict is None:
            return cell.verdict
        return YES if is_positive(cell.verdict) else NO

    def share(of: Sequence[Cell], right: Sequence[Cell], missing: str) -> Share:
        n, hits = _sum(of), _sum(right)
        if n == 0:
            return Share(None, None, None, 0, missing)
        ends = wilson(hits, n)
        return Share(hits / n, ends.low, ends.high, n)

    positives = [cell for cell in judged if is_positive(cell.label)]
    negatives = [cell for cell in judged if not is_positive(cell.label)]
    words = " or ".join(found.positive)
    doubtful = [cell for cell in cells if cell.label == CANNOT_SAY]
    return Quality(
        accuracy=share(
            judged, [c for c in judged if verdict(c) == c.label], "no labelled answer was judged"
        ),
        sensitivity=share(
            positives,
            [c for c in positives if is_positive(verdict(c))],
            f"no judged answer is labelled {words}",
        ),
        specificity=share(
            negatives,
            [c for c in negatives if not is_positive(verdict(c))],
            f"no judged answer is labelled other than {words}",
        ),
        kappa=_kappa([(c.label, verdict(c) or "", c.n) for c in judged]),
        n=_sum(judged),
        absent=_sum(decided) - _sum(judged),
        undecidable=_sum(doubtful),
        left_absent=_sum(cell for cell in doubtful if cell.verdict is None),
    )


def _sum(cells: Iterable[Cell]) -> int:
    return sum(cell.n for cell in cells)


def _kappa(pairs: Sequence[tuple[str, str, int]]) -> Share:
    given = [label for label, _, n in pairs for _ in range(n)]
    said = [verdict for _, verdict, n in pairs for _ in range(n)]
    if len(set(given)) == 1:
        return Share(
            None, None, None, len(given), "people gave one label only: chance explains all"
        )
    found = cohen_kappa(given, said)
    return Share(found.kappa, found.low, found.high, found.n, found.undefined)


def corrected(
    metric: Metric, found: Calibration, value: float, low: float, high: float, n: int
) -> CorrectedRate | None:
    """A rate that the scorer counted, with its error taken out; None where that cannot be asked.

    It can where the metric is a share of samples of which the outcome says certain words.

    Args:
        value, low, high: the rate as counted and its 95 % interval; from the interval's width comes
            the effective number of samples, which is smaller where samples share a source.
        n: the number of samples.
    """
    flagged = _flagged(metric, found)
    if flagged is None or n == 0:
        return None
    labels = {YES} if is_binary(found) else flagged
    if is_binary(found) and flagged != set(found.positive) & _verdicts(found):
        return None
    judged = [c for c in found.cells if c.label != CANNOT_SAY and c.verdict is not None]
    positives = [cell for cell in judged if cell.label in labels]
    negatives = [cell for cell in judged if cell.label not in labels]
    size = effective_n(value, high - low, n)
    return rogan_gladen(
        Count(value * size, size),
        Count(_sum(c for c in positives if c.verdict in flagged), _sum(positives)),
        Count(_sum(c for c in negatives if c.verdict not in flagged), _sum(negatives)),
    )


def _verdicts(found: Calibration) -> set[str]:
    return {cell.verdict for cell in found.cells if cell.verdict is not None}


def _flagged(metric: Metric, found: Calibration) -> set[str] | None:
    """The words that count for the metric; None where it is no share of this outcome's words."""
    if metric.statistic is not None or metric.options != SHARE or found.threshold is not None:
        return None
    words = _verdicts(found)
    if not is_binary(found):
        words |= {cell.label for cell in found.cells} - {CANNOT_SAY}
    parts: dict[str, tuple[float, ...] | None] = {}
    for word in words:
        value: Scalar = {YES: True, NO: False}.get(word, word)
        row = Row("", 0, None, None, {}, {found.outcome: value}, None)
        try:
            parts[word] = metric.of(row)
        except (KeyError, TypeError, ValueError):
            return None
    if not set(parts.values()) <= {(1.0, 1.0), (0.0, 1.0)} or len(set(parts.values())) < 2:
        return None
    return {word for word, part in parts.items() if part == (1.0, 1.0)}


def effective_n(value: float, width: float, n: int) -> float:
    """So many independent samples would give an interval of that width; at most ``n``.

    >>> round(effective_n(0.3, wilson(30, 100).high - wilson(30, 100).low, 400))
    100
    """
    few, many = 1.0, float(n)
    for _ in range(50):
        middle = (few + many) / 2.0
        ends = wilson(value * middle, middle)
        few, many = (middle, many) if ends.high - ends.low > width else (few, middle)
    return min(many, float(n))


def reasons(rows: Sequence[Labelled], scores: Sequence[Score]) -> dict[str, int]:
    """Why the scorer gave no word on labelled answers that people could tell."""
    found: Counter[Reason] = Counter()
    for row, score in zip(rows, scores, strict=True):
        if score.absent is not None and row.label not in (None, CANNOT_SAY):
            found[score.absent] += 1
    return {str(reason): n for reason, n in found.most_common()}
