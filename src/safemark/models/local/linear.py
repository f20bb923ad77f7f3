"""Matrix products on a CPU in float32 through oneDNN.

Torch takes MKL's kernels there, which on AMD processors reach half the rate of oneDNN's (105
against 230 GFLOP/s on one core of a Zen 5). Weights are read as they are at each call, so that who
changes them is heard; grouping them for the kernel costs a few percent.
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


class _Products(TorchFunctionMode):
    """Sends `linear` to oneDNN, in this thread."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is functional.linear and not kwargs and _suits(*args):
            return product(*args)
        return func(*args, **(kwargs or {}))


def fast_products(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[Any]:
    """A block in which matrix products use the fastest kernel that gives the same numbers.

    For forward passes without gradients.
    """
    if device.type == "cpu" and dtype == torch.float32 and works():
        return _Products()
    return nullcontext()


def _suits(given: Tensor, weight: Tensor, bias: Tensor | None = None) -> bool:
    tensors = (given, weight) if bias is None else (given, weight, bias)
    # over gaps between a weight's rows oneDNN takes hundreds of times as long
    return weight.dim() == 2 and weight.is_contiguous() and all(map(is_float_here, tensors))


def is_float_here(one: Tensor) -> bool:
    """A plain float32 tensor in main memory."""
    return (
        type(one) in (Tensor, torch.nn.Parameter)
        and one.dtype == torch.float32
        and one.device.type == "cpu"
    )


def product(given: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``given`` (…, in) times ``weight`` (out, in) turned over, plus ``bias`` (out)."""
    kernel = torch.ops.mkldnn._linear_pointwise  # noqa: SLF001  it has no public name
    found: Tensor = kernel(given, weight, bias, "none", [], "")
    return found


@cache
def works() -> bool:
    """Whether this build of torch has the kernel and it gives what `linear` gives."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    draw = torch.Generator().manual_seed(0)
    given, weight = (torch.randn(33, 65, generator=draw) for _ in range(2))
    bias = torch.randn(33, generator=draw)
    try:
        found = product(given, weight, bias)
    except (RuntimeError, AttributeError, NotImplementedError, TypeError):  # an internal operator
        return False
    return bool((found - functional.linear(given, weight, bias)).abs().max() < _CLOSE)
