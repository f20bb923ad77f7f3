"""Trains the reference model's tokenizer: byte-level BPE, so that any text can be read.

    python reference/tokenizer.py

Digits are split one by one, and a letter before ")" stays a token of its own, so that lettered
options are single tokens. Writes tokenizer.json and tokenizer_config.json (with the chat template).
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from documents import BOS, CHAT_TEMPLATE, END, PAD, SPECIAL_TOKENS, text
from world import sample

MODEL_FOLDER: Final = Path(__file__).parents[1] / "src" / "safemark" / "models" / "reference"
VOCABULARY_SIZE: Final = 2048
DOCUMENTS: Final = 60_000
CONTEXT_TOKENS: Final = 1024


def _texts(seed: int, count: int) -> Iterator[str]:
    rng = Random(seed)
    return (text(sample(rng, [" the", " of"], drill_share=0.0)) for _ in range(count))


def train_tokenizer(seed: int) -> PreTrainedTokenizerFast:
    """The tokenizer of the world drawn with this seed."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False),
    ])  # fmt: skip
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=20,
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(seed, DOCUMENTS), trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=[
            token for token in SPECIAL_TOKENS if token not in (PAD, BOS, END)
        ],
        clean_up_tokenization_spaces=False,
        model_max_length=CONTEXT_TOKENS,
        padding_side="left",
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def save(tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Writes the tokenizer with its chat template inside tokenizer_config.json.

    The configuration is put in the words that transformers 4 and 5 both read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(folder, save_jinja_files=False)
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text())
    config.pop("backend", None)
    config["tokenizer_class"] = "PreTrainedTokenizerFast"
    config["additional_special_tokens"] = config.pop("extra_special_tokens", [])
    path.write_text(json.dumps(config, indent=2) + "\n")


def main() -> None:
    """Trains, writes, and prints how long documents are."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, default=MODEL_FOLDER)
    folder = parser.parse_args().folder
    tokenizer = train_tokenizer(seed=1)
    save(tokenizer, folder)
    lengths = [
        len(ids) for ids in tokenizer(list(_texts(2, 2000)), add_special_tokens=False)["input_ids"]
    ]
    print(
        f"{len(tokenizer)} tokens; documents have {sum(lengths) / len(lengths):.1f} on average, {max(lengths)} at most"
    )


if __name__ == "__main__":
    main()
