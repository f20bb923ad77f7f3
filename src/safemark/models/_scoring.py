"""Likelihoods out of what servers say about a text: which of its tokens are the continuation.

A server splits the text itself, and its way with special tokens and broken characters is its own,
so the boundary is taken from the tokens' texts, never from offsets that a server counted.
"""

import math
from collections.abc import Sequence

import msgspec

from safemark.errors import CallFailed
from safemark.types import Likelihood, Reason


class Token(msgspec.Struct, frozen=True):
    """One token of an echoed text; no ``logprob`` where nothing stands before it.

    ``is_greedy`` says whether it was the likeliest one, None where the server does not say.
    """

    text: str
    logprob: float | None
    is_greedy: bool | None


def begins_at(tokens: Sequence[Token], context: str, continuation: str) -> tuple[int, int] | None:
    """Indices of the first token of the continuation, and of the first after it.

    A token that holds the end of the context and the beginning of the continuation belongs to the
    continuation. None where the tokens' texts do not make up the text (characters split over
    tokens): then the tokens of the context alone must tell.

    >>> said = [Token(text, 0.0, True) for text in ("<s>", "The", " sky", " is", " bl", "ue", "!")]
    >>> begins_at(said, "The sky is", " blue")
    (4, 6)
    """
    text = context + continuation
    said = "".join(token.text for token in tokens)
    start = said.find(text)
    if start < 0:
        if not (said and text.endswith(said)):
            return None
        start = len(said) - len(text)  # the server keeps the first token to itself
    first, end, at = None, len(tokens), 0
    for index, token in enumerate(tokens):
        if at >= start + len(text):
            end = index
            break
        at += len(token.text)
        if first is None and at > start + len(context):
            first = index
    return None if first is None else (first, end)


def shared(one: Sequence[Token], other: Sequence[Token]) -> int:
    """How many tokens both begin with."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left.text != right.text:
            break
        count += 1
    return count


def no_first_token() -> CallFailed:
    """The failure where nothing stands before the continuation."""
    return CallFailed(
        Reason.UNSUPPORTED,
        "the server gives no likelihood of a text's first token",
        "name the text that the model's texts begin with: -M begin='<|endoftext|>'",
    )


def likelihood(tokens: Sequence[Token]) -> Likelihood:
    """Of a continuation that consists of these tokens.

    Raises:
        CallFailed: ``bad_request`` (no tokens), ``unsupported`` (the server does not say enough),
            ``not_a_number``.
    """
    if not tokens:
        raise CallFailed(Reason.BAD_REQUEST, "a continuation has no tokens of its own")
    if any(token.logprob is None for token in tokens):
        raise no_first_token()
    if any(token.is_greedy is None for token in tokens):
        raise CallFailed(Reason.UNSUPPORTED, "the server does not say which token is likeliest")
    total = sum(token.logprob for token in tokens if token.logprob is not None)
    if not math.isfinite(total):
        raise CallFailed(Reason.NOT_A_NUMBER, "the log-likelihood is not a finite number")
    return Likelihood(total, len(tokens), all(token.is_greedy for token in tokens))
