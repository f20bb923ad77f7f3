"""Models with random weights, wide enough that the context moves every logit, and a tokenizer."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from perf.local import items as sets

VOCABULARY = 8192
LONGEST = 2048

LARGE = {"hidden_size": 512, "num_hidden_layers": 8, "num_attention_heads": 8}
HUGE = {"hidden_size": 2048, "num_hidden_layers": 24, "num_attention_heads": 32}
SMALL = {"hidden_size": 128, "num_hidden_layers": 3, "num_attention_heads": 4}

ARCHITECTURES = {
    "llama": {},
    "qwen2": {},
    "gpt_neox": {},
    "mistral": {"sliding_window": 64},  # every layer
    "gemma2": {"sliding_window": 64},  # every other layer
}
"""By their name in transformers; a window of 64 is shorter than most of the texts."""


SIZES = {"small": SMALL, "large": LARGE, "huge": HUGE}
"""1.5, 28 and 1,100 million parameters of a Llama."""


def made(folder: Path, architecture: str = "llama", size: str = "small") -> Path:
    """The folder of a model of one of the `SIZES`, made where it is not there."""
    place = folder / f"{architecture}-{size}"
    if not (place / "config.json").exists():
        _make(place, folder / "tokenizer", architecture, SIZES[size])
    return place


def _make(place: Path, tokenizer_place: Path, architecture: str, size: dict[str, int]) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    if not tokenizer_place.exists():
        _tokenizer(tokenizer_place)
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_place)
    settings: dict[str, Any] = {
        **size,
        "intermediate_size": size["hidden_size"] * 11 // 4,
        "vocab_size": len(tokenizer),
        "max_position_embeddings": LONGEST,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "tie_word_embeddings": True,
        "initializer_range": 0.06,
        **ARCHITECTURES[architecture],
    }
    if architecture != "gpt_neox":
        settings["num_key_value_heads"] = size["num_attention_heads"] // 2
    if architecture == "gemma2":
        settings["head_dim"] = size["hidden_size"] // size["num_attention_heads"]
    torch.manual_seed(0)
    module = AutoModelForCausalLM.from_config(AutoConfig.for_model(architecture, **settings))
    module.save_pretrained(place)
    tokenizer.save_pretrained(place)
    millions = sum(one.numel() for one in module.parameters()) / 1e6
    print(f"made {place.name}: {millions:.1f}M parameters", file=sys.stderr)


def _tokenizer(place: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(_texts(), trainer)
    ends = {"bos_token": "<s>", "eos_token": "</s>"}
    PreTrainedTokenizerFast(tokenizer_object=bpe, model_max_length=LONGEST, **ends).save_pretrained(
        place
    )


def _texts() -> Iterator[str]:
    for name in sets.SETS:
        for item in sets.items(name):
            yield from (item.context, *item.choices)
