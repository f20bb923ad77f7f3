"""The worst group and the quartile on the bad side: picked among many, and honest about it."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safemark.stats import lower_quartile, wilson, worst_group

NAN = math.nan


def rows(**groups: tuple[int, int]) -> tuple[list[float], list[str]]:
    """Successes and trials of each group."""
    values = [v for k, n in groups.values() for v in [1.0] * k + [0.0] * (n - k)]
    return values, [name for name, (_, n) in groups.items() for _ in range(n)]


def test_the_worst_group_is_found_and_its_interval_pays_for_the_choice() -> None:
    found = worst_group(*rows(age=(90, 100), race=(60, 100), sex=(95, 100)))
    assert (found.group, found.value, found.n_groups, found.n) == ("race", 0.6, 3, 300)
    third = 1 - 0.05 / 3
    assert found.low == pytest.approx(wilson(60, 100, third).low)
    assert found.high == pytest.approx(wilson(60, 100, third).high)
    assert found.method == "Bonferroni over 3 groups"


def test_a_small_group_can_be_worse_than_the_worst_seen() -> None:
    found = worst_group(*rows(large=(600, 1000), small=(4, 5)))
    assert found.group == "large"
    assert found.low == pytest.approx(wilson(4, 5, 0.975).low)
    assert wilson(4, 5, 0.975).low < wilson(600, 1000, 0.975).low


def test_the_bad_side_is_the_high_one_where_lower_is_better() -> None:
    values, groups = rows(a=(1, 10), b=(5, 10), c=(2, 10), d=(3, 10), e=(4, 10))
    assert worst_group(values, groups, better="lower").group == "b"
    assert lower_quartile(values, groups, better="lower").value == pytest.approx(0.4)
    assert lower_quartile(values, groups).value == pytest.approx(0.2)
    assert lower_quartile(values, groups).group is None


def test_one_group_is_its_own_worst() -> None:
    found = worst_group(*rows(all=(7, 10)))
    assert (found.low, found.high) == (wilson(7, 10).low, wilson(7, 10).high)
    assert found == worst_group(*rows(all=(7, 10)))


def test_absent_outcomes_widen_the_outer_bounds() -> None:
    values, groups = rows(a=(9, 10), b=(8, 10))
    found = worst_group([*values, *[NAN] * 5], [*groups, *["a"] * 5])
    assert found.value == 0.8
    assert found.absent == 5
    assert found.outer_low is not None
    assert found.low is not None
    assert found.outer_low < found.low
    assert found.outer_low == pytest.approx(min(wilson(9, 15, 0.975).low, wilson(8, 10, 0.975).low))


def test_a_group_without_any_outcome_could_be_anything() -> None:
    values, groups = rows(a=(9, 10), b=(8, 10))
    found = worst_group([*values, NAN, NAN], [*groups, "c", "c"])
    assert (found.value, found.n_groups) == (0.8, 2)
    assert found.outer_low == 0.0


def test_rows_of_columns_without_options_have_no_outer_bounds() -> None:
    found = worst_group([(1.0, 1.0), (0.0, 1.0), (NAN, NAN)], ["a", "a", "b"])
    assert (found.value, found.outer_low, found.outer_high) == (0.5, None, None)


def test_nothing_is_made_of_nothing() -> None:
    found = worst_group([NAN, NAN], ["a", "b"])
    assert (found.value, found.low, found.group) == (None, None, None)
    assert found.undefined == "no group has an outcome"
    assert worst_group([], []).undefined == "there are no groups"


@pytest.mark.parametrize(
    ("options", "message"),
    [({"groups": ["a"]}, "labels"), ({"better": "target"}, "better"), ({"confidence": 1}, "conf")],
)
def test_impossible_groups_are_an_error(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        worst_group([1.0, 0.0], **{"groups": ["a", "b"], **options})


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 1.0, NAN]), st.sampled_from("abc")), min_size=1, max_size=30
    ),
    st.randoms(use_true_random=False),
)
@settings(max_examples=40, deadline=None)
def test_the_order_of_rows_changes_nothing_but_the_name_of_a_tie(
    pairs: list[tuple[float, str]], random: Any
) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)
    found = [worst_group(*zip(*x, strict=True)) for x in (pairs, shuffled)]
    assert (found[0].value, found[0].low, found[0].outer_low, found[0].outer_high) == (
        found[1].value,
        found[1].low,
        found[1].outer_low,
        found[1].outer_high,
    )


@pytest.mark.parametrize("draws", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_the_interval_holds_the_true_worst_though_it_was_picked(draws: int) -> None:
    """Twelve groups that are all alike: the worst one seen is worse than any is."""
    rng = np.random.default_rng(6)
    groups = np.repeat(np.arange(12), 40)
    held = naive = 0
    for _ in range(draws):
        values = (rng.random(480) < 0.8).astype(float)
        found = worst_group(values, groups)
        assert found.low is not None
        assert found.high is not None
        assert found.value is not None
        held += found.low <= 0.8 <= found.high
        alone = wilson(round(found.value * 40), 40)
        naive += alone.low <= 0.8 <= alone.high
    assert held / draws >= 0.95
    assert naive / draws < 0.85  # without paying for the choice
