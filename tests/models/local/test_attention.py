"""Our attention gives torch's numbers, on packed rows, after shared prefixes, and for whole models."""

import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from safemark.models.local import attention, linear, load
from safemark.models.local.attention import Known, Prefix, attend, knowing, spans
from safemark.models.local.workers import using
from tests.models.local.tiny import make_tiny_model

CLOSE = 1e-5
LEAST = torch.finfo(torch.float32).min
KEY_HEADS, SIZE = 2, 8


def drawn(rows: int, heads: int, positions: int, size: int = SIZE) -> Any:
    """As projections give it: positions before heads in memory."""
    return torch.randn(rows, positions, heads, size).transpose(1, 2)


def module(heads: int) -> Any:
    return SimpleNamespace(num_key_value_groups=heads // KEY_HEADS, layer_idx=1, is_causal=True)


def torchs(heads: int, query: Any, key: Any, value: Any, mask: Any, scale: float) -> Any:
    shared = heads // KEY_HEADS
    key, value = (one.repeat_interleave(shared, dim=1) for one in (key, value))
    found = torch.nn.functional.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, scale=scale
    )
    return found.transpose(1, 2)


def blocks(lengths: list[int]) -> list[int]:
    """The `ends` of a row of chains that do not see each other."""
    ends: list[int] = []
    for length in lengths:
        ends += [len(ends) + length] * length
    return ends


def seen_by(ends: list[int], width: int, before: int) -> Any:
    mask = torch.full((width, before + width), LEAST)
    mask[:, :before] = 0.0
    for query in range(width):
        mask[query, before + query] = 0.0
        for key in range(query if query < len(ends) else 0):
            if ends[key] > query:
                mask[query, before + key] = 0.0
    return mask


@pytest.mark.parametrize("heads", [2, 4])
@pytest.mark.parametrize("before", [0, 70])
@pytest.mark.parametrize("knows", ["spans", "nothing", "read"])
def test_packed_rows_are_attended_to_as_torch_does(
    heads: int, before: int, knows: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    ends = [blocks([90, 120, 70]), blocks([40] * 6)]
    width = max(map(len, ends))
    query, key = drawn(2, heads, width), drawn(2, KEY_HEADS, before + width)
    value = drawn(2, KEY_HEADS, before + width, 5)
    mask = torch.stack([seen_by(one, width, before) for one in ends])[:, None]
    right = torchs(heads, query, key, value, mask, 0.3)
    known = Known()
    if knows != "nothing":
        known = Known([spans(one, heads // KEY_HEADS) for one in ends], always=before)
    if knows == "read":
        known = Known(known.spans, before, read=[[3, 200], [7]], last=1)
    used = []

    def counted(given: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        used.append(given.shape)
        return linear.product(given, weight)

    monkeypatch.setattr(attention, "product", counted)

    with torch.inference_mode(), using(1), knowing(known):
        found, _ = attend(module(heads), query, key, value, mask, scaling=0.3)

    assert used
    for row, one in enumerate(ends):
        places = list(range(len(one))) if knows != "read" else list(known.read[row])
        assert torch.allclose(found[row, places], right[row, places], atol=CLOSE)
    assert not found.isnan().any()
    if knows == "read":
        assert not found[0, 4].any()


def test_what_is_not_for_it_goes_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "product", lambda *_: pytest.fail("too few scores"))
    query, key, value = drawn(1, 4, 20), drawn(1, 2, 20), drawn(1, 2, 20)
    mask = seen_by([20] * 20, 20, 0)[None, None]
    right = torchs(4, query, key, value, mask, SIZE**-0.5)

    with torch.inference_mode():
        few, _ = attend(module(4), query, key, value, mask)
        causal, _ = attend(module(4), query, key, value, None)
    large = [drawn(1, heads, 200).requires_grad_() for heads in (4, 2, 2)]
    wide = seen_by([200] * 200, 200, 0)[None, None]
    attend(module(4), large[0], large[1], large[2], wide)[0].sum().backward()

    assert torch.allclose(few, right, atol=CLOSE)
    assert torch.allclose(causal, right, atol=CLOSE)
    assert all(one.grad is not None for one in large)


def test_rows_after_a_common_prefix_see_it_as_if_it_were_theirs() -> None:
    torch.manual_seed(0)
    heads, rows, own = 4, 5, 6
    query = drawn(rows, heads, 1)
    key, value = drawn(rows, KEY_HEADS, own), drawn(rows, KEY_HEADS, own)
    prefixes = [
        Prefix(torch.tensor([0, 3]), *torch.randn(2, KEY_HEADS, 30, SIZE)),
        Prefix(torch.tensor([1, 2]), *torch.randn(2, KEY_HEADS, 70, SIZE) * 3),
    ]
    mask = torch.zeros(rows, 1, 1, own)
    mask[2, ..., :4] = LEAST

    with torch.inference_mode(), knowing(Known(prefixes={1: prefixes})):
        found, _ = attend(module(heads), query, key, value, mask, scaling=0.5)

    for row in range(rows):
        one = next((one for one in prefixes if row in one.rows.tolist()), None)
        keys, values, seen = key[row], value[row], mask[row]
        if one is not None:
            keys = torch.cat([one.keys, keys], dim=-2)
            values = torch.cat([one.values, values], dim=-2)
            seen = torch.cat([torch.zeros(1, 1, one.keys.shape[-2]), seen], dim=-1)
        right = torchs(heads, query[row, None], keys[None], values[None], seen[None], 0.5)
        assert torch.allclose(found[row, None], right, atol=CLOSE)


def test_a_stretch_begins_no_later_than_what_it_sees() -> None:
    draw = random.Random(0)
    ends = blocks([draw.randrange(1, 90) for _ in range(20)])
    for begin, end, first in spans(ends, 1):
        sees = [
            key for key in range(end) for query in range(begin, end) if key <= query < ends[key]
        ]
        assert first <= min(sees)
    cut = spans(ends, 2)
    assert [begin for begin, _, _ in cut[1:]] == [end for _, end, _ in cut[:-1]]
    assert (cut[0][0], cut[-1][1]) == (0, len(ends))


@pytest.mark.parametrize("architecture", ["llama", "gpt_neox", "qwen3", "mistral", "gpt2"])
def test_it_takes_over_where_torchs_attention_was(
    tiny_folder: Callable[..., Path], architecture: str
) -> None:
    folder = str(tiny_folder(architecture))
    mine, plain = (load(folder, options=one) for one in ({}, {"attn": "sdpa"}))

    assert mine._scorer
    assert plain._scorer
    assert mine._scorer.network.attends
    assert not plain._scorer.network.attends
    assert mine.weights.module.config._attn_implementation == attention.NAME


def test_a_model_that_it_changes_keeps_its_own(
    tiny_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = attention._of_stretch
    monkeypatch.setattr(attention, "_of_stretch", lambda *given: right(*given) * 1.01)

    model = load(str(tiny_folder()), options={"device": "cpu"})

    assert model._scorer
    assert not model._scorer.network.attends
    assert model.weights.module.config._attn_implementation == "sdpa"


def test_it_is_not_saved_with_the_weights(tmp_path: Path) -> None:
    model = load(str(make_tiny_model(tmp_path / "one")), options={"device": "cpu"})
    model.weights.module.save_pretrained(tmp_path / "two")

    assert attention.NAME not in (tmp_path / "two" / "config.json").read_text()
