"""Whether an endpoint is worth asking just now. Pure: the time is told, nothing is awaited."""

from safemark.errors import CallFailed
from safemark.types import Reason

TRANSIENT = frozenset({Reason.TIMEOUT, Reason.TRANSPORT, Reason.RATE_LIMITED, Reason.SERVER_ERROR})
"""Failures that say something of the endpoint just now, not of the question."""

LONGEST_PAUSE_S = 15.0

_DEAF = frozenset({Reason.TRANSPORT, Reason.SERVER_ERROR})
_NEVER = float("-inf")


class Circuit:
    """Opens when one call after the other fails, then lets single calls through to try.

    After ``threshold`` failures in a row nothing is asked for ``first_pause_s``, then one call is;
    when it fails too, for twice as long, four times, … up to `LONGEST_PAUSE_S`. Any answer closes
    the circuit, a refusal as well. An endpoint that has failed for ``patience_s`` without one
    answer between is given up; for ``first_patience_s``, where it has never answered. What a
    server asks for by Retry-After is waited for by all calls, up to ``longest_wait_s``; one that
    asks for more is given up.
    """

    def __init__(
        self,
        threshold: int = 8,
        patience_s: float = 120.0,
        first_patience_s: float = 5.0,
        longest_wait_s: float = 120.0,
        first_pause_s: float = 1.0,
    ) -> None:
        self.threshold = threshold
        self.patience_s = patience_s
        self.first_patience_s = min(first_patience_s, patience_s)
        self.longest_wait_s = longest_wait_s
        self.is_open = False
        self.is_trying = False
        self.given_up: CallFailed | None = None
        self.failures = 0
        self._failing_since = 0.0
        self._opened_at = _NEVER
        self._tries_at = _NEVER
        self._asked_to_wait_until = _NEVER
        self._first_pause_s = self._pause_s = first_pause_s
        self._has_answered = False

    @property
    def opens_at(self) -> float:
        """When the next call may pass, if none is trying."""
        return max(self._tries_at, self._asked_to_wait_until)

    def entered(self) -> None:
        """A call passed; while the circuit is open, no other does before that one has ended."""
        self.is_trying = self.is_open

    def answered(self) -> None:
        """The endpoint answered."""
        self._has_answered = True
        self.failures = 0
        self.is_open = self.is_trying = False
        self._tries_at = _NEVER
        self._pause_s = self._first_pause_s

    def failed(self, failure: CallFailed, began: float, now: float) -> None:
        """A call that began then failed now, for a reason in `TRANSIENT`."""
        asked_for_s = failure.retry_after_s or 0.0
        if asked_for_s > self.longest_wait_s:
            self.given_up = failure
            return
        self._asked_to_wait_until = max(self._asked_to_wait_until, now + asked_for_s)
        if began < self._opened_at:
            return  # one of those that were in flight when the circuit opened
        if self.failures == 0:
            self._failing_since = now
        self.failures += 1
        if self.is_open or self.failures >= self.threshold:
            self._open(failure, now)

    def abandoned(self) -> None:
        """A call was let go of before it ended."""
        self.is_trying = False

    def _open(self, failure: CallFailed, now: float) -> None:
        if self.is_open:
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        self.is_open = True
        self.is_trying = False
        self._opened_at = now
        self._tries_at = now + self._pause_s
        is_new = not self._has_answered and failure.reason in _DEAF
        if now - self._failing_since >= (self.first_patience_s if is_new else self.patience_s):
            self.given_up = failure
