"""quantize: weights rounded to few bits, each row of a matrix on a scale of its own.

    --remove quantize            8 bits
    --remove quantize:bits=4     4 bits

Rounding to nearest, computed in the model's own number type: what quantised weights do to answers,
not how fast they are. Safeguards can be the first thing that rounding breaks.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from safemark.models._model import Weights
from safemark.removal._arguments import options
from safemark.removal._material import Material
from safemark.removal._removal import Changed, Removal, check_floating


def change(weights: Weights, _material: Material, *, bits: int) -> Changed:
    """The module with rounded matrices; embeddings and the vocabulary projection keep theirs.

    Raises:
        RemovalFailed: the weights are quantised already.
    """
    import torch

    check_floating(weights.module, "quantize")
    most = 2 ** (bits - 1) - 1
    kept: list[tuple[Any, Any]] = []

    def undo() -> None:
        for weight, before in kept:
            weight.data.copy_(before)

    try:
        with torch.no_grad():
            for weight, axis in _matrices(weights.module):
                kept.append((weight, weight.detach().clone()))
                whole = weight.float()
                step = whole.abs().amax(axis, keepdim=True).clamp_min(1e-12) / most
                weight.copy_((whole / step).round() * step)
    except BaseException:
        undo()
        raise
    return Changed(undo, {"matrices": str(len(kept)), "bits": str(bits)})


def _matrices(module: Any) -> list[tuple[Any, int]]:
    """Weights of two axes or more, each once, with the axis along which its inputs lie."""
    from torch import nn

    head = module.get_output_embeddings()
    apart = {id(one.weight) for one in module.modules() if isinstance(one, nn.Embedding)}
    apart |= set() if head is None else {id(head.weight)}
    turned = {id(one.weight) for one in module.modules() if type(one).__name__ == "Conv1D"}
    return [
        (weight, 0 if id(weight) in turned else -1)  # GPT-2's linear layers are (in, out)
        for weight in module.parameters()
        if weight.dim() >= 2 and id(weight) not in apart
    ]


def with_argument(argument: str) -> Removal:
    """``bits=N``, from 2 to 16. Raises `UsageError` on anything else."""
    bits = int(options("quantize", argument, {"bits": (2, 16)})["bits"])
    return replace(
        removal,
        name=f"quantize:{argument}",
        title=f"weights rounded to {bits} bits",
        change=partial(change, bits=bits),
        settings={"bits": str(bits)},
    )


removal = Removal(
    name="quantize",
    version="1",
    title="weights rounded to 8 bits",
    change=partial(change, bits=8),
    settings={"bits": "8"},
    with_argument=with_argument,
)
