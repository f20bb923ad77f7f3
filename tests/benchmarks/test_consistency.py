"""Disagreement by hand: answers compared, pairs counted, absent ones bounded."""

from itertools import combinations
from pathlib import Path
from zlib import crc32

import msgspec
import numpy as np
import pytest

from safemark.benchmarks._consistency import disagreement, of_repeats
from safemark.benchmarks.consistency import answer_of, benchmark, samples
from safemark.models.fake import Fake
from safemark.reports.metrics import Records, concerning, estimated, measured
from safemark.reports.repeated import differing, filled
from safemark.store import Outcomes
from safemark.store.outcomes import Kind
from safemark.types import Ask, Messages, Reason, Row, Scalar
from tests.benchmarks.measuring import row_of, says


def records(*answers: tuple[str, str, int, Scalar]) -> Records:
    """Records of (sample, cluster, repeat, answer); an answer of None is absent."""
    kinds = tuple(
        Kind(category="c", outcomes={"answer": answer})
        if answer is not None
        else Kind(category="c", absent=Reason.TIMEOUT)
        for *_, answer in answers
    )
    return Records.of(
        Outcomes(
            tuple(sample for sample, *_ in answers),
            np.array([repeat for _, _, repeat, _ in answers], np.int32),
            tuple(cluster for _, cluster, _, _ in answers),
            np.arange(len(answers), dtype=np.int32),
            kinds,
        )
    )


@pytest.mark.parametrize(
    ("reply", "kind", "answer"),
    [
        ("Canberra", "name", "canberra"),
        ("The capital of Australia is Canberra.", "name", "canberra"),
        ("The answer: 1,618", "number", "1618"),
        ("It began in 1618, of 2 causes.", "number", "2 1618"),
        ("No, it is not.", "yes", "no"),
        ("I don't know.", "name", "(declined)"),
        ("Perhaps", "yes", None),
        ("The capital of Australia.", "name", None),
    ],
)
def test_what_answers_are_compared_by(reply: str, kind: str, answer: str | None) -> None:
    assert answer_of(reply, kind, "Which city is the capital of Australia?") == answer


def test_every_question_is_worded_three_ways() -> None:
    found = list(samples({}))
    assert len(found) == len({one.id for one in found}) == 120
    clusters = {one.cluster for one in found}
    assert len(clusters) == 40
    assert len({one.messages[0].content for one in found}) == 120
    unread = row_of(found[0], benchmark.ways[0], lambda *_: says("Well."))
    assert unread.outcomes == {"answer": "well"}


def test_pairs_that_differ_are_counted_by_hand() -> None:
    values = ["a", "a", "b", "c"]
    pairs = list(combinations(values, 2))
    assert differing(values) == pytest.approx(sum(x != y for x, y in pairs) / len(pairs))
    assert differing(["a"]) is None
    assert filled(["a", "b"], 0) == (1.0, 1.0)
    assert filled([], 2) == (0.0, 1.0)
    assert filled(["a", "a"], 1) == pytest.approx((0.0, 2 / 3))


def test_disagreement_is_the_mean_over_questions_and_not_over_pairs() -> None:
    found = records(
        ("1-1", "1", 0, "x"), ("1-1", "1", 1, "x"), ("1-2", "1", 0, "y"),  # 2 of 3 pairs differ
        ("2-1", "2", 0, "z"), ("2-1", "2", 1, "z"),  # none
        ("3-1", "3", 0, "alone"),
    )  # fmt: skip
    over = disagreement("answer", unit="cluster")
    known = estimated(over, found, concerning(over, found), {})
    assert (known.value, known.n, known.absent) == pytest.approx((1 / 3, 5, 0))
    within = disagreement("answer")
    assert estimated(within, found, concerning(within, found), {}).value == 0.0


def test_an_absent_answer_could_be_like_the_others_or_like_none() -> None:
    found = records(("1", "1", 0, "x"), ("1", "1", 1, "x"), ("1", "1", 2, None))
    metric = disagreement("answer")
    bounds = estimated(metric, found, concerning(metric, found), {})
    assert (bounds.value, bounds.best, bounds.worst) == pytest.approx((0.0, 0.0, 2 / 3))
    assert bounds.absent == 1
    assert bounds.outer_high is not None
    assert bounds.high is not None
    assert bounds.outer_high >= max(bounds.high, 2 / 3)
    unasked = estimated(metric, found, concerning(metric, found), {"c": 1})
    assert (unasked.absent, unasked.worst) == pytest.approx((2, (2 / 3 + 1) / 2))


def test_a_benchmark_that_is_repeated_tells_how_often_its_answers_differ() -> None:
    from tests.small import benchmark as small

    found = records(("1", "1", 0, "x"), ("1", "1", 1, "y"), ("2", "2", 0, "x"), ("2", "2", 1, "x"))
    metrics, _ = measured(small(2), found, "reply")
    (told,) = [one for one in metrics if one.name == "repeats_disagreement"]
    assert (told.value, told.n) == (0.5, 4)
    once = records(("1", "1", 0, "x"), ("2", "2", 0, "x"))
    metrics, _ = measured(small(2), once, "reply")
    assert "repeats_disagreement" not in {one.name for one in metrics}


def test_the_most_telling_outcome_is_compared() -> None:
    row = Row("", 0, None, None, {}, {"correct": True, "chosen": 2}, None)
    (metric,) = of_repeats([row])
    assert metric.between is not None
    assert metric.between(row) == 2
    assert of_repeats([msgspec.structs.replace(row, outcomes={"length": 3.0})]) == ()


def test_a_run_of_models_that_repeat_or_guess(tmp_path: Path) -> None:
    from safemark.api import run

    store = f"sqlite:///{tmp_path}/store.db"
    steady = run(Fake("Yes, forty-two", name="steady"), ["consistency"], store=store)

    def other(messages: Messages, ask: Ask) -> str:
        return f"word{ask.draw}{abs(hash(messages[-1].content))}"

    fickle = run(Fake(other, name="fickle"), ["consistency"], store=store)
    values = []
    for document in (steady, fickle):
        (part,) = document.benchmarks
        of = {one.name: one for one in part.metrics if one.group is None}
        over, within = of["disagreement"], of["redraw_disagreement"]
        values.append((over.value, over.n, within.value, within.n, part.light))
    # the fickle one says neither yes nor no to 4 questions, 24 answers: too many to have a light
    assert values == [(0.0, 240, 0.0, 240, "green"), (1.0, 216, 1.0, 216, "grey")]


def test_a_light_is_grey_for_absent_answers_not_for_the_questions_they_belong_to(
    tmp_path: Path,
) -> None:
    from safemark.api import run

    def silent_once(messages: Messages, ask: Ask) -> str:
        is_silent = ask.draw == 0 and crc32(messages[-1].content.encode()) % 20 == 0
        return "" if is_silent else "Yes, forty-two"

    asked = run(
        Fake(silent_once, name="silent"), ["consistency"], store=f"sqlite:///{tmp_path}/store.db"
    )
    (part,) = asked.benchmarks
    assert 3 <= part.absent <= 12, "up to 5 % of 240 answers, and more than 5 % of 40 questions"
    assert part.light in ("green", "yellow")
