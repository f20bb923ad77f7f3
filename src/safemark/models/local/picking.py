"""Hooks that let only the positions that are read reach the largest matrices of a forward pass.

Several threads may run the same module, each with positions of its own.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


@dataclass(frozen=True, slots=True)
class Read:
    """What one thread reads of its forward pass: flat positions ``at`` of a batch of ``shape``.

    ``narrows`` is whether the last layer's parts are spared the others as well as the head.
    """

    at: Tensor
    shape: torch.Size
    narrows: bool


class Picking:
    """The hooks of one module, there for as long as a thread reads."""

    def __init__(self) -> None:
        self._mine = threading.local()
        self._lock = threading.Lock()
        self._readers = 0
        self._hooks: list[RemovableHandle] = []

    @contextmanager
    def reading(self, read: Read, head: nn.Module, last: Sequence[nn.Module]) -> Iterator[None]:
        """In this thread, a forward pass gives the logits (1, positions, vocabulary) of ``read``.

        ``head`` is the projection, ``last`` are the parts of which no position needs another's.
        """
        with self._lock:  # torch walks over a module's hooks while it runs: none may come or go
            self._readers += 1
            if self._readers == 1:
                self._hooks = self._registered(head, last)
        self._mine.read = read
        try:
            yield
        finally:
            self._mine.read = None
            with self._lock:
                self._readers -= 1
                while self._hooks and not self._readers:
                    self._hooks.pop().remove()

    def _registered(self, head: nn.Module, last: Sequence[nn.Module]) -> list[RemovableHandle]:
        def here() -> Read | None:
            return getattr(self._mine, "read", None)

        def pick(part: nn.Module, hidden: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
            read = here()
            if read is None or not (read.narrows or part is head):
                return None
            flat = hidden[0].flatten(0, 1)
            return (flat.index_select(0, read.at.to(flat.device))[None], *hidden[1:])

        def put_back(_: nn.Module, __: tuple[Tensor, ...], found: Tensor) -> Tensor | None:
            read = here()
            if read is None or not read.narrows:
                return None
            whole = found.new_zeros(read.shape.numel(), found.shape[-1])
            whole[read.at.to(found.device)] = found[0]
            return whole.view(*read.shape, -1)

        hooks = [head.register_forward_pre_hook(pick)]
        for part in last:
            hooks.append(part.register_forward_pre_hook(pick))
            hooks.append(part.register_forward_hook(put_back))
        return hooks
