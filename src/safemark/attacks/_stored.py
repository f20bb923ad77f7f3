"""Attack strings that somebody kept: JailbreakBench artifacts, HarmBench's files, runs of ours.

    {"parameters": {…}, "jailbreaks": [{"index": …, "goal": …, "prompt": …, "jailbroken": …}]}
                                                    an artifact of JailbreakBench
    {BehaviorID: [test case, …]}                    HarmBench's test_cases.json
    {BehaviorID: [{"test_case": …, "generation": …, "label": …}, …]}
                                                    its completions, and its results with labels

A test case is a text. Multi-modal ones (a list) are left out and counted.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from safemark.attacks._attack import Decode
from safemark.errors import UsageError
from safemark.types import Message, Messages, Sample, Scalar

HARMBENCH = "harmbench-"
_JAILBREAKBENCH = "jailbreakbench-harmful-"


class StoredString(NamedTuple):
    """What was sent for one behaviour, and what came of it at its source, where that is known.

    ``decode`` reads an answer to it, where it asked for one in a code.
    """

    messages: Messages
    reply: str | None = None
    succeeded: bool | None = None
    decode: Decode | None = None


class StoredStrings(NamedTuple):
    """Strings by behaviour: an id, a name, or the goal in words.

    ``source`` says whose they are; a behaviour without a string is one the source had none for.
    """

    source: str
    by_behaviour: Mapping[str, Sequence[StoredString]]
    left_out: int = 0

    def of(self, sample: Sample) -> Sequence[StoredString] | None:
        """Those for a sample, None where the source did not speak of it."""
        for key in keys_of(sample):
            if (found := self.by_behaviour.get(key)) is not None:
                return found
        return None

    @property
    def success_rate(self) -> float | None:
        """The share of behaviours that succeeded at the source, None where nobody says."""
        behaviours = {id(strings): strings for strings in self.by_behaviour.values()}.values()
        if not any(one.succeeded is not None for strings in behaviours for one in strings):
            return None
        told = [
            any(one.succeeded for one in strings)
            for strings in behaviours
            if not strings or any(one.succeeded is not None for one in strings)
        ]
        return sum(told) / len(told)


def keys_of(sample: Sample) -> Iterator[str]:
    """By what names a sample's behaviour may be called in a file, the surest first."""
    yield sample.id
    yield sample.id.removeprefix(HARMBENCH)
    for facet in ("name", "behavior"):
        if isinstance(value := sample.facets.get(facet), str) and value:
            yield folded(value)
    turns = [turn.content for turn in sample.messages if turn.role == "user"]
    if turns:
        yield folded(turns[-1])


def folded(text: str) -> str:
    """A goal in words as a key: blanks and capitals do not matter."""
    return " ".join(text.split()).casefold()


def read_strings(path: Path) -> StoredStrings:
    """The strings of a file in one of the layouts.

    Raises:
        UsageError: it cannot be read, or is none of them.
    """
    try:
        found = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(f"{path} cannot be read as JSON: {error}", "name a file") from error
    if isinstance(found, dict) and isinstance(found.get("jailbreaks"), list):
        return _artifact(found)
    if isinstance(found, dict) and found and all(isinstance(v, list) for v in found.values()):
        return _harmbench(found, path.stem)
    raise UsageError(
        f"{path} holds no attack strings that can be read",
        "a JailbreakBench artifact, or HarmBench's test_cases, completions or results",
    )


def _artifact(found: Mapping[str, Any]) -> StoredStrings:
    parameters = found.get("parameters")
    told = parameters if isinstance(parameters, dict) else {}
    words = [str(told[key]) for key in ("method", "model") if told.get(key)]
    by: dict[str, Sequence[StoredString]] = {}
    for row in found["jailbreaks"]:
        if not isinstance(row, dict):
            continue
        prompt = row.get("prompt")
        jailbroken = row.get("jailbroken")
        strings = (
            [StoredString(_user(prompt), _text(row.get("response")), _truth(jailbroken))]
            if isinstance(prompt, str)
            else []
        )
        if row.get("index") is not None:
            by[f"{_JAILBREAKBENCH}{row['index']}"] = strings
        for key in ("behavior", "goal"):
            if isinstance(row.get(key), str):
                by[folded(row[key])] = strings
    return StoredStrings(" ".join(words) or "JailbreakBench", by)


def _harmbench(found: Mapping[str, Sequence[Any]], name: str) -> StoredStrings:
    by: dict[str, Sequence[StoredString]] = {}
    left_out = 0
    for behaviour, cases in found.items():
        strings = []
        for case in cases:
            row = case if isinstance(case, dict) else {"test_case": case}
            text = row.get("test_case")
            if not isinstance(text, str):
                left_out += 1
                continue
            strings.append(
                StoredString(_user(text), _text(row.get("generation")), _truth(row.get("label")))
            )
        by[behaviour] = strings
    return StoredStrings(name, by, left_out)


def _user(text: str) -> Messages:
    return (Message("user", text),)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _truth(value: Any) -> bool | None:
    return bool(value) if isinstance(value, bool | int) else None


class Exported(NamedTuple):
    """One behaviour of a run: its id, its strings with replies, and whether each succeeded."""

    behaviour: str
    strings: Sequence[StoredString]


def test_cases(rows: Sequence[Exported]) -> dict[str, list[str]]:
    """HarmBench's ``test_cases.json``."""
    return {row.behaviour: [as_text(one.messages) for one in row.strings] for row in rows}


def completions(rows: Sequence[Exported]) -> dict[str, list[dict[str, Scalar]]]:
    """HarmBench's ``completions/MODEL.json``."""
    return {
        row.behaviour: [
            {"test_case": as_text(one.messages), "generation": one.reply or ""}
            for one in row.strings
        ]
        for row in rows
    }


def results(rows: Sequence[Exported]) -> dict[str, list[dict[str, Scalar]]]:
    """HarmBench's ``results/MODEL.json``: with labels, null where an outcome is absent."""
    return {
        row.behaviour: [
            {
                "test_case": as_text(one.messages),
                "generation": one.reply or "",
                "label": None if one.succeeded is None else int(one.succeeded),
            }
            for one in row.strings
        ]
        for row in rows
    }


def as_text(messages: Messages) -> str:
    """What was sent as one text: the turn alone where there is one, else all with their roles."""
    if len(messages) == 1:
        return messages[0].content
    return "\n\n".join(f"[{turn.role}]\n{turn.content}" for turn in messages)
