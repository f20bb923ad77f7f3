"""From a request to a plan: its benchmarks looked up, judged by somebody, and under its attacks."""

from collections.abc import Sequence
from dataclasses import replace

from safemark import registry
from safemark.attacks._attack import Helpers
from safemark.benchmarks._benchmark import Scorer
from safemark.errors import UsageError
from safemark.judging import NO_JUDGE, Judges
from safemark.models._model import Model
from safemark.plan.attacked import crossed, pull_attacks, ready_attacks
from safemark.plan.looking_up import Terms, lacks_judge, task_of
from safemark.plan.request import USUAL, Request, check_names, further_scorers
from safemark.plan.suite import QUICK_REQUESTS, suite_plan
from safemark.plan.task import Plan, Task

USUAL_SCORERS = ("toxicity", "pii")

JUDGES_ITSELF = "judged by the model under test itself, as --judge asked for"


def plan(
    request: Request,
    model: Model,
    *,
    pull: bool = False,
    offline: bool = False,
    judges: Judges | None = None,
    helpers: Helpers | None = None,
) -> Plan:
    """Look up everything that ``request`` names for ``model``.

    With ``pull``, datasets that were named and are not here are downloaded first. What needs a
    judge is left out where there are no ``judges``. ``helpers`` are the models that help attacks.

    Raises:
        UsageError: an unknown or impossible benchmark, version, way or suite.
        DataError: a dataset that was named is not here, or not the pinned one.
    """
    check_names(request)
    terms = Terms(request, model, judges or Judges(), pull, offline)
    helpers = helpers or Helpers()
    if pull:
        pull_attacks(request, offline=offline)
    attacks = ready_attacks(request, helpers)
    each = sum(attack.queries for attack in attacks) + (not request.no_plain)
    if request.benchmarks:
        found = _named(terms)
    else:
        found = suite_plan(terms, QUICK_REQUESTS // max(1, each))
    ready = terms.judges.ready
    also = tuple(ready(registry.scorer(name)) for name in further_scorers(request))
    usual = tuple(map(registry.scorer, USUAL_SCORERS if USUAL in request.also else ()))
    tasks = [_judged(task, terms.judges) for task in found.tasks]
    own = model.identity.digest
    if any(judge.identity.digest == own for judge in terms.judges.models):
        tasks = [_noted(task, also) for task in tasks]
    tasks, left_out = crossed(tasks, attacks, model, request)
    return replace(
        found,
        tasks=tuple(tasks),
        not_covered=(*found.not_covered, *left_out),
        also=also,
        usual=usual,
        judges=terms.judges.models,
        helpers=helpers,
    )


def _named(terms: Terms) -> Plan:
    """The benchmarks that were named, each once.

    Raises:
        UsageError: all of them are judged by a model, and there is none.
    """
    specs = terms.request.benchmarks
    unjudged = [spec for spec in specs if lacks_judge(spec, terms)]
    if len(unjudged) == len(specs):
        raise UsageError(
            f"`{unjudged[0]}` is judged by a model, and none was named",
            "--judge MODEL, for example --judge openai/gpt-4o-mini",
        )
    tasks = [task_of(spec, terms) for spec in specs if spec not in unjudged]
    distinct = {(one.benchmark.name, one.benchmark.version, one.way.name): one for one in tasks}
    return Plan(tuple(distinct.values()), tuple((spec, NO_JUDGE) for spec in unjudged))


def _judged(task: Task, judges: Judges) -> Task:
    """The task with its scorer ready to judge."""
    return replace(task, way=replace(task.way, scorer=judges.ready(task.way.scorer)))


def _noted(task: Task, also: Sequence[Scorer]) -> Task:
    """The task with a note, where the model under test judges its own answers."""
    if not any(scorer.judge for scorer in (task.way.scorer, *also)):
        return task
    return replace(task, notes=(*task.notes, JUDGES_ITSELF))
