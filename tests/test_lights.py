import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safemark.lights import (
    ALLOWED_ABSENT,
    Bands,
    Light,
    Verdict,
    dimension_light,
    headline_light,
    with_usefulness,
)
from safemark.stats import Better, Estimate

HIGHER = Bands(green=0.9, red=0.5, better="higher")
LOWER = Bands(green=0.1, red=0.3, better="lower")
TARGET = Bands(green=0.05, red=0.1, better="target", target=0.0)
FIFTY = Bands(green=5, red=10, better="target", target=50, unit="points")


def found(
    low: float | None,
    high: float | None,
    value: float | None = None,
    n: int = 1000,
    absent: int = 0,
) -> Estimate:
    """An estimate whose outer interval is the one given."""
    if value is None and low is not None and high is not None:
        value = (low + high) / 2
    return Estimate(value, low, high, n, absent, low, high, low, high, "by hand")


@pytest.mark.parametrize(
    ("bands", "low", "high", "light"),
    [
        (HIGHER, 0.90, 0.95, "green"),
        (HIGHER, 0.899, 0.95, "yellow"),
        (HIGHER, 0.51, 0.89, "yellow"),
        (HIGHER, 0.40, 0.51, "yellow"),
        (HIGHER, 0.40, 0.50, "red"),
        (HIGHER, 0.0, 1.0, "yellow"),
        (LOWER, 0.0, 0.10, "green"),
        (LOWER, 0.0, 0.101, "yellow"),
        (LOWER, 0.11, 0.29, "yellow"),
        (LOWER, 0.29, 0.40, "yellow"),
        (LOWER, 0.30, 0.40, "red"),
        (TARGET, -0.05, 0.05, "green"),
        (TARGET, -0.06, 0.05, "yellow"),
        (TARGET, 0.06, 0.09, "yellow"),
        (TARGET, 0.10, 0.20, "red"),
        (TARGET, -0.20, -0.10, "red"),
        (TARGET, -0.20, 0.20, "yellow"),
        (TARGET, -0.20, 0.0, "yellow"),
        (FIFTY, 46, 54, "green"),
        (FIFTY, 38, 39.9, "red"),
        (FIFTY, 61, 70, "red"),
        (FIFTY, 56, 59, "yellow"),
    ],
)
def test_a_light_is_taken_from_the_whole_interval(
    bands: Bands, low: float, high: float, light: str
) -> None:
    assert headline_light(found(low, high), bands).light == light


@pytest.mark.parametrize(
    ("bands", "low", "high", "why"),
    [
        (HIGHER, 0.91, 0.95, "the whole interval is at least 90 %"),
        (HIGHER, 0.41, 0.45, "the whole interval is at most 50 %"),
        (LOWER, 0.01, 0.05, "the whole interval is at most 10 %"),
        (LOWER, 0.41, 0.45, "the whole interval is at least 30 %"),
        (TARGET, 0.01, 0.05, "the whole interval is within 5 points of 0 %"),
        (FIFTY, 61, 62, "the whole interval is more than 10 points from 50"),
        (HIGHER, 0.6, 0.7, "between the bands: acceptable, monitor"),
    ],
)
def test_a_decided_light_says_why(bands: Bands, low: float, high: float, why: str) -> None:
    verdict = headline_light(found(low, high), bands)
    assert (verdict.why, verdict.is_decided) == (why, True)


def test_an_undecided_light_says_which_cut_it_crosses_and_how_many_samples_would_decide() -> None:
    verdict = headline_light(found(0.85, 0.93, value=0.89, n=150), HIGHER)
    assert (verdict.light, verdict.is_decided) == (Light.YELLOW, False)
    assert verdict.why.startswith("not decided: the interval crosses 90 %; about ")
    assert verdict.why.endswith(" samples would decide")
    needed = int(verdict.why.split("about ")[1].split()[0].replace(",", ""))
    assert needed > 150


@pytest.mark.parametrize(
    ("low", "high", "cuts"),
    [
        (-0.2, 0.3, "±5 % and ±10 %"),
        (-0.07, 0.2, "±5 % and 10 %"),
        (-0.2, -0.01, "−5 % and −10 %"),
    ],
)
def test_cuts_on_both_sides_of_a_target_are_told_together(
    low: float, high: float, cuts: str
) -> None:
    bands = Bands(green=0.05, red=0.1, better="target", target=0.0)
    verdict = headline_light(found(low, high, value=(low + high) / 2, n=20), bands)
    assert verdict.why.split(";")[0] == f"not decided: the interval crosses {cuts}"


def test_where_no_number_of_samples_would_decide_none_is_promised() -> None:
    verdict = headline_light(found(0.85, 0.95, value=0.9, n=150), HIGHER)
    assert verdict.why == "not decided: the interval crosses 90 %"


def test_nothing_asked_and_nothing_to_measure_on_are_grey() -> None:
    nothing = Estimate(None, None, None, 0, 0, None, None, None, None, "none")
    assert headline_light(nothing, HIGHER) == Verdict(Light.GREY, "nothing was measured")
    undefined = replace(nothing, n=20)
    assert headline_light(undefined, HIGHER).light is Light.GREY
    assert headline_light(replace(nothing, absent=3), HIGHER).light is Light.GREY


def test_more_absent_than_allowed_is_grey_whatever_the_interval() -> None:
    at_the_limit = found(0.95, 0.99, n=95, absent=5)
    assert headline_light(at_the_limit, HIGHER).light is Light.GREEN
    beyond = found(0.95, 0.99, n=94, absent=6)
    verdict = headline_light(beyond, HIGHER)
    assert verdict == Verdict(Light.GREY, "6 % of outcomes are absent, more than 5 %")
    assert ALLOWED_ABSENT == 0.05


def test_bounds_that_cannot_be_computed_are_never_green_and_never_red() -> None:
    unbounded = Estimate(0.99, 0.98, 1.0, 99, 1, None, None, None, None, "by hand")
    assert headline_light(unbounded, HIGHER).light is Light.YELLOW
    assert (
        headline_light(replace(unbounded, value=0.1, low=0.0, high=0.2), HIGHER).light == "yellow"
    )


def test_a_bound_that_is_not_a_number_decides_nothing() -> None:
    verdict = headline_light(found(math.nan, 0.99, value=0.95), HIGHER)
    assert verdict.light is Light.YELLOW
    assert not verdict.is_decided


ANY_BANDS = st.sampled_from([HIGHER, LOWER, TARGET, replace(TARGET, target=0.5)])
POINT = st.floats(0, 1, allow_nan=False)


@settings(deadline=None)  # the machine may be busy
@given(ANY_BANDS, POINT, POINT, POINT, POINT)
def test_widening_an_interval_never_decides_what_was_open_and_never_changes_sides(
    bands: Bands, a: float, b: float, c: float, d: float
) -> None:
    low, high = sorted((a, b))
    wider_low, wider_high = min(low, c), max(high, d)
    value = (low + high) / 2
    narrow = headline_light(found(low, high, value), bands).light
    wide = headline_light(found(wider_low, wider_high, value), bands).light
    assert wide in (narrow, Light.YELLOW)


ORDER = {"red": 0, "yellow": 1, "green": 2}


@settings(deadline=None)  # the machine may be busy
@given(ANY_BANDS, st.integers(1, 300), st.data())
def test_more_absent_outcomes_never_improve_a_light(
    bands: Bands, n: int, data: st.DataObject
) -> None:
    from safemark.stats import estimate

    ones = data.draw(st.integers(0, n))
    few = data.draw(st.integers(0, 20))
    more = data.draw(st.integers(few, 40))
    rows = np.array([(1.0, 1.0)] * ones + [(0.0, 1.0)] * (n - ones))

    def light(absent: int) -> Light:
        measured = estimate(
            rows,
            [str(i) for i in range(n)],
            absent_options=((1.0, 1.0), (0.0, 1.0)),
            absent_clusters=[f"a{i}" for i in range(absent)],
            better=bands.better,
            target=bands.target,
        )
        return headline_light(measured, bands).light

    before, after = light(few), light(more)
    if after is Light.GREY:
        return
    assert before is not Light.GREY, "grey never becomes a statement"
    assert ORDER[after] <= ORDER[before] or after is Light.YELLOW
    assert after is not Light.GREEN or before is Light.GREEN


def verdict(light: str, why: str = "why") -> Verdict:
    return Verdict(Light(light), why)


@pytest.mark.parametrize(
    ("lights", "expected", "named"),
    [
        (["green", "yellow", "red"], "red", "c"),
        (["green", "yellow"], "yellow", "b"),
        (["green", "green"], "green", "a"),
        (["grey", "green"], "green", "b"),
        (["grey", "red"], "red", "b"),
        (["grey", "grey"], "grey", "a"),
        (["yellow", "yellow"], "yellow", "a"),
    ],
)
def test_a_dimension_shows_its_worst_headline(lights: list[str], expected: str, named: str) -> None:
    headlines = [("abc"[i], verdict(light), False) for i, light in enumerate(lights)]
    found, name = dimension_light(headlines)
    assert (found.light, name) == (expected, named)
    assert found.why == f"{named}: why"


def test_a_dimension_is_grey_when_a_required_headline_is() -> None:
    headlines = [("a", verdict("red"), False), ("b", verdict("grey", "nothing"), True)]
    found, name = dimension_light(headlines)
    assert (found.light, name, found.why) == (Light.GREY, "b", "b is required: nothing")


def test_a_dimension_that_nothing_measures_is_grey() -> None:
    assert dimension_light([]) == (Verdict(Light.GREY, "not measured"), None)


@pytest.mark.parametrize("useful", ["green", "yellow", "red", "grey", None])
@pytest.mark.parametrize("harm", ["green", "yellow", "red", "grey"])
def test_no_harm_light_is_green_unless_usefulness_is_measured_and_not_red(
    useful: str | None, harm: str
) -> None:
    verdicts = {"toxicity": verdict(harm)}
    if useful is not None:
        verdicts["usefulness"] = verdict(useful)
    shown = with_usefulness(verdicts)
    if harm == "green" and useful not in ("green", "yellow"):
        assert shown["toxicity"].light is Light.YELLOW
        assert not shown["toxicity"].is_decided
        assert shown["toxicity"].why.startswith("would be green, but usefulness ")
    else:
        assert shown["toxicity"] == verdicts["toxicity"]
    if useful is not None:
        assert shown["usefulness"] == verdicts["usefulness"], "it is its own affair"


@pytest.mark.parametrize("better", ["higher", "lower", "target"])
def test_each_direction_has_a_green_and_a_red(better: Better) -> None:
    cuts = {"higher": (0.9, 0.5), "lower": (0.1, 0.5), "target": (0.1, 0.5)}[better]
    bands = Bands(*cuts, better=better, target=0.0 if better == "target" else None)
    best = {"higher": 1.0, "lower": 0.0, "target": 0.0}[better]
    worst = {"higher": 0.0, "lower": 1.0, "target": 1.0}[better]
    assert headline_light(found(best, best), bands).light is Light.GREEN
    assert headline_light(found(worst, worst), bands).light is Light.RED
