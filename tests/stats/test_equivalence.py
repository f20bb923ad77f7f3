"""Non-inferiority and equivalence: against statsmodels, with absent outcomes, and the laws."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.weightstats import ttost_paired

from safemark.stats import equivalence, non_inferiority, paired_difference
from safemark.stats.clusters import Array

NAN = math.nan


def pairs(only_a: int, only_b: int, alike: int) -> tuple[Array, Array]:
    a = np.array([1.0] * only_a + [0.0] * only_b + [1.0] * alike)
    b = np.array([0.0] * only_a + [1.0] * only_b + [1.0] * alike)
    return a, b


def test_no_worse_is_shown_when_the_whole_interval_is_past_the_margin() -> None:
    a, b = pairs(10, 10, 2000)
    found = non_inferiority(a, b, margin=0.02)
    assert found.holds is True
    assert (found.low, found.high) == (found.difference.low, found.difference.high)
    assert found.low is not None
    assert found.low > -0.02
    assert found.p_value is not None
    assert found.p_value < 0.001


def test_few_cases_show_nothing_though_nothing_differs() -> None:
    found = non_inferiority(*pairs(0, 0, 100), margin=0.02)
    assert (found.holds, found.difference.p_value) == (False, 1.0)
    assert found.p_value is not None
    assert found.p_value > 0.025


@pytest.mark.parametrize("alpha", [0.01, 0.025, 0.05])
@pytest.mark.parametrize(("x", "y"), [(10, 4), (30, 20), (20, 20)])
def test_it_holds_exactly_when_p_is_below_alpha(alpha: float, x: int, y: int) -> None:
    found = non_inferiority(*pairs(x, y, 1000), margin=0.02, alpha=alpha)
    assert found.p_value is not None
    assert found.holds == (found.p_value < alpha)


def test_the_margin_lies_on_the_bad_side() -> None:
    a, b = pairs(60, 0, 1000)  # b is clearly lower
    assert non_inferiority(a, b, better="higher").holds is False
    assert non_inferiority(a, b, better="lower").holds is True
    assert non_inferiority(b, a, better="higher").holds is True


def test_two_one_sided_tests_agree_with_statsmodels_on_scores() -> None:
    rng = np.random.default_rng(5)
    a = rng.beta(4, 4, 300)
    b = np.clip(a + rng.normal(0.003, 0.1, 300), 0, 1)
    found = equivalence(a, b, margin=0.02)
    theirs = ttost_paired(b, a, -0.02, 0.02)[0]
    assert found.p_value == pytest.approx(theirs, abs=0.01)
    assert found.holds == (theirs < 0.05)


def test_a_significant_difference_can_be_an_equivalent_one() -> None:
    a, b = pairs(5, 40, 10_000)
    found = equivalence(a, b, margin=0.02)
    assert found.holds is True
    assert found.difference.p_value is not None
    assert found.difference.p_value < 0.001


def test_absent_outcomes_are_taken_the_worst_way() -> None:
    a, b = pairs(5, 5, 990)
    first, second = np.append(a, [1.0] * 40), np.append(b, [NAN] * 40)
    found = non_inferiority(first, second, margin=0.02)
    assert (found.holds, found.outer_holds) == (True, False)
    assert found.outer_p_value == 0.5
    few = non_inferiority(first[:1002], second[:1002], margin=0.02)
    assert (few.holds, few.outer_holds) == (True, True)


def test_two_arms_need_more_than_pairs_do() -> None:
    a, b = pairs(5, 5, 990)
    assert equivalence(a, b, margin=0.02).holds is True
    arms = equivalence(a, b, margin=0.005, paired=False)
    assert arms.holds is False
    assert arms.difference.interval_method == "Newcombe (wilson)"


def test_without_a_difference_there_is_no_answer() -> None:
    found = non_inferiority([1.0], [1.0])
    assert (found.holds, found.outer_holds, found.p_value) == (None, None, None)
    assert found.undefined == "one pair of outcomes shows no variation"


@given(st.lists(st.tuples(*[st.sampled_from([0.0, 1.0, NAN])] * 2), min_size=2, max_size=40))
@settings(max_examples=20, deadline=None)
def test_what_holds_for_every_fill_holds_for_the_known(rows: list[tuple[float, float]]) -> None:
    a, b = np.array(rows).T
    found = equivalence(a, b, margin=0.3)
    assert not (found.outer_holds and not found.holds)
    if found.p_value is not None and found.outer_p_value is not None:
        assert found.outer_p_value >= found.p_value
    assert found.difference == paired_difference(a, b)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": 0.0}, "margin"),
        ({"margin": 0.1, "alpha": 0.5}, "alpha"),
        ({"margin": 0.1, "clusters_b": ["a", "b"]}, "clusters_b"),
        ({"margin": 0.1, "better": "target"}, "better"),
    ],
)
def test_impossible_questions_are_an_error(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        non_inferiority([1.0, 0.0], [1.0, 0.0], **options)
