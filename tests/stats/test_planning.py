"""Sample sizes: against statsmodels, by simulation, and the sizes that the project quotes."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import power_proportions_2indep

from safemark.stats import (
    design_effect,
    detectable_difference,
    mcnemar,
    paired_detectable_difference,
    paired_power,
    paired_samples,
    precision_samples,
    ratio,
    unpaired_samples,
    wilson,
)


def test_pairs_tell_three_points_apart_with_far_fewer_cases_than_arms_do() -> None:
    assert paired_samples(0.03, 0.10) == 870
    assert unpaired_samples(0.7, 0.03) == 3662


@pytest.mark.parametrize(("difference", "discordance", "n"), [(0.03, 0.1, 870), (0.1, 0.3, 230)])
def test_the_power_is_what_mcnemars_test_has(difference: float, discordance: float, n: int) -> None:
    """Simulated with the mid-p test, which the normal formula describes."""
    rng = np.random.default_rng(0)
    only_b = (discordance + difference) / 2
    counts = rng.multinomial(n, [discordance - only_b, only_b, 1 - discordance], 4000)
    found = np.mean([mcnemar(int(x), int(y), mid_p=True) < 0.05 for x, y, _ in counts])
    assert found == pytest.approx(paired_power(difference, discordance, n), abs=0.03)


def test_power_and_size_are_inverse() -> None:
    n = paired_samples(0.05, 0.2, power=0.9)
    assert n is not None
    assert paired_power(0.05, 0.2, n) == pytest.approx(0.9, abs=0.002)
    assert paired_power(0.05, 0.2, n - 5) < 0.9


def test_without_a_difference_the_power_is_the_level() -> None:
    assert paired_power(0.0, 0.2, 1000) == pytest.approx(0.05)
    assert paired_power(0.0, 0.0, 1000) == 0.0
    assert paired_power(0.2, 0.2, 1000) == pytest.approx(1.0)


@pytest.mark.parametrize("p", [0.05, 0.5, 0.7])
@pytest.mark.parametrize("difference", [0.03, 0.08])
def test_arms_are_as_large_as_statsmodels_says(p: float, difference: float) -> None:
    n = unpaired_samples(p, difference)
    assert n is not None
    result = power_proportions_2indep(difference, p - difference / 2, n, alpha=0.05)
    assert result.power == pytest.approx(0.8, abs=0.004)


@given(st.floats(0.05, 0.95), st.floats(0.01, 0.5))
@settings(max_examples=40, deadline=None)
def test_samples_and_detectable_difference_are_inverse(p: float, difference: float) -> None:
    n = unpaired_samples(p, difference)
    assert n is not None
    smallest = detectable_difference(p, n)
    assert smallest is not None
    assert smallest <= difference * (1 + 1e-6)


@given(st.integers(20, 5000), st.floats(0.05, 1.0), st.floats(1.0, 5.0))
@settings(max_examples=40, deadline=None)
def test_a_detectable_paired_difference_needs_the_samples_it_came_from(
    n: int, discordance: float, effect: float
) -> None:
    difference = paired_detectable_difference(n, discordance, design_effect=effect)
    if difference is None:
        assert paired_power(discordance, discordance, n, design_effect=effect) < 0.81
    else:
        needed = paired_samples(difference, discordance, design_effect=effect)
        assert needed is not None
        assert needed <= n


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("half", [0.01, 0.05])
def test_precision_is_wilsons(p: float, half: float) -> None:
    n = precision_samples(p, half)
    assert n is not None
    lengths = [i.high - i.low for i in (wilson(p * n, n), wilson(p * (n - 1), n - 1))]
    assert lengths[0] <= 2 * half < lengths[1]


def test_clusters_multiply_what_is_needed() -> None:
    assert paired_samples(0.03, 0.1, design_effect=4.0) == pytest.approx(4 * 870, abs=4)
    assert unpaired_samples(0.7, 0.03, design_effect=4.0) == pytest.approx(4 * 3662, abs=4)
    assert precision_samples(0.5, 0.03, design_effect=4.0) == 4 * 1064


def test_what_no_number_decides_is_none() -> None:
    assert paired_samples(0.0, 0.1) is None
    assert unpaired_samples(0.5, 0.0) is None
    assert paired_samples(1e-6, 0.5) is None
    assert precision_samples(0.5, 1e-5) is None
    assert paired_detectable_difference(3, 0.2) is None


def test_the_design_effect_of_even_clusters_is_kishs() -> None:
    rng = np.random.default_rng(1)
    shares = rng.beta(2, 2, 4000)
    successes = (rng.random((4000, 5)) < shares[:, None]).astype(float).ravel()
    rows = np.stack([successes, np.ones(20_000)], axis=1)
    found = design_effect(rows, np.repeat(np.arange(4000), 5))
    correlation = 1 / 5  # of Beta(2, 2)
    assert found == pytest.approx(1 + 4 * correlation, rel=0.05)


def test_independent_rows_have_a_design_effect_of_one() -> None:
    rows = np.array([(i % 2, 1) for i in range(30)], dtype=float)
    assert design_effect(rows, range(30)) == pytest.approx(1.0)


def test_the_design_effect_of_any_metric_is_that_of_the_jackknife() -> None:
    rng = np.random.default_rng(2)
    rows = np.stack([rng.binomial(1, 0.4, 60), rng.binomial(1, 0.8, 60)], axis=1).astype(float)
    rows[:, 0] *= rows[:, 1]
    labels = np.arange(60) // 4
    mirrored = design_effect(rows, labels, statistic=lambda s: 1 - ratio(s))
    assert mirrored == pytest.approx(design_effect(rows, labels))


@pytest.mark.parametrize(
    ("rows", "clusters"),
    [
        (np.zeros((0, 2)), []),
        (np.array([(1.0, 1.0), (0.0, 1.0)]), ["a", "a"]),
        (np.array([(1.0, 1.0), (1.0, 1.0)]), ["a", "b"]),
    ],
)
def test_a_design_effect_of_nothing_is_not_known(rows: Any, clusters: list[str]) -> None:
    assert design_effect(rows, clusters) is None


@pytest.mark.parametrize(
    "call",
    [
        lambda: paired_power(0.2, 0.1, 10),
        lambda: paired_power(0.1, 0.2, 0),
        lambda: paired_samples(0.1, 0.2, power=0.3),
        lambda: paired_samples(0.1, 0.2, confidence=1.0),
        lambda: paired_samples(0.1, 0.2, design_effect=0.0),
        lambda: paired_detectable_difference(0, 0.2),
        lambda: unpaired_samples(1.2, 0.1),
        lambda: precision_samples(0.5, 0.0),
        lambda: design_effect(np.ones((2, 2)), ["a"]),
    ],
)
def test_impossible_plans_are_an_error(call: Any) -> None:
    with pytest.raises(ValueError, match=r"must be|cannot have"):
        call()


def test_the_normal_formula_is_written_right() -> None:
    z = stats.norm.ppf
    gap, psi = 0.05, 0.2
    n = ((z(0.975) * math.sqrt(psi) + z(0.8) * math.sqrt(psi - gap**2)) / gap) ** 2
    assert paired_samples(gap, psi) == math.ceil(n)
