"""``safemark gap``: how dangerous an open model gets when its safeguards are removed."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from safemark.cli._given import listed
from safemark.cli._judge import pairs
from safemark.cli._output import on_one_thread, writable, write_text
from safemark.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from safemark.api import Settings
    from safemark.gap import Setting
    from safemark.removal._removal import Removal

FORMATS = ("text", "json", "csv")
USUAL = ("ablation", "finetune", "jailbreak")
UNDERSTOOD = "SAFEMARK_I_UNDERSTAND"

_MEANING = (
    "a removal makes a model that answers harmful requests; it stays in this process, or lies in a"
    " guarded folder while a server of --serve-with reads it, and nothing keeps it"
)


def gap(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="MODEL", help="reference, or hf/<id or folder>."),
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option(
            "--remove",
            metavar="R[,R]",
            help="ablation, finetune, jailbreak, prefill, many_shot, decoding, steering, quantize;"
            " with settings as finetune:full+steps=20. [ablation,finetune,jailbreak]",
        ),
    ] = None,
    on: Annotated[
        list[str] | None,
        typer.Option(
            "--on",
            metavar="B[,B]",
            help="Benchmarks: the first capability and the first compliance make the product;"
            " questions@FILE asks your own. [safemark94,audit150; of reference probes as well]",
        ),
    ] = None,
    family: Annotated[
        str | None,
        typer.Option(metavar="F", help="llama3, qwen2.5 or FILE: its models, smallest first."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="What fits into memory, and where. Nothing is asked.")
    ] = False,
    text: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Measure perplexity on it, not on the shipped prose."),
    ] = None,
    serve_with: Annotated[
        str | None,
        typer.Option(
            metavar="COMMAND",
            help='Each variant behind a server: "vllm serve {folder} --port {port}".',
        ),
    ] = None,
    curve: Annotated[
        str | None,
        typer.Option(
            metavar="N,N", help="Fine-tune for so many steps each: compliance against cost."
        ),
    ] = None,
    examples: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What removals learn from, JSON lines of your own."),
    ] = None,
    understood: Annotated[
        bool, typer.Option("--i-understand", help="You know what a removal makes of a model.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Draw N samples of each benchmark.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
    judge: Annotated[
        list[str] | None, typer.Option("--judge", metavar="MODEL", help="Where rules cannot judge.")
    ] = None,
    judge_options: Annotated[
        list[str] | None,
        typer.Option("--judge-option", metavar="KEY=VALUE", help="A setting of the judge."),
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Option("-M", "--model-option", metavar="KEY=VALUE", help="A setting of the model."),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Download nothing.")] = False,
    new: Annotated[
        bool, typer.Option("--new", help="Measure again what was measured before.")
    ] = False,
    store: Annotated[
        str | None, typer.Option(metavar="URL", help="Where records are kept.")
    ] = None,
    form: Annotated[str, typer.Option("-f", "--format", help="text, json or csv.")] = "text",
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where gap.html goes.")] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="The same as -f json.")] = False,
) -> int:
    """Measure a model as it is and with its safeguards removed: what it can do, and does."""
    on_one_thread()
    from safemark.api import Settings
    from safemark.cli._gap import Sweep, show, show_plan, swept
    from safemark.gap.families import family as family_of
    from safemark.plan import Request
    from safemark.reports.gap_html import gap_html

    if form not in FORMATS:
        raise UnknownName("report format", form, FORMATS)
    form = "json" if as_json else form
    if models and family is not None:
        raise UsageError("models and --family exclude each other", "a family's file names models")
    settings = Settings(
        options=pairs(options or [], "-M"),
        judge_options=pairs(judge_options or [], "--judge-option"),
        offline=offline,
        fresh=new,
    )
    sweep = Sweep(
        models=tuple(models or ["reference"]),
        family=None if family is None else family_of(family),
        removals=_removals(remove, curve),
        request=Request(
            benchmarks=tuple(map(_own, listed(on, "--on"))),
            limit=limit,
            seed=seed,
            judge=tuple(judge or ()),
        ),
        settings=settings,
        setting=_setting(settings, examples, text, serve_with),
    )
    if dry_run:
        return show_plan(sweep, form)
    _check_understood(understood)
    writable(out)
    found, document = swept(sweep, store)
    write_text(out / "gap.html", gap_html(document), "--out")
    show(document, form)
    return found


def _removals(remove: list[str] | None, curve: str | None) -> "tuple[Removal, ...]":
    """Those named, or the usual ones, and the fine-tunes of a resistance curve."""
    from safemark.gap import removal

    return tuple(map(removal, (*(listed(remove, "--remove") or USUAL), *_curve(curve))))


def _setting(
    settings: "Settings", examples: Path | None, text: Path | None, serve_with: str | None
) -> "Setting":
    """What removals learn from, what perplexity is measured on, and where variants are asked."""
    from safemark.gap import Setting
    from safemark.gap.held_out import from_file as text_of
    from safemark.gap.held_out import shipped
    from safemark.gap.serving import Serving
    from safemark.removal._material import from_file, placeholders

    return Setting(
        material=placeholders() if examples is None else from_file(examples),
        options=settings.options,
        offline=settings.offline,
        fresh=settings.fresh,
        text=shipped() if text is None else text_of(text),
        serve=None if serve_with is None else Serving(serve_with),
    )


def _own(name: str) -> str:
    """``questions:FILE`` as ``questions@FILE``: behind the colon stands a way of asking."""
    benchmark, colon, rest = name.partition(":")
    return f"{benchmark}@{rest}" if colon and Path(rest).is_file() else name


def _check_understood(flag: bool) -> None:
    """Refuse until somebody has said once, here or by the environment, that they know.

    Raises:
        UsageError: nobody has.
    """
    from safemark.data import cache_folder

    mark = cache_folder() / "removals-understood"
    if flag:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    elif os.environ.get(UNDERSTOOD, "").lower() not in ("1", "yes", "true") and not mark.exists():
        raise UsageError(_MEANING, f"say so once with --i-understand, or set {UNDERSTOOD}=yes")


def _curve(steps: str | None) -> list[str]:
    """The fine-tunes of a resistance curve."""
    counts = listed(steps, "--curve")
    if not all(part.isdecimal() and int(part) for part in counts):
        raise UsageError(f"--curve {steps} is no list of numbers above 0", "for example 5,10,25")
    return [f"finetune:full+steps={count}" for count in counts]
