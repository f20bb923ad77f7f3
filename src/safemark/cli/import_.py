"""``safemark import``: own logs made fit to keep and to measure on."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from safemark.cli._options import Json
from safemark.cli._output import emit, emit_json, say
from safemark.errors import UsageError


def import_(
    log: Annotated[Path, typer.Argument(metavar="FILE", help="JSON Lines, JSON, CSV or TSV.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where to. [FILE.safemark.jsonl]")
    ] = None,
    basis: Annotated[
        str | None, typer.Option(metavar="BASIS", help="The ground for this use. [asked for]")
    ] = None,
    note: Annotated[str, typer.Option(help="Where the ground is written down.")] = "",
    prompt: Annotated[
        str | None, typer.Option(metavar="NAME", help="The column of prompts.")
    ] = None,
    response: Annotated[
        str | None, typer.Option(metavar="NAME", help="The column of responses.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Import own logs: personal data is replaced, the attack tagged, the basis of consent recorded.

    `safemark run recorded:FILE` and `safemark score FILE` read what is written; no model is asked.
    """
    from safemark.importing import BASES, import_log
    from safemark.outputs import Columns

    ground = basis if basis is not None else _asked(BASES)
    target = output or log.with_name(f"{log.stem}.safemark.jsonl")
    done = import_log(
        log, target, basis=ground, note=note, columns=Columns(prompt=prompt, response=response)
    )
    if as_json:
        emit_json(
            {
                "file": str(done.path),
                "provenance": str(done.provenance),
                "basis": ground,
                "records": done.records,
                "without_reply": done.without_reply,
                "replaced": done.replaced,
                "attacks": done.attacks,
            }
        )
        return 0
    emit(f"{done.path}: {done.records} conversations, {done.without_reply} left out (no answer)")
    for words, found in (("replaced", done.replaced), ("attacks, by rule", done.attacks)):
        emit(f"{words}: {', '.join(f'{name} {n}' for name, n in found.items()) or 'none'}")
    say("\npseudonymised by rules, not anonymous: names in running text may be left; look before")
    say(f"you share it. Where it came from: {done.provenance}")
    return 0


def _asked(bases: dict[str, str]) -> str:
    """The ground, asked for on the terminal.

    Raises:
        UsageError: there is nobody to ask, or the answer is none.
    """
    hint = f"--basis {'|'.join(bases)}"
    if not sys.stdin.isatty():
        raise UsageError("on what ground may these conversations be used?", hint)
    say("On what ground may these conversations be used?")
    names = list(bases)
    for number, name in enumerate(names, 1):
        say(f"  {number} {name}: {bases[name]}")
    answer = input().strip()
    if answer.isdigit() and 1 <= int(answer) <= len(names):
        return names[int(answer) - 1]
    if answer in bases:
        return answer
    raise UsageError(f"`{answer}` is no ground", hint)
