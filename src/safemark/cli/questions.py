"""``safemark questions``: a set of questions of one's own, begun and checked before it is asked."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from safemark.cli._options import Json
from safemark.cli._output import emit, emit_json, say, table
from safemark.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from safemark.questions.check import Checked

app = typer.Typer(
    help="Begin a set of questions of your own, and check it before it is asked.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_TEMPLATE = """\
question,answers,match,tolerance,choices,context,category,abstain,kind
Which city is the capital of France?,Paris,contains,,,,places,,world knowledge
How many grams are 2.5 kilograms?,2500,number,,,,sums,,math
Which of these is a metal?,iron,choice,,wood|iron|glass,,materials,,world knowledge
By the notice when does it open?,9 o'clock|at nine,judged,,,"We open at 9.",places,,reference
By the notice when does it close?,,,,,"We open at 9.",places,yes,reference
"""


@app.command("init", short_help="Begin a file, from a row of each kind.")
def init(
    out: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="What to write.")
    ] = Path("questions.csv"),
    like: Annotated[
        str | None,
        typer.Option(metavar="SET", help="Begin with an example set: health, legal or finance."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Write a CSV with a row of each kind, or an example set, to go on from."""
    if out.exists() and not force:
        raise UsageError(f"{out} is there already", "name another with -o, or say --force")
    try:
        out.write_text(_TEMPLATE if like is None else _example(like), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from error
    if as_json:
        emit_json({"written": str(out)})
    say(f"written: {out}")
    say(f"next: write your own, then safemark questions check {out}")
    return 0


def _example(name: str) -> str:
    from safemark.benchmarks.questions import EXAMPLES, SETS

    if name not in EXAMPLES:
        raise UnknownName("example set", name, EXAMPLES)
    return (SETS / f"{name}.csv").read_text(encoding="utf-8")


@app.command("check", short_help="Duplicates, leaks, imbalance in a file.")
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, TSV or JSON Lines.")],
    precision: Annotated[
        float,
        typer.Option(
            min=0.5, max=50.0, metavar="POINTS", help="Half width of the interval wanted."
        ),
    ] = 5.0,
    as_json: Json = False,
) -> int:
    """Find duplicates, answers given away and unbalanced categories; say how many are needed.

    Exit code 1 where something would make a rate wrong.
    """
    from safemark.questions.check import checked
    from safemark.questions.rows import read

    found = checked(read(file), precision / 100)
    if as_json:
        emit_json(found)
    else:
        _show(found)
    return 1 if found.errors else 0


def _show(found: "Checked") -> None:
    emit(f"{found.n:,} questions, {found.abstain:,} of them without a right answer")
    emit(
        table([[name, f"{n:,}"] for name, n in found.categories.items()], ["category", "questions"])
    )
    emit(table([[name, f"{n:,}"] for name, n in found.kinds.items()], ["kind", "questions"]))
    needed = "no number does" if found.needed is None else f"{found.needed:,} questions do"
    emit(
        f"\nAt {found.rate:.0%} right, {found.n:,} questions tell"
        f" {100 * found.low:.1f} to {100 * found.high:.1f} %;"
        f" for ±{100 * found.precision:g} points {needed}.\n"
    )
    rows = [
        [problem.severity, problem.what, ", ".join(map(str, problem.rows)), problem.why]
        for problem in found.problems
    ]
    if rows:
        emit(table(rows, ["", "problem", "rows", "why"]))
    else:
        emit("No problem found.")
