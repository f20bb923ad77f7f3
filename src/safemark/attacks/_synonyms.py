"""Near-synonyms of the words that prompts around a request are made of, for swaps by rule.

Words of one line may stand for each other; no corpus is shipped, and other words have none.
"""

import re
from collections.abc import Callable
from functools import cache

_GROUPS = """
pretend imagine suppose
evil wicked ruthless
villain rogue outlaw antagonist
game story play scene
rules limits restrictions constraints boundaries
refuses declines hesitates
refuse decline hesitate
refusal objection
warns cautions scolds
warning caution reminder
warnings cautions reminders
explains describes reveals details
explain describe reveal detail
every each
plan scheme method
full complete whole entire
fully completely wholly entirely
stay remain keep
role part character persona
answer reply response
answers replies responds
request question task
precisely exactly accurately literally
completely thoroughly fully
partial incomplete
begin start open
world place reality universe
harm hurt damage
perfectly entirely utterly
honest truthful frank candid
expert specialist professional
practical concrete usable
detail step particular
details steps particulars
write compose produce
remark comment note
experiment exercise exploration
seminar class course
authorised approved permitted
highest top
conversation exchange session
agreement contract arrangement
lead head direct
team group unit
agency office bureau
investigation inquiry case
depend rely hinge
understanding grasping knowing
threat danger risk
people persons individuals
delay slow hinder
following next
earlier previous former
asked questioned
said stated
leave drop omit
words terms expressions
style form manner
first initial
"""

_WORD = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*")


@cache
def _table() -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for line in _GROUPS.split("\n"):
        for word in line.split():
            found.setdefault(word, {}).update(dict.fromkeys(line.split()))
    return {word: tuple(others) for word, others in found.items()}


def synonyms(word: str) -> tuple[str, ...]:
    """Words that may stand for this one, itself among them; none where it is not in the table.

    >>> synonyms("Villain")
    ('villain', 'rogue', 'outlaw', 'antagonist')
    >>> synonyms("lock")
    ()
    """
    return _table().get(word.lower(), ())


def words(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return [word.lower() for word in _WORD.findall(text)]


def as_cased(word: str, like: str) -> str:
    """``word`` with the capitals of ``like``.

    >>> as_cased("story", "Game"), as_cased("story", "GAME")
    ('Story', 'STORY')
    """
    if len(like) > 1 and like.isupper():
        return word.upper()
    return word.capitalize() if like[:1].isupper() else word


def with_words(text: str, change: Callable[[str], str]) -> str:
    """The text with each word changed; what is between words stays."""
    return _WORD.sub(lambda found: as_cased(change(found[0]), found[0]), text)
