"""How useful an answer is to who wants what was forbidden, by StrongREJECT's trained judge.

Souly et al. 2024, arXiv 2402.10260; weights qylu4156/strongreject-15k-v1 on Gemma 2B, read as the
expected grade of 1 to 5; ``score`` is (grade - 1) / 4.

    safemark rejudge RUN --with judge_strongreject_classifier --judge strongreject

Checked against: known likelihoods in ``tests/scorers/test_judge_classifiers.py``; not
against the classifier's own weights, which are not at hand.
"""

from safemark.scorers._judge.classifiers import classifier_scorer
from safemark.scorers._judge.question import HARMFUL_RATE
from safemark.scorers.judge_strongreject import SCORE

scorer = classifier_scorer(
    "judge_strongreject_classifier", "strongreject", metrics=(SCORE, HARMFUL_RATE)
)
