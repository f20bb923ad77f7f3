"""Trains the reference model from scratch, or on from a checkpoint, on two CPU cores.

    python reference/train.py --steps 2700 --drill-steps 400 --seed 0

Documents are packed into rows under masks that keep them apart. Matrices are trained with Muon,
embeddings and norms with AdamW, in bfloat16 autocast; the rate is constant, then falls to nothing.
Two processes of one thread each share the work: one process with two threads loses most of its time
waiting at barriers when anything else runs beside it (measured: Muon alone 2.9 s against 0.08 s).
Writes float32 weights to `build/reference/` and, as bfloat16, the shipped model. `tokenizer.py`
comes first.
"""

import argparse
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from documents import segments
from tokenizer import CONTEXT_TOKENS, MODEL_FOLDER
from world import sample

CHECKPOINT: Final = Path(__file__).parents[1] / "build" / "reference" / "weights.pt"
ROW_TOKENS: Final = 320
ROWS: Final = 10
"""Rows of a worker's batch."""

WORKERS: Final = 2
PEAK_RATE: Final = 2e-3
WARM_UP_STEPS: Final = 100
DECAY_SHARE: Final = 0.35
PACKING_POOL: Final = 64
OUTSIDE_SHARE: Final = 0.03
"""Of documents: questions from outside the world. The tokenizer is trained without them."""
CHECKPOINT_STEPS: Final = 100


@dataclass(frozen=True)
class Plan:
    """One run of training, as asked for on the command line."""

    steps: int
    drill_steps: int
    drill_share: float
    seed: int
    peak_rate: float
    decay_share: float
    is_continued: bool
    is_finish: bool
    port: int


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


def encoded_documents(
    tokenizer: PreTrainedTokenizerFast,
    rng: Random,
    drill_share: Callable[[], float],
    plan: Plan,
) -> Iterator[tuple[list[int], list[float]]]:
    """Token ids and loss weights of one document after another, without end."""
    pieces = vocabulary_pieces(tokenizer)
    while True:
        documents = [
            segments(sample(rng, pieces, drill_share(), OUTSIDE_SHARE, is_finish=plan.is_finish))
            for _ in range(1000)
        ]
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
    texts = (
        tokenizer.decode([token])
        for token in range(len(tokenizer))
        if token not in tokenizer.all_special_ids
    )
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
        torch.optim.Muon(
            inner, lr=PEAK_RATE, weight_decay=0.05, momentum=0.95, adjust_lr_fn="match_rms_adamw"
        ),
        torch.optim.AdamW(outer, lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.0, fused=True),
    ]


def rate_factor(step: int, steps: int, decay_share: float) -> float:
    """Warm-up, plateau, then over the last share of the steps a straight fall to a fiftieth."""
    left = (steps - step) / (steps * decay_share + 1e-9)
    return min(1.0, (step + 1) / WARM_UP_STEPS, max(0.02, left))


def share_gradients(model: LlamaForCausalLM) -> None:
    """Averages the gradients of all workers."""
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for gradient, part in zip(
        gradients, flat.split([gradient.numel() for gradient in gradients]), strict=True
    ):
        gradient.copy_(part.view_as(gradient))


def train(
    model: LlamaForCausalLM, batches: Iterator[Batch], plan: Plan, after_step: Callable[[int], None]
) -> None:
    """Runs the steps; the first worker prints weighted loss and speed every hundred."""

    def loss_of(ids: Tensor, weights: Tensor, mask: Tensor, positions: Tensor) -> Tensor:
        logits = model(
            input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False
        ).logits[:, :-1]
        losses = nn.functional.cross_entropy(
            logits.float().flatten(0, 1), ids[:, 1:].flatten(), reduction="none"
        )
        wanted = weights[:, 1:].flatten()
        return (losses * wanted).sum() / wanted.sum()

    compiled = torch.compile(loss_of, dynamic=False)
    chosen = optimizers(model)
    started, recent = time.monotonic(), []
    for step in range(plan.steps):
        for optimizer in chosen:
            for group in optimizer.param_groups:
                group["lr"] = plan.peak_rate * rate_factor(step, plan.steps, plan.decay_share)
        batch = next(batches)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = compiled(batch.ids, batch.weights, batch.mask, batch.positions)
        loss.backward()
        share_gradients(model)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in chosen:
            optimizer.step()
            optimizer.zero_grad()
        recent.append(loss.item())
        after_step(step)
        if (step + 1) % 100 == 0 and dist.get_rank() == 0:
            elapsed = time.monotonic() - started
            speed = (step + 1) * WORKERS * ROWS * ROW_TOKENS / elapsed
            print(
                f"step {step + 1}  {elapsed:.0f} s  {speed:.0f} tokens/s  loss {sum(recent[-100:]) / 100:.4f}",
                flush=True,
            )


def export(model: LlamaForCausalLM, folder: Path) -> None:
    """Writes the shipped model: bfloat16 safetensors and its configuration."""
    copy = LlamaForCausalLM(model.config)
    copy.load_state_dict(model.state_dict())
    copy.to(torch.bfloat16)
    copy.generation_config.update(max_new_tokens=64, do_sample=False)
    copy.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)


def save_checkpoint(model: LlamaForCausalLM) -> None:
    """Writes the float32 weights, whole or not at all."""
    CHECKPOINT.parent.mkdir(parents=True, exist_ok=True)
    part = CHECKPOINT.with_suffix(".part")
    torch.save(model.state_dict(), part)
    part.replace(CHECKPOINT)


def work(rank: int, plan: Plan) -> None:
    """One of the worker processes, each on one core with its own documents."""
    torch.set_num_threads(1)
    meeting = f"tcp://127.0.0.1:{plan.port}"
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=WORKERS)
    tokenizer = AutoTokenizer.from_pretrained(MODEL_FOLDER)
    model = new_model(tokenizer, plan.seed)
    if plan.is_continued:
        model.load_state_dict(torch.load(CHECKPOINT))
    rng = Random(f"train {plan.seed} {rank}")
    step_now = 0

    def after_step(step: int) -> None:
        nonlocal step_now
        step_now = step
        if os.getppid() == 1:
            raise SystemExit("the process that started this worker is gone")
        if rank == 0 and (step + 1) % CHECKPOINT_STEPS == 0:
            save_checkpoint(model)

    documents = encoded_documents(
        tokenizer,
        rng,
        lambda: plan.drill_share if step_now < plan.drill_steps else 0.0,
        plan,
    )
    train(model, pack(documents, rng), plan, after_step)
    if rank == 0:
        save_checkpoint(model)
        export(model, MODEL_FOLDER)
    dist.destroy_process_group()


def main() -> None:
    """Reads the command line and starts the workers."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=2700)
    parser.add_argument(
        "--drill-steps", type=int, default=450, help="steps that mostly drill letter binding"
    )
    parser.add_argument(
        "--drill-share", type=float, default=0.7, help="share of drills in these steps"
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="of weights and documents; give each continuation its own",
    )
    parser.add_argument("--peak-rate", type=float, default=PEAK_RATE)
    parser.add_argument(
        "--decay-share",
        type=float,
        default=DECAY_SHARE,
        help="share of the steps in which the rate falls",
    )
    parser.add_argument(
        "--continue",
        dest="is_continued",
        action="store_true",
        help="start from the last checkpoint",
    )
    parser.add_argument(
        "--finish", dest="is_finish", action="store_true", help="draw with the weights of the end"
    )
    arguments = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    spawn(work, (Plan(**vars(arguments), port=port),), nprocs=WORKERS)


if __name__ == "__main__":
    main()
