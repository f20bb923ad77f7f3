"""What a run leaves out, told once for each reason."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple


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

    Args:
        gaps: what is left out, and why.

    >>> by_reason([("bbq", "pull bbq"), ("felm", "pull felm"), ("halueval2", "no judge")])
    [LeftOut(names=['bbq', 'felm'], why='pull NAME'), LeftOut(names=['halueval2'], why='no judge')]
    """
    together: dict[str, list[tuple[str, str]]] = {}
    for what, why in gaps:
        reason = re.sub(rf"(?<!\w){re.escape(what)}(?!\w)", "NAME", why)
        together.setdefault(reason, []).append((what, why))
    return [
        LeftOut([what for what, _ in found], reason if found[1:] else found[0][1])
        for reason, found in together.items()
    ]
