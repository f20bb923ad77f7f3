"""Power: against statsmodels, and the sizes that the project quotes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import power_proportions_2indep

from safemark.stats import detectable_difference, samples_to_decide, wilson


def test_150_cases_each_tell_two_models_near_70_percent_apart_from_about_15_points() -> None:
    assert detectable_difference(0.7, 150) == pytest.approx(0.148, abs=0.001)


@pytest.mark.parametrize("p", [0.02, 0.3, 0.5, 0.7, 0.95])
@pytest.mark.parametrize("n", [150, 817, 5000])
@pytest.mark.parametrize("power", [0.8, 0.95])
def test_the_difference_is_found_as_often_as_statsmodels_says(
    p: float, n: int, power: float
) -> None:
    difference = detectable_difference(p, n, power)
    assert difference is not None
    lower = max(0.0, min(p - difference / 2, 1 - difference))
    result = power_proportions_2indep(difference, lower, n, alpha=0.05)
    assert result.power == pytest.approx(power, abs=0.001)


def test_from_none_at_all_a_difference_is_still_needed() -> None:
    assert detectable_difference(0.0, 150) == pytest.approx(0.05, abs=0.005)
    assert detectable_difference(1.0, 150) == pytest.approx(detectable_difference(0.0, 150))


def test_one_case_each_tells_nothing() -> None:
    assert detectable_difference(0.5, 1) is None


@given(st.floats(0, 1), st.integers(10, 10_000))
def test_more_cases_tell_smaller_differences_apart(p: float, n: int) -> None:
    few, many = detectable_difference(p, n), detectable_difference(p, 2 * n)
    assert few is not None
    assert many is not None
    assert 0 < many < few <= 1


@pytest.mark.parametrize("arguments", [(-0.1, 10), (0.5, 0), (0.5, 10, 0.2), (0.5, 10, 0.8, 1.0)])
def test_a_difference_of_impossible_arguments_is_an_error(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="must be"):
        detectable_difference(*arguments)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 3000))
def test_wilson_excludes_the_cut_with_so_many_samples_and_no_fewer(
    value: float, cut: float, n: int
) -> None:
    samples = samples_to_decide(value, n, cut)
    if samples is None:
        assert abs(value - cut) < 0.001
        return
    assert samples >= n
    if samples > 0 and 0 < cut < 1 and abs(value - cut) > 1e-6:
        found = wilson(value * samples, samples)
        assert not found.low + 1e-9 <= cut <= found.high - 1e-9
    if samples > max(n, 2) and abs(value - cut) > 1e-3:
        found = wilson(value * (samples - 1), samples - 1)
        assert found.low - 1e-9 <= cut <= found.high + 1e-9


def test_a_value_on_the_cut_is_never_decided() -> None:
    assert samples_to_decide(0.5, 100, 0.5) is None
    assert samples_to_decide(0.0, 100, 1e-200) is None


def test_more_than_ten_million_samples_are_not_promised() -> None:
    assert samples_to_decide(0.5, 100, 0.5001) is None
    assert samples_to_decide(0.5, 50_000_000, 0.501) == 50_000_000


def test_clustered_samples_decide_more_slowly() -> None:
    assert samples_to_decide(0.7, 150, 0.65) == 350
    assert samples_to_decide(0.7, 150, 0.65, design_effect=2) == 700


def test_a_bias_score_is_decided_as_the_share_behind_it() -> None:
    assert samples_to_decide(0.4, 10, 0.3, range=(-1, 1)) == samples_to_decide(0.7, 10, 0.65)


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ((1.2, 10, 0.5), {}),
        ((0.2, 10, -0.5), {}),
        ((0.2, -1, 0.5), {}),
        ((0.2, 10, 0.5), {"design_effect": 0}),
        ((0.2, 10, 0.5), {"confidence": 0}),
    ],
)
def test_a_decision_of_impossible_arguments_is_an_error(
    arguments: tuple[Any, ...], options: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="must be"):
        samples_to_decide(*arguments, **options)
