"""A local model: many concurrent calls in, batches on one worker thread, answers out."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from safemark.errors import CallFailed, UsageError
from safemark.models._model import Identity, Model, Weights, can
from safemark.models._wrapper import layers
from safemark.models.local.gather import Deliver, Gatherer, Wanted
from safemark.types import Ask, Likelihood, Messages, Reply

if TYPE_CHECKING:
    from safemark.models.local.generation import Conversation, Generator
    from safemark.models.local.prompts import Pair, Prompts
    from safemark.models.local.scoring import Scorer

Found = TypeVar("Found")

CONCURRENCY = 1024
"""Calls that should be in flight: what is computed together shares its prefixes."""


@dataclass(frozen=True, slots=True)
class Question:
    """Continuations whose likelihood after one context is asked."""

    context: str | Messages
    continuations: tuple[str, ...]


class LocalModel:
    """Open weights behind the one shape of a model; made by `load`.

    ``name`` is how records call it, ``concurrency`` how many calls it likes in flight. Calls that
    wait at the same time are computed together, in one thread; the event loop stays alive.
    """

    def __init__(
        self,
        name: str,
        identity: Identity,
        prompts: "Prompts",
        scorer: "Scorer",
        generator: "Generator",
    ) -> None:
        self.name = name
        self.concurrency = CONCURRENCY
        self._identity = identity
        self._prompts = prompts
        self._scorer: Scorer | None = scorer
        self._generator: Generator | None = generator
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="safemark-local")
        self._scores: Gatherer[Question, tuple[Likelihood, ...]] = Gatherer(
            self._score, self._executor
        )
        self._replies: Gatherer[Conversation, Reply] = Gatherer(self._generate, self._executor)

    @property
    def identity(self) -> Identity:
        """Digest over weights, configuration, tokenizer, chat template, adapter and number type."""
        return self._identity

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the numbers should know: how they are computed, what the model lacks."""
        scorer, generator = self._open()
        cut = f"texts of more than {scorer.network.max_length} tokens lost their beginning"
        said = (cut,) if scorer.cuts_texts else ()
        return (*self._prompts.notes, *scorer.notes, *said, *generator.notes)

    @property
    def weights(self) -> Weights:
        """The transformers module and its tokenizer; whoever changes them puts them back."""
        return Weights(self._open()[0].network.module, self._prompts.tokenizer)

    async def alone(self, work: Callable[[Weights], Found]) -> Found:
        """``work`` on the weights, in the model's own thread: nothing else computes meanwhile."""
        weights = self.weights
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, weights)

    async def reply(self, messages: Messages, ask: Ask) -> Reply:
        """The model's answer; ``text`` does not repeat ``ask.prefill``.

        Greedy at temperature 0 or None; otherwise drawn with a generator seeded by (seed, draw,
        prompt), so that the same call gives the same answer in any company.

        Raises:
            CallFailed: ``context_too_long``, ``not_a_number``, ``unsupported`` (the chat template
                refuses the conversation), ``server_error`` (out of memory with this prompt alone).
        """
        from safemark.models.local.generation import Conversation

        self._open()
        return await self._replies(Conversation(messages, ask))

    async def loglikelihood(
        self, context: str | Messages, continuations: Sequence[str]
    ) -> tuple[Likelihood, ...]:
        """Log-likelihood of each continuation after ``context``, as lm-evaluation-harness has it.

        The context's trailing whitespace counts as part of the continuation. A text that does not
        fit into the model's context loses tokens from the left; one without a context is scored in
        parts that fit, each token once. A text context is raw; messages are rendered with the chat
        template, the assistant's turn opened.

        Raises:
            CallFailed: ``not_a_number``, ``bad_request`` (a continuation without tokens),
                ``context_too_long`` (a continuation longer than the model's context),
                ``unsupported``, ``server_error``.
        """
        self._open()
        if not continuations:
            return ()
        return await self._scores(Question(context, tuple(continuations)))

    async def close(self) -> None:
        """Lets go of the weights; what still computes stops at its next batch."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._scorer = self._generator = None

    def _open(self) -> "tuple[Scorer, Generator]":
        if self._scorer is None or self._generator is None:
            raise UsageError(f"`{self.name}` is closed", "load it again")
        return self._scorer, self._generator

    def _score(
        self, jobs: Sequence[Question], deliver: Deliver[tuple[Likelihood, ...]], wanted: Wanted
    ) -> None:
        from safemark.models.local.prompts import rolled

        asked = [(job.context, job.continuations) for job in jobs]
        collected = _Collected(deliver)
        longest = self._open()[0].network.max_length
        pairs: list[Pair] = []
        places: list[tuple[int, int]] = []
        for index, found in enumerate(self._prompts.pairs(asked)):
            if isinstance(found, CallFailed):
                deliver(index, found)
                continue
            alone = isinstance(jobs[index].context, str) and not str(jobs[index].context).strip()
            parts = [rolled(pair, longest) if alone else [pair] for pair in found]
            collected.expect(index, [len(some) for some in parts])
            places += [(index, number) for number in range(sum(map(len, parts)))]
            pairs += [part for some in parts for part in some]
        self._open()[0].score(
            pairs,
            lambda at, outcome: collected.add(*places[at], outcome),
            lambda at: wanted(places[at][0]),
        )

    def _generate(
        self, jobs: "Sequence[Conversation]", deliver: Deliver[Reply], wanted: Wanted
    ) -> None:
        self._open()[1].generate(jobs, deliver, wanted)


async def alone(model: Model, work: Callable[[Weights], Found]) -> Found:
    """``work`` on the weights of ``model``, wrapped or not, while nothing else computes on them.

    Raises:
        UsageError: its weights are not in this process.
    """
    inner = layers(model)[-1]
    if not can(model, "weights") or not isinstance(inner, LocalModel):
        raise UsageError(
            f"the weights of `{model.name}` are not in this process",
            "give open weights: hf/<id or folder>, or reference",
        )
    return await inner.alone(work)


class _Collected:
    """Likelihoods of several continuations in parts, delivered when the last one is there."""

    def __init__(self, deliver: Callable[[int, tuple[Likelihood, ...] | Exception], None]) -> None:
        self._deliver = deliver
        self._found: dict[int, dict[int, Likelihood | CallFailed]] = defaultdict(dict)
        self._parts: dict[int, list[int]] = {}

    def expect(self, index: int, parts: list[int]) -> None:
        """How many parts each continuation of that question has."""
        self._parts[index] = parts

    def add(self, index: int, number: int, outcome: Likelihood | CallFailed) -> None:
        found = self._found[index]
        found[number] = outcome
        parts = self._parts[index]
        if len(found) < sum(parts):
            return
        ordered = [found[place] for place in range(len(found))]
        known = [part for part in ordered if isinstance(part, Likelihood)]
        if len(known) < len(ordered):
            failures = [part for part in ordered if isinstance(part, CallFailed)]
            self._deliver(index, failures[0])
            return
        rest = iter(known)
        self._deliver(index, tuple(_joined(list(islice(rest, count))) for count in parts))


def _joined(parts: Sequence[Likelihood]) -> Likelihood:
    if len(parts) == 1:
        return parts[0]
    return Likelihood(
        sum(part.logprob for part in parts),
        sum(part.tokens for part in parts),
        all(part.is_greedy for part in parts),
    )
