"""The options of ``safemark run``: flags, wording, types; what they do is in ``run``."""

from pathlib import Path
from typing import Annotated

import typer

from safemark.cli._config import from_file

Models = Annotated[
    list[str] | None,
    typer.Argument(metavar="MODEL", help="openai/gpt-4o-mini, hf/FOLDER, … [reference]"),
]

Benchmarks = Annotated[
    list[str] | None,
    typer.Option(
        "-b",
        "--benchmark",
        metavar="NAME",
        help="Only this one, as NAME[@VERSION][:WAY]; and again.",
    ),
]

Suite = Annotated[
    str | None,
    typer.Option("-s", "--suite", metavar="NAME", help="quick, all, or dimensions. [quick]"),
]

Questions = Annotated[
    list[str] | None,
    typer.Option(metavar="FILE", help="Questions of your own, or health, legal, finance."),
]

Also = Annotated[
    list[str] | None,
    typer.Option("--also", metavar="SCORER", help="Judge every reply by this one too. [usual]"),
]

Judge = Annotated[
    list[str] | None,
    typer.Option("--judge", metavar="MODEL", help="Judges where rules cannot; several vote."),
]

Attacks = Annotated[
    list[str] | None,
    typer.Option(
        "--attack", metavar="A[+B]", help="Ask under this attack too: base64, base64+role_play."
    ),
]

Perturb = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KIND",
        help="Ask with it too: typo, style, paraphrase, language (the last two: --attacker).",
    ),
]

NoPlain = Annotated[
    bool, typer.Option("--no-plain", help="With --attack: leave the plain questions away.")
]

Attacker = Annotated[
    str | None,
    typer.Option(metavar="MODEL", help="Writes attempts, for attacks that need a model."),
]

AttackJudge = Annotated[
    str | None,
    typer.Option(metavar="MODEL", help="Rates attempts on the way; it is no judge of the run."),
]

AttackerOptions = Annotated[
    list[str] | None,
    typer.Option("--attacker-option", metavar="KEY=VALUE", help="A setting of these two models."),
]

UseCase = Annotated[
    str | None,
    typer.Option(metavar="USE", help="Tighter bands of bias: hiring, lending or housing."),
]

Mitigate = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Ask again behind it, and compare: debias-prompt, neutral-names, self-check.",
    ),
]

Limit = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="Draw N samples of each benchmark: seeded, stratified, clustered."
    ),
]

First = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Take the first N rows, as other tools do.")
]

Repeats = Annotated[
    int,
    typer.Option(
        min=1, metavar="K", help="Ask each sample K times; 1 is the benchmark's own number."
    ),
]

Temperature = Annotated[
    float | None,
    typer.Option(min=0.0, metavar="T", help="Sampling temperature. [the benchmark's own, else 0]"),
]

MaxOutputTokens = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Longest answer, in tokens.")
]

Seed = Annotated[int, typer.Option(metavar="N", help="Of everything that is drawn.")]

Concurrency = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="Calls in flight, always so many. [adapted to the endpoint]"
    ),
]

Rpm = Annotated[float | None, typer.Option(min=0.1, metavar="N", help="Requests a minute at most.")]

Tpm = Annotated[float | None, typer.Option(min=1, metavar="N", help="Tokens a minute at most.")]

Config = Annotated[
    Path | None,
    typer.Option(
        is_eager=True,
        callback=from_file,
        metavar="FILE",
        help="YAML in which every option is a key; the command line wins.",
    ),
]

AllowCode = Annotated[bool, typer.Option("--allow-code", help="Let --config name python: targets.")]

Prices = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Prices of your own, before the shipped ones."),
]

MaxCost = Annotated[float | None, typer.Option(min=0.0, metavar="USD", help="Stop at this cost.")]

TokenBudget = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Stop after so many tokens.")
]

MaxTime = Annotated[str | None, typer.Option(metavar="T", help="Stop after 90s, 10m or 2h.")]

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be asked; ask nothing.")]

Offline = Annotated[
    bool, typer.Option("--offline", help="Download nothing; only the model is spoken to.")
]

Reuse = Annotated[bool, typer.Option("--reuse", help="Take stored replies to identical asks.")]

Batch = Annotated[
    bool, typer.Option("--batch", help="Ask by the provider's batch API, at half the price.")
]

Wait = Annotated[
    bool, typer.Option("--wait", help="With --batch: wait until the answers are there.")
]

New = Annotated[bool, typer.Option("--new", help="Start anew where an unfinished run could go on.")]

KeptWhere = Annotated[str | None, typer.Option(metavar="URL", help="Where records are kept.")]

Out = Annotated[Path, typer.Option(metavar="DIR", help="Where scorecard.html goes.")]

Gate = Annotated[bool, typer.Option("--gate", help="Exit 1 when a light is red.")]

Strict = Annotated[bool, typer.Option("--strict", help="Exit 3 when a light is undecided.")]

UntilDecided = Annotated[
    bool,
    typer.Option(
        "--until-decided",
        help="End a benchmark once its lights are decided (with --gate: red or not red).",
    ),
]
