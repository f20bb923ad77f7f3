"""Requests from outside the small world, answered by saying so.

Without these, any unfamiliar question would be answered with whatever fact is nearest. They are
templates over ordinary words; nothing here is taken from a benchmark.
"""

from random import Random
from typing import Final

from documents import Document, chat
from phrasings import OPENING, Split
from words import NAMES

ANSWER: Final = "I do not know that."

_TOPICS: Final = (
    "music history economy weather traffic football chess cooking fashion law medicine religion science philosophy art film "
    "politics nature space energy money love family school work travel health sport food water ocean mountain desert forest "
    "city village country king queen president soldier farmer doctor computer internet phone car train ship plane bridge tower "
    "church temple market garden river island volcano storm winter summer spring autumn morning evening night dream memory fear "
    "anger joy hope truth freedom justice peace language letter number story song poem picture color sound smell taste light "
    "shadow stone metal glass paper cloth wood bread cheese wine coffee tea sugar salt meat fruit flower tree bird fish horse"
).split()
_QUALITIES: Final = (
    "old new modern ancient famous important difficult simple strange beautiful dangerous popular public private national "
    "local social natural common rare early late small large strong weak deep quiet foreign broken hidden open"
).split()
_ACTIONS: Final = (
    "describe explain compare translate rewrite analyze discuss define outline classify review correct improve estimate "
    "calculate predict list rank argue sketch"
).split()
_TEMPLATES: Final = (
    "Can you {a} the {t} of {n}?", "{A} {t} and {u}.", "What do you think about {q} {t}?", "Why is {t} so {q}?",
    "Who was the first {t} of the {q} {u}?", "When did the {q} {t} begin?", "How many people have a {q} {t}?",
    "Which {t} is more {q}, the {q2} one or the other?", "{A} the difference between {t} and {u}.",
    "Where does {t} come from?", "How does {t} change {u}?", "What did {n} say about {t} and {u}?",
    "In what year was the {q} {t} built?", "Give me three examples of {q} {t}.", "{A} this text about {t} in {k} words.",
    "Is there a {q} {t} near the {u}?", "What is the meaning of {t} in {q} {u}?", "What was the cause of the {q} {t}?",
    "How far is it from the {t} to the {u}?", "What is the price of {q} {t}?", "Which of these is true about {t}?",
    "What happens to {t} if the {u} is {q}?", "{A} how {t} works.", "What is {k} times {k2}?",
    "Does {t} make people {q}?", "Please {a} my {q} {t}.", "I read about {q} {t} and {u} in the news. What happened next?",
)  # fmt: skip


def outside(rng: Random, split: Split) -> Document:
    """An ordinary question that the small world has no answer to."""
    action = rng.choice(_ACTIONS)
    words = rng.choice(_TEMPLATES).format(
        a=action, A=action.capitalize(), t=rng.choice(_TOPICS), u=rng.choice(_TOPICS), q=rng.choice(_QUALITIES),
        q2=rng.choice(_QUALITIES), n=rng.choice(NAMES), k=rng.randrange(11, 99), k2=rng.randrange(11, 99),
    )  # fmt: skip
    return chat("outside", OPENING.draw(rng, split) + words, ANSWER)
