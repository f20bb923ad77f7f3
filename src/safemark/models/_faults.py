"""What an HTTP error of a model's server means, whoever the provider; what else its words tell."""

import json
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import msgspec

from safemark.errors import CallFailed
from safemark.types import Reason

Finish = Literal["stop", "length", "blocked", "other"]

_UNKNOWN_MODEL = re.compile(
    r"model_not_found|model_not_available|DeploymentNotFound|unknown model|no such model"
    r"|not a valid model|invalid[ _]model|model not exist|server is pinned to|no endpoints found"
    r"|does not exist or you do not have access|unable to access model|model not found"
    r"|models?\W+\S*\W+(was |is )?(not found|does not exist)"
    r"|\"message\":\s*\"model: ",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(
    r"context_length_exceeded|maximum context length|prompt is too long|input is too long"
    r"|exceeds? the (available )?context (size|window|length)"
    r"|exceeds the maximum number of (input )?tokens",
    re.IGNORECASE,
)
_BLOCKED = re.compile(
    r"content_filter|content filtering|content_policy|content management policy|moderation|flagged"
    r"|violates (our )?usage (guidelines|policies|policy)|content exists risk"
    r"|data_inspection_failed|invalid_prompt",
    re.IGNORECASE,
)
_NO_CREDIT = re.compile(
    r"insufficient_quota|insufficient credits|credit balance is too low", re.IGNORECASE
)
WRONG_KEY = re.compile(
    r"(incorrect|invalid) (x-)?api[- ]key|invalid_api_key|api_key_invalid|api key not valid",
    re.IGNORECASE,
)
_RETRY_DELAY = re.compile(r'"retryDelay":\s*"([0-9.]+)s"')
_REFUSED = range(400, 500)

_MEANINGS: tuple[tuple[Reason, Collection[int], re.Pattern[str] | None], ...] = (
    (Reason.BLOCKED, (403,), _BLOCKED),
    (Reason.AUTHENTICATION, (401, 402, 403), None),
    (Reason.AUTHENTICATION, _REFUSED, _NO_CREDIT),
    (Reason.AUTHENTICATION, (400,), WRONG_KEY),
    (Reason.RATE_LIMITED, (429,), None),
    (Reason.TIMEOUT, (408,), None),
    (Reason.SERVER_ERROR, range(500, 600), None),
    (Reason.UNKNOWN_MODEL, (400, 404), _UNKNOWN_MODEL),
    (Reason.CONTEXT_TOO_LONG, _REFUSED, _TOO_LONG),
    (Reason.BLOCKED, _REFUSED, _BLOCKED),
)
"""What a status, with these words in the body, means; the first that fits. Else a bad request."""

_BROKEN_OFF = frozenset({"error", "abort", "failed", "insufficient_system_resource"})
_FINISHES: dict[str | None, Finish] = {
    **dict.fromkeys((None, "stop", "eos", "end_turn", "stop_sequence", "completed"), "stop"),
    **dict.fromkeys(("length", "max_tokens", "model_length", "max_output_tokens"), "length"),
    **dict.fromkeys(("content_filter", "refusal"), "blocked"),
}


class Refused(CallFailed):
    """The server answered with an HTTP error: its ``status`` and what it ``said``, scrubbed."""

    def __init__(
        self,
        reason: Reason,
        why: str,
        hint: str,
        *,
        status: int,
        said: str,
        retry_after_s: float | None,
    ) -> None:
        super().__init__(reason, why, hint, retry_after_s=retry_after_s)
        self.status = status
        self.said = said


def finish(reason: str | None) -> Finish:
    """What the server's word for the end means.

    Raises:
        CallFailed: the answer was broken off by an error of the server.
    """
    if reason in _BROKEN_OFF:
        raise CallFailed(Reason.SERVER_ERROR, f"the answer was broken off: {reason}")
    return _FINISHES.get(reason, "other")


def believable(count: Any) -> int | None:
    """A number of tokens, or None: accounts are no answers, and a wild one is not known.

    >>> believable(12), believable(-1), believable("12"), believable(1e300), believable(True)
    (12, None, None, None, None)
    """
    is_count = (
        isinstance(count, int | float)
        and not isinstance(count, bool)
        and 0 <= count < 2**31
        and count == int(count)
    )
    return int(count) if is_count else None


def part_of(account: Any, *names: str) -> Any:
    """What stands under ``names`` in an account of unknown shape, or None."""
    for name in names:
        account = account.get(name) if isinstance(account, dict) else None
    return account


def meaning(status: int, text: str) -> Reason:
    for reason, statuses, words in _MEANINGS:
        if status in statuses and (words is None or words.search(text)):
            return reason
    return Reason.BAD_REQUEST


def status_within(content: bytes) -> int | None:
    """The HTTP status that a gateway put into the body of a reply that it called a success."""
    try:
        code = part_of(msgspec.json.decode(content[:100_000]), "error", "code")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return code if isinstance(code, int) and 400 <= code < 600 else None


def message(text: str) -> str:
    """The sentence inside an error body, or its beginning."""
    try:
        body = json.loads(text)
        body = body[0] if isinstance(body, list) else body
        error = body.get("error", {})
        message = error.get("message") if isinstance(error, dict) else error
        message = message or body.get("message") or body.get("detail")
    except (ValueError, AttributeError, IndexError, RecursionError):
        message = None
    return str(message or text.strip() or "no explanation")[:300]


def retry_after_s(headers: Mapping[str, str], text: str) -> float | None:
    """The seconds that the server asks to wait: in a header (a number or a date), or as Google."""
    value = headers.get("Retry-After")
    if value is None:
        delay = _RETRY_DELAY.search(text)
        return float(delay[1]) if delay and delay[1].count(".") < 2 else None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
