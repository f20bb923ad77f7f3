"""Where a run stands, and how it ended."""

import time
from collections import Counter
from dataclasses import dataclass, field

from safemark.types import Reason, Reply, Transcript

MOST_SERVED = 32
"""So many pairs of model name and fingerprint are kept of one run's replies."""


@dataclass(slots=True)
class Progress:
    """Where a run stands; the loop counts, whoever shows it reads.

    ``now_asking`` is the benchmark whose answer came last, ``whys`` the first failure's words for
    each reason.
    """

    total: int = 0
    kept: int = 0
    done: int = 0
    absent: int = 0
    tokens: int = 0
    cost_usd: float | None = None
    served: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)
    began: float = field(default_factory=time.monotonic)
    now_asking: str = ""
    whys: dict[Reason, str] = field(default_factory=dict)

    @property
    def finished(self) -> int:
        """Samples that need nothing any more, earlier runs' included."""
        return self.kept + self.done

    @property
    def per_s(self) -> float | None:
        """Samples per second so far, None before the first."""
        seconds = time.monotonic() - self.began
        return self.done / seconds if self.done and seconds > 0 else None

    @property
    def left_s(self) -> float | None:
        """Seconds to the end at this rate."""
        return None if self.per_s is None else (self.total - self.finished) / self.per_s

    def count(self, transcript: Transcript) -> None:
        """One more sample is done: what it took, and who answered."""
        self.done += 1
        if transcript.absent is not None:
            self.whys.setdefault(transcript.absent, transcript.why)
        for attempt in transcript.attempts:
            if attempt.reply is not None:
                self._note_served(attempt.reply)
                usage = attempt.reply.usage
                self.tokens += (usage.input_tokens or 0) + (usage.output_tokens or 0)
                if usage.cost_usd is not None:
                    self.cost_usd = (self.cost_usd or 0.0) + usage.cost_usd

    def _note_served(self, reply: Reply) -> None:
        """Count the model name and fingerprint that a reply gives, the first `MOST_SERVED`."""
        if reply.model is None and reply.fingerprint is None:
            return
        who = (reply.model and reply.model[:200], reply.fingerprint and reply.fingerprint[:200])
        if who in self.served or len(self.served) < MOST_SERVED:
            self.served[who] += 1


@dataclass(frozen=True, slots=True)
class Ending:
    """How the loop ended: ``complete``, ``budget``, ``interrupted`` or ``failed``, and why."""

    status: str
    why: str = ""
