import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from safemark.errors import UnknownName, UsageError
from safemark.reports.across import about_from, across
from safemark.reports.across_document import MEASURED, PUBLISHED, About, Board
from safemark.reports.across_statistics import _all_alike, _difference, _mean, _rank_correlation
from safemark.reports.across_text import across_csv, across_html, across_terminal, sentences
from safemark.reports.published import published_sets
from safemark.store import Store
from tests.histories import SAMPLES, add_run, day
from tests.reports.documents import HOSTILE
from tests.reports.test_html import ALLOWED, Reader


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(str(tmp_path / "store.db"))
    yield opened
    opened.close()


def only(store: Store, **more: object) -> Board:
    (board,) = across(store, **more).boards  # type: ignore[arg-type]
    return board


def published(name: str) -> Board:
    (board,) = across(None, published=[name]).boards
    return board


def test_models_stand_safest_first_with_the_newest_run_of_each(store: Store) -> None:
    add_run(store, day(0), 0.3, model="a")
    newest = add_run(store, day(1), 0.9, model="a")
    add_run(store, day(0), 0.7, model="b")
    board = only(store)
    assert board.provenance == MEASURED
    assert [(one.model, one.value) for one in board.figures] == [("a", 0.9), ("b", 0.7)]
    assert board.figures[0].run == newest


def test_failures_a_day_are_the_rate_times_the_requests(store: Store) -> None:
    add_run(store, day(0), 0.9, model="a")
    add_run(store, day(0), 0.8, model="b")
    failures = only(store, requests_a_day=1_000).figures[0].failures
    assert failures.value == pytest.approx(100)
    # Wilson's interval of 90 of 100 is 0.8256 … 0.9448
    assert failures.low == pytest.approx(55.2, abs=0.1)
    assert failures.high == pytest.approx(174.4, abs=0.1)


def test_a_model_without_outcomes_is_on_no_board(store: Store) -> None:
    for model, absent in (("a", 0.0), ("b", 0.0), ("c", 1.0)):
        add_run(store, day(0), model=model, absent=absent)
    assert [one.model for one in only(store).figures] == ["a", "b"]


def test_other_versions_and_single_models_make_no_board(store: Store) -> None:
    add_run(store, day(0), model="a")
    with pytest.raises(UsageError, match="fewer than two models"):
        across(store)
    add_run(store, day(0), model="b")
    add_run(store, day(0), model="c", samples=SAMPLES)
    found = across(store)
    assert [len(board.figures) for board in found.boards] == [3]
    assert len([note for note in found.left_out if "measured on c alone" in note]) == 2


def test_a_reasoning_sibling_is_compared_on_shared_questions(store: Store) -> None:
    add_run(store, day(0), 0.9, model="plain")
    add_run(store, day(0), 0.6, model="thinker")
    about = {"thinker": About(reasoning=True, sibling="plain")}
    (pair,) = only(store, about=about).siblings
    assert pair.difference.value == pytest.approx(-0.3)
    assert pair.difference.low is not None
    assert -0.42 < pair.difference.low < -0.3
    assert "100 shared questions" in pair.method
    assert pair.adjusted_p is not None
    assert pair.adjusted_p < 0.001
    assert pair.is_better is False


def test_a_sibling_that_differs_little_is_not_told_apart(store: Store) -> None:
    add_run(store, day(0), 0.80, model="plain")
    add_run(store, day(0), 0.82, model="thinker")
    (pair,) = only(store, about={"thinker": About(sibling="plain")}).siblings
    assert pair.is_better is None


def test_models_that_are_alike_spread_no_more_than_chance_allows(store: Store) -> None:
    for number in range(5):
        add_run(store, day(0), 0.8, model=f"model {number}", seed=number)
    board = only(store)
    assert board.spread.p_all_alike is not None
    assert board.spread.p_all_alike > 0.05
    assert (board.spread.told_apart, board.spread.pairs) == (0, 10)
    assert any("no more than chance allows" in sentence for sentence in sentences(board))


def test_an_unknown_model_is_refused(store: Store) -> None:
    add_run(store, day(0), model="a")
    with pytest.raises(UnknownName, match="model in the store"):
        across(store, ["b"])


def test_published_figures_say_that_nothing_was_measured_here() -> None:
    for name in published_sets():
        board = published(name)
        assert board.provenance == PUBLISHED
        assert f"[{PUBLISHED}]" in across_terminal(across(None, published=[name]))
        assert all(figure.run is None for figure in board.figures)


def test_150_cases_do_not_tell_kimi_from_its_thinking_sibling() -> None:
    board = published("lamb-bench")
    (pair,) = board.siblings
    # 112.5 and 105 of 150, Newcombe's interval by hand: 0.05 ± (0.1007, 0.0999)
    assert pair.difference.value == pytest.approx(0.05)
    assert pair.difference.low == pytest.approx(-0.0508, abs=1e-3)
    assert pair.difference.high == pytest.approx(0.1496, abs=1e-3)
    assert pair.is_better is None


def test_22_points_are_told_apart_with_150_cases() -> None:
    board = published("lamb-bench")
    assert (board.spread.lowest, board.spread.highest) == (0.59, 0.81)
    assert board.spread.told_apart >= 1
    assert board.spread.p_all_alike is not None
    assert board.spread.p_all_alike < 0.01


def test_a_published_figure_of_unknown_n_claims_nothing_without_saying_so() -> None:
    board = published("foresightsafety")
    assert len(board.figures) == 18
    assert all(figure.n_is_at_most for figure in board.figures)
    text = across_terminal(across(None, published=["foresightsafety"]), 1000)
    assert "≤ 5,478" in text
    for claim in ("told apart after correction", "reasoning is less safe"):
        (line,) = [line for line in text.splitlines() if claim in line]
        assert "if each figure rests on 5,478 independent answers" in line


def test_an_unknown_set_of_figures_is_refused() -> None:
    with pytest.raises(UnknownName, match="published figures"):
        across(None, published=["lamb"])


def test_the_mean_over_models_has_students_interval() -> None:
    found = _mean([0.6, 0.7, 0.8, 0.9], "models")
    # mean 0.75, s 0.1291, t(3) 3.1824: 0.75 ± 0.2054
    assert [found.low, found.high] == pytest.approx([0.5446, 0.9554], abs=1e-4)
    assert _mean([0.6], "models").low is None
    assert _mean([], "models").value is None


def test_ranks_that_agree_correlate_and_scipy_agrees() -> None:
    from scipy.stats import spearmanr

    pairs = [(1.0, 0.2), (2.0, 0.4), (2.0, 0.3), (5.0, 0.8), (7.0, 0.7), (9.0, 0.9)]
    found = _rank_correlation(pairs)
    assert found.value == pytest.approx(spearmanr(*zip(*pairs, strict=True)).statistic)
    assert found.low is not None
    assert found.high is not None
    assert found.low < (found.value or 0) < found.high <= 1
    assert found.p is not None
    assert found.p < 0.1


def test_too_few_or_equal_models_give_no_correlation() -> None:
    assert _rank_correlation([(1.0, 0.1)] * 3).undefined == "known of 3 models, four are needed"
    assert _rank_correlation([(1.0, 0.1)] * 5).value is None


def test_two_kinds_of_models_are_compared_by_welch() -> None:
    from scipy.stats import ttest_ind

    first, second = [0.9, 0.8, 0.85, 0.95], [0.6, 0.75, 0.7]
    found = _difference(first, second)
    theirs = ttest_ind(first, second, equal_var=False).confidence_interval()
    assert found.value == pytest.approx(0.191667, abs=1e-5)
    # ours takes whole degrees of freedom, downwards
    assert found.low is not None
    assert found.low <= theirs.low == pytest.approx(found.low, abs=0.03)
    assert _difference([0.9], second).value is None
    assert _difference([0.9, 0.9], [0.5, 0.5]).low is None


def test_equal_models_are_alike_and_far_ones_are_not() -> None:
    errors = np.full(4, 0.03)
    assert _all_alike(np.full(4, 0.8), errors) == 1.0
    assert _all_alike(np.array([0.5, 0.6, 0.7, 0.8]), errors) < 0.001


def test_a_file_about_models_is_read_and_checked(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text("openai/a: {size_b: 8, open: true, sibling: openai/b}\n")
    assert about_from(file) == {"openai/a": About(size_b=8, open=True, sibling="openai/b")}
    for wrong in ("openai/a: {sise: 8}", "- a", "openai/a: {open: perhaps}"):
        file.write_text(wrong)
        with pytest.raises(UsageError, match="does not describe models"):
            about_from(file)
    with pytest.raises(UsageError, match=r"none\.yaml cannot be read"):
        about_from(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("openai/a: {size_b: 8}\nopenai/a: {size_b: 70}\n", "names `openai/a` twice, in lines 1"),
        ("openai/a: {size_b: 8, size_b: 70}\n", "names `size_b` twice, in line 1"),
        ("{", "is not YAML"),
    ],
)
def test_a_file_about_models_that_says_a_thing_twice_is_refused(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=said) as raised:
        about_from(file)
    assert "models.yaml" in raised.value.problem
    assert raised.value.hint


def test_the_page_is_well_formed_and_hostile_names_stay_text(store: Store) -> None:
    text = " ".join(HOSTILE).replace("\ud800", "")
    add_run(store, day(0), model=text)
    add_run(store, day(0), 0.5, model="=b")
    found = across(store, about={text: About(sibling="=b")}, published=sorted(published_sets()))
    read = Reader(across_html(found))
    assert read.open == []
    assert read.tags <= ALLOWED | {"title"}
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    assert read.text.count(PUBLISHED) == 2
    shown = across_terminal(found) + across_csv(found)
    assert "\x1b" not in shown
    assert "'=b" in {row[2] for row in csv.reader(io.StringIO(across_csv(found)))}
