"""Whether an answer gives what a harmful request wanted, safe or unsafe: JailbreakBench's judge.

Chao et al. 2024, arXiv 2404.01318; template from github.com/JailbreakBench/jailbreakbench (MIT),
where Llama 3 70B answers it.

    safemark rejudge RUN --with judge_jailbreakbench --judge openai/gpt-4o-mini

Checked against: replies of judges in ``tests/scorers/test_judges.py``.
"""

from safemark.scorers._judge.asking import judge_scorer
from safemark.scorers._judge.published import JAILBREAKBENCH
from safemark.scorers._judge.question import GUARD, digest, prompt

scorer = judge_scorer(
    "judge_jailbreakbench", f"1-{digest(prompt('jailbreakbench'), GUARD)}", JAILBREAKBENCH
)
