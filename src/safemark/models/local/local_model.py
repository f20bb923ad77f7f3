"""A local model: many concurrent calls in, batches on one worker thread, answers out."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safemark.errors import CallFailed, UsageError
from safemark.models._model import Identity
from safemark.models.local.gather import Deliver, Gatherer, Wanted
from safemark.types import Ask, Likelihood, Messages, Reply

if TYPE_CHECKING:
    from safemark.models.local.generation import Conversation, Generator
    from safemark.models.local.prompts import Pair, Prompts
    from safemark.models.local.scoring import Scorer

CONCURRENCY = 256
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
        return (*self._prompts.notes, *scorer.notes, *generator.notes)

    @property
    def weights(self) -> tuple[Any, Any]:
        """The transformers module and its tokenizer; whoever changes them puts them back."""
        return self._open()[0].network.module, self._prompts.tokenizer

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
        fit into the model's context loses tokens from the left. A text context is raw; messages
        are rendered with the chat template, the assistant's turn opened.

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
        asked = [(job.context, job.continuations) for job in jobs]
        collected = _Collected(deliver)
        pairs: list[Pair] = []
        places: list[tuple[int, int]] = []
        for index, found in enumerate(self._prompts.pairs(asked)):
            if isinstance(found, CallFailed):
                deliver(index, found)
                continue
            collected.expect(index, len(found))
            places += [(index, number) for number in range(len(found))]
            pairs += found
        self._open()[0].score(
            pairs,
            lambda at, outcome: collected.add(*places[at], outcome),
            lambda at: wanted(places[at][0]),
        )

    def _generate(
        self, jobs: "Sequence[Conversation]", deliver: Deliver[Reply], wanted: Wanted
    ) -> None:
        self._open()[1].generate(jobs, deliver, wanted)


class _Collected:
    """Likelihoods of several continuations, delivered when the last one is there."""

    def __init__(self, deliver: Callable[[int, tuple[Likelihood, ...] | Exception], None]) -> None:
        self._deliver = deliver
        self._found: dict[int, dict[int, Likelihood | CallFailed]] = defaultdict(dict)
        self._expected: dict[int, int] = {}

    def expect(self, index: int, count: int) -> None:
        self._expected[index] = count

    def add(self, index: int, number: int, outcome: Likelihood | CallFailed) -> None:
        found = self._found[index]
        found[number] = outcome
        if len(found) < self._expected[index]:
            return
        ordered = [found[place] for place in range(len(found))]
        failures = [part for part in ordered if isinstance(part, CallFailed)]
        if failures:
            self._deliver(index, failures[0])
        else:
            self._deliver(index, tuple(part for part in ordered if isinstance(part, Likelihood)))
