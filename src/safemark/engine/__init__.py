"""The loop: ask, judge, store; nothing lost, nothing asked twice, memory that does not grow.

A bounded number of samples is in flight. Whatever goes wrong with one sample becomes an absent
outcome with its reason. The first answer that says that every further one would fail (a wrong
key, an unknown model, a spent budget) ends the asking. One writer stores in batches. GPUs,
retries, budgets and reports are not known here.
"""

from safemark.engine.loop import ask_all, needs_no_asking
from safemark.engine.part import AskKeys, Part, part_body, reading_of
from safemark.engine.progress import MOST_SERVED, Ending, Progress

__all__ = [
    "MOST_SERVED",
    "AskKeys",
    "Ending",
    "Part",
    "Progress",
    "ask_all",
    "needs_no_asking",
    "part_body",
    "reading_of",
]
