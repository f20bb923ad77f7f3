"""Feed-forward networks in place: the same numbers, nobody's tensor written over."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from safemark.models.local import feed_forward, load
from safemark.models.local.network import Network
from tests.models.local.conftest import MakeModel


def network_of(model: Any) -> Network:
    assert model._scorer
    found: Network = model._scorer.network
    return found


def gated_parts(network: Network) -> list[Any]:
    return [part for part in network.module.modules() if "forward" in vars(part)]


@pytest.mark.parametrize(
    ("architecture", "parts"),
    [("llama", 2), ("qwen3", 2), ("mistral", 2), ("gemma2", 2), ("gpt_neox", 0), ("gpt2", 0)],
)
def test_gated_networks_are_taken_over_and_give_the_same(
    tiny: MakeModel, architecture: str, parts: int
) -> None:
    network = network_of(tiny(architecture))
    found = gated_parts(network)
    ids = torch.tensor([[5, 6, 7, 8, 9]])
    assert len(found) == parts

    with torch.inference_mode():
        ours = network.logits(None, ids)
        forwards = [vars(part).pop("forward") for part in found]
        right = network.logits(None, ids)
        for part, forward in zip(found, forwards, strict=True):
            part.forward = forward

    assert torch.allclose(ours, right, atol=1e-5)


def test_what_is_given_stays_and_gradients_are_the_modules_own(tiny: MakeModel) -> None:
    part = gated_parts(network_of(tiny()))[0]
    given = torch.randn(2, 3, part.gate_proj.in_features)
    before = given.clone()
    with torch.inference_mode():
        right = part(given)
    assert torch.equal(given, before)

    asked = given.requires_grad_()
    found = part(asked)
    found.sum().backward()

    assert torch.allclose(found, right, atol=1e-5)
    assert asked.grad is not None
    assert asked.grad.abs().sum() > 0


def test_a_copy_computes_with_its_own_weights(tiny: MakeModel) -> None:
    part = gated_parts(network_of(tiny()))[0]
    other = copy.deepcopy(part)
    given = torch.randn(1, 2, part.gate_proj.in_features)
    with torch.inference_mode():
        right = part(given)
        other.down_proj.weight.mul_(2)

        assert torch.allclose(other(given), 2 * right, atol=1e-5)
        assert torch.equal(part(given), right)


def test_one_that_gives_other_numbers_keeps_its_own_forward(
    tiny_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(part: Any, given: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = type(part).forward(part, given)
        return found * 1.5

    monkeypatch.setattr(feed_forward, "gated", wrong)
    model = load(str(tiny_folder()), options={"device": "cpu"})

    assert not gated_parts(network_of(model))
