"""Replies from local weights: batches of prompts, one token a step, rows leaving as they end.

A row's tokens depend on its prompt and its `Ask` alone: sampling draws from a generator seeded
with (seed, draw, prompt), never from one that the batch shares. What the arithmetic does to a
batch (rounding) remains; on CPU in float32 it is about 1e-6 per logit.
"""

import hashlib
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache

from safemark.errors import CallFailed
from safemark.models.local.gather import Deliver, Wanted
from safemark.models.local.network import Network, is_out_of_memory
from safemark.models.local.prompts import Prompt, Prompts, without_thinking
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


class Generator:
    """Generates replies on one network.

    ``batch_size`` is the most rows in one forward pass. ``notes`` says what this model does not
    allow; whether it stands left padding and a key-value cache is found out by trying.
    """

    def __init__(self, network: Network, prompts: Prompts, batch_size: int) -> None:
        self.network = network
        self.prompts = prompts
        self.notes: tuple[str, ...] = ()
        self._batch_size = batch_size
        self._ends = prompts.turn_ends() | _end_tokens(network.module, prompts.tokenizer)
        self._caches = self._pads = True
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

        for batch in self._batches(rows):
            self._generate_within_memory(batch, settle, still)

    def _row(self, index: int, job: Conversation) -> _Row:
        ask = job.ask
        prompt = self.prompts.prompt(job.messages, ask.system, ask.prefill)
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

    def _batches(self, rows: Sequence[_Row]) -> Iterator[list[_Row]]:
        """Prompts of like length together, within the batch size and half the free memory."""
        per_token = self.network.cache_bytes_per_token()
        fitting = self.network.free_bytes() // 2 // max(1, per_token)
        batch: list[_Row] = []
        for row in sorted(rows, key=lambda row: (len(row.prompt.tokens), row.prompt.tokens)):
            longest = max((r.limit for r in (*batch, row)), default=0) + len(row.prompt.tokens)
            ragged = batch and len(batch[0].prompt.tokens) != len(row.prompt.tokens)
            full = len(batch) >= self._batch_size or (len(batch) + 1) * longest > fitting
            if batch and (full or (ragged and not self._pads)):
                yield batch
                batch = []
            batch.append(row)
        if batch:
            yield batch

    def _generate_within_memory(
        self,
        batch: Sequence[_Row],
        settle: Callable[[_Row, Reply | CallFailed], None],
        still: Callable[[_Row], bool],
    ) -> None:
        """Halves the batch until it fits; what does not fit alone fails."""
        waiting = [list(batch)]
        while waiting:
            rows = waiting.pop()
            settled: set[int] = set()

            def done(row: _Row, outcome: Reply | CallFailed, settled: set[int] = settled) -> None:
                settled.add(row.index)
                settle(row, outcome)

            try:
                self._generate(rows, done, still)
                continue
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
            left = [row for row in rows if row.index not in settled]
            if len(left) == 1 and len(rows) == 1:
                done(left[0], _no_memory(len(left[0].prompt.tokens)))
                continue
            self._batch_size = max(1, len(rows) // 2)
            half = max(1, len(left) // 2)
            waiting += [part for part in (left[half:], left[:half]) if part]

    @torch.inference_mode()
    def _generate(
        self,
        rows: Sequence[_Row],
        settle: Callable[[_Row, Reply | CallFailed], None],
        still: Callable[[_Row], bool],
    ) -> None:
        for row in rows:
            row.restart()
            if row.limit <= 0:
                settle(row, self._reply(row, "length"))
        live = [row for row in rows if row.limit > 0 and still(row)]
        if not live:
            return
        steps = _Steps(self.network, [row.prompt.tokens for row in live], caches=self._caches)
        logits = steps.begin()
        while True:
            keep = []
            for line, token in enumerate(_chosen(live, logits)):
                row = live[line]
                outcome = self._advanced(row, token)
                if outcome is not None:
                    settle(row, outcome)
                elif still(row):
                    keep.append(line)
            live = [live[line] for line in keep]
            if not live:
                return
            logits = steps.go_on(keep, [row.new[-1] for row in live])

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
        if stops and any(stop in self.prompts.decoded(row.new) for stop in stops):
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
        """Tries cache and padding on two short prompts against plain forwards."""
        usual = self.network.usual_tokens
        draw = random.Random(0)
        short, long = ([draw.choice(usual) for _ in range(count)] for count in (5, 9))
        allowed = TOLERANCE if self.network.dtype == torch.float32 else 0.5
        if self._distance([short, long]) <= allowed:
            return
        self._pads = False
        if max(self._distance([short]), self._distance([long])) <= allowed:
            self.notes = ("generation without padding: padded prompts give other logits",)
            return
        self._caches = False
        self.notes = ("generation without a key-value cache: cached steps give other logits",)

    @torch.inference_mode()
    def _distance(self, prompts: Sequence[list[int]]) -> float:
        """Largest distance of two cached, padded steps from plain forwards of one prompt."""
        follow = self.network.usual_tokens[0]
        worst = 0.0
        try:
            steps = _Steps(self.network, prompts, caches=True)
            found = [steps.begin(), steps.go_on(list(range(len(prompts))), [follow] * len(prompts))]
        except Exception as error:  # a model may refuse a cache in any way it likes
            if is_out_of_memory(error):
                raise
            return math.inf
        for line, prompt in enumerate(prompts):
            right = self.network.logits(None, self.network.tensor([[*prompt, follow]]))[-2:]
            for logits, expected in zip(found, right, strict=True):
                gap = float((logits[line] - expected).abs().max())
                worst = max(worst, 0.0 if math.isnan(gap) else gap)  # NaN: nothing to compare
        return worst


class _Steps:
    """The forward passes of one batch: the prompts once, then a token per row and step.

    Equal prompts are computed once and their keys and values repeated.
    """

    def __init__(self, network: Network, prompts: Sequence[Sequence[int]], *, caches: bool) -> None:
        self._network = network
        self._prompts = [list(prompt) for prompt in prompts]
        self._cache: DynamicCache | None = None
        self._mask = torch.empty(0)
        if caches:
            self._cache = DynamicCache(config=network.config)

    def begin(self) -> Tensor:
        """Logits after each prompt, (rows, vocabulary)."""
        if self._cache is None:
            return self._anew()
        unique = list(dict.fromkeys(map(tuple, self._prompts)))
        width = max(map(len, unique))
        ids = torch.zeros(len(unique), width, dtype=torch.long)
        mask = torch.zeros(len(unique), width, dtype=torch.long)
        for line, prompt in enumerate(unique):
            ids[line, width - len(prompt) :] = torch.tensor(prompt)
            mask[line, width - len(prompt) :] = 1
        last = [line * width + width - 1 for line in range(len(unique))]
        self._mask = mask.to(self._network.device)
        logits = self._logits(last, ids, (mask.cumsum(-1) - 1).clamp(min=0))
        lines = [unique.index(tuple(prompt)) for prompt in self._prompts]
        if lines != list(range(len(unique))):
            logits = logits[self._keep(self._cache, lines)]
        return logits

    def go_on(self, keep: Sequence[int], tokens: Sequence[int]) -> Tensor:
        """Logits after one more token in each row of ``keep``; the other rows are gone."""
        everyone = len(keep) == len(self._prompts)
        self._prompts = [
            [*self._prompts[line], token] for line, token in zip(keep, tokens, strict=True)
        ]
        if self._cache is None:
            return self._anew()
        if not everyone:
            self._keep(self._cache, keep)
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(tokens), 1)], dim=-1)
        position = torch.tensor([[len(prompt) - 1] for prompt in self._prompts])
        ids = torch.tensor([[token] for token in tokens])
        return self._logits(list(range(len(tokens))), ids, position)

    def _logits(self, read: Sequence[int], ids: Tensor, position: Tensor) -> Tensor:
        return self._network.logits(
            read,
            ids.to(self._network.device),
            attention_mask=self._mask,
            position_ids=position.to(self._network.device),
            past_key_values=self._cache,
        )

    def _keep(self, cache: DynamicCache, lines: Sequence[int]) -> Tensor:
        chosen = self._network.tensor(list(lines))
        cache.batch_select_indices(chosen)
        self._mask = self._mask[chosen]
        return chosen

    def _anew(self) -> Tensor:
        """Every row from its beginning and by itself: slow, and right for any model."""
        rows = [
            self._network.logits([len(prompt) - 1], self._network.tensor([prompt]))
            for prompt in self._prompts
        ]
        return torch.cat(rows)


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
