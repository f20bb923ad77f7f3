"""Times as they are typed: a date, a moment, or a span back from now."""

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta

from safemark.errors import UsageError

_SPAN = re.compile(r"^(\d+)\s*(d|w|mo|y)$")


def moment(given: str, now: datetime | None = None) -> str:
    """An ISO moment in UTC from a date, a moment, or a span back from ``now``: 30d, 12w, 6mo, 1y.

    Raises:
        UsageError: it is none of these.

    >>> moment("6mo", datetime(2026, 8, 31, tzinfo=UTC)), moment("2026-01-31")
    ('2026-02-28T00:00:00Z', '2026-01-31T00:00:00Z')
    """
    text = given.strip()
    try:
        if (span := _SPAN.match(text)) is not None:
            found = _back(now or datetime.now(UTC), int(span[1]), span[2])
        else:
            found = datetime.fromisoformat(text)
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"`{given}` is no time", "for example 30d, 12w, 6mo, 1y or 2026-01-31"
        ) from error
    return found.strftime("%Y-%m-%dT%H:%M:%SZ")


def _back(now: datetime, number: int, unit: str) -> datetime:
    if unit in ("d", "w"):
        return now - timedelta(days=number * (7 if unit == "w" else 1))
    months = number * (12 if unit == "y" else 1)
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    last = monthrange(year, month + 1)[1]
    return now.replace(year=year, month=month + 1, day=min(now.day, last))
