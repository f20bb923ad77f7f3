"""Whether a run may pass: no red light, and nothing shown to be worse than the baseline.

Three answers and not two: worse (shown), not worse by more than a margin (shown), and neither. A
missing or refused comparison is no pass. Terminal, JUnit, annotations, summary and exit code all
read the document made here.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from safemark import __version__
from safemark.errors import SafemarkError
from safemark.lights import ALLOWED_ABSENT
from safemark.reports.compare import compare
from safemark.reports.comparison import (
    ComparedRun,
    Comparison,
    DifferenceDocument,
    MetricComparison,
    PartComparison,
)
from safemark.reports.document import BenchmarkDocument, Document
from safemark.reports.exit_code import DONE, GATE_FAILED, INCONCLUSIVE, is_unmeasured
from safemark.reports.scorecard import document
from safemark.reports.sides import Side, from_store, opened
from safemark.reports.templates import compare_wording, wording
from safemark.store import Store

SCHEMA = 1
MARGIN_POINTS = 2.0

Failure = Literal["regression", "red"]
OutcomeName = Literal["failed", "unmeasured", "undecided", "passed"]
"""From the one that decides first to the one that decides last."""


class Rules(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """What a gate goes by: the keys of its configuration.

    ``margin`` is in points, for all headlines; ``margins`` for some, by ``benchmark`` or
    ``benchmark.metric``. ``fail_on`` says what fails. ``small_regressions`` says what becomes of a
    regression that is shown to be smaller than the margin. ``groups`` also fails on groups of a
    headline. ``require`` names benchmarks that must be measured; ``ignore`` what is not looked at.
    """

    baseline: str | None = None
    margin: float = MARGIN_POINTS
    margins: dict[str, float] = {}
    fail_on: tuple[Failure, ...] = ("regression", "red")
    small_regressions: Literal["fail", "pass"] = "fail"
    groups: bool = False
    require: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    strict: bool = False
    across: bool = False

    def margin_of(self, benchmark: str, metric: str) -> float:
        """The margin of one headline, in points."""
        nearest = self.margins.get(benchmark, self.margin)
        return self.margins.get(f"{benchmark}.{metric}", nearest)

    def ignores(self, benchmark: str, metric: str = "") -> bool:
        """Whether a benchmark, or one of its metrics, is not looked at."""
        return benchmark in self.ignore or f"{benchmark}.{metric}" in self.ignore


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at, and what came of it."""

    kind: Literal["regression", "light", "coverage"]
    name: str
    benchmark: str
    outcome: OutcomeName
    why: str


class GateDocument(msgspec.Struct, frozen=True):
    """What `safemark gate --json` prints."""

    safemark: str
    schema: int
    run: str
    model: str
    baseline: ComparedRun | None
    outcome: OutcomeName
    exit_code: int
    rules: Rules
    checks: list[Check]
    comparison: Comparison | None


def gate(candidate: Side, read: Document, baseline: Side | None, rules: Rules) -> GateDocument:
    """Every check of ``rules`` on a run; without a baseline its lights only.

    Args:
        candidate: the run as comparisons read it.
        read: the same run's document.
    """
    comparison, refusal = _compared(baseline, candidate, rules)
    checks = [*_coverage(read, baseline, rules), *_lights(read, rules)]
    if refusal is not None:
        checks.append(Check("regression", "comparison", "", "unmeasured", refusal.problem))
    if comparison is not None:
        checks += _regressions(comparison, rules)
    outcome = worst(checks)
    return GateDocument(
        safemark=__version__,
        schema=SCHEMA,
        run=read.run,
        model=read.model.name,
        baseline=baseline.run if baseline else None,
        outcome=outcome,
        exit_code=exit_code_of(outcome, strict=rules.strict),
        rules=rules,
        checks=sorted(checks, key=lambda check: ORDER.index(check.outcome)),
        comparison=comparison,
    )


def gated(store: Store, given: str, rules: Rules) -> GateDocument:
    """Every check of ``rules`` on the run that ``given`` names in ``store``.

    Raises:
        UnknownName: there is no such run, or no such baseline.
        UsageError: the baseline is a file that cannot be used.
    """
    run = store.run(given)
    baseline = None if rules.baseline is None else opened(rules.baseline, lambda: store)
    return gate(from_store(store, run, given), document(store, run), baseline, rules)


ORDER: tuple[OutcomeName, ...] = ("failed", "unmeasured", "undecided", "passed")


def worst(checks: list[Check]) -> OutcomeName:
    """The outcome that decides; a gate that looked at nothing has measured nothing."""
    found = [check.outcome for check in checks]
    return next((outcome for outcome in ORDER if outcome in found), "unmeasured")


def exit_code_of(outcome: OutcomeName, *, strict: bool) -> int:
    """0 passed, or undecided and not ``strict``; 1 failed; 3 not measured, or undecided."""
    if outcome == "failed":
        return GATE_FAILED
    if outcome == "unmeasured" or (strict and outcome == "undecided"):
        return INCONCLUSIVE
    return DONE


def _compared(
    baseline: Side | None, candidate: Side, rules: Rules
) -> tuple[Comparison | None, SafemarkError | None]:
    if baseline is None:
        return None, None
    try:
        return compare([baseline, candidate], across=rules.across), None
    except SafemarkError as refusal:
        return None, refusal


def _coverage(read: Document, baseline: Side | None, rules: Rules) -> Iterator[Check]:
    """Whether all was measured that must be."""
    if read.status != "complete":
        why = f"the run did not finish ({read.status})"
        yield Check("coverage", "run", "", "unmeasured", why)
    here = {part.name for part in read.benchmarks}
    before = {part.head.benchmark for part in baseline.parts} if baseline else set()
    for name in sorted({*rules.require, *before} - here):
        if not rules.ignores(name):
            who = "the baseline holds it" if name in before else "the rules require it"
            why = f"{who}, this run does not"
            yield Check("coverage", f"{name} measured", name, "unmeasured", why)
    for part in read.benchmarks:
        if not rules.ignores(part.name):
            yield _measured(part)


def _measured(part: BenchmarkDocument) -> Check:
    name = f"{part.name} measured"
    if is_unmeasured(part):
        asked = part.n + part.absent
        why = f"{part.absent:,} of {asked:,} outcomes are absent: {_reasons(part) or part.why}"
        return Check("coverage", name, part.name, "unmeasured", why)
    why = f"{wording.counted(part.n, 'outcome')}, {part.absent:,} absent"
    return Check("coverage", name, part.name, "passed", why)


def _reasons(part: BenchmarkDocument) -> str:
    return wording.reasons(part.absent_reasons)


def _lights(read: Document, rules: Rules) -> Iterator[Check]:
    """One check for each dimension that was measured."""
    if "red" not in rules.fail_on:
        return
    for dimension in read.dimensions:
        name = f"light: {dimension.name}"
        benchmark = dimension.headline_benchmark or ""
        if dimension.light == "grey" or (benchmark and rules.ignores(benchmark)):
            continue
        if dimension.light == "red":
            yield Check("light", name, benchmark, "failed", f"red: {dimension.why}")
        else:
            yield Check("light", name, benchmark, "passed", f"{dimension.light}: {dimension.why}")


def _regressions(comparison: Comparison, rules: Rules) -> Iterator[Check]:
    (pair,) = comparison.pairs
    for missing in pair.not_compared:
        if missing.refused and not rules.ignores(missing.benchmark):
            why = f"not comparable because {missing.why}"
            name = f"{missing.benchmark} against the baseline"
            yield Check("regression", name, missing.benchmark, "unmeasured", why)
    for part in pair.parts:
        for metric in part.metrics:
            if metric.is_headline and not rules.ignores(part.benchmark, metric.name):
                yield _regression(part, metric, metric.whole, rules)
                if rules.groups:
                    yield from _group_regressions(part, metric, rules)


def _group_regressions(
    part: PartComparison, metric: MetricComparison, rules: Rules
) -> Iterator[Check]:
    """Groups that fail; what is not shown of a group does not hold up a gate."""
    for group in metric.groups:
        check = _regression(part, metric, group, rules)
        if check.outcome == "failed":
            yield check


def _regression(
    part: PartComparison, metric: MetricComparison, found: DifferenceDocument, rules: Rules
) -> Check:
    name = f"{compare_wording.named(part)}: {metric.label}"
    if found.group is not None:
        name += f", {found.group}"
    margin = rules.margin_of(part.benchmark, metric.name)
    outcome, why = _judged(metric, found, margin, rules)
    return Check("regression", name, part.benchmark, outcome, why)


def _judged(
    metric: MetricComparison, found: DifferenceDocument, margin: float, rules: Rules
) -> tuple[OutcomeName, str]:
    """What a difference means for the gate, and why."""
    figures = compare_wording.sentence(metric, found)
    if found.difference is None:
        why = found.undefined or "there is nothing to compare"
        return "unmeasured", f"not comparable because {why}"
    within = is_within(metric, found, margin)
    asked = found.n + found.absent
    if found.verdict == "worse":
        outcome, why = _worse(within, margin, rules)
    elif found.absent > ALLOWED_ABSENT * asked:
        lost = f"{found.absent:,} of {asked:,} pairs lack an outcome"
        outcome, why = "unmeasured", f"{lost}, more than {100 * ALLOWED_ABSENT:g} %"
    elif found.verdict == "better":
        outcome, why = "passed", "better"
    elif within:
        outcome, why = "passed", f"not worse by more than {margin:g} points"
    elif found.undefined is not None:
        outcome, why = "undecided", f"not tested because {found.undefined}"
    else:
        outcome, why = "undecided", f"neither worse nor within {margin:g} points"
    return outcome, f"{why}: {figures}"


def _worse(within: bool, margin: float, rules: Rules) -> tuple[OutcomeName, str]:
    """What becomes of a regression that is shown."""
    if "regression" not in rules.fail_on:
        return "passed", "worse, which these rules let pass"
    if within and rules.small_regressions == "pass":
        return "passed", f"worse, but by less than {margin:g} points"
    return "failed", "worse"


def is_within(metric: MetricComparison, found: DifferenceDocument, margin: float) -> bool:
    """Whether the run is shown to be worse by less than ``margin`` points, whatever is absent.

    One-sided at 2.5 %: the worse end of the outer 95 % interval, of the distance from the target
    where there is one, is on the good side of the margin. A point is a hundredth of a share, else
    of the metric's range.

    Source: ICH E9 (1998), §3.3.2 and §5.5.
    """
    if metric.better == "higher":
        worst_end = None if found.outer_low is None else -found.outer_low
    elif metric.better == "lower":
        worst_end = found.outer_high
    else:
        worst_end = found.distance_outer_high
    least, greatest = metric.range
    point = 0.01 if metric.unit == "share" else (greatest - least) / 100
    return worst_end is not None and worst_end < margin * point
