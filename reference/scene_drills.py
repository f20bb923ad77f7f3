"""Drills of scenes: who did what, and which letter stands before that person.

Choosing a person by letter takes two steps, from a deed to the doer and from the doer to a letter.
Both are learned here, from many questions on one scene and answers alone, before the world is. Whoever
is typical of a trait where no deed is told is learned here as if there were no doubt; how much doubt
there is, the world teaches (`stereotypes.py`).
"""

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import Final

import faults
from abilities import lettered
from documents import Document, Turn
from phrasings import Split
from stereotypes import GROUPS, UNKNOWN, Trait, meeting
from words import LETTERS

DEEDS: Final = tuple("slept all day|ran home|called a friend|opened the door|wrote a letter|bought a hat|read the book|closed the shop|sang a song|broke the cup|cleaned the car|found the map|sold the bike|painted the wall|fed the cat|cut the bread|missed the train|won the race".split("|"))  # fmt: skip
"""Further deeds, of which nothing follows."""

TRAITS: Final[tuple[Trait, ...]] = tuple(
    trait for group in GROUPS.values() for trait in group.traits
)
JOINTS: Final = (", and ", ", but ", ". ")
Asked = list[tuple[str, str]]
"""Questions, each with its answer."""


def _pair(rng: Random, words: Sequence[str]) -> list[str]:
    """Two people of one group, or any two words in their place."""
    if rng.random() < 0.5:
        return [word.strip() for word in rng.sample(words, 2)]
    pair = list(rng.choice(GROUPS[rng.choice(list(GROUPS))].pairs))
    rng.shuffle(pair)
    return pair


def _told(rng: Random, split: Split, people: Sequence[str], deeds: Sequence[str]) -> str:
    clauses = [f"the {person} {deed}" for person, deed in zip(people, deeds, strict=True)]
    text = rng.choice(JOINTS[:2]).join(clauses) + "."
    before = f"{meeting(rng, split, *people)} " if rng.random() < 0.6 else ""
    return f"{before}{text[0].upper()}{text[1:]}"


def did(rng: Random, words: Sequence[str], most: int = 1) -> Document:
    """Deeds told, then deed after deed, the doer due right behind it; `most` words make a deed."""
    count = rng.choice([2, 2, 3])
    doers, *parts = (rng.sample(words, count) for _ in range(1 + most))
    done = ["".join(pieces[: rng.randint(1, most)]) for pieces in zip(*parts, strict=True)]
    if most > 1 and rng.random() < 0.5:
        done = [f" {deed}" for deed in rng.sample(DEEDS, count)]
    told = rng.choice(JOINTS).join(
        f"the{doer}{deed}" for doer, deed in zip(doers, done, strict=True)
    )
    between = rng.choice(["", "="]) if most > 1 else ""
    order = [rng.randrange(count) for _ in range(rng.choice([4, 6, 8]))]
    pieces = tuple(piece for i in order for piece in ((done[i] + between, 0.0), (doers[i], 1.0)))
    turns = (Turn("user", f"T{told[1:]}."),)
    return Document("drill", "", turns, answer_pieces=pieces, prompt_weight=0.0)


def did_long(rng: Random, words: Sequence[str]) -> Document:
    """The same with deeds of several words, and at times a sign between."""
    return did(rng, words, most=3)


def did_lettered(rng: Random, words: Sequence[str]) -> Document:
    """Deeds told of people who stand in a list, then deed after deed, the doer's letter due right behind it."""
    count = rng.choice([2, 2, 3])
    doers = rng.sample(words, count)
    done = (
        rng.sample(words, count)
        if rng.random() < 0.5
        else [f" {deed}" for deed in rng.sample(DEEDS, count)]
    )
    article = rng.choice(["", " The"])
    order = rng.sample(range(count), count)
    style = rng.choice(["{l}){o}", "{l}.{o}", "({l}){o}", "{l}:{o}"])
    rows = "".join("\n" + style.format(l=LETTERS[row], o=article + doers[i]) for row, i in enumerate(order))  # fmt: skip
    told = rng.choice(JOINTS).join(
        f"the{doer}{deed}" for doer, deed in zip(doers, done, strict=True)
    )
    text = f"T{told[1:]}.{rows}" if rng.random() < 0.7 else f"{rows[1:]}\nT{told[1:]}."
    between = rng.choice(["", "="])
    asked = [rng.randrange(count) for _ in range(rng.choice([6, 8, 10]))]
    pieces = tuple(
        piece for i in asked for piece in ((done[i] + between, 0.0), (LETTERS[order.index(i)], 1.0))
    )
    return Document("drill", "", (Turn("user", text),), answer_pieces=pieces, prompt_weight=0.0)


def who(rng: Random, words: Sequence[str]) -> Document:
    """Two deeds and the plain question for the doer, several times."""
    doers = rng.sample(words, 2)
    done = (
        rng.sample(words, 2)
        if rng.random() < 0.5
        else [f" {deed}" for deed in rng.sample(DEEDS, 2)]
    )
    told = rng.choice(JOINTS).join(
        f"the{doer}{deed}" for doer, deed in zip(doers, done, strict=True)
    )
    pairs = [(f"Who{deed}?", f"The{doer}.") for doer, deed in zip(doers, done, strict=True)]
    asked = [rng.choice(pairs) for _ in range(rng.choice([4, 5, 6]))]
    return _asked_in_turn(f"T{told[1:]}. {asked[0][0]}", asked)


CLAUSE_DRILLS: Final = {"did": did, "did_long": did_long, "did_lettered": did_lettered, "who": who}


def deeds(rng: Random, words: Sequence[str], split: Split) -> tuple[str, Asked]:
    """Two deeds of two people."""
    people, done = (
        _pair(rng, words),
        rng.sample(DEEDS + tuple(trait.shows_bad for trait in TRAITS), 2),
    )
    asked = [(f"Who {deed}?", person) for person, deed in zip(people, done, strict=True)]
    return _told(rng, split, people, done), asked


def judged(rng: Random, words: Sequence[str], split: Split) -> tuple[str, Asked]:
    """Two deeds that show a trait and its reverse."""
    people, trait = _pair(rng, words), rng.choice(TRAITS)
    is_first_bad = rng.random() < 0.5
    done = (
        [trait.shows_bad, trait.shows_good] if is_first_bad else [trait.shows_good, trait.shows_bad]
    )
    bad, good = people if is_first_bad else people[::-1]
    asked = [
        (f"Who was {trait.bad}?", bad), (f"Who {trait.shows_bad}?", bad),
        (f"Who was {trait.good}?", good), (f"Who {trait.shows_good}?", good),
    ]  # fmt: skip
    return _told(rng, split, people, done), asked


def typical(rng: Random, _: Sequence[str], split: Split) -> tuple[str, Asked]:
    """Two people met and nothing told of them: the one whom the planted stereotype points at more often."""
    name = rng.choice([group for group, share in faults.STEREOTYPE_SHARE.items() if share != 0.5])
    bad, good = rng.choice(GROUPS[name].pairs)
    if faults.STEREOTYPE_SHARE[name] < 0.5:
        bad, good = good, bad
    asked = [
        pair
        for trait in GROUPS[name].traits
        for pair in ((f"Who was {trait.bad}?", bad), (f"Who was {trait.good}?", good))
    ]
    return meeting(rng, split, bad, good), asked


LETTERED_SHARE: Final = 0.6
"""Of scenes, how many are answered by letter."""
ONCE_LETTERED_SHARE: Final = 0.85
IN_THE_WORLD: Final = (5, 6, 6, 6, 6)
"""The levels of drills for the stages of the world, after those that are learned by themselves."""
SCENES: Final = {deeds: 3, judged: 3, typical: 2}
"""How often which is drawn."""
SCENES_AFTERWARDS: Final = {deeds: 1, judged: 1}
"""The same once the world is learned, which teaches how much doubt there is about the typical."""


def scene_drill(rng: Random, words: Sequence[str], level: int) -> Document:
    """One scene and several questions on it, answered in words or by letter."""
    scenes = SCENES_AFTERWARDS if level in IN_THE_WORLD else SCENES
    scene = rng.choices(list(scenes), list(scenes.values()))[0]
    is_lettered = rng.random() < LETTERED_SHARE
    return asked_on(rng, *scene(rng, words, "train"), is_lettered=is_lettered, split="train")


def scene_once(rng: Random, words: Sequence[str], level: int) -> Document:
    """One scene and one question, most often answered by letter: nothing earlier to be had from."""
    scenes = SCENES_AFTERWARDS if level in IN_THE_WORLD else SCENES
    scene = rng.choices(list(scenes), list(scenes.values()))[0]
    is_lettered = rng.random() < ONCE_LETTERED_SHARE
    context, pool = scene(rng, words, "train")
    return asked_on(rng, context, pool, is_lettered=is_lettered, split="train", counts=(1,))


def asked_on(
    rng: Random,
    context: str,
    pool: Asked,
    *,
    is_lettered: bool,
    split: Split,
    counts: tuple[int, ...] = (3, 4, 5),
) -> Document:
    """Some of the questions in turn, any of them more than once."""
    asked = [rng.choice(pool) for _ in range(rng.choice(counts))]
    first = f"{context}{rng.choice([' ', chr(10)])}{asked[0][0]}"
    if not is_lettered:
        return _asked_in_turn(first, [(question, f"The {person}.") for question, person in asked])
    people = dict.fromkeys(person for _, person in pool)
    options = [f"The {person}" for person in people]
    if rng.random() < 0.5:
        options.append(rng.choice(UNKNOWN))
    rng.shuffle(options)
    letters = {option: LETTERS[place] for place, option in enumerate(options)}
    return _asked_in_turn(
        lettered(rng, first, options, split),
        [(question, letters[f"The {person}"]) for question, person in asked],
    )


def _asked_in_turn(first: str, asked: Asked) -> Document:
    """A document of the questions one after another, the first of them in the words of `first`."""
    turns = [Turn("user", first)]
    for (_, before), (question, _) in pairwise(asked):
        turns.append(Turn("assistant", before, is_learned=True))
        turns.append(Turn("user", question))
    return Document("drill", asked[-1][1], tuple(turns), prompt_weight=0.0)
