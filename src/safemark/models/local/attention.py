"""Attention on a CPU in float32, as two products a row and head through oneDNN.

Registered with transformers, which calls it in every layer. It knows of a forward pass what a mask
does not say cheaply: which keys a stretch of a packed row can see at all (`Spans`), and which keys
and values several rows have in common (`Prefix`). Whatever it has no use for goes to torch's own.

Shapes: queries (rows, heads, positions, size), keys and values (rows, key heads, positions, size);
neighbouring heads share a key head.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any, TypeAlias

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from safemark.models.local.linear import is_float_here, product, works
from safemark.models.local.network import Network, window
from safemark.models.local.workers import using

NAME = "safemark"
FEWEST_SCORES = 2**13
"""Queries times keys of a key head, below which torch's own kernel is as fast."""

STRETCH = 512
"""Queries times heads a key head that are multiplied at once."""

_CLOSE = 1e-4

TRIED = 128
"""Tokens of the text on which both are compared."""

ROUNDED = 64
"""To what the first key is rounded down: oneDNN builds a kernel for each shape, in half a ms."""

Span: TypeAlias = tuple[int, int, int]
"""Positions from, to, and one of the row before which none of them sees any."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """Keys and values, (key heads, positions, size), of what the texts of ``rows`` begin with."""

    rows: Tensor
    keys: Tensor
    values: Tensor


@dataclass(frozen=True, slots=True)
class Known:
    """What a forward pass knows of its rows.

    ``spans`` cut each row into stretches. ``always`` is how many keys before the row every position
    sees. ``read`` are the positions of each row that somebody looks at after the layer ``last``.
    ``prefixes`` are each layer's, and are not among the keys that the layer is given.
    """

    spans: Sequence[Sequence[Span]] = ()
    always: int = 0
    read: Sequence[Sequence[int]] = ()
    last: int = -1
    prefixes: Mapping[int, Sequence[Prefix]] = field(default_factory=dict)


_here = threading.local()


def take_over(network: Network) -> None:
    """Makes `attend` the network's attention in place of torch's, where it gives the same numbers.

    ``network.attends`` says whether it is now.
    """
    module: Any = network.module
    suits = network.device.type == "cpu" and network.dtype == torch.float32 and works()
    if not suits or getattr(module.config, "_attn_implementation", None) != "sdpa":
        return
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    reach = window(network.config) or TRIED
    text = [*islice(cycle(network.usual_tokens), min(TRIED, network.max_length, reach))]
    right = _plain(network, text)
    module.set_attn_implementation(NAME)
    if module.config._attn_implementation != NAME:  # noqa: SLF001  it has no public name
        return
    try:
        found = [_plain(network, text), _masked(network, text)]
    except Exception:  # noqa: BLE001  a model may refuse a 4-D mask in any way it likes
        found = []
    network.attends = bool(found) and all((one - right).abs().max() <= _CLOSE for one in found)
    if not network.attends:
        module.set_attn_implementation("sdpa")


@torch.inference_mode()
def _plain(network: Network, text: Sequence[int]) -> Tensor:
    """Logits of a text, the model's own code making the mask."""
    return network.logits(None, network.tensor([text]))


@torch.inference_mode()
def _masked(network: Network, text: Sequence[int]) -> Tensor:
    """The same under a mask of ours, in stretches."""
    length = len(text)
    mask = torch.full((1, 1, length, length), torch.finfo(torch.float32).min).triu(1)
    known = Known([spans([length] * length, network.heads_a_key_head)])
    with knowing(known), using(1):
        ids, places = network.tensor([text]), torch.arange(length)[None]
        return network.logits(None, ids, attention_mask=mask, position_ids=places)


@contextmanager
def knowing(known: Known) -> Iterator[None]:
    """A block in which this thread's forward passes are over rows of which that is known."""
    _here.known = known
    try:
        yield
    finally:
        _here.known = None


def spans(ends: Sequence[int], heads: int) -> list[Span]:
    """Stretches of a packed row, of as many positions as suit ``heads`` heads a key head.

    Position ``i`` is an ancestor of ``i`` … ``ends[i] - 1``, and of no other.
    """
    length = max(64, STRETCH // heads)
    return [
        (begin, min(begin + length, len(ends)), _first_seen(ends, begin) // ROUNDED * ROUNDED)
        for begin in range(0, len(ends), length)
    ]


def _first_seen(ends: Sequence[int], position: int) -> int:
    return next(at for at in range(position + 1) if ends[at] > position)


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """One layer's attention, (rows, positions, heads, size), as transformers' functions give it."""
    known: Known = getattr(_here, "known", None) or Known()
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    if known.prefixes:
        prefixes = known.prefixes[module.layer_idx]
        return _after_prefixes(query * scale, key, value, attention_mask, prefixes), None
    if (
        attention_mask is None
        or others.get("dropout")
        or others.get("position_bias") is not None
        or others.get("softcap") is not None
        or attention_mask.shape[1] != 1
        or query.shape[2] * (query.shape[1] // key.shape[1]) * key.shape[2] < FEWEST_SCORES
        or torch.get_num_threads() > 1  # torch's own waits for all of them once, and we for each
        or not torch.is_inference_mode_enabled()
        or not all(map(is_float_here, (query, key, value, attention_mask)))
    ):
        found: tuple[Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **others
        )
        return found
    if known.read and known.last == getattr(module, "layer_idx", None):
        return _of_read(query * scale, key, value, attention_mask, known.read), None
    return _in_stretches(query * scale, key, value, attention_mask, known), None


def _in_stretches(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, known: Known) -> Tensor:
    """Two products for each row, key head and stretch; ``query`` is scaled."""
    rows, heads, positions, _ = query.shape
    shared, before = heads // key.shape[1], key.shape[2] - positions
    found = query.new_empty(rows, positions, heads, value.shape[-1])
    key, value = key.contiguous(), value.contiguous()  # oneDNN crawls over gaps between rows
    for row in range(rows):
        stretches = known.spans[row] if known.spans else [(0, positions, 0)]
        found[row, stretches[-1][1] :] = 0.0  # padding
        for begin, end, first in stretches:
            seen = slice(0 if before else first, before + end)
            added = mask[row, 0, begin:end, max(known.always, seen.start) : seen.stop]
            for group in range(key.shape[1]):
                mine = slice(group * shared, (group + 1) * shared)
                found[row, begin:end, mine] = _of_stretch(
                    query[row, mine, begin:end],
                    key[row, group, seen],
                    value[row, group, seen],
                    added,
                )
    return found


def _of_read(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor, read: Sequence[Sequence[int]]
) -> Tensor:
    """The same at the positions that are read; zeros at the others."""
    rows, heads, positions, _ = query.shape
    shared = heads // key.shape[1]
    found = query.new_zeros(rows, positions, heads, value.shape[-1])
    key, value = key.contiguous(), value.contiguous()
    for row, columns in enumerate(read):
        if not columns:
            continue
        asked, added = query[row][:, columns], mask[row, 0, columns]
        for group in range(key.shape[1]):
            mine = slice(group * shared, (group + 1) * shared)
            part = _of_stretch(asked[mine], key[row, group], value[row, group], added)
            found[row, columns, mine] = part
    return found


def _of_stretch(query: Tensor, key: Tensor, value: Tensor, added: Tensor) -> Tensor:
    """(positions, heads, size) of the heads of one key head.

    ``added`` (positions, last keys) is the mask of the last keys; those before are seen by all.
    """
    heads, positions, _ = query.shape
    scores = product(query.flatten(0, 1), key)
    scores.view(heads, positions, -1)[..., len(key) - added.shape[-1] :].add_(added)
    seen = product(torch.softmax(scores, dim=-1), value.t())
    return seen.view(heads, positions, -1).transpose(0, 1)


def _after_prefixes(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, prefixes: Sequence[Prefix]
) -> Tensor:
    """One query a row: over its own keys, and over a prefix's that is read once for all its rows.

    Source: Juravsky et al. 2024, Hydragen, section 3.1: parts are joined by their sums of weights.
    """
    rows, heads, positions, size = query.shape
    asked = query.reshape(rows, key.shape[1], -1, size)
    scores = torch.matmul(asked, key.transpose(-1, -2))
    if mask is not None:
        scores = scores + mask
    top = scores.amax(dim=-1, keepdim=True)
    weights = torch.exp(scores - top)
    total = weights.sum(dim=-1, keepdim=True)
    seen = torch.matmul(weights, value)
    for prefix in prefixes:
        mine = asked[prefix.rows].transpose(0, 1).flatten(1, 2)
        scores = torch.bmm(mine, prefix.keys.transpose(-1, -2))
        highest = scores.amax(dim=-1, keepdim=True)
        weights = torch.exp(scores - highest)
        parts = (highest, weights.sum(dim=-1, keepdim=True), torch.bmm(weights, prefix.values))
        highest, more, added = (
            part.unflatten(1, (len(prefix.rows), -1)).transpose(0, 1) for part in parts
        )
        old = top[prefix.rows]
        new = torch.maximum(old, highest)
        kept, joined = torch.exp(old - new), torch.exp(highest - new)
        total[prefix.rows] = total[prefix.rows] * kept + more * joined
        seen[prefix.rows] = seen[prefix.rows] * kept + added * joined
        top[prefix.rows] = new
    return (seen / total).reshape(rows, heads, positions, -1).transpose(1, 2)
