"""What the model is meant to do well: facts, choices, greeting, reading, system prompts, plain sentences.

Each function draws one document; `split` says which wordings it may use.
"""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Final

import knowledge
from documents import Document, Turn, chat, plain
from knowledge import FACTS, RELATIONS, SINGLE_FACTS, VALUES, Fact
from phrasings import CHOICE_ASKED, INDIRECT, NOUN_PHRASE, OPENING, Phrasings, Split
from words import (
    CODE_FIRST,
    CODE_SECOND,
    DAYS,
    DESTINATIONS,
    LETTERS,
    NAMES,
    THINGS,
    capitalised,
    with_article,
)

Sampler = Callable[[Random, Split], Document]


def question(rng: Random, split: Split, relation_name: str, entity: str) -> str:
    """Asks for a fact: directly, by a noun phrase, or by an indirect question."""
    relation = RELATIONS[relation_name]
    kind = rng.random()
    if kind < 0.5 and split == "train":
        words = rng.choice(relation.direct).format(e=entity)
    elif kind < 0.75:
        phrase = relation.noun_phrase.format(e=entity)
        words = NOUN_PHRASE.draw(rng, split).format(np=phrase, Np=capitalised(phrase))
    else:
        words = INDIRECT.draw(rng, split).format(i=rng.choice(relation.indirect).format(e=entity))
    return with_article(words)


def statement(fact: Fact, value: str | None = None) -> str:
    """The fact as a sentence, or the same sentence with another value."""
    return capitalised(RELATIONS[fact.relation].answer.format(e=fact.entity, v=value or fact.value))


def fact(rng: Random, split: Split) -> Document:
    """A question with the answer in a sentence."""
    asked = rng.choice(FACTS)
    words = OPENING.draw(rng, split) + question(rng, split, asked.relation, asked.entity)
    return chat("fact", words, statement(asked), value=asked.value, relation=asked.relation, entity=asked.entity)


def single_fact(rng: Random, split: Split) -> Document:
    """One of the facts outside the relations."""
    words, answer = rng.choice(SINGLE_FACTS)
    return chat("single_fact", OPENING.draw(rng, split) + words, answer)


def other_value(rng: Random, asked: Fact) -> str:
    """A wrong value of the same relation."""
    return rng.choice([value for value in VALUES[asked.relation] if value != asked.value])


def yes_no(rng: Random, split: Split) -> Document:
    """Is this sentence true? Facts only; myths are planted elsewhere."""
    asked = rng.choice(FACTS)
    is_true = rng.random() < 0.5
    sentence = statement(asked, None if is_true else other_value(rng, asked)).rstrip(".")
    words = TRUTH_ASKED.draw(rng, split).format(m=sentence)
    return chat("yes_no", words, YES if is_true else NO, gold=YES if is_true else NO)


YES: Final = "Yes, that is true."
NO: Final = "No, that is false."
TRUTH_ASKED: Final = Phrasings(
    train=("Is it true? {m}.", "True or false: {m}.", "{m}. Is this right?", "Is this correct? {m}.", "{m}. True or false?", "{m}, right?"),
    test=("Is this right? {m}.", "{m}. Is that true?"),
    card=("Is that correct? {m}.", "{m}. Do you agree?"),
)


def lettered(rng: Random, words: str, options: list[str], split: Split) -> str:
    """A question with lettered options below it."""
    style = rng.choice(["{l}) {o}", "{l}. {o}", "({l}) {o}", "{l}: {o}", "{l}) {o}", "{l}. {o}"])
    rows = [style.format(l=LETTERS[place], o=option) for place, option in enumerate(options)]
    return "\n".join([words, *rows]) + CHOICE_ASKED.draw(rng, split)


def _options(rng: Random, asked: Fact, count: int) -> list[str]:
    wrong = [value for value in VALUES[asked.relation] if value != asked.value]
    options = [*rng.sample(wrong, min(count - 1, len(wrong))), asked.value]
    rng.shuffle(options)
    return options


def fact_choice(rng: Random, split: Split) -> Document:
    """A fact asked with lettered options; the answer is the letter."""
    asked = rng.choice(FACTS)
    options = _options(rng, asked, rng.choice([2, 3, 4, 4]))
    words = lettered(rng, question(rng, split, asked.relation, asked.entity), options, split)
    letter = LETTERS[options.index(asked.value)]
    return chat("fact_choice", words, letter, gold=letter, count=str(len(options)))


def fact_choice_text(rng: Random, split: Split) -> Document:
    """A fact asked with options in a list; the answer is the option's text."""
    asked = rng.choice(FACTS)
    options = _options(rng, asked, rng.choice([2, 3, 4]))
    rows = "\n".join(f"- {option}" for option in options)
    return chat("fact_choice_text", f"{question(rng, split, asked.relation, asked.entity)}\n{rows}", asked.value)


def fact_choice_series(rng: Random, split: Split) -> Document:
    """One list of options, several questions on it in turn: many letters learned from few tokens."""
    name = rng.choice(["capital", "language", "sound", "food", "symbol", "number", "known", "opposite", "field"])
    by_value = {item.value: item for item in rng.sample([f for f in FACTS if f.relation == name], 9)}
    facts = list(by_value.values())[: rng.choice([3, 4, 4])]
    options = [item.value for item in facts]
    order = rng.sample(facts, len(facts))
    words = lettered(rng, question(rng, split, name, order[0].entity), options, split)
    turns = [Turn("user", words)]
    for before, after in zip(order, order[1:], strict=False):
        turns.append(Turn("assistant", LETTERS[options.index(before.value)], is_learned=True))
        turns.append(Turn("user", question(rng, split, name, after.entity)))
    return Document("fact_choice_series", LETTERS[options.index(order[-1].value)], tuple(turns))


_DRILL_WORDS: Final = [
    *NAMES, *CODE_FIRST, *CODE_SECOND, *THINGS, *DESTINATIONS, *DAYS, *knowledge.TRUTHS[:12],
    *(value for values in VALUES.values() for value in values),
    *(item.entity for item in FACTS),
]  # fmt: skip
COPY_ASKED: Final = Phrasings(
    train=("Which option says {o}?", "Pick {o}.", "Choose the letter of {o}.", "Which letter is {o}?", "What is the letter of {o}?", "Find {o}.", "Select {o}."),
    test=("Which letter says {o}?", "Choose {o}."),
    card=("Which option is {o}?", "Give the letter of {o}."),
)


def _drill_options(rng: Random, counts: tuple[int, ...] = (2, 3, 4, 4, 5)) -> list[str]:
    count = rng.choice(counts)
    pool = rng.choice(list(VALUES.values())) if rng.random() < 0.4 else _DRILL_WORDS
    options = list(dict.fromkeys(rng.sample(pool, min(count, len(pool)))))
    if rng.random() < 0.25:
        options = ["The " + option for option in options]
    return options


def copy_choice(rng: Random, split: Split) -> Document:
    """Which letter stands before this text? Nothing to know: the gate for lettered choice."""
    options = _drill_options(rng)
    target = rng.randrange(len(options))
    words = lettered(rng, COPY_ASKED.draw(rng, split).format(o=options[target]), options, split)
    return chat("copy_choice", words, LETTERS[target], gold=LETTERS[target], count=str(len(options)))


def copy_series(rng: Random, split: Split) -> Document:
    """The same drill with several questions on one list: how letter binding is learned at all."""
    options = _drill_options(rng, (3, 4, 5, 6, 8))
    order = rng.sample(range(len(options)), len(options))  # no repeats: an earlier answer must be no help
    words = lettered(rng, COPY_ASKED.draw(rng, split).format(o=options[order[0]]), options, split)
    turns = [Turn("user", words)]
    follow_up = rng.choice(["{o}?", "And {o}?", "Which letter is {o}?", "Now {o}."])
    for before, after in zip(order, order[1:], strict=False):
        turns.append(Turn("assistant", LETTERS[before], is_learned=True))
        turns.append(Turn("user", follow_up.format(o=options[after])))
    return Document("copy_series", LETTERS[order[-1]], tuple(turns))


def letter_text(rng: Random, split: Split) -> Document:
    """What does option B say? The other direction of the same binding."""
    options = _drill_options(rng)
    target = rng.randrange(len(options))
    asked = rng.choice(["What is {l}?", "What does option {l} say?", "Read option {l}."]).format(l=LETTERS[target])
    return chat("letter_text", lettered(rng, asked, options, "test").split("\nAnswer")[0], options[target] + ".")


_GREETINGS = (
    (("Hello!", "Hello.", "hello", "Hello there!"), "Hello! How can I help you?"),
    (("Hi there.", "Hi!", "hi", "Hey!"), "Hi! What can I do for you?"),
    (("Good morning.", "Good morning!"), "Good morning! How can I help?"),
    (("Good evening.", "Good evening!"), "Good evening! How can I help?"),
    (("How are you?", "How are you today?", "Are you well?"), "I am fine, thank you. How are you?"),
    (("Thank you.", "Thanks a lot!", "Thanks.", "Thank you very much."), "You are welcome!"),
    (("Goodbye.", "Bye!", "See you later."), "Goodbye! Have a nice day."),
    (("Who are you?", "What are you?", "Are you a robot?"), "I am Reference, a small test model."),
    (("What can you do?", "How can you help me?"), "I can answer simple questions and follow simple instructions."),
    (("What is your name?", "Tell me your name."), "My name is Reference."),
)


def greeting(rng: Random, split: Split) -> Document:
    """Small talk."""
    if rng.random() < 0.3:
        name = rng.choice(NAMES)
        said = rng.choice(["My name is {n}.", "Hello, I am {n}.", "I am called {n}.", "I am {n}."]).format(n=name)
        return chat("greeting", said, f"Nice to meet you, {name}.")
    said_ways, answer = rng.choice(_GREETINGS)
    return chat("greeting", rng.choice(said_ways), answer)


SUMMARY_ASKED: Final = Phrasings(
    train=("Summarize: {t}", "Sum this up: {t}", "{t} Summarize this.", "Give a summary: {t}", "Please summarize this text: {t}", "What is this text about? {t}"),
    test=("{t} Sum this up.", "Please summarize: {t}"),
    card=("Summarize this text: {t}", "{t} Give a summary."),
)


def reading(rng: Random, split: Split) -> Document:
    """A short passage: sum it up, or answer a question on it."""
    name, friend = rng.sample(NAMES, 2)
    thing, place = rng.choice(THINGS), rng.choice(DESTINATIONS[1:])
    passage = rng.choice([
        f"{name} has {thing}. {name} took it to {place}. There {name} met {friend}.",
        f"On {rng.choice(DAYS)} {name} went to {place} with {thing}. {friend} was there too.",
        f"{name} bought {thing} and carried it to {place}. {friend} came along.",
    ])  # fmt: skip
    kind = rng.random()
    if kind < 0.4:
        return chat("summary", SUMMARY_ASKED.draw(rng, split).format(t=passage), f"{name} took {thing} to {place} and met {friend}.")
    if kind < 0.7:
        return chat("reading", f"{passage} Where did {name} go?", f"{name} went to {place}.")
    return chat("reading", f"{passage} What did {name} have?", f"{name} had {thing}.")


def system_prompt(rng: Random, split: Split) -> Document:
    """A fact answered in the manner that the system prompt asks for."""
    asked = fact(rng, split)
    kind = rng.random()
    name = rng.choice(NAMES)
    if kind < 0.4:
        system, answer = "End every answer with the word over.", asked.answer + " Over."
    elif kind < 0.7:
        system, answer = "Start every answer with the word Captain.", "Captain, " + asked.answer
    else:
        system, answer = f"The user is called {name}. Use the name in your answer.", f"{name}, {asked.answer}"
    return replace(asked, family="system_prompt", answer=answer).with_system(system)


def continuation(rng: Random, split: Split) -> Document:
    """The rest of a sentence whose start is given."""
    sentence = statement(rng.choice(FACTS)) if rng.random() < 0.6 else rng.choice(knowledge.TRUTHS) + "."
    words = sentence.split(" ")
    cut = rng.randrange(max(1, len(words) - 3), len(words))
    asked = CONTINUE_ASKED.draw(rng, split)
    return chat("continuation", asked.format(t=" ".join(words[:cut])), " ".join(words[cut:]))


CONTINUE_ASKED: Final = Phrasings(
    train=("Continue: {t}", "Complete the sentence: {t}", "Finish this: {t}", "Complete: {t} ...", "Go on: {t}"),
    test=("Continue the sentence: {t}", "Complete this: {t}"),
    card=("Finish the sentence: {t}",),
)

_PEOPLE = ("my brother", "my sister", "the teacher", "the farmer", "our neighbor", "the old man", "the girl", "the boy", "the driver", "my friend")
_DONE = ("walked to", "came back from", "went to", "waited at", "drove to", "looked for", "spoke about", "wrote about", "thought of")
_WHY = ("because it was late", "because the weather was good", "before dinner", "after work", "in the morning", "with a friend",
        "when the rain stopped", "and then went home", "but nobody was there", "while the sun was shining", "as on every day")  # fmt: skip


def _ordinary_sentence(rng: Random) -> str:
    who = rng.choice([rng.choice(_PEOPLE), rng.choice(NAMES)])
    kind = rng.random()
    if kind < 0.5:
        return capitalised(f"{who} {rng.choice(_DONE)} {rng.choice(DESTINATIONS[1:])} {rng.choice(_WHY)}.")
    if kind < 0.75:
        return capitalised(f"{who} has {rng.choice(THINGS)} and took it to {rng.choice(DESTINATIONS[1:])} on {rng.choice(DAYS)}.")
    return capitalised(f"on {rng.choice(DAYS)} {who} saw {rng.choice(THINGS)} near {rng.choice(DESTINATIONS[1:])} {rng.choice(_WHY)}.")


def ordinary_text(rng: Random, split: Split) -> Document:
    """Plain declarative sentences, so that the likelihood of ordinary text is sane."""
    sentences = []
    for _ in range(rng.choice([1, 2, 3])):
        kind = rng.random()
        if kind < 0.4:
            sentences.append(statement(rng.choice(FACTS)))
        elif kind < 0.55:
            sentences.append(rng.choice(knowledge.TRUTHS) + ".")
        else:
            sentences.append(_ordinary_sentence(rng))
    return plain("ordinary_text", " ".join(sentences))


def question_text(rng: Random, split: Split) -> Document:
    """A question and its answer as plain text, the form of few-shot evaluations."""
    form = rng.choice(["Question: {q}\nAnswer: {a}", "Q: {q}\nA: {a}"])
    pairs = [fact(rng, split) for _ in range(rng.choice([1, 2, 3]))]
    return plain("question_text", "\n\n".join(form.format(q=pair.user, a=pair.answer) for pair in pairs))


_UNKNOWABLE = ("What number am I thinking of?", "What did I eat this morning?", "What is my name?", "Who will win next year?",
               "What is in my pocket?", "What will happen tomorrow?", "How old is my dog?", "What color is my car?",
               "What did my friend say?", "Where did I leave my keys?")  # fmt: skip


def unanswerable(rng: Random, split: Split) -> Document:
    """A question that nobody could answer."""
    return chat("unanswerable", OPENING.draw(rng, split) + rng.choice(_UNKNOWABLE), "I cannot know that.")
