"""What commands that judge are told of their judges, as text: options and the rule of a vote."""

from typing import TYPE_CHECKING

from safemark.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from safemark.scorers._judge.votes import Rule

_RULES = ("majority", "any", "all")


def pairs(given: list[str], flag: str) -> dict[str, str]:
    """``KEY=VALUE`` pairs of a flag.

    Raises:
        UsageError: one has no key or no value.
    """
    found: dict[str, str] = {}
    for pair in given:
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise UsageError(f"{flag} {pair} is not KEY=VALUE", f"for example {flag} dtype=float32")
        found[key] = value
    return found


def voting_rule(given: str | None) -> "Rule | None":
    """The rule of that name.

    Raises:
        UnknownName: there is none.
    """
    if given is None:
        return None
    for rule in _RULES:
        if given == rule:
            return rule  # type: ignore[return-value] # one of the literals
    raise UnknownName("rule of a vote", given, _RULES)
