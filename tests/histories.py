"""Stores with a past: runs of `audit150` at given times, whose answers are decided here."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

import msgspec

from safemark.benchmarks import audit150
from safemark.scorers import audit
from safemark.store import Entry, PartBody, RunBody, Served, Store, StoredRun, new_run_id
from safemark.types import Ask, Attempt, Reason, Reply, Sample, Score, Transcript, Usage

SAMPLES = tuple(audit150.samples({}))
TRUTH = tuple(one for one in SAMPLES if one.facets["part"] != "harmful_content")
"""The 100 samples of the headline `truth_score`."""


def repeated(n: int) -> tuple[Sample, ...]:
    """``n`` samples: those of the benchmark, again and again under other names."""
    return tuple(
        msgspec.structs.replace(sample, id=f"{sample.id}-{number}", cluster=None)
        for number, sample in zip(range(n), cycle(SAMPLES), strict=False)
    )


def add_run(
    store: Store,
    started: str,
    passed: float = 0.8,
    *,
    samples: Sequence[Sample] = TRUTH,
    model: str = "openai/tested",
    identity: str = "identity 1",
    served: Sequence[tuple[str | None, str | None]] = (),
    absent: float = 0.0,
    status: str = "complete",
    system: str | None = None,
    version: str = "1",
    scorer_version: str = audit.scorer.version,
    seed: int | None = None,
    tokens: tuple[int, int] | None = None,
    cost_usd: float | None = None,
    **body: Any,
) -> str:
    """Store one run and give its id; a share ``passed`` of the answers is right.

    Without ``seed`` exactly that share, else each with that probability. A share ``absent`` of
    the outcomes, the last ones, timed out. ``body`` are further fields of `PartBody`.
    """
    run = StoredRun(
        id=f"{started[:10].replace('-', '')}-{new_run_id()[-6:]}",
        spec_key="key",
        status=status,
        status_why="",
        started=started,
        finished=started,
        model=model,
        identity=identity,
        body=RunBody(
            safemark="0",
            spec={"model": model},
            served=tuple(Served(name, print_, 1) for name, print_ in served),
        ),
    )
    store.add_run(run)
    planned = Counter(one.category or "" for one in samples)
    part_body = PartBody(
        planned=dict(planned),
        scorer=audit.scorer.name,
        scorer_version=scorer_version,
        ask=Ask(system=system),
    )
    part = store.ensure_part(
        run.id,
        "audit150",
        version,
        "reply",
        "direct",
        msgspec.structs.replace(part_body, **body),
    )
    judge = store.ensure_scorer(audit.scorer.name, scorer_version, body.get("judge", ""))
    right = _right(len(samples), passed, seed)
    measured = round(len(samples) * (1 - absent))
    usage = Usage(*tokens, cost_usd) if tokens else Usage(cost_usd=cost_usd)
    store.append(
        [
            Entry(
                part.id,
                position,
                position.to_bytes(16, "big"),
                sample,
                0,
                Transcript((Attempt(sample.messages, Reply("an answer", usage=usage)),)),
                judge,
                Score({"passed": right[position]})
                if position < measured
                else Score({}, Reason.TIMEOUT),
            )
            for position, sample in enumerate(samples)
        ]
    )
    return run.id


def _right(n: int, passed: float, seed: int | None) -> list[bool]:
    if seed is None:
        return [place < round(n * passed) for place in range(n)]
    draw = random.Random(seed)
    return [draw.random() < passed for _ in range(n)]


def day(number: int) -> str:
    """The moment ``number`` days after 1 January 2026, noon."""
    begin = datetime(2026, 1, 1, 12, tzinfo=UTC)
    return (begin + timedelta(days=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
