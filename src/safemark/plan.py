"""What a run will ask: which benchmarks, in which way, and which of their samples.

Selecting is seeded and knows nothing of answers. The same benchmark, seed and number always give
the same samples, whatever else the run does.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from safemark import data, registry
from safemark.attacks import direct
from safemark.attacks._attack import Attack, Helpers
from safemark.attacks._success import HARMS
from safemark.benchmarks._benchmark import DIMENSIONS, Benchmark, Scorer, Way
from safemark.benchmarks._use_cases import check_use, for_use
from safemark.errors import CallFailed, DataError, NotInstalled, UnknownName, UsageError
from safemark.judging import NO_JUDGE, Judges, with_judge
from safemark.models._model import Model, can
from safemark.models.mitigation import check_mitigation
from safemark.scorers._judge.votes import Rule
from safemark.types import Ask, Reason, Sample

QUICK_REQUESTS = 2000
"""At most so many requests make the suite `quick`."""

SUITES = ("quick", "all", *DIMENSIONS)

USUAL = "usual"
"""Stands for the scorers that judge every free reply unless somebody says otherwise."""

USUAL_SCORERS = ("toxicity", "pii")
NOBODY = "none"


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


@dataclass(frozen=True, slots=True)
class Task:
    """One benchmark, asked one way under one attack: its samples are read anew each time.

    ``chosen`` are indices into the benchmark's samples, None for all of them. ``planned`` counts
    them by category ("" for none), repeats included.
    """

    benchmark: Benchmark
    way: Way
    ask: Ask
    repeats: int
    files: Mapping[str, Path]
    chosen: frozenset[int] | None
    in_benchmark: int
    planned: Mapping[str, int]
    selection: str
    partial: str | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    attack: Attack = direct.attack

    @property
    def total(self) -> int:
        """Samples times repeats."""
        return sum(self.planned.values())

    @property
    def requests(self) -> int:
        """So often the model is asked at most."""
        return self.total * self.attack.queries

    def samples(self) -> Iterator[tuple[int, Sample]]:
        """Index in the benchmark and sample as rendered, in the benchmark's order."""
        for index, sample in self.unrendered():
            yield index, self.way.render(sample)

    def unrendered(self) -> Iterator[tuple[int, Sample]]:
        """Index in the benchmark and sample before it is rendered, in the benchmark's order."""
        for index, sample in enumerate(self.benchmark.samples(self.files)):
            if self.chosen is None or index in self.chosen:
                yield index, sample

    async def attacked(self, sample: Sample) -> Sample:
        """What is asked for an unrendered sample: rewritten by the attack, then rendered.

        Where a way of asking words the question itself, what it words is rewritten.

        Raises:
            CallFailed: the attack cannot rewrite it.
        """
        rewritten = await self.attack.rewritten(sample)
        asked, plain = self.way.render(rewritten), self.way.render(sample)
        if asked != plain or rewritten == sample:
            return asked
        asked = await self.attack.rewritten(plain)
        if asked.messages != plain.messages and not plain.continuations:
            return asked
        raise CallFailed(
            Reason.UNSUPPORTED, f"what `{self.attack.name}` rewrites is no part of what is asked"
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """The tasks of a run, and what a reader might expect that is not among them.

    ``also`` judge every reply of every task, beside its own scorer; ``usual`` only free replies.
    ``judges`` are the models that those ask who need one, ``helpers`` those that help attacks.
    """

    tasks: tuple[Task, ...]
    not_covered: tuple[tuple[str, str], ...]
    also: tuple[Scorer, ...] = ()
    usual: tuple[Scorer, ...] = ()
    judges: tuple[Model, ...] = ()
    helpers: Helpers = field(default_factory=Helpers)

    def beside(self, task: Task) -> tuple[Scorer, ...]:
        """Who judges the replies of ``task`` beside its own scorer."""
        if task.way.name.startswith("letters"):
            return self.also
        named = {scorer.name for scorer in self.also}
        return (*self.also, *(scorer for scorer in self.usual if scorer.name not in named))

    @property
    def total(self) -> int:
        """Samples that the run will ask, times repeats."""
        return sum(task.total for task in self.tasks)

    @property
    def requests(self) -> int:
        """So often the model will be asked at most."""
        return sum(task.requests for task in self.tasks)


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
    judges = judges or Judges()
    _pull_attacks(request, pull, offline)
    attacks = ready_attacks(request, helpers or Helpers())
    each = sum(attack.queries for attack in attacks) + (not request.no_plain)
    found = _named(request, model, pull, offline, judges, QUICK_REQUESTS // max(1, each))
    also = tuple(judges.ready(registry.scorer(name)) for name in _also(request))
    usual = tuple(map(registry.scorer, USUAL_SCORERS if USUAL in request.also else ()))
    tasks = [_judged(task, judges) for task in found.tasks]
    own = model.identity.digest
    if any(judge.identity.digest == own for judge in judges.models):
        tasks = [_noted(task, also) for task in tasks]
    tasks, left_out = _crossed(tasks, attacks, model, request)
    return replace(
        found,
        tasks=tuple(tasks),
        not_covered=(*found.not_covered, *left_out),
        also=also,
        usual=usual,
        judges=judges.models,
        helpers=helpers or Helpers(),
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
                raise _unhelped(helped, min(helped.wants))
            found[helped.name] = helped
    return tuple(found.values())


def _pull_attacks(request: Request, pull: bool, offline: bool) -> None:
    """Download what public sets of attacks need and is not here."""
    names = {part.partition(":")[0] for spec in request.attacks for part in spec.split("+")}
    for name in sorted(names) if pull else ():
        source = registry.load("attack", name.strip()).data
        if source is not None and data.find(source).missing:
            data.pull(source, offline=offline)


def _crossed(
    tasks: Sequence[Task], attacks: Sequence[Attack], model: Model, request: Request
) -> tuple[list[Task], list[tuple[str, str]]]:
    """Each task plainly and under each attack, and what of that is left out.

    Of a suite, only benchmarks that tell of harm are attacked; one that was named always is.

    Raises:
        UsageError: nothing is left, or a benchmark that was named cannot be attacked so.
    """
    if not attacks:
        return list(tasks), []
    crossed: list[Task] = []
    left_out: list[tuple[str, str]] = []
    for task in tasks:
        if not request.no_plain:
            crossed.append(task)
        for attack in attacks:
            why = _cannot(task, attack, model)
            if why is not None and request.benchmarks:
                raise UsageError(*why)
            if why is None and not request.benchmarks and attack.kind == "attack":
                why = None if _tells_of_harm(task) else ("it tells of no harm", "")
            attacked = None if why is not None else _under(task, attack)
            if attacked is not None:
                crossed.append(attacked)
            elif why is None:
                what = f"{task.benchmark.name} under {attack.name}"
                left_out.append((what, "the attack is for none of its samples"))
            elif _tells_of_harm(task):
                left_out.append((f"{task.benchmark.name} under {attack.name}", why[0]))
    if not crossed:
        raise UsageError(
            "none of these benchmarks can be attacked",
            "name one that tells of harm with -b, for example -b xstest",
        )
    return crossed, left_out


def _under(task: Task, attack: Attack) -> Task | None:
    """The task under an attack: the samples that it is for; None where it is for none of them."""
    notes = task.notes
    if attack.kind == "attack" and not task.way.scorer.judge and _tells_of_harm(task):
        notes = (*notes, JUDGED_BY_RULES)
    attacked = replace(task, attack=attack, notes=notes)
    if attack.covers is None:
        return attacked
    facts = [(s.category or "", s.cluster or s.id) for s in task.benchmark.samples(task.files)]
    chosen = frozenset(index for index, sample in task.unrendered() if attack.covers(sample))
    if not chosen:
        return None
    return replace(
        attacked,
        chosen=chosen,
        planned=_planned(facts, chosen, task.repeats),
        selection=f"{len(chosen)} of {len(facts)}, those that the attack is for",
    )


JUDGED_BY_RULES = (
    "success is judged by rules: an answer that is no refusal counts, whether it is of use or not;"
    " a benchmark that asks a judge (--judge) tells harm"
)


def _tells_of_harm(task: Task) -> bool:
    return any(headline.dimension in HARMS for headline in task.benchmark.headlines)


def _cannot(task: Task, attack: Attack, model: Model) -> tuple[str, str] | None:
    """Why a task cannot be asked under an attack, with a hint; None where it can."""
    name = task.benchmark.name
    if attack.search is not None and task.way.needs != "reply":
        others = [way.name for way in task.benchmark.ways if way.needs == "reply"]
        hint = f"ask it as -b {name}:{others[0]}" if others else "rewrites go with it: base64, …"
        return f"`{attack.name}` needs replies, and `{name}` is asked by likelihood", hint
    missing = [need for need in attack.needs if not can(model, need)]
    if missing:
        need = {"weights": "weights of its own", "loglikelihood": "likelihoods"}
        needed = need.get(missing[0], missing[0])
        return (
            f"`{attack.name}` cannot be run on {model.name}: it needs {needed}",
            "open weights have them: safemark run hf/<id or folder>, or reference",
        )
    return None


def _judged(task: Task, judges: Judges) -> Task:
    """The task with its scorer ready to judge."""
    return replace(task, way=replace(task.way, scorer=judges.ready(task.way.scorer)))


def _noted(task: Task, also: Sequence[Scorer]) -> Task:
    """The task with a note, where the model under test judges its own answers."""
    if not any(scorer.judge for scorer in (task.way.scorer, *also)):
        return task
    return replace(task, notes=(*task.notes, JUDGES_ITSELF))


JUDGES_ITSELF = "judged by the model under test itself, as --judge asked for"


def _named(
    request: Request, model: Model, pull: bool, offline: bool, judges: Judges, most: int
) -> Plan:
    """The benchmarks that were named, or those of the suite; of `quick` at most so many samples."""
    if request.benchmarks:
        unjudged = [spec for spec in request.benchmarks if _lacks_judge(spec, model, judges)]
        wanted = [spec for spec in request.benchmarks if spec not in unjudged]
        if not wanted:
            raise UsageError(
                f"`{unjudged[0]}` is judged by a model, and none was named",
                "--judge MODEL, for example --judge openai/gpt-4o-mini",
            )
        named = [_task(spec, request, model, pull, offline, judges) for spec in wanted]
        # a benchmark that was named twice is asked once
        distinct = {
            (task.benchmark.name, task.benchmark.version, task.way.name): task for task in named
        }
        return Plan(tuple(distinct.values()), tuple((spec, NO_JUDGE) for spec in unjudged))
    return _suite(request, model, pull, offline, judges, most)


def _lacks_judge(spec: str, model: Model, judges: Judges) -> bool:
    """Whether all that is missing to ask a benchmark of ``model`` is a judge."""
    name, _, way = spec.partition(":")
    benchmark = registry.benchmark(name)
    if _way(benchmark, way or None, model, judges) is not None:
        return False
    return any(can(model, one.needs) for one in benchmark.ways if way in ("", one.name))


def _also(request: Request) -> list[str]:
    """The scorers that were named; `NOBODY` is no scorer.

    Raises:
        UsageError: nobody and somebody are named together.
    """
    if NOBODY in request.also and len(request.also) > 1:
        raise UsageError(f"`--also {NOBODY}` goes with no scorer", "leave one of them out")
    return [name for name in dict.fromkeys(request.also) if name not in (USUAL, NOBODY)]


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


def check_names(request: Request, *, offline: bool = False) -> None:
    """Refuse what no model could be asked, before a model is loaded.

    Raises:
        UsageError: an unknown benchmark, version, way, suite or scorer, or options that exclude
            each other.
    """
    if request.limit is not None and request.first is not None:
        raise UsageError("`--limit` and `--first` exclude each other", "give one of them")
    if request.benchmarks and request.suite:
        raise UsageError("`-b` and `--suite` exclude each other", "give one of them")
    check_use(request.use_case)
    check_mitigation(request.mitigation)
    _suites(request)
    if request.no_plain and not request.attacks:
        raise UsageError("`--no-plain` goes with `--attack`", "nothing would be asked")
    if request.attacks and request.until_decided is not None:
        raise UsageError(
            "an attack is measured on all samples", "leave `--until-decided` or `--attack` away"
        )
    for spec in request.attacks:
        _check_attack(spec, request)
    for name in _also(request):
        if offline:
            _check_offline(name)
        scorer = registry.scorer(name)
        if not request.judge:
            with_judge(scorer, None)
    for spec in request.benchmarks:
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
            raise _unhelped(attack, helper)


def _unhelped(attack: Attack, helper: str) -> UsageError:
    flag = "--attacker" if helper == "attacker" else "--attack-judge"
    return UsageError(
        f"`{attack.name}` needs a model that {_WORK[helper]}, and none was named",
        f"{flag} MODEL, for example {flag} openai/gpt-4o-mini",
    )


_WORK = {"attacker": "writes its attempts", "judge": "rates them on the way"}


def _suites(request: Request) -> tuple[str, ...]:
    """The suites that were named, with commas between them; `quick` where none was.

    Raises:
        UsageError: one is unknown, or `quick` or `all` is named beside another.
    """
    named = (request.suite or "quick").split(",")
    suites = tuple(dict.fromkeys(suite.strip() for suite in named if suite.strip()))
    for suite in suites:
        if suite not in SUITES:
            raise UnknownName("suite", suite, SUITES, "safemark list suites")
        if suite not in DIMENSIONS and len(suites) > 1:
            raise UsageError(f"the suite `{suite}` goes alone", "several dimensions go together")
    if not suites:
        raise UnknownName("suite", request.suite or "", SUITES, "safemark list suites")
    return suites


def _suite(
    request: Request, model: Model, pull: bool, offline: bool, judges: Judges, most: int
) -> Plan:
    suites = _suites(request)
    dimensions = set(suites) & set(DIMENSIONS)
    suite = ",".join(suites)
    tasks: list[Task] = []
    left_out: list[tuple[str, str]] = []
    beside: list[tuple[str, str]] = []
    lacks_data = False
    for name in registry.names("benchmark"):
        benchmark = registry.benchmark(name)
        if dimensions and not dimensions & {h.dimension for h in benchmark.headlines}:
            continue
        if suite == "quick" and not benchmark.is_quick:
            beside.append((name, f"not in the suite `quick`; `safemark run -b {name}`"))
            continue
        if _lacks_judge(name, model, judges):
            left_out.append((name, NO_JUDGE))
            continue
        if _way(benchmark, None, model, judges) is None:
            left_out.append((name, f"{model.name} cannot be asked this way ({_needs(benchmark)})"))
            continue
        try:
            tasks.append(_task(name, request, model, pull and suite != "quick", offline, judges))
        except NotDownloaded:
            lacks_data = True
            left_out.append((name, f"not downloaded; `safemark data pull {name}`"))
        except (NotInstalled, data.NotFetched) as error:
            lacks_data = lacks_data or isinstance(error, data.NotFetched)
            left_out.append((name, f"{error.problem}; {error.hint}"))
    if not tasks:
        raise (DataError if lacks_data else UsageError)(
            f"nothing of the suite `{suite}` can be asked of {model.name}",
            "; ".join(f"{what}: {why}" for what, why in left_out[:3])
            or "`safemark list benchmarks` shows what there is",
        )
    if suite == "quick" and not (request.first or request.limit):
        tasks, no_room = _within(tasks, most, request.seed)
        left_out += no_room
    return Plan(tuple(tasks), (*left_out, *beside))


class NotDownloaded(DataError):
    """A benchmark's data is not on this machine."""


def _within(tasks: list[Task], most: int, seed: int) -> tuple[list[Task], list[tuple[str, str]]]:
    """The same tasks, each cut so that all together make at most ``most`` requests.

    The small ones stay whole and leave what they do not need to the others. A task of which not
    even one sample fits, because of its repeats, is left out.
    """
    fitted: dict[str, Task] = {}
    left_out: list[tuple[str, str]] = []
    left = most
    for done, task in enumerate(sorted(tasks, key=lambda task: task.total)):
        name = task.benchmark.name
        samples = left // (len(tasks) - done) // task.repeats
        if samples == 0:
            left_out.append((name, f"{task.repeats:,} repeats do not fit into {most:,} requests"))
            continue
        fits = samples * task.repeats >= task.total
        fitted[name] = task if fits else _cut(task, samples, seed)
        left -= fitted[name].total
    return [fitted[t.benchmark.name] for t in tasks if t.benchmark.name in fitted], left_out


def _cut(task: Task, limit: int, seed: int) -> Task:
    facts = [(s.category or "", s.cluster or s.id) for s in task.benchmark.samples(task.files)]
    chosen = stratified(facts, limit, seed)
    return replace(
        task,
        chosen=chosen,
        planned=_planned(facts, chosen, task.repeats),
        selection=_drawn(len(chosen), len(facts), seed),
    )


def _task(
    spec: str, request: Request, model: Model, pull: bool, offline: bool, judges: Judges
) -> Task:
    name, _, way_name = spec.partition(":")
    benchmark = for_use(registry.benchmark(name), request.use_case)
    way = _way(benchmark, way_name or None, model, judges)
    if way is None:
        raise UsageError(
            f"`{benchmark.name}` cannot be asked of {model.name}: it {_needs(benchmark)}",
            "likelihoods come with local weights: safemark run hf/<id or folder>",
        )
    files, partial, digests, notes = _files(benchmark, pull, offline)
    facts = [(s.category or "", s.cluster or s.id) for s in benchmark.samples(files)]
    if not facts:
        raise DataError(f"`{benchmark.name}` has no samples in the files that are here")
    chosen: frozenset[int] | None = None
    selection = "all"
    if request.first is not None and request.first < len(facts):
        chosen = frozenset(range(request.first))
        selection = f"the first {request.first} of {len(facts)}"
    if request.limit is not None and request.limit < len(facts):
        chosen = stratified(facts, request.limit, request.seed)
        selection = _drawn(len(chosen), len(facts), request.seed)
    repeats = request.repeats if request.repeats > 1 else way.repeats
    return Task(
        benchmark=benchmark,
        way=way,
        ask=_ask(request, way),
        repeats=repeats,
        files=files,
        chosen=chosen,
        in_benchmark=len(facts),
        planned=_planned(facts, chosen, repeats),
        selection=selection,
        partial=partial,
        digests=digests,
        notes=notes,
    )


def _drawn(n: int, of: int, seed: int) -> str:
    return f"{n} of {of}, drawn by cluster within category (seed {seed})"


def _ask(request: Request, way: Way) -> Ask:
    own = way.temperature or 0.0
    temperature = own if request.temperature is None else request.temperature
    return Ask(
        temperature=temperature,
        max_output_tokens=request.max_output_tokens or way.max_output_tokens or 512,
        top_p=way.top_p,
        seed=request.seed if temperature > 0 else None,
        system=request.system,
    )


def _way(benchmark: Benchmark, name: str | None, model: Model, judges: Judges) -> Way | None:
    """The way of that name, else the first that the model can be asked and somebody can judge."""
    wanted = [way for way in benchmark.ways if name in (None, way.name)]
    usable = (way for way in wanted if can(model, way.needs) and judges.can(way.scorer))
    return next(usable, None)


def _needs(benchmark: Benchmark) -> str:
    needs = sorted({way.needs for way in benchmark.ways})
    return "needs " + " or ".join({"loglikelihood": "likelihoods"}.get(n, n) for n in needs)


def _files(
    benchmark: Benchmark, pull: bool, offline: bool
) -> tuple[Mapping[str, Path], str | None, Mapping[str, str], tuple[str, ...]]:
    if benchmark.source is None:
        return {}, None, {}, ()
    found = data.find(benchmark.source)
    if pull and found.missing and (not found.files or benchmark.needs_files & set(found.missing)):
        found = data.pull(benchmark.source, offline=offline)
    missing = benchmark.needs_files & set(found.missing)
    if not found.files or missing:
        raise NotDownloaded(
            f"the data of `{benchmark.name}` is not on this machine",
            f"safemark data pull {benchmark.name}",
        )
    notes = tuple(f"unpinned: {path}" for path in found.unpinned)
    return found.files, found.partial, found.digests, notes


def _planned(
    facts: Sequence[tuple[str, str]], chosen: frozenset[int] | None, repeats: int
) -> dict[str, int]:
    counts = Counter(
        category for index, (category, _) in enumerate(facts) if chosen is None or index in chosen
    )
    return {category: count * repeats for category, count in counts.items()}


def stratified(facts: Sequence[tuple[str, str]], limit: int, seed: int) -> frozenset[int]:
    """Indices of ``limit`` samples, shared out over categories, in whole clusters.

    Each category gets its share of ``limit`` (largest remainders); within it clusters are drawn
    at random and taken whole while they fit; the last one is cut, from its first row on, so that
    exactly ``limit`` samples are drawn.

    Args:
        facts: category and cluster of each sample, in the benchmark's order.
        limit: how many samples, at most ``len(facts)``.
        seed: the same seed draws the same samples.

    >>> sorted(stratified([("a", "1"), ("a", "1"), ("b", "2"), ("b", "3")], 3, seed=0))
    [0, 1, 3]
    """
    clusters: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for index, (category, cluster) in enumerate(facts):
        clusters[category][cluster].append(index)
    sizes = {c: sum(map(len, groups.values())) for c, groups in clusters.items()}
    chosen: set[int] = set()
    for category, allotted in _allotted(sizes, limit).items():
        draw = random.Random(f"{seed}/{category}")
        groups = list(clusters[category].values())
        draw.shuffle(groups)
        chosen.update(_filled(groups, allotted))
    return frozenset(chosen)


def _filled(groups: Iterable[list[int]], room: int) -> list[int]:
    taken: list[int] = []
    waiting: list[list[int]] = []
    for group in groups:
        if len(group) <= room - len(taken):
            taken.extend(group)
        else:
            waiting.append(group)
    for group in waiting:
        taken.extend(group[: room - len(taken)])
    return taken


def _allotted(sizes: Mapping[str, int], limit: int) -> dict[str, int]:
    """``limit`` shared out in proportion to ``sizes``, by largest remainders.

    >>> _allotted({"a": 3, "b": 1}, 2)
    {'a': 2, 'b': 0}
    """
    total = sum(sizes.values())
    limit = min(limit, total)
    exact = {category: limit * size / total for category, size in sizes.items()}
    allotted = {category: int(share) for category, share in exact.items()}
    rest = limit - sum(allotted.values())
    by_remainder = sorted(exact, key=lambda c: (allotted[c] - exact[c], c))
    for category in by_remainder[:rest]:
        allotted[category] += 1
    return allotted
