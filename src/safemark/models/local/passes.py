"""One pass over a plan of the prefix tree: masks, trunk caches, forward passes, logits read.

Masks are additive floats: a bool mask under eager attention is silently wrong (transformers 5.23).
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache, DynamicLayer

from safemark.models.local import workers
from safemark.models.local.attention import Known, knowing, spans
from safemark.models.local.network import Network, window
from safemark.models.local.tree import PrefixTree, Row, Trunk, batches, depths, sight
from safemark.models.local.workers import Job

MOST_LOGITS = 2**26
"""Logits held at once (256 MB of float32)."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much goes into one forward pass: tokens (padding included) and rows."""

    tokens: int
    rows: int = 4096

    def halved(self) -> "Budget | None":
        """Half of it, or None when it cannot usefully get smaller."""
        return replace(self, tokens=self.tokens // 2) if self.tokens >= 64 else None


Keep = Callable[[Sequence[Row], DynamicCache, int], None]
"""Gets the rows of a forward, the cache with their keys and values, and how many positions of the
trunk come before theirs."""


class Pass:
    """One pass over a plan: computes trunks and rows, hands logits to ``read``.

    ``keep``, where given, sees the keys and values of every row. All three functions are called
    from several threads.
    """

    def __init__(
        self,
        network: Network,
        tree: PrefixTree,
        budget: Budget,
        read: Callable[[Sequence[int], Tensor], None],
        is_wanted: Callable[[Iterable[int]], bool],
        *,
        shares: bool,
        keep: Keep | None = None,
    ) -> None:
        self.network = network
        self.tree = tree
        self.budget = budget
        self.read = read
        self.is_wanted = is_wanted
        self.shares = shares
        self.keep = keep
        self._workers = workers.fitting(network.device, network.threads)
        self._done: set[int] = set()
        self._lock = threading.Lock()

    def run(self, plan: Trunk) -> None:
        """Computes the whole plan, as many passes side by side as the machine has use for.

        A trunk's keys and values are dropped when what hangs from it is computed.
        """
        workers.run([partial(self._trunk, plan, None)], self._workers, self.network.threads)

    def _trunk(self, trunk: Trunk, above: DynamicCache | None) -> list[Job]:
        """Computes the trunk's own positions; returns what hangs from it."""
        if not self.is_wanted(_nodes_of(trunk)):
            return []
        cache = above
        if trunk.nodes:
            cache = _copied(above, 1, DynamicLayer)
            self._forward([Row(trunk.nodes, [len(trunk.nodes)] * len(trunk.nodes))], cache)
        past = cache.get_seq_length() if cache is not None else 0
        tokens = self.budget.tokens
        cut = batches(
            trunk.rows,
            self.tree,
            tokens=tokens,
            # keys and values of the trunk are repeated for each row
            most_rows=max(1, min(self.budget.rows, 16 * tokens // past if past else 4096)),
            most_read=max(1, MOST_LOGITS // self._workers // self.network.vocabulary),
        )
        return [
            *(partial(self._batch, batch, cache) for batch in cut),
            *(partial(self._trunk, inner, cache) for inner in trunk.trunks),
        ]

    def _batch(self, rows: Sequence[Row], cache: DynamicCache | None) -> list[Job]:
        if self.is_wanted(node for row in rows for node in row.nodes):
            if self.keep is not None:
                cache = _copied(cache, len(rows), DynamicLayer)
            elif cache is not None:
                cache = _copied(cache, len(rows), _PassingLayer)
            self._forward(rows, cache)
        return []

    def _claimed(self, nodes: Iterable[int]) -> set[int]:
        """Those that are to be read and that no other row reads."""
        with self._lock:
            fresh = {node for node in nodes if self.tree.wanted[node]} - self._done
            self._done |= fresh
        return fresh

    @torch.inference_mode()
    def _forward(self, rows: Sequence[Row], cache: DynamicCache | None) -> None:
        width = max(len(row) for row in rows)
        ids = torch.zeros(len(rows), width, dtype=torch.long)
        read: list[list[int]] = []
        for line, row in enumerate(rows):
            ids[line, : len(row)] = torch.tensor([self.tree.tokens[node] for node in row.nodes])
            fresh = self._claimed(row.nodes)
            read.append([column for column, node in enumerate(row.nodes) if node in fresh])
        at = [line * width + column for line, found in enumerate(read) for column in found]
        nodes = [rows[line].nodes[column] for line, found in enumerate(read) for column in found]
        past = cache.get_seq_length() if cache is not None else 0
        inputs: dict[str, Any] = {"past_key_values": cache}
        known = Known()
        if self.shares:
            known = self._known(rows, past, read)
            position = depths(rows, self.tree, width)
            inputs |= {
                "position_ids": self.network.tensor(position),
                "attention_mask": _masks(self.network, rows, position, past, width),
            }
        with knowing(known):
            logits = self.network.logits(at or [0], ids.to(self.network.device), **inputs)
        if nodes:
            self.read(nodes, logits)
        if self.keep is not None and cache is not None:
            self.keep(rows, cache, past)

    def _known(self, rows: Sequence[Row], past: int, read: Sequence[Sequence[int]]) -> Known:
        network = self.network
        if not network.attends:
            return Known()
        heads = network.heads_a_key_head
        return Known(
            spans=[spans(row.ends, heads) for row in rows],
            always=0 if window(network.config) else past,
            read=read if network.picks and network.narrows else (),
            last=network.config.num_hidden_layers - 1,
        )


def _masks(
    network: Network, rows: Sequence[Row], position: Any, past: int, width: int
) -> Tensor | dict[str, Tensor]:
    """Additive masks: ancestors and the trunk are seen, within the window where layers have one."""
    seen = network.tensor(sight(rows, width))
    seen = torch.cat([seen.new_ones(len(rows), width, past), seen], dim=-1)
    near_enough = window(network.config)
    if not near_enough:
        return _additive(seen, network.dtype)
    depth = network.tensor(position)
    keys = torch.cat([torch.arange(past, device=depth.device).expand(len(rows), past), depth], 1)
    near = seen & (depth[:, :, None] - keys[:, None, :] < near_enough)
    kinds = set(getattr(network.config, "layer_types", None) or ["sliding_attention"])
    if kinds == {"sliding_attention"}:
        return _additive(near, network.dtype)
    return {
        "full_attention": _additive(seen, network.dtype),
        "sliding_attention": _additive(near, network.dtype),
    }


def _additive(seen: Tensor, dtype: torch.dtype) -> Tensor:
    mask = torch.zeros(seen.shape, dtype=dtype, device=seen.device)
    return mask.masked_fill_(~seen, torch.finfo(dtype).min)[:, None]


class _PassingLayer(DynamicLayer):  # type: ignore[misc]
    """Keys and values of what comes before a row, which keeps none of the row's own.

    Nobody looks at them after the layer; kept to the end of the pass, they would take as much
    memory as all the rest.
    """

    def update(
        self, key_states: Tensor, value_states: Tensor, *_args: Any, **_kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        keys = torch.cat([self.keys, key_states], dim=-2)
        return keys, torch.cat([self.values, value_states], dim=-2)


def _copied(cache: DynamicCache | None, rows: int, kind: type[DynamicLayer]) -> DynamicCache:
    """A cache that begins with that of the trunk, for ``rows`` rows; the trunk's is left alone.

    Its layers, of a ``kind``, see everything, sliding windows too: our own masks address each
    position.
    """
    copy = DynamicCache()
    for known in cache.layers if cache is not None else ():
        keys, values = known.keys, known.values
        layer = kind()
        layer.lazy_initialization(keys, values)
        layer.keys = keys.expand(rows, -1, -1, -1)
        layer.values = values.expand(rows, -1, -1, -1)
        copy.layers.append(layer)
    return copy


def _nodes_of(trunk: Trunk) -> Iterator[int]:
    yield from trunk.nodes
    for row in trunk.rows:
        yield from row.nodes
    for inner in trunk.trunks:
        yield from _nodes_of(inner)


def probabilities(
    tree: PrefixTree, nodes: Sequence[int], logits: Tensor
) -> Iterator[tuple[int, int, tuple[float, bool]]]:
    """Log-probability of each wanted token at each node, and whether it is the likeliest."""
    steps = [(line, token) for line, node in enumerate(nodes) for token in tree.wanted[node]]
    lines, tokens = (torch.tensor(part, device=logits.device) for part in zip(*steps, strict=True))
    values = torch.log_softmax(logits, dim=-1)[lines, tokens]
    is_top = logits.argmax(dim=-1)[lines] == tokens
    for (line, token), value, top in zip(steps, values.tolist(), is_top.tolist(), strict=True):
        yield nodes[line], token, (value, top)
