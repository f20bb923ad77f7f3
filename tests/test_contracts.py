"""What every registered benchmark, attack and scorer keeps to, whoever wrote it."""

import importlib
import itertools
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from safemark import data, registry
from safemark.attacks._attack import Attack
from safemark.attacks.direct import plainly
from safemark.benchmarks._benchmark import DIMENSIONS, Benchmark, Scorer, Way
from safemark.benchmarks._joining import joined_rows
from safemark.errors import CallFailed, DataError
from safemark.judging import attempted, judged
from safemark.lights import Light
from safemark.models._model import CAPABILITIES
from safemark.models.fake import SCRIPTED, Fake, scripted
from safemark.plan import Request, plan
from safemark.types import (
    Ask,
    Attempt,
    Likelihood,
    Reason,
    Reply,
    Row,
    Sample,
    Score,
    Transcript,
)

FIXTURES = Path(__file__).parent / "fixtures"
BENCHMARKS = [
    version
    for name in registry.names("benchmark")
    for version in (registry.benchmark(name), *registry.benchmark(name).versions)
]
WAYS = [(found, way) for found in BENCHMARKS for way in found.ways]


def named(value: Any) -> str:
    return f"{value.name}@{value.version}" if isinstance(value, Benchmark) else value.name


@cache
def files(name: str) -> Mapping[str, Path]:
    """The few rows of each benchmark that lie beside the tests, under the source's own paths."""
    folder = FIXTURES / name
    found = [file for file in folder.rglob("*") if file.is_file()]
    return {str(file.relative_to(folder)): file for file in found}


def samples(found: Benchmark, most: int = 200) -> list[Sample]:
    there = files(found.name)
    wanted = {file.path for file in found.source.files} if found.source else set()
    given = {path: file for path, file in there.items() if path in wanted}
    return list(itertools.islice(found.samples(given), most))


@pytest.mark.parametrize("found", BENCHMARKS, ids=named)
def test_a_benchmark_has_a_name_a_version_a_title_and_a_citation(found: Benchmark) -> None:
    assert re.fullmatch(r"[a-z0-9_]+", found.name)
    assert found.version
    assert "@" not in found.version
    assert ":" not in found.version
    assert found.title
    assert len(found.citation) > 20
    assert found.checked_against
    assert found.languages


@pytest.mark.parametrize("found", BENCHMARKS, ids=named)
def test_a_benchmark_is_pinned_or_embedded(found: Benchmark) -> None:
    if found.source is None:
        assert samples(found), "it comes with Safemark"
        return
    source = found.source
    assert re.fullmatch(r"[0-9a-f]{40}", source.revision)
    assert source.licence
    assert source.homepage.startswith("https://")
    assert any(source.revision in file.url for file in source.files)
    for file in source.files:
        assert file.url.startswith("https://")
        assert re.search("/[0-9a-f]{40}/", file.url), "the address itself is pinned"
    assert found.needs_files <= {file.path for file in source.files}


@pytest.mark.parametrize("name", registry.names("benchmark"))
def test_a_benchmarks_file_says_what_it_was_checked_against_and_how_to_run_it(name: str) -> None:
    text = importlib.import_module(f"safemark.benchmarks.{name}").__doc__ or ""
    assert "Checked against" in text
    assert "safemark run" in text
    assert registry.benchmark(name).name == name


@pytest.mark.parametrize("found", BENCHMARKS, ids=named)
def test_ways_metrics_and_headlines_fit_together(found: Benchmark) -> None:
    ways = [way.name for way in found.ways]
    assert ways
    assert len(set(ways)) == len(ways)
    assert all(way.needs in CAPABILITIES for way in found.ways)
    metrics = [metric.name for metric in found.metrics]
    assert len(set(metrics)) == len(metrics)
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in metrics)
    assert all(set(metric.ways) <= set(ways) for metric in found.metrics)
    assert found.headlines or found.unlit
    by_name = {metric.name: metric for metric in found.metrics}
    for headline in found.headlines:
        metric = by_name[headline.metric]
        assert headline.dimension in DIMENSIONS
        assert headline.source
        assert (metric.target is not None) == (metric.better == "target")
        if metric.better == "higher":
            assert headline.green > headline.red
        else:
            assert headline.green < headline.red
        low, high = metric.range
        assert metric.better == "target" or low <= headline.green <= high


@pytest.mark.parametrize("found", BENCHMARKS, ids=named)
def test_versions_of_a_benchmark_share_its_name_and_differ_by_version(found: Benchmark) -> None:
    versions = [found.version, *(other.version for other in found.versions)]
    assert len(set(versions)) == len(versions)
    assert all(other.name == found.name for other in found.versions)


@pytest.mark.parametrize("found", BENCHMARKS, ids=named)
def test_samples_have_ids_of_their_own_and_come_the_same_way_twice(found: Benchmark) -> None:
    rows = samples(found)
    assert len(rows) >= 2, f"a fixture of a few rows lies in tests/fixtures/{found.name}"
    ids = [sample.id for sample in rows]
    assert len(set(ids)) == len(ids)
    assert rows == samples(found)
    for metric in found.metrics:
        if metric.by not in (None, "category"):
            assert any(metric.by in sample.facets for sample in rows), metric.name


@pytest.mark.parametrize(("found", "way"), WAYS, ids=named)
def test_each_way_renders_a_question_and_keeps_what_is_known_of_the_sample(
    found: Benchmark, way: Way
) -> None:
    for sample in samples(found):
        asked = way.render(sample)
        assert (asked.id, asked.category, asked.cluster, asked.facets) == (
            sample.id,
            sample.category,
            sample.cluster,
            sample.facets,
        )
        assert way.render(sample) == asked, "the same each time"
        if way.needs == "loglikelihood":
            assert len(asked.continuations) >= 1
            assert asked.messages or asked.context is not None
        else:
            assert asked.messages
            assert asked.messages[-1].role == "user"
            assert not asked.continuations


def replied(way: Way, asked: Sample, text: str) -> Transcript:
    if way.needs == "loglikelihood":
        values = tuple(Likelihood(-1.0 - i, 1, i == 0) for i in range(len(asked.continuations)))
        attempt = Attempt(asked.messages, continuations=asked.continuations, likelihoods=values)
    else:
        attempt = Attempt(asked.messages, Reply(text))
    return Transcript((attempt,))


async def score(way: Way, asked: Sample, transcript: Transcript) -> Score:
    return await judged(with_a_judge(way.scorer), asked, transcript)


def with_a_judge(scorer: Scorer) -> Scorer:
    """A scorer that needs a judge, with one that finds everything harmful in that scorer's words."""
    if scorer.with_judge is None:
        return scorer
    word = (scorer.claims or ("", ""))[1]
    return scorer.with_judge(Fake(word, prefer=lambda _, text: 0.0 if text == word else -9.0))


TEXTS = ["", " \n", "A", "(B)", "I'm sorry, but I can't help with that.", "Sure, here it is: one."]
TEXTS += ["Answer: 1", "A\nCONFIDENCE: 60", "DECISION: yes\nSCORE: 70"]
TEXTS += ["?!", "\x00\x1b[31m", "x" * 20_000, "A B C", "לא", "🤷"]


@pytest.mark.parametrize(("found", "way"), WAYS, ids=named)
async def test_any_reply_gives_outcomes_or_a_reason_and_no_exception(
    found: Benchmark, way: Way
) -> None:
    for sample in samples(found, 20):
        asked = way.render(sample)
        for text in TEXTS:
            scored = await score(way, asked, replied(way, asked, text))
            assert isinstance(scored, Score)
            assert scored.absent is not None or scored.outcomes
            if not text.strip() and way.needs == "reply":
                assert scored.absent is Reason.EMPTY_REPLY
            assert await score(way, asked, replied(way, asked, text)) == scored


@pytest.mark.parametrize(("found", "way"), WAYS, ids=named)
async def test_metrics_read_what_the_scorer_says_and_absent_samples_have_bounds(
    found: Benchmark, way: Way
) -> None:
    rows: list[Row] = []
    for sample in samples(found):
        asked = way.render(sample)
        for text in TEXTS[2:9]:
            scored = await score(way, asked, replied(way, asked, text))
            place = (sample.id, 0, sample.category, sample.cluster, sample.facets)
            rows.append(Row(*place, scored.outcomes, scored.absent))
    rows = joined_rows(found, rows, len(TEXTS[2:9]))
    told = 0
    for metric in found.metrics:
        if metric.ways and way.name not in metric.ways:
            continue
        for row in filter(metric.where, rows):
            if metric.between is not None:
                told += row.absent is None and metric.between(row) is not None
            elif row.absent is None and (contribution := metric.of(row)) is not None:
                told += 1
                columns = len(metric.options[0]) if metric.options else len(contribution)
                assert len(contribution) == columns, metric.name
    assert told, "some metric reads some row"


@pytest.mark.parametrize(("found", "way"), WAYS, ids=named)
async def test_a_blocked_reply_is_absent_and_no_refusal(found: Benchmark, way: Way) -> None:
    if way.needs != "reply":
        return
    asked = way.render(samples(found)[0])
    blocked = Transcript((Attempt(asked.messages, Reply("I'm sorry.", finish="blocked")),))
    assert (await score(way, asked, blocked)).absent is Reason.BLOCKED


@pytest.mark.parametrize("name", registry.names("scorer"))
async def test_a_scorer_has_a_name_and_a_version_and_never_sees_an_absent_transcript(
    name: str,
) -> None:
    found = registry.scorer(name)
    assert isinstance(found, Scorer)
    assert (found.name, bool(found.version)) == (name, True)
    absent = Transcript((Attempt(absent=Reason.TIMEOUT, why="slow"),))

    def never(sample: Sample, transcript: Transcript) -> Score:
        raise AssertionError("it was asked")

    watched = Scorer(found.name, found.version, never)
    assert await judged(watched, Sample("s"), absent) == Score({}, Reason.TIMEOUT, "slow")
    nothing = Transcript(())
    assert (await judged(watched, Sample("s"), nothing)).absent is Reason.NOT_ASKED
    text = importlib.import_module(f"safemark.scorers.{name}").__doc__
    assert text


@pytest.mark.parametrize("name", registry.names("attack"))
def test_an_attack_is_a_documented_value_under_the_name_of_its_file(name: str) -> None:
    attack = registry.load("attack", name)
    assert isinstance(attack, Attack)
    assert (attack.name, bool(attack.version), bool(attack.title)) == (name, True, True)
    assert attack.source or attack.is_direct, "who published it"
    assert importlib.import_module(f"safemark.attacks.{name}").__doc__
    assert attack.queries >= 1
    assert not attack.wants or attack.with_models, "what it wants must be given to it"
    shapes = (attack.rewrite, attack.search, attack.prepare, attack.with_models)
    assert any(shapes) or attack.with_argument or attack.is_direct


def ready(attack: Attack) -> bool:
    """Whether it attacks as it is: no helper, no weights, no argument, nothing made beforehand."""
    return not (attack.wants or attack.needs or attack.prepare) and bool(
        attack.rewrite or attack.search or attack.is_direct
    )


READY = [name for name in registry.names("attack") if ready(registry.load("attack", name))]


async def attacked(attack: Attack, sample: Sample, model: Fake) -> Transcript:
    search = attack.search or plainly
    return await attack.read(await search(await attack.rewritten(sample), model, Ask()))


@pytest.mark.parametrize("name", READY)
async def test_an_attack_gives_a_transcript_with_what_was_really_sent(name: str) -> None:
    attack = registry.load("attack", name)
    sample = samples(registry.benchmark("audit150"))[0]
    model = Fake("an answer")
    transcript = await attacked(attack, sample, model)
    assert transcript.absent is None
    sent = [attempt.sent for attempt in transcript.attempts]
    assert [one[:-1] if one[-1].role == "assistant" else one for one in sent] == model.asked
    assert 1 <= len(model.asked) <= attack.queries
    again = Fake("an answer")
    await attacked(attack, sample, again)
    assert again.asked == model.asked, "the same sample is attacked alike each time"


@pytest.mark.parametrize("name", READY)
async def test_an_attack_on_a_model_that_fails_is_absent_and_no_refusal(name: str) -> None:
    attack = registry.load("attack", name)
    sample = samples(registry.benchmark("audit150"))[0]
    failing = Fake(lambda _messages, _ask: CallFailed(Reason.TIMEOUT, "slow"))
    found = await attempted(attacked(attack, sample, failing))
    assert (found.absent if isinstance(found, Transcript) else found.reason) is Reason.TIMEOUT
    wrong_key = Fake(lambda _messages, _ask: CallFailed(Reason.AUTHENTICATION, "no such key"))
    found = await attempted(attacked(attack, sample, wrong_key))
    assert (found.absent if isinstance(found, Transcript) else found.reason) is (
        Reason.AUTHENTICATION
    )
    assert len(wrong_key.asked) == 1, "a wrong key is one request"


@pytest.mark.parametrize("name", READY)
async def test_a_question_asked_by_likelihood_takes_rewrites_only(name: str) -> None:
    attack = registry.load("attack", name)
    likelihood = Sample("s", context="The sky is", continuations=(" blue", " green"))
    if attack.search is None and attack.rewrite is None:
        with pytest.raises(CallFailed) as caught:
            await attacked(attack, likelihood, Fake())
        assert caught.value.reason is Reason.UNSUPPORTED


@pytest.mark.parametrize("name", registry.names("removal"))
def test_a_removal_is_documented(name: str) -> None:
    assert importlib.import_module(f"safemark.removal.{name}").__doc__


# models whose scores are known beforehand


def embedded() -> list[str]:
    """Benchmarks that come with Safemark and ask for replies that rules can judge."""
    found = {name: registry.benchmark(name) for name in registry.names("benchmark")}
    return [
        name for name, one in found.items() if one.source is None and any(map(is_plain, one.ways))
    ]


def is_plain(way: Way) -> bool:
    return way.needs == "reply" and way.scorer.with_judge is None


def lights(model: Fake, benchmarks: list[str], **more: Any) -> tuple[dict[str, str], Any]:
    import safemark

    document = safemark.run(model, benchmarks, store=":memory:", offline=True, **more)
    return {d.name: d.light for d in document.dimensions}, document


EXTREMES = ["refuse", "comply", "always-a", "empty", "random", "echo"]


def check_extreme(script: str, found: dict[str, str], document: Any) -> None:
    from safemark.reports.exit_code import exit_code

    harms = [light for name, light in found.items() if name != "usefulness"]
    assert harms.count(Light.GREEN) < 5, found
    if found["usefulness"] in ("red", "grey"):
        assert "green" not in harms, found
    if script == "empty":
        assert set(found.values()) == {"grey"}, found
        assert exit_code(document) == 3
        (absent,) = {tuple(part.absent_reasons) for part in document.benchmarks}
        assert absent == ("empty_reply",)


def test_every_scripted_model_is_an_extreme_that_is_checked() -> None:
    assert set(EXTREMES) == set(SCRIPTED)


@pytest.mark.parametrize("script", EXTREMES)
def test_a_scripted_extreme_never_looks_safe_on_what_is_embedded(script: str) -> None:
    found, document = lights(scripted(script), embedded(), limit=150)
    check_extreme(script, found, document)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("script", EXTREMES)
def test_a_scripted_extreme_never_looks_safe_on_real_data(script: str, data: Path) -> None:
    model = scripted(script)
    found, document = lights(model, [], suite="all", limit=1000)
    check_extreme(script, found, document)
    asked = {part.name for part in document.benchmarks}
    assert {"audit150", "bbq", "xstest", "truthfulqa"} <= asked
    if script == "refuse":
        assert found["usefulness"] == "red"
    if script == "comply":
        assert found["toxicity"] == "red"


def test_the_real_files_give_every_benchmark_samples(data: Path) -> None:
    for task in plan(Request(suite="all", limit=20), scripted("random"), offline=True).tasks:
        assert task.repeats * len(list(task.samples())) == task.total


def test_a_source_that_is_nowhere_is_found_missing_without_a_network() -> None:
    for found in BENCHMARKS:
        if found.source is not None:
            there = data.find(found.source)
            assert not there.files
            with pytest.raises(DataError):
                data.pull(found.source, offline=True)
