"""One benchmark asked one way under one attack, and the tasks of a run together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from safemark.attacks import direct
from safemark.attacks._attack import Attack, Helpers
from safemark.benchmarks._benchmark import Benchmark, Scorer, Way
from safemark.errors import CallFailed
from safemark.models._model import Model
from safemark.plan.drawing import Fact, planned
from safemark.plan.kinds import Kinds
from safemark.types import Ask, Reason, Sample

Gap = tuple[str, str]
"""What a reader might expect in a run and is not in it, and why."""


@dataclass(frozen=True, slots=True)
class Task:
    """One benchmark, asked one way under one attack: its samples are read anew each time.

    ``chosen`` are indices into the benchmark's samples, None for all of them. ``planned`` counts
    them by category ("" for none), repeats included; ``kinds`` are of all samples of the benchmark,
    None where they were not looked at.
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
    kinds: Kinds | None = None

    def choosing(self, facts: Sequence[Fact], chosen: frozenset[int], selection: str) -> "Task":
        """The same task on these samples only; ``facts`` are of all of the benchmark's."""
        counts = planned(facts, chosen, self.repeats)
        return replace(self, chosen=chosen, planned=counts, selection=selection)

    @property
    def total(self) -> int:
        """Samples times repeats."""
        return sum(self.planned.values())

    @property
    def requests(self) -> int:
        """So often the model is asked at most."""
        return self.total * self.attack.queries * self.way.turns

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
    not_covered: tuple[Gap, ...]
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
