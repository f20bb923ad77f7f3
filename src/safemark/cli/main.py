"""The command line: one file per command, each parses, makes one call and prints.

What goes wrong is said here, in one way: ``error:`` and one sentence, then ``hint:``.
"""

import atexit
import gc
import os
import re
import sys
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import typer

from safemark.cli._output import close_stdout, complain, say
from safemark.cli._parsing import complaint, refusing_empty_names
from safemark.errors import SafemarkError, UnknownName, UsageError

app = typer.Typer(
    name="safemark",
    help="Tell how safe an AI model is, with evidence you can show.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


_NO_COMMAND = re.compile(r"No such command '([^']*)'")


_EXAMPLES = {
    "run": (
        "safemark run",
        "safemark run openai/gpt-4o-mini --dry-run",
        "safemark run hf/FOLDER -b bbq,xstest --limit 500",
        "safemark run openai/NAME --base-url http://localhost:8000/v1",
        "safemark run openai/NAME -b xstest --attack base64 --gate",
    ),
    "list": ("safemark list benchmarks", "safemark list runs --json"),
    "ask": ('safemark ask reference "What is the capital of France?"',),
    "show": ("safemark show last", "safemark show last --absent", "safemark show RUN --sample ID"),
    "rejudge": ("safemark rejudge last --judge openai/gpt-4o",),
    "score": ("safemark score outputs.jsonl",),
    "scan": ("safemark scan people.csv",),
    "annotate": ("safemark annotate last",),
    "import": ("safemark import logs.jsonl --basis consent",),
    "report": (
        "safemark report last",
        "safemark report last -f md",
        "safemark report RUN -f json -o run.json",
    ),
    "compare": ("safemark compare BEFORE AFTER", "safemark compare BEFORE AFTER -f html"),
    "gap": (
        "safemark gap --dry-run",
        "safemark gap hf/FOLDER --remove ablation,finetune --on safemark94,mmlu",
    ),
    "gate": (
        "safemark gate",
        "safemark gate last --baseline baseline.json --junit gate.xml",
    ),
    "plan": ("safemark plan",),
    "trend": ("safemark trend openai/gpt-4o-mini",),
    "across": ("safemark across",),
    "leaderboard": ("safemark leaderboard",),
    "selftest": ("safemark selftest --quick",),
    "doctor": ("safemark doctor",),
}


def _examples(name: str) -> str:
    """What stands under the options of a command; ``\\b`` keeps its lines apart."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in _EXAMPLES[name])])


def _register() -> None:
    from safemark.cli import (
        across,
        annotate,
        ask,
        attacks,
        compare,
        data,
        doctor,
        gap,
        gate,
        import_,
        judge,
        leaderboard,
        list_,
        plan,
        questions,
        rejudge,
        report,
        run,
        runs,
        scan,
        score,
        selftest,
        show,
        trend,
    )

    short: dict[Callable[..., int], str] = {
        run.run: "Ask, judge, store, show the scorecard.",
        list_.list_: "What there is to ask, and what was asked.",
        ask.ask: "Say something to a model and see that it answers.",
        show.show: "What was asked, answered, judged, and why.",
        rejudge.rejudge: "New scores on stored replies.",
        score.score: "Judge outputs that were recorded elsewhere.",
        scan.scan: "What a data file says of groups of people.",
        annotate.annotate: "Label records by hand, blind to the judge.",
        import_.import_: "Own logs, made fit to measure on.",
        report.report: "The scorecard of a stored run.",
        compare.compare: "What differs between runs, and how sure that is.",
        gap.gap: "How dangerous open weights get without safeguards.",
        gate.gate: "Fail on red lights and regressions: for CI.",
        plan.plan: "How many cases it takes, and what they cost.",
        trend.trend: "All runs over time, and what changed.",
        across.across: "Many models together; published figures.",
        leaderboard.leaderboard: "Models on the map of 94 risks.",
        selftest.selftest: "Check the instrument on known faults.",
        doctor.doctor: "What works here, and what does not.",
    }
    for command, words in short.items():
        name = command.__name__.rstrip("_")
        app.command(name, short_help=words, epilog=_examples(name))(command)
    app.add_typer(judge.app, name="judge", short_help="Measure the judges on labelled answers.")
    app.add_typer(data.app, name="data", short_help="Fetch benchmarks from their publishers.")
    app.add_typer(attacks.app, name="attacks", short_help="Attacks and models side by side.")
    app.add_typer(questions.app, name="questions", short_help="Questions of your own, checked.")
    app.add_typer(runs.app, name="runs", short_help="Name, export and remove stored runs.")


def _version(value: bool) -> None:
    if value:
        from safemark import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Tell how safe an AI model is, with evidence you can show."""


_register()
refusing_empty_names(app)


COLLECTED_AFTER = (50_000, 20, 50)
"""New objects before garbage is looked for; torch alone brings a million that stay."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and leave with its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        gc.set_threshold(*COLLECTED_AFTER)
    try:
        code = _run(given)
    finally:
        sys.excepthook = _show_bug  # typer has put its own there
    if arguments is None and "torch" in sys.modules:
        leave(code)
    sys.exit(code)


def leave(code: int) -> None:
    """End the process as `sys.exit` does, but without taking apart all that torch left.

    What runs at exit runs, and output is flushed; the operating system frees the rest. It returns
    where that is not enough: a profiler wants the last word, or output that cannot be written is
    to be told.
    """
    gc.freeze()
    if sys.getprofile() is not None or sys.gettrace() is not None:
        return
    atexit._run_exitfuncs()  # noqa: SLF001  it has no public name
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return
    os._exit(code)


def _show_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The traceback of what nobody caught; the words of an exception may hold a key."""
    import traceback

    from safemark.secrets import remember_environment, scrubbed

    remember_environment()
    sys.stderr.write(scrubbed("".join(traceback.format_exception(kind, error, trace))))


def _run(arguments: list[str]) -> int:
    as_json = "--json" in arguments
    try:
        _check_text(arguments)
        result: Any = app(args=arguments, prog_name="safemark", standalone_mode=False)
    except SafemarkError as error:
        complain(error, as_json)
        return error.exit_code
    except KeyboardInterrupt:
        complain(SafemarkError("interrupted", "repeat the command: it continues"), as_json)
        return 130
    except BrokenPipeError:
        close_stdout()
        return 0
    except Exception as error:
        if (shown := _help(error)) is not None:
            say(shown)
            return UsageError.exit_code
        said = _usage(error)
        if said is None:
            raise
        complain(said, as_json)
        return said.exit_code
    return result if isinstance(result, int) else 0


def _check_text(arguments: list[str]) -> None:
    for argument in arguments:
        if not argument.isascii() and any("\ud800" <= char <= "\udfff" for char in argument):
            shown = argument.encode("utf-8", "backslashreplace").decode()
            raise UsageError(f"`{shown}` is not UTF-8", "the terminal's encoding must be UTF-8")


def _help(error: Exception) -> str | None:
    """The help of a command that is given nothing where it needs something; else None."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ != "NoArgsIsHelpError" or context is None:
        return None
    return str(context.get_help())


def _usage(error: Exception) -> SafemarkError | None:
    """A parser's complaint in our words; None for anything else, which is our bug."""
    message = getattr(error, "format_message", None)
    if message is None or not hasattr(error, "exit_code"):
        return None
    text = str(message()).strip().rstrip(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "safemark"
    if (name := getattr(error, "option_name", None)) and context is not None:
        flags = [flag for parameter in context.command.params for flag in parameter.opts]
        return UnknownName("option", name, flags, f"{command} --help")
    if (unknown := _NO_COMMAND.match(text)) and context is not None:
        return UnknownName(
            "command", unknown[1], tuple(context.command.commands), f"{command} --help"
        )
    return UsageError(complaint(error, text), f"`{command} --help` shows what there is")
