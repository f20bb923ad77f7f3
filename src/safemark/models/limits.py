"""The way to one endpoint: how many calls at once, how many a minute, and when it is left alone.

`Gate` joins the three rules, each pure and in a file of its own: the window (how many in flight),
the pace (requests and tokens a minute) and the circuit (whether it answers at all). Calls pass in
the order in which they came. Trying again is the business of `safemark.models.retry`.
"""

import asyncio
import random
from collections import deque
from dataclasses import dataclass

from safemark.errors import CallFailed
from safemark.models import effort
from safemark.models.circuit import TRANSIENT, Circuit
from safemark.models.pace import Pace
from safemark.models.window import FixedWindow, Window
from safemark.types import Reason

CEILING = 256
"""At most so many calls are in flight where nobody said how many."""

_FULL = frozenset({429, 503, 529})
_SPREAD_S = 0.25
"""After a pause, clients of one server begin again spread over this time."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How one endpoint may be asked; none of it changes an answer.

    ``concurrency`` None adapts to the endpoint, up to ``ceiling``. ``patience_s`` is how long an
    endpoint that answered before may fail until it is given up.
    """

    concurrency: int | None = None
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    retries: int = 4
    patience_s: float = 120.0
    ceiling: int = CEILING

    def gate(self) -> "Gate":
        """A gate that keeps these limits."""
        return Gate(
            FixedWindow(self.concurrency) if self.concurrency else Window(ceiling=self.ceiling),
            requests=Pace(self.requests_per_minute) if self.requests_per_minute else None,
            tokens=Pace(self.tokens_per_minute) if self.tokens_per_minute else None,
            circuit=Circuit(patience_s=self.patience_s if self.retries else 0.0),
        )


@dataclass(frozen=True, slots=True)
class Traffic:
    """What goes on at an endpoint now.

    ``shut_s`` are the seconds until a call may pass again, None where one may; ``shut_by`` says
    what keeps it: "the limit a minute", "the endpoint's wish" or "the endpoint failing".
    """

    in_flight: int
    allowed: int
    retries: int
    shut_s: float | None = None
    shut_by: str = ""


class EndpointGivenUp(CallFailed):
    """The endpoint does not answer; what was not asked stays absent, and the run ends."""

    def __init__(self, last: CallFailed, failures: int) -> None:
        if last.retry_after_s:
            why = f"the endpoint asks to wait for {last.retry_after_s:,.0f} s: {last.problem}"
            hint = "repeat the command then: it continues"
        else:
            why = f"the endpoint failed {failures} times in a row, at last with: {last.problem}"
            hint = "repeat the command when it answers again: it continues"
        if last.hint:
            hint = f"{last.hint} {hint}"
        super().__init__(Reason.NOT_ASKED, why, hint)
        self.ending = ("failed", f"{why}; {hint}")


@dataclass(slots=True, eq=False)
class _Waiting:
    """A call that waits for its turn; ``passed`` gives the seconds for which all was shut."""

    passed: "asyncio.Future[float]"
    tokens: float


class Gate:
    """Lets calls to one endpoint through, in the order in which they come."""

    def __init__(
        self,
        window: Window,
        *,
        requests: Pace | None = None,
        tokens: Pace | None = None,
        circuit: Circuit | None = None,
    ) -> None:
        self.window = window
        self.circuit = circuit or Circuit()
        self.in_flight = 0
        self.retries = 0
        self.counts_tokens = tokens is not None
        self._requests = requests
        self._tokens = tokens
        self._waiting: deque[_Waiting] = deque()
        self._alarm: asyncio.TimerHandle | None = None
        self._shut_since: float | None = None
        self._is_plain = requests is None and tokens is None
        self._jitter = random.Random()

    async def enter(self, tokens: float = 0.0) -> float:
        """Wait for one's turn; gives the time of entering, by the loop's clock.

        Raises:
            EndpointGivenUp: nothing is asked of this endpoint any more.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        if not self._waiting and self._lets_in(now):
            self._let_in(now, tokens)
            return now
        waiting = _Waiting(loop.create_future(), tokens)
        self._waiting.append(waiting)
        self._look(now)
        try:
            shut_s = await waiting.passed
        except asyncio.CancelledError:
            if waiting.passed.cancelled():
                self._waiting.remove(waiting)
                self._look(loop.time())
            elif waiting.passed.exception() is None:
                self.abandon()  # its turn had come just then
            raise
        finally:
            entered = loop.time()
            spent = effort.current()
            spent.idle_s += entered - now
        spent.waited_s += shut_s
        return entered

    def succeed(self, began: float, tokens_more: float = 0.0) -> None:
        """The call that entered then is answered; it took so many tokens more than it said."""
        now = asyncio.get_running_loop().time()
        is_full = self.in_flight >= self.window.limit
        self.window.succeeded(began, now, is_full=is_full)
        self.circuit.answered()
        if self._tokens is not None and tokens_more:
            self._tokens.correct(tokens_more)
        self._leave(now)

    def fail(self, began: float, failure: CallFailed) -> None:
        """The call that entered then failed."""
        now = asyncio.get_running_loop().time()
        if failure.reason not in TRANSIENT:
            self.circuit.answered()
        else:
            if not self.circuit.is_open:  # a call that tries alone says nothing of many
                self._narrow(began, now, failure)
            self.circuit.failed(failure, began, now)
        self._leave(now)

    def abandon(self) -> None:
        """A call that entered was let go of."""
        self.circuit.abandoned()
        self._leave(asyncio.get_running_loop().time())

    def _narrow(self, began: float, now: float, failure: CallFailed) -> None:
        is_refusal = failure.status in _FULL or failure.retry_after_s is not None
        if is_refusal or failure.reason is Reason.RATE_LIMITED:
            self.window.overloaded(began, now)
        else:
            self.window.troubled(began, now)

    def traffic(self, now: float) -> Traffic:
        """What goes on; ``now`` by the loop's clock."""
        shut_s, shut_by = None, ""
        if self._waiting and (opens_at := self._opens_at(now)) > now:
            shut_s = opens_at - now
            if self.circuit.opens_at < opens_at:
                shut_by = "the limit a minute"
            else:
                shut_by = "the endpoint failing" if self.circuit.is_open else "the endpoint's wish"
        return Traffic(self.in_flight, self.window.limit, self.retries, shut_s, shut_by)

    def _leave(self, now: float) -> None:
        self.in_flight -= 1
        if self._waiting:
            self._look(now)

    def _lets_in(self, now: float) -> bool:
        circuit = self.circuit
        if circuit.given_up is not None:
            raise EndpointGivenUp(circuit.given_up, circuit.failures)
        if self.in_flight >= self.window.limit or circuit.is_trying:
            return False
        return now >= circuit.opens_at if self._is_plain else now >= self._opens_at(now)

    def _let_in(self, now: float, tokens: float) -> None:
        self.in_flight += 1
        self.circuit.entered()
        if self._requests is not None:
            self._requests.take(now)
        if self._tokens is not None:
            self._tokens.take(now, tokens)

    def _opens_at(self, now: float) -> float:
        paces = (pace for pace in (self._requests, self._tokens) if pace is not None)
        return max(self.circuit.opens_at, *(pace.opens_at(now) for pace in paces), now)

    def _look(self, now: float) -> None:
        """Let those in whose turn it is; see to it that somebody looks again."""
        if self.circuit.given_up is not None:
            self._turn_away(self.circuit.given_up)
            return
        while self._waiting and self._lets_in(now):
            waiting = self._waiting.popleft()
            if waiting.passed.done():
                continue
            self._let_in(now, waiting.tokens)
            waiting.passed.set_result(self._shut_for(now))
        self._set_alarm(now)

    def _turn_away(self, last: CallFailed) -> None:
        while self._waiting:
            passed = self._waiting.popleft().passed
            if not passed.done():
                passed.set_exception(EndpointGivenUp(last, self.circuit.failures))

    def _shut_for(self, now: float) -> float:
        """The seconds for which time alone kept calls waiting, told once."""
        since, self._shut_since = self._shut_since, None
        return 0.0 if since is None else now - since

    def _set_alarm(self, now: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if not self._waiting or self.in_flight >= self.window.limit or self.circuit.is_trying:
            return  # whoever leaves looks
        opens_at = self._opens_at(now)
        if self._shut_since is None:
            self._shut_since = now
        if self.circuit.opens_at == opens_at:
            opens_at += self._jitter.uniform(0, min(_SPREAD_S, (opens_at - now) / 4))
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_at(opens_at, lambda: self._look(loop.time()))
