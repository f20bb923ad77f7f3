"""All runs of a model over time: what was measured, how sure it is, and what changed in between.

One series for each headline of a benchmark, asked one way, under one attack. A line is broken
where the measuring itself changed (benchmark version, scorer, judge, which samples), because
figures on both sides do not compare. What else changed (the model's identity, what the provider
says it serves, the system prompt, how it is asked) is noted and breaks nothing: that is what a
trend is read for. Change points are looked for within unbroken stretches only, and flagged only
when significant after correction over all stretches of the report.

A pure reader: nothing is asked, nothing is written.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from safemark import __version__
from safemark.errors import SafemarkError, UnknownName, UsageError
from safemark.reports.scorecard import Reading, readings
from safemark.reports.templates import wording
from safemark.reports.trend_document import SCHEMA, Change, LeftOut, Month, Point, Series, Trend
from safemark.reports.trend_levels import correction, with_change_points
from safemark.store import Store, StoredPart, StoredRun

BREAKS = ("benchmark version", "scorer", "judge", "data")
"""Changes after which figures do not compare with the ones before.

Another draw of samples estimates the same figure; the first rows do not: see `changed`.
"""


def trend(
    store: Store,
    model: str | None = None,
    *,
    since: str | None = None,
    until: str | None = None,
    benchmark: str | None = None,
) -> Trend:
    """Every headline of the stored runs of ``model`` (all models when None) over time.

    Args:
        since, until: ISO moments in UTC; runs started before, or at and after, are left out.
        benchmark: only this one.

    Raises:
        UnknownName: there is no run of that model, or none of that benchmark.
        UsageError: the store holds no run, or none of that time.
    """
    chosen = _chosen(store, model, since, until)
    found, left_out = _read(store, chosen, benchmark)
    if benchmark is not None and not found:
        known = {part.benchmark for run in chosen for part in store.parts(run.id)}
        raise UnknownName("benchmark in these runs", benchmark, sorted(known))
    series = with_change_points([_series(key, seen) for key, seen in sorted(found.items())])
    tested = sum(one.stretches_tested for one in series)
    return Trend(
        safemark=__version__,
        schema=SCHEMA,
        model=model,
        since=since,
        until=until,
        runs=len(chosen),
        series=tuple(series),
        notices=tuple(_notices(chosen)),
        left_out=tuple(left_out),
        correction=correction(tested),
    )


def _chosen(
    store: Store, model: str | None, since: str | None, until: str | None
) -> list[StoredRun]:
    """The runs to read, oldest first."""
    every = store.runs()
    if not every:
        raise UsageError("the store holds no run yet", "`safemark run` makes one")
    runs = [run for run in every if model in (None, run.model)]
    if not runs:
        raise UnknownName("model in the store", model or "", sorted({run.model for run in every}))
    timely = [
        run
        for run in reversed(runs)
        if (since is None or run.started >= since) and (until is None or run.started < until)
    ]
    if not timely:
        raise UsageError(
            f"no run began in that time; {wording.counted(len(runs), 'run')} did from"
            f" {runs[-1].started[:10]} to {runs[0].started[:10]}",
            "give another --since or --until",
        )
    return timely


_Key = tuple[str, str, str, str, str, str]

_Seen = tuple[StoredRun, StoredPart, Reading]


def _read(
    store: Store, runs: Sequence[StoredRun], benchmark: str | None
) -> tuple[dict[_Key, list[_Seen]], list[LeftOut]]:
    """What each run says of each headline, oldest first."""
    found: dict[_Key, list[_Seen]] = defaultdict(list)
    left_out: list[LeftOut] = []
    for run in runs:
        if run.status == "running":
            left_out.append(LeftOut(run.id, "the run", "it is still running, or was killed"))
            continue
        for part in store.parts(run.id):
            if benchmark not in (None, part.benchmark):
                continue
            try:
                read = readings(store, part)
            except SafemarkError as error:
                left_out.append(LeftOut(run.id, part.benchmark, error.problem))
                continue
            for one in read:
                key = (
                    run.model,
                    part.benchmark,
                    part.asked,
                    part.attack,
                    one.headline.dimension,
                    one.headline.metric,
                )
                found[key].append((run, part, one))
    return found, left_out


def _series(key: _Key, seen: Sequence[_Seen]) -> Series:
    model, benchmark, asked, attack, dimension, metric = key
    points = tuple(_points(seen))
    newest = seen[-1][2]
    return Series(
        model=model,
        benchmark=benchmark,
        title=newest.title,
        asked=asked,
        attack=attack,
        dimension=dimension,
        metric=metric,
        label=newest.metric.label,
        threshold=newest.headline.threshold,
        points=points,
        change_points=(),
        stretches_tested=0,
        months=tuple(_months(points)),
    )


def _points(seen: Sequence[_Seen]) -> Iterator[Point]:
    before: dict[str, str] | None = None
    stretch = 0
    for run, part, one in seen:
        now = circumstances(run, part)
        changes = () if before is None else tuple(changed(before, now))
        stretch += any(change.breaks for change in changes)
        yield Point(
            run=run.id,
            started=run.started,
            status=run.status,
            identity=run.identity,
            estimate=one.metric,
            light=one.headline.light,
            why=one.headline.why,
            is_decided=one.headline.is_decided,
            stretch=stretch,
            changes=changes,
        )
        before = now


def circumstances(run: StoredRun, part: StoredPart) -> dict[str, str]:
    """Everything beside the model's answers that could move a figure, in words."""
    body, ask = part.body, part.body.ask
    asking = [f"temperature {ask.temperature:g}"] if ask.temperature is not None else []
    asking += [f"at most {ask.max_output_tokens} tokens"] if ask.max_output_tokens else []
    repeats = run.body.spec.get("repeats", 1)
    asking += [f"{repeats} repeats"] if repeats != 1 else []
    return {
        "model identity": run.identity,
        "served model": _served(run, "model"),
        "fingerprint": _served(run, "fingerprint"),
        "system prompt": ask.system or "none",
        "asking": ", ".join(asking),
        "benchmark version": part.version,
        "scorer": f"{body.scorer} {body.scorer_version}",
        "judge": body.judge or "none",
        "data": body.partial or "whole",
        "samples": "until decided" if body.early_stop else body.selection,
    }


def _served(run: StoredRun, what: str) -> str:
    """What replies said, "" where they said nothing: that is no change."""
    said = {value for one in run.body.served if (value := getattr(one, what)) is not None}
    return ", ".join(sorted(said))


def changed(before: dict[str, str], now: dict[str, str]) -> Iterator[Change]:
    """What differs; a thing that one side does not tell is not known to differ."""
    for what, after in now.items():
        if before[what] and after and before[what] != after:
            both = (before[what], after)
            is_first = what == "samples" and any(said.startswith("the first") for said in both)
            said = [wording.short(one, 80) for one in both]
            yield Change(what, said[0], said[1], is_first or what in BREAKS)


def _months(points: Sequence[Point]) -> Iterator[Month]:
    months: dict[str, list[Point]] = defaultdict(list)
    for point in points:
        months[point.started[:7]].append(point)
    for month, members in months.items():
        measured = [point for point in members if point.estimate.value is not None]
        values = [point.estimate.value for point in measured if point.estimate.value is not None]
        yield Month(
            month,
            len(members),
            measured[-1] if measured else None,
            min(values, default=None),
            max(values, default=None),
        )


def _notices(runs: Sequence[StoredRun]) -> Iterator[str]:
    """What a reader should act on: who answers is not who answered before."""
    newest: dict[str, list[StoredRun]] = defaultdict(list)
    for run in runs:
        if run.body.served:
            newest[run.model].append(run)
    for told in newest.values():
        if len(told) > 1 and (said := served_notice(told[-1], told[-2])) is not None:
            yield said


def served_notice(run: StoredRun, earlier: StoredRun | None) -> str | None:
    """One sentence when replies of ``run`` name another model or fingerprint than ``earlier``'s."""
    if earlier is None:
        return None
    for what, word in (("model", "model name"), ("fingerprint", "fingerprint")):
        before, now = _served(earlier, what), _served(run, what)
        if before and now and before != now:
            return (
                f"{wording.short(run.model, 60)}: the {word} in replies changed from"
                f" {wording.short(before, 60)} ({earlier.started[:10]}) to"
                f" {wording.short(now, 60)} ({run.started[:10]}); figures from before may not"
                " hold any more: evaluate again what you rely on"
            )
    return None


def notice_for(store: Store, run: StoredRun) -> str | None:
    """`served_notice` of ``run`` against the last earlier run of its model whose replies told."""
    earlier = (
        other
        for other in store.runs()
        if (other.model, other.started <= run.started) == (run.model, True)
        and other.id != run.id
        and other.body.served
    )
    return served_notice(run, next(earlier, None)) if run.body.served else None
