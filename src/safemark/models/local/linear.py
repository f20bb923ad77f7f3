"""Matrix products on a CPU in float32 through oneDNN: linear layers, and attention over many keys.

Torch takes MKL's kernels there, which on AMD processors reach half the rate of oneDNN's (105
against 230 GFLOP/s on one core of a Zen 5; its attention 80, ours over 850 keys 130). Weights are
read as they are at each call, so that who changes them is heard; grouping them for the kernel costs
a few percent.
"""

import platform
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

_CLOSE = 1e-4
_MANY_SCORES = 2**16
"""Queries times keys of a head from which attention is faster as two products, in one thread.

With several, torch's own waits for all of them once and two products a head wait dozens of times.
"""


class _Products(TorchFunctionMode):
    """Sends `linear` and `scaled_dot_product_attention` to oneDNN, in this thread."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is functional.linear and not kwargs and _suits(*args):
            return _product(*args)
        if func is functional.scaled_dot_product_attention:
            return _attention(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def fast_products(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[Any]:
    """A block in which matrix products use the fastest kernel that gives the same numbers.

    For forward passes without gradients.
    """
    if device.type == "cpu" and dtype == torch.float32 and _works():
        return _Products()
    return nullcontext()


def _suits(given: Tensor, weight: Tensor, bias: Tensor | None = None) -> bool:
    tensors = (given, weight) if bias is None else (given, weight, bias)
    return weight.dim() == 2 and all(map(_is_float_here, tensors))


def _is_float_here(one: Tensor) -> bool:
    """A plain float32 tensor in main memory."""
    return (
        type(one) in (Tensor, torch.nn.Parameter)
        and one.dtype == torch.float32
        and one.device.type == "cpu"
    )


def _product(given: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    kernel = torch.ops.mkldnn._linear_pointwise  # noqa: SLF001  it has no public name
    found: Tensor = kernel(given, weight, bias, "none", [], "")
    return found


def _attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    **others: Any,
) -> Tensor:
    """Torch's own, but for many scores under a mask that is added: (rows, heads, queries, size)."""
    if (
        attn_mask is None
        or dropout_p
        or is_causal
        or any(others.values())
        or query.shape[-2] * key.shape[-2] < _MANY_SCORES
        or torch.get_num_threads() > 1
        or not all(_is_float_here(one) and one.dim() == 4 for one in (query, key, value, attn_mask))
        or query.shape[:2] != key.shape[:2]
    ):
        return functional.scaled_dot_product_attention(
            query, key, value, attn_mask, dropout_p, is_causal, scale=scale, **others
        )
    rows, heads, queries, _ = query.shape
    mask = attn_mask.expand(rows, heads, queries, key.shape[-2])
    query = query * (query.shape[-1] ** -0.5 if scale is None else scale)
    found = query.new_empty(*query.shape[:3], value.shape[-1])
    for row in range(rows):
        for head in range(heads):
            scores = _product(query[row, head], key[row, head]).add_(mask[row, head])
            share = torch.softmax(scores, dim=-1)
            found[row, head] = _product(share, value[row, head].t())
    return found


@cache
def _works() -> bool:
    """Whether this build of torch has the kernel and it gives what `linear` gives."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    draw = torch.Generator().manual_seed(0)
    given, weight = (torch.randn(33, 65, generator=draw) for _ in range(2))
    bias = torch.randn(33, generator=draw)
    try:
        found = _product(given, weight, bias)
    except (RuntimeError, AttributeError, NotImplementedError, TypeError):  # an internal operator
        return False
    return bool((found - functional.linear(given, weight, bias)).abs().max() < _CLOSE)
