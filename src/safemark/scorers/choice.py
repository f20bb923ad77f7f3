"""Which of the given options was chosen: the likeliest one, or the one a reply names.

A reply that names no option, or several, is absent (`unparsed_answer`), not wrong. Benchmarks
that know more of an option than its number say so with ``outcomes``.

Checked against: a table of labelled replies in ``tests/scorers/test_choice.py``, and for
likelihoods lm-evaluation-harness 0.4.13 (``tests/parity/lm_eval_parity.py``).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from safemark.benchmarks._benchmark import Scorer
from safemark.scorers._letter import chosen_option
from safemark.scorers._reply import last_attempt, no_answer
from safemark.types import Attempt, Likelihood, Reason, Reply, Sample, Scalar, Score, Transcript

Outcomes = Callable[[Sample, int], Mapping[str, Scalar]]
"""What is known once option ``chosen`` of a (rendered) sample is."""

Normalised = Literal["not", "by_token", "by_byte"]


def is_correct(sample: Sample, chosen: int) -> Mapping[str, Scalar]:
    """The outcomes of a plain multiple choice."""
    return {"chosen": chosen, "correct": chosen == sample.target}


def choice_scorer(
    name: str, version: str, outcomes: Outcomes = is_correct, normalised: Normalised = "not"
) -> Scorer:
    """A scorer of choices: by likelihood where the attempt has likelihoods, else by the reply.

    ``normalised`` divides each log-likelihood by the option's length, so that long options are
    not at a disadvantage.
    """

    def score(sample: Sample, transcript: Transcript) -> Score:
        attempt = last_attempt(transcript)
        if attempt is None:
            return Score({}, transcript.absent or Reason.NOT_ASKED, transcript.why)
        if attempt.reply is not None:
            return _by_reply(sample, attempt.reply, outcomes)
        likelihoods = usable_likelihoods(attempt)
        if isinstance(likelihoods, Score):
            return likelihoods
        chosen = likeliest(likelihoods, attempt.continuations, normalised)
        values = ", ".join(f"{likelihood.logprob:.3f}" for likelihood in likelihoods)
        return Score(outcomes(sample, chosen), why=f"log-likelihoods {values}")

    return Scorer(name=name, version=version, score=score)


def _by_reply(sample: Sample, reply: Reply, outcomes: Outcomes) -> Score:
    absent = no_answer(reply)
    if absent is not None:
        return absent
    chosen = chosen_option(reply.text, sample.choices)
    if chosen is None:
        reason = Reason.CUT_OFF if reply.finish == "length" else Reason.UNPARSED_ANSWER
        return Score({}, reason, f"no one option is named in: {reply.text[:200]!r}")
    return Score(outcomes(sample, chosen), why=f"read as option {chosen + 1}")


def usable_likelihoods(attempt: Attempt) -> tuple[Likelihood, ...] | Score:
    """The likelihoods of an attempt, or the absent score where one is missing or not a number."""
    if len(attempt.likelihoods) != len(attempt.continuations) or not attempt.likelihoods:
        why = f"{len(attempt.likelihoods)} likelihoods for {len(attempt.continuations)} options"
        return Score({}, Reason.BAD_RESPONSE, why)
    if not all(math.isfinite(likelihood.logprob) for likelihood in attempt.likelihoods):
        values = ", ".join(str(likelihood.logprob) for likelihood in attempt.likelihoods)
        return Score({}, Reason.NOT_A_NUMBER, f"log-likelihoods {values}")
    return attempt.likelihoods


def likeliest(
    likelihoods: Sequence[Likelihood],
    continuations: Sequence[str],
    normalised: Normalised = "not",
) -> int:
    """Index of the greatest log-likelihood, the first of equals (as numpy and lm-eval have it)."""
    lengths = {
        "not": [1] * len(likelihoods),
        "by_token": [max(1, likelihood.tokens) for likelihood in likelihoods],
        "by_byte": [max(1, len(text.strip().encode())) for text in continuations],
    }[normalised]
    values = [found.logprob / n for found, n in zip(likelihoods, lengths, strict=True)]
    return max(range(len(values)), key=values.__getitem__)


scorer = choice_scorer("choice", "1")
