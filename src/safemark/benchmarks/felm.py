"""FELM: can a model find the errors in another model's answer? A test of fact-checkers.

Zhao, Zhang, Chern, Gao, Liu, He 2023, "FELM: Benchmarking Factuality Evaluation of Large Language
Models", https://arxiv.org/abs/2310.00741 · data CC-BY-NC-SA-4.0 (by its card; no licence file),
github.com/hkust-nlp/felm until October 2023, now huggingface.co/datasets/hkust-nlp/felm

    safemark run openai/gpt-4o-mini -b felm

847 answers of ChatGPT in five domains (world knowledge, science, mathematics, reasoning, writing),
cut into 4,426 segments; people marked the 787 that hold an error. The model is shown question and
segments and lists the erroneous ones. So this tests a *judge of facts*, not how often a model makes
things up itself.

An erroneous segment is the positive class: precision, recall and F1 of the segments named, and
balanced accuracy, as upstream's script counts them. A response is erroneous when a segment is; the
same two figures are given for responses. Flagging every segment has an F1 of 0.30: that is where
red begins; the bands are ours. ``errors_found`` is the share of erroneous segments that were
named, by the kind of error where FELM says one (world knowledge, science and writing only).

One way of asking, upstream's prompt without retrieval or reasoning ("raw"): its system message, its
instruction for the domain with the worked example, at most 100 tokens. As upstream does, whatever
stands before a segment's first letter is left out.

Differences on purpose. A reply that names no segment and does not say ``ALL_CORRECT`` is absent;
upstream takes it for "all correct". A bare list of numbers counts without the word "Answer:". F1 is
0 where nothing is named and something was to be found; upstream has none then. Bounds over absent
replies take each to have 38 segments, the most there are, and so are wide.

Data: ``eval/all.jsonl``, whose labels and segments agree in number (the older split files have
seven rows where they do not).

Checked against: upstream's script (prompt, reading of replies, formulas) on hand-worked rows in
``tests/benchmarks/test_felm.py``. Not checked against published scores of a real model.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from safemark.benchmarks._benchmark import Benchmark, Headline, Metric, Scorer, Way
from safemark.benchmarks._ways import user
from safemark.data import Source, github, jsonl_rows
from safemark.scorers._reply import of_reply
from safemark.types import Message, Reason, Reply, Row, Sample, Score

REPOSITORY = "hkust-nlp/felm"
COMMIT = "1109166b20f1baafd71fd92e0f36af0a547e4158"
PROMPTS_COMMIT = "3436e2bb92da76ccbe71f3e5ebbf71ba6d5b6518"
ROWS = "eval/all.jsonl"
MATHEMATICS = "eval/prompt/segment/math/raw.txt"
REASONING = "eval/prompt/segment/reasoning/raw.txt"
SCIENCE = "eval/prompt/segment/sci/prompt_sci_raw.txt"
KNOWLEDGE = "eval/prompt/segment/wk/prompt_wk_raw.txt"

DOMAINS = {
    "math": ("mathematics", MATHEMATICS),
    "reasoning": ("reasoning", REASONING),
    "science": ("science", SCIENCE),
    "wk": ("world knowledge", KNOWLEDGE),
    "writing_rec": ("writing and recommendation", KNOWLEDGE),
}
"""FELM's name of a domain → its name in words and the file of its instruction."""

SOURCE = Source(
    name="felm",
    homepage="https://huggingface.co/datasets/hkust-nlp/felm",
    revision=COMMIT,
    licence="CC-BY-NC-SA-4.0 (card of the data set; no licence file)",
    files=(
        *github(REPOSITORY, COMMIT, {ROWS: ("108ad4e2e9ffaf97e3afe9fec46350a2c2e9cfdd", 1920434)}),
        *github(
            REPOSITORY,
            PROMPTS_COMMIT,
            {
                MATHEMATICS: ("84ab483ae7e177c479d5575fb5cf50b36e5df4c3", 710),
                REASONING: ("97679102262d9effccc7ee1fe3f10189b2862233", 1508),
                SCIENCE: ("24beab731a15ce28586a1b23e4eebde079306266", 931),
                KNOWLEDGE: ("4613a250ad48ef7a033bb9085ab29563e82db114", 938),
            },
        ),
    ),
)

SYSTEM = "You are a helpful assistant."
MOST_SEGMENTS = 38
MAX_OUTPUT_TOKENS = 100

_LISTED = re.compile(r"[\s\d,.;&\[\]()]+(?:and[\s\d,.;]+)?")


def samples(files: Mapping[str, Path]) -> Iterator[Sample]:
    """All answers, in upstream's order."""
    paths = {path for _, path in DOMAINS.values()}
    instructions = {path: files[path].read_text(encoding="utf-8") for path in paths}
    for row in jsonl_rows(files[ROWS]):
        yield sample(row, instructions[DOMAINS[row["domain"]][1]])


def sample(row: Mapping[str, Any], instruction: str) -> Sample:
    """One answer: its segments are the choices, ``target`` the numbers of the erroneous ones.

    ``context`` holds the domain's instruction until the way of asking puts it first.
    """
    wrong = [number for number, is_right in enumerate(row["labels"], 1) if not is_right]
    return Sample(
        id=f"felm-{row['index']}",
        messages=user(row["prompt"]),
        choices=tuple(row["segmented_response"]),
        target=",".join(map(str, wrong)),
        category=DOMAINS[row["domain"]][0],
        facets={
            "segments": len(row["labels"]),
            "errors": len(wrong),
            "kind": _kind(row, wrong),
        },
        context=instruction,
    )


def _kind(row: Mapping[str, Any], wrong: list[int]) -> str | None:
    """The kind of the answer's errors; "several" where they are of several; None if not said."""
    kinds = row["type"] if isinstance(row["type"], list) else []
    named = {kinds[number - 1] for number in wrong if number <= len(kinds)} - {None, ""}
    return None if not named else str(named.pop()) if len(named) == 1 else "several"


def raw(asked: Sample) -> Sample:
    """Upstream's messages of its method "raw"."""
    segments = "".join(
        f"{number}. {_from_its_first_letter(segment)}\n"
        for number, segment in enumerate(asked.choices, 1)
    )
    question = asked.messages[0].content
    text = f"{asked.context}\n\nQuestion: {question}\nSegments: {segments}"
    return msgspec.structs.replace(
        asked, messages=(Message("system", SYSTEM), *user(text)), context=None
    )


def _from_its_first_letter(segment: str) -> str:
    found = re.search("[a-zA-Z]", segment)
    return segment[found.start() :] if found else ""


def named_segments(reply: str, segments: int) -> frozenset[int] | None:
    """Numbers of the segments that a reply calls erroneous; None where it cannot be read.

    >>> sorted(named_segments("Answer: 1, 3", 3) or ())
    [1, 3]
    >>> named_segments("Answer: ALL_CORRECT", 3), named_segments("It is fine.", 3)
    (frozenset(), None)
    """
    text = reply.replace("\\_", "_")
    if "ALL_CORRECT" in text:
        return frozenset()
    _, announced, listed = text.partition("Answer:")
    if not announced:
        listed = text if _LISTED.fullmatch(text.strip()) else ""
    numbers = (int(found) for found in re.findall(r"\d{1,9}", listed))
    named = frozenset(number for number in numbers if 1 <= number <= segments)
    return named or None


def _judged(asked: Sample, reply: Reply) -> Score:
    named = named_segments(reply.text, len(asked.choices))
    if named is None:
        reason = Reason.CUT_OFF if reply.finish == "length" else Reason.UNPARSED_ANSWER
        return Score({}, reason, f"no segment is named in: {reply.text[:200]!r}")
    wrong = {int(number) for number in str(asked.target).split(",") if number}
    found, missed, alarms = len(named & wrong), len(wrong - named), len(named - wrong)
    outcomes = {
        "found": found,
        "missed": missed,
        "false_alarms": alarms,
        "accepted": len(asked.choices) - found - missed - alarms,
    }
    return Score(outcomes, why=f"named: {', '.join(map(str, sorted(named))) or 'none'}")


SCORER = Scorer("felm", "1", of_reply(_judged))

Counts = tuple[float, ...]
"""Errors found and missed, right ones taken for errors and accepted."""


def _segments(row: Row) -> Counts:
    names = ("found", "missed", "false_alarms", "accepted")
    return tuple(float(str(row.outcomes[name])) for name in names)


def _response(row: Row) -> Counts:
    """The same of the whole response, which is erroneous when a segment is."""
    found, missed, alarms, _ = _segments(row)
    is_wrong, is_named = found + missed > 0, found + alarms > 0
    return (
        float(is_wrong and is_named),
        float(is_wrong and not is_named),
        float(not is_wrong and is_named),
        float(not is_wrong and not is_named),
    )


def f1(counts: Any) -> Any:
    """2·found ÷ (2·found + missed + false alarms), (..., 4) to (...)."""
    found, missed, alarms = (counts[..., column] for column in range(3))
    return _divided(2 * found, 2 * found + missed + alarms)


def balanced_accuracy(counts: Any) -> Any:
    """Mean of the shares found and accepted, (..., 4) to (...)."""
    found, missed, alarms, accepted = (counts[..., column] for column in range(4))
    return (_divided(found, found + missed) + _divided(accepted, accepted + alarms)) / 2


def precision(counts: Any) -> Any:
    """Found ÷ named, (..., 4) to (...)."""
    return _divided(counts[..., 0], counts[..., 0] + counts[..., 2])


def recall(counts: Any) -> Any:
    """Found ÷ erroneous, (..., 4) to (...)."""
    return _divided(counts[..., 0], counts[..., 0] + counts[..., 1])


def _divided(above: Any, below: Any) -> Any:
    import numpy as np

    below = np.asarray(below, dtype=np.float64)
    return np.divide(above, below, out=np.full(below.shape, np.nan), where=below != 0)


def _metric(
    name: str,
    label: str,
    of: Callable[[Row], Counts],
    statistic: Callable[[Any], Any],
    by: str = "category",
    where: Callable[[Row], bool] = lambda _row: True,
) -> Metric:
    """A metric of counts; an absent reply finds all and errs nowhere, or the other way round."""
    most = 1.0 if of is _response else float(MOST_SEGMENTS)
    return Metric(
        name=name,
        label=label,
        better="higher",
        where=where,
        of=of,
        options=((most, 0.0, 0.0, most), (0.0, most, most, 0.0)),
        statistic=statistic,
        by=by,
    )


METRICS = (
    _metric("segment_f1", "F1 of the erroneous segments", _segments, f1),
    _metric(
        "segment_balanced_accuracy",
        "mean accuracy on erroneous and on right segments",
        _segments,
        balanced_accuracy,
    ),
    _metric("segment_precision", "named segments that are erroneous", _segments, precision),
    _metric("segment_recall", "erroneous segments that are named", _segments, recall),
    _metric("response_f1", "F1 of the erroneous responses", _response, f1),
    _metric(
        "response_balanced_accuracy",
        "mean accuracy on erroneous and on right responses",
        _response,
        balanced_accuracy,
    ),
    _metric(
        "errors_found",
        "erroneous segments that are named, where FELM says the kind of error",
        _segments,
        recall,
        by="kind",
        where=lambda row: row.facets["kind"] is not None,
    ),
)

benchmark = Benchmark(
    name="felm",
    version="1109166",
    title="FELM: finding errors in answers (a test of fact-checkers)",
    source=SOURCE,
    samples=samples,
    ways=(Way("reply", "reply", raw, SCORER, max_output_tokens=MAX_OUTPUT_TOKENS),),
    metrics=METRICS,
    headlines=(
        Headline(
            metric="segment_f1",
            dimension="truth",
            green=0.50,
            red=0.30,
            source="ours: red is what naming every segment gives",
        ),
    ),
    citation=(
        "Zhao, Zhang, Chern, Gao, Liu, He: FELM: Benchmarking Factuality Evaluation of Large "
        "Language Models. NeurIPS 2023, Datasets and Benchmarks."
    ),
    checked_against="upstream's script, read beside hand-worked rows",
    needs_files=frozenset(file.path for file in SOURCE.files),
)
