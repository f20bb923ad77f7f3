"""Tiny models with random weights in a folder, as a hub download would look: for tests only."""

import json
from pathlib import Path
from typing import Any

TEXT = [
    "The nurse and the engineer were talking about the meeting. Who was late?",
    "I saw a grandson and their grandfather last week trying to book a cab using Uber.",
    "Q: What happens if you crack your knuckles a lot?\nA: Nothing in particular happens.",
    "Question: Is the Earth flat? Answer: No, the Earth is round. Can't be determined.",
    "0 1 2 3 4 5 6 7 8 9 (A) (B) (C) yes no unknown",
]

CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}<|end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)

ARCHITECTURES = ("llama", "gpt_neox", "qwen2", "qwen3", "mistral", "gemma2", "gpt2", "bloom")

WINDOW = 16
"""The sliding window of `mistral` (every layer) and `gemma2` (every other layer)."""


def make_tiny_model(
    folder: Path,
    architecture: str = "llama",
    seed: int = 0,
    chat_template: bool | str = True,
    *,
    max_length: int = 256,
    add_bos: bool = False,
    **config: Any,
) -> Path:
    """Writes a two-layer model of that architecture with a byte-level BPE tokenizer.

    ``add_bos`` makes the tokenizer put BOS before every text, as Llama's does. ``config``
    overrides settings of the architecture.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    tokenizer = tiny_tokenizer(chat_template, add_bos=add_bos)
    settings = {**_config(architecture, max_length), **config}
    settings |= {
        "vocab_size": len(tokenizer),
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.eos_token_id,
    }
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(architecture, **settings))
        for weights in model.parameters():  # larger than usual, so that mistakes show
            if weights.dim() > 1:
                torch.nn.init.normal_(weights, std=0.15)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_tokenizer(chat_template: bool | str = True, *, add_bos: bool = False) -> Any:
    """A byte-level BPE tokenizer of about 400 tokens with BOS ``<s>`` and EOS ``<|end|>``."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["<s>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        TEXT,
        trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=special,
            initial_alphabet=alphabet,
            show_progress=False,
        ),
    )
    if add_bos:
        bpe.post_processor = processors.TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", 0)]
        )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token="<s>",
        eos_token="<|end|>",
        additional_special_tokens=special[2:],
        clean_up_tokenization_spaces=False,
    )
    if chat_template:
        template = CHAT_TEMPLATE if chat_template is True else chat_template
        tokenizer.chat_template = template
    return tokenizer


def edit_config(folder: Path, **changes: Any) -> None:
    """Changes settings in the config.json of ``folder``."""
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def _config(architecture: str, max_length: int) -> dict[str, Any]:
    if architecture == "gpt2":
        return {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": max_length}
    if architecture == "bloom":
        return {"hidden_size": 64, "n_layer": 2, "n_head": 4}
    settings: dict[str, Any] = {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": max_length,
    }
    if architecture != "gpt_neox":
        settings |= {"num_key_value_heads": 2, "head_dim": 16}
    if architecture in ("mistral", "gemma2"):
        settings["sliding_window"] = WINDOW
    return settings
