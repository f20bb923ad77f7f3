"""Every benchmark, asked of models whose answers are known: the value is what theory says.

always the stereotype · always the first option · always "A" · at random · refusing · empty

A benchmark has rows in `EXPECTED`, on the fixture that lies beside the tests; `random` is held to
its expectation over many passes, within four standard errors.
"""

import math
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

import msgspec
import pytest

from safemark import registry
from safemark.benchmarks._benchmark import Benchmark
from safemark.types import Attempt, Likelihood, Reason, Row, Sample
from tests.benchmarks.measuring import (
    Answerer,
    estimated,
    fails,
    metric,
    prefers,
    rows_of,
    says,
    value,
)

FIXTURES = Path(__file__).parents[1] / "fixtures"
REFUSAL = "I'm sorry, but I can't help with that."
PASSES = 60

Expected = dict[str, float | None]


def loaded(name: str) -> tuple[Benchmark, tuple[Sample, ...]]:
    """A benchmark and the samples of its fixture."""
    return registry.benchmark(name), _samples(name)


@cache
def _samples(name: str) -> tuple[Sample, ...]:
    found = registry.benchmark(name)
    folder = FIXTURES / name
    wanted = {file.path: folder / file.path for file in found.source.files} if found.source else {}
    return tuple(found.samples({path: file for path, file in wanted.items() if file.is_file()}))


def choosing(index: int, rendered: Sample) -> Attempt:
    """The option at ``index``, by likelihood or by letter, whichever is asked for."""
    if rendered.continuations:
        return prefers(index, rendered)
    return says("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[index])


def always_first(_: Sample, rendered: Sample) -> Attempt:
    return choosing(0, rendered)


def refusing(_: Sample, rendered: Sample) -> Attempt:
    return fails(Reason.UNSUPPORTED) if rendered.continuations else says(REFUSAL)


def silent(_: Sample, rendered: Sample) -> Attempt:
    return fails(Reason.UNSUPPORTED) if rendered.continuations else says("")


def ranked(logprobs: list[float], rendered: Sample) -> Attempt:
    likelihoods = tuple(Likelihood(-one, 1, False) for one in logprobs)
    return Attempt(continuations=rendered.continuations, likelihoods=likelihoods)


def at_random(seed: int) -> Answerer:
    draw = random.Random(seed)

    def answer(_: Sample, rendered: Sample) -> Attempt:
        if rendered.continuations:
            return ranked([draw.random() for _ in rendered.continuations], rendered)
        options = len(rendered.choices)
        if options < 2:  # yes or no
            return says(draw.choice(("Yes", "No")))
        return choosing(draw.randrange(options), rendered)

    return answer


Picks = Callable[[Sample, Sample], int]
"""The option a stereotyping model takes, of a sample and of what was rendered of it."""


def _winobias(asked: Sample, rendered: Sample) -> int:
    right = int(str(rendered.target))
    return right if asked.facets["stereotype"] == "pro" else 1 - right


def _winogender(asked: Sample, rendered: Sample) -> int:
    women = float(str(asked.facets["women"])) >= 50
    occupation = asked.facets["gender"] != "neutral" and women == (
        asked.facets["gender"] == "female"
    )
    meant = asked.target == 0
    right = int(str(rendered.target))
    return right if occupation == meant else 1 - right


def _stereoset(_: Sample, rendered: Sample) -> int:
    return 0 if rendered.continuations else str(rendered.target).index("0")


STEREOTYPE: dict[str, Picks] = {
    "bbq": lambda asked, _: int(str(asked.facets["biased"] or 0)),
    "crows_pairs": lambda *_: 0,
    "stereoset": _stereoset,
    "winobias": _winobias,
    "winogender": _winogender,
}
"""How a model answers that always goes by the stereotype."""


def halves(_: Sample, rendered: Sample) -> Attempt:
    """Every sentence of the first half is likelier than any of the second."""
    return ranked([float(place) for place in range(len(rendered.continuations))], rendered)


def stereotyping(name: str) -> Answerer:
    if name == "holistic_bias":
        return halves
    return lambda asked, rendered: choosing(STEREOTYPE[name](asked, rendered), rendered)


EXPECTED: dict[tuple[str, str], dict[str, Expected]] = {
    # (benchmark, way): script → metric → value
    ("bbq", "likelihood"): {
        "stereotype": {"bias_score_ambiguous": 1.0, "bias_score_disambiguated": 1.0},
        "random": {"bias_score_ambiguous": 0.0, "accuracy": 1 / 3},
    },
    ("bbq", "letters"): {
        "stereotype": {"bias_score_ambiguous": 1.0, "accuracy_ambiguous": 0.0},
        "random": {"bias_score_ambiguous": 0.0, "accuracy": 1 / 3},
    },
    ("crows_pairs", "likelihood"): {
        "stereotype": {"pct_stereotype": 1.0, "ties": 0.0},
        "first": {"pct_stereotype": 1.0},
        "random": {"pct_stereotype": 0.5},
    },
    ("felm", "reply"): {"refuse": {"segment_f1": None}},
    ("halueval", "likelihood"): {
        "first": {"balanced_accuracy": 0.5, "hallucinations_noticed": 1.0},
        "random": {"balanced_accuracy": 0.5},
    },
    ("halueval", "reply"): {
        "A": {"accuracy": 0.0, "failed": 1.0},
        "random": {"balanced_accuracy": 0.5, "failed": 0.0},
        "refuse": {"accuracy": 0.0, "balanced_accuracy": 0.0, "failed": 1.0},
    },
    ("holistic_bias", "likelihood"): {"stereotype": {"likelihood_bias": 1.0}},
    ("mmlu", "likelihood"): {"random": {"accuracy": 0.25}},
    ("mmlu", "letters"): {"A": {"accuracy": 2 / 5}, "random": {"accuracy": 0.25}},
    ("stereoset", "likelihood"): {
        "stereotype": {"ss": 1.0, "lms": 1.0, "icat": 0.0},
        "random": {"ss": 0.5, "lms": 0.5},
    },
    ("stereoset", "letters"): {
        "stereotype": {"ss": 1.0, "lms": 1.0, "icat": 0.0},
        "random": {"lms": 2 / 3},
    },
    ("truthfulqa", "likelihood"): {"first": {"mc1": 1.0}},
    ("wmdp", "likelihood"): {"first": {"accuracy": 0.25}, "random": {"accuracy": 0.25}},
    ("wmdp", "letters"): {"A": {"accuracy": 0.25}, "random": {"accuracy": 0.25}},
    ("winobias", "likelihood"): {
        "stereotype": {"gap": 1.0, "accuracy": 0.5, "stereotyped": 1.0},
        "first": {"gap": 0.0, "stereotyped": 0.5},
        "random": {"gap": 0.0, "accuracy": 0.5, "stereotyped": 0.5},
    },
    ("winobias", "letters"): {
        "stereotype": {"gap": 1.0, "accuracy": 0.5, "stereotyped": 1.0},
        "A": {"gap": 0.0, "stereotyped": 0.5},
        "random": {"gap": 0.0, "accuracy": 0.5},
    },
    ("winogender", "likelihood"): {
        "stereotype": {"answer_changes": 1.0, "accuracy": 0.5, "accuracy_gotcha": 0.0},
        "first": {"answer_changes": 0.0, "accuracy": 0.5, "correlation": None},
        "random": {"answer_changes": 0.5, "accuracy": 0.5, "accuracy_gotcha": 0.5},
    },
    ("winogender", "lm-eval"): {"first": {"accuracy": 0.5}, "random": {"accuracy": 0.5}},
    ("winogender", "letters"): {
        "stereotype": {"answer_changes": 1.0, "accuracy_gotcha": 0.0},
        "A": {"answer_changes": 0.0, "correlation": None},
        "random": {"answer_changes": 0.5, "accuracy": 0.5},
    },
    ("xstest", "reply"): {
        "refuse": {"full_refusal_rate_safe": 1.0, "compliance_rate_unsafe": 0.0},
    },
}

# Replies of their own kind, with tables of their own: test_audit150.py, test_probes.py.
OTHERWISE_HELD = {"audit150", "probes"}

SCRIPTED: dict[str, Callable[[str], Answerer]] = {
    "stereotype": stereotyping,
    "first": lambda _name: always_first,
    "A": lambda _name: always_first,
    "refuse": lambda _name: refusing,
}

CERTAIN = [
    (name, way, script, expected)
    for (name, way), scripts in EXPECTED.items()
    for script, expected in scripts.items()
    if script in SCRIPTED
]
DRAWN = [(*place, one["random"]) for place, one in EXPECTED.items() if "random" in one]
REPLYING = [
    (name, way.name)
    for name in sorted({name for name, _ in EXPECTED})
    for way in registry.benchmark(name).ways
]


def test_every_benchmark_of_ours_is_held_to_theory() -> None:
    held = {name for name, _ in EXPECTED} | OTHERWISE_HELD
    folder = Path(str(registry.__file__)).parent / "benchmarks"
    ours = {name for name in registry.names("benchmark") if (folder / f"{name}.py").is_file()}
    biased = {name for name in ours if registry.benchmark(name).headlines[0].dimension == "bias"}
    assert biased <= {*STEREOTYPE, "holistic_bias"} | OTHERWISE_HELD, (
        "a stereotyping model is scripted for it"
    )
    with_choices = {name for name in ours if any(sample.choices for sample in _samples(name))}
    assert with_choices <= held


@pytest.mark.parametrize(("name", "way", "script", "expected"), CERTAIN)
def test_a_scripted_model_has_the_value_that_theory_says(
    name: str, way: str, script: str, expected: Expected
) -> None:
    found, samples = loaded(name)
    rows = rows_of(found, samples, way, SCRIPTED[script](name))
    values = {one: value(metric(found, one), rows) for one in expected}
    assert values == {
        one: known if known is None else pytest.approx(known) for one, known in expected.items()
    }


@pytest.mark.parametrize(("name", "way", "expected"), DRAWN)
def test_a_guessing_model_has_the_value_of_chance(name: str, way: str, expected: Expected) -> None:
    found, samples = loaded(name)
    passes = [rows_of(found, samples, way, at_random(seed)) for seed in range(PASSES)]
    for one, chance in expected.items():
        assert chance is not None
        drawn = [v for rows in passes if (v := value(metric(found, one), rows)) is not None]
        mean = sum(drawn) / len(drawn)
        variance = sum((v - mean) ** 2 for v in drawn) / (len(drawn) - 1)
        error = math.sqrt(variance / len(drawn))
        assert abs(mean - chance) <= 4 * error + 1e-12, (one, mean, error)


@pytest.mark.parametrize(("name", "way"), REPLYING)
def test_an_empty_reply_is_absent_and_no_number(name: str, way: str) -> None:
    found, samples = loaded(name)
    rows = rows_of(found, samples, way, silent)
    assert all(row.absent is not None for row in rows)
    assert all(value(one, rows) is None for one in found.metrics)


@pytest.mark.parametrize(("name", "way"), REPLYING)
def test_a_model_that_refuses_has_no_green_headline_of_a_choice(name: str, way: str) -> None:
    found, samples = loaded(name)
    rows = rows_of(found, samples, way, refusing)
    if not any(sample.choices for sample in samples):
        return
    assert {row.absent for row in rows} <= {Reason.UNPARSED_ANSWER, Reason.UNSUPPORTED}
    assert all(value(one, rows) is None for one in found.metrics)


def absent(rows: list[Row]) -> list[Row]:
    return [
        msgspec.structs.replace(row, outcomes={}, absent=Reason.TIMEOUT) if place % 3 == 0 else row
        for place, row in enumerate(rows)
    ]


@pytest.mark.parametrize(
    ("name", "way"), [place for place, scripts in EXPECTED.items() if "random" in scripts]
)
def test_bounds_over_absent_rows_hold_what_they_would_have_been(name: str, way: str) -> None:
    found, samples = loaded(name)
    for seed in range(5):
        rows = rows_of(found, samples, way, at_random(seed))
        for one in found.metrics:
            if not one.options or (one.ways and way not in one.ways):
                continue
            whole = value(one, rows)
            bounds = estimated(one, absent(rows)) if whole is not None else None
            if whole is None or bounds is None or bounds.worst is None or bounds.best is None:
                continue
            low, high = bounds.outer_low, bounds.outer_high
            assert low is not None
            assert high is not None
            assert low - 1e-9 <= whole <= high + 1e-9, one.name
