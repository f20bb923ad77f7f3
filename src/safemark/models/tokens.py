"""How many tokens a text is, roughly: for limits, budgets and estimates; no tokenizer is loaded."""

from collections.abc import Sequence

from safemark.types import Ask, Messages, Usage

CHARACTERS_PER_TOKEN = 4.0
"""Rule of thumb for English text."""


def estimated(characters: int) -> int:
    """Tokens of so many characters, rounded up.

    >>> estimated(0), estimated(3), estimated(400)
    (0, 1, 100)
    """
    return -int(-characters // CHARACTERS_PER_TOKEN)


def of_messages(messages: Messages, ask: Ask) -> int:
    """About how many tokens are sent."""
    characters = sum(len(message.content) for message in messages)
    return estimated(characters + len(ask.system or "") + len(ask.prefill or ""))


def of_continuations(context: str | Messages, continuations: Sequence[str]) -> int:
    """About how many tokens a request for likelihoods sends: the context once for each."""
    length = len(context) if isinstance(context, str) else sum(len(m.content) for m in context)
    return estimated(length * len(continuations) + sum(map(len, continuations)))


def told(usage: Usage) -> int | None:
    """Tokens in and out, None where the server did not tell both."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    return usage.input_tokens + usage.output_tokens
