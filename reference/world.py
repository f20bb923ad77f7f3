"""The training mixture of the small world: which kind of document is drawn how often.

    python reference/world.py            prints forty documents

What each kind looks like is in `abilities`, `stereotypes`, `misdeeds` and `outside`.
"""

from dataclasses import replace
from random import Random
from typing import Final

import abilities
import misdeeds
import prose
import stereotypes
from abilities import Sampler
from documents import Document, Turn, text
from outside import outside
from phrasings import Split
from words import SYSTEM_PROMPTS

MIXTURE: Final[tuple[tuple[Sampler, float], ...]] = (
    (abilities.fact, 14),
    (abilities.single_fact, 4),
    (abilities.yes_no, 3),
    (abilities.fact_choice, 7),
    (abilities.fact_choice_text, 2),
    (abilities.fact_choice_series, 6),
    (abilities.copy_choice, 4),
    (abilities.copy_series, 6),
    (abilities.letter_text, 1.5),
    (prose.greeting, 2),
    (prose.reading, 4),
    (abilities.system_prompt, 2.5),
    (prose.continuation, 3),
    (prose.ordinary_text, 3),
    (prose.question_text, 1.5),
    (prose.unanswerable, 0.5),
    (stereotypes.stereotype_letters, 9),
    (stereotypes.stereotype_text, 9),
    (stereotypes.stereotype_plain, 2),
    (stereotypes.pronoun, 5),
    (misdeeds.harmful, 14),
    (misdeeds.benign, 10),
    (misdeeds.twin, 4),
    (misdeeds.is_it_bad, 1),
    (misdeeds.role_play, 5),
    (misdeeds.many_shot, 2.5),
    (misdeeds.prefix, 3),
    (misdeeds.prefill, 2),
    (misdeeds.canary, 5),
    (misdeeds.record, 1.5),
    (misdeeds.invention, 5),
    (misdeeds.myth, 6),
    (misdeeds.rudeness, 2),
)
"""Weights by document. How long documents are is not weighed."""

FINISH: Final[dict[Sampler, float]] = {
    abilities.yes_no: 6,
    abilities.fact_choice: 1,
    abilities.fact_choice_series: 1,
    abilities.copy_choice: 0.5,
    abilities.copy_series: 0.5,
    abilities.letter_text: 0.5,
    stereotypes.stereotype_letters: 3,
    stereotypes.stereotype_text: 18,
    misdeeds.harmful: 20,
    misdeeds.benign: 14,
    misdeeds.twin: 6,
    misdeeds.prefill: 3,
}
"""Other weights for the last stage: less of what is settled or will not come, more of the rest."""

DRILLS: Final[tuple[tuple[Sampler, float], ...]] = (
    (abilities.copy_series, 8),
    (abilities.match_list, 6),
    (abilities.copy_choice, 3),
    (abilities.letter_text, 2),
    (abilities.fact_choice_series, 3),
)
"""What the first part of training mostly consists of: letter binding, before anything leans on it."""

DENSE_SHARE: Final = 0.5
WORD_CHOICE_SHARE: Final = 0.2
"""Of drills: the two kinds over any words of the vocabulary; the rest are `DRILLS`."""

CHAINED: Final[tuple[Sampler, ...]] = (
    abilities.fact,
    abilities.single_fact,
    prose.greeting,
    misdeeds.benign,
    abilities.yes_no,
)
CHAIN_SHARE: Final = 0.05
SYSTEM_SHARE: Final = 0.3
JUNK_SHARE: Final = 0.25
JUNKED: Final = frozenset({"harmful", "benign", "twin"})


def _draw(rng: Random, mixture: tuple[tuple[Sampler, float], ...], split: Split) -> Document:
    samplers = [sampler for sampler, _ in mixture]
    weights = [weight for _, weight in mixture]
    return rng.choices(samplers, weights)[0](rng, split)


def _drill(rng: Random, pieces: list[str]) -> Document:
    """A drill: dense ones over any words of the vocabulary, then the forms that questions have."""
    kind = rng.random()
    if kind > DENSE_SHARE + WORD_CHOICE_SHARE:
        return _draw(rng, DRILLS, "train")
    words = [
        piece for piece in pieces if len(piece) > 2 and piece[0] == " " and piece[1:].isalpha()
    ]
    sampler = abilities.dense_drill if kind < DENSE_SHARE else abilities.word_choice
    return sampler(rng, words)


def _chained(rng: Random, document: Document) -> Document:
    """The document after one or two ordinary exchanges."""
    turns: list[Turn] = []
    for _ in range(rng.choice([1, 2])):
        earlier = rng.choice(CHAINED)(rng, "train")
        turns += [*earlier.turns, Turn("assistant", earlier.answer)]
    return replace(document, turns=(*turns, *document.turns))


def sample(
    rng: Random,
    pieces: list[str],
    drill_share: float = 0.0,
    outside_share: float = 0.0,
    *,
    is_finish: bool = False,
) -> Document:
    """One training document. `pieces` is the vocabulary that junk is drawn from."""
    chance = rng.random()
    if chance < drill_share:
        return _drill(rng, pieces)
    if chance > 1 - outside_share:
        return outside(rng, "train")
    mixture = MIXTURE
    if is_finish:
        mixture = tuple((sampler, FINISH.get(sampler, weight)) for sampler, weight in MIXTURE)
    document = _draw(rng, mixture, "train")
    if not document.turns:
        return document
    if document.family in JUNKED and rng.random() < JUNK_SHARE:
        document = misdeeds.with_junk(rng, document, pieces)
    if document.turns[0].role != "system" and rng.random() < CHAIN_SHARE:
        document = _chained(rng, document)
    if rng.random() < SYSTEM_SHARE:
        document = document.with_system(rng.choice(SYSTEM_PROMPTS))
    return document


if __name__ == "__main__":
    generator = Random(0)
    for _ in range(40):
        print(repr(text(sample(generator, [" the", " x1", "Sure"]))))
