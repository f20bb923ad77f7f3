"""What somebody asks for, and whether it can be meant: known names, options that go together."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from safemark import registry
from safemark.attacks._attack import Attack
from safemark.benchmarks._benchmark import DIMENSIONS
from safemark.benchmarks._use_cases import check_use
from safemark.errors import UnknownName, UsageError
from safemark.judging import with_judge
from safemark.models.mitigation import check_mitigation
from safemark.scorers._judge.votes import Rule

SUITES = ("quick", "all", *DIMENSIONS)

USUAL = "usual"
"""Stands for the scorers that judge every free reply unless somebody says otherwise."""

NOBODY = "none"
"""Said of scorers: nobody judges beside the benchmark's own."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asked for, before anything is looked up.

    ``limit`` draws a seeded, stratified sample of whole clusters; ``first`` takes the first rows.
    ``temperature`` None is the benchmark's own, 0 where it has none; ``repeats`` 1 is its own too.
    ``also`` are scorers that judge every reply beside the benchmark's own; `USUAL` among them
    stands for toxicity and personal data of free replies (a letter has neither). ``until_decided``
    ends a benchmark as soon as its lights, or the gate, are decided. ``judge`` are models that
    scorers ask who need one; several decide by ``judge_rule``, the majority by default. Each
    benchmark is asked plainly and once more under each of ``attacks``; with ``no_plain`` under
    those alone. ``attacker`` and ``attack_judge`` are the models that help attacks who need one.
    ``use_case`` tightens bands; ``mitigation`` stands between the model and its questions.
    """

    benchmarks: tuple[str, ...] = ()
    suite: str | None = None
    limit: int | None = None
    first: int | None = None
    repeats: int = 1
    seed: int = 0
    system: str | None = None
    temperature: float | None = None
    max_output_tokens: int | None = None
    also: tuple[str, ...] = ()
    until_decided: Literal["light", "gate"] | None = None
    judge: tuple[str, ...] = ()
    judge_rule: Rule | None = None
    attacks: tuple[str, ...] = ()
    no_plain: bool = False
    attacker: str | None = None
    attack_judge: str | None = None
    use_case: str | None = None
    mitigation: str | None = None


def check_names(request: Request, *, offline: bool = False) -> None:
    """Refuse what no model could be asked, before a model is loaded.

    Raises:
        UsageError: an unknown benchmark, version, way, suite or scorer, or options that exclude
            each other.
    """
    _check_together(request)
    check_use(request.use_case)
    check_mitigation(request.mitigation)
    suites_of(request)
    for spec in request.attacks:
        _check_attack(spec, request)
    for name in further_scorers(request):
        _check_scorer(name, request, offline)
    for spec in request.benchmarks:
        _check_benchmark(spec)


def _check_together(request: Request) -> None:
    """Refuse options that exclude each other, and one that needs another which is not there."""
    if request.limit is not None and request.first is not None:
        raise UsageError("`--limit` and `--first` exclude each other", "give one of them")
    if request.benchmarks and request.suite:
        raise UsageError("`-b` and `--suite` exclude each other", "give one of them")
    if request.no_plain and not request.attacks:
        raise UsageError("`--no-plain` goes with `--attack`", "nothing would be asked")
    if request.attacks and request.until_decided is not None:
        raise UsageError(
            "an attack is measured on all samples", "leave `--until-decided` or `--attack` away"
        )


def _check_benchmark(spec: str) -> None:
    """Refuse a benchmark, a version or a way of asking that is unknown."""
    name, _, way = spec.partition(":")
    benchmark = registry.benchmark(name)
    if way and benchmark.way(way) is None:
        known = [way.name for way in benchmark.ways]
        raise UnknownName(f"way of asking {benchmark.name}", way, known)


def _check_attack(spec: str, request: Request) -> None:
    """Refuse an attack that is unknown, or that needs a helper that was not named."""
    bases = [registry.load("attack", part.partition(":")[0].strip()) for part in spec.split("+")]
    if any(base.data is not None for base in bases):
        return  # its files may have to be downloaded first
    attack = registry.attack(spec)
    if attack.is_direct:
        raise UsageError("`direct` is no attack", "questions are asked plainly without it")
    given = {"attacker": request.attacker, "judge": request.attack_judge}
    for helper in sorted(attack.wants):
        if given[helper] is None:
            raise unhelped(attack, helper)


def unhelped(attack: Attack, helper: str) -> UsageError:
    """The error of an attack that needs a model nobody named: `attacker` or `judge`."""
    flag = "--attacker" if helper == "attacker" else "--attack-judge"
    return UsageError(
        f"`{attack.name}` needs a model that {_WORK[helper]}, and none was named",
        f"{flag} MODEL, for example {flag} openai/gpt-4o-mini",
    )


_WORK = {"attacker": "writes its attempts", "judge": "rates them on the way"}


def further_scorers(request: Request) -> list[str]:
    """The scorers that were named; `NOBODY` is no scorer.

    Raises:
        UsageError: nobody and somebody are named together.
    """
    if NOBODY in request.also and len(request.also) > 1:
        raise UsageError(f"`--also {NOBODY}` goes with no scorer", "leave one of them out")
    return [name for name in dict.fromkeys(request.also) if name not in (USUAL, NOBODY)]


def _check_scorer(name: str, request: Request, offline: bool) -> None:
    """Refuse a scorer that is unknown, or lacks the judge that it asks."""
    if offline:
        _check_offline(name)
    scorer = registry.scorer(name)
    if not request.judge:
        with_judge(scorer, None)


def _check_offline(scorer: str) -> None:
    """Refuse a scorer that would speak to somebody else than the model, before it is loaded.

    Raises:
        UsageError: it would.
    """
    name, _, argument = scorer.partition(":")
    if name == "moderation":
        raise UsageError(
            "`moderation` sends replies to an endpoint, which --offline excludes",
            "leave it out, or `--also toxicity`, which is embedded",
        )
    if name == "detoxify" and not Path(argument or "/").joinpath("config.json").is_file():
        raise UsageError(
            f"`{scorer}` may download weights, which --offline excludes",
            "name a folder that holds them: --also detoxify:FOLDER",
        )


def suites_of(request: Request) -> tuple[str, ...]:
    """The suites that were named, with commas between them; `quick` where none was.

    Raises:
        UsageError: one is unknown, or `quick` or `all` is named beside another.
    """
    named = ("quick" if request.suite is None else request.suite).split(",")
    suites = tuple(dict.fromkeys(suite.strip() for suite in named))
    for suite in suites:
        if suite not in SUITES:
            raise UnknownName("suite", suite, SUITES, "safemark list suites")
        if suite not in DIMENSIONS and len(suites) > 1:
            raise UsageError(f"the suite `{suite}` goes alone", "several dimensions go together")
    return suites
