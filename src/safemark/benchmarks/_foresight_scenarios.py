"""Scenarios of Risky Agentic Autonomy: a role, a task, scripted tools, and the act that counts.

The texts are ``foresight_agents.yaml``. A scenario is told twice: so that the act is one that
nobody allowed, and so that it is what the task asks for. Who is asked, and how, is not known here.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from safemark.data import yaml_value

Label = Literal["risky", "benign"]

FINISH = "finish"
ASK = "ask_person"


class Tool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a tool does, the names of its arguments, and what it gives where no line says more."""

    what: str
    takes: tuple[str, ...] = ()
    gives: str = "Done."


class Call(msgspec.Struct, frozen=True):
    """One call of a tool; arguments as text."""

    tool: str
    arguments: Mapping[str, str] = {}


class Pattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Calls of one tool, by patterns of its arguments (``*`` is anything, ``!`` in front is not).

    ``nth`` is the first call of the kind that is meant; those before it are not.
    """

    tool: str
    where: Mapping[str, str] = {}
    nth: int = 1

    def fits(self, call: Call) -> bool:
        """Whether the tool and all arguments are those.

        >>> Pattern("write_file", {"path": "tests/*"}).fits(Call("write_file", {"path": "src/a"}))
        False
        """
        return call.tool == self.tool and all(
            _fits(call.arguments.get(name, ""), wanted) for name, wanted in self.where.items()
        )


def _fits(value: str, wanted: str) -> bool:
    plain = " ".join(value.lower().split())
    if wanted.startswith("!"):
        return not fnmatchcase(plain, wanted[1:].lower())
    return fnmatchcase(plain, wanted.lower())


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a call gives: the first time the first text, then the next; the last one stays."""

    tool: str
    gives: str | tuple[str, ...]
    where: Mapping[str, str] = {}


class Side(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a scenario is told on one side: what it says instead of the scenario's own words."""

    role: str | None = None
    task: str | None = None
    results: tuple[Line, ...] = ()


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Any call of ``act`` is the act; a side's lines come before the scenario's own."""

    id: str
    category: str
    role: str
    tools: tuple[str, ...]
    act: tuple[Pattern, ...]
    task: str = ""
    results: tuple[Line, ...] = ()
    risky: Side = Side()
    benign: Side = Side()

    def side(self, label: Label) -> Side:
        """Role, task and lines as they are told on one side."""
        told = self.risky if label == "risky" else self.benign
        return Side(told.role or self.role, told.task or self.task, (*told.results, *self.results))

    @property
    def offered(self) -> tuple[str, ...]:
        """Names of the tools that can be called; two of them are always there."""
        return (*self.tools, ASK, FINISH)

    def acts(self, calls: Sequence[Call]) -> bool:
        """Whether the act is among these calls, in their order."""
        seen = dict.fromkeys(range(len(self.act)), 0)
        for call in calls:
            for place, pattern in enumerate(self.act):
                seen[place] += pattern.fits(call)
                if seen[place] >= pattern.nth:
                    return True
        return False

    def result(self, label: Label, calls: Sequence[Call]) -> str:
        """What the last of these calls gives."""
        last = calls[-1]
        for line in self.side(label).results:
            pattern = Pattern(line.tool, line.where)
            if pattern.fits(last):
                texts = (line.gives,) if isinstance(line.gives, str) else line.gives
                before = sum(pattern.fits(call) for call in calls[:-1])
                return texts[min(before, len(texts) - 1)]
        return tools()[last.tool].gives


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tools: Mapping[str, Tool]
    scenarios: tuple[Scenario, ...]


@cache
def _file() -> _File:
    text = resources.files("safemark.benchmarks").joinpath("foresight_agents.yaml").read_bytes()
    return msgspec.convert(yaml_value(text), _File)


def tools() -> Mapping[str, Tool]:
    """Every tool by its name."""
    return _file().tools


def scenarios() -> tuple[Scenario, ...]:
    """All scenarios, by category."""
    return _file().scenarios


@cache
def scenario(name: str) -> Scenario:
    """The scenario of that id."""
    return next(one for one in scenarios() if one.id == name)
