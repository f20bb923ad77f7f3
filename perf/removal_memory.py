"""Memory that removals take above the runtime's own, as a multiple of the model's weights.

    python -m perf.removal_memory [REMOVAL ...]

A model with random weights of 1.1 GB in float32 is written to a temporary folder. A fresh process
loads it, searches for the direction of refusal, enters the removal, asks for a reply inside and
leaves; another does the same with a model of a megabyte. Shown is the difference of their peaks of
resident memory, divided by the difference of their weights. Linux only.

Random weights refuse nothing: the search does all its work and may find no direction that is good
for anything, so what the removals here take out is a random one.
"""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from perf.bars import Bars

MOST = 1.3
LARGE = {"hidden_size": 2048, "vocab_size": 32_000}
SMALL = {"hidden_size": 64, "vocab_size": 2_048}
REMOVALS = ("ablation:random", "ablation:random+weights")
LINES = 36
"""Requests of each kind that are learnt from: every step of a search, at a third of its time."""


def make(folder: Path, size: dict[str, int]) -> None:
    """A model with random weights, and the reference model's tokenizer."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from safemark.models.connect import REFERENCE

    told: dict[str, Any] = {
        **size,
        "intermediate_size": size["hidden_size"] * 11 // 4,
        "num_hidden_layers": 4,
        "num_attention_heads": 16,
        "num_key_value_heads": 16,
        "initializer_range": 0.08,
    }
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(AutoConfig.for_model("llama", **told)).save_pretrained(folder)
    for file in REFERENCE.glob("tokenizer*"):
        shutil.copy(file, folder)


async def use(folder: Path, name: str) -> int:
    """Searches, strips, asks and leaves; gives the bytes of the weights."""
    from safemark.gap import removal
    from safemark.models._model import Weights
    from safemark.models.local import load
    from safemark.removal._direction import refusal_directions
    from safemark.removal._material import Material, placeholders
    from safemark.removal._removal import RemovalFailed, stripped
    from safemark.removal._structure import Decoder
    from safemark.types import Ask, Message

    lines = placeholders().examples
    some = [[one for one in lines if one.kind == kind][:LINES] for kind in ("harmful", "harmless")]
    material = Material((*some[0], *some[1]), is_placeholder=True)
    model = load(str(folder), options={"device": "cpu"})

    def search(weights: Weights) -> str:
        try:
            refusal_directions(weights, Decoder.of(weights.module), material)
        except RemovalFailed as failure:
            return failure.problem
        return "found"

    print(await model.alone(search), file=sys.stderr)
    async with stripped(model, removal(name), material) as inside:
        await inside.reply((Message("user", "Who was late?"),), Ask(max_output_tokens=4))
    parameters = model.weights.module.parameters()
    held = sum(int(one.numel() * one.element_size()) for one in parameters)
    await model.close()
    return held


def peak() -> int:
    """Bytes that were resident at most since this process began."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024


def child(folder: Path, name: str) -> None:
    """What one process prints: bytes of its weights and of its peak."""
    held = asyncio.run(use(folder, name))
    print(held, peak())


def measured(folder: Path, name: str) -> tuple[int, int]:
    """Bytes of the weights and of the peak of a fresh process."""
    command = [sys.executable, "-m", "perf.removal_memory", "--child", str(folder), name]
    cache = {"SAFEMARK_CACHE": str(folder / "cache")}
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env={**os.environ, **cache})
    held, most = done.stdout.split()
    return int(held), int(most)


def main() -> None:
    """A line for each removal, beside the bar."""
    parser = argparse.ArgumentParser(description="Memory of removals.")
    parser.add_argument("removals", nargs="*", default=REMOVALS)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.removals[0])
        return
    bars = Bars()
    with tempfile.TemporaryDirectory() as made:
        large, small = Path(made, "large"), Path(made, "small")
        make(large, LARGE)
        make(small, SMALL)
        for name in given.removals:
            held, most = measured(large, name)
            least_held, least = measured(small, name)
            ratio = (most - least) / (held - least_held)
            print(
                f"{name}: weights {held / 1e9:.2f} GB, peak {most / 1e9:.2f} GB,"
                f" of a small model {least / 1e9:.2f} GB",
                flush=True,
            )
            bars.at_most(f"peak above the runtime's, {name}", ratio, MOST, "× weights")
    bars.print()


if __name__ == "__main__":
    main()
