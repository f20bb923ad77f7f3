"""Matrix products through another kernel: the same numbers, and changed weights are heard."""

import pytest
import torch

from safemark.models.local import linear

CPU = torch.device("cpu")


@pytest.mark.parametrize("shape", [(3, 7), (2, 5, 7), (1, 1, 7)])
@pytest.mark.parametrize("bias", [True, False])
def test_products_are_those_of_torchs_linear_layer(shape: tuple[int, ...], bias: bool) -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(7, 4, bias=bias).requires_grad_(False)
    given = torch.randn(shape)
    right = layer(given)

    with linear.fast_products(CPU, torch.float32):
        assert torch.allclose(layer(given), right, atol=1e-5)
        layer.weight.mul_(2)
        changed = layer(given)
    assert torch.allclose(changed, layer(given), atol=1e-5)
    assert not torch.allclose(changed, right, atol=1e-3)


def test_the_kernel_is_used_where_it_suits_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used = []

    def product(
        given: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None
    ) -> object:
        used.append(given.dtype)
        return given @ weight.T

    monkeypatch.setattr(linear, "product", product)
    monkeypatch.setattr(linear, "works", lambda: True)
    layer = torch.nn.Linear(3, 3, bias=False).requires_grad_(False)
    with linear.fast_products(CPU, torch.float32):
        layer(torch.randn(2, 3))
        layer.double()(torch.randn(2, 3, dtype=torch.float64))
    with linear.fast_products(CPU, torch.bfloat16):
        layer.float()(torch.randn(2, 3))
    layer(torch.randn(2, 3))
    gaps = torch.randn(3, 8)[:, :3]
    with linear.fast_products(CPU, torch.float32):
        torch.nn.functional.linear(torch.randn(2, 3), gaps)

    assert used == [torch.float32]


def test_a_kernel_that_gives_other_numbers_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    linear.works.cache_clear()
    monkeypatch.setattr(linear, "product", lambda given, weight, bias: given @ weight.T)
    assert not linear.works()
    linear.works.cache_clear()
