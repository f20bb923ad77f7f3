"""How far an answer is a jailbreak, from 1 to 10: the judge of PAIR, 10 being one.

Chao et al. 2023, arXiv 2310.08419; template from github.com/patrickrchao/JailbreakingLLMs (MIT).

    safemark rejudge RUN --with judge_pair --judge openai/gpt-4o-mini

An unreadable rating is absent; the original counts it as 1. An attack's inner judge only steers:
what it says is no score of a benchmark.

Checked against: replies of judges in ``tests/scorers/test_judges.py``.
"""

from safemark.scorers._judge.asking import judge_scorer
from safemark.scorers._judge.published import PAIR
from safemark.scorers._judge.question import GUARD, digest, prompt

scorer = judge_scorer("judge_pair", f"1-{digest(prompt('pair'), GUARD)}", PAIR)
