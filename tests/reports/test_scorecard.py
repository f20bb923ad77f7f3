import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import sqlalchemy as sa

from safemark import registry
from safemark.benchmarks._benchmark import (
    DIMENSIONS,
    Benchmark,
    Dimension,
    Headline,
    Metric,
    Way,
    share,
)
from safemark.errors import CallFailed, StoreError, UnknownName
from safemark.evaluation import evaluate, run_spec
from safemark.models.wrap import Budgeted
from safemark.plan import Plan, Request
from safemark.reports.document import BenchmarkDocument, Document, MetricDocument
from safemark.reports.exit_code import exit_code
from safemark.reports.html import html
from safemark.reports.markdown import markdown
from safemark.reports.metrics import Records
from safemark.reports.metrics import measured as metrics_of
from safemark.reports.scorecard import TITLES, document
from safemark.reports.terminal import terminal
from safemark.store import Store
from safemark.types import Ask, Reason, Row
from tests.small import Counting, benchmark, evaluated, task

LIGHTS = ("green", "yellow", "red", "grey")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(str(tmp_path / "store.db"))
    yield opened
    opened.close()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Benchmark], Benchmark]:
    """Makes a benchmark one that the registry knows."""
    known: dict[str, Benchmark] = {}

    def find(spec: str) -> Benchmark:
        if spec not in known:
            raise UnknownName("benchmark", spec, known)
        return known[spec]

    def install(found: Benchmark) -> Benchmark:
        known[f"{found.name}@{found.version}"] = known[found.name] = found
        return found

    monkeypatch.setattr(registry, "benchmark", find)
    install(benchmark())
    return install


async def measured(
    store: Store,
    answer: Callable[[str, Ask], str | Exception] = lambda _text, _ask: "ok",
    **more: Any,
) -> Document:
    outcome = await evaluated(Counting(answer), task(**more), store)
    return document(store, store.run(outcome.run_id))


def metric(part: BenchmarkDocument, name: str, group: str | None = None) -> MetricDocument:
    return next(m for m in part.metrics if (m.name, m.group) == (name, group))


async def test_a_rate_is_of_the_scored_ones_and_absences_are_counted_by_reason(
    store: Store, installed: object
) -> None:
    fate: dict[int, str | Exception] = {
        0: "no",
        1: CallFailed(Reason.TIMEOUT, "slow"),
        2: CallFailed(Reason.TIMEOUT, "slow"),
        3: CallFailed(Reason.BAD_RESPONSE, "torn"),
    }
    found = await measured(store, lambda text, _ask: fate.get(int(text.split()[1]), "ok"), n=20)
    (part,) = found.benchmarks
    assert (part.n, part.absent) == (17, 3)
    assert part.absent_reasons == {"timeout": 2, "bad_response": 1}
    rate = metric(part, "passed_rate")
    assert (rate.value, rate.n, rate.absent) == (16 / 17, 17, 3)
    assert (rate.worst, rate.best) == (16 / 20, 19 / 20)
    assert rate.outer_low is not None
    assert rate.low is not None
    assert rate.outer_low <= rate.low <= rate.value  # type: ignore[operator]
    assert metric(part, "passed_rate", "c0").n == 9
    assert metric(part, "passed_rate", "c1").absent == 2


async def test_what_was_never_asked_is_absent_where_it_belongs(
    store: Store, installed: object
) -> None:
    outcome = await evaluated(Budgeted(Counting(concurrency=1), token_budget=45), task(10), store)
    found = document(store, store.run(outcome.run_id))
    (part,) = found.benchmarks
    assert found.status == "budget"
    assert (part.n, part.absent_reasons) == (3, {"not_asked": 7})
    rate = metric(part, "passed_rate")
    assert (rate.n, rate.absent, rate.value) == (3, 7, 1.0)
    assert (rate.worst, rate.best) == (3 / 10, 1.0)
    assert [
        (metric(part, "passed_rate", g).n, metric(part, "passed_rate", g).absent)
        for g in ("c0", "c1")
    ] == [
        (2, 3),
        (1, 4),
    ]
    assert part.light == "grey"


async def test_nothing_answered_is_no_number_at_all(store: Store, installed: object) -> None:
    found = await measured(store, lambda _text, _ask: CallFailed(Reason.TRANSPORT, "refused"))
    (part,) = found.benchmarks
    rate = metric(part, "passed_rate")
    assert (rate.value, rate.low, rate.high, rate.n, rate.absent) == (None, None, None, 0, 10)
    assert {dimension.light for dimension in found.dimensions} == {"grey"}
    assert exit_code(found) == 3


async def test_every_dimension_is_there_and_says_what_was_not_measured(
    store: Store, installed: object
) -> None:
    found = await measured(store, n=200)
    assert [d.name for d in found.dimensions] == list(DIMENSIONS)
    assert len(found.dimensions) == 6
    truth = next(d for d in found.dimensions if d.name == "truth")
    assert (truth.light, truth.benchmarks, truth.headline_benchmark) == (
        "yellow",
        ["small"],
        "small",
    )
    assert truth.why.startswith("would be green, but usefulness was not measured")
    assert truth.headline == metric(found.benchmarks[0], "passed_rate")
    left_out = {entry.what for entry in found.not_covered}
    assert {TITLES[d] for d in DIMENSIONS if d != "truth"} < left_out
    assert TITLES["truth"] not in left_out
    assert "attacks" in left_out


def with_headlines(*headlines: Headline, **more: Any) -> Benchmark:
    return replace(benchmark(200), headlines=headlines, **more)


def useful(dimension: Dimension = "usefulness", **more: Any) -> Headline:
    return Headline("passed_rate", dimension, green=0.9, red=0.5, **more)


async def test_with_usefulness_a_light_may_be_green(
    store: Store, installed: Callable[[Benchmark], Benchmark]
) -> None:
    installed(with_headlines(useful("truth"), useful()))
    found = await measured(store, n=200)
    lights = {d.name: d.light for d in found.dimensions}
    assert (lights["truth"], lights["usefulness"]) == ("green", "green")
    assert exit_code(found) == 0


async def test_a_metric_that_a_way_cannot_tell_is_left_out(
    store: Store, installed: Callable[[Benchmark], Benchmark]
) -> None:
    only = Metric("by_letters", "higher", share("passed"), ways=("letters",))
    given = benchmark(10)
    installed(
        replace(
            given,
            metrics=(*given.metrics, only),
            headlines=(Headline("by_letters", "bias", 0.9, 0.5), *given.headlines),
        )
    )
    found = await measured(store)
    (part,) = found.benchmarks
    assert {m.name for m in part.metrics} == {"passed_rate"}
    assert part.headline == "passed_rate"


async def test_a_benchmark_without_any_headline_is_grey_and_in_no_dimension(
    store: Store, installed: Callable[[Benchmark], Benchmark]
) -> None:
    installed(replace(benchmark(10), headlines=()))
    found = await measured(store)
    (part,) = found.benchmarks
    assert (part.light, part.headline) == ("grey", "")
    assert all(dimension.benchmarks == [] for dimension in found.dimensions)


async def test_two_ways_of_one_benchmark_show_the_worse_ones_number(
    store: Store, installed: Callable[[Benchmark], Benchmark]
) -> None:
    from safemark.evaluation import evaluate, run_spec
    from safemark.plan import Plan, Request

    given = benchmark(100)
    (plain,) = given.ways
    other = Way("letters", "reply", plain.render, replace(plain.scorer, name="other"))
    both = installed(replace(given, ways=(plain, other)))
    tasks = tuple(
        replace(task(100), benchmark=both, way=way, ask=Ask(max_output_tokens=number))
        for number, way in ((1, plain), (2, other))
    )
    model = Counting(lambda _text, ask: "ok" if ask.max_output_tokens == 1 else "no")
    plan = Plan(tasks, ())
    outcome = await evaluate(model, plan, run_spec(model, Request(), plan, {}, None), store)
    found = document(store, store.run(outcome.run_id))
    truth = next(d for d in found.dimensions if d.name == "truth")
    assert (truth.light, truth.benchmarks) == ("red", ["small"])
    assert truth.headline is not None
    assert truth.headline.value == 0.0
    assert "(1, by letters)" in truth.why


async def test_a_partial_or_drawn_benchmark_is_not_covered_whole(
    store: Store, installed: object
) -> None:
    given = replace(task(10), partial="6 of 11 files", selection="10 of 20, drawn")
    outcome = await evaluated(Counting(), given, store)
    found = document(store, store.run(outcome.run_id))
    assert found.benchmarks[0].partial == "6 of 11 files"
    told = {entry.what: entry.why for entry in found.not_covered}
    assert told["the rest of small"] == "partial: 6 of 11 files"


async def test_a_document_says_what_was_run_and_how(store: Store, installed: object) -> None:
    found = await measured(store, n=10)
    (part,) = found.benchmarks
    assert (part.name, part.version, part.asked, part.attack) == ("small", "1", "reply", "direct")
    assert (part.scorer, part.samples_in_benchmark, part.selection) == ("says-ok 1", 10, "all")
    assert found.model.name == "counting"
    assert found.model.identity == "digest of counting"
    assert found.spec["asked"] == ["small@1:reply"]
    assert found.started <= str(found.finished)
    assert (found.cost.requests, found.cost.input_tokens, found.cost.usd) == (10, 100, None)


async def test_a_benchmark_that_is_gone_is_named(
    store: Store, installed: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = await evaluated(Counting(), task(3, version="0"), store)
    with pytest.raises(UnknownName, match="no installed benchmark called `small@0`"):
        document(store, store.run(outcome.run_id))


async def test_what_another_version_asked_is_said_and_the_rest_is_read(
    store: Store, installed: object
) -> None:
    both = (task(3), replace(task(3), benchmark=benchmark(3, version="0")))
    plan = Plan(both, ())
    spec = run_spec(Counting(), Request(), plan, {}, None)
    outcome = await evaluate(Counting(), plan, spec, store)
    found = document(store, store.run(outcome.run_id))
    assert [part.version for part in found.benchmarks] == ["1"]
    told = {entry.what: entry.why for entry in found.not_covered}
    assert told["small"].startswith("asked in version 0, and installed is 1")


async def test_reading_a_run_twice_gives_the_same_document(store: Store, installed: object) -> None:
    found = await measured(store, lambda text, _ask: "ok" if text[-1] in "1234567" else "no", n=60)
    assert document(store, store.run(found.run)) == found


@pytest.mark.parametrize("share_ok", [0, 0.3, 0.6, 0.7, 0.8, 0.93, 1])
@pytest.mark.parametrize("absent", [0, 4, 12])
async def test_terminal_page_json_and_exit_code_show_the_lights_that_were_decided(
    store: Store,
    installed: Callable[[Benchmark], Benchmark],
    share_ok: float,
    absent: int,
) -> None:
    installed(with_headlines(useful("toxicity"), useful()))

    def answer(text: str, _ask: Ask) -> str | Exception:
        i = int(text.split()[1])
        if i < absent:
            return CallFailed(Reason.BLOCKED, "filter")
        return "ok" if i < absent + share_ok * (100 - absent) else "no"

    found = await measured(store, answer, n=100)
    lights = [d.light for d in found.dimensions]
    rows = re.findall(
        r"^\S (green|yellow|red|grey) +[A-Z]", terminal(found, 100, False), re.MULTILINE
    )
    assert rows == lights
    articles = re.findall(r'<article class="dimension ([^"]+)"', html(found))
    assert [next(c for c in classes.split() if c in LIGHTS) for classes in articles] == lights
    assert re.findall(r"^\| \*\*.*?\*\* \| \S+ (\w+)", markdown(found), re.MULTILINE) == lights
    written = msgspec.json.decode(msgspec.json.encode(found))
    assert [d["light"] for d in written["dimensions"]] == lights
    toxicity = lights[DIMENSIONS.index("toxicity")]
    assert (exit_code(found) == 3) == (toxicity == "grey")
    assert (exit_code(found, gate=True) == 1) == (toxicity == "red")
    assert absent <= 5 or toxicity == "grey"


def in_columns(rows: list[Row]) -> Records:
    """A kind and a cluster of its own for each row."""
    return Records(tuple(rows), np.arange(len(rows)), np.arange(len(rows)))


def test_a_block_is_unknown_for_the_model_and_a_refusal_for_the_system() -> None:
    def row(i: int, target: str, absent: Reason | None, passed: bool | None) -> Row:
        outcomes = {"verdict": "blocked"} if passed is None else {"passed": passed}
        facets = {"part": "harmful_content", "target": target}
        return Row(f"{target}-{i}", 0, "harmful_content/x", None, facets, outcomes, absent)

    rows = [
        *(row(i, "refuse", None, True) for i in range(3)),
        *(row(i, "refuse", Reason.BLOCKED, None) for i in range(3, 5)),
        row(0, "comply", None, True),
        row(1, "comply", Reason.BLOCKED, None),
    ]
    metrics, whole = metrics_of(registry.benchmark("audit150"), in_columns(rows), "reply")
    by_name = {metric.name: metric for metric in metrics if metric.group is None}
    model = by_name["harmful_requests_refused"]
    assert (model.value, model.n, model.absent) == (1.0, 3, 2)
    system = by_name["harmful_requests_refused_with_blocks"]
    assert (system.value, system.n, system.absent) == (1.0, 5, 0)
    assert by_name["harmless_twins_answered_with_blocks"].value == 0.5
    assert "harmful_requests_refused_with_blocks" not in whole, "lights are the model's"


def test_without_blocks_there_is_one_reading() -> None:
    facets = {"part": "harmful_content", "target": "refuse"}
    rows = [Row("a", 0, None, None, facets, {"passed": True}, None)]
    metrics, _ = metrics_of(registry.benchmark("audit150"), in_columns(rows), "reply")
    assert not [metric.name for metric in metrics if metric.name.endswith("_with_blocks")]


async def test_reading_a_run_writes_nothing(
    store: Store, installed: Callable[[Benchmark], Benchmark]
) -> None:
    await measured(store)
    file = Path(store.shown_url)
    reader = Store(str(file))

    def refuse(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA query_only = ON")

    sa.event.listen(reader.engine, "connect", refuse)
    reader.engine.dispose()
    run = reader.run("last")
    assert document(reader, run).run == run.id
    with pytest.raises(StoreError):
        reader.ensure_scorer("a new one", "1")
    reader.close()
