"""Whether request and answer are harmful and whether the answer refuses, by WildGuard.

Han et al. 2024, arXiv 2406.18495; weights allenai/wildguard (gated, Apache-2.0), read field by
field by the likelihood of yes and no.

    safemark rejudge RUN --with judge_wildguard --judge wildguard

Checked against: known likelihoods in ``tests/scorers/test_judge_classifiers.py``; not
against WildGuard's own weights, which are not at hand.
"""

from safemark.scorers._judge.classifiers import classifier_scorer

scorer = classifier_scorer("judge_wildguard", "wildguard")
