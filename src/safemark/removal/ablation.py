"""ablation: the direction that carries refusal, taken out of everything that is written.

    --remove ablation              by hooks: weights are not touched, leaving restores bit for bit
    --remove ablation:weights      by weights that cannot write along it, put back on leaving
    --remove ablation:directions=2 a second direction, searched for with the first one out
    --remove ablation:random       a control: a random direction

Source: Arditi et al. 2024, arXiv 2406.11717, §2.4 (directional ablation) and §4.1 (weights).
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from safemark.models._model import Weights
from safemark.removal._arguments import options
from safemark.removal._material import Material
from safemark.removal._removal import Changed, Removal, check_floating

if TYPE_CHECKING:
    from torch import Tensor

    from safemark.removal._structure import Decoder


RANDOM = 20_240_617
"""Seed of the random direction."""


def change(
    weights: Weights, material: Material, *, directions: int, in_weights: bool, is_random: bool
) -> Changed:
    """The module without the direction, or several.

    Raises:
        RemovalFailed: no direction is found, or the weights do not do what the hooks do.
    """
    from safemark.removal._structure import Decoder, orthonormal, removing_hooks

    if in_weights:
        check_floating(weights.module, "ablation:weights")
    decoder = Decoder.of(weights.module)
    vectors, found = _found(weights, decoder, material, directions, is_random)
    basis = orthonormal(vectors)
    if in_weights:
        return Changed(_orthogonalised(decoder, basis), found)
    handles = removing_hooks(decoder, basis)

    def undo() -> None:
        for handle in handles:
            handle.remove()

    return Changed(undo, found)


def _found(
    weights: Weights, decoder: "Decoder", material: Material, directions: int, is_random: bool
) -> "tuple[list[Tensor], dict[str, str]]":
    import torch

    from safemark.removal._direction import refusal_directions

    if is_random:
        draw = torch.Generator().manual_seed(RANDOM)
        return [torch.randn(decoder.width, generator=draw) for _ in range(directions)], {}
    found = refusal_directions(weights, decoder, material, directions)
    told = {}
    for number, one in enumerate(found):
        told[f"direction {number + 1}" if directions > 1 else "direction"] = (
            f"before block {one.block + 1} of {len(decoder.blocks)}, position {one.position},"
            f" refusal log odds {one.before:.2f} to {one.bypass:.2f}, KL {one.kl:.3f} nats"
        )
    return [one.vector for one in found], told


def _orthogonalised(decoder: "Decoder", basis: "Tensor") -> Callable[[], None]:
    """Makes the weights unable to write along the basis; gives what puts them back.

    Raises:
        RemovalFailed: the result is not what hooks give; the weights are as they were.
    """
    import torch

    from safemark.removal._removal import RemovalFailed
    from safemark.removal._structure import hooks, removing_hooks
    from safemark.removal._writing import orthogonalise

    ids = torch.arange(5, 21, device=next(decoder.module.parameters()).device)[None]
    with torch.no_grad():
        with hooks(removing_hooks(decoder, basis)):
            wanted = decoder.module(input_ids=ids, use_cache=False).logits
        undo = orthogonalise(decoder, basis)
        try:
            found = decoder.module(input_ids=ids, use_cache=False).logits
        except BaseException:
            undo()
            raise
    loose = 1e-4 if found.dtype == torch.float32 else 0.05
    if float((found - wanted).abs().max()) > loose * max(1.0, float(wanted.abs().max())):
        undo()
        raise RemovalFailed(
            "the weights of this architecture cannot be made to do what hooks do",
            "`--remove ablation` uses hooks",
        )
    return undo


def with_argument(argument: str) -> Removal:
    """``weights``, ``random`` and ``directions=N``, joined with ``+``.

    Raises:
        UsageError: another word, or no such number.
    """
    told = options("ablation", argument, {"weights": None, "random": None, "directions": (1, 8)})
    directions = int(told.get("directions", 1))
    is_random = "random" in told
    return replace(
        removal,
        name=f"ablation:{argument}",
        title="a random direction taken out: a control" if is_random else removal.title,
        change=partial(
            change, directions=directions, in_weights="weights" in told, is_random=is_random
        ),
        settings={**removal.settings, "directions": str(directions), "argument": argument},
        is_control=is_random,
    )


removal = Removal(
    name="ablation",
    version="2",
    title="refusal direction taken out",
    change=partial(change, directions=1, in_weights=False, is_random=False),
    settings={"max_kl": "0.1"},
    with_argument=with_argument,
    learns=True,
)
