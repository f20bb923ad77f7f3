"""The loaded weights as the rest of the package sees them: one forward pass, few logits.

A language model's largest matrix is its vocabulary projection, and of a text's positions only a
few are read. `Network.logits` therefore lets hooks (`picking`) pick the hidden states that reach
the projection, and those that reach the last layer's parts after which no position sees another:
of the others, only keys and values are looked at. Whatever a model does to its logits afterwards
(scaling, soft caps) stays its own code.
"""

import inspect
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from safemark.errors import CallFailed
from safemark.models.local.linear import Grouped, fast_products
from safemark.models.local.picking import Picking, Read
from safemark.models.local.placement import free_memory
from safemark.models.local.workers import allowed, using
from safemark.types import Reason

DEFAULT_MAX_LENGTH = 2048
OPERATIONS_A_THREAD = 2 * 10**9
BYTES_A_THREAD = 10**8
"""What is multiplied, and of weights read, in 10 ms: on a busy machine threads wait that long."""

GROUPED_SHARE = 4
"""Weights are kept a second time, as products read them, in at most a quarter of what is free."""

_NO_MEMORY = (
    "not enough memory",
    "can't allocate memory",
    "out of memory",
    "could not create a primitive",  # oneDNN's, which does not say why
    "could not create a memory object",
)
_UNSET_LENGTH = int(1e30)  # what tokenizers say when nobody set a length


@dataclass(slots=True)
class Network:
    """A causal language model ready to be run, on one device or spread over several.

    ``picks`` and ``narrows`` are whether the hooks at the projection and in the last layer give the
    same logits as the plain forward; `Scorer` turns them off where they do not.
    ``attends`` is whether `attention` is the model's. ``threads`` are those that torch had when it
    was loaded. ``tokens_computed`` counts positions, padding included.
    """

    module: nn.Module
    config: Any
    device: torch.device
    dtype: torch.dtype
    max_length: int
    usual_tokens: Sequence[int]
    picks: bool = True
    narrows: bool = True
    attends: bool = False
    tokens_computed: int = 0
    threads: int = field(default_factory=torch.get_num_threads)
    _parameters: frozenset[str] = frozenset()
    _multiplied: int = 0
    _grouped: Grouped | None = None
    _picking: Picking = field(default_factory=Picking)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._parameters = frozenset(inspect.signature(self.module.forward).parameters)
        self._multiplied = sum(one.numel() for one in self.module.parameters() if one.dim() > 1)

    @property
    def head(self) -> nn.Module | None:
        """The vocabulary projection."""
        found = self.module.get_output_embeddings()  # type: ignore[operator]
        return found if isinstance(found, nn.Module) else None

    @property
    def read_alone(self) -> list[nn.Module]:
        """The last layer's parts of which no position needs another's, by the usual names."""
        for part in getattr(self.module, "base_model", self.module).children():
            if isinstance(part, nn.ModuleList) and len(part) == self.config.num_hidden_layers:
                attention = getattr(part[-1], "self_attn", None)
                found = [getattr(attention, name, None) for name in ("q_proj", "o_proj")]
                found.append(getattr(part[-1], "mlp", None))
                return [one for one in found if isinstance(one, nn.Module)]
        return []

    @property
    def vocabulary(self) -> int:
        """Columns of the logits."""
        return int(self.config.vocab_size)

    def check(self, tokens: Sequence[int]) -> None:
        """One token without an embedding would break the whole pass that it is in.

        Raises:
            CallFailed: there is one.
        """
        if max(tokens, default=0) >= self.vocabulary:
            raise CallFailed(
                Reason.UNSUPPORTED,
                f"the tokenizer gives token {max(tokens)}, the model knows {self.vocabulary}",
                "does the tokenizer belong to the model?",
            )

    def logits(self, read: Sequence[int] | None, ids: Tensor, **inputs: Any) -> Tensor:
        """Logits, float32, (positions, vocabulary), at flat positions ``read`` of ``ids`` (or all).

        Positions count through the batch row by row.
        """
        with self._lock:
            self.tokens_computed += ids.numel()
        inputs = {key: value for key, value in inputs.items() if value is not None}
        at = None if read is None else torch.tensor(read, device=self.device)
        head = self.head if self.picks else None
        if at is None or head is None:
            found = self._forward(ids, inputs).flatten(0, 1)
            return (found if at is None else found[at.to(found.device)]).float()

        narrows = self.narrows and len(at) < ids.numel()
        reading = Read(at, ids.shape, narrows)
        with self._picking.reading(reading, head, self.read_alone):
            return self._forward(ids, inputs)[0].float()

    def _forward(self, ids: Tensor, inputs: Mapping[str, Any]) -> Tensor:
        given = {"use_cache": inputs.get("past_key_values") is not None, **inputs}
        for name in ("use_cache", "position_ids"):  # what some architectures do without
            if name not in self._parameters:
                given.pop(name, None)
        with self._threads(ids), fast_products(self.device, self.dtype, self._grouped):
            output = self.module(input_ids=ids, **given)
        logits: Tensor = output.logits
        return logits

    @contextmanager
    def steady(self) -> Iterator[None]:
        """A block in which nobody changes the weights: what passes prepare of them is kept."""
        if self._grouped is not None:
            yield
            return
        self._grouped = Grouped(self.free_bytes() // GROUPED_SHARE)
        try:
            yield
        finally:
            self._grouped = None

    def _threads(self, ids: Tensor) -> AbstractContextManager[None]:
        """As many threads as the pass is worth: each waits for the others at every operation."""
        if self.device.type != "cpu":
            return nullcontext()
        multiplied = 2 * self._multiplied * ids.numel() // OPERATIONS_A_THREAD
        read = self._multiplied * self.dtype.itemsize // BYTES_A_THREAD
        return using(min(allowed(self.threads), max(1, multiplied, read)))

    def tensor(self, values: Any) -> Tensor:
        """``values`` on the model's device."""
        return torch.as_tensor(values, device=self.device)

    @property
    def heads_a_key_head(self) -> int:
        """Heads that look at the same keys."""
        return int(self.config.num_attention_heads) // self._key_heads

    @property
    def _key_heads(self) -> int:
        fewer = getattr(self.config, "num_key_value_heads", None)
        return int(fewer or self.config.num_attention_heads)

    def cache_bytes_per_token(self) -> int:
        """Bytes of keys and values that one position of one row takes."""
        config, heads = self.config, self._key_heads
        size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        return int(2 * config.num_hidden_layers * heads * size * self.dtype.itemsize)

    def free_bytes(self) -> int:
        """Memory that is free now on the model's device."""
        if self.device.type == "cuda":
            return int(torch.cuda.mem_get_info(self.device)[0])
        return free_memory()


def longest_text(config: Any, tokenizer: Any) -> int:
    """Tokens that the model can look at, as lm-evaluation-harness finds it."""
    for name in ("n_positions", "max_position_embeddings", "n_ctx"):
        if (value := getattr(config, name, None)) is not None:
            return int(value)
    length = getattr(tokenizer, "model_max_length", None)
    return int(length) if length is not None and length < _UNSET_LENGTH else DEFAULT_MAX_LENGTH


def window(config: Any) -> int | None:
    """The sliding window, where a layer has one."""
    kinds = getattr(config, "layer_types", None)
    if kinds is not None and "sliding_attention" not in kinds:
        return None
    if kinds is None and getattr(config, "use_sliding_window", True) is False:
        return None
    tokens = getattr(config, "sliding_window", None)
    return int(tokens) if tokens else None


def is_out_of_memory(error: Exception) -> bool:
    """Whether ``error`` is the allocator's, on any device."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and any(words in text for words in _NO_MEMORY)
