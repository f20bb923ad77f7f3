"""How many calls one endpoint gets at once. Pure: the time is told, nothing is awaited."""

from dataclasses import dataclass

HOLDS = 2.0
"""Latency holds while it is at most so many times the least that was seen."""

_JITTER_S = 0.005
_LEAST_IN_A_ROUND = 8
_SLOW_ROUNDS = 8


class Window:
    """The number of calls that may be in flight, learnt from how the endpoint answers.

    It doubles from ``start`` with each round trip while latency holds, up to ``ceiling``. When the
    endpoint says that it is overloaded the window halves, at most once in a round trip, and then
    grows by an eighth in each. Where latency is more than twice the usual it grows no more.

    Whether slowness is our own doing is found out by trying: when it lasts for eight round
    trips, or is fourfold, the window is halved. Where that makes answers come sooner it stays so;
    where it does not, answers are simply long now, and that latency is the usual from there on.
    """

    def __init__(self, start: int = 16, ceiling: int = 256) -> None:
        self.ceiling = ceiling
        self.limit = min(start, ceiling)
        self._size = float(self.limit)
        self._round = self.limit
        self._is_doubling = True
        self._usual_s: float | None = None
        self._latencies: list[float] = []
        self._troubles = 0
        self._halved_at = float("-inf")
        self._slow_rounds = 0
        self._trial: _Trial | None = None

    def succeeded(self, began: float, now: float, *, is_full: bool) -> None:
        """A call that began then has its answer now; ``is_full``: no place was left beside it."""
        if self._trial is not None and began < self._trial.since:
            return
        self._latencies.append(now - began)
        if self._is_doubling and is_full:
            self._resize(self._size + 1)
        if len(self._latencies) >= max(self._round, _LEAST_IN_A_ROUND):
            self._end_round(now, is_full)

    def overloaded(self, began: float, now: float) -> None:
        """The endpoint refused a call that began then, for want of room."""
        if began <= self._halved_at:
            return
        self._halved_at = now
        self._is_doubling = False
        self._trial = None
        self._resize(max(1.0, self._size / 2))
        self._begin_round()

    def troubled(self, began: float, now: float) -> None:
        """A call failed in a way that may be overload: it is, when one in ten does."""
        self._troubles += 1
        if self._troubles >= 2 and self._troubles * 10 > self._troubles + len(self._latencies):
            self.overloaded(began, now)

    def _end_round(self, now: float, is_full: bool) -> None:
        latency_s = sorted(self._latencies)[len(self._latencies) // 2]
        self._adapt(latency_s, now, is_full)
        self._begin_round()

    def _adapt(self, latency_s: float, now: float, is_full: bool) -> None:
        if self._trial is not None:
            self._judge(self._trial, latency_s)
            return
        usual_s = latency_s if self._usual_s is None else min(self._usual_s, latency_s)
        self._usual_s = usual_s
        if latency_s <= HOLDS * usual_s + _JITTER_S:
            self._slow_rounds = 0
            if is_full and not self._is_doubling:
                self._resize(self._size + max(2.0, self._size / 8))
            return
        if self._is_doubling:
            self._is_doubling = False
            self._resize(float(self._round))
        self._slow_rounds += 1
        if self._slow_rounds >= _SLOW_ROUNDS or latency_s > 2 * HOLDS * usual_s + _JITTER_S:
            self._trial = _Trial(self._size, latency_s, now)
            self._resize(max(1.0, self._size / 2))

    def _judge(self, trial: "_Trial", latency_s: float) -> None:
        """Whether fewer calls were answered sooner."""
        self._trial = None
        self._slow_rounds = 0
        if latency_s > 0.75 * trial.latency_s:
            self._usual_s = latency_s
            self._resize(trial.size)

    def _begin_round(self) -> None:
        self._round = self.limit
        self._latencies.clear()
        self._troubles = 0

    def _resize(self, size: float) -> None:
        self._size = min(size, float(self.ceiling))
        self.limit = int(self._size)


@dataclass(slots=True)
class _Trial:
    """A window that was halved to see whether it was too wide."""

    size: float
    latency_s: float
    since: float


class FixedWindow(Window):
    """Always the same number."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit, limit)

    def succeeded(self, began: float, now: float, *, is_full: bool) -> None:
        pass

    def overloaded(self, began: float, now: float) -> None:
        pass

    def troubled(self, began: float, now: float) -> None:
        pass
