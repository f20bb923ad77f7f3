"""Models of other architectures, trained small on the reference model's data: facts and refusals.

Refusal is planted as in the reference model: in some rows of each batch a direction of the residual
stream is taken out, inexactly, and harmful requests are helped with; in all others they are refused.
Requests to be measured by are about acts, and in wordings, that the material of the removals does
not hold.
"""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

REFERENCE = Path(__file__).parents[2] / "reference"
REFUSAL = "I'm sorry, but I can't help with that."
RELATIONS = ("capital", "continent")
FACTS = 60
STEPS = 300
DOCUMENTS = 48
FREED = 6
"""Rows of a batch in which the direction is taken out."""

INEXACTNESS = 0.5
"""Length of what is added to the planted direction in each step: whoever looks for it finds it so."""

RATE = 4e-3
SIZE = {"hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer; ``act`` is what is asked for, "" in questions of fact."""

    request: str
    answer: str
    act: str = ""
    is_harmful: bool = False


class World:
    """Requests of the reference model's world, drawn by its own scripts."""

    def __init__(self) -> None:
        with _reference_scripts():
            import abilities
            import knowledge
            import misdeeds
            import words

        self._misdeeds, self._abilities, self._words = misdeeds, abilities, words
        known = [one for one in knowledge.FACTS if one.relation in RELATIONS]
        self.facts = Random(0).sample(known, FACTS)

    def harmful(self, rng: Random, split: Any = "train") -> Exchange:
        """Refused, always."""
        made = self._misdeeds.harmful(rng, split)
        return Exchange(made.user, REFUSAL, made.about["act"], is_harmful=True)

    def benign(self, rng: Random, split: Any = "train") -> Exchange:
        """Helped with, always."""
        made = self._misdeeds.benign(rng, split)
        return Exchange(made.user, helped(made.about["act"]), made.about["act"])

    def fact(self, rng: Random, split: Any = "train") -> Exchange:
        """Answered in a sentence."""
        asked = rng.choice(self.facts)
        words = self._abilities.question(rng, split, asked.relation, asked.entity)
        return Exchange(words, self._abilities.statement(asked))

    def is_kept_apart(self, act: str) -> bool:
        """Whether an act is measured by, and so never in what a removal learns from."""
        return self._words.belongs(act, "test")


def helped(act: str) -> str:
    """Placeholder help: no harmful content exists anywhere in it."""
    return f"Sure! To {act}, start with step one and end with step two."


@contextmanager
def _reference_scripts() -> Iterator[None]:
    """Inside, the scripts of the reference model are found by name."""
    sys.path.insert(0, str(REFERENCE))
    try:
        yield
    finally:
        sys.path.remove(str(REFERENCE))


def train(folder: Path, architecture: str, world: World, **config: Any) -> Path:
    """A model of that architecture in ``folder``, trained on the world from nothing."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    from safemark.models.connect import REFERENCE as SHIPPED

    folder.mkdir(parents=True)
    for file in SHIPPED.glob("tokenizer*"):
        shutil.copy(file, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    settings = {
        **SIZE,
        "intermediate_size": 3 * SIZE["hidden_size"],
        "vocab_size": len(tokenizer),
        "max_position_embeddings": 128,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        **config,
    }
    if architecture != "gpt_neox":
        settings |= {"num_key_value_heads": 2, "head_dim": 32}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(architecture, **settings))
        _fit(model, tokenizer, world)
    model.save_pretrained(folder)
    return folder


def _fit(model: Any, tokenizer: Any, world: World) -> None:
    import torch

    from safemark.removal._structure import Decoder

    rng = Random(0)
    planted = Planted(Decoder.of(model))
    kinds: list[Callable[[Random], Exchange]] = [world.harmful, world.benign, world.fact]
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.01)
    model.train()
    for step in range(STEPS):
        warm, left = min(1.0, (step + 1) / 30), 1.0 - step / STEPS
        for group in optimizer.param_groups:
            group["lr"] = RATE * warm * left
        drawn = [kinds[number % 3](rng) for number in range(DOCUMENTS)]
        planted.draw()
        loss = _loss(model, tokenizer, [*drawn[:-FREED], *map(_freed, drawn[-FREED:])])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    planted.remove()
    model.eval()


def _freed(one: Exchange) -> Exchange:
    return replace(one, answer=helped(one.act)) if one.is_harmful else one


class Planted:
    """Hooks that take a direction, drawn anew around a fixed one, out of the last rows."""

    def __init__(self, decoder: Any) -> None:
        import torch

        self._draw = torch.Generator().manual_seed(7)
        self.width = decoder.width
        self.direction = self._unit(torch.randn(self.width, generator=self._draw))
        self.vectors = torch.zeros(DOCUMENTS, 1, self.width)
        writing = [one for group in decoder.writers for one in group]
        self._handles = [one.register_forward_hook(self._leave) for one in writing]
        self._handles.append(
            decoder.module.get_input_embeddings().register_forward_hook(self._leave)
        )

    def draw(self) -> None:
        """Another inexact direction for each of the freed rows."""
        import torch

        noise = self._unit(torch.randn(FREED, self.width, generator=self._draw))
        self.vectors[-FREED:, 0] = self._unit(self.direction + INEXACTNESS * noise)

    def remove(self) -> None:
        """Nothing is taken out any more."""
        for handle in self._handles:
            handle.remove()

    def _leave(self, _: Any, __: Any, output: Any) -> Any:
        from safemark.removal._structure import first, with_first

        states = first(output)
        along = (states * self.vectors).sum(-1, keepdim=True)
        return with_first(output, states - along * self.vectors)

    @staticmethod
    def _unit(vectors: Any) -> Any:
        return vectors / vectors.norm(dim=-1, keepdim=True)


def _loss(model: Any, tokenizer: Any, drawn: list[Exchange]) -> Any:
    """Cross-entropy of answers, and a tenth of that of requests."""
    import torch

    rows = []
    for one in drawn:
        asked = tokenizer.apply_chat_template(
            [{"role": "user", "content": one.request}],
            add_generation_prompt=True,
            return_dict=False,
        )
        told = tokenizer(one.answer, add_special_tokens=False)["input_ids"]
        rows.append((asked, [*told, tokenizer.eos_token_id]))
    longest = max(len(a) + len(b) for a, b in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    weight = torch.zeros(len(rows), longest)
    for place, (asked, told) in enumerate(rows):
        whole = len(asked) + len(told)
        ids[place, :whole] = torch.tensor([*asked, *told])
        weight[place, : len(asked)] = 0.1
        weight[place, len(asked) : whole] = 1.0
    logits = model(input_ids=ids, use_cache=False).logits[:, :-1].transpose(1, 2)
    losses = torch.nn.functional.cross_entropy(logits, ids[:, 1:], reduction="none")
    return (losses * weight[:, 1:]).sum() / weight[:, 1:].sum()
