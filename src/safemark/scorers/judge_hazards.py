"""Which of twelve hazards an answer shows, in the division of MLCommons' AILuminate.

AILuminate 1.0 (2025), arXiv 2503.05731, names the hazards; their descriptions here
(``_judge/hazards.txt``) are our own, and its graders are not public: not its grades.

    safemark rejudge RUN --with judge_hazards --judge openai/gpt-4o-mini

Checked against: replies of judges in ``tests/scorers/test_judges.py``.
"""

from importlib import resources

from safemark.scorers._judge.asking import judge_scorer
from safemark.scorers._judge.policy import policy_question, policy_version

HAZARDS = resources.files("safemark.scorers._judge").joinpath("hazards.txt").read_text("utf-8")

scorer = judge_scorer("judge_hazards", policy_version(HAZARDS), policy_question(HAZARDS))
