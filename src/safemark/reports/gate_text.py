"""A gate for people: in a terminal, as GitHub annotations, and as Markdown for a summary."""

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from safemark.reports.gate import Check, GateDocument, OutcomeName
from safemark.reports.markdown import escaped
from safemark.reports.templates import wording
from safemark.reports.terminal import printed

SAYS: Mapping[OutcomeName, str] = {
    "failed": "FAILED",
    "unmeasured": "NOT MEASURED",
    "undecided": "UNDECIDED",
    "passed": "PASSED",
}
MEANS: Mapping[OutcomeName, str] = {
    "failed": "something is shown to be worse, or red",
    "unmeasured": "not enough was measured to say anything",
    "undecided": "neither worse nor shown to be no worse; more samples would decide",
    "passed": "nothing is red, and nothing is worse by more than the margin",
}
GLYPHS: Mapping[OutcomeName, str] = {
    "failed": "❌",
    "unmeasured": "⚪",
    "undecided": "🟡",
    "passed": "✅",
}
_STYLES: Mapping[OutcomeName, str] = {
    "failed": "bold red",
    "unmeasured": "bold yellow",
    "undecided": "bold yellow",
    "passed": "bold green",
}
_LEVELS: Mapping[OutcomeName, str] = {
    "failed": "error",
    "unmeasured": "error",
    "undecided": "warning",
}


def gate_terminal(found: GateDocument, width: int = 80, color: bool | None = None) -> str:
    """The checks, what decided first, and the answer last."""
    width = max(40, width)
    against = f"baseline {found.baseline.label}" if found.baseline else "no baseline: lights only"
    blocks: list[RenderableType] = [
        _text(f"Safemark gate  {found.model}  run {found.run}  {against}", "bold"),
        Text(""),
    ]
    for check in found.checks:
        head = Text(f"{SAYS[check.outcome]:13}", _STYLES[check.outcome])
        blocks.append(Text.assemble(head, _text(check.name)))
        blocks.append(Padding(_text(check.why, "dim"), (0, 0, 0, 13)))
    answer = Text(f"{SAYS[found.outcome]}", _STYLES[found.outcome])
    blocks += [Text(""), Text.assemble(answer, f": {MEANS[found.outcome]}")]
    return inert(printed(Group(*blocks), width, color))


def _text(text: str, style: str = "") -> Text:
    return Text(wording.visible(text), style)


def inert(text: str) -> str:
    """``text`` in which a CI runner that reads its log finds no command.

    >>> inert("##[error]x\\n::error::y")
    '## [error]x\\n: :error::y'
    """
    lines = [line.replace("##[", "## [") for line in text.split("\n")]
    return "\n".join(
        line.replace("::", ": :", 1) if line.lstrip().startswith("::") else line for line in lines
    )


def annotations(found: GateDocument) -> list[str]:
    """GitHub workflow commands, one a line, for all that did not pass.

    Source: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    return [_annotation(check) for check in found.checks if check.outcome != "passed"]


def _annotation(check: Check) -> str:
    title = _property(f"Safemark: {SAYS[check.outcome].lower()}: {check.name}")
    return f"::{_LEVELS[check.outcome]} title={title}::{_data(check.why)}"


def _data(text: str) -> str:
    shown = wording.short(text, 1000).replace("##[", "## [")
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def gate_markdown(found: GateDocument) -> str:
    """The same for a step summary or a comment; every text is escaped."""
    against = f"against {escaped(found.baseline.label)}" if found.baseline else "lights only"
    lines = [
        f"### {GLYPHS[found.outcome]} Safemark gate: {SAYS[found.outcome].lower()}",
        "",
        f"{escaped(found.model)}, run {escaped(found.run)}, {against}: {MEANS[found.outcome]}.",
        "",
        "| | check | why |",
        "|---|---|---|",
    ]
    lines += [
        f"| {GLYPHS[check.outcome]} {SAYS[check.outcome].lower()} | {escaped(check.name)} |"
        f" {escaped(wording.short(check.why, 400))} |"
        for check in found.checks
    ]
    return "\n".join(lines) + "\n"
