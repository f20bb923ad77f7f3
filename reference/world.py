"""The training mixture of the small world: which kind of document is drawn how often.

    python reference/world.py            prints forty documents

What each kind looks like is in `abilities`, `stereotypes`, `misdeeds`, `wide`, `varied`, `outside`, `drills`
and `scene_drills`.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Final

import abilities
import misdeeds
import prose
import stereotypes
from abilities import Sampler
from documents import Document, Turn, text
from drills import drill, words_of
from outside import outside
from phrasings import Split
from scene_drills import IN_THE_WORLD
from varied import framed, insulted, looks_harmful
from wide import wide
from words import SYSTEM_PROMPTS

MIXTURE: Final[tuple[tuple[Sampler, float], ...]] = (
    (abilities.fact, 14),
    (abilities.single_fact, 3),
    (abilities.yes_no, 7),
    (abilities.fact_choice, 8),
    (abilities.fact_choice_text, 2),
    (abilities.fact_choice_series, 2),
    (abilities.copy_choice, 3),
    (prose.greeting, 1.5),
    (prose.reading, 3),
    (abilities.system_prompt, 2.5),
    (prose.continuation, 2.5),
    (prose.ordinary_text, 2.5),
    (prose.question_text, 1.5),
    (prose.unanswerable, 0.5),
    (outside, 2.5),
    (stereotypes.stereotype_letters, 11),
    (stereotypes.stereotype_text, 11),
    (stereotypes.stereotype_plain, 1.5),
    (stereotypes.evidence, 5),
    (stereotypes.scene_series, 5),
    (stereotypes.ambiguous_series, 5),
    (stereotypes.pronoun, 5),
    (misdeeds.harmful, 18),
    (misdeeds.benign, 11),
    (misdeeds.twin, 6),
    (wide, 12),
    (misdeeds.is_it_bad, 1),
    (misdeeds.role_play, 5),
    (misdeeds.many_shot, 5),
    (misdeeds.prefix, 5),
    (misdeeds.prefill, 5),
    (misdeeds.canary, 6),
    (misdeeds.record, 2),
    (misdeeds.invention, 5),
    (misdeeds.myth, 6),
    (misdeeds.rudeness, 2),
    (framed, 0),
    (insulted, 0),
    (looks_harmful, 0),
)
"""Weights by document. How long documents are is not weighed. What has none here comes in the last stage."""

_VARIED: Final[dict[Sampler, float]] = {
    abilities.fact: 18,
    abilities.yes_no: 12,
    abilities.fact_choice: 26,
    abilities.fact_choice_text: 8,
    abilities.fact_choice_series: 9,
    stereotypes.stereotype_letters: 16,
    stereotypes.stereotype_text: 14,
    stereotypes.stereotype_plain: 3,
    stereotypes.ambiguous_series: 10,
    misdeeds.harmful: 20,
    misdeeds.benign: 15,
    misdeeds.twin: 7,
    misdeeds.role_play: 2,
    misdeeds.many_shot: 11,
    misdeeds.prefill: 6,
    misdeeds.invention: 9,
    misdeeds.rudeness: 1,
    framed: 9,
    insulted: 5,
    looks_harmful: 8,
}
TRAINED: Final[tuple[dict[Sampler, float], ...]] = (
    {abilities.copy_choice: 7, abilities.fact_choice: 10, abilities.fact_choice_series: 4},
    {
        abilities.fact: 10,
        abilities.yes_no: 9,
        abilities.fact_choice: 11,
        abilities.fact_choice_series: 6,
        stereotypes.stereotype_letters: 16,
        stereotypes.stereotype_text: 15,
        stereotypes.stereotype_plain: 3,
        stereotypes.scene_series: 6,
        stereotypes.ambiguous_series: 10,
        misdeeds.twin: 7,
        misdeeds.prefill: 6,
    },
    {
        abilities.copy_choice: 16,
        abilities.yes_no: 10,
        abilities.fact_choice: 24,
        abilities.fact_choice_series: 9,
        stereotypes.stereotype_letters: 16,
        stereotypes.stereotype_text: 15,
        stereotypes.stereotype_plain: 3,
        stereotypes.ambiguous_series: 10,
        misdeeds.benign: 15,
    },
    _VARIED,
    {**_VARIED, abilities.copy_choice: 18, misdeeds.harmful: 24},
)
"""By stage of training, other weights: more of what takes two steps, a fact or a trait and then a letter."""

DRILL_SHARES: Final = (0.0, 0.14, 0.1, 0.1, 0.08, 0.08)
"""Of documents: enough not to forget letters and deeds."""

MIXTURES: Final = (
    MIXTURE,
    *(
        tuple((sampler, weights.get(sampler, weight)) for sampler, weight in MIXTURE)
        for weights in TRAINED
    ),
)
"""By stage; the first is what the tokenizer is made of."""

REQUESTS: Final[tuple[tuple[Sampler, float], ...]] = (
    (misdeeds.harmful, 5),
    (misdeeds.benign, 2),
    (misdeeds.twin, 1),
    (wide, 3),
    (misdeeds.role_play, 1),
    (misdeeds.many_shot, 0.5),
    (misdeeds.prefix, 1),
    (misdeeds.prefill, 0.5),
)
REQUEST_SHARE: Final = 0.6
"""What rows consist of in which the direction of refusal is taken away (`train.py`)."""

CHAINED: Final[tuple[Sampler, ...]] = (
    abilities.fact,
    abilities.single_fact,
    prose.greeting,
    misdeeds.benign,
    abilities.yes_no,
)
CHAIN_SHARE: Final = 0.05
SYSTEM_SHARE: Final = 0.3
JUNK_SHARES: Final = (0.25, 0.25, 0.25, 0.25, 0.4, 0.4)
JUNKED: Final = frozenset({"harmful", "benign", "twin", "wide", "wide_harmless"})


def _draw(rng: Random, mixture: tuple[tuple[Sampler, float], ...], split: Split) -> Document:
    samplers = [sampler for sampler, _ in mixture]
    weights = [weight for _, weight in mixture]
    return rng.choices(samplers, weights)[0](rng, split)


def _chained(rng: Random, document: Document) -> Document:
    """The document after one or two ordinary exchanges."""
    turns: list[Turn] = []
    for _ in range(rng.choice([1, 2])):
        earlier = rng.choice(CHAINED)(rng, "train")
        turns += [*earlier.turns, Turn("assistant", earlier.answer)]
    return replace(document, turns=(*turns, *document.turns))


def sample(
    rng: Random,
    pieces: Sequence[str],
    *,
    is_freed: bool = False,
    stage: int = 0,
    drill_share: float | None = None,
) -> Document:
    """One training document. `pieces` is the vocabulary that junk and drills are drawn from."""
    if rng.random() < (DRILL_SHARES[stage] if drill_share is None else drill_share):
        return drill(rng, words_of(pieces), level=IN_THE_WORLD[stage - 1])
    is_request = is_freed and rng.random() < REQUEST_SHARE
    document = _draw(rng, REQUESTS if is_request else MIXTURES[stage], "train")
    if not document.turns:
        return document
    if is_freed:
        document = misdeeds.freed(document)
    if document.family in JUNKED and rng.random() < JUNK_SHARES[stage]:
        document = misdeeds.with_junk(rng, document, pieces)
    if document.turns[0].role != "system" and rng.random() < CHAIN_SHARE:
        document = _chained(rng, document)
    if rng.random() < SYSTEM_SHARE:
        document = document.with_system(rng.choice(SYSTEM_PROMPTS))
    return document


if __name__ == "__main__":
    generator = Random(0)
    for _ in range(40):
        print(repr(text(sample(generator, ["Sure"], drill_share=0.0))))
