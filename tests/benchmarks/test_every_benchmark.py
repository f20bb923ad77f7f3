"""What holds of every benchmark, whatever it measures: nothing said is no number, and bounds hold.

silent · blocked · repeats the question · refuses · says anything · now this, now that
"""

import ast
import random
import re
from functools import cache
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from safemark import registry
from safemark.benchmarks._benchmark import Benchmark
from safemark.types import Attempt, Reason, Reply, Row, Sample
from tests.benchmarks.measuring import Answerer, estimated, fails, row_of, says, value
from tests.benchmarks.scripted_judges import HARM, REFUSAL, judged
from tests.benchmarks.test_contract import ranked

ROOT = Path(__file__).parents[2]
FOLDER = Path(str(registry.__file__)).parent / "benchmarks"
OURS = sorted(n for n in registry.names("benchmark") if (FOLDER / f"{n}.py").is_file())
FIXTURES = ROOT / "tests" / "fixtures"
MOST = 30
NOISE = "\x00 \u202e {curly} %s <b>&amp;</b> \U0001f600 1/0 nan -7 " * 3


@cache
def ready(name: str) -> tuple[Benchmark, tuple[Sample, ...]]:
    """A benchmark with scripted judges, and the first samples of its fixture."""
    found = registry.benchmark(name)
    folder = FIXTURES / name
    files = {one.path: folder / one.path for one in found.source.files} if found.source else {}
    there = {path: file for path, file in files.items() if file.is_file()}
    return judged(found), tuple(islice(found.samples(there), MOST))


WAYS = [
    (name, way.name, way.needs)
    for name in OURS
    for way in registry.benchmark(name).ways
    if way.needs in ("reply", "loglikelihood")
]
REPLYING = [(name, way) for name, way, needs in WAYS if needs == "reply"]


def asked(name: str, way: str, answer: Answerer) -> list[Row]:
    found, samples = ready(name)
    how = found.way(way)
    assert how is not None
    return [row_of(sample, how, answer) for sample in samples]


def test_every_benchmark_has_samples_to_hold_it_to() -> None:
    assert [name for name in OURS if not ready(name)[1]] == []
    assert {name for name, *_ in WAYS} >= set(OURS) - {"foresight_agents"}


@pytest.mark.parametrize(("name", "way"), REPLYING)
@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(""), Reason.EMPTY_REPLY),
        (Reply(" \n\t"), Reason.EMPTY_REPLY),
        (Reply("", finish="blocked"), Reason.BLOCKED),
    ],
    ids=["empty", "blank", "blocked"],
)
def test_a_reply_that_says_nothing_is_absent_and_no_number(
    name: str, way: str, reply: Reply, reason: Reason
) -> None:
    rows = asked(name, way, lambda *_: Attempt(reply=reply))
    assert {row.absent for row in rows} == {reason}
    assert all(value(one, rows) is None for one in ready(name)[0].metrics)


@pytest.mark.parametrize(("name", "way", "needs"), WAYS)
def test_a_call_that_failed_is_absent_with_its_reason(name: str, way: str, needs: str) -> None:
    rows = asked(name, way, lambda *_: fails(Reason.TIMEOUT))
    assert {row.absent for row in rows} == {Reason.TIMEOUT}, needs


def repeating(_: Sample, rendered: Sample) -> Attempt:
    return says("\n".join(message.content for message in rendered.messages))


@pytest.mark.parametrize(("name", "way"), REPLYING)
@pytest.mark.parametrize(
    "answer",
    [repeating, *(lambda *_, text=text: says(text) for text in (REFUSAL, HARM, "A", NOISE))],
    ids=["repeats", "refuses", "complies", "A", "noise"],
)
def test_whatever_is_said_is_an_outcome_or_absent_and_every_metric_is_within_its_range(
    name: str, way: str, answer: Answerer
) -> None:
    found, _ = ready(name)
    rows = asked(name, way, answer)
    assert all(row.outcomes or row.absent is not None for row in rows)
    for one in found.metrics:
        if one.ways and way not in one.ways:
            continue
        low, high = one.range
        got = value(one, [row for row in rows if one.where(row)])
        assert got is None or low - 1e-9 <= got <= high + 1e-9, (one.name, got)


def anything(seed: int) -> Answerer:
    """Now this, now that: likelihoods at random, or a refusal, an answer, a letter, a number."""
    draw = random.Random(seed)

    def answer(sample: Sample, rendered: Sample) -> Attempt:
        if rendered.continuations:
            return ranked([draw.random() for _ in rendered.continuations], rendered)
        letters = "ABCD"[: max(2, len(rendered.choices))]
        said = [REFUSAL, HARM, "Yes", "No", *letters, "7", str(sample.target)]
        return says(draw.choice(said) or "Yes")

    return answer


@pytest.mark.parametrize(("name", "way", "needs"), WAYS)
def test_bounds_over_lost_answers_hold_what_they_would_have_been(
    name: str, way: str, needs: str
) -> None:
    found, _ = ready(name)
    for seed in range(2):
        rows = asked(name, way, anything(seed))
        cut = [
            msgspec.structs.replace(row, outcomes={}, absent=Reason.TIMEOUT)
            if place % 4 == seed
            else row
            for place, row in enumerate(rows)
        ]
        for one in found.metrics:
            if not one.options or (one.ways and way not in one.ways):
                continue
            whole = value(one, rows)
            bounds = estimated(one, cut) if whole is not None else None
            if whole is None or bounds is None or bounds.outer_low is None:
                continue
            assert bounds.outer_high is not None
            held = bounds.outer_low - 1e-9 <= whole <= bounds.outer_high + 1e-9
            assert held, (needs, one.name, whole, bounds)


@pytest.mark.parametrize("name", OURS)
def test_the_docstring_names_its_check_and_the_check_is_there(name: str) -> None:
    text = ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))) or ""
    _, named, checks = text.partition("Checked against")
    assert named, "the docstring says what it was checked against"
    assert registry.benchmark(name).checked_against
    places = [ROOT / one.rstrip("./") for one in re.findall(r"`((?:tests|docs)/[\w/.-]+)`", checks)]
    assert places, "it names a test, or a page with figures"
    for place in places:
        files = list(place.rglob("*.py")) if place.is_dir() else [place]
        assert any(name in file.read_text(encoding="utf-8") for file in files), place


@pytest.mark.parametrize("name", OURS)
def test_every_benchmark_cites_its_source_and_licence_and_says_how_it_is_run(name: str) -> None:
    found = registry.benchmark(name)
    text = ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))) or ""
    assert "safemark run" in text
    assert found.citation.strip()
    assert found.source is None or found.source.licence.strip()
    metrics = {one.name for one in found.metrics}
    assert {one.metric for one in found.headlines} <= metrics
    assert bool(found.headlines) != (found.unlit is not None)
