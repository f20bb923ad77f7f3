"""``safemark attacks``: attacks against models side by side, and HarmBench's files, both ways."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from safemark.cli._output import emit, emit_json, say, table
from safemark.errors import StoreError, UsageError

if TYPE_CHECKING:
    from safemark.reports.transfer import Matrix

app = typer.Typer(
    help="Set attacks and models side by side; read and write HarmBench's files.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

StoreUrl = Annotated[str | None, typer.Option("--store", metavar="URL", help="Which store.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("matrix")
def matrix(
    runs: Annotated[list[str], typer.Argument(metavar="RUN", help="One run of each model.")],
    store: StoreUrl = None,
    as_json: Json = False,
) -> int:
    """Show each attack's success rate on each model."""
    from safemark.reports.scorecard import document
    from safemark.reports.transfer import matrix as read
    from safemark.store import Store

    opened = Store(store)
    try:
        found = read([document(opened, opened.run(run)) for run in runs])
    finally:
        opened.close()
    if as_json:
        emit_json(found)
        return 0
    emit(_shown(found))
    say(
        "\nrate, 95 % interval around absent answers, samples scored; a blank: not made in that run"
    )
    return 0


def _shown(found: "Matrix") -> str:
    from safemark.reports.templates import wording

    rows = [
        [
            row.benchmark,
            wording.short(row.source or row.attack, 40),
            "" if row.there is None else wording.figure(row.there, "share"),
            *(
                "" if cell is None else f"{wording.reading(cell)} ({wording.outer(cell)}) {cell.n}"
                for cell in row.cells
            ),
        ]
        for row in found.rows
    ]
    heads = [wording.short(model, 40) for model in found.models]
    return table(rows, ["benchmark", "attack or source", "at source", *heads])


@app.command("export", short_help="Write a run as HarmBench's files.")
def export(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, its beginning, or last.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to.")],
    store: StoreUrl = None,
    as_json: Json = False,
) -> int:
    """Write a run as HarmBench's files: test cases, completions, results."""
    from safemark.reports.transfer import export_harmbench
    from safemark.store import Store

    opened = Store(store)
    try:
        written = export_harmbench(opened, opened.run(run), folder)
    finally:
        opened.close()
    if as_json:
        emit_json({"files": [str(path) for path in written]})
    else:
        emit("\n".join(map(str, written)))
    return 0


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="HarmBench completions or results; an artifact.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where to. [FILE.jsonl]")
    ] = None,
    as_json: Json = False,
) -> int:
    """Turn HarmBench's completions into lines to score.

    The publisher's own labels are kept beside each line and counted; nothing is judged here.
    """
    import msgspec

    from safemark.attacks._stored import as_text, read_strings

    strings = read_strings(file)
    behaviours = {id(some): (name, some) for name, some in strings.by_behaviour.items()}.values()
    lines = [
        {"id": f"{name}-{place}", "category": name, "prompt": as_text(one.messages)}
        | {"response": one.reply}
        | ({} if one.succeeded is None else {"label": one.succeeded})
        for name, some in behaviours
        for place, one in enumerate(some)
        if one.reply is not None
    ]
    if not lines:
        raise UsageError(
            f"{file} holds no completions", "--attack transfer:FILE sends its strings to a model"
        )
    target = output or file.with_suffix(".jsonl")
    try:
        target.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error.strerror}", "-o FILE") from error
    told = {
        "file": str(target),
        "completions": len(lines),
        "left_out": strings.left_out,
        "success_rate_of_the_source": strings.success_rate,
    }
    if as_json:
        emit_json(told)
        return 0
    rate = strings.success_rate
    said = "" if rate is None else f"; by the source's own labels {100 * rate:.1f} % of behaviours"
    emit(f"{target}: {len(lines)} completions{said}")
    if strings.left_out:
        say(f"left out: {strings.left_out} test cases that are not text")
    return 0
