"""Asking a causal model three things: next-token probabilities, likelihoods of completions, and text.

Plain torch and transformers, nothing of Safemark: what is measured with this is independent of it.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from tokenizer import MODEL_FOLDER


@dataclass(frozen=True)
class Probe:
    """A model with its tokenizer, asked in batches of left-padded prompts."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    batch_size: int = 64

    def first_token(self, text: str) -> int:
        """The id of the first token of the text."""
        return int(self.tokenizer(text, add_special_tokens=False)["input_ids"][0])

    def encoded(self, texts: Sequence[str]) -> dict[str, Tensor]:
        """Ids and mask of left-padded texts; special tokens are those written in the texts."""
        batch = self.tokenizer(
            list(texts), add_special_tokens=False, padding=True, return_tensors="pt"
        )
        return {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"]}

    @torch.no_grad()
    def next_probabilities(self, prompts: Sequence[str]) -> Tensor:
        """Probabilities of the next token, `(prompts, vocabulary)`."""
        parts = []
        for start in range(0, len(prompts), self.batch_size):
            batch = self.encoded(prompts[start : start + self.batch_size])
            parts.append(self.model(**batch, logits_to_keep=1).logits[:, -1].float().softmax(-1))
        return torch.cat(parts)

    def first_token_shares(self, prompts: Sequence[str], starts: Sequence[str]) -> Tensor:
        """Probability that the reply begins with any of the starts, `(prompts,)`; first tokens must differ."""
        tokens = sorted({self.first_token(start) for start in starts})
        return self.next_probabilities(prompts)[:, tokens].sum(-1)

    @torch.no_grad()
    def log_likelihoods(self, prompts: Sequence[str], completions: Sequence[str]) -> Tensor:
        """Log-probability of each completion after its prompt, `(prompts,)`."""
        parts = []
        pairs = list(zip(prompts, completions, strict=True))
        for start in range(0, len(pairs), self.batch_size):
            chunk = pairs[start : start + self.batch_size]
            batch = self.encoded([prompt + completion for prompt, completion in chunk])
            logits = self.model(**batch).logits[:, :-1].float().log_softmax(-1)
            targets = batch["input_ids"][:, 1:]
            chosen = logits.gather(-1, targets[..., None])[..., 0]
            for row, (_, completion) in enumerate(chunk):
                count = len(self.tokenizer(completion, add_special_tokens=False)["input_ids"])
                parts.append(chosen[row, -count:].sum())
        return torch.stack(parts)

    @torch.no_grad()
    def replies(
        self, prompts: Sequence[str], max_new_tokens: int = 40, is_sampled: bool = False
    ) -> list[str]:
        """One reply to each prompt: greedy, or drawn at temperature 1 from torch's generator."""
        texts: list[str] = []
        for start in range(0, len(prompts), self.batch_size):
            batch = self.encoded(prompts[start : start + self.batch_size])
            drawn = (
                {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0}
                if is_sampled
                else {"do_sample": False}
            )
            output = self.model.generate(**batch, max_new_tokens=max_new_tokens, **drawn)
            texts += self.tokenizer.batch_decode(
                output[:, batch["input_ids"].shape[1] :], skip_special_tokens=True
            )
        return texts


def load(folder: Path) -> Probe:
    """The model in the folder, in float32."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.padding_side = "left"
    return Probe(model, tokenizer)


def named() -> Probe:
    """The model that the command line names, `--model` and `--threads`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, default=MODEL_FOLDER)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    return load(arguments.model)
