"""Leaderboards: letters and rank intervals that the comparisons support, and no more."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safemark.stats import Rank, paired_difference, rank_groups, ranked

NAN = math.nan


def share(successes: int, n: int = 200) -> list[float]:
    return [1.0] * successes + [0.0] * (n - successes)


def test_runs_that_differ_stand_apart_and_others_share_a_letter() -> None:
    found = ranked([share(60), share(180), share(175)])
    assert [(r.index, r.first, r.last, r.letters) for r in found.ranks] == [
        (1, 1, 2, "a"),
        (2, 1, 2, "a"),
        (0, 3, 3, "b"),
    ]
    assert set(found.adjusted) == {(0, 1), (0, 2), (1, 2)}
    assert found.differences[0, 1] == paired_difference(share(60), share(180))
    assert found.adjusted[1, 2] == found.differences[1, 2].p_value  # the largest: times one


def test_lower_can_be_better() -> None:
    assert [r.index for r in ranked([share(60), share(180)], better="lower").ranks] == [0, 1]


def test_a_chain_overlaps_in_letters() -> None:
    found = rank_groups([0.9, 0.8, 0.7], {(0, 1): 0.2, (1, 2): 0.3, (0, 2): 0.01})
    assert [(r.first, r.last, r.letters) for r in found] == [(1, 2, "a"), (1, 3, "ab"), (2, 3, "b")]


def test_a_comparison_that_could_not_be_made_tells_nothing_apart() -> None:
    assert [r.letters for r in rank_groups([0.9, 0.1], {(0, 1): None})] == ["a", "a"]


def test_a_run_without_a_value_comes_last_without_a_rank() -> None:
    found = ranked([[NAN] * 5, share(3, 5)])
    assert found.ranks[1] == Rank(0, None, None, None, "")
    assert found.ranks[0].letters == "a"
    assert found.adjusted[0, 1] is None


def test_the_direction_is_that_of_the_shared_samples() -> None:
    ranks = rank_groups([0.9, 0.8], {(0, 1): 0.01}, differences={(0, 1): 0.1})
    assert {r.index: (r.first, r.last) for r in ranks} == {0: (2, 2), 1: (1, 1)}


def test_thirty_runs_alike_share_one_letter_and_all_ranks() -> None:
    rng = np.random.default_rng(0)
    runs = [(rng.random(40) < 0.5).astype(float) for _ in range(30)]
    found = ranked(runs).ranks
    assert {(r.first, r.last, r.letters) for r in found} == {(1, 30, "a")}


def test_one_run_and_none() -> None:
    assert ranked([share(5)]).ranks == (Rank(0, 0.025, 1, 1, "a"),)
    assert ranked([]).ranks == ()


@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=7),
    st.randoms(use_true_random=False),
)
@settings(max_examples=60, deadline=None)
def test_two_share_a_letter_exactly_when_not_told_apart(values: list[float], random: Any) -> None:
    pairs = list(itertools.combinations(range(len(values)), 2))
    adjusted = {
        (i, j): random.choice([0.01, 0.5]) if values[i] != values[j] else 1.0 for i, j in pairs
    }
    ranks = {r.index: r for r in rank_groups(values, adjusted)}
    for i, j in pairs:
        shared = set(ranks[i].letters) & set(ranks[j].letters)
        assert bool(shared) == (adjusted[i, j] > 0.05)
    for r in ranks.values():
        assert r.first is not None
        assert r.last is not None
        assert 1 <= r.first <= r.last <= len(values)


def test_an_unknown_direction_is_an_error() -> None:
    with pytest.raises(ValueError, match="better"):
        ranked([share(1), share(2)], better="target")  # type: ignore[arg-type]
