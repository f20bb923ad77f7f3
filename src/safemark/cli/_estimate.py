"""``--dry-run``: requests, tokens, price and time, before anything is spent."""

import asyncio
from typing import TYPE_CHECKING, Any

from safemark.cli._output import table

if TYPE_CHECKING:
    from safemark.api import Settings
    from safemark.plan import Request, Task

CHARACTERS_PER_TOKEN = 4.0
"""Rule of thumb for English text; no tokenizer is loaded for an estimate."""


def estimate_run(name: str, request: "Request", settings: "Settings") -> dict[str, Any]:
    """What a run would ask of the model ``name``. Nothing is asked or downloaded.

    Token counts are estimates: input from the number of characters, output its upper bound.
    """
    from safemark.api import opened_model
    from safemark.plan import check_names, plan

    check_names(request)
    model = opened_model(name, settings)
    try:
        planned = plan(request, model, pull=False, offline=True)
        parts = [_part(task) for task in planned.tasks]
    finally:
        asyncio.run(model.close())
    requests = sum(part["requests"] for part in parts)
    tokens_in = sum(part["input_tokens"] for part in parts)
    tokens_out = sum(part["output_tokens_at_most"] for part in parts)
    return {
        "model": model.name,
        "benchmarks": parts,
        "requests": requests,
        "input_tokens": tokens_in,
        "output_tokens_at_most": tokens_out,
        "usd_at_most": _price(settings, tokens_in, tokens_out),
        "seconds_at_one_second_a_reply": round(requests / model.concurrency, 1),
        "concurrency": model.concurrency,
        "left_out": [{"what": what, "why": why} for what, why in planned.not_covered],
    }


def _part(task: "Task") -> dict[str, Any]:
    characters = 0
    longest = 0
    for _, sample in task.samples():
        asked = sum(len(message.content) for message in sample.messages)
        asked += len(sample.context or "") + sum(map(len, sample.continuations))
        characters += asked
        longest += 0 if sample.continuations else (task.ask.max_output_tokens or 0)
    return {
        "name": task.benchmark.name,
        "version": task.benchmark.version,
        "asked": task.way.name,
        "requests": task.total,
        "selection": task.selection,
        "partial": task.partial,
        "input_tokens": round(characters * task.repeats / CHARACTERS_PER_TOKEN),
        "output_tokens_at_most": longest * task.repeats,
    }


def _price(settings: "Settings", tokens_in: int, tokens_out: int) -> float | None:
    given = settings.options
    if "input_usd" not in given and "output_usd" not in given:
        return None
    price = tokens_in * float(given.get("input_usd", 0))
    return (price + tokens_out * float(given.get("output_usd", 0))) / 1e6


def shown_estimate(estimate: dict[str, Any]) -> str:
    """The estimate for people."""
    rows = [
        [
            part["name"],
            part["asked"],
            f"{part['requests']:,}",
            f"{part['input_tokens']:,}",
            f"{part['output_tokens_at_most']:,}",
            part["selection"] + (f"; partial: {part['partial']}" if part["partial"] else ""),
        ]
        for part in estimate["benchmarks"]
    ]
    header = ["benchmark", "asked", "requests", "tokens in", "out at most", "selection"]
    usd = estimate["usd_at_most"]
    price = f"${usd:,.4f} at most" if usd is not None else "price not known: -M input_usd=…"
    lines = [
        f"{estimate['model']}: {estimate['requests']:,} requests, nothing asked yet",
        "",
        table(rows, header),
        "",
        (
            f"about {estimate['input_tokens']:,} tokens in,"
            f" at most {estimate['output_tokens_at_most']:,} out; {price}"
        ),
        (
            f"about {estimate['seconds_at_one_second_a_reply']:g} s if a reply takes one second"
            f" ({estimate['concurrency']} in flight)"
        ),
    ]
    lines += [f"left out: {left['what']} ({left['why']})" for left in estimate["left_out"]]
    return "\n".join(lines)
