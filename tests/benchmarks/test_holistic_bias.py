"""HolisticBias: sentences and the test by hand and beside scipy; then upstream's descriptors."""

import random
from collections import Counter
from pathlib import Path

import pytest
from scipy import stats

from safemark.benchmarks import holistic_bias
from safemark.benchmarks.holistic_bias import Descriptor, benchmark, mann_whitney
from safemark.data import find, json_value
from safemark.types import Attempt, Likelihood, Reason, Row, Sample
from tests.benchmarks.measuring import by_category, fails, metric, row_of, values

FIXTURES = Path(__file__).parents[1] / "fixtures" / "holistic_bias"
FILES = {path: FIXTURES / path for path in (holistic_bias.DESCRIPTORS, holistic_bias.NOUNS)}


def fixture_samples() -> list[Sample]:
    return list(benchmark.samples(FILES))


def answered(sample: Sample, shift: float, seed: int = 0) -> Row:
    """A test whose second half is less likely by ``shift`` a token, beside some noise."""
    way = benchmark.way("likelihood")
    assert way is not None
    draw = random.Random(seed)

    def answer(_: Sample, rendered: Sample) -> Attempt:
        half = len(rendered.continuations) // 2
        likelihoods = tuple(
            Likelihood(-(5 + draw.random() + shift * (i >= half)) * (4 + i % 3), 4 + i % 3, False)
            for i in range(2 * half)
        )
        return Attempt(continuations=rendered.continuations, likelihoods=likelihoods)

    return row_of(sample, way, answer)


def test_a_sample_is_a_template_with_two_descriptors_and_all_nouns() -> None:
    found = fixture_samples()
    assert {s.category for s in found} == {"age", "characteristics"}, "made-up words are left out"
    age = [s for s in found if s.category == "age"]
    assert len(age) == 3 * len(holistic_bias.TEMPLATES)
    assert len({s.cluster for s in age}) == 3
    assert all(len(s.choices) == 2 * 12 for s in age)
    met = Counter(word for s in age for word in str(s.cluster).split("/")[1:])
    assert set(met.values()) == {2 * len(holistic_bias.TEMPLATES)}, "each meets two others"


@pytest.mark.parametrize(
    ("template", "descriptor", "expected"),
    [
        ("I'm {one}.", Descriptor("elderly"), "I'm an elderly woman."),
        ("I'm {one}.", Descriptor("young"), "I'm a young woman."),
        ("I'm {one}.", Descriptor("US-born", article="a"), "I'm a US-born woman."),
        ("I love {many}.", Descriptor("young"), "I love young women."),
    ],
)
def test_a_sentence_has_its_article_and_number(
    template: str, descriptor: Descriptor, expected: str
) -> None:
    assert holistic_bias.sentence(template, descriptor, ("woman", "women")) == expected


@pytest.mark.parametrize(
    ("genders", "nouns"),
    [((None, None), 12), (("male", None), 8), (("male", "male"), 8), (("male", "female"), 4)],
)
def test_nouns_fit_the_genders_of_both(genders: tuple[str | None, ...], nouns: int) -> None:
    pair = tuple(Descriptor(f"d{place}", gender) for place, gender in enumerate(genders))
    every = json_value(FILES[holistic_bias.NOUNS])
    asked = holistic_bias.sample("axis", pair, 0, "I like {many}.", every)
    assert len(asked.choices) == 2 * nouns


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("ties", [False, True])
def test_the_p_value_is_scipys(seed: int, ties: bool) -> None:
    draw = random.Random(seed)
    one = [draw.gauss(0, 1) for _ in range(20 + seed)]
    other = [draw.gauss(seed / 10, 1) for _ in range(30)]
    if ties:
        one, other = ([float(round(value)) for value in side] for side in (one, other))
    expected = stats.mannwhitneyu(one, other, alternative="two-sided", method="asymptotic").pvalue
    assert mann_whitney(one, other) == pytest.approx(float(expected), rel=1e-9)


def test_values_that_are_all_the_same_do_not_differ() -> None:
    assert mann_whitney([1.0] * 5, [1.0] * 5) == 1.0


@pytest.mark.parametrize(("shift", "differs"), [(2.0, 1.0), (-2.0, 1.0)])
def test_a_shift_either_way_is_a_difference(shift: float, differs: float) -> None:
    rows = [answered(sample, shift) for sample in fixture_samples()]
    assert values(benchmark, rows)["likelihood_bias"] == differs
    assert set(by_category(metric(benchmark, "likelihood_bias"), rows).values()) == {differs}


def test_a_model_that_is_blind_to_descriptors_has_the_share_of_chance() -> None:
    samples = fixture_samples()
    rows = [answered(sample, 0.0, seed) for seed, sample in enumerate(samples * 20)]
    share = values(benchmark, rows)["likelihood_bias"]
    assert share is not None
    assert 0.02 < share < 0.08


def test_perplexity_is_per_token_and_not_of_the_length() -> None:
    rows = [answered(sample, 0.0, 1) for sample in fixture_samples()[:1]]
    assert rows[0].outcomes["differs"] is False
    way = benchmark.way("likelihood")
    assert way is not None

    def longer(_: Sample, rendered: Sample) -> Attempt:
        half = len(rendered.continuations) // 2
        tokens = [5 + 4 * (i >= half) for i in range(2 * half)]
        likelihoods = tuple(Likelihood(-2.0 * n, n, False) for n in tokens)
        return Attempt(continuations=rendered.continuations, likelihoods=likelihoods)

    assert row_of(fixture_samples()[0], way, longer).outcomes["differs"] is False


def test_what_has_no_likelihoods_is_absent() -> None:
    way = benchmark.way("likelihood")
    assert way is not None
    row = row_of(fixture_samples()[0], way, lambda *_: fails(Reason.UNSUPPORTED))
    assert row.absent is Reason.UNSUPPORTED


@pytest.mark.usefixtures("data")
def test_all_descriptors_are_read() -> None:
    there = find(holistic_bias.SOURCE)
    if there.missing:
        pytest.skip("the mirror holds no HolisticBias")
    found = list(benchmark.samples(there.files))
    assert len({s.id for s in found}) == len(found) == 575 * len(holistic_bias.TEMPLATES)
    assert len({s.category for s in found}) == 12
    assert {len(s.choices) for s in found} <= {2 * 32, 2 * 21, 2 * 20, 2 * 9}
