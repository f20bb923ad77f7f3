"""The instrument measured: does Safemark find the faults that the reference model is known to have?

The benchmark `probes` is run on `reference` through the whole ordinary path: plan, engine, store,
scorers, statistics, document. What the document says is compared with `measured.json`, which
``reference/measure_probes.py`` counted from the model's own probabilities, on other prompts and
without Safemark. A known number of replies is spoilt on the way (time-outs, empty replies, a
provider's block …), so that it is seen whether failures are counted as failures and nothing else.

The comparison fails by chance in at most `FAMILY_LEVEL` of all runs: half of that for any one
rate that is too far off, half for too many that are somewhat off.
"""

import asyncio
import hashlib
import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from safemark.api import Settings, Watch, run_one
from safemark.benchmarks._benchmark import SHARE, Metric
from safemark.errors import CallFailed, DataError
from safemark.models._model import Identity, Model
from safemark.models.connect import REFERENCE, connect
from safemark.plan import Plan, Request
from safemark.reports.document import BenchmarkDocument, Document, MetricDocument
from safemark.stats import Interval, clopper_pearson, normal_quantile, t_quantile, wilson
from safemark.stats.estimate import CONFIDENCE
from safemark.store import Store
from safemark.types import Ask, Messages, Reason, Reply, Row

BENCHMARK = "probes"
FAMILY_LEVEL = 0.01
QUICK_REQUESTS = 400
DRAWS = 3
"""So many replies are drawn to each probe, one in the quick form."""

SPOILT = (
    Reason.TIMEOUT,
    Reason.SERVER_ERROR,
    Reason.EMPTY_REPLY,
    Reason.CUT_OFF,
    Reason.BLOCKED,
)
"""What happens to some replies on the way, each to about one in `SPOILT_ONE_IN`."""

SPOILT_ONE_IN = 80


class Rate(msgspec.Struct, frozen=True):
    """A rate as measured without Safemark; it lies between ``measured`` and ``measured + rest``.

    ``error`` is its standard error, ``planted`` the strength that the training data had.
    """

    metric: str
    group: str | None
    planted: float
    measured: float
    rest: float
    error: float
    prompts: int


class Calibration(msgspec.Struct, frozen=True):
    """The rates of one model, whose weights have that SHA-256."""

    weights: str
    rates: tuple[Rate, ...]


class Comparison(msgspec.Struct, frozen=True):
    """One rate, known and measured. ``verdict`` is `agrees`, `apart` (outside 95 %) or `wrong`."""

    known: Rate
    label: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    absent: int
    verdict: str


class Count(msgspec.Struct, frozen=True):
    """Something that must come out exactly."""

    what: str
    expected: int
    found: int

    @property
    def holds(self) -> bool:
        return self.expected == self.found


class SelfTest(msgspec.Struct, frozen=True):
    """What came of a self-test; ``passed`` is the answer, ``why`` says what is wrong."""

    safemark: str
    model: str
    identity: str
    started: str
    seed: int
    requests: int
    seconds: float
    comparisons: tuple[Comparison, ...]
    counts: tuple[Count, ...]
    most_apart: int
    passed: bool
    why: tuple[str, ...]


def calibration(folder: Path = REFERENCE) -> Calibration:
    """The independently measured rates of the model in ``folder``.

    Raises:
        DataError: there are none, or they are those of other weights.
    """
    hint = "python reference/measure_probes.py measures the weights that are there"
    try:
        found = msgspec.json.decode((folder / "measured.json").read_bytes(), type=Calibration)
        weights = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    except (OSError, msgspec.DecodeError) as error:
        raise DataError(f"the reference model has no measured rates ({error})", hint) from error
    if found.weights != weights:
        raise DataError("measured.json belongs to other weights than those of `reference`", hint)
    return found


def selftest(
    model: str | Model = "reference",
    known: Calibration | None = None,
    *,
    limit: int | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    watch: Watch | None = None,
    stop: asyncio.Event | None = None,
) -> SelfTest:
    """Run `probes` on ``model`` and compare with what is known of it; see `run_selftest`."""
    return asyncio.run(
        run_selftest(model, known, limit=limit, draws=draws, seed=seed, watch=watch, stop=stop)
    )


async def run_selftest(
    model: str | Model = "reference",
    known: Calibration | None = None,
    *,
    limit: int | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    watch: Watch | None = None,
    stop: asyncio.Event | None = None,
) -> SelfTest:
    """Run `probes` on ``model`` and compare with what is known of it.

    Args:
        known: the rates of ``model``; those shipped with `reference` when None.
        limit: ask only so many of the probes.
        draws: replies drawn to each of them.

    Raises:
        DataError: nothing is known of the model.
    """
    watch = watch or Watch()
    known = known or calibration()
    spoiling = Spoiling(connect(model) if isinstance(model, str) else model)
    plans: list[Plan] = []

    def planned(_: Model, plan: Plan) -> None:
        plans.append(plan)
        watch.planned(spoiling, plan)

    began = time.monotonic()
    with Store(":memory:") as store:
        document, _ = await run_one(
            spoiling,
            Request((BENCHMARK,), limit=limit, repeats=draws, seed=seed),
            Settings(fresh=True, offline=True),
            store,
            stop or asyncio.Event(),
            Watch(planned, watch.started),
        )
    return judged(document, plans[0], spoiling.spoilt, known, seed, time.monotonic() - began)


def judged(
    document: Document,
    plan: Plan,
    spoilt: Mapping[Reason, int],
    known: Calibration,
    seed: int,
    seconds: float,
) -> SelfTest:
    """What a document says, beside what is known.

    Args:
        spoilt: how many replies did not reach Safemark as answers, by reason.
    """
    (measured,) = document.benchmarks
    comparisons = tuple(compared(measured, known, _clusters(plan)))
    counts = tuple(_counts(measured, plan, spoilt))
    most = most_apart(len(comparisons))
    why = list(_complaints(comparisons, counts, most))
    if document.status != "complete":
        why.append(f"the run is not complete: {document.status} {document.status_why}".rstrip())
    return SelfTest(
        safemark=document.safemark,
        model=document.model.name,
        identity=document.model.identity,
        started=document.started,
        seed=seed,
        requests=plan.total,
        seconds=round(seconds, 1),
        comparisons=comparisons,
        counts=counts,
        most_apart=most,
        passed=not why,
        why=tuple(why),
    )


Place = tuple[str, str | None]
"""A metric and a group of it, None for all."""


def compared(
    measured: BenchmarkDocument, known: Calibration, clusters: Mapping[Place, int]
) -> Iterator[Comparison]:
    """Each known rate beside the one that Safemark found.

    Args:
        clusters: how many things were asked about, for each metric and group.
    """
    found = {(metric.name, metric.group): metric for metric in measured.metrics}
    confidence = 1.0 - FAMILY_LEVEL / 2 / len(known.rates)
    for rate in known.rates:
        metric = found.get((rate.metric, rate.group))
        if metric is None:
            yield Comparison(rate, rate.metric, None, None, None, 0, 0, "wrong")
            continue
        verdict = "wrong"
        own = at_confidence(metric, confidence, clusters[rate.metric, rate.group])
        if includes(own, metric.value, rate, confidence):
            shown = at_confidence(metric, CONFIDENCE)
            agrees = includes(shown, metric.value, rate, CONFIDENCE)
            verdict = "agrees" if agrees else "apart"
        yield Comparison(
            rate,
            metric.label,
            metric.value,
            metric.low,
            metric.high,
            metric.n,
            metric.absent,
            verdict,
        )


def includes(own: Interval, value: float | None, rate: Rate, confidence: float) -> bool:
    """Whether a known rate lies in the interval around ``value``, widened by its own error.

    *Source:* the interval of a difference of two estimates from the interval of each, Zou &
    Donner 2008, doi:10.1002/sim.3095.
    """
    if value is None:
        return False
    slack = normal_quantile((1.0 + confidence) / 2.0) * rate.error
    low = value - math.hypot(value - own.low, slack)
    high = value + math.hypot(own.high - value, slack)
    return rate.measured + rate.rest >= low and rate.measured <= high


def at_confidence(metric: MetricDocument, confidence: float, clusters: int = 0) -> Interval:
    """The metric's interval at another confidence than the 95 % that documents show.

    It is Clopper and Pearson's on as many independent answers as have an interval of the width
    shown: far out, the normal approximation of others does not hold. Where answers come in
    ``clusters``, few of them make few answers (Student's t over the normal value, squared).
    """
    value, low, high = metric.value, metric.low, metric.high
    if value is None or low is None or high is None:
        return Interval(0.0, 1.0)
    if confidence == CONFIDENCE:
        return Interval(low, high)
    n = effective_answers(value, high - low)
    if clusters > 1 and clusters < metric.n:
        n *= _trust(confidence, clusters) / _trust(CONFIDENCE, clusters)
    whole = max(1, round(n))
    wide = clopper_pearson(round(value * whole), whole, confidence)
    return Interval(min(low, wide.low), max(high, wide.high))


def effective_answers(value: float, width: float) -> float:
    """How many independent answers have a 95 % interval (Wilson) of that width around ``value``."""
    few, many = 1e-3, 1e9
    while many / few > 1.0001:
        n = math.sqrt(few * many)
        shown = wilson(value * n, n, CONFIDENCE)
        few, many = (n, many) if shown.high - shown.low > width else (few, n)
    return few


def _trust(confidence: float, clusters: int) -> float:
    """What an answer is worth when its error is estimated from so many clusters."""
    tail = (1.0 + confidence) / 2.0
    return (normal_quantile(tail) / t_quantile(tail, clusters - 1)) ** 2


def most_apart(comparisons: int) -> int:
    """So many 95 % intervals may miss the known rate before it is more than chance allows.

    >>> most_apart(32)
    5
    """
    miss = 1.0 - CONFIDENCE
    tail = 1.0
    for misses in range(comparisons + 1):
        ways = math.comb(comparisons, misses)
        tail -= ways * miss**misses * (1.0 - miss) ** (comparisons - misses)
        if tail <= FAMILY_LEVEL / 2:
            return misses
    return comparisons


def _asked(plan: Plan) -> list[Row]:
    """A row without an outcome for each reply that was to be drawn."""
    return [
        Row(sample.id, repeat, sample.category, sample.cluster, sample.facets, {}, None)
        for _, sample in plan.tasks[0].samples()
        for repeat in range(plan.tasks[0].repeats)
    ]


def _clusters(plan: Plan) -> dict[Place, int]:
    """How many things are asked about, for each metric and each of its groups."""
    found: dict[Place, set[str]] = defaultdict(set)
    for metric in plan.tasks[0].benchmark.metrics:
        for row in filter(metric.where, _asked(plan)):
            group = row.facets.get(metric.by) if metric.by else None
            for name in {None, None if group is None else str(group)}:
                found[metric.name, name].add(row.cluster or row.sample_id)
    return {place: len(things) for place, things in found.items()}


def _counts(
    measured: BenchmarkDocument, plan: Plan, spoilt: Mapping[Reason, int]
) -> Iterator[Count]:
    """What must be exactly so, whatever the model answers."""
    yield Count("probes asked: scored or absent", plan.total, measured.n + measured.absent)
    for reason in (*SPOILT, Reason.INTERNAL_ERROR):
        found = measured.absent_reasons.get(str(reason), 0)
        yield Count(f"absent: {reason}", spoilt.get(reason, 0), found)
    asked = _asked(plan)
    metrics = {metric.name: metric for metric in plan.tasks[0].benchmark.metrics}
    shares = [
        (found, metrics[found.name])
        for found in measured.metrics
        if found.group is None and found.name in metrics and metrics[found.name].options == SHARE
    ]
    yield Count(
        "answers in all shares: scored or absent",
        sum(metric.where(row) for _, metric in shares for row in asked),
        sum(found.n + found.absent for found, _ in shares),
    )
    bounded = [found for found, metric in shares if found.value is not None and _is_share(metric)]
    yield Count(
        "shares whose bounds are those of their absent answers",
        len(bounded),
        sum(map(_is_bounded_by_absent, bounded)),
    )


def _is_share(metric: Metric) -> bool:
    return metric.statistic is None and metric.better != "target"


def _is_bounded_by_absent(found: MetricDocument) -> bool:
    """Whether the bounds are those of all absent answers on one side, then on the other."""
    if found.value is None or found.worst is None or found.best is None:
        return False
    shown, asked = found.value * found.n, found.n + found.absent
    bounds = sorted((found.worst, found.best))
    expected = (shown / asked, (shown + found.absent) / asked)
    return all(abs(a - b) < 1e-9 for a, b in zip(bounds, expected, strict=True))


def _complaints(
    comparisons: tuple[Comparison, ...], counts: tuple[Count, ...], most: int
) -> Iterator[str]:
    for one in comparisons:
        if one.verdict == "wrong":
            said = "nothing" if one.value is None else f"{one.value:.3f}"
            group = f" ({one.known.group})" if one.known.group else ""
            yield f"{one.known.metric}{group} is {one.known.measured:.3f}, Safemark says {said}"
    apart = sum(one.verdict != "agrees" for one in comparisons)
    if apart > most:
        yield f"{apart} of {len(comparisons)} intervals miss the known rate; chance allows {most}"
    for count in counts:
        if not count.holds:
            yield f"{count.what}: {count.found} instead of {count.expected}"


def fate(messages: Messages) -> Reason | None:
    """What is done to the reply to these messages, if anything.

    Drawn from the messages alone, so that it has nothing to do with the answer.
    """
    digest = hashlib.blake2b(msgspec.json.encode(messages), digest_size=8).digest()
    place = int.from_bytes(digest, "big") % SPOILT_ONE_IN
    return SPOILT[place] if place < len(SPOILT) else None


class Spoiling:
    """A model some of whose replies fail on the way, in known number.

    ``spoilt`` counts what left here without being an answer, failures of the model itself included.
    It is asked for replies only: likelihoods are not forwarded.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.name = model.name
        self.concurrency = model.concurrency
        self.spoilt: Counter[Reason] = Counter()

    @property
    def identity(self) -> Identity:
        return self.model.identity

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(getattr(self.model, "notes", ()))

    async def reply(self, messages: Messages, ask: Ask) -> Reply:
        """The model's reply, or what became of it."""
        try:
            reply = await self._on_its_way(messages, ask)
        except CallFailed as failure:
            self.spoilt[failure.reason] += 1
            raise
        if reply.finish == "blocked":
            self.spoilt[Reason.BLOCKED] += 1
        elif not reply.text.strip():
            empty = Reason.CUT_OFF if reply.finish == "length" else Reason.EMPTY_REPLY
            self.spoilt[empty] += 1
        return reply

    async def _on_its_way(self, messages: Messages, ask: Ask) -> Reply:
        match fate(messages):
            case Reason.TIMEOUT | Reason.SERVER_ERROR as reason:
                raise CallFailed(reason, "spoilt by the self-test")
            case Reason.EMPTY_REPLY:
                return Reply(" \n")
            case Reason.CUT_OFF:
                return Reply("", finish="length")
            case Reason.BLOCKED:
                return Reply("I'm sorry, but I can't help with that.", finish="blocked")
            case _:
                return await self.model.reply(messages, ask)

    async def close(self) -> None:
        await self.model.close()
