"""``safemark gate``: may this run pass? No red light, nothing shown worse than the baseline."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safemark.cli._given import listed
from safemark.cli._options import Json, StoreUrl
from safemark.cli._output import emit, emit_json, is_coloured, on_one_thread, say, width, write_text
from safemark.errors import StoreError, UnknownName, UsageError

if TYPE_CHECKING:
    from safemark.reports.gate import GateDocument, Rules


def gate(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, name, or last.")] = "last",
    baseline: Annotated[
        str | None,
        typer.Option(metavar="RUN|NAME|FILE", help="What it must not be worse than."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML with the rules, alone or under `gate:`."),
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(min=0.0, metavar="POINTS", help="Worse by less than this passes. [2]"),
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(metavar="WHAT", help="regression, red, or both with a comma. [both]"),
    ] = None,
    require: Annotated[
        list[str] | None,
        typer.Option(metavar="BENCHMARK", help="Must be measured; may be repeated."),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A BENCHMARK or BENCHMARK.METRIC not to look at."),
    ] = None,
    groups: Annotated[
        bool, typer.Option("--groups", help="Fail on groups of a headline as well.")
    ] = False,
    allow_small: Annotated[
        bool,
        typer.Option("--allow-small", help="A regression shown to be within the margin passes."),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 3 when undecided, not 0 with a warning.")
    ] = False,
    across: Annotated[
        bool, typer.Option("--across", help="Compare what was not made alike too, and say so.")
    ] = False,
    write_baseline: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where the run passes, keep it as the next baseline."),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML.")
    ] = None,
    summary: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a summary in Markdown.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the comparison as a page.")
    ] = None,
    store: StoreUrl = None,
    as_json: Json = False,
) -> int:
    """Fail on a red light or a significant regression against a baseline; no model is asked."""
    import msgspec

    on_one_thread()
    given = {
        "baseline": baseline,
        "margin": margin,
        "fail_on": None if fail_on is None else _words(fail_on),
        "require": tuple(require) if require else None,
        "ignore": tuple(ignore) if ignore else None,
        "groups": groups or None,
        "small_regressions": "pass" if allow_small else None,
        "strict": strict or None,
        "across": across or None,
    }
    changed = {name: value for name, value in given.items() if value is not None}
    rules = msgspec.structs.replace(_rules(config), **changed)
    found, text = _gated(run, rules, store, write_baseline)
    if junit is not None:
        from safemark.reports.junit import junit as as_junit

        write_text(junit, as_junit(found), "--junit")
    if html is not None:
        _draw(found, html)
    _summarise(found, summary)
    _show(found, as_json)
    if write_baseline is not None:
        _keep(found, text, write_baseline)
    return found.exit_code


def _words(given: str) -> tuple[str, ...]:
    words = tuple(listed(given, "--fail-on"))
    for word in words:
        if word not in ("regression", "red"):
            raise UnknownName("reason to fail", word, ("regression", "red"))
    return words


def _rules(path: Path | None) -> "Rules":
    """The rules of a config file; its key ``gate`` where it has one.

    Raises:
        UsageError: the file cannot be read, or a rule is unknown or of the wrong kind.
    """
    import msgspec

    from safemark.models.application_file import read_yaml
    from safemark.reports.gate import Rules

    if path is None:
        return Rules()
    read = read_yaml(path, "the config")
    given: Any = read.get("gate", read) if isinstance(read, dict) else read
    if given is None:
        return Rules()
    if not isinstance(given, dict):
        raise UsageError(f"the rules in {path} are no mapping", "write one `key: value` a line")
    plain = {str(key).replace("_", "-"): value for key, value in given.items()}
    known = Rules.__struct_encode_fields__
    for key in plain:
        if key not in known:
            raise UnknownName(f"rule in {path.name}", key, known)
    for key in ("fail-on", "require", "ignore"):
        if isinstance(plain.get(key), str):
            plain[key] = listed(plain[key], key)
    try:
        rules = msgspec.convert(plain, Rules)
    except msgspec.ValidationError as error:
        raise UsageError(f"a rule in {path} is wrong: {error}", "docs/ci.md lists them") from error
    if min((rules.margin, *rules.margins.values())) < 0:
        raise UsageError(f"a margin in {path} is below 0", "give it in points, 2 for example")
    return rules


def _gated(
    given: str, rules: "Rules", store_url: str | None, write_baseline: Path | None
) -> "tuple[GateDocument, bytes]":
    """The answer, and the run as a baseline file where one was asked for."""
    import msgspec

    from safemark.reports.gate import gated
    from safemark.reports.sides import baseline_text
    from safemark.store import Store

    named = Path(rules.baseline) if rules.baseline else None
    if named is not None and named == write_baseline and not named.exists():
        say(f"no baseline at {named} yet")
        rules = msgspec.structs.replace(rules, baseline=None)
    with Store(store_url) as opened:
        found = gated(opened, given, rules)
        text = b"" if write_baseline is None else baseline_text(opened, opened.run(found.run))
    return found, text


def _show(found: "GateDocument", as_json: bool) -> None:
    from safemark.reports.gate_text import annotations, gate_terminal

    if as_json:
        emit_json(found)
    else:
        emit(gate_terminal(found, width(), is_coloured()))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in annotations(found):
            say(line)
    if found.outcome == "undecided" and not found.rules.strict:
        say("warning: undecided; `--strict` makes this exit 3")


def _draw(found: "GateDocument", path: Path) -> None:
    """The comparison as a page, where there is a baseline to compare with."""
    from safemark.reports.compare_html import compare_html

    if found.comparison is None:
        say(f"{path} is not written: without a baseline there is no comparison to show")
    else:
        write_text(path, compare_html(found.comparison), "--html")


def _summarise(found: "GateDocument", path: Path | None) -> None:
    """Markdown into ``path``, and after what stands in the step summary of a GitHub job."""
    from safemark.reports.gate_text import gate_markdown

    if path is not None:
        write_text(path, gate_markdown(found), "--summary")
    if not (step := os.environ.get("GITHUB_STEP_SUMMARY")):
        return
    try:
        with Path(step).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(gate_markdown(found) + "\n")
    except OSError as error:
        raise StoreError(f"the step summary {step} cannot be written: {error.strerror}") from error


def _keep(found: "GateDocument", text: bytes, path: Path) -> None:
    """The run as the next baseline: one that passed, or a first one that did not fail."""
    if found.outcome != "passed" and (found.baseline or found.outcome != "undecided"):
        say(f"{path} is left as it is: the run did not pass")
        return
    write_text(path, text.decode(), "--write-baseline")
