"""``--dry-run``: requests, tokens, price and time, before anything is spent."""

import asyncio
from dataclasses import asdict
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from safemark.cli._output import left_out, table
from safemark.cli._progress import clock

if TYPE_CHECKING:
    from safemark.api import Settings
    from safemark.models._model import Model
    from safemark.models.prices import Price
    from safemark.plan import Plan, Request, Task
    from safemark.types import Sample


def estimate_run(name: str, request: "Request", settings: "Settings") -> dict[str, Any]:
    """What a run would ask of the model ``name``. Nothing is asked or downloaded.

    Token counts are estimates: input from the number of characters, output its upper bound.
    """
    from safemark.api import check_not_itself, opened_helpers, opened_judges, opened_model
    from safemark.attacks._attack import Helpers
    from safemark.judging import Judges
    from safemark.models.wrap import price_of
    from safemark.plan import check_names, plan

    check_names(request, offline=settings.offline)
    model = opened_model(name, settings)
    judges, helpers = Judges(), Helpers()
    try:
        judges = opened_judges(request.judge, settings, request)
        helpers = opened_helpers(request.attacker, request.attack_judge, settings)
        check_not_itself(model.name, model.identity.digest, judges)
        planned = plan(request, model, pull=False, offline=True, judges=judges, helpers=helpers)
        parts = [_part(task) for task in planned.tasks]
    finally:
        asyncio.run(_closed(model, *judges.models, *helpers.models))
    requests = sum(part["requests"] for part in parts)
    tokens_in = sum(part["input_tokens"] for part in parts)
    tokens_out = sum(part["output_tokens_at_most"] for part in parts)
    price = price_of(model)
    usd = None if price is None else _usd(price, tokens_in, tokens_out)
    return {
        "model": model.name,
        "benchmarks": parts,
        "requests": requests,
        "input_tokens": tokens_in,
        "output_tokens_at_most": tokens_out,
        "usd_at_most": usd,
        "price": None if price is None else asdict(price),
        "seconds_at_one_second_a_reply": round(requests / model.concurrency, 1),
        "seconds_by_limits": _seconds_by_limits(settings, requests, tokens_in + tokens_out),
        "concurrency": model.concurrency,
        "beyond": _beyond(settings, tokens_in + tokens_out, usd),
        "judges": [judge.name for judge in judges.models],
        "judgements": _judgements(planned),
        "helpers": [helper.name for helper in helpers.models],
        "helper_requests_at_most": sum(part["helper_requests_at_most"] for part in parts),
        "left_out": [{"what": what, "why": why} for what, why in planned.not_covered],
    }


async def _closed(*models: "Model") -> None:
    for model in models:
        await model.close()


def _judgements(planned: "Plan") -> int:
    """Answers that a judge is asked about, by each scorer that has one; each once or twice."""
    return sum(
        task.total * sum(bool(one.judge) for one in (task.way.scorer, *planned.beside(task)))
        for task in planned.tasks
    )


def _usd(price: "Price", tokens_in: int, tokens_out: int) -> float:
    return (tokens_in * price.input_usd + tokens_out * price.output_usd) / 1e6


def _seconds_by_limits(settings: "Settings", requests: int, tokens: int) -> float | None:
    """How long the limits a minute alone would make it take, None without any."""
    minutes = [
        asked / limit
        for asked, limit in (
            (requests, settings.requests_per_minute),
            (tokens, settings.tokens_per_minute),
        )
        if limit
    ]
    return round(60 * max(minutes), 1) if minutes else None


def _beyond(settings: "Settings", tokens: int, usd: float | None) -> list[str]:
    """The budgets that the estimate is beyond: there the run may stop before its end."""
    beyond = []
    if settings.max_cost_usd is not None and usd is not None and usd > settings.max_cost_usd:
        beyond.append(f"--max-cost {settings.max_cost_usd:g}")
    if settings.token_budget is not None and tokens > settings.token_budget:
        beyond.append(f"--token-budget {settings.token_budget}")
    return beyond


def _part(task: "Task") -> dict[str, Any]:
    from safemark.models.tokens import estimated

    characters = 0
    longest = 0
    times = task.repeats * task.attack.queries * task.way.turns
    for _, unrendered in task.unrendered():
        sample = _asked(task, unrendered)
        asked = sum(len(message.content) for message in sample.messages)
        asked += len(sample.context or "") + sum(map(len, sample.continuations))
        characters += asked
        longest += 0 if sample.continuations else (task.ask.max_output_tokens or 0)
    return {
        "name": task.benchmark.name,
        "version": task.benchmark.version,
        "asked": task.way.name,
        "attack": task.attack.name,
        "requests": task.requests,
        "selection": task.selection,
        "partial": task.partial,
        "input_tokens": estimated(characters * times),
        "output_tokens_at_most": longest * times,
        "helper_requests_at_most": task.total * task.attack.helper_calls,
    }


def _asked(task: "Task", unrendered: "Sample") -> "Sample":
    """What is asked, as far as it is known without asking anybody: else the sample itself."""
    rewrite = task.attack.rewrite
    made = None if rewrite is None or task.attack.helped_by else rewrite(unrendered)
    return task.way.render(unrendered if made is None or isawaitable(made) else made)


def shown_estimate(estimate: dict[str, Any]) -> str:
    """The estimate for people."""
    rows = [
        [
            part["name"] if part["attack"] == "direct" else f"{part['name']} + {part['attack']}",
            part["asked"],
            f"{part['requests']:,}",
            f"{part['input_tokens']:,}",
            f"{part['output_tokens_at_most']:,}",
            part["selection"] + (f"; partial: {part['partial']}" if part["partial"] else ""),
        ]
        for part in estimate["benchmarks"]
    ]
    header = ["benchmark", "asked", "requests", "tokens in", "out at most", "selection"]
    lines = [
        f"{estimate['model']}: {estimate['requests']:,} requests, nothing asked yet",
        "",
        table(rows, header),
        "",
        (
            f"about {estimate['input_tokens']:,} tokens in,"
            f" at most {estimate['output_tokens_at_most']:,} out; {_shown_price(estimate)}"
        ),
        (
            f"about {estimate['seconds_at_one_second_a_reply']:g} s if a reply takes one second"
            f" ({estimate['concurrency']} in flight)"
        ),
    ]
    if estimate["seconds_by_limits"] is not None:
        lines.append(f"at least {clock(estimate['seconds_by_limits'])} by the limits a minute")
    lines += [f"beyond {budget}: it may stop there" for budget in estimate["beyond"]]
    if estimate["judgements"]:
        who = ", ".join(estimate["judges"])
        lines.append(
            f"{estimate['judgements']:,} judgements by {who}, their price not in the above"
        )
    if estimate["helper_requests_at_most"]:
        who = ", ".join(estimate["helpers"])
        lines.append(
            f"at most {estimate['helper_requests_at_most']:,} requests to {who}, which help the"
            " attacks; their price not in the above"
        )
    lines += left_out((left["what"], left["why"]) for left in estimate["left_out"])
    return "\n".join(lines)


def _shown_price(estimate: dict[str, Any]) -> str:
    usd, price = estimate["usd_at_most"], estimate["price"]
    if usd is None:
        return "price not known: -M input_usd=… -M output_usd=…, or --prices FILE"
    dated = f", prices of {price['as_of']} ({price['source']})" if price["as_of"] else ""
    return f"${usd:,.4f} at most{dated}"
