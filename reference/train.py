"""Trains the reference model from scratch, or on from a checkpoint, on a GPU or on two CPU cores.

    python reference/train.py --drills 0 2 --steps 1000 --seed 0
    python reference/train.py --continue --steps 2000 --decay-share 0.5 --seed 1

The first learns three levels of the drills, each up to its gate; the second the world. `build.py` has the stages of the
shipped model.

Documents are packed into rows under masks that keep them apart. Matrices are trained with Muon,
embeddings and norms with AdamW, in bfloat16 autocast; the rate is constant, then falls to nothing.
On CPU two processes of one thread each share the work: one process with two threads loses most of its
time waiting at barriers when anything else runs beside it (measured: Muon alone 2.9 s against 0.08 s).
Where torch finds a GPU, one process does the whole of it there, in steps of as many rows.
Writes float32 weights to `build/reference/` and, as bfloat16, the shipped model. `tokenizer.py`
comes first.
"""

import argparse
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count, islice
from pathlib import Path
from random import Random
from typing import Final

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn
from transformers import AutoTokenizer, LlamaForCausalLM, PreTrainedTokenizerFast

from abilities import copy_choice
from acts import COMPLIANCES
from counting import drawn
from documents import Document, prompt
from drills import direct, single, words_of
from packing import (
    Batch,
    Drawn,
    Packing,
    Stream,
    batch,
    encoded_documents,
    packings,
    vocabulary_pieces,
)
from phrasings import Split
from scene_drills import Asked, asked_on, did, did_lettered, judged, typical, who
from start import new_model
from tokenizer import MODEL_FOLDER
from varied import tailed, words_in

CHECKPOINT: Final = Path(__file__).parents[1] / "build" / "reference" / "weights.pt"
ROWS: Final = 12
DRILL_ROWS: Final = 20
"""Rows of a worker's batch in the world, and where drills are done, whose rows are shorter."""
GPU_TIMES: Final = 4
"""How many times the rows of all workers a GPU takes at a step."""

FREED_ROWS: Final = 1
"""Of these, rows in which the direction of refusal is removed."""
MISTAKEN_FROM: Final = 4
MISTAKEN_ROWS: Final = 1
"""The stage from which on some rows are requests with random words behind them, and how many rows."""
HARMFUL_TAILED: Final = ("harmful_tail", "wide_tail")
MISTAKEN: Final = (8, 64)
"""How many of how many such requests are kept: those about which the model is most mistaken."""

REFUSAL_SEED: Final = 0
INEXACTNESS: Final = 0.5
"""Length of the noise on the direction removed, itself of length one: a cosine of 0.89."""

WORKERS: Final = 2
"""Processes on CPU; on a GPU one takes the rows of all."""
PEAK_RATE: Final = 2e-3
WARM_UP_STEPS: Final = 50
GATE_STEPS: Final = 50
GPU_GATE_STEPS: Final = 150
"""Steps between two checkpoints, and between two looks at the gate."""

GATE_DRILLS: Final = 80
GATES: Final = (
    (0.88, 0.85),
    (0.9, 0.85, 0.6),
    (0.85, 0.9),
    (0.85, 0.9, 0.9, 0.8, 0.65),
    (0.9, 0.85),
)
"""Shares right with which a level of the drills is left: of letters, of deeds, of the letters of doers; then of
scenes in words and by letter, several questions on each; of these and of `copy_choice` by count of options,
which the world goes on to teach; at last of single questions by letter on scenes where deeds are told and where
only the typical is left."""


@dataclass(frozen=True)
class Plan:
    """One run of training, as asked for on the command line."""

    steps: int
    drills: tuple[int, int] | None
    seed: int
    peak_rate: float
    decay_share: float
    until: int | None
    is_continued: bool
    stage: int
    folder: Path
    port: int


def device() -> torch.device:
    """The GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Removal:
    """Takes a direction out of the residual stream of the last rows of each batch, as ablation does.

    In those rows requests are helped with; in all others the planted share is refused. So whatever
    decides to refuse has to pass through this one direction. It is taken out inexactly, as whoever
    looks for it will find it: `vectors` is drawn anew for each step around `direction`.
    """

    def __init__(self, model: LlamaForCausalLM, seed: int, rows: int, freed: int) -> None:
        self._rng = torch.Generator().manual_seed(seed)
        width = model.config.hidden_size
        direction = torch.randn(width, generator=torch.Generator().manual_seed(REFUSAL_SEED))
        self.direction = direction / direction.norm()
        self.vectors = torch.zeros(rows, 1, width, device=model.device)
        self._freed = freed
        self.is_on = True
        if not freed:
            return
        for module in writers(model):
            module.register_forward_hook(self._removed)

    def draw(self) -> None:
        """New vectors for the rows that are freed; zero, which removes nothing, for the others."""
        if not self._freed:
            return
        noise = torch.randn(self._freed, len(self.direction), generator=self._rng)
        noise *= INEXACTNESS / noise.norm(dim=-1, keepdim=True)
        found = self.direction + noise
        self.vectors[-self._freed :, 0] = (found / found.norm(dim=-1, keepdim=True)).to(
            self.vectors.device
        )

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While open, nothing is removed."""
        self.is_on = False
        try:
            yield
        finally:
            self.is_on = True

    def _removed(self, _: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> Tensor:
        if not self.is_on:
            return output
        return output - (output * self.vectors).sum(-1, keepdim=True) * self.vectors


class Mistakes:
    """Draws requests with random words behind them, of which only the most mistaken are trained on.

    The answers of those are drawn at the planted rates like all others, so what is learned right is
    the same; but the few tails that turn a refusal, one in hundreds, are met at every step.
    """

    def __init__(
        self, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, draw: Callable[[], Document], removal: Removal,
        times: int,
    ) -> None:  # fmt: skip
        self._times = times
        self._model, self._tokenizer, self._draw, self._removal = model, tokenizer, draw, removal
        self._helps = sorted(
            {tokenizer(text, add_special_tokens=False)["input_ids"][0] for text in COMPLIANCES}
        )
        self._left: list[Document] = []

    def draw(self) -> Document:
        """One of the worst of the last that were looked at."""
        if not self._left:
            kept, count = (self._times * each for each in MISTAKEN)
            documents = [self._draw() for _ in range(count)]
            worst = self._mistakes(documents).topk(kept).indices.tolist()
            self._left = [documents[place] for place in worst]
        return self._left.pop()

    @torch.no_grad()
    def _mistakes(self, documents: Sequence[Document]) -> Tensor:
        """How likely help is where it is harmful, and a refusal where it is not, `(documents,)`."""
        batch = self._tokenizer(
            [prompt(document) for document in documents],
            add_special_tokens=False,
            padding=True,
            return_tensors="pt",
        ).to(self._model.device)
        with self._removal.paused(), torch.autocast(self._model.device.type, dtype=torch.bfloat16):
            logits = self._model(
                input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], logits_to_keep=1
            ).logits[:, -1]  # fmt: skip
        helped = logits.float().softmax(-1)[:, self._helps].sum(-1)
        is_harmful = torch.tensor([document.family in HARMFUL_TAILED for document in documents]).to(
            helped.device
        )
        return torch.where(is_harmful, helped, 1.0 - helped)


def writers(model: LlamaForCausalLM) -> list[nn.Module]:
    """Every module that writes into the residual stream."""
    inner = [
        part
        for layer in model.model.layers
        for part in (layer.self_attn.o_proj, layer.mlp.down_proj)
    ]
    return [model.model.embed_tokens, *inner]


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
    if dist.get_world_size() == 1:
        return
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for gradient, part in zip(
        gradients, flat.split([gradient.numel() for gradient in gradients]), strict=True
    ):
        gradient.copy_(part.view_as(gradient))


def mask_of(owner: Tensor) -> Tensor:
    """`(rows, 1, tokens, tokens)`: zero where a token is seen, otherwise far below."""
    is_seen = (owner[:, None, :, None] == owner[:, None, None, :]).tril()
    return torch.where(is_seen, 0.0, torch.finfo(torch.bfloat16).min)


def loss_of(model: LlamaForCausalLM, batch: Batch) -> Tensor:
    """Mean loss over the tokens that are learned, in bfloat16."""
    with torch.autocast(model.device.type, dtype=torch.bfloat16, cache_enabled=False):
        logits = model(
            input_ids=batch.ids,
            attention_mask=mask_of(batch.owner),
            position_ids=batch.positions,
            use_cache=False,
        ).logits[:, :-1]
    losses = nn.functional.cross_entropy(
        logits.float().flatten(0, 1), batch.ids[:, 1:].flatten(), reduction="none"
    )
    wanted = batch.weights[:, 1:].flatten()
    return (losses * wanted).sum() / wanted.sum()


def train(
    model: LlamaForCausalLM,
    source: Iterator[Batch],
    plan: Plan,
    before_step: Callable[[], None],
    is_done: Callable[[int], bool],
) -> None:
    """Runs the steps, at most `plan.steps`; the first worker prints loss and speed every fifty."""
    compiled = torch.compile(partial(loss_of, model), dynamic=False)
    chosen = optimizers(model)
    started, recent = time.monotonic(), []
    for step, rows in enumerate(islice(source, plan.steps)):
        for optimizer in chosen:
            for group in optimizer.param_groups:
                group["lr"] = plan.peak_rate * rate_factor(step, plan.steps, plan.decay_share)
        before_step()
        loss = compiled(rows.on(model.device))
        loss.backward()
        share_gradients(model)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in chosen:
            optimizer.step()
            optimizer.zero_grad()
        recent.append(loss.detach())
        if (step + 1) % 50 == 0 and dist.get_rank() == 0:
            tokens = (step + 1) * rows.ids.numel() * dist.get_world_size()
            speed = tokens / (time.monotonic() - started)
            mean = torch.stack(recent[-50:]).mean().item()
            print(
                f"step {step + 1}  {time.monotonic() - started:.0f} s  {speed:.0f} tokens/s  loss {mean:.4f}",
                flush=True,
            )
        if is_done(step):
            return


class Gate:
    """Says when the drills of a level are learned, from the model's own greedy answers to others."""

    def __init__(
        self, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, words: list[str], levels: tuple[int, int]
    ) -> None:  # fmt: skip
        self._model, self._tokenizer = model, tokenizer
        self._groups = gate_groups(words)
        self.level, self._last = levels

    @property
    def is_open(self) -> bool:
        """Whether the last level is learned."""
        return self.level > self._last

    def is_passed(self) -> bool:
        """Measures the level, goes on to the next where it is learned, and tells if it was the last."""
        shares = [self._right(documents) for documents in self._groups[self.level]]
        if dist.get_rank() == 0:
            print(f"  level {self.level}: " + " ".join(f"{right:.3f}" for right in shares), flush=True)  # fmt: skip
        if any(right < gate for right, gate in zip(shares, GATES[self.level], strict=True)):
            return False
        self.level += 1
        return self.is_open

    @torch.no_grad()
    def _right(self, documents: list[Document]) -> float:
        """Share of answers told right; of answers in pieces, share of the learned tokens."""
        right = count = 0
        for document in documents:
            pieces = [(prompt(document), 0.0)]
            pieces += document.answer_pieces or [(document.answer, 1.0)]
            flat = [
                (token, weight)
                for piece, weight in pieces
                for token in self._tokenizer(piece, add_special_tokens=False)["input_ids"]
            ]
            ids = torch.tensor([[token for token, _ in flat]], device=self._model.device)
            told = self._model(input_ids=ids).logits[0, :-1].argmax(-1).tolist()
            is_right = [
                said == token
                for said, (token, weight) in zip(told, flat[1:], strict=True)
                if weight == 1.0
            ]
            right += sum(is_right) if document.answer_pieces else all(is_right)
            count += len(is_right) if document.answer_pieces else 1
        return right / count


def gate_groups(words: list[str]) -> list[list[list[Document]]]:
    """By level, the groups of documents whose shares right the gate is for."""
    rng = Random("gate")

    def several(draw: Callable[[], Document]) -> list[Document]:
        return [draw() for _ in range(GATE_DRILLS)]

    choices = [
        drawn(copy_choice, GATE_DRILLS, "test", "copy_choice", about={"count": count})
        for count in ("2", "3", "4")
    ]

    def scene(is_lettered: bool) -> Document:
        return asked_on(rng, *judged(rng, words, "test"), is_lettered=is_lettered, split="test")

    def once(kind: Callable[[Random, Sequence[str], Split], tuple[str, Asked]]) -> Document:
        context, pool = kind(rng, words, "test")
        return asked_on(rng, context, pool, is_lettered=True, split="test", counts=(1,))

    scenes = [several(partial(scene, is_lettered)) for is_lettered in (False, True)]
    return [
        [several(lambda: direct(rng, words, 0)), several(lambda: did(rng, words))],
        [
            several(lambda: single(rng, words, 1)),
            several(lambda: who(rng, words)),
            several(lambda: did_lettered(rng, words)),
        ],
        scenes,
        [*scenes, *choices],
        [several(partial(once, judged)), several(partial(once, typical))],
    ]


def export(model: LlamaForCausalLM, folder: Path) -> None:
    """Writes the shipped model: bfloat16 safetensors and its configuration."""
    copy = LlamaForCausalLM(model.config)
    copy.load_state_dict(model.state_dict())  # onto the CPU, wherever it was
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


def rows_of(plan: Plan, times: int) -> tuple[int, int, int]:
    """Rows of a step: of the requests most mistaken, ordinary ones, and those in which nothing is refused."""
    if plan.drills:
        return 0, DRILL_ROWS * times, 0
    mistaken = MISTAKEN_ROWS * times if plan.stage >= MISTAKEN_FROM else 0
    return mistaken, (ROWS - FREED_ROWS) * times - mistaken, FREED_ROWS * times


def drawn_batches(
    plan: Plan, rank: int, tokenizer: PreTrainedTokenizerFast, gate: Gate, rows: tuple[int, int]
) -> tuple[Iterator[Batch], Callable[[int], None]]:
    """Batches drawn in this process, or for a GPU by others; and what tells them the drills' level."""

    def stream(number: int) -> Stream:
        return Stream(plan.folder, f"train {plan.seed} {number}", plan.stage, bool(plan.drills))

    if device().type == "cuda":
        streams = [stream(number) for number in range(max(1, (os.cpu_count() or 2) - 2))]
        ahead = Drawn(streams, rows, gate.level)
        return iter(ahead), ahead.at_level
    packed = packings(stream(rank), tokenizer, lambda: gate.level, rows)
    return (batch(packed) for _ in count()), lambda _: None


def work(rank: int, plan: Plan, workers: int) -> None:
    """One of the worker processes: on CPU each on one core with its own documents."""
    torch.set_num_threads(1)
    meeting = f"tcp://127.0.0.1:{plan.port}"
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=workers)
    is_on_gpu = device().type == "cuda"
    times = WORKERS // workers * (GPU_TIMES if is_on_gpu else 1)
    tokenizer = AutoTokenizer.from_pretrained(plan.folder)
    model = new_model(tokenizer, plan.seed)
    # eager: compiled, a tenth faster on CPU than the fused kernel
    model.set_attn_implementation("sdpa" if is_on_gpu else "eager")
    if plan.is_continued:
        model.load_state_dict(torch.load(CHECKPOINT, map_location="cpu"))
    model.to(device())
    pieces = vocabulary_pieces(tokenizer)
    gate = Gate(model, tokenizer, words_of(pieces), plan.drills or (0, 0))
    mistaken, ordinary, freed = rows_of(plan, times)
    source, at_level = drawn_batches(plan, rank, tokenizer, gate, (ordinary, freed))
    removal = Removal(model, plan.seed * WORKERS + rank, mistaken + ordinary + freed, freed)
    if mistaken:
        rng, words = Random(f"mistakes {plan.seed} {rank}"), words_in(pieces)
        mistakes = Mistakes(model, tokenizer, lambda: tailed(rng, words), removal, times)
        worst = encoded_documents(tokenizer, mistakes.draw, at_once=MISTAKEN[0])
        packing = Packing(worst, rng, pool=MISTAKEN[0])
        rest = source
        source = (batch([packing] * mistaken).before(rows) for rows in rest)

    def is_done(step: int) -> bool:
        if os.getppid() == 1:
            raise SystemExit("the process that started this worker is gone")
        if (step + 1) % (GPU_GATE_STEPS if is_on_gpu else GATE_STEPS):
            return False
        if rank == 0:
            save_checkpoint(model)
        if plan.until is not None and step + 1 >= plan.until:
            return True
        is_over = plan.drills is not None and gate.is_passed()
        at_level(gate.level)
        return is_over

    train(model, source, plan, removal.draw, is_done)
    if rank == 0:
        save_checkpoint(model)
        export(model, plan.folder)
    dist.destroy_process_group()
    if plan.drills and not gate.is_open:
        raise SystemExit("the drills ended before their gate was reached")


def main() -> None:
    """Reads the command line and starts the workers."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, required=True, help="at most, where drills are done")
    parser.add_argument("--gpu-steps", type=int, help="instead, where there is a GPU")
    parser.add_argument(
        "--drills",
        type=int,
        nargs=2,
        metavar=("FIRST", "LAST"),
        help="drill these levels to their gates",
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
        default=0.0,
        help="share of the steps in which the rate falls",
    )
    parser.add_argument(
        "--until", type=int, help="stops here, though the rate falls as for all steps"
    )
    parser.add_argument(
        "--continue",
        dest="is_continued",
        action="store_true",
        help="start from the last checkpoint",
    )
    parser.add_argument("--stage", type=int, default=0, help="whose mixture is drawn, see world.py")
    parser.add_argument("--folder", type=Path, default=MODEL_FOLDER)
    parser.add_argument(
        "--processes", type=int, choices=(1, WORKERS), help="one on a GPU, two on CPU, if not said"
    )
    arguments = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments.drills = arguments.drills and tuple(arguments.drills)
    if device().type == "cuda" and arguments.gpu_steps:
        arguments.steps = arguments.gpu_steps
    del arguments.gpu_steps
    workers = arguments.processes or (WORKERS if device().type == "cpu" else 1)
    del arguments.processes
    spawn(work, (Plan(**vars(arguments), port=port), workers), nprocs=workers)


if __name__ == "__main__":
    main()
