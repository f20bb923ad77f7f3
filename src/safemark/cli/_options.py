"""Options that several commands have: one flag, one wording, one type."""

from typing import Annotated

import typer

RunId = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, its beginning, or last.")]
OneBenchmark = Annotated[
    str | None, typer.Option("-b", "--benchmark", metavar="NAME", help="Only this benchmark.")
]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
JsonForm = Annotated[bool, typer.Option("--json", help="The same as -f json.")]
StoreUrl = Annotated[str | None, typer.Option("--store", metavar="URL", help="Which store.")]

BaseUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="Of an OpenAI-compatible server, up to /v1.")
]
ModelOptions = Annotated[
    list[str] | None,
    typer.Option("-M", "--model-option", metavar="KEY=VALUE", help="A setting of the model."),
]
SystemPrompt = Annotated[str | None, typer.Option(metavar="TEXT|@FILE", help="A system prompt.")]

JudgeOptions = Annotated[
    list[str] | None,
    typer.Option("--judge-option", metavar="KEY=VALUE", help="A setting of the judge."),
]
JudgeRule = Annotated[
    str | None,
    typer.Option(metavar="RULE", help="majority, any or all of several judges. [majority]"),
]
JudgeConcurrency = Annotated[
    int | None, typer.Option(min=1, help="Judgements in flight. [as the judge likes]")
]
