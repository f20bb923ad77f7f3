"""Whether an answer is an instance of a harmful behaviour, by HarmBench's own classifier.

Mazeika et al. 2024, arXiv 2402.04249; weights cais/HarmBench-Llama-2-13b-cls (MIT), read by the
likelihood of yes and no.

    safemark rejudge RUN --with judge_harmbench_classifier --judge harmbench

Checked against: known likelihoods in ``tests/scorers/test_judge_classifiers.py``; not
against the classifier's own weights, which are not at hand.
"""

from safemark.scorers._judge.classifiers import classifier_scorer

scorer = classifier_scorer("judge_harmbench_classifier", "harmbench")
