"""Files of decisions about people: read, checked, and made into twins that differ in one slot.

The shipped file, `counterfactual.yaml`, says what the parts are; a person's own has the same ones.
``cases``, ``profiles`` and ``groups`` may name a CSV file beside it. What is left out of one's own
file (``slots``, ``attributes``) is taken from the shipped one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import msgspec

from safemark.benchmarks._own_file import digest_of
from safemark.data import csv_rows, yaml_value
from safemark.errors import UsageError

SHIPPED = Path(__file__).with_name("counterfactual.yaml")
_SLOT = re.compile(r"\{(\w+)\}")
_HINT = "docs/bias.md shows such a file"
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": None}


class Attribute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is varied: the slot, and the wordings of each group; the first group is compared with.

    A ``proxy`` names no group itself: a postal code, a school, a dialect.
    """

    slot: str
    groups: dict[str, list[str]] | str
    proxy: bool = False


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question whose yes is what the person hopes for, a text with slots, and its cases."""

    question: str
    text: str
    cases: list[dict[str, Any]] | str
    profiles: list[dict[str, Any]] | str = []


class Decisions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole file."""

    decisions: dict[str, Decision]
    slots: dict[str, str] = {}
    attributes: dict[str, Attribute] = {}


class Twin(msgspec.Struct, frozen=True):
    """One text about one person; those of one ``case`` and ``attribute`` differ in ``value`` alone.

    ``weight`` is 1 for the group that is compared with; the others share 1 among them.
    """

    decision: str
    case: str
    question: str
    text: str
    attribute: str
    group: str
    is_first: bool
    is_proxy: bool
    weight: float
    truth: bool | None


def twins(path: Path = SHIPPED) -> Iterator[Twin]:
    """All texts of a file: decision by decision, case by case, attribute by attribute.

    A case takes one wording of each group, each case the next one.

    Raises:
        UsageError: the file cannot be read, or is none.
    """
    found = read(path)
    groups = {name: groups_of(path, name, one.groups) for name, one in found.attributes.items()}
    for decision_name, decision in found.decisions.items():
        cases = list(_cases(path, decision_name, decision))
        for place, (case, filling) in enumerate(cases):
            truth = _truth(path, case, filling)
            for name, attribute in found.attributes.items():
                if attribute.slot not in _slots_in(decision.text, filling):
                    continue
                for number, (group, wordings) in enumerate(groups[name].items()):
                    value = wordings[place % len(wordings)]
                    slots = {**found.slots, **filling, attribute.slot: value}
                    yield Twin(
                        decision=decision_name,
                        case=case,
                        question=decision.question,
                        text=_filled(path, decision.text, slots).strip(),
                        attribute=name,
                        group=group,
                        is_first=number == 0,
                        is_proxy=attribute.proxy,
                        weight=1.0 if number == 0 else 1.0 / (len(groups[name]) - 1),
                        truth=truth,
                    )


@cache
def read(path: Path = SHIPPED) -> Decisions:
    """The file, with what it leaves out taken from the shipped one.

    Raises:
        UsageError: it cannot be read, or is none.
    """
    import yaml

    try:
        found = msgspec.convert(yaml_value(path.read_text(encoding="utf-8")), Decisions)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the decisions {path} cannot be read ({error})", _HINT) from error
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise UsageError(f"{path} holds no decisions: {error}", _HINT) from error
    if not found.decisions:
        raise UsageError(f"{path} holds no decisions", _HINT)
    if path == SHIPPED:
        return found
    shipped = read()
    return msgspec.structs.replace(
        found,
        slots={**shipped.slots, **found.slots},
        attributes=found.attributes or shipped.attributes,
    )


def digest(path: Path) -> str:
    """Twelve characters that change with the file, or a CSV file that it names.

    Raises:
        UsageError: it cannot be read, or is none.
    """
    found = read(path)
    beside: list[Any] = [attribute.groups for attribute in found.attributes.values()]
    beside += [one for each in found.decisions.values() for one in (each.cases, each.profiles)]
    text = path.read_bytes()
    for name in beside:
        if isinstance(name, str):
            text += _beside(path, name).read_bytes()
    return digest_of(text)


def _beside(path: Path, name: str) -> Path:
    """A CSV file that ``path`` names: in its own folder, nowhere else."""
    if Path(name).name != name or not (path.parent / name).is_file():
        raise UsageError(
            f"{path} names `{name}`, which is no file beside it", "put the CSV file in that folder"
        )
    return path.parent / name


def groups_of(
    path: Path, attribute: str, given: Mapping[str, list[str]] | str
) -> dict[str, list[str]]:
    """Group → wordings, at least two groups; a CSV file has the columns ``group`` and ``value``."""
    if isinstance(given, str):
        groups: dict[str, list[str]] = {}
        for row in csv_rows(_beside(path, given)):
            if set(row) != {"group", "value"}:
                raise UsageError(f"{given} has other columns than `group` and `value`", _HINT)
            groups.setdefault(row["group"], []).append(row["value"])
    else:
        groups = dict(given)
    if len(groups) < 2 or not all(groups.values()):
        raise UsageError(
            f"{path}: `{attribute}` has fewer than two groups, or one without a wording", _HINT
        )
    return groups


def _cases(path: Path, name: str, decision: Decision) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and slots of each case: every one of ``cases`` with every one of ``profiles``."""
    rows = [_rows(path, given) for given in (decision.cases, decision.profiles or [{}])]
    seen = set()
    for number, (case, profile) in enumerate(product(*rows)):
        named = [str(one["id"]) for one in (case, profile) if "id" in one]
        full = f"{name}/{'-'.join(named) or number}"
        if full in seen:
            raise UsageError(f"{path}: two cases are called `{full}`", "give each its own `id`")
        seen.add(full)
        yield full, {**case, **profile}
    if not seen:
        raise UsageError(f"{path}: `{name}` has no case", _HINT)


def _rows(path: Path, given: Sequence[Mapping[str, Any]] | str) -> list[dict[str, Any]]:
    rows = csv_rows(_beside(path, given)) if isinstance(given, str) else given
    return [dict(row) for row in rows]


def _truth(path: Path, case: str, filling: Mapping[str, Any]) -> bool | None:
    word = str(filling.get("truth", "")).strip().casefold()
    if word in ("none", "null"):
        return None
    if word not in _TRUTHS:
        raise UsageError(f"{path}: the truth of `{case}` is `{word}`", "say true, false or nothing")
    return _TRUTHS[word]


def _slots_in(text: str, filling: Mapping[str, Any]) -> set[str]:
    """Slots of a text, and those inside what fills it."""
    own = set(_SLOT.findall(text))
    return own.union(*(_SLOT.findall(str(filling[name])) for name in own if name in filling))


def _filled(path: Path, text: str, slots: Mapping[str, Any]) -> str:
    """A text with its slots filled, and the slots inside what fills them.

    >>> _filled(Path("f"), "{a}!", {"a": "{b}", "b": "c"})
    'c!'
    """

    def filling(slot: re.Match[str]) -> str:
        if slot[1] not in slots:
            raise UsageError(
                f"{path}: nothing fills the slot `{{{slot[1]}}}`", "name it under `slots`"
            )
        return str(slots[slot[1]])

    return _SLOT.sub(filling, _SLOT.sub(filling, text))
