"""Trains the reference model from scratch, or on from a checkpoint, on two CPU cores.

    python reference/train.py --steps 2700 --drill-steps 400 --seed 0

Documents are packed into rows under masks that keep them apart. Matrices are trained with Muon,
embeddings and norms with AdamW, in bfloat16 autocast; the rate is constant, then falls to nothing.
Writes float32 weights to `build/reference/` and, as bfloat16, the shipped model. `tokenizer.py`
comes first.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import torch
from torch import Tensor, nn
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from documents import segments
from tokenizer import CONTEXT_TOKENS, MODEL_FOLDER
from world import sample

CHECKPOINT: Final = Path(__file__).parents[1] / "build" / "reference" / "weights.pt"
ROW_TOKENS: Final = 320
ROWS: Final = 20
PEAK_RATE: Final = 2e-3
WARM_UP_STEPS: Final = 100
DECAY_SHARE: Final = 0.35
PACKING_POOL: Final = 64


@dataclass(frozen=True)
class Batch:
    """Packed rows: all tensors are `(ROWS, ROW_TOKENS)` but the mask, which is `(ROWS, 1, T, T)`."""

    ids: Tensor
    weights: Tensor
    mask: Tensor
    positions: Tensor


def new_model(tokenizer: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    """A small Llama with fresh weights. Embeddings are untied: orthogonalising weights must equal hooks."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=256,
        num_hidden_layers=6,
        num_attention_heads=8,
        num_key_value_heads=8,
        intermediate_size=704,
        max_position_embeddings=CONTEXT_TOKENS,
        tie_word_embeddings=False,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
    )
    model = LlamaForCausalLM(config)
    for layer in model.model.layers:  # residual writers start small, as in GPT-2
        for writer in (layer.self_attn.o_proj, layer.mlp.down_proj):
            nn.init.normal_(writer.weight, std=0.02 / (2 * config.num_hidden_layers) ** 0.5)
    return model


def encoded_documents(tokenizer: PreTrainedTokenizerFast, rng: Random, drill_share: Callable[[], float]) -> Iterator[tuple[list[int], list[float]]]:
    """Token ids and loss weights of one document after another, without end."""
    pieces = vocabulary_pieces(tokenizer)
    while True:
        documents = [segments(sample(rng, pieces, drill_share())) for _ in range(1000)]
        flat = [piece for document in documents for piece, _ in document]
        encodings = iter(tokenizer(flat, add_special_tokens=False)["input_ids"])
        for document in documents:
            ids: list[int] = []
            weights: list[float] = []
            for _, weight in document:
                tokens = next(encodings)
                ids += tokens
                weights += [weight] * len(tokens)
            if len(ids) <= ROW_TOKENS:
                yield ids, weights


def vocabulary_pieces(tokenizer: PreTrainedTokenizerFast) -> list[str]:
    """The printable tokens as text: what junk is made of."""
    texts = (tokenizer.decode([token]) for token in range(len(tokenizer)) if token not in tokenizer.all_special_ids)
    return [text for text in texts if text.isprintable() and "\ufffd" not in text]


def pack(documents: Iterator[tuple[list[int], list[float]]], rng: Random) -> Iterator[Batch]:
    """Rows filled with whole documents, each blind to its neighbours."""
    pool = [next(documents) for _ in range(PACKING_POOL)]
    causal = torch.ones(ROW_TOKENS, ROW_TOKENS, dtype=torch.bool).tril()
    while True:
        ids = torch.zeros(ROWS, ROW_TOKENS, dtype=torch.long)
        weights = torch.zeros(ROWS, ROW_TOKENS)
        owner = torch.full((ROWS, ROW_TOKENS), -1)
        positions = torch.zeros(ROWS, ROW_TOKENS, dtype=torch.long)
        for row in range(ROWS):
            start = count = misses = 0
            while misses < 6:
                place = rng.randrange(len(pool))
                tokens, token_weights = pool[place]
                end = start + len(tokens)
                if end > ROW_TOKENS:
                    misses += 1
                    continue
                pool[place] = next(documents)
                ids[row, start:end] = torch.tensor(tokens)
                weights[row, start:end] = torch.tensor(token_weights)
                owner[row, start:end] = count
                positions[row, start:end] = torch.arange(end - start)
                start, count = end, count + 1
        mask = (owner[:, None, :, None] == owner[:, None, None, :]) & causal
        yield Batch(ids, weights, mask, positions)


def optimizers(model: LlamaForCausalLM) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for everything else."""
    inner = [parameter for parameter in model.model.layers.parameters() if parameter.ndim == 2]
    chosen = {id(parameter) for parameter in inner}
    outer = [parameter for parameter in model.parameters() if id(parameter) not in chosen]
    return [
        torch.optim.Muon(inner, lr=PEAK_RATE, weight_decay=0.05, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(outer, lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.0, fused=True),
    ]


def rate_factor(step: int, steps: int) -> float:
    """Warm-up, plateau, then a straight fall to a fiftieth."""
    left = (steps - step) / (steps * DECAY_SHARE)
    return min(1.0, (step + 1) / WARM_UP_STEPS, max(0.02, left))


def train(model: LlamaForCausalLM, batches: Iterator[Batch], steps: int, peak: float, after_step: Callable[[int], None]) -> None:
    """Runs the steps, printing weighted loss and speed every hundred."""

    def loss_of(ids: Tensor, weights: Tensor, mask: Tensor, positions: Tensor) -> Tensor:
        logits = model(input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False).logits[:, :-1]
        losses = nn.functional.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
        wanted = weights[:, 1:].flatten()
        return (losses * wanted).sum() / wanted.sum()

    compiled = torch.compile(loss_of, dynamic=False)
    chosen = optimizers(model)
    started, recent = time.monotonic(), []
    for step in range(steps):
        for optimizer in chosen:
            for group in optimizer.param_groups:
                group["lr"] = peak * rate_factor(step, steps)
        batch = next(batches)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = compiled(batch.ids, batch.weights, batch.mask, batch.positions)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in chosen:
            optimizer.step()
            optimizer.zero_grad()
        recent.append(loss.item())
        after_step(step)
        if (step + 1) % 100 == 0:
            elapsed = time.monotonic() - started
            tokens = (step + 1) * ROWS * ROW_TOKENS
            print(f"step {step + 1}  {elapsed:.0f} s  {tokens / elapsed:.0f} tokens/s  loss {sum(recent) / len(recent):.4f}", flush=True)
            recent = []


def export(model: LlamaForCausalLM, folder: Path) -> None:
    """Writes the shipped model: bfloat16 safetensors and its configuration."""
    copy = LlamaForCausalLM(model.config)
    copy.load_state_dict(model.state_dict())
    copy.to(torch.bfloat16)
    copy.generation_config.update(max_new_tokens=64, do_sample=False)
    copy.save_pretrained(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2700)
    parser.add_argument("--drill-steps", type=int, default=400, help="steps that mostly drill letter binding")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--peak-rate", type=float, default=PEAK_RATE)
    parser.add_argument("--continue", dest="is_continued", action="store_true", help="start from the last checkpoint")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    tokenizer = AutoTokenizer.from_pretrained(MODEL_FOLDER)
    model = new_model(tokenizer, arguments.seed)
    if arguments.is_continued:
        model.load_state_dict(torch.load(CHECKPOINT))
    print(f"{sum(parameter.numel() for parameter in model.parameters()) / 1e6:.2f} million parameters", flush=True)

    step_now = 0
    rng = Random(1000 + arguments.seed + (500 if arguments.is_continued else 0))
    documents = encoded_documents(tokenizer, rng, lambda: 0.7 if step_now < arguments.drill_steps else 0.0)

    def after_step(step: int) -> None:
        nonlocal step_now
        step_now = step
        if (step + 1) % 300 == 0:
            save_checkpoint(model)

    train(model, pack(documents, rng), arguments.steps, arguments.peak_rate, after_step)
    save_checkpoint(model)
    export(model, MODEL_FOLDER)


def save_checkpoint(model: LlamaForCausalLM) -> None:
    """Writes the float32 weights."""
    CHECKPOINT.parent.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), CHECKPOINT)


if __name__ == "__main__":
    main()
