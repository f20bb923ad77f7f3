"""Likelihoods: Safemark beside lm-evaluation-harness, whole processes in turns.

    SAFEMARK_DATA=FOLDER python -m perf.local.scoring [--sets bbq,mmlu] [--batch-sizes 1,8,32]

The same random Llama of 28 million parameters, the same requests, float32, as many threads as
OMP_NUM_THREADS says. The other side's batch size is the fastest of those tried on a tenth of the
items. Ratios are given for wall and for CPU time: on a busy machine only the latter says anything.
`--device cuda --dtype bfloat16 --size huge` (1.1 billion parameters) goes by the clock alone, and
tells which share of the device's rate is used.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perf.bars import Bars
from perf.local import items, machine, models
from perf.peers import FOLDER as PEERS
from perf.peers import program
from perf.processes import Bench, Process
from safemark.models.local.prompts import Prompts
from safemark.models.local.tree import PrefixTree

BARS = {"bbq": 5.0, "truthfulqa": 15.0, "crows_pairs": 1.6, "mmlu": 10.0}
TOKENS_BAR = 1.1
RATE_BAR = 0.7
BATCH_SIZES = "1,4,16"
"""Of 1, 4, 8, 16, 32, 64 the best were 1 or 4 on TruthfulQA, 1 on MMLU, 16 on the other sets."""

ROOT = PEERS.parents[1]


@dataclass(frozen=True, slots=True)
class Side:
    """One process, what it told, and its answers: (log-likelihood, greedy) for each choice."""

    process: Process
    told: dict[str, Any]
    answers: list[list[tuple[float, bool]]]


@dataclass(frozen=True, slots=True)
class Work:
    """What the items of one set are, in tokens: all, distinct, and distinct ones that are read.

    ``seen`` sums over the distinct ones how many positions each looks at.
    """

    asked: int
    distinct: int
    read: int
    seen: int


@dataclass(frozen=True, slots=True)
class On:
    """Where both sides compute, and in which type."""

    device: str = "cpu"
    dtype: str = "float32"


CPU = On()


def ours(bench: Bench, model: Path, asked: Path, on: On = CPU) -> Side:
    """Safemark's process."""
    out = bench.folder / "ours.jsonl"
    words = [sys.executable, "-m", "perf.local.ours", str(model), str(asked), str(out)]
    words += ["-M", f"device={on.device}", "-M", f"dtype={on.dtype}"]
    return _side(bench, words, out)


def theirs(bench: Bench, model: Path, asked: Path, batch_size: int, on: On = CPU) -> Side:
    """The other side's process."""
    out = bench.folder / "theirs.jsonl"
    script = Path(__file__).with_name("theirs.py")
    words = [_their_python(), "-P", script, model, asked, out, batch_size, on.device, on.dtype]
    return _side(bench, [str(word) for word in words], out)


def greatest_difference(one: Side, other: Side) -> tuple[float, int]:
    """The greatest |a - b| ÷ max(1e-4, 1e-5·|b|), and how many greedy flags differ."""
    worst, flags = 0.0, 0
    for mine, right in zip(one.answers, other.answers, strict=True):
        for (value, greedy), (expected, flag) in zip(mine, right, strict=True):
            worst = max(worst, abs(value - expected) / max(1e-4, 1e-5 * abs(expected)))
            flags += greedy != flag
    return worst, flags


def work(model: Path, asked: Path) -> Work:
    """Tokens of a set."""
    from transformers import AutoTokenizer

    tree, total = PrefixTree(), 0
    prompts = Prompts(AutoTokenizer.from_pretrained(model))
    rows = items.read(asked)
    for found in prompts.pairs([(row.context, row.choices) for row in rows]):
        for pair in found if isinstance(found, list) else ():
            inputs = (pair.context + pair.continuation)[-models.LONGEST - 1 : -1]
            total += len(inputs)
            tree.add(inputs, pair.continuation)
    read = sum(1 for wanted in tree.wanted if wanted)
    return Work(total, len(tree), read, sum(depth + 1 for depth in tree.depths))


def flops(model: Path, computed: int, of: Work) -> float:
    """What is multiplied: the layers' matrices for each token computed, attention to what each
    distinct one looks at; the last feed-forward network and the projection for those read.
    """
    config: dict[str, int] = json.loads((model / "config.json").read_text())
    size, layers = config["hidden_size"], config["num_hidden_layers"]
    keys = config["num_key_value_heads"] * size // config["num_attention_heads"]
    attention = layers * (2 * size * size + 2 * size * keys) * computed
    fed_forward = 3 * size * config["intermediate_size"] * ((layers - 1) * computed + of.read)
    looked = layers * 2 * size * of.seen
    return 2.0 * (attention + fed_forward + looked + size * config["vocab_size"] * of.read)


def best_batch_size(
    bench: Bench, model: Path, asked: Path, sizes: Sequence[int], on: On = CPU
) -> int:
    """Of the other side, on every tenth item."""
    if len(sizes) == 1:
        return sizes[0]
    few = bench.folder / "few.jsonl"
    lines = asked.read_text(encoding="utf-8").splitlines(keepends=True)
    few.write_text("".join(lines[::10]), encoding="utf-8")
    spent = "scoring_cpu_s" if on == CPU else "scoring_wall_s"
    tried = {size: theirs(bench, model, few, size, on).told[spent] for size in sizes}
    return min(tried, key=lambda size: tried[size])


def row(bench: Bench, name: str, model: Path, asked: Path, sizes: Sequence[int], bars: Bars) -> str:
    """One set on both sides."""
    size = best_batch_size(bench, model, asked, sizes)
    mine, other = ours(bench, model, asked), theirs(bench, model, asked, size)
    found = work(model, asked)
    computed = mine.told["tokens_computed"]
    rate = flops(model, computed, found) / mine.told["scoring_cpu_s"] / 1e9
    share, of_ours = rate / machine.gemm_rate(), rate / machine.our_rate()
    worst, flags = greatest_difference(mine, other)
    wall = other.process.wall_s / mine.process.wall_s
    cpu = other.process.cpu_s / mine.process.cpu_s
    bars.at_least(f"lm-eval ÷ Safemark, CPU, {name}", cpu, BARS[name])
    bars.at_least(f"lm-eval ÷ Safemark, wall, {name}", wall, BARS[name])
    bars.at_most(f"tokens computed ÷ distinct, {name}", computed / found.distinct, TOKENS_BAR, "")
    bars.at_least(f"share of the rate of torch's linear layers, {name}", share, RATE_BAR)
    bars.at_most(f"greatest difference ÷ what is allowed, {name}", worst, 1, "")
    return (
        f"| {name} | {len(mine.answers):,} | {found.asked:,} | {found.distinct:,} | {computed:,} "
        f"| {mine.process.wall_s:.1f} | {other.process.wall_s:.1f} | {mine.process.cpu_s:.1f} "
        f"| {other.process.cpu_s:.1f} | {size} | {wall:.1f} | {cpu:.1f} | {rate:.0f} "
        f"| {share:.2f} | {of_ours:.2f} | {worst:.2f} | {flags} |"
    )


def accelerated_row(
    bench: Bench, name: str, model: Path, asked: Path, sizes: Sequence[int], on: On
) -> str:
    """The same by the clock on another device, with the share of its rate that is used."""
    size = best_batch_size(bench, model, asked, sizes, on)
    mine, other = ours(bench, model, asked, on), theirs(bench, model, asked, size, on)
    found = work(model, asked)
    computed = mine.told["tokens_computed"]
    rate = flops(model, computed, found) / mine.told["scoring_wall_s"] / 1e9
    share = rate / machine.accelerator_rate(on.device, on.dtype)
    took, took_them = mine.told["scoring_wall_s"], other.told["scoring_wall_s"]
    apart = [
        abs(one[0] - right[0])
        for found_one, found_other in zip(mine.answers, other.answers, strict=True)
        for one, right in zip(found_one, found_other, strict=True)
    ]
    return (
        f"| {name} | {len(mine.answers):,} | {found.distinct:,} | {computed:,} | {took:.1f} "
        f"| {took_them:.1f} | {size} | {took_them / took:.1f} "
        f"| {other.process.wall_s / mine.process.wall_s:.1f} | {rate:,.0f} | {100 * share:.0f} % "
        f"| {sum(apart) / len(apart):.4f} |"
    )


def main() -> None:
    """Every row, then every bar."""
    arguments = argparse.ArgumentParser(description="Likelihoods beside lm-evaluation-harness.")
    arguments.add_argument("--folder", type=Path, help="where models are kept (a temporary one)")
    arguments.add_argument("--sets", default=",".join(items.SETS))
    arguments.add_argument("--batch-sizes", default=BATCH_SIZES)
    arguments.add_argument("--items", type=int, help="the first so many of each set only")
    arguments.add_argument("--device", default="cpu", help="cuda: a table of its own, no bars")
    arguments.add_argument("--dtype", default="float32")
    arguments.add_argument("--size", default="large", choices=sorted(models.SIZES))
    given = arguments.parse_args()
    items.check_data()
    bars, on = Bars(), On(given.device, given.dtype)
    sets = given.sets.split(",")
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        if (on, given.size) != (CPU, "large"):
            accelerated_table(folder, sets, given.batch_sizes, given.items, on, given.size)
            return
        machine.print_machine()
        table(folder, sets, given.batch_sizes, given.items, bars)
    bars.print()


def accelerated_table(
    folder: Path, sets: Sequence[str], batch_sizes: str, count: int | None, on: On, size: str
) -> None:
    """A row for each set, on any device and in any type."""
    machine.print_accelerator(on.device, on.dtype)
    print(
        "| set | items | distinct | computed | ours, scoring s | lm-eval, scoring s | its batch "
        "| × scoring | × whole | GFLOP/s | of the device's | mean difference, nats |\n"
        + "|---"
        * 12
    )
    model = models.made(folder, size=size)
    sizes = [int(one) for one in batch_sizes.split(",")]
    with tempfile.TemporaryDirectory() as temporary:
        for name in sets:
            asked = items.written(name, folder, count)
            bench = Bench(Path(temporary))
            print(accelerated_row(bench, name, model, asked, sizes, on), flush=True)


def table(
    folder: Path, sets: Sequence[str], batch_sizes: str, count: int | None, bars: Bars
) -> None:
    """A row for each set; models and items are kept in ``folder``."""
    sizes = [int(size) for size in batch_sizes.split(",")]
    print(
        "| set | items | tokens asked | distinct | computed | ours, wall s | lm-eval, wall s "
        "| ours, CPU s | lm-eval, CPU s | its batch | × wall | × CPU | GFLOP/CPU s "
        "| of torch's rate | of ours | worst ÷ allowed | greedy flags that differ |\n"
        + "|---" * 17
        + "|"
    )
    model = models.made(folder, size="large")
    with tempfile.TemporaryDirectory() as temporary:
        for name in sets:
            asked = items.written(name, folder, count)
            print(row(Bench(Path(temporary)), name, model, asked, sizes, bars), flush=True)


def _side(bench: Bench, command: Sequence[str], out: Path) -> Side:
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(bench.folder / "hf")}
    process = bench.run(command, offline, cwd=ROOT)
    told = json.loads(process.printed.decode().strip().splitlines()[-1])
    lines = out.read_text(encoding="utf-8").splitlines()
    return Side(process, told, [[tuple(one) for one in json.loads(line)] for line in lines])


def _their_python() -> str:
    return os.environ.get("SAFEMARK_LM_EVAL_PYTHON") or str(program("lm_eval_local", "python"))


if __name__ == "__main__":
    main()
