"""From records to columns and back to bytes: what is stored of a transcript and of a score."""

from collections.abc import Iterable
from typing import Any

import msgspec

from safemark.secrets import scrubbed, scrubbed_bytes
from safemark.store.nouns import Entry, Text
from safemark.types import Attempt, Sample, Score, Transcript


def transcript_columns(entry: Entry) -> tuple[Any, ...]:
    """The numbers of a finished sample, in the order of the table's columns."""
    attempts = entry.transcript.attempts
    usages = [attempt.reply.usage for attempt in attempts if attempt.reply is not None]
    sample = entry.sample
    absent = entry.transcript.absent
    return (
        entry.part_id,
        entry.position,
        entry.ask_key,
        column_text(sample.id),
        entry.repeat,
        column_text(sample.category),
        column_text(sample.cluster),
        encoded(sample.facets),
        absent.value if absent else None,
        len(attempts),
        sum(attempt.seconds for attempt in attempts),
        _tokens(usage.input_tokens for usage in usages),
        _tokens(usage.output_tokens for usage in usages),
        _known_sum(usage.cost_usd for usage in usages),
        entry.transcript.retries,
        entry.transcript.waited_s,
    )


class _StoredText(msgspec.Struct, frozen=True, omit_defaults=True):
    """A text as it lies in the store: what repeats the sample word for word is left out.

    ``as_sample`` are the indices of the attempts at which the sample was sent as it is.
    """

    sample: Sample
    transcript: Transcript
    as_sample: tuple[int, ...] = ()


_stored_text = msgspec.json.Decoder(_StoredText)


def text_column(sample: Sample, transcript: Transcript) -> bytes:
    """The text half of a record, scrubbed."""
    attempts = list(transcript.attempts)
    as_sample = tuple(i for i, attempt in enumerate(attempts) if _is_sample(attempt, sample))
    for i in as_sample:
        attempts[i] = msgspec.structs.replace(attempts[i], sent=(), context=None, continuations=())
    kept = msgspec.structs.replace(transcript, attempts=tuple(attempts))
    return scrubbed_bytes(encoded(_StoredText(sample, kept, as_sample)))


def text_of(body: bytes) -> Text:
    """What `text_column` was given, secrets apart."""
    stored = _stored_text.decode(body)
    if not stored.as_sample:
        return Text(stored.sample, stored.transcript)
    sample, attempts = stored.sample, list(stored.transcript.attempts)
    for i in stored.as_sample:
        attempts[i] = msgspec.structs.replace(
            attempts[i],
            sent=sample.messages,
            context=sample.context,
            continuations=sample.continuations,
        )
    return Text(sample, msgspec.structs.replace(stored.transcript, attempts=tuple(attempts)))


def _is_sample(attempt: Attempt, sample: Sample) -> bool:
    return (
        attempt.sent == sample.messages
        and attempt.context == sample.context
        and attempt.continuations == sample.continuations
    )


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


def score_columns(part_id: int, position: int, scorer_id: int, score: Score) -> tuple[Any, ...]:
    """A score, in the order of the table's columns."""
    return (
        part_id,
        position,
        scorer_id,
        score.absent.value if score.absent else None,
        scrubbed_bytes(encoded(score.outcomes)),
        column_text(scrubbed(score.why)),
    )
