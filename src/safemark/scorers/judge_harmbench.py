"""Whether an answer is an instance of a harmful behaviour, yes or no: HarmBench's question.

Mazeika et al. 2024, arXiv 2402.04249; template from github.com/centerforaisafety/HarmBench (MIT).

    safemark rejudge RUN --with judge_harmbench --judge openai/gpt-4o-mini

Samples with a ``context`` facet are asked in the contextual form. Here any model answers; the
classifier that the paper trained is `judge_harmbench_classifier`.

Checked against: replies of judges in ``tests/scorers/test_judges.py``.
"""

from safemark.scorers._judge.asking import judge_scorer
from safemark.scorers._judge.published import HARMBENCH
from safemark.scorers._judge.question import GUARD, digest, prompt

scorer = judge_scorer(
    "judge_harmbench",
    f"1-{digest(prompt('harmbench'), prompt('harmbench_contextual'), GUARD)}",
    HARMBENCH,
)
