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


@pytest.mark.skipif(not linear.works(), reason="this processor's products are torch's own")
def test_weights_that_nobody_changes_are_grouped_once(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[bool] = []
    product = linear.product

    def seen(given_: torch.Tensor, weight: torch.Tensor, *bias: torch.Tensor) -> torch.Tensor:
        given.append(weight.is_mkldnn)
        return product(given_, weight, *bias)

    monkeypatch.setattr(linear, "product", seen)
    torch.manual_seed(0)
    layers = [torch.nn.Linear(7, 5).requires_grad_(False) for _ in range(2)]
    grouped = linear.Grouped(room=7 * 5 * 4)
    rows = torch.randn(3, 7)
    right = [layer(rows) for layer in layers]

    for _ in range(linear.KEPT_AT + 1):
        with linear.fast_products(CPU, torch.float32, grouped):
            found = [layer(rows) for layer in layers]
        pairs = zip(found, right, strict=True)
        assert all(torch.allclose(one, other, atol=1e-5) for one, other in pairs)

    one_at_a_time = [False] * (linear.KEPT_AT - 1) + [True] * 2
    assert given[::2] == one_at_a_time
    assert not any(given[1::2])  # no room for the other


def test_a_kernel_that_gives_other_numbers_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    linear.works.cache_clear()
    monkeypatch.setattr(linear, "product", lambda given, weight, bias: given @ weight.T)
    assert not linear.works()
    linear.works.cache_clear()
