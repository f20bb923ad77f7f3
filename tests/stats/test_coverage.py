"""How often the clustered interval holds the truth, by simulation with a fixed seed."""

import numpy as np
import pytest

from safemark.stats import clustered_bootstrap, estimate, ratio
from safemark.stats.clusters import Array, Codes, summed


def simulated(
    rng: np.random.Generator, n_clusters: int, p: float, correlation: float
) -> tuple[Array, Codes]:
    """Rows and labels: unequal clusters (mean 5 rows), beta-binomial with mean ``p``."""
    sizes = 1 + rng.poisson(4, n_clusters)
    spread = 1 / correlation - 1
    shares = rng.beta(p * spread, (1 - p) * spread, n_clusters)
    labels = np.repeat(np.arange(n_clusters), sizes)
    successes = rng.random(len(labels)) < shares[labels]
    return np.column_stack([successes.astype(float), np.ones(len(labels))]), labels


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_clusters", "p", "correlation"),
    [
        (100, 0.5, 0.1),
        (100, 0.3, 0.5),
        (100, 0.05, 0.5),
        (100, 0.01, 0.5),
        (400, 0.01, 0.5),
        (12, 0.3, 0.5),
        (5, 0.5, 0.1),
    ],
)
def test_the_clustered_interval_holds_the_truth_about_as_often_as_it_says(
    n_clusters: int, p: float, correlation: float
) -> None:
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(1000):
        rows, labels = simulated(rng, n_clusters, p, correlation)
        found = estimate(rows, labels, resamples=1000)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= p <= found.high
    assert held / 1000 >= 0.93
    if p >= 0.3 and n_clusters >= 100:
        assert held / 1000 <= 0.97  # and is not wider than it need be


@pytest.mark.slow
def test_the_percentile_bootstrap_alone_is_too_sure_of_a_rare_failure() -> None:
    """The reason why `estimate` never goes below Wilson's interval on the effective size."""
    rng = np.random.default_rng(11)
    alone = widened = 0
    for _ in range(1000):
        rows, labels = simulated(rng, 100, 0.01, 0.5)
        sums = summed(rows, labels, 100)
        bare = clustered_bootstrap(sums, ratio, resamples=1000)
        found = estimate(rows, labels, resamples=1000)
        assert bare is not None
        assert found.high is not None
        if bare.low < bare.high:
            alone += bare.high < 0.01
        widened += found.high < 0.01
    assert alone / 1000 > 0.10
    assert widened / 1000 <= 0.025
