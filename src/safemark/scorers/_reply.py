"""What every scorer asks first: which attempt came back, and is there an answer in it at all.

A block by a provider's filter or a guard is not a refusal by the model, and an empty reply is not
a wrong answer: both are absent, with the reason. What an answer means is each scorer's own affair.
"""

from collections.abc import Callable

from safemark.types import Attempt, Reason, Reply, Sample, Score, Transcript


def last_attempt(transcript: Transcript) -> Attempt | None:
    """The last attempt that came back; the only one where a sample is plainly asked."""
    came_back = [attempt for attempt in transcript.attempts if attempt.absent is None]
    return came_back[-1] if came_back else None


def no_answer(reply: Reply) -> Score | None:
    """The absent score of a blocked or empty reply, or None where there is text to judge."""
    if reply.finish == "blocked":
        why = reply.text.strip()[:200] or "blocked before the model's answer could be seen"
        return Score({"verdict": "blocked"}, Reason.BLOCKED, why)
    if reply.text.strip():
        return None
    if reply.finish != "length":
        return Score({}, Reason.EMPTY_REPLY, "the reply holds no text")
    if reply.thinking is not None:
        why = "cut off before the answer began: --max-output-tokens N gives it more room"
        return Score({}, Reason.CUT_OFF_THINKING, why)
    return Score({}, Reason.CUT_OFF, "the token limit was reached with no text to show for it")


def of_reply(
    judge: Callable[[Sample, Reply], Score],
) -> Callable[[Sample, Transcript], Score]:
    """A scorer's function from one that judges a reply known to hold text."""

    def score(sample: Sample, transcript: Transcript) -> Score:
        attempt = last_attempt(transcript)
        if attempt is None:
            return Score({}, transcript.absent or Reason.NOT_ASKED, transcript.why)
        if attempt.reply is None:
            return Score({}, Reason.UNSUPPORTED, "asked by likelihood: there is no reply to judge")
        return no_answer(attempt.reply) or judge(sample, attempt.reply)

    return score


def expected_text(sample: Sample) -> str | None:
    """What the sample says is right, in words: its target, or the choice that its target names."""
    if isinstance(sample.target, str):
        return sample.target or None
    if sample.target is not None and 0 <= sample.target < len(sample.choices):
        return sample.choices[sample.target]
    return None
