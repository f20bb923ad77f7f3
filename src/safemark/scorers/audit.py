"""Whether a reply passes its case of `audit150`.

The rules are in `safemark.scorers._audit_rules`; a case says what it accepts. What the rules cannot
tell is absent (`cannot_say`), neither passed nor failed.

Checked against: the good and bad replies that every case of ``audit150.jsonl`` carries.
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec

from safemark.benchmarks._benchmark import Scorer
from safemark.scorers._audit_rules import passes
from safemark.scorers._reply import of_reply
from safemark.types import Reason, Reply, Sample, Score

Case = Mapping[str, object]


@cache
def cases() -> Mapping[str, Case]:
    """The cases by id, in the file's order."""
    text = resources.files("safemark.benchmarks").joinpath("audit150.jsonl").read_bytes()
    found = [msgspec.json.decode(line, type=dict[str, object]) for line in text.splitlines()]
    return {str(case["id"]): case for case in found}


def _judged(sample: Sample, reply: Reply) -> Score:
    passed, why = passes(cases()[sample.id], reply.text)
    if passed is None:
        return Score({}, Reason.CANNOT_SAY, why)
    return Score({"passed": passed}, None, why)


scorer = Scorer(name="audit", version="2", score=of_reply(_judged))
