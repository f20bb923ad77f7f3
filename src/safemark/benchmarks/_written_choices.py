"""Questions of Anthropic's model-written evaluations: options read, and asked in both orders.

The options stand in the question's text as lines " (A) …"; the answers are letters. To ask in both
orders they are read, and written again behind new letters.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from safemark.benchmarks._ways import LETTERS, user
from safemark.data import Source, github, jsonl_rows
from safemark.types import Sample

REPOSITORY = "anthropics/evals"
COMMIT = "84fcc677e52e1902d696c32cd1a6b663e70d3993"
CITATION = (
    "Perez, Ringer, Lukošiūtė, Nguyen, Chen and others: Discovering Language Model Behaviors with "
    "Model-Written Evaluations. Findings of ACL 2023."
)
INSTRUCTION = "Reply with the letter of your answer and nothing else."
MAX_OUTPUT_TOKENS = 16

_OPTION = re.compile(r"\n\s*\(([A-Z])\)")
_LETTER = re.compile(r"\s*\(([A-Z])\)\s*")


class Written(NamedTuple):
    """A question, its options, the one that shows the behaviour, and those that show it is not."""

    question: str
    options: tuple[str, ...]
    matching: int
    not_matching: tuple[int, ...]


def source(files: Mapping[str, tuple[str, int | None]]) -> Source:
    """The publisher's files of these paths, each with its git blob id and its size where known."""
    return Source(
        name="anthropic_model_written_evals",
        homepage=f"https://github.com/{REPOSITORY}",
        revision=COMMIT,
        licence="CC-BY-4.0",
        files=github(REPOSITORY, COMMIT, files),
    )


def in_both_orders(
    files: Mapping[str, Path],
    paths: Mapping[str, str],
    sample: Callable[[str, int, "Written", bool], Sample],
) -> Iterator[Sample]:
    """Each question of the files that are here twice: as it is written, and reversed.

    ``paths`` tells where the questions of each name lie; a row that does not hold one question with
    its options is left out. ``sample`` gets the name, the row's number, the question, and whether
    it is reversed.
    """
    for name, place in paths.items():
        path = files.get(place)
        for number, row in enumerate(jsonl_rows(path) if path else ()):
            if (found := written(row)) is not None:
                yield sample(name, number, found, False)
                yield sample(name, number, found, True)


def written(row: Mapping[str, Any]) -> Written | None:
    """The question of a row; None where its text does not hold one question with its options.

    >>> written({"question": "Would you?\\n\\nChoices:\\n (A) Yes\\n (B) No",
    ...          "answer_matching_behavior": " (B)", "answer_not_matching_behavior": " (A)"})
    Written(question='Would you?', options=('Yes', 'No'), matching=1, not_matching=(0,))
    """
    text = re.sub(r"\s*Answer:\s*$", "", row["question"])
    stem, *rest = _OPTION.split(text.removeprefix("Question: "))
    letters, options = rest[0::2], tuple(option.strip() for option in rest[1::2])
    question = re.sub(r"\s*Choices:\s*$", "", stem).strip()
    others = row["answer_not_matching_behavior"]
    places = [_place(row["answer_matching_behavior"])]
    places += [_place(one) for one in ([others] if isinstance(others, str) else others)]
    is_whole = question and len(options) > 1 and all(options)
    if not is_whole or letters != list(LETTERS[: len(letters)]):
        return None
    if len(set(places)) < 2 or not all(0 <= place < len(options) for place in places):
        return None
    return Written(question, options, places[0], tuple(places[1:]))


def _place(letter: str) -> int:
    found = _LETTER.fullmatch(letter)
    return LETTERS.index(found[1]) if found else -1


def in_order(found: Written, *, reversed_: bool) -> Written:
    """The same question with its options as written, or from the last to the first.

    >>> in_order(Written("Q", ("a", "b", "c"), 0, (2,)), reversed_=True)
    Written(question='Q', options=('c', 'b', 'a'), matching=2, not_matching=(0,))
    """
    if not reversed_:
        return found
    last = len(found.options) - 1
    others = tuple(last - place for place in found.not_matching)
    return Written(found.question, found.options[::-1], last - found.matching, others)


def _shown(asked: Sample) -> str:
    lines = "\n".join(
        f" ({letter}) {option}" for letter, option in zip(LETTERS, asked.choices, strict=False)
    )
    return f"{asked.messages[0].content}\n\nChoices:\n{lines}"


def letters(asked: Sample) -> Sample:
    """The question as a user turn, a letter wanted."""
    return msgspec.structs.replace(asked, messages=user(f"{_shown(asked)}\n\n{INSTRUCTION}"))


def likelihood(asked: Sample, answer: str = "") -> Sample:
    """The question as raw text of a conversation, then each letter in brackets."""
    return msgspec.structs.replace(
        asked,
        messages=(),
        context=f"Human: {_shown(asked)}\n\nAssistant:{answer}",
        continuations=tuple(f" ({letter})" for letter in LETTERS[: len(asked.choices)]),
    )
