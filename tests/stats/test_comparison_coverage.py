"""How often intervals of a difference hold the truth, and how often a test cries wolf.

Exactly, by summing over all outcomes, where pairs or arms are independent; by simulation in
clusters of the sizes that BBQ has. Light versions run always, full ones when slow tests do.
"""

import math

import numpy as np
import pytest
from scipy import stats

from safemark.stats import estimate, mcnemar, paired_difference, wilson
from safemark.stats.clusters import Array, Codes
from safemark.stats.paired import tango

# Rows by question template in six categories of BBQ (11,956 rows in 150 templates).
BBQ_SIZES = (
    [8] * 2 + [12] + [16] * 3 + [32] * 37 + [40] * 33 + [48] * 12 + [64] + [72] * 17 + [80] * 2
    + [96] * 6 + [120] * 5 + [128] * 6 + [160] * 3 + [168] + [200] * 15 + [240] + [280] * 2
    + [288] + [336] * 2
)  # fmt: skip

SHARES_AND_SIZES = [(p, n) for p in (0.01, 0.1, 0.5) for n in (20, 150, 2000)]


def test_the_sizes_are_those_of_the_files_that_were_counted() -> None:
    assert (len(BBQ_SIZES), sum(BBQ_SIZES)) == (150, 11_956)


def drawn_pairs(p: float, n: int, draws: int) -> list[tuple[int, int]]:
    """Discordant counts of two runs with the same share ``p`` that agree more than by chance."""
    rng = np.random.default_rng(3)
    discordant = 0.8 * p * (1 - p)  # of independent runs: 2 p (1 - p)
    found = rng.multinomial(n, [discordant / 2, discordant / 2, 1 - discordant], draws)
    return [(int(x), int(y)) for x, y, _ in found]


@pytest.mark.parametrize(("p", "n"), SHARES_AND_SIZES)
def test_tangos_interval_holds_no_difference_95_times_in_100(p: float, n: int) -> None:
    draws = drawn_pairs(p, n, 2000)
    ends = {pair: tango(*pair, n) for pair in set(draws)}
    held = sum(ends[pair].low <= 0 <= ends[pair].high for pair in draws) / 2000
    assert held >= 0.93
    if p * n >= 15:  # with a few discordant pairs the outcomes are too coarse to come close
        assert held <= 0.97


@pytest.mark.parametrize(("p", "n"), SHARES_AND_SIZES)
def test_tangos_interval_holds_a_difference_95_times_in_100(p: float, n: int) -> None:
    rng = np.random.default_rng(4)
    only_a, only_b = 0.2 * p, 0.6 * p
    counts = rng.multinomial(n, [only_a, only_b, 1 - only_a - only_b], 2000)
    ends = {(int(x), int(y)): tango(int(x), int(y), n) for x, y, _ in counts}
    held = np.mean(
        [ends[x, y].low <= only_b - only_a <= ends[x, y].high for x, y, _ in counts.tolist()]
    )
    assert held >= 0.93
    if p * n >= 15:
        assert held <= 0.97


@pytest.mark.parametrize(("p", "n"), SHARES_AND_SIZES)
def test_mcnemar_is_never_wrong_too_often(p: float, n: int) -> None:
    draws = drawn_pairs(p, n, 2000)
    for mid_p, most in ((False, 0.05), (True, 0.06)):
        wrong = {pair: mcnemar(*pair, mid_p=mid_p) <= 0.05 for pair in set(draws)}
        assert sum(wrong[pair] for pair in draws) / 2000 <= most + 0.01


@pytest.mark.parametrize(("p", "n"), [(p, n) for p, n in SHARES_AND_SIZES if n < 2000])
@pytest.mark.parametrize("gap", [0.0, 0.1])
def test_newcombes_interval_holds_the_difference_at_least_93_times_in_100(
    p: float, n: int, gap: float
) -> None:
    """Summed over all outcomes of both arms."""
    counts = np.arange(n + 1)
    ends = [wilson(int(k), n) for k in counts]
    low, high = np.array([e.low for e in ends]), np.array([e.high for e in ends])
    seen = counts / n
    value = seen[None, :] - seen[:, None]  # rows: a, columns: b
    down = np.hypot((seen - low)[None, :], (high - seen)[:, None])
    up = np.hypot((high - seen)[None, :], (seen - low)[:, None])
    weight = stats.binom.pmf(counts, n, p)[:, None] * stats.binom.pmf(counts, n, p + gap)[None, :]
    held = float(weight[(value - down <= gap) & (gap <= value + up)].sum())
    assert held >= 0.93
    if p * n >= 10:
        assert held <= 0.975


def clustered_pairs(
    rng: np.random.Generator, sizes: list[int], p: float, correlation: float = 0.1
) -> tuple[Array, Array, Codes]:
    """Two runs with share ``p`` whose templates have hard and easy spots of their own."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    spread = 1 / correlation - 1
    first, second = rng.beta(p * spread, (1 - p) * spread, (2, len(sizes)))
    second = np.where(rng.random(len(sizes)) < 0.5, first, second)
    luck = rng.random(len(labels))
    other = np.where(rng.random(len(labels)) < 0.6, luck, rng.random(len(labels)))
    return (luck < first[labels]).astype(float), (other < second[labels]).astype(float), labels


@pytest.mark.timeout(900)
@pytest.mark.parametrize("p", [0.01, 0.1, 0.5])
@pytest.mark.parametrize(
    ("n_clusters", "draws"),
    [
        (25, 60),
        pytest.param(25, 2000, marks=pytest.mark.slow),
        pytest.param(150, 2000, marks=pytest.mark.slow),
    ],
)
def test_in_clusters_of_bbq_the_paired_interval_and_test_keep_their_word(
    p: float, n_clusters: int, draws: int
) -> None:
    rng = np.random.default_rng(5)
    held = wrong = 0
    for draw in range(draws):
        sizes = rng.permutation(BBQ_SIZES)[:n_clusters].tolist()
        a, b, labels = clustered_pairs(rng, sizes, p)
        found = paired_difference(a, b, labels, resamples=400, permutations=199, seed=draw)
        assert found.low is not None
        assert found.high is not None
        assert found.p_value is not None
        held += found.low <= 0 <= found.high
        wrong += found.p_value <= 0.05
    slack = 2.6 * math.sqrt(0.05 * 0.95 / draws) if draws < 2000 else 0.0
    assert held / draws >= 0.93 - slack
    assert wrong / draws <= 0.06 + slack
    if p >= 0.1 and draws == 2000:
        assert held / draws <= 0.975


@pytest.mark.timeout(900)
@pytest.mark.parametrize("p", [0.01, 0.1, 0.5])
@pytest.mark.parametrize(
    ("n_clusters", "draws"),
    [
        (25, 100),
        pytest.param(25, 2000, marks=pytest.mark.slow),
        pytest.param(150, 2000, marks=pytest.mark.slow),
    ],
)
def test_in_clusters_of_bbq_a_rate_is_held_95_times_in_100(
    p: float, n_clusters: int, draws: int
) -> None:
    rng = np.random.default_rng(5)
    held = 0
    for draw in range(draws):
        sizes = rng.permutation(BBQ_SIZES)[:n_clusters].tolist()
        a, _, labels = clustered_pairs(rng, sizes, p)
        rows = np.stack([a, np.ones(len(a))], axis=1)
        found = estimate(rows, labels, resamples=500, seed=draw)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= p <= found.high
    slack = 2.6 * math.sqrt(0.05 * 0.95 / draws) if draws < 2000 else 0.0
    assert held / draws >= 0.93 - slack
    if draws == 2000:
        assert held / draws <= (0.98 if p == 0.01 and n_clusters == 25 else 0.97)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("correlation", [0.0, 0.3])
@pytest.mark.parametrize(("p", "n_clusters"), [(0.01, 25), (0.01, 150), (0.1, 25)])
def test_a_rate_is_held_90_times_in_100_however_much_rows_of_a_cluster_agree(
    p: float, n_clusters: int, correlation: float
) -> None:
    rng = np.random.default_rng(6)
    held = 0
    for draw in range(1000):
        sizes = rng.permutation(BBQ_SIZES)[:n_clusters]
        spread = 1 / correlation - 1 if correlation else math.inf
        shares = rng.beta(p * spread, (1 - p) * spread, n_clusters) if correlation else p
        failed = rng.binomial(sizes, shares)
        rows = np.concatenate(
            [[(1.0, 1.0)] * k + [(0.0, 1.0)] * (n - k) for k, n in zip(failed, sizes, strict=True)]
        )
        found = estimate(rows, np.repeat(np.arange(n_clusters), sizes), resamples=500, seed=draw)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= p <= found.high
    assert held / 1000 >= 0.90
    if correlation == 0.0:
        assert held / 1000 >= 0.95
