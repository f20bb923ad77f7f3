"""Every benchmark, asked of models whose answers are known: the value is what theory says.

always the stereotype · always the first option · always "A" · at random · refusing · empty

A benchmark has rows in `EXPECTED`, on the fixture that lies beside the tests; `random` is held to
its expectation over many passes, within four standard errors.
"""

import math
import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from safemark import registry
from safemark.benchmarks._benchmark import Benchmark
from safemark.judging import Judges
from safemark.types import Attempt, Likelihood, Reason, Row, Sample
from tests.benchmarks.measuring import (
    Answerer,
    estimated,
    fails,
    metric,
    prefers,
    row_of,
    rows_of,
    says,
    value,
)
from tests.scorers.judging import Words

FIXTURES = Path(__file__).parents[1] / "fixtures"
REFUSAL = "I'm sorry, but I can't help with that."
PASSES = 60
FIRST = {"counterfactual": 324}
"""Of what needs no fixture so many samples are enough: whole sets of twins."""

Expected = dict[str, float | None]


def loaded(name: str) -> tuple[Benchmark, tuple[Sample, ...]]:
    """A benchmark and the samples of its fixture."""
    return registry.benchmark(name), _samples(name)


@cache
def _samples(name: str) -> tuple[Sample, ...]:
    found = registry.benchmark(name)
    folder = FIXTURES / name
    wanted = {file.path: folder / file.path for file in found.source.files} if found.source else {}
    there = {path: file for path, file in wanted.items() if file.is_file()}
    return tuple(islice(found.samples(there), FIRST.get(name)))


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
    "counterfactual": lambda asked, _: 0 if asked.facets["first"] else 1,
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
    ("advanced_ai_risk", "likelihood"): {
        "first": {"matching": 0.4, "risky_answers": 3 / 8, "first_option": 1.0},
        "random": {"risky_answers": (3 + 2 / 3) / 8},
    },
    ("advanced_ai_risk", "letters"): {
        "A": {"matching": 0.4, "risky_answers": 3 / 8, "first_option": 1.0},
        "random": {"risky_answers": (3 + 2 / 3) / 8},
    },
    ("bbq", "likelihood"): {
        "stereotype": {
            "bias_score_ambiguous": 1.0,
            "bias_score_disambiguated": 1.0,
            "stereotype_excess": 0.5,
            "neutral_share": 0.0,
        },
        "random": {"bias_score_ambiguous": 0.0, "accuracy": 1 / 3},
    },
    ("bbq", "letters"): {
        "stereotype": {"bias_score_ambiguous": 1.0, "accuracy_ambiguous": 0.0},
        "random": {"bias_score_ambiguous": 0.0, "accuracy": 1 / 3},
    },
    ("bipia", "reply"): {"refuse": {"attack_success_rate": 0.0}},
    ("contextual_integrity", "likelihood"): {
        "first": {"balanced_accuracy": 0.5, "fitting_accepted": 1.0, "unfitting_seen": 0.0},
        "random": {"balanced_accuracy": 0.5},
    },
    ("contextual_integrity", "letters"): {"random": {"balanced_accuracy": 0.5}},
    ("counterfactual", "likelihood"): {
        "stereotype": {"selection_gap": 1.0, "accuracy": 1 / 2},
        "first": {"selection_gap": 0.0, "selection_rate": 1.0},
        "random": {"selection_gap": 0.0, "accuracy": 1 / 2, "score_gap": 0.0},
    },
    ("counterfactual", "decision"): {
        "stereotype": {"selection_gap": 1.0},
        "A": {"selection_gap": 0.0, "selection_rate": 1.0},
        "random": {"selection_gap": 0.0, "selection_rate": 1 / 2},
    },
    ("crows_pairs", "likelihood"): {
        "stereotype": {"pct_stereotype": 1.0, "ties": 0.0, "stereotype_excess": 0.5},
        "first": {"pct_stereotype": 1.0},
        "random": {"pct_stereotype": 0.5},
    },
    ("cyberseceval_frr", "reply"): {"refuse": {"false_refusal_rate": 1.0}},
    ("decodingtrust_ood", "likelihood"): {
        "first": {"style_change": 0.0},
        "random": {"style_change": 0.0},
    },
    ("decodingtrust_ood", "reply"): {
        "refuse": {"declined": 1.0, "accuracy": 0.0, "reliability": 1.0},
    },
    ("ethics", "likelihood"): {
        "first": {"balanced_accuracy": 0.5},
        "random": {"balanced_accuracy": 0.5, "accuracy": 0.5},
    },
    ("ethics", "letters"): {"random": {"balanced_accuracy": 0.5, "accuracy": 0.5}},
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
    ("jiminy_cricket", "likelihood"): {
        "first": {"balanced_accuracy": 0.5, "wrongs_seen": 0.0, "false_alarms": 0.0},
        "random": {"balanced_accuracy": 0.5, "accuracy": 1 / 3},
    },
    ("jiminy_cricket", "letters"): {"random": {"balanced_accuracy": 0.5, "accuracy": 1 / 3}},
    ("mmlu", "likelihood"): {"random": {"accuracy": 0.25}},
    ("mmlu", "letters"): {"A": {"accuracy": 2 / 5}, "random": {"accuracy": 0.25}},
    ("personal_data", "reply"): {
        "refuse": {"entrusted_disclosed": 0.0, "owner_served": 0.0, "invented": 0.0},
    },
    ("prompt_extraction", "reply"): {"refuse": {"secret_told": 0.0, "prompt_told": 0.0}},
    ("stereoset", "likelihood"): {
        "stereotype": {"ss": 1.0, "lms": 1.0, "icat": 0.0},
        "random": {"ss": 0.5, "lms": 0.5},
    },
    ("stereoset", "letters"): {
        "stereotype": {"ss": 1.0, "lms": 1.0, "icat": 0.0},
        "random": {"lms": 2 / 3},
    },
    ("sycophancy", "likelihood"): {
        "first": {"agreement": 0.5, "agreement_above_chance": 0.5 - 2.5 / 6},
        "random": {"agreement_above_chance": 0.0},
    },
    ("sycophancy", "letters"): {
        "A": {"agreement": 0.5, "first_option": 1.0},
        "random": {"agreement_above_chance": 0.0},
    },
    ("tensor_trust", "reply"): {"refuse": {"hijacked": 0.0, "extracted": 0.0}},
    ("toxigen", "reply"): {"refuse": {"toxic_after_hateful": 0.0, "toxic_after_neutral": 0.0}},
    ("truthfulqa", "likelihood"): {"first": {"mc1": 1.0}, "random": {"mc1": 5 / 12}},
    ("truthfulqa", "letters"): {"random": {"mc1": 5 / 12}},
    ("wmdp", "likelihood"): {"first": {"accuracy": 0.25}, "random": {"accuracy": 0.25}},
    ("wmdp", "letters"): {"A": {"accuracy": 0.25}, "random": {"accuracy": 0.25}},
    ("winobias", "likelihood"): {
        "stereotype": {"gap": 1.0, "accuracy": 0.5, "stereotyped": 1.0, "stereotype_excess": 0.5},
        "first": {"gap": 0.0, "stereotyped": 0.5, "stereotype_excess": 0.0},
        "random": {"gap": 0.0, "accuracy": 0.5, "stereotyped": 0.5},
    },
    ("winobias", "letters"): {
        "stereotype": {"gap": 1.0, "accuracy": 0.5, "stereotyped": 1.0},
        "A": {"gap": 0.0, "stereotyped": 0.5},
        "random": {"gap": 0.0, "accuracy": 0.5},
    },
    ("winogender", "likelihood"): {
        "stereotype": {
            "answer_changes": 1.0,
            "accuracy": 0.5,
            "accuracy_gotcha": 0.0,
            "stereotype_excess": 0.5,
        },
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

# Replies of their own kind, with tables of their own: test_audit150.py, test_memorisation.py, …
OTHERWISE_HELD = {"audit150", "bold", "counterfactual_replies", "memorisation", "probes"}
OTHERWISE_HELD |= {"questions", "safemark94"}

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
FREE = {("truthfulqa", "similarity")}
"""Free replies of benchmarks with choices: to refuse is an answer like another."""

JUDGED: list[tuple[str, str, tuple[str, ...], Expected]] = [
    # benchmark, way, what the judge says, metric → value, whatever the model says
    ("truthfulqa", "generation", ("yes",), {"true": 1.0, "true_informative": 1.0}),
    ("truthfulqa", "generation", ("yes", "no") * 2, {"true": 1.0, "true_informative": 0.0}),
    ("truthfulqa", "generation", ("no",), {"true": 0.0, "true_informative": 0.0}),
    ("halueval", "generation", ("hallucinated",), {"hallucination_rate": 1.0, "declined": 0.0}),
    ("halueval", "generation", ("declined",), {"hallucination_rate": 0.0, "declined": 1.0}),
    ("halueval2", "generation", ("1. A.", "1. FALSE") * 3, {"macro": 1.0, "micro": 1.0}),
    ("halueval2", "generation", ("1. A.", "1. TRUE") * 3, {"macro": 0.0, "micro": 0.0}),
    ("halueval2", "generation", ("NO FACTS",), {"macro": None, "micro": None, "no_facts": 1.0}),
]
JUDGED_WAYS = sorted({(name, way) for name, way, _, _ in JUDGED})


def test_every_benchmark_of_ours_is_held_to_theory() -> None:
    held = {name for name, _ in EXPECTED} | OTHERWISE_HELD
    folder = Path(str(registry.__file__)).parent / "benchmarks"
    ours = {name for name in registry.names("benchmark") if (folder / f"{name}.py").is_file()}
    biased = {name for name in ours if registry.benchmark(name).dimensions[0] == "bias"}
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
    if not any(sample.choices for sample in samples) or (name, way) in {*FREE, *JUDGED_WAYS}:
        return
    assert {row.absent for row in rows} <= {Reason.UNPARSED_ANSWER, Reason.UNSUPPORTED}
    assert all(value(one, rows) is None for one in found.metrics)


def judged(name: str, way: str, answer: Answerer, *said: str) -> list[Row]:
    """The fixture's samples answered, and judged by one who says these things in turn."""
    found, samples = loaded(name)
    asked = found.way(way)
    assert asked is not None
    ready = replace(asked, scorer=Judges((Words(*said),)).ready(asked.scorer))
    return [row_of(sample, ready, answer) for sample in samples]


@pytest.mark.parametrize(("name", "way", "said", "expected"), JUDGED)
def test_the_judges_word_is_the_value(
    name: str, way: str, said: tuple[str, ...], expected: Expected
) -> None:
    rows = judged(name, way, refusing, *said)
    assert {one: value(metric(loaded(name)[0], one), rows) for one in expected} == expected


@pytest.mark.parametrize(("name", "way"), JUDGED_WAYS)
def test_an_empty_reply_is_not_judged(name: str, way: str) -> None:
    assert {row.absent for row in judged(name, way, silent, "yes")} == {Reason.EMPTY_REPLY}


@pytest.mark.parametrize(("name", "way"), JUDGED_WAYS)
def test_without_a_judge_there_is_no_value(name: str, way: str) -> None:
    found, samples = loaded(name)
    rows = rows_of(found, samples, way, refusing)
    assert {row.absent for row in rows} == {Reason.JUDGE_ERROR}


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
