"""Replies from local weights: one token a step for many rows, which come and leave as they end.

A row's tokens depend on its prompt and its `Ask` alone: sampling draws from a generator seeded
with (seed, draw, prompt), never from one that the batch shares. What the arithmetic does to a
batch (rounding) remains; on CPU in float32 it is about 1e-6 per logit.
"""

import hashlib
import math
import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from safemark.errors import CallFailed
from safemark.models.local.gather import Deliver, Wanted
from safemark.models.local.network import Network, is_out_of_memory, window
from safemark.models.local.passes import Budget
from safemark.models.local.prompts import Prompt, Prompts, without_thinking
from safemark.models.local.steps import LEAST_IN_COMMON, Slots, StaticSteps, Steps
from safemark.models.local.workers import using
from safemark.types import Ask, Messages, Reason, Reply, Usage

TOLERANCE = 1e-3
"""How far a padded, cached step may be from a plain forward, per logit, in float32."""

LONGEST_REPLY = 4096
"""Output tokens where the caller sets no limit and the context leaves more."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One reply that is asked for."""

    messages: Messages
    ask: Ask


@dataclass(slots=True)
class _Row:
    """One reply under way."""

    index: int
    prompt: Prompt
    ask: Ask
    limit: int
    seed: int
    draw: random.Random = field(default_factory=random.Random)
    new: list[int] = field(default_factory=list)

    def restart(self) -> None:
        """Back to the prompt."""
        self.new.clear()
        self.draw = random.Random(self.seed)

    @property
    def temperature(self) -> float:
        return self.ask.temperature or 0.0

    @property
    def longest(self) -> int:
        """Tokens of the prompt and the longest reply."""
        return len(self.prompt.tokens) + self.limit


class Generator:
    """Generates replies on one network.

    ``batch_size`` is the most rows in one forward pass. ``shares(length)`` is whether prefixes that
    prompts of that many tokens have in common may be computed once. ``notes`` says what this model
    does not allow; what it stands is found out by trying.
    """

    def __init__(
        self,
        network: Network,
        prompts: Prompts,
        batch_size: int,
        budget: Budget,
        shares: Callable[[int], bool],
    ) -> None:
        self.network = network
        self.prompts = prompts
        self.notes: tuple[str, ...] = ()
        self._batch_size = batch_size
        self._budget = budget
        self._shares = shares
        self._ends = prompts.turn_ends() | _end_tokens(network.module, prompts.tokenizer)
        self._caches = self._pads = self._refills = True
        self._least_in_common: float = LEAST_IN_COMMON
        self._check_at_load()

    def generate(
        self, jobs: Sequence[Conversation], deliver: Deliver[Reply], wanted: Wanted
    ) -> None:
        """Delivers a reply, or the reason why there is none, for each conversation."""
        first: dict[object, int] = {}
        same: dict[int, list[int]] = {}
        rows = []
        for index, job in enumerate(jobs):
            try:
                row = self._row(index, job)
            except CallFailed as failure:
                deliver(index, failure)
                continue
            # a greedy reply is the same for every draw: computed once
            alike = (row.prompt, bool(job.ask.prefill), job.ask.stop, row.limit)
            key = index if row.temperature else alike
            if (before := first.setdefault(key, index)) == index:
                rows.append(row)
            same.setdefault(before, []).append(index)

        def settle(row: _Row, outcome: Reply | CallFailed) -> None:
            for index in same[row.index]:
                deliver(index, outcome)

        def still(row: _Row) -> bool:
            return any(wanted(index) for index in same[row.index])

        # one thread but for the forward passes, which take what they are worth
        with self.network.steady(), using(1):
            for steps, batch in self._batches(rows):
                self._generate_within_memory(batch, steps, settle, still)

    def _row(self, index: int, job: Conversation) -> _Row:
        ask = job.ask
        prompt = self.prompts.prompt(job.messages, ask.system, ask.prefill)
        self.network.check(prompt.tokens)
        room = self.network.max_length - len(prompt.tokens)
        if room <= 0:
            raise CallFailed(
                Reason.CONTEXT_TOO_LONG,
                f"the prompt has {len(prompt.tokens)} tokens, the model takes "
                f"{self.network.max_length}",
            )
        wished = LONGEST_REPLY if ask.max_output_tokens is None else ask.max_output_tokens
        seed = repr((ask.seed or 0, ask.draw, prompt.tokens)).encode()
        number = int.from_bytes(hashlib.sha256(seed).digest()[:8], "big")
        return _Row(index, prompt, ask, min(wished, room), number)

    def _batches(self, rows: Sequence[_Row]) -> Iterator[tuple[Callable[[], Steps], list[_Row]]]:
        """Rows that go together, prompts of like length next to each other, and how they go."""
        ordered = sorted(rows, key=lambda row: (len(row.prompt.tokens), row.prompt.tokens))
        reach = window(self.network.config) or math.inf
        refilled = [row for row in ordered if self._refills and row.longest <= reach]
        if refilled:
            shares = self._shares(max(len(row.prompt.tokens) for row in refilled))
            yield lambda: self._slots(shares=shares, least=self._least_in_common), refilled
        chosen = {row.index for row in refilled}
        batch: list[_Row] = []
        for row in (row for row in ordered if row.index not in chosen):
            ragged = batch and len(batch[0].prompt.tokens) != len(row.prompt.tokens)
            if batch and (not self._has_room(batch, row) or (ragged and not self._pads)):
                yield self._static, batch
                batch = []
            batch.append(row)
        if batch:
            yield self._static, batch

    def _slots(self, *, shares: bool, least: float) -> Steps:
        return Slots(self.network, self._budget, shares=shares, least=least)

    def _static(self) -> Steps:
        return StaticSteps(self.network, caches=self._caches)

    def _has_room(self, rows: Sequence[_Row], row: _Row) -> bool:
        """Whether ``row`` fits beside ``rows``: into the batch, and into half the free memory."""
        if not rows:
            return True
        per_token = max(1, self.network.cache_bytes_per_token())
        fitting = self.network.free_bytes() // 2 // per_token
        longest = max(one.longest for one in (*rows, row))
        return len(rows) < self._batch_size and (len(rows) + 1) * longest <= fitting

    def _generate_within_memory(
        self,
        batch: Sequence[_Row],
        steps: Callable[[], Steps],
        settle: Callable[[_Row, Reply | CallFailed], None],
        still: Callable[[_Row], bool],
    ) -> None:
        """Halves the batch until it fits; what does not fit alone fails."""
        left = {row.index: row for row in batch}
        under_way: list[_Row] = []

        def done(row: _Row, outcome: Reply | CallFailed) -> None:
            left.pop(row.index, None)
            settle(row, outcome)

        while left:
            try:
                self._generate(list(left.values()), steps(), under_way, done, still)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
            else:
                return
            if len(under_way) > 1:
                self._batch_size = max(1, min(self._batch_size, len(under_way)) // 2)
                continue
            for row in under_way:
                done(row, _no_memory(len(row.prompt.tokens)))

    @torch.inference_mode()
    def _generate(
        self,
        rows: Sequence[_Row],
        steps: Steps,
        under_way: list[_Row],
        settle: Callable[[_Row, Reply | CallFailed], None],
        still: Callable[[_Row], bool],
    ) -> None:
        """Every row to its end; ``under_way`` are those that a forward pass is computed for."""
        for row in rows:
            row.restart()
        for row in (row for row in rows if row.limit <= 0):
            settle(row, self._reply(row, "length"))
        waiting = deque(row for row in rows if row.limit > 0)
        under_way.clear()

        def go_on(first: int, logits: Tensor) -> list[int]:
            """Lines whose rows are not at their end after one more token, from ``first`` on."""
            lines = []
            for line, token in enumerate(_chosen(under_way[first:], logits), first):
                outcome = self._advanced(under_way[line], token)
                if outcome is not None:
                    settle(under_way[line], outcome)
                elif still(under_way[line]):
                    lines.append(line)
            return lines

        lines: list[int] = []
        while waiting or lines:
            steps.keep(lines)
            under_way[:] = [under_way[line] for line in lines]
            before = len(under_way)
            if not before or self._is_time_to_refill(before, steps):
                self._take_in(waiting, under_way, still)
            if len(under_way) > before:
                logits = steps.add([row.prompt.tokens for row in under_way[before:]])
                lines = [*range(before), *go_on(before, logits)]
            elif under_way:
                lines = go_on(0, steps.go_on([row.new[-1] for row in under_way]))

    def _take_in(
        self, waiting: deque[_Row], under_way: list[_Row], still: Callable[[_Row], bool]
    ) -> None:
        """Moves rows from ``waiting`` to ``under_way`` while there is room."""
        while waiting and self._has_room(under_way, waiting[0]):
            row = waiting.popleft()
            if still(row):
                under_way.append(row)

    def _is_time_to_refill(self, rows: int, steps: Steps) -> bool:
        """Adding a row moves all others in memory: not for every one that ends."""
        return steps.refills and self._batch_size - rows >= max(1, self._batch_size // 8)

    def _advanced(self, row: _Row, token: int | None) -> Reply | CallFailed | None:
        """The reply when ``token`` ends the row, None while it goes on."""
        if token is None:
            return CallFailed(
                Reason.NOT_A_NUMBER,
                f"the model's logits are not numbers after {len(row.new)} tokens",
                "float16 overflows in some models: -M dtype=bfloat16 or float32",
            )
        row.new.append(token)
        if token in self._ends:
            return self._reply(row, "stop")
        stops = (*row.ask.stop, *row.prompt.stop)
        if stops:
            reach = max(map(len, stops)) + 8  # a token is a character or more, but for a few bytes
            tail = self.prompts.decoded(row.new[-reach:])
            if any(stop in tail for stop in stops):
                return self._reply(row, "stop")
        if len(row.new) >= row.limit:
            return self._reply(row, "length")
        return None

    def _reply(self, row: _Row, finish: Any) -> Reply:
        tokens = row.new[:-1] if row.new and row.new[-1] in self._ends else row.new
        text = self.prompts.reply_text(row.prompt, tokens, has_prefill=bool(row.ask.prefill))
        stops = [text.find(stop) for stop in (*row.ask.stop, *row.prompt.stop)]
        text = text[: min((at for at in stops if at >= 0), default=len(text))]
        opened = row.prompt.text.rstrip().endswith("<think>")
        answer, thinking = without_thinking(text, opened)
        return Reply(
            answer,
            finish=finish,
            thinking=thinking,
            usage=Usage(len(row.prompt.tokens), len(row.new)),
        )

    def _check_at_load(self) -> None:
        """Tries refilling, cache and padding on two short prompts against plain forwards."""
        usual = self.network.usual_tokens
        draw = random.Random(0)
        short, long = ([draw.choice(usual) for _ in range(count)] for count in (5, 9))
        allowed = TOLERANCE if self.network.dtype == torch.float32 else 0.5
        shares = self._shares(len(long))
        families = [long, short, [*long, short[0]]], [long, short]
        if self._distance(self._slots(shares=shares, least=4), *families) > allowed:
            self._least_in_common = math.inf
            families = [long], [short]
            if self._distance(self._slots(shares=shares, least=math.inf), *families) > allowed:
                self._refills = False
        if self._refills:
            return
        if self._distance(self._static(), [short, long]) <= allowed:
            self.notes = ("generation in batches that are not refilled",)
            return
        self._pads = False
        alone = [self._distance(self._static(), [prompt]) for prompt in (short, long)]
        if max(alone) <= allowed:
            self.notes = ("generation without padding: padded prompts give other logits",)
            return
        self._caches = False
        self.notes = ("generation without a key-value cache: cached steps give other logits",)

    @torch.inference_mode()
    def _distance(self, steps: Steps, *groups: Sequence[list[int]]) -> float:
        """Largest distance of cached, padded steps from plain forwards of one prompt.

        Each group of prompts is added after a step of those before it.
        """
        follow = self.network.usual_tokens[0]
        texts: list[list[int]] = []
        steps_of: list[list[tuple[int, Tensor]]] = []

        def note(first: int, logits: Tensor) -> None:
            for line, found in enumerate(logits, first):
                steps_of[line].append((len(texts[line]) - 1, found))

        try:
            for group in groups:
                first = len(texts)
                texts += [list(prompt) for prompt in group]
                steps_of += [[] for _ in group]
                note(first, steps.add(group))
                for text in texts:
                    text.append(follow)
                note(0, steps.go_on([follow] * len(texts)))
            return max(map(self._gap, texts, steps_of))
        except Exception as error:  # a model may refuse a cache in any way it likes
            if is_out_of_memory(error):
                raise
            return math.inf

    def _gap(self, text: Sequence[int], steps: Sequence[tuple[int, Tensor]]) -> float:
        """Largest distance of logits after positions of ``text`` from those of a plain forward."""
        right = self.network.logits(None, self.network.tensor([text]))
        worst = 0.0
        for position, found in steps:
            gap = float((found - right[position]).abs().max())
            if math.isnan(gap):  # where the plain one is none either, nothing is to compare
                gap = 0.0 if right[position].isnan().any() else math.inf
            worst = max(worst, gap)
        return worst


def _chosen(rows: Sequence[_Row], logits: Tensor) -> list[int | None]:
    """The next token of each row; None where its logits are not numbers."""
    broken = torch.isnan(logits).any(dim=-1).tolist()
    tokens = logits.argmax(dim=-1)
    sampled = [line for line, row in enumerate(rows) if row.temperature and not broken[line]]
    if sampled:
        at = torch.tensor(sampled, device=logits.device)
        tokens[at] = _sampled([rows[line] for line in sampled], logits[at])
    return [None if bad else token for token, bad in zip(tokens.tolist(), broken, strict=True)]


def _sampled(rows: Sequence[_Row], logits: Tensor) -> Tensor:
    """A token per row by inverting its distribution at that row's own random number."""
    scale = logits.new_tensor([row.temperature for row in rows])[:, None]
    share = torch.softmax((logits / scale).double(), dim=-1)
    nucleus = [1.0 if row.ask.top_p is None else row.ask.top_p for row in rows]
    if min(nucleus) < 1.0:
        ordered, order = share.sort(dim=-1, descending=True)
        before = ordered.cumsum(dim=-1) - ordered
        ordered[before >= ordered.new_tensor(nucleus)[:, None]] = 0.0
        share = torch.zeros_like(share).scatter(-1, order, ordered)
    summed = share.cumsum(dim=-1)
    level = summed.new_tensor([row.draw.random() for row in rows])[:, None] * summed[:, -1:]
    return (summed <= level).sum(dim=-1).clamp(max=logits.shape[-1] - 1)


def _end_tokens(module: Any, tokenizer: Any) -> frozenset[int]:
    """Tokens that end a reply, as the model's generation settings and its tokenizer name them."""
    settings = getattr(module, "generation_config", None)
    known = getattr(settings, "eos_token_id", None)
    ends = {known} if isinstance(known, int) else set(known or ())
    return frozenset(ends | {tokenizer.eos_token_id} - {None})


def _no_memory(tokens: int) -> CallFailed:
    return CallFailed(
        Reason.SERVER_ERROR,
        f"out of memory with a single prompt of {tokens} tokens",
        "a smaller type (-M dtype=bfloat16), another device, or more memory",
    )
