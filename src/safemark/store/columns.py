"""From records to columns and back to bytes: what is stored of a transcript and of a score."""

from collections.abc import Iterable
from typing import Any

import msgspec

from safemark.secrets import scrubbed, scrubbed_bytes
from safemark.store.nouns import Entry
from safemark.types import Score


def transcript_columns(entry: Entry) -> dict[str, Any]:
    """The numbers of a finished sample."""
    attempts = entry.transcript.attempts
    usages = [attempt.reply.usage for attempt in attempts if attempt.reply is not None]
    sample = entry.sample
    absent = entry.transcript.absent
    return {
        "ask_key": entry.ask_key,
        "sample_id": column_text(sample.id),
        "repeat": entry.repeat,
        "category": column_text(sample.category),
        "cluster": column_text(sample.cluster),
        "facets": encoded(sample.facets),
        "absent": absent.value if absent else None,
        "requests": len(attempts),
        "seconds": sum(attempt.seconds for attempt in attempts),
        "input_tokens": _tokens(usage.input_tokens for usage in usages),
        "output_tokens": _tokens(usage.output_tokens for usage in usages),
        "cost_usd": _known_sum(usage.cost_usd for usage in usages),
    }


def encoded(value: Any) -> bytes:
    """JSON of ``value``; half a character (a lone surrogate) is kept as its escape."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_whole_characters(msgspec.to_builtins(value)))


def _whole_characters(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_whole_characters(k): _whole_characters(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_whole_characters(part) for part in value]
    return value


def column_text(text: str | None) -> str | None:
    """Text as a column takes it: PostgreSQL has no NUL, and neither has half a character."""
    return None if text is None else _whole_characters(text).replace("\0", "\\0")


_MOST_TOKENS = 2**31 - 1


def _tokens(values: Iterable[int | None]) -> int | None:
    """Their sum, as far as an integer column holds it."""
    known = [value for value in values if value is not None]
    return min(sum(known), _MOST_TOKENS) if known else None


def _known_sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def score_columns(scorer_id: int, score: Score) -> dict[str, Any]:
    """A score as it is stored."""
    return {
        "scorer_id": scorer_id,
        "absent": score.absent.value if score.absent else None,
        "outcomes": scrubbed_bytes(encoded(score.outcomes)),
        "why": column_text(scrubbed(score.why)),
    }
