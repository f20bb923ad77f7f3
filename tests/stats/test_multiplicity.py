"""Adjusted p-values: against statsmodels, and what was not tested."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from safemark.stats import benjamini_hochberg, holm

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_both_are_those_of_statsmodels(n: int) -> None:
    p_values = list(np.random.default_rng(n).beta(0.3, 2, n))
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])
    assert benjamini_hochberg(p_values) == pytest.approx(
        multipletests(p_values, method="fdr_bh")[1]
    )


@given(P_VALUES)
@settings(max_examples=30, deadline=None)
def test_what_was_not_tested_is_no_member_of_the_family(p_values: list[float]) -> None:
    for adjusted in (holm, benjamini_hochberg):
        assert adjusted([None, *p_values, None]) == (None, *adjusted(p_values), None)


def test_no_tests_are_no_tests() -> None:
    assert holm([]) == ()
    assert benjamini_hochberg([None]) == (None,)


def test_a_p_outside_its_range_is_an_error() -> None:
    with pytest.raises(ValueError, match="in \\[0, 1\\]"):
        holm([0.1, float("nan")])
