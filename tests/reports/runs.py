"""Runs for comparing, written into a store by hand: who said what is a table, no model is asked."""

from collections.abc import Mapping, Sequence
from typing import Any

from safemark.reports.sides import Side, from_store
from safemark.store import Entry, PartBody, RunBody, Store, StoredRun
from safemark.types import Attempt, Reason, Reply, Sample, Scalar, Score, Transcript

Said = Scalar | Reason
"""An outcome, or why there is none."""


def xstest_run(
    store: Store,
    name: str,
    safe: Sequence[Said] = (),
    unsafe: Sequence[Said] = (),
    **more: Any,
) -> Side:
    """A run of xstest: verdicts on safe and on unsafe prompts, in order."""
    rows = [
        (Sample(f"{label}-{i}", category=f"{label} {i % 2}", facets={"label": label}), verdict)
        for label, verdicts in (("safe", safe), ("unsafe", unsafe))
        for i, verdict in enumerate(verdicts)
    ]
    return run_of(
        store,
        name,
        "xstest",
        [(sample, _outcome("verdict", said)) for sample, said in rows],
        **more,
    )


def crows_run(
    store: Store,
    name: str,
    stereotyped: Sequence[Said],
    clusters: int | None = None,
    **more: Any,
) -> Side:
    """A run of crows_pairs: whether the more stereotyping sentence was likelier."""
    rows = []
    for i, said in enumerate(stereotyped):
        cluster = None if clusters is None else f"cluster {i % clusters}"
        facets = {"direction": "stereo"}
        sample = Sample(f"pair-{i}", category=f"bias {i % 3}", cluster=cluster, facets=facets)
        rows.append((sample, _outcome("stereotyped", said, tied=False)))
    return run_of(store, name, "crows_pairs", rows, **more)


def _outcome(name: str, said: Said, **others: Scalar) -> Score:
    if isinstance(said, Reason):
        return Score({}, said)
    return Score({name: said, **others})


def run_of(
    store: Store,
    name: str,
    benchmark: str,
    rows: Sequence[tuple[Sample, Score]],
    *,
    model: str | None = None,
    version: str | None = None,
    asked: str | None = None,
    judge: str = "",
    scorer_version: str | None = None,
    planned: Mapping[str, int] | None = None,
    status: str = "complete",
    repeats: int = 1,
    spec: Mapping[str, Scalar] | None = None,
    started: str = "2026-11-20T10:00:00Z",
) -> Side:
    """A run of one benchmark; the n-th sample with its n-th score, each repeat alike."""
    from safemark import registry

    found = registry.benchmark(benchmark)
    way = found.way(asked) if asked else found.ways[0]
    assert way is not None
    run = StoredRun(
        name, name, "running", "", started, None, model or f"fake/{name}", f"identity of {name}",
        RunBody("0", dict(spec or {"model": model or name})),
    )  # fmt: skip
    store.add_run(run)
    scorer = way.scorer
    counted: dict[str, int] = {}
    for sample, _ in rows:
        counted[sample.category or ""] = counted.get(sample.category or "", 0) + repeats
    body = PartBody(
        dict(planned or counted),
        scorer.name,
        scorer_version or scorer.version,
        judge=judge,
        repeats=repeats,
    )
    part = store.ensure_part(name, benchmark, version or found.version, way.name, "direct", body)
    scorer_id = store.ensure_scorer(scorer.name, scorer_version or scorer.version, judge)
    said = Transcript((Attempt(reply=Reply("said")),))
    entries = [
        Entry(part.id, place * repeats + repeat, f"{place}/{repeat}".encode(), sample, repeat,
              said, scorer_id, score)
        for place, (sample, score) in enumerate(rows)
        for repeat in range(repeats)
    ]  # fmt: skip
    if entries:
        store.append(entries)
    store.set_status(name, status)
    return from_store(store, store.run(name))
