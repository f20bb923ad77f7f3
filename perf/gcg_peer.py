"""The other side of `perf.gcg`: nanogcg 0.3, with its prefix cache where it works.

Run with the Python of an environment that holds nanogcg and transformers 4.46, not ours:

    python -P gcg_peer.py < QUESTION.json

One JSON line on stdout: seconds a step, processor's and clock's, and the best loss after each step,
by seed. Nothing of Safemark is imported.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any


def main(question: dict[str, Any]) -> None:
    """Searches with each seed, the first one step shorter to take the start away."""
    import nanogcg
    import torch
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    torch.set_num_threads(question["threads"])
    folder = Path(question["folder"])
    ends = {"bos_token": "<s>", "eos_token": "</s>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), **ends)
    tokenizer.chat_template = question["template"]
    model = AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.float32).eval()

    def searched(seed: int, steps: int) -> tuple[float, float, list[float]]:
        config = nanogcg.GCGConfig(
            num_steps=steps, search_width=question["width"], seed=seed, verbosity="ERROR"
        )
        began, clock = time.process_time(), time.perf_counter()
        found = nanogcg.run(model, tokenizer, question["message"], question["target"], config)
        return time.process_time() - began, time.perf_counter() - clock, list(found.losses)

    steps, seeds = question["steps"], question["seeds"]
    short = searched(seeds[0], 1)
    long = searched(seeds[0], 1 + steps)
    cpu_s, wall_s = (long[0] - short[0]) / steps, (long[1] - short[1]) / steps
    all_losses = [long[2], *(searched(seed, 1 + steps)[2] for seed in seeds[1:])]
    best = [[min(one[: place + 1]) for place in range(len(one))] for one in all_losses]
    print(json.dumps({"cpu_s_a_step": cpu_s, "wall_s_a_step": wall_s, "best": best}))


if __name__ == "__main__":
    main(json.load(sys.stdin))
