"""A task with its place in the store, and the key of each question it asks."""

import hashlib
from dataclasses import dataclass

import msgspec

from safemark import registry
from safemark.attacks._attack import Attack, Search
from safemark.attacks._success import as_attacked, level_of, level_of_metrics
from safemark.benchmarks._benchmark import Benchmark, Scorer
from safemark.benchmarks._sizes import sizes
from safemark.judging import PLAIN, Reading
from safemark.plan import Task
from safemark.store import AttackBody, PartBody, Size, StoredPart
from safemark.types import Sample


@dataclass(frozen=True, slots=True)
class Part:
    """A task with its place in the store; ``also`` are further scorers with their ids.

    ``attack`` is the attack's id; ``search`` asks what the attack made of a sample.
    """

    task: Task
    attack: str
    search: Search
    stored: StoredPart
    scorer_id: int
    also: tuple[tuple[Scorer, int], ...] = ()

    def reading(self, scorer: Scorer) -> Reading:
        """How a scorer's words on several attempts become one."""
        return _reading(self.task.benchmark, self.stored, scorer)


def reading_of(part: StoredPart, scorer: Scorer) -> Reading:
    """How a scorer's words on the attempts of a stored part become one."""
    return _reading(registry.benchmark(f"{part.benchmark}@{part.version}"), part, scorer)


def _reading(benchmark: Benchmark, part: StoredPart, scorer: Scorer) -> Reading:
    attack = part.body.attack
    way = benchmark.way(part.asked)
    if attack is None or (way is not None and way.converse is not None):
        return PLAIN
    if way is not None and way.scorer.name == scorer.name:
        return Reading(level_of(benchmark, part.asked), tells=attack.kind == "attack")
    return Reading(level_of_metrics(scorer.metrics))


def part_body(task: Task) -> PartBody:
    """What the store keeps of a task."""
    return PartBody(
        planned=dict(task.planned),
        attack=_attack_body(task.attack),
        scorer=task.way.scorer.name,
        scorer_version=task.way.scorer.version,
        judge=task.way.scorer.judge,
        in_benchmark=task.in_benchmark,
        selection=task.selection,
        partial=task.partial,
        digests=dict(task.digests),
        notes=task.notes,
        ask=task.ask,
        repeats=task.repeats,
        sizes=_sizes(task),
    )


def _sizes(task: Task) -> dict[str, tuple[Size, ...]]:
    """How many of the task's samples each metric counts; none where nobody looked at them."""
    if task.kinds is None:
        return {}
    kinds = task.kinds.counts(task.chosen)
    attack = task.attack
    read = as_attacked(task.benchmark, task.way.name, attack.name, attack.kind)
    return sizes((*read.metrics, *read.further([row for row, _ in kinds])), kinds)


def _attack_body(attack: Attack) -> AttackBody | None:
    if attack.is_direct:
        return None
    return AttackBody(
        id=attack.id,
        title=attack.title,
        kind=attack.kind,
        source=attack.source,
        queries=attack.queries,
        helped_by=attack.helped_by,
        settings=dict(attack.settings),
    )


class AskKeys:
    """`ask_key`: one key for everything that decides what is asked, and nothing else.

    Model identity, how to ask, benchmark version, way, attack, the rendered sample, the repeat.
    How many samples are asked beside it is no part of it.
    """

    def __init__(self, identity: str, task: Task, attack: str) -> None:
        fixed = (
            identity,
            task.ask,
            task.benchmark.name,
            task.benchmark.version,
            task.way.name,
            attack,
        )
        self._begun = hashlib.blake2b(msgspec.json.encode(fixed), digest_size=16)
        self._encoder = msgspec.json.Encoder()

    def __call__(self, sample: Sample, repeat: int) -> bytes:
        key = self._begun.copy()
        key.update(self._encoder.encode((sample, repeat)))
        return key.digest()
