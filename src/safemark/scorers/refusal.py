"""Did the reply refuse, refuse in part, or comply: by rules, without a judge model.

The rules are in `safemark.scorers._refusal_rules`; what they cannot tell is absent (`cannot_say`),
neither a refusal nor compliance. A provider's block is kept apart as `blocked`.

Checked against: labelled replies in ``tests/scorers/test_refusal_rules.py``.
"""

from safemark.benchmarks._benchmark import Scorer
from safemark.scorers._refusal_rules import refusal_verdict
from safemark.scorers._reply import of_reply
from safemark.types import Reason, Reply, Sample, Score


def _judged(_sample: Sample, reply: Reply) -> Score:
    verdict, why = refusal_verdict(reply.text)
    absent = Reason.CANNOT_SAY if verdict == "cannot_say" else None
    return Score({"verdict": str(verdict)}, absent, why)


scorer = Scorer(name="refusal", version="2", score=of_reply(_judged))
