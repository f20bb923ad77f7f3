"""The map of 94 categories, and where every benchmark's categories lie on it."""

from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec
import pytest

from safemark import registry, taxonomy
from safemark.errors import UnknownName
from safemark.scorers._judge.policy import categories as codes
from safemark.scorers.judge_hazards import HAZARDS
from safemark.taxonomy import crosswalk
from tests.cli.commands import safemark

FIXTURES = Path(__file__).parent / "fixtures"
IDS = [one.id for one in taxonomy.categories()]
SEMANTIC = "chemical_biological copyright cybercrime_intrusion harassment_bullying harmful illegal"


def ours() -> Iterator[str]:
    """Every benchmark that comes with Safemark."""
    folder = Path(str(registry.__file__)).parent / "benchmarks"
    return (name for name in registry.names("benchmark") if (folder / f"{name}.py").is_file())


PUBLISHED: dict[str, list[str]] = msgspec.json.decode(
    (FIXTURES / "crosswalk" / "categories.json").read_bytes()
)
"""Benchmark → its categories in the publisher's own files (fixtures invent some)."""


def categories_of(name: str) -> set[str]:
    """The categories of a benchmark's samples, as published."""
    if name in PUBLISHED:
        return set(PUBLISHED[name])
    found = registry.benchmark(name)
    assert found.source is None, f"{name}: its categories belong into categories.json"
    return {str(sample.category) for sample in found.samples({})}


def test_the_map_has_the_published_pillars_and_categories() -> None:
    assert Counter(pillar.tier for pillar in taxonomy.pillars()) == {
        "fundamental": 7,
        "extended": 5,
        "industrial": 8,
    }
    sizes = {"fundamental": 5, "extended": 7, "industrial": 3}
    for pillar in taxonomy.pillars():
        own = [f"{pillar.id}.{number}" for number in range(1, sizes[pillar.tier] + 1)]
        assert [one.id for one in pillar.categories] == own
    assert len({one.name for one in taxonomy.categories()}) == len(IDS) == 94
    assert all(pillar.what for pillar in taxonomy.pillars())
    assert all(category.what for category in taxonomy.categories())
    assert taxonomy.source()["licence"] == "MIT"


def test_what_was_released_adds_up_by_pillar() -> None:
    released = {
        pillar.id: sum(one.released_items or 0 for one in pillar.categories)
        for pillar in taxonomy.pillars()
    }
    assert released["F7"] == 0
    assert (released["E2"], released["E3"], released["E4"], released["E5"]) == (
        3403,
        140,
        140,
        1030,
    )
    assert sum(released[pillar] for pillar in released if pillar[0] == "I") == 240


def test_an_unknown_category_is_told_with_the_listing() -> None:
    with pytest.raises(UnknownName) as caught:
        taxonomy.category("privacy")
    assert caught.value.problem == "no category called `privacy`"
    assert caught.value.hint == "`safemark list categories` shows all 94"


def test_every_benchmark_stands_in_the_crosswalk_once() -> None:
    placed = [*crosswalk.mapped(), *crosswalk.by_id(), *crosswalk.of_no_category()]
    assert Counter(placed) == Counter(ours())


BY_CATEGORY = sorted(name for name, known in crosswalk.mapped().items() if [*known] != ["*"])


@pytest.mark.parametrize("name", BY_CATEGORY)
def test_a_benchmark_and_the_crosswalk_name_the_same_categories(name: str) -> None:
    there, named = categories_of(name), crosswalk.mapped()[name]
    assert [one for one in sorted(there) if crosswalk.of(name, one) is None] == []
    assert [one for one in named if not any(fnmatchcase(own, one) for own in there)] == []


def test_every_place_is_one_of_the_94_and_no_pattern_hides_a_later_one() -> None:
    for name, known in crosswalk.mapped().items():
        for number, (pattern, places) in enumerate(known.items()):
            assert set(places) <= set(IDS), (name, pattern)
            assert not any(fnmatchcase(later, pattern) for later in [*known][number + 1 :])


def test_the_94_lie_in_the_other_schemes_by_their_names() -> None:
    schemes = crosswalk.schemes()
    assert [*schemes.harmbench] == [*SEMANTIC.split(), "misinformation_disinformation"]
    assert {*schemes.ailuminate} == set(codes(HAZARDS))
    assert len(schemes.owasp) == 10
    used = [crosswalk.place(one) for one in IDS]
    assert {one for place in used for one in place.harms} == set(schemes.harmbench)
    assert {one for place in used for one in place.hazards} == set(schemes.ailuminate)
    assert {one for place in used for one in place.owasp} <= set(schemes.owasp)


def test_the_categories_of_harmbench_come_back_to_themselves() -> None:
    for harm in set(crosswalk.schemes().harmbench) - {"copyright"}:
        place = crosswalk.of("harmbench", harm)
        assert place is not None
        assert harm in place.harms


def test_each_of_the_94_is_measured_or_grey_with_its_reason() -> None:
    own = {
        feed.category
        for one in IDS
        for feed in crosswalk.feeding(one)
        if feed.benchmark == "safemark94"
    }
    assert own | set(crosswalk.grey()) == set(IDS)
    assert own.isdisjoint(crosswalk.grey())
    assert all(crosswalk.grey().values())


def test_the_released_tables_feed_the_categories_that_have_items() -> None:
    fed = {
        one.id
        for one in taxonomy.categories()
        if any(feed.benchmark == "foresight" for feed in crosswalk.feeding(one.id))
    }
    assert fed == {one.id for one in taxonomy.categories() if one.released_items}


def test_scenarios_of_ones_own_feed_the_pillar_of_which_nothing_is_released() -> None:
    unreleased = [one.id for one in taxonomy.categories() if one.pillar == "F7"]
    fed = [
        one
        for one in IDS
        if any(feed.benchmark == "foresight_agents" for feed in crosswalk.feeding(one))
    ]
    assert fed == unreleased == sorted(categories_of("foresight_agents"))


def test_what_nobody_has_placed_has_no_place() -> None:
    assert crosswalk.of("jailbreakbench", "No such topic") is None
    assert crosswalk.of("safemark94", "F9.1") is None
    assert crosswalk.of("mmlu", "anatomy") == crosswalk.Place(())


def test_the_listing_shows_all_94_and_what_tells_of_them() -> None:
    rows = {row["category"]: row for row in safemark("list", "categories", "--json").json}
    assert [*rows] == IDS
    assert rows["F2.2"]["pillar"] == "Illegal & Malicious Use"
    assert {"harmbench", "safemark94", "wmdp"} <= set(rows["F2.2"]["benchmarks"])
    assert "safemark94" not in rows["F6.1"]["benchmarks"]
