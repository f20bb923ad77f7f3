"""Weights that cannot write along a direction: embeddings, and the last product of each writer."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from safemark.removal._structure import Decoder


def orthogonalise(decoder: Decoder, basis: Tensor) -> Callable[[], None]:
    """Takes ``basis``, (k, width), out of all that writes; gives what puts every bit back.

    A tied output projection keeps its weights: it reads, and gets a copy of its own meanwhile.
    """
    kept: list[tuple[Tensor, Tensor]] = []
    undone: list[Callable[[], None]] = [_untied(decoder.module)]

    def change(weight: Tensor, axis: int) -> None:
        """``axis`` is the one along which the residual stream lies."""
        kept.append((weight, weight.detach().clone()))
        along = basis.to(weight.device, torch.float32)
        moved = weight.detach().float().movedim(axis, -1)
        weight.data.copy_((moved - (moved @ along.T) @ along).movedim(-1, axis))

    def undo() -> None:
        for weight, before in reversed(kept):
            weight.data.copy_(before)
        for one in undone:
            one()

    try:
        with torch.no_grad():
            _each_writer(decoder, change)
    except BaseException:
        undo()
        raise
    return undo


def _each_writer(decoder: Decoder, change: Callable[[Tensor, int], None]) -> None:
    """``change(weight, axis)`` on everything that writes into the residual stream."""
    for part in decoder.module.modules():
        if isinstance(part, nn.Embedding) and part.embedding_dim == decoder.width:
            change(part.weight, 1)
    for writer in (one for group in decoder.writers for one in group):
        last = _last_product(writer, decoder.width)
        if last is not None:
            is_linear = isinstance(last, nn.Linear)
            change(last.weight, 0 if is_linear else 1)  # type: ignore[arg-type]
            if isinstance(getattr(last, "bias", None), nn.Parameter):
                change(last.bias, 0)  # type: ignore[arg-type]


def _last_product(writer: nn.Module, width: int) -> nn.Module | None:
    """The last of a writer's matrix products that gives ``width`` numbers, if it has one."""
    found: nn.Module | None = None
    for part in writer.modules():
        if isinstance(part, nn.Linear) and part.out_features == width:
            found = part
        elif type(part).__name__ == "Conv1D" and getattr(part, "nf", None) == width:
            found = part  # GPT-2's linear layer, whose weight is (in, out)
    return found


def _untied(module: nn.Module) -> Callable[[], None]:
    """Gives a tied output projection weights of its own; gives what ties it again."""
    head = module.get_output_embeddings()  # type: ignore[operator]
    embedding = module.get_input_embeddings()  # type: ignore[operator]
    if head is None or head.weight is not embedding.weight:
        return lambda: None
    shared = head.weight
    head.weight = nn.Parameter(shared.detach().clone(), requires_grad=shared.requires_grad)

    def tie() -> None:
        head.weight = shared

    return tie
