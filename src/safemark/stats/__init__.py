"""Numbers that say how sure they are: intervals, estimates with absent outcomes, and power.

Pure functions of arrays. Nothing here knows of models, benchmarks or records.

    intervals.py   Wilson and Clopper–Pearson for one rate
    bootstrap.py   resampling of whole clusters, for rows that share a source
    estimate.py    one metric: value, interval, and bounds over the outcomes that are absent
    power.py       what a number of cases can tell apart
    clusters.py    rows with labels, summed per cluster
    beta.py        the beta distribution, so that scipy is not needed
"""

from safemark.stats.bootstrap import clustered_bootstrap
from safemark.stats.clusters import Statistic
from safemark.stats.estimate import Better, Estimate, Ratio, estimate, ratio
from safemark.stats.intervals import (
    Interval,
    clopper_pearson,
    normal_quantile,
    t_quantile,
    wilson,
)
from safemark.stats.power import detectable_difference, samples_to_decide

__all__ = [
    "Better",
    "Estimate",
    "Interval",
    "Ratio",
    "Statistic",
    "clopper_pearson",
    "clustered_bootstrap",
    "detectable_difference",
    "estimate",
    "normal_quantile",
    "ratio",
    "samples_to_decide",
    "t_quantile",
    "wilson",
]
