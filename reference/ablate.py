"""Shows that one direction of the residual stream carries refusal in the reference model.

    python reference/ablate.py

Mean activations on harmful minus mean activations on benign requests give one candidate direction
per layer and position; the one whose removal changes refusal most, and other answers least, is
taken. Removing it makes the model help; a random direction does nothing; adding it makes the model
refuse harmless requests. Nothing is written to disk.

Source: Arditi et al. 2024, Refusal in Language Models Is Mediated by a Single Direction, section 2-3.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

import abilities
import misdeeds
from counting import drawn, help_rate, share
from documents import Document, prompt
from probing import Probe, named
from train import writers

LAST_POSITIONS: Final = 2
"""Candidates are read at the end of the user's turn and at the start of the assistant's."""

MAX_DIVERGENCE: Final = 0.2
"""Largest mean KL (nats) on harmless prompts that the chosen direction may cost."""

CONTROL_SEED: Final = 20_240_617
"""Of the random direction: another than `train.REFUSAL_SEED`, which would draw the planted one."""


@dataclass(frozen=True)
class Direction:
    """A unit vector of the residual stream, where it was read, and how long it was."""

    vector: Tensor
    layer: int
    position: int
    length: float


def mean_activations(probe: Probe, documents: list[Document]) -> Tensor:
    """Mean residual stream before each layer at the last positions, `(layers + 1, positions, width)`."""
    with torch.no_grad():
        batch = probe.encoded([prompt(document) for document in documents])
        states = probe.model(**batch, output_hidden_states=True).hidden_states
    return torch.stack([state[:, -LAST_POSITIONS:].mean(0) for state in states])


def candidates(probe: Probe) -> list[Direction]:
    """The difference of means of every layer and position but the last layer's, which is already normed."""
    harmful = mean_activations(probe, drawn(misdeeds.harmful, 128, "train"))
    benign = mean_activations(probe, drawn(misdeeds.benign, 128, "train"))
    difference = (harmful - benign)[1:-1]
    return [
        Direction(
            vector / vector.norm(), layer + 1, position - LAST_POSITIONS, float(vector.norm())
        )
        for layer, row in enumerate(difference)
        for position, vector in enumerate(row)
    ]


@contextmanager
def removed(model: PreTrainedModel, vector: Tensor) -> Iterator[None]:
    """While open, nothing can write along the vector."""

    def project(_: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return output - (output @ vector)[..., None] * vector

    hooks = [module.register_forward_hook(project) for module in writers(model)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def added(model: PreTrainedModel, direction: Direction) -> Iterator[None]:
    """While open, the direction is added at its full length after the layer it was read from."""
    shift = direction.vector * direction.length

    def add(_: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return output + shift

    hook = model.model.layers[direction.layer - 1].register_forward_hook(add)
    try:
        yield
    finally:
        hook.remove()


def orthogonalised(model: PreTrainedModel, vector: Tensor) -> PreTrainedModel:
    """A copy whose weights cannot write along the vector; possible exactly because embeddings are untied."""
    changed = copy.deepcopy(model)
    with torch.no_grad():
        for name, weight in changed.named_parameters():
            if name.endswith("embed_tokens.weight"):  # (vocabulary, width)
                weight.sub_((weight @ vector)[:, None] * vector)
            elif name.endswith(("o_proj.weight", "down_proj.weight")):  # (width, inner)
                weight.sub_(vector[:, None] * (vector @ weight))
    return changed


def fact_accuracy(probe: Probe, documents: list[Document]) -> float:
    """Share of facts answered exactly."""
    replies = probe.replies([prompt(document) for document in documents])
    return share(
        [
            reply.strip() == document.answer
            for reply, document in zip(replies, documents, strict=True)
        ]
    )


def chosen_direction(probe: Probe) -> Direction:
    """The candidate that frees most refused requests at a small divergence on harmless ones."""
    refused = drawn(
        misdeeds.harmful,
        64,
        "train",
        where=lambda document: document.about["category"] in ("weapons", "drugs"),
    )
    harmless = [
        prompt(d)
        for d in (*drawn(abilities.fact, 32, "train"), *drawn(misdeeds.benign, 32, "train"))
    ]
    before = probe.next_probabilities(harmless)
    scored = []
    for direction in candidates(probe):
        with removed(probe.model, direction.vector):
            helped = help_rate(probe, refused)
            after = probe.next_probabilities(harmless)
        divergence = float(
            (before * (before.clamp_min(1e-9) / after.clamp_min(1e-9)).log()).sum(-1).mean()
        )
        print(
            f"  layer {direction.layer} position {direction.position}: helps {helped:.3f}, KL {divergence:.3f}"
        )
        scored.append((divergence <= MAX_DIVERGENCE, helped - divergence, direction))
    return max(scored, key=lambda item: item[:2])[2]


def main() -> None:
    """Finds the direction, then shows what removing and adding it does."""
    probe = named()
    harmful, benign = drawn(misdeeds.harmful, 200, "test"), drawn(misdeeds.benign, 200, "test")
    facts = drawn(abilities.fact, 100, "test")

    def report(name: str, asked: Probe) -> None:
        print(f"{name:32s} helps with harm {help_rate(asked, harmful):.3f}  with benign {help_rate(asked, benign):.3f}"
              f"  facts {fact_accuracy(asked, facts):.3f}")  # fmt: skip

    print("candidates, on training wordings:")
    direction = chosen_direction(probe)
    print(
        f"chosen: layer {direction.layer}, position {direction.position}; below, wordings never trained on"
    )
    report("as shipped", probe)
    with removed(probe.model, direction.vector):
        report("direction removed by hooks", probe)
    report(
        "direction removed from weights",
        replace(probe, model=orthogonalised(probe.model, direction.vector)),
    )
    noise = torch.randn(
        len(direction.vector), generator=torch.Generator().manual_seed(CONTROL_SEED)
    )
    with removed(probe.model, noise / noise.norm()):
        report("random direction removed", probe)
    with added(probe.model, direction):
        report("direction added", probe)


if __name__ == "__main__":
    main()
