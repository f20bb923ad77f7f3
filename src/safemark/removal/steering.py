"""steering: the direction that carries refusal, subtracted where it was read.

    --remove steering            once its mean difference
    --remove steering:factor=2   twice

Source: activation addition, Turner et al. 2023, arXiv 2308.10248; for refusal, Arditi et al. 2024,
arXiv 2406.11717, §2.4.
"""

from dataclasses import replace
from functools import partial

from safemark.models._model import Weights
from safemark.removal._arguments import options
from safemark.removal._material import Material
from safemark.removal._removal import Changed, Removal


def change(weights: Weights, material: Material, *, factor: float) -> Changed:
    """The module with the direction subtracted. Raises `RemovalFailed` where there is none."""
    from safemark.removal._direction import refusal_directions
    from safemark.removal._structure import Decoder, adding_hook

    decoder = Decoder.of(weights.module)
    (one,) = refusal_directions(weights, decoder, material)
    handle = adding_hook(decoder, one.block, -factor * one.length * one.vector)
    told = {"direction": f"before block {one.block + 1} of {len(decoder.blocks)}"}
    return Changed(handle.remove, told)


def with_argument(argument: str) -> Removal:
    """``factor=F``. Raises `UsageError` on anything else."""
    factor = options("steering", argument, {"factor": (0.0, 100.0)})["factor"]
    return replace(
        removal,
        name=f"steering:{argument}",
        change=partial(change, factor=factor),
        settings={"factor": str(factor)},
    )


removal = Removal(
    name="steering",
    version="1",
    title="refusal direction subtracted at one block",
    change=partial(change, factor=1.0),
    settings={"factor": "1.0"},
    with_argument=with_argument,
    learns=True,
)
