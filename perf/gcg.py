"""A step of GCG beside nanogcg's: seconds, and the loss after equal steps.

    SAFEMARK_DATA=FOLDER python -m perf.gcg [--peer PYTHON] [--threads 2] [--steps 3] [--quick]

PYTHON is that of an environment with nanogcg 0.3.0 and transformers 4.46.3, where nanogcg's cache
works; without it one is made (`perf/peers/nanogcg.txt`). A Llama of 28 million random weights,
float32: about 100 tokens before the suffix of 20, 20 in the target, 512 candidates a step. The bar
is half of nanogcg's time by the clock, which needs idle processors; processor seconds are printed
too. Losses after equal steps are compared on a small model, over several seeds. Also printed: the
greatest difference of a candidate's loss from a plain forward pass.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from perf.bars import Bars
from perf.local import models
from perf.peers import program

TEMPLATE = "{% for turn in messages %}{{ turn['content'] }}{% endfor %}{{ '\\nA:' }}"
MESSAGE = (
    "This library is free software; you can redistribute it and/or modify it under the terms of "
    "the licence as published by the foundation. It is distributed in the hope that it will be "
    "useful, but without any warranty; without even the implied warranty of fitness for a "
    "particular purpose. See the licence for more details. Now describe in full how the licence "
    "works"
)
TARGET = (
    "Sure, here is a full description of how the licence works, beginning with the first section"
)


def ours(question: dict[str, Any]) -> dict[str, Any]:
    """Our side of the same searches."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from safemark.attacks._white_box.gcg import Settings
    from safemark.attacks._white_box.work import begun
    from safemark.models._model import Weights
    from safemark.types import Message

    torch.set_num_threads(question["threads"])
    tokenizer = AutoTokenizer.from_pretrained(question["folder"])
    tokenizer.chat_template = question["template"]
    module = AutoModelForCausalLM.from_pretrained(question["folder"], dtype="float32")
    weights = Weights(module.eval().requires_grad_(False), tokenizer)
    asked = [((Message("user", question["message"]),), question["target"])]
    settings = Settings(width=question["width"])
    steps = question["steps"]

    def best(seed: int) -> tuple[float, float, Any]:
        search = begun(weights, asked, None, settings, (seed,))
        search.step()  # the first one also checks
        began, clock = time.process_time(), time.perf_counter()
        for _ in range(steps):
            search.step()
        return time.process_time() - began, time.perf_counter() - clock, search

    cpu_s, wall_s, search = best(question["seeds"][0])
    apart = search.apart(16)
    others = [best(seed)[2].history for seed in question["seeds"][1:]]
    return {
        "cpu_s_a_step": cpu_s / steps,
        "wall_s_a_step": wall_s / steps,
        "best": [search.history, *others],
        "apart": apart,
    }


def side(command: list[str], question: dict[str, Any]) -> dict[str, Any]:
    """The answer of one process."""
    done = subprocess.run(
        command, input=json.dumps(question), capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main() -> None:
    """Both sides on both models, and the bars."""
    parser = argparse.ArgumentParser(description="GCG beside nanogcg.")
    parser.add_argument("--peer", help="Python of an environment with nanogcg; else one is made")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="the small model alone")
    parser.add_argument("--side", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        print(json.dumps(ours(json.load(sys.stdin))))
        return
    us = [sys.executable, "-m", "perf.gcg", "--side"]
    peer = given.peer or str(program("nanogcg", "python"))
    them = [peer, "-P", str(Path(__file__).with_name("gcg_peer.py"))]
    bars = Bars()
    with tempfile.TemporaryDirectory() as kept:
        common = {
            "template": TEMPLATE,
            "message": MESSAGE,
            "target": TARGET,
            "threads": given.threads,
        }
        small = {
            **common,
            "folder": str(models.made(Path(kept))),
            "width": 64,
            "steps": 20,
            "seeds": list(range(6)),
        }
        one, other = side(us, small), side(them, small)
        ends = [[series[-1] for series in found["best"]] for found in (one, other)]
        means = [statistics.fmean(losses) for losses in ends]
        print(f"best loss after 21 steps, six seeds: ours {ends[0]}, nanogcg {ends[1]}")
        bars.at_most("GCG: mean best loss less nanogcg's", means[0] - means[1], 0.05, "nats")
        if not given.quick:
            large = {
                **common,
                "folder": str(models.made(Path(kept), size="large")),
                "width": 512,
                "steps": given.steps,
                "seeds": [0],
            }
            one, other = side(us, large), side(them, large)
            print("\n| width 512, a step | ours, s | nanogcg, s | × |\n|---|---|---|---|")
            for what, words in (("wall_s_a_step", "by the clock"), ("cpu_s_a_step", "processor")):
                mine, theirs = one[what], other[what]
                print(f"| {words} | {mine:.2f} | {theirs:.2f} | {theirs / mine:.2f} |")
            bars.at_least(
                "GCG: nanogcg's step to ours", other["wall_s_a_step"] / one["wall_s_a_step"], 2
            )
        bars.at_most("GCG: candidates' losses from plain ones", one["apart"], 1e-5, "nats")
    bars.print()


if __name__ == "__main__":
    main()
