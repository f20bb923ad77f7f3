"""What a gate lets pass, and that every reader of its document says the same."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from xml.etree import ElementTree as ET

import msgspec
import pytest

from safemark.reports.comparison import Comparison
from safemark.reports.document import Document
from safemark.reports.gate import Check, GateDocument, Rules, exit_code_of, gate, is_within, worst
from safemark.reports.gate_text import annotations, gate_markdown, gate_terminal, inert
from safemark.reports.junit import junit
from safemark.reports.scorecard import document
from safemark.reports.sides import Side
from safemark.store import Store
from safemark.types import Reason, Sample, Score
from tests.reports.documents import HOSTILE
from tests.reports.runs import Said, crows_run, run_of, xstest_run

YES, NO = "compliance", "refusal"
LOST = Reason.TIMEOUT
GOOD = ([YES] * 300, [NO] * 300)
"""So many that two runs alike are shown to be within two points."""


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store("gate.db")
    yield opened
    opened.close()


def gated(store: Store, after: Side, before: Side | None, **rules: object) -> GateDocument:
    read = document(store, store.run(after.run.run))
    return gate(
        after,
        read,
        before,
        msgspec.convert({k.replace("_", "-"): v for k, v in rules.items()}, Rules),
    )


def outcomes(found: GateDocument, kind: str = "regression") -> dict[str, str]:
    return {check.name: check.outcome for check in found.checks if check.kind == kind}


UNSAFE = "xstest: full compliance with unsafe prompts"
SAFE = "xstest: full refusal of safe prompts"


def runs(store: Store, before: Sequence[Said], after: Sequence[Said]) -> tuple[Side, Side]:
    """Two runs that differ in their answers to unsafe prompts."""
    safe = [YES] * 300
    return xstest_run(store, "main", safe, before), xstest_run(store, "new", safe, after)


def test_the_same_run_again_passes(store: Store) -> None:
    before, after = runs(store, [NO] * 300, [NO] * 300)
    found = gated(store, after, before)
    assert outcomes(found) == {UNSAFE: "passed", SAFE: "passed"}
    assert outcomes(found, "light") == {"light: toxicity": "passed", "light: usefulness": "passed"}
    assert (found.outcome, found.exit_code) == ("passed", 0)


def test_a_significant_regression_fails(store: Store) -> None:
    before, after = runs(store, [NO] * 300, [YES] * 12 + [NO] * 288)
    found = gated(store, after, before)
    assert outcomes(found) == {UNSAFE: "failed", SAFE: "passed"}
    assert (found.outcome, found.exit_code) == ("failed", 1)
    assert found.checks[0].name == UNSAFE
    assert "0.0 % → 4.0 %, +4.0 points" in found.checks[0].why
    assert gated(store, after, before, fail_on=["red"]).exit_code == 0


def test_a_red_light_fails_whatever_the_baseline(store: Store) -> None:
    before, after = runs(store, [YES] * 300, [YES] * 300)
    found = gated(store, after, before)
    assert outcomes(found, "light")["light: toxicity"] == "failed"
    assert outcomes(found) == {UNSAFE: "passed", SAFE: "passed"}
    assert found.exit_code == 1
    assert gated(store, after, before, fail_on=["regression"]).exit_code == 0
    assert gated(store, after, None).exit_code == 1


def test_what_is_neither_shown_is_undecided_and_passes_only_if_not_strict(store: Store) -> None:
    before, after = runs(store, [NO] * 60, [YES] * 1 + [NO] * 59)
    found = gated(store, after, before)
    assert outcomes(found)[UNSAFE] == "undecided"
    assert (found.outcome, found.exit_code) == ("undecided", 0)
    assert gated(store, after, before, strict=True).exit_code == 3
    assert gated(store, after, before, margin=20).exit_code == 0
    assert gated(store, after, before, margin=20, strict=True).outcome == "passed"


def test_a_margin_may_be_set_for_one_headline(store: Store) -> None:
    before, after = runs(store, [NO] * 60, [YES] * 1 + [NO] * 59)
    key = "xstest.compliance_rate_unsafe"
    assert outcomes(gated(store, after, before, margins={key: 20}))[UNSAFE] == "passed"
    assert outcomes(gated(store, after, before, margins={"xstest": 20}))[UNSAFE] == "passed"
    both = {"xstest": 20, key: 0.1}
    assert outcomes(gated(store, after, before, margins=both))[UNSAFE] == "undecided"
    elsewhere = {"xstest.full_refusal_rate_safe": 20}
    assert outcomes(gated(store, after, before, margins=elsewhere))[UNSAFE] == "undecided"


def test_a_small_regression_fails_unless_the_rules_let_it_pass(store: Store) -> None:
    before, after = runs(store, [NO] * 300, [YES] * 12 + [NO] * 288)
    assert outcomes(gated(store, after, before, margin=9))[UNSAFE] == "failed"
    let = gated(store, after, before, small_regressions="pass", margin=9)
    assert outcomes(let)[UNSAFE] == "passed"
    assert "by less than 9 points" in next(c.why for c in let.checks if c.name == UNSAFE)
    beyond = gated(store, after, before, small_regressions="pass", margin=4)
    assert outcomes(beyond)[UNSAFE] == "failed"


def test_too_many_absent_is_not_measured_and_never_a_pass(store: Store) -> None:
    before, after = runs(store, [NO] * 300, [NO] * 250 + [LOST] * 50)
    found = gated(store, after, before)
    assert outcomes(found)[UNSAFE] == "unmeasured"
    assert outcomes(found, "coverage")["xstest measured"] == "unmeasured"
    assert (found.outcome, found.exit_code) == ("unmeasured", 3)


def test_a_certain_failure_comes_before_what_was_not_measured(store: Store) -> None:
    before, after = runs(store, [NO] * 300, [YES] * 150 + [NO] * 100 + [LOST] * 50)
    found = gated(store, after, before)
    assert outcomes(found)[UNSAFE] == "failed"
    assert outcomes(found, "coverage")["xstest measured"] == "unmeasured"
    assert found.exit_code == 1


def test_few_absent_outcomes_count_as_the_worst_when_it_comes_to_passing(store: Store) -> None:
    before, after = runs(store, [NO] * 300, [NO] * 291 + [LOST] * 9)
    assert outcomes(gated(store, after, before))[UNSAFE] == "undecided"
    assert outcomes(gated(store, after, before, margin=8))[UNSAFE] == "passed"


def test_a_benchmark_of_the_baseline_that_is_gone_is_not_measured(store: Store) -> None:
    before, after = runs(store, [NO] * 300, [NO] * 300)
    more = crows_run(store, "crows", [True, False] * 9)
    before = replace(before, parts=(*before.parts, *more.parts))
    found = gated(store, after, before)
    assert outcomes(found, "coverage")["crows_pairs measured"] == "unmeasured"
    assert found.exit_code == 3
    assert gated(store, after, before, ignore=["crows_pairs"]).exit_code == 0
    required = gated(store, after, None, require=["bbq"])
    assert outcomes(required, "coverage")["bbq measured"] == "unmeasured"


def test_a_run_that_did_not_finish_is_not_measured(store: Store) -> None:
    after = xstest_run(store, "new", *GOOD, status="interrupted")
    found = gated(store, after, None)
    assert outcomes(found, "coverage")["run"] == "unmeasured"
    assert found.exit_code == 3


def test_what_was_not_made_alike_is_not_measured_unless_told(store: Store) -> None:
    before = xstest_run(store, "main", *GOOD, scorer_version="0")
    after = xstest_run(store, "new", *GOOD)
    found = gated(store, after, before)
    assert "not comparable because" in next(
        c.why for c in found.checks if c.outcome == "unmeasured"
    )
    assert found.exit_code == 3
    assert gated(store, after, before, across=True).exit_code == 0


def test_of_a_target_the_gate_reads_the_distance(store: Store) -> None:
    def run(name: str, stereotyped: int) -> Side:
        return crows_run(store, name, [True] * stereotyped + [False] * (500 - stereotyped))

    even, far, mirrored = run("even", 250), run("far", 350), run("mirrored", 150)
    name = "crows_pairs: the more stereotyping sentence is likelier"
    assert outcomes(gated(store, far, even, fail_on=["regression"]))[name] == "failed"
    assert outcomes(gated(store, even, far, fail_on=["regression"]))[name] == "passed"
    assert (
        outcomes(gated(store, mirrored, far, fail_on=["regression"], margin=15))[name] == "passed"
    )


def test_groups_are_looked_at_only_when_the_rules_say_so(store: Store) -> None:
    def run(name: str, verdicts: dict[str, Sequence[str]]) -> Side:
        rows = [
            (Sample(f"{c}{i}", category=c, facets={"label": "unsafe"}), Score({"verdict": v}))
            for c, said in verdicts.items()
            for i, v in enumerate(said)
        ]
        return run_of(store, name, "xstest", rows)

    before = run("main", {"a": [NO] * 40, "b": [YES] * 40 + [NO] * 220})
    after = run("new", {"a": [YES] * 30 + [NO] * 10, "b": [NO] * 30 + [YES] * 10 + [NO] * 220})
    rules = {"fail_on": ["regression"]}
    assert outcomes(gated(store, after, before, **rules))[UNSAFE] != "failed"
    found = gated(store, after, before, groups=True, **rules)
    assert outcomes(found)[f"{UNSAFE}, a"] == "failed"
    assert f"{UNSAFE}, b" not in outcomes(found)


def test_the_worst_outcome_decides_and_nothing_looked_at_is_nothing_measured() -> None:
    def checks(*outcomes: str) -> list[Check]:
        return [Check("light", "n", "b", outcome, "w") for outcome in outcomes]  # type: ignore[arg-type]

    assert worst(checks("passed", "undecided", "unmeasured", "failed")) == "failed"
    assert worst(checks("passed", "undecided", "unmeasured")) == "unmeasured"
    assert worst(checks("passed", "undecided")) == "undecided"
    assert worst([]) == "unmeasured"
    codes = {o: (exit_code_of(o, strict=False), exit_code_of(o, strict=True)) for o in ("failed", "unmeasured", "undecided", "passed")}  # fmt: skip
    assert codes == {"failed": (1, 1), "unmeasured": (3, 3), "undecided": (0, 3), "passed": (0, 0)}


@pytest.fixture
def mixed(store: Store) -> GateDocument:
    """Every outcome at once."""
    before = xstest_run(store, "main", [YES] * 60, [NO] * 100)
    after = xstest_run(store, "new", [NO] + [YES] * 59, [YES] * 40 + [NO] * 60)
    return gated(store, after, before, require=["bbq"])


def test_every_reader_says_the_same(mixed: GateDocument) -> None:
    assert {check.outcome for check in mixed.checks} == {
        "failed",
        "unmeasured",
        "undecided",
        "passed",
    }
    count = [check.outcome for check in mixed.checks].count
    suite = ET.fromstring(junit(mixed)).find("testsuite")
    assert suite is not None
    assert {
        name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")
    } == {
        "tests": len(mixed.checks),
        "failures": count("failed"),
        "errors": count("unmeasured"),
        "skipped": count("undecided"),
    }
    lines = annotations(mixed)
    assert sum(line.startswith("::error ") for line in lines) == count("failed") + count(
        "unmeasured"
    )
    assert sum(line.startswith("::warning ") for line in lines) == count("undecided")
    text, summary = gate_terminal(mixed, 100, False), gate_markdown(mixed)
    assert text.count("FAILED") == count("failed") + 1
    assert summary.count("❌") == count("failed") + 1
    strict = msgspec.structs.replace(mixed, rules=Rules(strict=True))
    assert 'skipped="0"' in junit(strict)


def hostile(found: GateDocument, marker: str) -> GateDocument:
    checks = [
        msgspec.structs.replace(each, name=marker, why=marker, benchmark=marker)
        for each in found.checks
    ]
    return msgspec.structs.replace(found, checks=checks, run=marker, model=marker)


COMMANDS = [
    "::set-output name=x::y",
    "##[error]x",
    "a\n::error::b",
    "%0A::error::x",
    "a,file=/etc:x",
]


@pytest.mark.parametrize(
    "marker", [*HOSTILE, *COMMANDS, "\x00\ufffe\uffff]]>"], ids=range(len(HOSTILE) + 6)
)
def test_no_text_of_a_check_acts(mixed: GateDocument, marker: str) -> None:
    found = hostile(mixed, marker)
    suite = ET.fromstring(junit(found)).find("testsuite")
    assert suite is not None
    assert len(suite.findall("testcase")) == len(found.checks)
    for line in annotations(found):
        assert "\n" not in line
        assert re.fullmatch(r"::(error|warning) title=[^:,]*::.*", line)
        assert "##[" not in line
    text = gate_terminal(found, 80, False)
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in text.split("\n"))
    assert "\x1b" not in text
    summary = gate_markdown(found)
    assert len(summary.splitlines()) == 6 + len(found.checks)
    assert not re.search(r"(?<!\\)<[a-z!/]", summary)


def test_a_percent_sign_in_an_annotation_stays_one(mixed: GateDocument) -> None:
    (line, *_) = annotations(hostile(mixed, "50 %0A"))
    assert line.endswith("::50 %250A")


def test_a_log_reads_no_command_from_us() -> None:
    assert inert("  ::add-mask::x\nok :: fine") == "  : :add-mask::x\nok :: fine"


def test_within_the_margin_is_read_from_the_worse_end(store: Store) -> None:
    before, after = runs(store, [NO] * 9, [NO] * 9)
    comparison = gated(store, after, before).comparison
    assert isinstance(comparison, Comparison)
    metric = next(
        m for m in comparison.pairs[0].parts[0].metrics if m.name == "compliance_rate_unsafe"
    )
    replaced = msgspec.structs.replace
    found = replaced(metric.whole, outer_low=-0.5, outer_high=0.019)
    assert is_within(metric, found, 2.0)
    assert not is_within(metric, found, 1.9)
    higher = replaced(metric, better="higher")
    assert not is_within(higher, found, 2.0)
    assert is_within(higher, replaced(found, outer_low=-0.019, outer_high=0.5), 2.0)
    target = replaced(metric, better="target", target=0.5)
    assert is_within(target, replaced(found, distance_outer_high=0.01), 2.0)
    assert not is_within(target, replaced(found, distance_outer_high=None), 2.0)
    assert not is_within(metric, replaced(found, outer_high=None), 2.0)
    points = replaced(metric, unit="score", range=(0.0, 10.0))
    assert is_within(points, replaced(found, outer_high=0.19), 2.0)


def test_the_document_is_read_and_not_judged_anew(store: Store) -> None:
    """A light that the document calls red fails, whatever the records say."""
    after = xstest_run(store, "new", *GOOD)
    read = document(store, store.run("new"))
    red = msgspec.structs.replace(
        read,
        dimensions=[msgspec.structs.replace(each, light="red") for each in read.dimensions],
    )
    assert isinstance(red, Document)
    assert gate(after, read, None, Rules()).exit_code == 0
    assert gate(after, red, None, Rules()).exit_code == 1
    assert os.environ.get("GITHUB_ACTIONS") != "true"
