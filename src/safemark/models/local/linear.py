"""Matrix products on a CPU in float32 through oneDNN.

Torch takes MKL's kernels there, which on AMD processors reach half the rate of oneDNN's (105
against 230 GFLOP/s on one core of a Zen 5). The kernel reads weights in groups. It groups them at
each call, so that who changes them is heard, and takes as long for it as for multiplying 16 rows;
who knows that nobody changes them keeps them `Grouped`.
"""

import platform
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

_CLOSE = 1e-4

KEPT_AT = 5
"""At which use a weight is kept in groups: a few passes take no memory for it."""

GROUPED_FOR = 1024
"""Rows that the groups are made for; they are as fast for others."""


class Grouped:
    """Weights as the kernel reads them, in at most ``room`` bytes. Nobody may change them."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._kept: dict[int, tuple[Tensor, Tensor]] = {}
        self._uses: dict[int, int] = {}
        self._lock = threading.Lock()

    def of(self, weight: Tensor) -> Tensor:
        """``weight`` in groups where they are kept, and as it is where they are not."""
        found = self._kept.get(id(weight))
        return found[1] if found is not None else self._used(weight)

    def _used(self, weight: Tensor) -> Tensor:
        with self._lock:
            uses = self._uses[id(weight)] = self._uses.get(id(weight), 0) + 1
            takes = weight.numel() * weight.itemsize
            if uses != KEPT_AT or takes > self._room:
                return weight
            self._room -= takes
        grouped: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight, GROUPED_FOR)  # noqa: SLF001
        self._kept[id(weight)] = (weight, grouped)  # the weight too: its number stays its own
        return grouped


class _Products(TorchFunctionMode):
    """Sends `linear` to oneDNN, in this thread."""

    def __init__(self, grouped: Grouped | None) -> None:
        super().__init__()
        self._grouped = grouped

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is functional.linear and not kwargs and _suits(*args):
            given, weight, *bias = args
            if self._grouped is not None:
                weight = self._grouped.of(weight)
            return product(given, weight, *bias)
        return func(*args, **(kwargs or {}))


def fast_products(
    device: torch.device, dtype: torch.dtype, grouped: Grouped | None = None
) -> AbstractContextManager[Any]:
    """A block in which matrix products use the fastest kernel that gives the same numbers.

    For forward passes without gradients. ``grouped`` keeps weights, where nobody changes them.
    """
    if device.type == "cpu" and dtype == torch.float32 and works():
        return _Products(grouped)
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
    kernel = torch.ops.mkldnn._linear_pointwise.default  # noqa: SLF001  it has no public name
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
