"""What a trend says in words, in every format alike."""

from safemark.reports.templates import wording
from safemark.reports.trend_document import Point, Series, Trend


def moved(difference: float, unit: str) -> str:
    """A difference of two figures of ``unit``; that of two shares is in points.

    >>> moved(-0.071, "share"), moved(0.25, "score")
    ('−7.1 points', '+0.25')
    """
    text = wording.bare(difference, unit, signed=True)
    return text + (" points" if unit in ("share", "percent") else wording.suffix(unit))


def moved_between(low: float, high: float, unit: str) -> str:
    """The interval of a difference.

    >>> moved_between(-0.1, -0.04, "share")
    '−10.0 to −4.0 points'
    """
    return f"{wording.bare(low, unit, signed=True)} to {moved(high, unit)}"


def summary(trend: Trend) -> str:
    """What was looked at and what was found, in one or two sentences."""
    flagged = sum(len(one.change_points) for one in trend.series)
    models = len({one.model for one in trend.series})
    text = (
        f"{wording.counted(trend.runs, 'run')} of {wording.counted(models, 'model')},"
        f" {wording.counted(len(trend.series), 'headline')}."
    )
    if not any(one.stretches_tested for one in trend.series):
        return f"{text} Too few comparable runs to look for a change: two are needed."
    if not flagged:
        return f"{text} No change of level is significant after correction."
    said = "change of level is" if flagged == 1 else "changes of level are"
    return f"{text} {flagged} {said} significant after correction."


def latest(series: Series) -> Point | None:
    """The newest point that has a value."""
    return next((one for one in reversed(series.points) if one.estimate.value is not None), None)


def p_value(p: float) -> str:
    """``0.012``, or ``< 0.001``.

    >>> p_value(0.0123), p_value(0.0001)
    ('0.012', '< 0.001')
    """
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
