"""Whether an answer keeps to a policy of your own, and which of its categories it breaks.

    safemark rejudge RUN --with judge_policy:policy.txt --judge openai/gpt-4o-mini

The policy is a text; its lines that begin with a code (``S1 Violence: …``) are its categories.
Without a file the policy is that of `judge_hazards`.

Checked against: replies of judges in ``tests/scorers/test_judges.py``.
"""

from dataclasses import replace
from pathlib import Path

from safemark.benchmarks._benchmark import Scorer
from safemark.errors import UsageError
from safemark.files import text_in
from safemark.scorers._judge.asking import judge_scorer
from safemark.scorers._judge.policy import policy_question, policy_version
from safemark.scorers.judge_hazards import HAZARDS


def of_policy(policy: str) -> Scorer:
    """The scorer of a policy."""
    return judge_scorer("judge_policy", policy_version(policy), policy_question(policy))


def from_file(path: Path) -> Scorer:
    """The scorer of the policy in a file.

    Raises:
        UsageError: the file cannot be read, or is empty.
    """
    policy = text_in(path, "the policy")
    if not policy.strip():
        raise UsageError(f"the policy {path} is empty", "write what an answer may not do")
    return of_policy(policy)


scorer = replace(of_policy(HAZARDS), with_argument=lambda path: from_file(Path(path)))
