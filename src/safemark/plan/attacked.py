"""The tasks of a run under its attacks: which attack goes with which task, on which samples."""

from collections.abc import Sequence
from dataclasses import replace

from safemark import data, registry
from safemark.attacks._attack import Attack, Helpers
from safemark.attacks._success import HARMS
from safemark.errors import UsageError
from safemark.models._model import Model, can
from safemark.plan.drawing import facts_of
from safemark.plan.request import Request, unhelped
from safemark.plan.task import Gap, Task

JUDGED_BY_RULES = (
    "success is judged by rules: an answer that is no refusal counts, whether it is of use or not;"
    " a benchmark that asks a judge (--judge) tells harm"
)


def ready_attacks(request: Request, helpers: Helpers) -> tuple[Attack, ...]:
    """The attacks that were named, each once, with the models that help them.

    Raises:
        UsageError: an unknown attack, or one without the models that it needs.
    """
    found = {}
    for spec in request.attacks:
        for attack in registry.attacks(spec):
            helped = attack if attack.with_models is None else attack.with_models(helpers)
            if helped.wants:
                raise unhelped(helped, min(helped.wants))
            found[helped.name] = helped
    return tuple(found.values())


def pull_attacks(request: Request, *, offline: bool) -> None:
    """Download what public sets of attacks need and is not here."""
    names = {part.partition(":")[0] for spec in request.attacks for part in spec.split("+")}
    for name in sorted(names):
        source = registry.load("attack", name.strip()).data
        if source is not None and data.find(source).missing:
            data.pull(source, offline=offline)


def crossed(
    tasks: Sequence[Task], attacks: Sequence[Attack], model: Model, request: Request
) -> tuple[list[Task], list[Gap]]:
    """Each task plainly and under each attack, and what of that is left out.

    Of a suite, only benchmarks that tell of harm are attacked; one that was named always is.

    Raises:
        UsageError: nothing is left, or a benchmark that was named cannot be attacked so.
    """
    if not attacks:
        return list(tasks), []
    found: list[Task] = []
    left_out: list[Gap] = []
    for task in tasks:
        if not request.no_plain:
            found.append(task)
        for attack in attacks:
            attacked = _under_or_why_not(task, attack, model, is_named=bool(request.benchmarks))
            if isinstance(attacked, Task):
                found.append(attacked)
            elif attacked is not None:
                left_out.append((f"{task.benchmark.name} under {attack.name}", attacked))
    if not found:
        raise UsageError(
            "none of these benchmarks can be attacked",
            "name one that tells of harm with -b, for example -b xstest",
        )
    return found, left_out


def _under_or_why_not(
    task: Task, attack: Attack, model: Model, *, is_named: bool
) -> Task | str | None:
    """The task under an attack, or why it is left out; None where nobody would expect it.

    Raises:
        UsageError: the benchmark was named, and cannot be asked so.
    """
    obstacle = _obstacle(task, attack, model)
    if obstacle is not None and is_named:
        raise obstacle
    if obstacle is not None:
        return obstacle.problem if tells_of_harm(task) else None
    if not is_named and attack.kind == "attack" and not tells_of_harm(task):
        return None
    return under(task, attack) or "the attack is for none of its samples"


def under(task: Task, attack: Attack) -> Task | None:
    """The task under an attack: the samples that it is for; None where it is for none of them."""
    notes = task.notes
    if attack.kind == "attack" and not task.way.scorer.judge and tells_of_harm(task):
        notes = (*notes, JUDGED_BY_RULES)
    return covered(replace(task, attack=attack, notes=notes))


def covered(task: Task) -> Task | None:
    """The task on the samples that its attack is for; None where it is for none of them."""
    covers = task.attack.covers
    if covers is None:
        return task
    chosen = frozenset(index for index, sample in task.unrendered() if covers(sample))
    if not chosen:
        return None
    facts = facts_of(task.benchmark, task.files)
    selection = f"{len(chosen)} of {len(facts)}, those that the attack is for"
    return task.choosing(facts, chosen, selection)


def tells_of_harm(task: Task) -> bool:
    """Whether a light of harm hangs on what it measures."""
    return any(headline.dimension in HARMS for headline in task.benchmark.headlines)


def _obstacle(task: Task, attack: Attack, model: Model) -> UsageError | None:
    """Why a task cannot be asked under an attack; None where it can."""
    name = task.benchmark.name
    if attack.search is not None and task.way.needs != "reply":
        others = [way.name for way in task.benchmark.ways if way.needs == "reply"]
        hint = f"ask it as -b {name}:{others[0]}" if others else "rewrites go with it: base64, …"
        return UsageError(
            f"`{attack.name}` needs replies, and `{name}` is asked by likelihood", hint
        )
    if attack.search is not None and task.way.converse is not None:
        return UsageError(
            f"`{attack.name}` leads the conversation itself, and so does `{name}`",
            "rewrites go with it: base64, role_play, …",
        )
    missing = [need for need in attack.needs if not can(model, need)]
    if missing:
        need = {"weights": "weights of its own", "loglikelihood": "likelihoods"}
        needed = need.get(missing[0], missing[0])
        return UsageError(
            f"`{attack.name}` cannot be run on {model.name}: it needs {needed}",
            "open weights have them: safemark run hf/<id or folder>, or reference",
        )
    return None
