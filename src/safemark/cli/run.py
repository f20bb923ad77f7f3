"""``safemark run``: ask models the benchmarks, judge, store, show the scorecard."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from safemark.cli import _run_options as option
from safemark.cli._config import refuse_code
from safemark.cli._given import listed, seconds_of, text_of
from safemark.cli._judge import pairs, voting_rule
from safemark.cli._mitigate import TWICE, arms, trial_of
from safemark.cli._options import (
    BaseUrl,
    Json,
    JudgeOptions,
    JudgeRule,
    ModelOptions,
    SystemPrompt,
)
from safemark.cli._output import emit, emit_json, say, writable
from safemark.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from safemark.api import Settings
    from safemark.plan import Request


def run(
    context: typer.Context,
    models: option.Models = None,
    benchmarks: option.Benchmarks = None,
    suite: option.Suite = None,
    questions: option.Questions = None,
    also: option.Also = None,
    judge: option.Judge = None,
    judge_options: JudgeOptions = None,
    judge_rule: JudgeRule = None,
    attacks: option.Attacks = None,
    perturb: option.Perturb = None,
    no_plain: option.NoPlain = False,
    attacker: option.Attacker = None,
    attack_judge: option.AttackJudge = None,
    attacker_options: option.AttackerOptions = None,
    use_case: option.UseCase = None,
    mitigate: option.Mitigate = None,
    limit: option.Limit = None,
    first: option.First = None,
    repeats: option.Repeats = 1,
    system: SystemPrompt = None,
    temperature: option.Temperature = None,
    max_output_tokens: option.MaxOutputTokens = None,
    seed: option.Seed = 0,
    concurrency: option.Concurrency = None,
    rpm: option.Rpm = None,
    tpm: option.Tpm = None,
    base_url: BaseUrl = None,
    options: ModelOptions = None,
    config: option.Config = None,  # noqa: ARG001 - read by its callback, before the others
    allow_code: option.AllowCode = False,
    prices: option.Prices = None,
    max_cost: option.MaxCost = None,
    token_budget: option.TokenBudget = None,
    max_time: option.MaxTime = None,
    dry_run: option.DryRun = False,
    offline: option.Offline = False,
    reuse: option.Reuse = False,
    batch: option.Batch = False,
    wait: option.Wait = False,
    new: option.New = False,
    store: option.KeptWhere = None,
    out: option.Out = Path(),
    gate: option.Gate = False,
    strict: option.Strict = False,
    until_decided: option.UntilDecided = False,
    as_json: Json = False,
) -> int:
    """Ask models the benchmarks, judge every answer, store the evidence, show the scorecard."""
    from safemark.api import Settings
    from safemark.cli._batch import ByBatch
    from safemark.cli._running import Showing, run_all
    from safemark.models.connect import keys_from_dotenv
    from safemark.plan import USUAL, Request

    refuse_code(context, allow_code)
    keys_from_dotenv(Path(".env"))
    request = Request(
        benchmarks=(*listed(benchmarks, "-b"), *_sets(questions or [])),
        suite=None if suite is None else ",".join(listed(suite, "-s")),
        limit=limit,
        first=first,
        repeats=repeats,
        seed=seed,
        system=text_of(system, "--system"),
        temperature=temperature,
        max_output_tokens=max_output_tokens,
        also=tuple(listed(also, "--also")) or (USUAL,),
        until_decided=_decides(gate, strict) if until_decided else None,
        judge=tuple(judge or ()),
        judge_rule=voting_rule(judge_rule),
        attacks=(
            *listed(attacks, "--attack"),
            *(f"perturb:{kind}" for kind in listed(perturb, "--perturb")),
        ),
        no_plain=no_plain,
        attacker=attacker,
        attack_judge=attack_judge,
        use_case=use_case,
    )
    names = models or ["reference"]
    settings = Settings(
        base_url=base_url,
        options=_model_options(options, names, store),
        concurrency=concurrency,
        requests_per_minute=rpm,
        tokens_per_minute=tpm,
        prices=prices,
        max_time_s=seconds_of(max_time, "--max-time"),
        token_budget=token_budget,
        max_cost_usd=max_cost,
        offline=offline,
        reuse=reuse,
        fresh=new,
        judge_options=pairs(judge_options or [], "--judge-option"),
        attacker_options=pairs(attacker_options or [], "--attacker-option"),
    )
    mitigations = list(dict.fromkeys(listed(mitigate, "--mitigate")))
    if mitigations:
        request = trial_of(request, mitigations, batch)
    if dry_run:
        _say_what_multiplies(batch, mitigations)
        return _dry_run(names, request, settings, store, as_json)
    if wait and not batch:
        raise UsageError("`--wait` goes with `--batch`", "a run without it always waits")
    writable(out)
    asked = list(arms(names, request, mitigations))
    showing = Showing(out, gate, strict, as_json)
    return run_all(asked, settings, store, showing, ByBatch(wait) if batch else None)


def _sets(files: list[str]) -> list[str]:
    """The benchmark of each file of questions, or of each set that comes with Safemark.

    Raises:
        UnknownName: there is no such file or set.
    """
    from safemark.benchmarks.questions import EXAMPLES

    for file in files:
        if file not in EXAMPLES and not Path(file).is_file():
            raise UnknownName("file or set of questions", file, EXAMPLES)
    return [f"questions@{file}" for file in files]


def _decides(gate: bool, strict: bool) -> Literal["light", "gate"]:
    """With ``strict`` an undecided light counts too, so lights are what must be decided."""
    return "gate" if gate and not strict else "light"


def _model_options(given: list[str] | None, names: list[str], store: str | None) -> dict[str, str]:
    """What ``-M`` says; recorded runs are in the store of this command unless it names another."""
    options = pairs(given or [], "-M")
    if store is not None and all(name.startswith("recorded:run:") for name in names):
        options.setdefault("store", store)
    return options


def _say_what_multiplies(batch: bool, mitigations: list[str]) -> None:
    if batch:
        say("with --batch: half of the price below")
    for name in mitigations:
        say(f"with --mitigate {name}: as much again{TWICE.get(name, '')}")


def _dry_run(
    names: list[str], request: "Request", settings: "Settings", store: str | None, as_json: bool
) -> int:
    from safemark.attacks import transfer
    from safemark.cli._estimate import estimate_run, shown_estimate

    transfer.read_from(store)
    estimates = [estimate_run(name, request, settings) for name in names]
    if as_json:
        emit_json(estimates[0] if len(estimates) == 1 else {"runs": estimates})
    else:
        emit("\n\n".join(map(shown_estimate, estimates)))
    return 0
