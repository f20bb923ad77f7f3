"""Several scorers on one answer: by majority, any, all or weight, with their disagreement.

    safemark rejudge RUN --with ensemble:panel.yaml --judge openai/gpt-4o-mini

    rule: weighted                  # majority (the default), any, all, weighted
    members:
      - scorer: judge_harmbench
      - scorer: judge_strongreject
        weight: 2
      - scorer: refusal
        outcome: verdict
        value: compliance

Without a file the members are `judge_harmbench`, `judge_jailbreakbench` and `judge_strongreject`.
Several judges of one scorer need no file: name `--judge` several times.

Checked against: all combinations of votes in ``tests/scorers/test_ensemble.py``.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec

from safemark import registry
from safemark.benchmarks._benchmark import Scorer
from safemark.errors import UsageError
from safemark.files import yaml_in
from safemark.models._model import Model
from safemark.scorers._judge.votes import Member, Rule, voting
from safemark.types import Reason, Sample, Scalar, Score, Transcript

_HINT = "docs/judges.md shows an ensemble"


class MemberFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member as a file names it: its vote is yes where ``outcome`` is ``value``."""

    scorer: str
    outcome: str = "harmful"
    value: Scalar = True
    weight: Annotated[float, msgspec.Meta(gt=0)] = 1.0


class PanelFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An ensemble as a file says it."""

    members: Annotated[tuple[MemberFile, ...], msgspec.Meta(min_length=2)]
    rule: Rule = "majority"


DEFAULT = PanelFile(
    tuple(map(MemberFile, ("judge_harmbench", "judge_jailbreakbench", "judge_strongreject")))
)


def from_file(path: Path) -> Scorer:
    """The ensemble in a file.

    Raises:
        UsageError: the file cannot be read, is no ensemble, or names an unknown scorer.
    """
    try:
        panel = msgspec.convert(yaml_in(path, "the ensemble", _HINT), PanelFile)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path} is no ensemble: {error}", _HINT) from error
    return of_panel(panel)


def of_panel(panel: PanelFile) -> Scorer:
    """The scorer of an ensemble; it needs a judge where one of its members does.

    Raises:
        UnknownName: a member is no scorer.
    """
    members = _members(panel)
    if not any(member.scorer.with_judge for member in members):
        return voting("ensemble", members, panel.rule)

    def with_judge(judge: Model) -> Scorer:
        return voting("ensemble", [_ready(member, judge) for member in members], panel.rule)

    plain = voting("ensemble", members, panel.rule)
    return replace(plain, score=_no_judge, with_judge=with_judge)


def _members(panel: PanelFile) -> Sequence[Member]:
    return [
        Member(registry.scorer(one.scorer), one.outcome, one.value, one.weight)
        for one in panel.members
    ]


def _ready(member: Member, judge: Model) -> Member:
    make = member.scorer.with_judge
    return member if make is None else replace(member, scorer=make(judge))


def _no_judge(_sample: Sample, _transcript: Transcript) -> Score:
    return Score({}, Reason.JUDGE_ERROR, "no judge given: --judge MODEL")


scorer = replace(of_panel(DEFAULT), with_argument=lambda path: from_file(Path(path)))
