"""The forward passes of a batch of replies: prompts once, then a token per row and step.

`Slots` takes new rows while others are under way. `StaticSteps` lets transformers mind masks and
cache by itself, for models that take no masks of ours, and for texts that may outgrow a sliding
window.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache, DynamicLayer

from safemark.models.local.attention import Known, Prefix, knowing
from safemark.models.local.network import Network
from safemark.models.local.passes import Budget, Pass
from safemark.models.local.tree import Packing, PrefixTree, Row, in_common, packed, plain

GROWTH = 64
"""Positions by which a cache grows at once; in between it is written in place."""

LEAST_IN_COMMON = 64
"""Fewer positions cost as much to join as to read again."""

Tokens = Sequence[int]
Text = list[tuple[Tensor, Tensor]]
"""Keys and values of one text, (heads, positions, size), a layer at a time."""


class Steps(Protocol):
    """Rows under way; a row keeps its line until lines are dropped.

    ``refills`` is whether rows may be added while others are under way.
    """

    refills: bool

    def add(self, prompts: Sequence[Tokens]) -> Tensor:
        """Logits after each prompt, (prompts, vocabulary); the new rows come last."""
        ...

    def keep(self, lines: Sequence[int]) -> None:
        """Drops all rows but these."""
        ...

    def go_on(self, tokens: Tokens) -> Tensor:
        """Logits after one more token in each row, (rows, vocabulary)."""
        ...


class Slots:
    """Rows that come and go; what prompts begin with in common is computed once.

    Each row's text ends at the same column, so that a step writes one column for all. Where the
    model's attention is ours, what at least two rows begin with (``least`` tokens or more) is kept
    once, and read once a step for all of them.
    """

    refills = True

    def __init__(
        self, network: Network, budget: Budget, *, shares: bool, least: float = LEAST_IN_COMMON
    ) -> None:
        self._network = network
        self._budget = budget
        self._shares = shares
        self._least = least if network.attends else math.inf
        self._cache = DynamicCache()
        self._begins = torch.empty(0, dtype=torch.long)
        self._length = 0
        self._families: list[_Family] = []
        self._apart: list[int] = []

    def add(self, prompts: Sequence[Tokens]) -> Tensor:
        logits, texts = self._computed(prompts)
        before = len(self._begins)
        apart = self._joined([tuple(prompt) for prompt in prompts], texts)
        own = [len(prompt) - known for prompt, known in zip(prompts, apart, strict=True)]
        first = int(self._begins.min()) if before else self._length
        length = max(self._length - first, *own)  # columns that nobody uses any more go
        cache = DynamicCache()
        for number in range(len(texts[0])):
            known = self._cache.layers[number] if before else None
            layer = _GrowingLayer()
            keys, values = (
                [text[number][part][:, at:] for text, at in zip(texts, apart, strict=True)]
                for part in (0, 1)
            )
            layer.fill(
                _aligned(known and known.keys[..., first:, :], keys, length),
                _aligned(known and known.values[..., first:, :], values, length),
            )
            cache.layers.append(layer)
        moved = self._begins + (length - self._length)
        added = torch.tensor([length - count for count in own])
        self._begins = torch.cat([moved, added])
        self._apart += apart
        self._cache, self._length = cache, length
        return logits

    def _joined(self, prompts: Sequence[tuple[int, ...]], texts: Sequence[Text]) -> list[int]:
        """Puts new rows into families; how many positions of each its family keeps."""
        first, apart = len(self._begins), [0] * len(prompts)
        alone: list[int] = []
        for at, prompt in enumerate(prompts):
            of = next((one for one in self._families if one.begins(prompt)), None)
            if of is None:
                alone.append(at)
            else:
                of.rows.append(first + at)
                apart[at] = len(of.tokens)
        for members, count in in_families([prompts[at] for at in alone], self._least):
            rows = [alone[member] for member in members]
            text = [(keys[:, :count], values[:, :count]) for keys, values in texts[rows[0]]]
            tokens = prompts[rows[0]][:count]
            self._families.append(_Family(tokens, text, [first + row for row in rows]))
            for row in rows:
                apart[row] = count
        return apart

    def _computed(self, prompts: Sequence[Tokens]) -> tuple[Tensor, list[Text]]:
        network, budget = self._network, self._budget
        logits, texts = _prefilled(network, budget, prompts, shares=self._shares)
        for line in logits.isnan().any(dim=-1).nonzero().flatten().tolist():
            # another prompt's NaN passes through a mask: 0 x NaN is NaN
            alone, text = _prefilled(network, budget, [prompts[line]], shares=False)
            logits[line], texts[line] = alone[0], text[0]
        return logits, texts

    def keep(self, lines: Sequence[int]) -> None:
        if len(lines) == len(self._begins):
            return
        self._begins = self._begins[list(lines)]
        self._apart = [self._apart[line] for line in lines]
        places = {line: place for place, line in enumerate(lines)}
        for family in self._families:
            family.rows = [places[row] for row in family.rows if row in places]
        self._families = [family for family in self._families if family.rows]
        if not lines:
            self._cache, self._length = DynamicCache(), 0
            return
        self._cache.batch_select_indices(self._network.tensor(list(lines)))

    def go_on(self, tokens: Tokens) -> Tensor:
        network = self._network
        columns = torch.arange(self._length + 1)
        unseen = columns[None, :] < self._begins[:, None]
        mask = torch.zeros(unseen.shape, dtype=network.dtype)
        mask.masked_fill_(unseen, torch.finfo(network.dtype).min)
        position = (self._length - self._begins + torch.tensor(self._apart))[:, None]
        self._length += 1
        with knowing(Known(prefixes=self._prefixes())):
            return network.logits(
                range(len(tokens)),
                network.tensor([[token] for token in tokens]),
                attention_mask=mask[:, None, None].to(network.device),
                position_ids=position.to(network.device),
                past_key_values=self._cache,
            )

    def _prefixes(self) -> dict[int, list[Prefix]]:
        """What each layer's rows begin with, by its number."""
        if not self._families:
            return {}
        rows = [torch.tensor(family.rows) for family in self._families]
        return {
            layer: [
                Prefix(mine, *family.text[layer])
                for mine, family in zip(rows, self._families, strict=True)
            ]
            for layer in range(len(self._families[0].text))
        }


@dataclass(slots=True)
class _Family:
    """Rows whose prompts begin with the same tokens, whose keys and values are kept once."""

    tokens: tuple[int, ...]
    text: Text
    rows: list[int]

    def begins(self, prompt: tuple[int, ...]) -> bool:
        return prompt[: len(self.tokens)] == self.tokens


def in_families(
    prompts: Sequence[tuple[int, ...]], least: float
) -> Iterator[tuple[list[int], int]]:
    """Prompts, by number, that begin with the same tokens, and with how many.

    Neighbours in alphabetical order stay together as long as that saves more positions.

    >>> list(in_families([(1, 2, 3), (9,), (1, 2, 4), (1, 7)], 2))
    [([0, 2], 2)]
    """
    family: list[int] = []
    count = 0
    for number in sorted(range(len(prompts)), key=lambda at: prompts[at]):
        common = in_common(prompts[family[-1]], prompts[number]) if family else 0
        common = min(common, count)
        if family and common >= least and len(family) * common >= (len(family) - 1) * count:
            family.append(number)
            count = common
            continue
        if len(family) > 1:
            yield family, count
        family, count = [number], len(prompts[number])
    if len(family) > 1:
        yield family, count


class StaticSteps:
    """One batch from beginning to end; equal prompts are computed once.

    Without ``caches`` every row is computed anew at each step: slow, and right for any model.
    """

    refills = False

    def __init__(self, network: Network, *, caches: bool) -> None:
        self._network = network
        self._prompts: list[list[int]] = []
        self._cache = DynamicCache(config=network.config) if caches else None
        self._mask = torch.empty(0)

    def add(self, prompts: Sequence[Tokens]) -> Tensor:
        self._prompts = [list(prompt) for prompt in prompts]
        if self._cache is None:
            return self._anew()
        self._cache = DynamicCache(config=self._network.config)
        unique = list(dict.fromkeys(map(tuple, prompts)))
        width = max(map(len, unique))
        ids = torch.zeros(len(unique), width, dtype=torch.long)
        mask = torch.zeros(len(unique), width, dtype=torch.long)
        for line, prompt in enumerate(unique):
            ids[line, width - len(prompt) :] = torch.tensor(prompt)
            mask[line, width - len(prompt) :] = 1
        last = [line * width + width - 1 for line in range(len(unique))]
        self._mask = mask.to(self._network.device)
        logits = self._logits(last, ids, (mask.cumsum(-1) - 1).clamp(min=0))
        lines = [unique.index(tuple(prompt)) for prompt in prompts]
        if lines == list(range(len(unique))):
            return logits
        return logits[self._choose(self._cache, lines)]

    def keep(self, lines: Sequence[int]) -> None:
        if len(lines) == len(self._prompts):
            return
        self._prompts = [self._prompts[line] for line in lines]
        if self._cache is not None and lines:
            self._choose(self._cache, lines)

    def go_on(self, tokens: Tokens) -> Tensor:
        for prompt, token in zip(self._prompts, tokens, strict=True):
            prompt.append(token)
        if self._cache is None:
            return self._anew()
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(tokens), 1)], dim=-1)
        position = torch.tensor([[len(prompt) - 1] for prompt in self._prompts])
        return self._logits(
            range(len(tokens)), torch.tensor([[token] for token in tokens]), position
        )

    def _logits(self, read: Sequence[int], ids: Tensor, position: Tensor) -> Tensor:
        return self._network.logits(
            read,
            ids.to(self._network.device),
            attention_mask=self._mask,
            position_ids=position.to(self._network.device),
            past_key_values=self._cache,
        )

    def _choose(self, cache: DynamicCache, lines: Sequence[int]) -> Tensor:
        chosen = self._network.tensor(list(lines))
        cache.batch_select_indices(chosen)
        self._mask = self._mask[chosen]
        return chosen

    def _anew(self) -> Tensor:
        rows = [
            self._network.logits([len(prompt) - 1], self._network.tensor([prompt]))
            for prompt in self._prompts
        ]
        return torch.cat(rows)


class _GrowingLayer(DynamicLayer):  # type: ignore[misc]
    """Keys and values, (rows, heads, positions, size), in buffers with room at their end."""

    def fill(self, keys: Tensor, values: Tensor) -> None:
        """Takes these, and makes room behind them."""
        self.lazy_initialization(keys, values)
        self.keys, self.values = keys, values
        self._buffers = (_roomy(keys), _roomy(values))

    def update(
        self, key_states: Tensor, value_states: Tensor, *_args: Any, **_kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        begin = self.keys.shape[-2]
        end = begin + key_states.shape[-2]
        if end > self._buffers[0].shape[-2]:
            self._buffers = (_roomy(self.keys), _roomy(self.values))
        for buffer, states in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[..., begin:end, :] = states
        self.keys, self.values = (buffer[..., :end, :] for buffer in self._buffers)
        return self.keys, self.values

    def batch_select_indices(self, indices: Tensor) -> None:
        chosen = indices.to(self.keys.device)
        self.fill(self.keys[chosen], self.values[chosen])


def _roomy(states: Tensor) -> Tensor:
    room = list(states.shape)
    room[-2] += GROWTH
    buffer = states.new_empty(room)
    buffer[..., : states.shape[-2], :] = states
    return buffer


def _aligned(old: Tensor | None, new: Sequence[Tensor], length: int) -> Tensor:
    """States of old and new rows in one tensor, each ending at column ``length``.

    Zeros stand before a row: they are masked, and a mask times what is not a number is none.
    """
    before = 0 if old is None else len(old)
    heads, _, size = new[0].shape
    states = new[0].new_zeros((before + len(new), heads, length, size))
    if old is not None:
        states[:before, :, length - old.shape[-2] :] = old
    for line, text in enumerate(new, before):
        states[line, :, length - text.shape[-2] :] = text
    return states


def _prefilled(
    network: Network, budget: Budget, prompts: Sequence[Tokens], *, shares: bool
) -> tuple[Tensor, list[Text]]:
    """Logits after each prompt, and its keys and values; each distinct position computed once."""
    tree = PrefixTree()
    ends = [tree.add(prompt, (prompt[-1],))[0] for prompt in prompts]
    logits: dict[int, Tensor] = {}
    texts: dict[int, Text] = {}
    missing = set(ends)

    def read(nodes: Sequence[int], found: Tensor) -> None:
        logits.update(zip(nodes, found, strict=True))

    def keep(rows: Sequence[Row], cache: DynamicCache, past: int) -> None:
        for line, row in enumerate(rows):
            columns = {node: past + column for column, node in enumerate(row.nodes)}
            for node in missing.intersection(columns):
                path = tree.path(node)
                at = [*range(past), *(columns[one] for one in path[past:])]
                chosen = network.tensor(at)
                texts[node] = [
                    (
                        layer.keys[line].index_select(-2, chosen.to(layer.keys.device)),
                        layer.values[line].index_select(-2, chosen.to(layer.keys.device)),
                    )
                    for layer in cache.layers
                ]
                missing.discard(node)

    plan = packed(tree, Packing(row=min(256, budget.tokens))) if shares else plain(tree)
    Pass(network, tree, budget, read, lambda _: True, shares=shares, keep=keep).run(plan)
    return torch.stack([logits[end] for end in ends]), [texts[end] for end in ends]
