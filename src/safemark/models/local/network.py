"""The loaded weights as the rest of the package sees them: one forward pass, few logits.

A language model's largest matrix is its vocabulary projection, and of a text's positions only a
few are read. `Network.logits` therefore lets hooks pick the hidden states that reach the
projection, and those that reach the last layer's feed-forward network, after which no position
sees another; whatever a model does to its logits afterwards (scaling, soft caps) stays its own
code.
"""

import inspect
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from safemark.models.local.linear import fast_products
from safemark.models.local.placement import free_memory

DEFAULT_MAX_LENGTH = 2048
_UNSET_LENGTH = int(1e30)  # what tokenizers say when nobody set a length


@dataclass(slots=True)
class Network:
    """A causal language model ready to be run, on one device or spread over several.

    ``picks`` and ``narrows`` are whether the hooks at the projection and at the last feed-forward
    network give the same logits as the plain forward; `Scorer` turns them off where they do not.
    ``tokens_computed`` counts positions, padding included.
    """

    module: nn.Module
    config: Any
    device: torch.device
    dtype: torch.dtype
    max_length: int
    usual_tokens: Sequence[int]
    picks: bool = True
    narrows: bool = True
    tokens_computed: int = 0
    _parameters: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self._parameters = frozenset(inspect.signature(self.module.forward).parameters)

    @property
    def head(self) -> nn.Module | None:
        """The vocabulary projection."""
        found = self.module.get_output_embeddings()  # type: ignore[operator]
        return found if isinstance(found, nn.Module) else None

    @property
    def last_feed_forward(self) -> nn.Module | None:
        """The last layer's, where it is found by the usual names."""
        for part in getattr(self.module, "base_model", self.module).children():
            if isinstance(part, nn.ModuleList) and len(part) == self.config.num_hidden_layers:
                found = getattr(part[-1], "mlp", None)
                return found if isinstance(found, nn.Module) else None
        return None

    @property
    def vocabulary(self) -> int:
        """Columns of the logits."""
        return int(self.config.vocab_size)

    def logits(self, read: Sequence[int] | None, ids: Tensor, **inputs: Any) -> Tensor:
        """Logits, float32, (positions, vocabulary), at flat positions ``read`` of ``ids`` (or all).

        Positions count through the batch row by row.
        """
        self.tokens_computed += ids.numel()
        inputs = {key: value for key, value in inputs.items() if value is not None}
        at = None if read is None else torch.tensor(read, device=self.device)
        head = self.head if self.picks else None
        if at is None or head is None:
            found = self._forward(ids, inputs).flatten(0, 1)
            return (found if at is None else found[at.to(found.device)]).float()

        caller = threading.get_ident()

        def pick(_: nn.Module, hidden: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            if threading.get_ident() != caller:  # another's forward of the same module
                return hidden
            flat = hidden[0].flatten(0, 1)
            return (flat.index_select(0, at.to(flat.device))[None], *hidden[1:])

        def put_back(_: nn.Module, __: tuple[Tensor, ...], found: Tensor) -> Tensor:
            if threading.get_ident() != caller:
                return found
            whole = found.new_zeros(ids.numel(), found.shape[-1])
            whole[at.to(found.device)] = found[0]
            return whole.view(*ids.shape, -1)

        hooks = [head.register_forward_pre_hook(pick)]
        last = self.last_feed_forward if self.narrows and len(at) < ids.numel() else None
        if last is not None:
            hooks += [last.register_forward_pre_hook(pick), last.register_forward_hook(put_back)]
        try:
            return self._forward(ids, inputs)[0].float()
        finally:
            for hook in hooks:
                hook.remove()

    def _forward(self, ids: Tensor, inputs: Mapping[str, Any]) -> Tensor:
        given = {"use_cache": inputs.get("past_key_values") is not None, **inputs}
        for name in ("use_cache", "position_ids"):  # what some architectures do without
            if name not in self._parameters:
                given.pop(name, None)
        with fast_products(self.device, self.dtype):
            output = self.module(input_ids=ids, **given)
        logits: Tensor = output.logits
        return logits

    def tensor(self, values: Any) -> Tensor:
        """``values`` on the model's device."""
        return torch.as_tensor(values, device=self.device)

    def cache_bytes_per_token(self) -> int:
        """Bytes of keys and values that one position of one row takes."""
        config = self.config
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
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


def is_out_of_memory(error: Exception) -> bool:
    """Whether ``error`` is the allocator's, on any device."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and (
        "not enough memory" in text or "can't allocate memory" in text or "out of memory" in text
    )
