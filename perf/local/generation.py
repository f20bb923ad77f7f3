"""Replies of local weights: beside transformers' own batches, and repeats beside one.

    SAFEMARK_DATA=FOLDER python -m perf.local.generation

Both sides generate greedily the same number of tokens from the same prompts with the same weights,
no token ending a reply, in turns in one process. `static` is transformers' `generate` on prompts
sorted by length, at its best batch size.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from perf.bars import Bars
from perf.local import items, models
from safemark.models.local import LocalModel, load
from safemark.types import Ask, Message

BATCHES = (16, 32, 64)
ROUNDS = 2
ROWS = 32


def taken(work: Callable[[], None]) -> tuple[float, float]:
    """Wall and CPU seconds of ``work``."""
    began, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - used


def prompts(tokenizer: Any, lengths: Sequence[int]) -> list[str]:
    """Texts of so many tokens each, cut from BBQ and MMLU."""
    text = " ".join(item.context for name in ("bbq", "mmlu") for item in items.items(name, 400))
    tokens = tokenizer.encode(text)
    made, at = [], 0
    for length in lengths:
        made.append(tokenizer.decode(tokens[at : at + length]))
        at += length
    return made


def ours(model: LocalModel, asked: Sequence[tuple[str, Ask]]) -> None:
    """All replies, asked at once."""

    async def together() -> None:
        calls = (model.reply((Message("user", text),), ask) for text, ask in asked)
        replies = await asyncio.gather(*calls)
        wanted = [ask.max_output_tokens for _, ask in asked]
        if [reply.usage.output_tokens for reply in replies] != wanted:
            raise RuntimeError("a reply ended early")

    asyncio.run(together())


def static(model: LocalModel, asked: Sequence[tuple[str, Ask]], batch: int) -> None:
    """The same by transformers' `generate`; a batch ends with its longest reply."""
    import torch

    module, tokenizer = model.weights
    network_prompts = model._prompts  # noqa: SLF001  the same tokens as ours
    rows = [
        (network_prompts.prompt((Message("user", text),), None, None).tokens, ask.max_output_tokens)
        for text, ask in asked
    ]
    rows.sort(key=lambda row: len(row[0]))
    for first in range(0, len(rows), batch):
        some = rows[first : first + batch]
        width = max(len(tokens) for tokens, _ in some)
        ids = torch.zeros(len(some), width, dtype=torch.long)
        mask = torch.zeros(len(some), width, dtype=torch.long)
        for line, (tokens, _) in enumerate(some):
            ids[line, width - len(tokens) :] = torch.tensor(tokens)
            mask[line, width - len(tokens) :] = 1
        with torch.inference_mode():
            module.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=max(limit or 0 for _, limit in some),
                do_sample=False,
                pad_token_id=tokenizer.pad_token_id,
            )


def without_end(model: LocalModel) -> None:
    """No token ends a reply, on either side."""
    model.weights.module.generation_config.eos_token_id = None
    generator = model._generator  # noqa: SLF001  what is measured
    if generator is not None:
        generator._ends = frozenset()  # noqa: SLF001


def beside_static(
    model: LocalModel, plain: LocalModel, name: str, asked: Sequence[tuple[str, Ask]]
) -> float:
    """Static's best time divided by ours, wall and CPU; the CPU's is given back.

    ``plain`` are the same weights with torch's own attention.
    """
    tokens = sum(ask.max_output_tokens or 0 for _, ask in asked)
    mine: list[tuple[float, float]] = []
    theirs: dict[int, list[tuple[float, float]]] = {batch: [] for batch in BATCHES}
    for _ in range(ROUNDS):
        mine.append(taken(lambda: ours(model, asked)))
        for batch, times in theirs.items():
            times.append(taken(lambda batch=batch: static(plain, asked, batch)))  # type: ignore[misc]
    best = min(theirs, key=lambda batch: min(cpu for _, cpu in theirs[batch]))
    wall, cpu = (min(times) for times in zip(*mine, strict=True))
    other_wall, other_cpu = (min(times) for times in zip(*theirs[best], strict=True))
    print(
        f"| {name} | {len(asked)} | {tokens:,} | {tokens / wall:,.0f} | {tokens / other_wall:,.0f} "
        f"| {best} | {other_wall / wall:.2f} | {other_cpu / cpu:.2f} |",
        flush=True,
    )
    return float(other_cpu / cpu)


def main() -> None:
    """Every row, then every bar."""
    arguments = argparse.ArgumentParser(description="Generation beside transformers' own.")
    arguments.add_argument("--folder", type=Path, help="where models are kept (a temporary one)")
    arguments.add_argument("--rows", type=int, default=ROWS)
    given = arguments.parse_args()
    items.check_data()
    with tempfile.TemporaryDirectory() as temporary:
        bars = Bars()
        table(given.folder or Path(temporary), given.rows, bars)
    bars.print()


def table(folder: Path, rows: int, bars: Bars) -> None:
    """A row for each kind of replies; the model is kept in ``folder``."""
    place = str(models.made(folder, size="large"))
    model = load(place, options={"device": "cpu"})
    plain = load(place, options={"device": "cpu", "attn": "sdpa"})
    for one in (model, plain):
        without_end(one)
    tokenizer, draw = model.weights.tokenizer, random.Random(0)
    print("| what | replies | tokens | ours /s | static /s | its batch | × wall | × CPU |")
    print("|---|---|---|---|---|---|---|---|")
    equal = [(text, Ask(max_output_tokens=64)) for text in prompts(tokenizer, [64] * rows)]
    ratio = beside_static(model, plain, "64 + 64", equal)
    bars.at_least("static ÷ ours, equal lengths", ratio, 0.95)
    lengths = [draw.randint(16, 128) for _ in range(2 * rows)]
    mixed = [
        (text, Ask(max_output_tokens=draw.randint(16, 128))) for text in prompts(tokenizer, lengths)
    ]
    ratio = beside_static(model, plain, "16-128", mixed)
    bars.at_least("static ÷ ours, lengths 16-128", ratio, 1.3)
    (long,) = prompts(tokenizer, [600])
    asks = [Ask(temperature=1.0, max_output_tokens=32, draw=draw) for draw in range(25)]
    once, many = [
        min(taken(lambda k=k: ours(model, [(long, ask) for ask in asks[:k]]))[1] for _ in range(3))  # type: ignore[misc]
        for k in (1, 25)
    ]
    print(f"\n25 draws of a prompt of 600 tokens: {many:.2f} s of CPU; one: {once:.2f} s")
    bars.at_most("25 draws ÷ 1, long prompt", many / once, 3, "×")


if __name__ == "__main__":
    main()
