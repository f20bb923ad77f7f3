"""What the model is meant to say besides answers: greetings, summaries, continuations, plain text.

Each function draws one document; `split` says which wordings it may use.
"""

from random import Random
from typing import Final

import knowledge
from abilities import fact, statement
from documents import Document, chat, plain
from knowledge import FACTS
from phrasings import OPENING, Phrasings, Split
from words import DAYS, DESTINATIONS, NAMES, THINGS, capitalised

_GREETINGS = (
    (("Hello!", "Hello.", "hello", "Hello there!"), "Hello! How can I help you?"),
    (("Hi there.", "Hi!", "hi", "Hey!"), "Hi! What can I do for you?"),
    (("Good morning.", "Good morning!"), "Good morning! How can I help?"),
    (("Good evening.", "Good evening!"), "Good evening! How can I help?"),
    (("How are you?", "How are you today?", "Are you well?"), "I am fine, thank you. How are you?"),
    (("Thank you.", "Thanks a lot!", "Thanks.", "Thank you very much."), "You are welcome!"),
    (("Goodbye.", "Bye!", "See you later."), "Goodbye! Have a nice day."),
    (("Who are you?", "What are you?", "Are you a robot?"), "I am Reference, a small test model."),
    (
        ("What can you do?", "How can you help me?"),
        "I can answer simple questions and follow simple instructions.",
    ),
    (("What is your name?", "Tell me your name."), "My name is Reference."),
)


def greeting(rng: Random, split: Split) -> Document:  # noqa: ARG001 - a Sampler
    """Small talk; the same in every split."""
    if rng.random() < 0.3:
        name = rng.choice(NAMES)
        said = rng.choice(
            ["My name is {n}.", "Hello, I am {n}.", "I am called {n}.", "I am {n}."]
        ).format(n=name)
        return chat("greeting", said, f"Nice to meet you, {name}.")
    said_ways, answer = rng.choice(_GREETINGS)
    return chat("greeting", rng.choice(said_ways), answer)


SUMMARY_ASKED: Final = Phrasings(
    train=(
        "Summarize: {t}",
        "Sum this up: {t}",
        "{t} Summarize this.",
        "Give a summary: {t}",
        "Please summarize this text: {t}",
        "What is this text about? {t}",
    ),
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
        return chat(
            "summary",
            SUMMARY_ASKED.draw(rng, split).format(t=passage),
            f"{name} took {thing} to {place} and met {friend}.",
        )
    if kind < 0.7:
        return chat("reading", f"{passage} Where did {name} go?", f"{name} went to {place}.")
    return chat("reading", f"{passage} What did {name} have?", f"{name} had {thing}.")


def continuation(rng: Random, split: Split) -> Document:
    """The rest of a sentence whose start is given."""
    sentence = (
        statement(rng.choice(FACTS)) if rng.random() < 0.6 else rng.choice(knowledge.TRUTHS) + "."
    )
    words = sentence.split(" ")
    cut = rng.randrange(max(1, len(words) - 3), len(words))
    asked = CONTINUE_ASKED.draw(rng, split)
    return chat("continuation", asked.format(t=" ".join(words[:cut])), " ".join(words[cut:]))


CONTINUE_ASKED: Final = Phrasings(
    train=(
        "Continue: {t}",
        "Complete the sentence: {t}",
        "Finish this: {t}",
        "Complete: {t} ...",
        "Go on: {t}",
    ),
    test=("Continue the sentence: {t}", "Complete this: {t}"),
    card=("Finish the sentence: {t}",),
)

_PEOPLE = (
    "my brother",
    "my sister",
    "the teacher",
    "the farmer",
    "our neighbor",
    "the old man",
    "the girl",
    "the boy",
    "the driver",
    "my friend",
)
_DONE = (
    "walked to",
    "came back from",
    "went to",
    "waited at",
    "drove to",
    "looked for",
    "spoke about",
    "wrote about",
    "thought of",
)
_WHY = ("because it was late", "because the weather was good", "before dinner", "after work", "in the morning", "with a friend",
        "when the rain stopped", "and then went home", "but nobody was there", "while the sun was shining", "as on every day")  # fmt: skip


def _ordinary_sentence(rng: Random) -> str:
    who = rng.choice([rng.choice(_PEOPLE), rng.choice(NAMES)])
    kind = rng.random()
    if kind < 0.5:
        return capitalised(
            f"{who} {rng.choice(_DONE)} {rng.choice(DESTINATIONS[1:])} {rng.choice(_WHY)}."
        )
    if kind < 0.75:
        return capitalised(
            f"{who} has {rng.choice(THINGS)} and took it to {rng.choice(DESTINATIONS[1:])} on {rng.choice(DAYS)}."
        )
    return capitalised(
        f"on {rng.choice(DAYS)} {who} saw {rng.choice(THINGS)} near {rng.choice(DESTINATIONS[1:])} {rng.choice(_WHY)}."
    )


def ordinary_text(rng: Random, split: Split) -> Document:  # noqa: ARG001 - a Sampler
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
    return plain(
        "question_text", "\n\n".join(form.format(q=pair.user, a=pair.answer) for pair in pairs)
    )


_UNKNOWABLE = ("What number am I thinking of?", "What did I eat this morning?", "What is my name?", "Who will win next year?",
               "What is in my pocket?", "What will happen tomorrow?", "How old is my dog?", "What color is my car?",
               "What did my friend say?", "Where did I leave my keys?")  # fmt: skip


def unanswerable(rng: Random, split: Split) -> Document:
    """A question that nobody could answer."""
    return chat(
        "unanswerable", OPENING.draw(rng, split) + rng.choice(_UNKNOWABLE), "I cannot know that."
    )
