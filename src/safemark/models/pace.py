"""So much a minute, evenly. Pure: the time is told, nothing is awaited."""

MINUTE_S = 60.0


class Pace:
    """Lets units through (requests, tokens) at no more than ``per_minute``.

    The generic cell rate algorithm: one unit each ``60 / per_minute`` seconds; what was not used
    is kept for a second at most. In no 60 seconds do more than ``per_minute`` single units pass. A
    request of many units passes when its turn comes, and is waited for afterwards.

    *Source:* ITU-T I.371, annex A (virtual scheduling).

    >>> pace = Pace(60)
    >>> [pace.opens_at(10.0), pace.take(10.0), pace.opens_at(10.0)]
    [10.0, None, 11.0]
    """

    def __init__(self, per_minute: float) -> None:
        self.per_minute = per_minute
        self._credit_s = 1.0 if per_minute >= 120 else 0.0
        self._unit_s = (MINUTE_S + self._credit_s) / per_minute
        self._due_at = float("-inf")

    def opens_at(self, now: float) -> float:
        """When the next request may pass; not later than ``now`` where it may at once."""
        return max(now, self._due_at - self._credit_s)

    def take(self, now: float, units: float = 1.0) -> None:
        """So many units pass now."""
        self._due_at = max(self._due_at, now) + units * self._unit_s

    def correct(self, units: float) -> None:
        """It was so many more than taken (fewer, where negative)."""
        self._due_at += units * self._unit_s
