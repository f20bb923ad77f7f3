"""Families: their sizes against transformers' own, what they need, where they go."""

from pathlib import Path

import pytest

from safemark.errors import UnknownName, UsageError
from safemark.gap import removal
from safemark.gap.families import SHIPPED, Member, family, member
from safemark.gap.memory import Room, need, placed

GB = 1_000_000_000
LARGE = Member(
    "hf/nobody/large",
    parameters=8 * GB,
    layers=32,
    width=4096,
    kv_heads=8,
    head_width=128,
    vocabulary=128_000,
)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_size_is_what_transformers_counts(name: str) -> None:
    pytest.importorskip("torch", reason="needs the extra `local`")
    from accelerate import init_empty_weights
    from transformers import AutoConfig, AutoModelForCausalLM

    for one in family(name).members:
        config = one.config()
        assert config is not None
        with init_empty_weights():
            module = AutoModelForCausalLM.from_config(
                AutoConfig.for_model(config.pop("model_type"), **config)
            )
        counted = sum(each.numel() for each in module.parameters())
        twice = (one.vocabulary or 0) * (one.width or 0) if one.tied else 0
        assert counted - twice == one.parameters, one.model


def test_shipped_families_go_from_the_smallest_to_the_largest() -> None:
    for name, ends in (("llama3", (1.2, 405.9)), ("qwen2.5", (0.5, 72.7))):
        sizes = [one.parameters or 0 for one in family(name).members]
        assert sizes == sorted(sizes)
        assert (round(sizes[0] / GB, 1), round(sizes[-1] / GB, 1)) == ends


def test_a_file_of_ones_own_is_sorted_and_what_has_no_size_comes_last(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "title: Mine\nmodels:\n  - hf/nobody/unknown\n  - {model: hf/a/b, parameters: 9}\n"
        "  - {model: hf/a/c, parameters: 7}\n",
        encoding="utf-8",
    )
    found = family(str(own))
    assert found.title == "Mine"
    assert [one.model for one in found.members] == ["hf/a/c", "hf/a/b", "hf/nobody/unknown"]


def test_the_sizes_of_a_folder_are_read_and_no_weight_is_loaded() -> None:
    found = member(Member("reference"))
    assert (found.kind, found.layers, found.width, found.vocabulary) == ("llama", 6, 256, 2048)
    assert found.parameters == 5_868_800


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b\n", "names no models"),
        ("models: []\n", "names no models"),
        ("models: [hf/a/b, hf/a/b]\n", "names a model twice"),
        ("models: [{parameters: 3}]\n", "model 1"),
        ("models: [{model: hf/a, size: 3}]\n", "unknown field `size`"),
        ("models: [\n", "is not YAML"),
        ("models: [hf/a/b]\nmodels: [hf/a/c]\n", "names `models` twice, in lines 1 and 2"),
        ("models: [{model: hf/a, layers: 2, layers: 3}]\n", "names `layers` twice, in line 1"),
    ],
)
def test_a_file_that_is_no_family_says_why(tmp_path: Path, text: str, message: str) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        family(str(own))


def test_an_unknown_family_names_those_that_there_are() -> None:
    with pytest.raises(UnknownName, match="lama3") as raised:
        family("lama3")
    assert "llama3" in raised.value.hint


def test_what_a_model_needs_is_weights_copies_conversations_and_logits() -> None:
    plain = need(LARGE, [], "bfloat16", "cuda")
    assert plain is not None
    assert plain.weights == 16 * GB
    assert plain.removals == 0
    assert plain.conversation == 128 * 1024 * 2 * 32 * 8 * 128 * 2
    assert plain.passes == 2 * 4 * 16_384 * 128_000
    full = need(LARGE, [removal("finetune"), removal("finetune:full")], "bfloat16", "cuda")
    assert full is not None
    assert full.removals == 64 * GB
    hooks = need(LARGE, [removal("ablation")], "bfloat16", "cuda")
    assert hooks is not None
    assert hooks.removals == 0
    assert need(Member("hf/x"), [], "float32", "cpu") is None


def test_a_model_goes_where_there_is_room_for_it() -> None:
    gpu, small_gpu = 140 * GB, 16 * GB
    assert (
        placed(LARGE, [], Room(900 * GB, (small_gpu, gpu)), {"device": "cuda:1"}).where == "cuda:1"
    )
    assert placed(LARGE, [], Room(900 * GB, (gpu,)), {}).where == "cuda:0"
    in_memory = placed(LARGE, [], Room(900 * GB, (small_gpu,)), {})
    assert (in_memory.where, in_memory.options) == ("memory", {"device": "cpu"})
    assert placed(LARGE, [], Room(900 * GB), {}).where == "memory"
    nowhere = placed(LARGE, [], Room(30 * GB, (small_gpu,)), {})
    assert nowhere.where == ""
    assert "needs" in nowhere.why_not
    assert "30 GB are free" in nowhere.why_not
    assert placed(LARGE, [], Room(900 * GB, (small_gpu,)), {"device": "cuda"}).why_not
    assert placed(Member("hf/x"), [], Room(0), {}).why_not == ""


def test_a_number_type_of_unknown_size_is_refused() -> None:
    with pytest.raises(UsageError, match="float8"):
        placed(LARGE, [], Room(GB), {"dtype": "float8"})


def test_whole_blocks_are_spread_over_several_accelerators() -> None:
    pytest.importorskip("torch", reason="needs the extra `local`")
    from safemark.models.local.placement import spread

    one = next(m for m in family("qwen2.5").members if (m.parameters or 0) < GB)
    config = one.config()
    assert config is not None
    weights = 2 * (one.parameters or 0)
    blocks = spread(config, "bfloat16", [int(0.8 * weights), int(0.8 * weights)])
    assert blocks is not None
    assert all(count > 1 for count in blocks)
    assert spread(config, "bfloat16", [weights // 3, weights // 3]) is None
