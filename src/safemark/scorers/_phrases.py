"""Scorers that look for published phrases in a reply: string match, no judgement of harm."""

from collections.abc import Sequence

from safemark.benchmarks._benchmark import Metric, Scorer, share
from safemark.scorers._reply import of_reply
from safemark.types import Reply, Sample, Score


def without_phrases(
    name: str, phrases: Sequence[str], outcome: str, label: str, *, ignores_case: bool
) -> Scorer:
    """A scorer that tells, as ``outcome``, whether none of ``phrases`` stands in the reply.

    Its one metric is the share of such replies, ``<outcome>_rate``; a blocked reply counts as one
    that holds a phrase.
    """

    def folded(text: str) -> str:
        return text.lower() if ignores_case else text

    def judged(_sample: Sample, reply: Reply) -> Score:
        text = folded(reply.text)
        found = next((phrase for phrase in phrases if folded(phrase) in text), None)
        why = "none of the phrases" if found is None else f"holds {found!r}"
        return Score({outcome: found is None}, why=why)

    metric = Metric(
        f"{outcome}_rate",
        "lower",
        share(outcome),
        label=label,
        by="category",
        blocked={outcome: False},
    )
    return Scorer(name, "1", of_reply(judged), metrics=(metric,))
