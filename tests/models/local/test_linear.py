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

    monkeypatch.setattr(linear, "_product", product)
    monkeypatch.setattr(linear, "_works", lambda: True)
    layer = torch.nn.Linear(3, 3, bias=False).requires_grad_(False)
    with linear.fast_products(CPU, torch.float32):
        layer(torch.randn(2, 3))
        layer.double()(torch.randn(2, 3, dtype=torch.float64))
    with linear.fast_products(CPU, torch.bfloat16):
        layer.float()(torch.randn(2, 3))
    layer(torch.randn(2, 3))

    assert used == [torch.float32]


@pytest.mark.parametrize("scale", [None, 0.3])
@pytest.mark.parametrize("heads_in_mask", [1, 3])
def test_attention_over_many_keys_is_torchs_own(
    scale: float | None, heads_in_mask: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    torch.manual_seed(0)
    query = torch.randn(2, 3, 256, 8)
    key, value = torch.randn(2, 3, 300, 8), torch.randn(2, 3, 300, 5)
    mask = torch.zeros(2, heads_in_mask, 256, 300)
    mask.masked_fill_(torch.rand(mask.shape) < 0.3, torch.finfo(torch.float32).min)
    attention = torch.nn.functional.scaled_dot_product_attention
    right = attention(query, key, value, attn_mask=mask, scale=scale)
    few, few_keys, few_values = query[:, :, :200], key[:, :, :200], value[:, :, :200]
    few_seen = mask[:, :, :200, :200]
    right_few = attention(few, few_keys, few_values, attn_mask=few_seen, scale=scale)
    right_causal = attention(query, key, value, is_causal=True, scale=scale)
    product = linear._product
    used: list[torch.Size] = []

    def counted(given: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        used.append(given.shape)
        return product(given, weight)

    monkeypatch.setattr(linear, "_product", counted)
    monkeypatch.setattr(linear, "_works", lambda: True)

    with torch.inference_mode(), linear.fast_products(CPU, torch.float32):
        assert torch.allclose(
            attention(query, key, value, attn_mask=mask, scale=scale), right, atol=1e-5
        )
        assert len(used) == 2 * 2 * 3
        found = attention(few, few_keys, few_values, attn_mask=few_seen, scale=scale)
        assert torch.equal(found, right_few)
        found = attention(query, key, value, is_causal=True, scale=scale)
        assert torch.equal(found, right_causal)
    assert len(used) == 2 * 2 * 3


def test_a_kernel_that_gives_other_numbers_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    linear._works.cache_clear()
    monkeypatch.setattr(linear, "_product", lambda given, weight, bias: given @ weight.T)
    assert not linear._works()
    linear._works.cache_clear()
