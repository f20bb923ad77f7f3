"""Numbers that say how sure they are: intervals, comparisons, and what they can tell apart.

Pure functions of arrays. Nothing here knows of models, benchmarks or records.

    intervals.py     Wilson and Clopper–Pearson for one rate
    bootstrap.py     resampling of whole clusters, for rows that share a source
    estimate.py      one metric: value, interval, and bounds over the outcomes that are absent
    paired.py        two runs on the same samples: difference, Tango, McNemar
    swaps.py         the test that swaps two runs in whole clusters
    unpaired.py      two runs that share no samples
    equivalence.py   no worse, and no different, by more than a margin
    multiplicity.py  many comparisons at once: Holm, Benjamini–Hochberg
    power.py         what a number of cases can tell apart
    sequential.py    stopping early: bounds that hold at every moment
    worst_group.py   the worst group and the quartile on the bad side, beside a mean
    ranks.py         many runs in the order that the data support
    grades.py        grades relative to a reference model
    change_points.py where a series of runs changed its level
    judge_error.py   a rate with the judge's known error taken out
    agreement.py     how far two judges agree beyond chance
    difference.py    what is said of a difference, whichever way it was found
    fills.py         summed columns, and what the absent rows could add to them
    spread.py        what an interval is made of, so that one can be had at any confidence
    clusters.py      rows with labels, summed per cluster
    beta.py          the beta distribution, so that scipy is not needed
"""

from safemark.stats.agreement import Agreement, cohen_kappa
from safemark.stats.bootstrap import clustered_bootstrap
from safemark.stats.change_points import ChangePoint, change_points
from safemark.stats.clusters import Statistic
from safemark.stats.difference import Difference
from safemark.stats.equivalence import MarginTest, equivalence, non_inferiority
from safemark.stats.estimate import Better, Estimate, estimate
from safemark.stats.fills import Ratio, ratio
from safemark.stats.grades import Grade, GradeRange, ailuminate_grade
from safemark.stats.intervals import Interval, clopper_pearson, normal_quantile, t_quantile, wilson
from safemark.stats.judge_error import CorrectedRate, Count, rogan_gladen
from safemark.stats.multiplicity import benjamini_hochberg, holm
from safemark.stats.paired import (
    OddsRatio,
    mcnemar,
    paired_difference,
    paired_odds_ratio,
)
from safemark.stats.power import (
    design_effect,
    detectable_difference,
    paired_detectable_difference,
    paired_power,
    paired_samples,
    precision_samples,
    samples_to_decide,
    unpaired_samples,
)
from safemark.stats.ranks import Leaderboard, Rank, rank_groups, ranked
from safemark.stats.sequential import (
    ConfidenceSequence,
    Decision,
    confidence_sequence,
    decided,
    shuffled_clusters,
    source_limits,
)
from safemark.stats.swaps import sign_flip
from safemark.stats.unpaired import unpaired_difference
from safemark.stats.worst_group import GroupAggregate, lower_quartile, worst_group

__all__ = [
    "Agreement",
    "Better",
    "ChangePoint",
    "ConfidenceSequence",
    "CorrectedRate",
    "Count",
    "Decision",
    "Difference",
    "Estimate",
    "Grade",
    "GradeRange",
    "GroupAggregate",
    "Interval",
    "Leaderboard",
    "MarginTest",
    "OddsRatio",
    "Rank",
    "Ratio",
    "Statistic",
    "ailuminate_grade",
    "benjamini_hochberg",
    "change_points",
    "clopper_pearson",
    "clustered_bootstrap",
    "cohen_kappa",
    "confidence_sequence",
    "decided",
    "design_effect",
    "detectable_difference",
    "equivalence",
    "estimate",
    "holm",
    "lower_quartile",
    "mcnemar",
    "non_inferiority",
    "normal_quantile",
    "paired_detectable_difference",
    "paired_difference",
    "paired_odds_ratio",
    "paired_power",
    "paired_samples",
    "precision_samples",
    "rank_groups",
    "ranked",
    "ratio",
    "rogan_gladen",
    "samples_to_decide",
    "shuffled_clusters",
    "sign_flip",
    "source_limits",
    "t_quantile",
    "unpaired_difference",
    "unpaired_samples",
    "wilson",
    "worst_group",
]
