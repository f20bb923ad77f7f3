"""A gate as JUnit XML, which most CI systems show: one test case for each check."""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from safemark.reports.gate import Check, GateDocument
from safemark.reports.templates.wording import visible

_NO_CHARACTERS = str.maketrans({"\ufffe": "⟨U+FFFE⟩", "\uffff": "⟨U+FFFF⟩"})


def junit(found: GateDocument) -> str:
    """The checks as a test suite.

    Failed is a failure, not measured an error, undecided is skipped (an error where the rules are
    strict), so that a CI system and the exit code say the same.
    """
    cases = [_case(check, strict=found.rules.strict) for check in found.checks]
    tags = [child.tag for case in cases for child in case]
    suite = Element(
        "testsuite",
        name="safemark gate",
        tests=str(len(cases)),
        failures=str(tags.count("failure")),
        errors=str(tags.count("error")),
        skipped=str(tags.count("skipped")),
    )
    properties = SubElement(suite, "properties")
    baseline = found.baseline.run if found.baseline else "none"
    for name, value in (("run", found.run), ("model", found.model), ("baseline", baseline)):
        SubElement(properties, "property", name=name, value=_shown(value))
    suite.extend(cases)
    root = Element("testsuites")
    root.append(suite)
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _case(check: Check, *, strict: bool) -> Element:
    case = Element(
        "testcase",
        classname=_shown(f"safemark.{check.kind}.{check.benchmark or 'run'}"),
        name=_shown(check.name),
    )
    tag = {
        "failed": "failure",
        "unmeasured": "error",
        "undecided": "error" if strict else "skipped",
    }.get(check.outcome)
    if tag is None:
        SubElement(case, "system-out").text = _shown(check.why)
    else:
        SubElement(case, tag, message=_shown(check.why))
    return case


def _shown(text: str) -> str:
    """Text that XML 1.0 can hold."""
    return visible(text).translate(_NO_CHARACTERS)
