from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safemark import data, registry
from safemark import plan as planning
from safemark.errors import DataError, UnknownName, UsageError
from safemark.models.fake import Fake, scripted
from safemark.plan import QUICK_REQUESTS, Plan, Request, plan, stratified
from safemark.types import Ask


def planned(model: str = "random", **request: Any) -> Plan:
    return plan(Request(**request), scripted(model), offline=True)


FACTS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 12)).map(lambda p: (p[0], f"{p[0]}{p[1]}")),
    min_size=1,
    max_size=120,
)


@settings(deadline=None)  # the machine may be busy
@given(FACTS, st.integers(0, 120), st.integers(0, 5))
def test_a_drawn_sample_has_exactly_the_size_that_was_asked_for(
    facts: list[tuple[str, str]], limit: int, seed: int
) -> None:
    chosen = stratified(facts, limit, seed)
    assert len(chosen) == min(limit, len(facts))
    assert chosen == stratified(facts, limit, seed)
    assert all(0 <= index < len(facts) for index in chosen)


@settings(deadline=None)  # the machine may be busy
@given(FACTS, st.integers(1, 120), st.integers(0, 5))
def test_each_category_gets_its_share_to_within_one(
    facts: list[tuple[str, str]], limit: int, seed: int
) -> None:
    limit = min(limit, len(facts))
    sizes = Counter(category for category, _ in facts)
    drawn = Counter(facts[index][0] for index in stratified(facts, limit, seed))
    for category, size in sizes.items():
        assert abs(drawn[category] - limit * size / len(facts)) < 1


@settings(deadline=None)  # the machine may be busy
@given(FACTS, st.integers(1, 120), st.integers(0, 5))
def test_at_most_one_cluster_of_a_category_is_cut_and_it_loses_its_end(
    facts: list[tuple[str, str]], limit: int, seed: int
) -> None:
    chosen = stratified(facts, min(limit, len(facts)), seed)
    cut: Counter[str] = Counter()
    for cluster in set(facts):
        members = [index for index, fact in enumerate(facts) if fact == cluster]
        taken = [index in chosen for index in members]
        if any(taken) and not all(taken):
            cut[cluster[0]] += 1
            assert taken == sorted(taken, reverse=True), "its first rows are taken"
    assert all(count == 1 for count in cut.values())


def test_another_seed_draws_other_samples() -> None:
    facts = [("a", str(i)) for i in range(100)]
    assert stratified(facts, 10, 0) != stratified(facts, 10, 1)


def test_the_draw_of_one_category_does_not_depend_on_the_others() -> None:
    facts = [("a", str(i)) for i in range(40)]
    more = [*facts, *(("b", str(i)) for i in range(40))]
    assert stratified(facts, 10, 0) == {i for i in stratified(more, 20, 0) if i < 40}


def test_a_limit_draws_and_says_so() -> None:
    (task,) = planned(benchmarks=("audit150",), limit=30).tasks
    assert task.total == 30
    assert task.selection == "30 of 150, drawn by cluster within category (seed 0)"
    assert task.in_benchmark == 150
    same = planned(benchmarks=("audit150",), limit=30).tasks[0]
    other = planned(benchmarks=("audit150",), limit=30, seed=7).tasks[0]
    assert same.chosen == task.chosen != other.chosen
    assert len(list(task.samples())) == 30


def test_the_first_are_the_first() -> None:
    (task,) = planned(benchmarks=("audit150",), first=4).tasks
    assert [index for index, _ in task.samples()] == [0, 1, 2, 3]
    assert task.selection == "the first 4 of 150"


@pytest.mark.parametrize("many", [{"first": 1000}, {"limit": 150}, {}])
def test_a_limit_that_cuts_nothing_takes_all(many: dict[str, Any]) -> None:
    (task,) = planned(benchmarks=("audit150",), **many).tasks
    assert (task.total, task.selection, task.chosen) == (150, "all", None)


def test_repeats_are_planned_in_every_category() -> None:
    (once,) = planned(benchmarks=("audit150",), limit=20).tasks
    (thrice,) = planned(benchmarks=("audit150",), limit=20, repeats=3).tasks
    assert thrice.planned == {category: 3 * n for category, n in once.planned.items()}
    assert thrice.total == 60


def test_a_benchmark_that_is_named_twice_is_planned_once() -> None:
    twice = planned(benchmarks=("audit150", "audit150@1", "audit150:reply"))
    assert [task.benchmark.name for task in twice.tasks] == ["audit150"]


def test_how_to_ask_is_the_requests_or_the_benchmarks_own(data: Path) -> None:
    (task,) = planned(benchmarks=("xstest",)).tasks
    assert task.ask == Ask(temperature=0.0, max_output_tokens=256)
    (task,) = planned(
        benchmarks=("xstest",), temperature=0.7, max_output_tokens=9, seed=3, system="Be."
    ).tasks
    assert task.ask == Ask(temperature=0.7, max_output_tokens=9, seed=3, system="Be.")


def test_a_seed_is_sent_only_where_something_is_drawn_from_it() -> None:
    (task,) = planned(benchmarks=("audit150",), seed=3).tasks
    assert task.ask.seed is None


def test_the_quick_suite_is_what_is_embedded_where_nothing_is_downloaded() -> None:
    found = planned()
    assert "audit150" in {task.benchmark.name for task in found.tasks}
    assert all(task.benchmark.source is None for task in found.tasks)
    assert ("xstest", "not downloaded; `safemark data pull xstest`") in found.not_covered
    assert found.total <= QUICK_REQUESTS


@pytest.mark.parametrize("repeats", [1, 3, 50, 1999, 5000])
def test_the_quick_suite_is_at_most_two_thousand_requests(data: Path, repeats: int) -> None:
    found = planned(repeats=repeats)
    assert 0 <= found.total <= QUICK_REQUESTS == 2000
    named = {task.benchmark.name for task in found.tasks} | {name for name, _ in found.not_covered}
    assert named == set(registry.names("benchmark")), "each is asked or said to be left out"
    if repeats == 1:
        assert found.total == QUICK_REQUESTS
        whole = [task.total for task in found.tasks if task.selection == "all"]
        cut = [task.total for task in found.tasks if task.selection != "all"]
        assert max(whole) <= min(cut), "small ones stay whole"


def test_a_suite_of_one_dimension_holds_the_benchmarks_with_such_a_headline(data: Path) -> None:
    found = planned(suite="bias")
    names = {task.benchmark.name for task in found.tasks}
    assert {"bbq", "crows_pairs"} <= names
    assert "xstest" not in names


def test_what_a_model_cannot_be_asked_is_left_out_of_a_suite_and_said(data: Path) -> None:
    found = planned("refuse", suite="bias")
    assert ("crows_pairs", "fake/refuse cannot be asked this way (needs likelihoods)") in (
        found.not_covered
    )
    with pytest.raises(UsageError, match="`crows_pairs` cannot be asked of fake/refuse"):
        planned("refuse", benchmarks=("crows_pairs",))


def test_the_first_way_that_the_model_can_be_asked_is_taken(data: Path) -> None:
    assert planned("random", benchmarks=("bbq",)).tasks[0].way.name == "likelihood"
    assert planned("refuse", benchmarks=("bbq",)).tasks[0].way.name == "letters"
    assert planned("random", benchmarks=("bbq:letters",)).tasks[0].way.name == "letters"


def test_two_ways_of_one_benchmark_are_two_tasks(data: Path) -> None:
    found = planned(benchmarks=("bbq:letters", "bbq:likelihood"), limit=10)
    assert [task.way.name for task in found.tasks] == ["letters", "likelihood"]


def test_partial_data_is_noted(data: Path) -> None:
    (task,) = planned(benchmarks=("bbq",), limit=10).tasks
    assert task.partial is not None
    assert " of 11" in task.partial or " of " in task.partial
    assert task.digests


def test_a_benchmark_that_was_named_and_is_not_here_is_an_error() -> None:
    with pytest.raises(DataError) as caught:
        planned(benchmarks=("xstest",))
    assert "safemark data pull xstest" in caught.value.hint


def test_a_suite_goes_on_without_what_its_publisher_does_not_give(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_args: object, **_kwargs: object) -> data.Found:
        raise data.NotFetched("`xstest.csv` could not be fetched", "check the network")

    monkeypatch.setattr(registry, "names", lambda _kind: ("audit150", "xstest"))
    monkeypatch.setattr(data, "pull", refused)
    found = plan(Request(suite="all"), Fake(), pull=True)
    assert [task.benchmark.name for task in found.tasks] == ["audit150"]
    assert ("xstest", "`xstest.csv` could not be fetched; check the network") in found.not_covered
    with pytest.raises(DataError, match="could not be fetched"):
        plan(Request(benchmarks=("xstest",)), Fake(), pull=True)


def test_a_suite_of_which_nothing_can_be_asked_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "names", lambda _kind: ("bbq", "crows_pairs"))
    with pytest.raises(DataError, match="nothing of the suite `bias`") as caught:
        plan(Request(suite="bias"), Fake(), offline=True)
    assert "not downloaded" in caught.value.hint


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (Request(limit=1, first=1), "exclude each other"),
        (Request(("bbq",), "all"), "exclude each other"),
        (Request(suite="quik"), "no suite called `quik`"),
        (Request(("xtest",)), "no benchmark called `xtest`"),
        (Request(("truthfulqa@v9",)), "no version of truthfulqa called `v9`"),
        (Request(("bbq:leters",)), "no way of asking bbq called `leters`"),
    ],
)
def test_what_cannot_be_planned_is_refused_before_a_model_is_loaded(
    request_: Request, problem: str
) -> None:
    with pytest.raises((UsageError, UnknownName), match=problem):
        planning.check_names(request_)
