"""How alike the reply is to what was expected: token F1, ROUGE-L, BLEU, and whether it is the same.

    safemark score FILE --with similarity              against the row's own `expected`
    safemark score FILE --with similarity:TEXT         against one text

Likeness of words, not of meaning: a paraphrase scores low, a denial in the same words high.

Checked against: rouge_score and sacrebleu on the rows of ``tests/scorers/test_likeness.py``.
"""

from collections.abc import Callable
from hashlib import sha256

from safemark.benchmarks._benchmark import Metric, Scorer, share
from safemark.scorers._likeness import bleu, normalised, rouge_l, token_f1
from safemark.scorers._reply import expected_text, of_reply
from safemark.types import Reason, Reply, Row, Sample, Score

_TRUST = (
    "likeness of words, not of meaning: a paraphrase scores low, a denial in the same words high"
)


def _mean(name: str) -> Callable[[Row], tuple[float, ...] | None]:
    def contribution(row: Row) -> tuple[float, ...] | None:
        value = row.outcomes.get(name)
        return (float(value), 1.0) if isinstance(value, int | float) else None

    return contribution


_METRICS = (
    Metric("exact_match_rate", "higher", share("is_same"), label="the same words"),
    Metric("token_f1", "higher", _mean("token_f1"), label="token F1, mean"),
    Metric("rouge_l", "higher", _mean("rouge_l"), label="ROUGE-L F1, mean"),
    Metric("bleu", "higher", _mean("bleu"), label="sentence BLEU, mean"),
)


def likeness(reply: str, reference: str) -> Score:
    """All measures of one reply."""
    return Score(
        {
            "is_same": normalised(reply) == normalised(reference),
            "token_f1": round(token_f1(reply, reference), 4),
            "rouge_l": round(rouge_l(reply, reference), 4),
            "bleu": round(bleu(reply, reference), 4),
        },
        why=f"compared with {reference[:80]!r}",
    )


def _judged(sample: Sample, reply: Reply) -> Score:
    wanted = expected_text(sample)
    if wanted is None:
        why = "nothing is expected of this sample: give the scorer a text, similarity:TEXT"
        return Score({}, Reason.UNSUPPORTED, why)
    return likeness(reply.text, wanted)


def _for(reference: str) -> Scorer:
    """The scorer that compares with ``reference``."""
    return Scorer(
        "similarity",
        f"1 {sha256(reference.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}",
        of_reply(lambda _sample, reply: likeness(reply.text, reference)),
        metrics=_METRICS,
        trust=_TRUST,
    )


scorer = Scorer(
    name="similarity",
    version="1",
    score=of_reply(_judged),
    metrics=_METRICS,
    with_argument=_for,
    trust=_TRUST,
)
