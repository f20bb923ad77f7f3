"""What a run leaves out, told once for each reason."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_PART = re.compile(r"^asked: [\d,]+ of [\d,]+(?=, )")
_REST = "the rest of "


class LeftOut(NamedTuple):
    """What is left out for one reason; where there are several, NAME in it stands for each."""

    names: Sequence[str]
    why: str

    def named(self, most: int = 4) -> str:
        """The first so many names, and how many more there are."""
        rest = len(self.names) - most
        more = f" and {rest} more" if rest > 0 else ""
        return ", ".join(self.names[:most]) + more


def by_reason(gaps: Iterable[tuple[str, str]]) -> list[LeftOut]:
    """One entry for each reason, in the order in which they are first met.

    How many of their samples were asked is no other reason.

    Args:
        gaps: what is left out, and why.

    >>> by_reason([("bbq", "pull bbq"), ("felm", "pull felm"), ("halueval2", "no judge")])
    [LeftOut(names=['bbq', 'felm'], why='pull NAME'), LeftOut(names=['halueval2'], why='no judge')]
    >>> rest = [("the rest of a", "asked: 2 of 5, …"), ("the rest of b", "asked: 2 of 7, …")]
    >>> by_reason(rest)
    [LeftOut(names=['the rest of a', 'b'], why='asked in part, …')]
    """
    together: dict[str, list[tuple[str, str]]] = {}
    for what, why in gaps:
        reason = re.sub(rf"(?<!\w){re.escape(what)}(?!\w)", "NAME", why)
        together.setdefault(_PART.sub("asked in part", reason), []).append((what, why))
    return [
        LeftOut(_names(found), reason if found[1:] else found[0][1])
        for reason, found in together.items()
    ]


def _names(found: Sequence[tuple[str, str]]) -> list[str]:
    """Of several that are each the rest of something, only the first says so."""
    names = [what for what, _ in found]
    if all(name.startswith(_REST) for name in names):
        return [names[0], *(name.removeprefix(_REST) for name in names[1:])]
    return names
