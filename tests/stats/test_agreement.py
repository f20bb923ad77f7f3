"""Cohen's kappa: against statsmodels, how often the interval holds, and what is undefined."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from safemark.stats import cohen_kappa


def judged(table: list[list[int]]) -> tuple[list[int], list[int]]:
    cells = [
        (i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)
    ]
    return [i for i, _ in cells], [j for _, j in cells]


@pytest.mark.parametrize(
    "table", [[[20, 5], [10, 15]], [[50, 3, 2], [4, 30, 6], [1, 2, 40]], [[0, 20], [20, 0]]]
)
def test_kappa_and_its_interval_are_those_of_statsmodels(table: list[list[int]]) -> None:
    found = cohen_kappa(*judged(table))
    theirs = cohens_kappa(np.array(table))
    assert found.kappa == pytest.approx(theirs.kappa)
    if theirs.kappa > -1:
        assert found.low == pytest.approx(theirs.kappa_low, abs=0.04)
        assert found.high == pytest.approx(theirs.kappa_upp, abs=0.04)


def test_judges_that_always_agree_are_not_thereby_known_to() -> None:
    found = cohen_kappa(["yes"] * 10 + ["no"] * 10, ["yes"] * 10 + ["no"] * 10)
    assert (found.kappa, found.observed, found.high) == (1.0, 1.0, 1.0)
    assert found.low is not None
    assert found.low < 0.75


def test_absent_verdicts_are_counted_and_left_out() -> None:
    a, b = judged([[20, 5], [10, 15]])
    found = cohen_kappa([*a, None, 1], [*b, 0, None])
    assert (found.n, found.absent) == (50, 2)
    assert found.kappa == cohen_kappa(a, b).kappa


def test_verdicts_that_share_a_source_are_less_sure() -> None:
    a, b = judged([[40, 10], [10, 40]])
    alone, clustered = cohen_kappa(a, b), cohen_kappa(a, b, [i // 10 for i in range(100)])
    assert clustered.kappa == alone.kappa
    assert clustered.low is not None
    assert alone.low is not None
    assert clustered.low < alone.low
    assert clustered.method == "clustered bootstrap, 10 clusters"


@pytest.mark.parametrize(
    ("a", "b", "clusters", "why"),
    [
        ([], [], None, "no sample"),
        ([None], [1], None, "no sample"),
        ([1, 1], [1, 1], None, "one category"),
        ([1], [0], None, "one sample"),
        ([1, 0], [1, 1], ["x", "x"], "one cluster"),
    ],
)
def test_nothing_is_made_of_nothing(a: Any, b: Any, clusters: Any, why: str) -> None:
    found = cohen_kappa(a, b, clusters)
    assert found.undefined is not None
    assert why in found.undefined
    assert (found.low, found.high) == (None, None)


def test_lengths_that_disagree_are_an_error() -> None:
    with pytest.raises(ValueError, match="one entry"):
        cohen_kappa([1, 0], [1])


@given(
    st.lists(st.tuples(*[st.sampled_from(["safe", "unsafe", None])] * 2), min_size=2, max_size=40),
    st.randoms(use_true_random=False),
)
@settings(max_examples=40, deadline=None)
def test_swapping_the_judges_or_shuffling_the_samples_changes_nothing(
    pairs: list[tuple[str | None, str | None]], random: Any
) -> None:
    a, b = zip(*pairs, strict=True)
    shuffled = list(pairs)
    random.shuffle(shuffled)
    there, back = cohen_kappa(a, b), cohen_kappa(b, a)
    again = cohen_kappa(*zip(*shuffled, strict=True))
    for other in (back, again):
        assert (other.n, other.undefined) == (there.n, there.undefined)
        if there.kappa is not None:
            assert other.kappa == pytest.approx(there.kappa)


@pytest.mark.parametrize("draws", [100, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("agreeing", "n"), [(0.8, 40), (0.9, 150)])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(
    agreeing: float, n: int, draws: int
) -> None:
    rng = np.random.default_rng(3)
    truth, held = 2 * agreeing - 1, 0  # two even categories
    for _ in range(draws):
        a = rng.integers(0, 2, n)
        b = np.where(rng.random(n) < agreeing, a, 1 - a)
        found = cohen_kappa(a.tolist(), b.tolist(), resamples=500)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= truth <= found.high
    assert held / draws >= 0.93 - 1 / np.sqrt(draws)
