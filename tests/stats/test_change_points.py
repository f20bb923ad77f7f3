"""Change points: found where they are, and not where chance explains them."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from safemark.stats import change_points


def test_a_step_is_found_where_it_is() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0.8, 0.02, 20), rng.normal(0.7, 0.02, 15)])
    found = change_points(values.tolist())
    assert [c.index for c in found] == [20]
    assert found[0].before == pytest.approx(values[:20].mean())
    assert found[0].after == pytest.approx(values[20:].mean())
    assert found[0].adjusted_p <= 0.05


def test_two_steps_are_found_in_order_and_adjusted() -> None:
    rng = np.random.default_rng(1)
    levels = np.repeat([0.8, 0.5, 0.7], 15)
    found = change_points((levels + rng.normal(0, 0.02, 45)).tolist())
    assert [c.index for c in found] == [15, 30]
    assert found[0].after == found[1].before
    assert max(c.adjusted_p / c.p_value for c in found) == pytest.approx(2.0, rel=1e-6)


def test_with_known_errors_three_runs_can_show_a_change() -> None:
    assert [c.index for c in change_points([0.8, 0.81, 0.6], errors=[0.02] * 3)] == [2]
    assert change_points([0.8, 0.81, 0.78], errors=[0.02] * 3) == ()


def test_two_values_with_errors_are_the_z_test() -> None:
    found = change_points([0.80, 0.75], errors=[0.015, 0.01], alpha=0.5, permutations=99_999)
    z = 0.05 / np.hypot(0.015, 0.01)
    assert found[0].p_value == pytest.approx(2 * stats.norm.sf(z), abs=0.001)


def test_few_runs_without_errors_show_nothing() -> None:
    assert change_points([0.9, 0.9, 0.9, 0.1, 0.1]) == ()


@pytest.mark.parametrize("values", [[], [0.5], [0.5] * 30, [None] * 4, [None, 0.5, None]])
def test_what_does_not_vary_does_not_change(values: list[Any]) -> None:
    assert change_points(values) == ()
    assert change_points(values, errors=[0.01] * len(values)) == ()


def test_absent_runs_keep_their_place() -> None:
    values = [0.8, None, 0.8, 0.8, None, 0.5, 0.5]
    found = change_points(values, errors=[0.02] * 7)
    assert [c.index for c in found] == [5]
    assert found == change_points(values, errors=[0.02, None, 0.02, 0.02, None, 0.02, 0.02])


def test_an_outlier_with_a_large_error_is_no_change() -> None:
    assert change_points([0.8, 0.8, 0.4], errors=[0.02, 0.02, 0.3]) == ()


def test_backwards_the_same_changes_are_found() -> None:
    values = [0.8, 0.79, 0.81, 0.6, 0.61, 0.6, 0.59]
    there = change_points(values, errors=[0.02] * 7)
    back = change_points(values[::-1], errors=[0.02] * 7)
    assert [7 - c.index for c in back] == [c.index for c in there] == [3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.1, 0.2], [0.1]), "errors"),
        (([0.1, 0.2], [0.1, 0.0]), "above 0"),
        (([0.1, float("nan")],), "finite"),
    ],
)
def test_impossible_series_are_an_error(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        change_points(*arguments)


@pytest.mark.parametrize("has_errors", [False, True])
def test_chance_alone_is_called_a_change_no_more_often_than_it_may(has_errors: bool) -> None:
    rng = np.random.default_rng(4)
    draws, called = 300, 0
    for draw in range(draws):
        values = rng.normal(0.7, 0.03, 12)
        errors = [0.03] * 12 if has_errors else None
        called += bool(change_points(values.tolist(), errors, permutations=199, seed=draw))
    assert called / draws <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / draws)
