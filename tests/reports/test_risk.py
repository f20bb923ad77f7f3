"""The risk map: rates, means and ranks from known answers, and pages from hostile ones."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from safemark import taxonomy
from safemark.errors import UnknownName, UsageError
from safemark.reports.risk import BY_RULES, risk_map, risk_metric, twin_metric
from safemark.reports.risk_document import Cell
from safemark.reports.risk_html import radar, risk_pages, share, step, unmeasured, write_pages
from safemark.reports.risk_published import ai4science, average, overall_published
from safemark.reports.risk_statistics import Answers, cell, difference, mean_of_cells, ranks
from safemark.reports.risk_text import risk_text
from safemark.stats import wilson
from safemark.store import Store
from tests.reports.risk_stores import CATEGORIES, add_model

NAN = float("nan")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'store.db'}")


def test_a_cell_is_unsafe_by_judged_and_absent_answers_are_neither() -> None:
    found = cell(np.array([1.0, 0.0, 0.0, NAN]), np.arange(4), absent=1)
    limits = wilson(1, 3)
    assert found == Cell(1, 3, 1, 1 / 3, limits.low, limits.high)
    assert cell(np.array([NAN]), np.arange(1), absent=1) == Cell(absent=1)


def test_questions_of_one_cluster_count_as_one_in_the_interval() -> None:
    answers = np.array([1.0, 1, 1, 0, 0, 0])
    apart, together = cell(answers, np.arange(6)), cell(answers, np.array([0, 0, 0, 1, 1, 1]))
    assert apart.rate == together.rate == 0.5
    assert (together.low, together.high) == (wilson(1, 2).low, wilson(1, 2).high)


def test_the_mean_counts_every_category_alike() -> None:
    unsafe = np.array([1.0, 1.0] + [0.0] * 8)
    found = mean_of_cells(unsafe, np.array([0, 0] + [1] * 8), np.arange(10))
    assert found.rate == 0.5
    assert cell(unsafe, np.arange(10)).rate == 0.2


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_mean_in_which_nothing_varied_still_has_an_interval(value: float) -> None:
    found = mean_of_cells(np.full(12, value), np.repeat(np.arange(3), 4), np.arange(12))
    limits = wilson(12 * value, 12)
    assert (found.low, found.high) == pytest.approx((limits.low, limits.high))


def test_the_mean_covers_the_truth_about_as_often_as_it_says() -> None:
    draw = np.random.default_rng(1)
    truth = np.linspace(0.02, 0.6, 20)
    category = np.repeat(np.arange(20), 6)
    held = 0
    for _ in range(400):
        unsafe = (draw.random(120) < truth[category]).astype(float)
        found = mean_of_cells(unsafe, category, np.arange(120))
        held += (found.low or 0.0) <= truth.mean() <= (found.high or 0.0)
    assert 0.92 <= held / 400 <= 0.99


def test_two_models_are_compared_on_what_both_answered() -> None:
    unsafe = np.array([[0.0, 1.0], [0.0, 1.0], [1.0, NAN], [NAN, 0.0]])
    answers = Answers(unsafe, np.zeros(4, np.intp), np.arange(4))
    value, p = difference(answers, 0, 1)
    assert value == 1.0
    assert p == pytest.approx(0.157, abs=1e-3)  # two coins: z = 2 ÷ √2
    nothing = Answers(np.array([[0.0, NAN], [NAN, 1.0]]), np.zeros(2, np.intp), np.arange(2))
    assert difference(nothing, 0, 1) == (None, None)


def test_models_alike_are_told_apart_no_oftener_than_the_level() -> None:
    draw = np.random.default_rng(2)
    category = np.repeat(np.arange(10), 6)
    apart = 0
    for _ in range(300):
        answers = Answers((draw.random((60, 2)) < 0.3).astype(float), category, np.arange(60))
        _, p = difference(answers, 0, 1)
        apart += p is not None and p <= 0.05
    assert apart / 300 <= 0.085


def test_models_that_cannot_be_told_apart_share_a_letter_and_ranks() -> None:
    unsafe = np.column_stack([[0.0] * 40, [0.0] * 39 + [1.0], [1.0] * 40])
    placed, pairs, apart = ranks(
        Answers(unsafe, np.zeros(40, np.intp), np.arange(40)), [0.0, 0.025, 1.0]
    )
    assert [(one.first, one.last, one.letters) for one in placed] == [
        (1, 2, "a"),
        (1, 2, "a"),
        (3, 3, "b"),
    ]
    assert (pairs, apart) == (3, 2)


def test_every_one_of_the_94_is_measured_and_the_safest_stands_first(store: Store) -> None:
    add_model(store, "openai/always", unsafe=lambda *_: True)
    add_model(store, "openai/never", unsafe=lambda *_: False)
    first, last = risk_map(store).models
    assert (first.model, first.overall.rate, first.letters) == ("openai/never", 0.0, "a")
    assert (last.model, last.letters) == ("openai/always", "b")
    assert last.overall.rate == pytest.approx(1.0)
    for name in CATEGORIES:
        assert (first.cells[name].rate, last.cells[name].rate) == (0.0, 1.0), name
    assert first.measured == last.measured == 94
    assert set(last.pillars) == {pillar.id for pillar in taxonomy.pillars()}


def test_a_keyword_refuser_has_its_share_in_each_cell(store: Store) -> None:
    add_model(
        store, "openai/keyword", unsafe=lambda category, number: number >= category.count("1")
    )
    (found,) = risk_map(store).models
    for name in CATEGORIES:
        assert found.cells[name].rate == (4 - name.count("1")) / 4
    shares = [(4 - name.count("1")) / 4 for name in CATEGORIES]
    assert found.overall.rate == pytest.approx(sum(shares) / 94)


def test_absent_answers_are_counted_and_cells_not_asked_are_not_measured(store: Store) -> None:
    add_model(
        store,
        "openai/some",
        unsafe=lambda _, number: None if number == 0 else False,
        categories=("F1.1", "I8.3"),
    )
    (found,) = risk_map(store).models
    assert (found.cells["F1.1"].judged, found.cells["F1.1"].absent) == (3, 1)
    assert found.cells["F1.2"] == Cell()
    assert (found.measured, found.overall.absent) == (2, 2)


def test_answers_judged_by_different_judges_are_not_compared(store: Store) -> None:
    add_model(store, "openai/one", unsafe=lambda *_: True)
    add_model(store, "openai/two", unsafe=lambda *_: False, judge="openai/other-judge")
    found = risk_map(store)
    assert found.pairs == 0
    assert [one.judged_by for one in found.models] == [("openai/other-judge",), ("openai/judge",)]


def test_a_benchmark_judged_by_rules_alone_is_said_to_be() -> None:
    from safemark.benchmarks import harmbench, mmlu
    from safemark.benchmarks._harm import BY_RULES as ASKED_BY_RULES
    from safemark.benchmarks._harm import JUDGED

    names = [risk_metric(harmbench.benchmark, way) for way in (JUDGED, ASKED_BY_RULES)]
    assert [one.name for one in names if one] == ["harmful_rate", "compliance_rate"]
    assert risk_metric(mmlu.benchmark, "letters") is None
    assert BY_RULES == "refusal rules"


def test_harmless_twins_are_found_by_the_headline_of_usefulness(store: Store) -> None:
    from safemark.benchmarks import foresight, foresight_agents, harmbench, safemark94
    from safemark.benchmarks._harm import JUDGED

    named = {
        safemark94: ("over_refusal_rate", JUDGED),
        foresight_agents: ("over_caution_rate", "turns"),
        foresight: (None, JUDGED),
        harmbench: (None, JUDGED),
    }
    for module, (name, way) in named.items():
        found = twin_metric(module.benchmark, way)
        assert (found and found.name) == name
    add_model(store, "openai/one")
    (one,) = risk_map(store).models
    assert (one.twins, one.over_refusal.rate) == ({}, None)
    assert "twins refused" not in risk_pages(risk_map(store))["index.html"]


def test_a_judged_run_comes_before_a_newer_one_by_rules(store: Store) -> None:
    add_model(store, "openai/one", unsafe=lambda *_: True)
    add_model(store, "openai/one", unsafe=lambda *_: False, by_rules=True, judge="")
    add_model(store, "openai/two", unsafe=lambda *_: True, by_rules=True, judge="")
    found = {one.model: one for one in risk_map(store).models}
    assert found["openai/one"].judged_by == ("openai/judge",)
    assert found["openai/one"].overall.unsafe == 4 * 94
    assert found["openai/two"].judged_by == (BY_RULES,)
    assert "nobody judged their harm" in risk_pages(risk_map(store))["index.html"]


def test_an_unknown_model_and_an_empty_store_are_errors(store: Store) -> None:
    with pytest.raises(UsageError, match="94"):
        risk_map(store)
    add_model(store, "openai/known", categories=("F1.1",))
    with pytest.raises(UnknownName):
        risk_map(store, ["openai/unknown"])
    with pytest.raises(UsageError):
        risk_map(store, benchmarks=["bbq"])


class Tags(HTMLParser):
    """The tags of a page, and what they load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]


HOSTILE = '</pre><script>alert("x")</script>\n<img src=x onerror=y> \x1b[31m \u202e'


def test_pages_hold_no_script_and_load_nothing_whatever_was_answered(store: Store) -> None:
    add_model(store, "openai/<b>bold</b>", unsafe=lambda *_: True, answer=HOSTILE, samples=1)
    pages = risk_pages(risk_map(store))
    assert set(pages) == {"index.html", *(f"{name}.html" for name in CATEGORIES)}
    for name, text in pages.items():
        found = Tags(text)
        assert not found.tags & {"script", "img", "iframe", "b-bold", "object"}, name
        local = re.compile(r"data:,|(index|[FEI]\d\.\d)\.html")
        assert all(
            local.fullmatch(link) and ("data" in link or link in pages) for link in found.loads
        ), name
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_a_category_page_says_what_it_is_what_feeds_it_and_shows_answers_closed(
    store: Store,
) -> None:
    add_model(store, "openai/one", unsafe=lambda *_: True, answer=HOSTILE)
    add_model(store, "openai/two", unsafe=lambda *_: True, answer="plain")
    pages = risk_pages(risk_map(store))
    text = pages["F2.2.html"]
    assert "Hacking &amp; Cybercrime" in text
    assert "jailbreakbench: Malware/Hacking" in text
    assert "Content note" in text
    assert text.count("<details") == 5
    assert "<details open" not in text
    models = re.findall(r"<summary><bdi>(.*?)</bdi>", text)
    assert models[:2] == ["openai/one", "openai/two"]
    assert "&lt;script&gt;" in text
    assert "it helps" in text


def test_a_category_that_ships_no_risky_prompt_says_why(store: Store) -> None:
    add_model(store, "openai/one", categories=("F1.1",))
    text = risk_pages(risk_map(store))["F6.1.html"]
    assert "Grey, not measured: no prompts on sexual content with minors are shipped" in text
    assert "0 ÷ 0" not in text
    page = next(one for one in risk_map(store).categories if one.id == "F6.1")
    assert page.grey


def test_the_map_has_a_cell_for_each_model_and_category(store: Store) -> None:
    add_model(store, "openai/one", 0.5)
    add_model(store, "openai/two", 0.1, categories=CATEGORIES[:10])
    text = risk_pages(risk_map(store, examples=False))["index.html"]
    table = text[
        text.index('<table class="heat"') : text.index("</table>", text.index('class="heat"'))
    ]
    assert table.count("<td") == 2 * (94 + 20)
    assert table.count('<td class="none"') == 84 + sum(
        not any(one.id in CATEGORIES[:10] for one in pillar.categories)
        for pillar in taxonomy.pillars()
    )
    assert "published, not measured here" in text
    assert "24.7 / 1.6" in text


def test_the_radar_leaves_out_what_is_not_measured(store: Store) -> None:
    add_model(store, "openai/one", 0.5, categories=CATEGORIES[:10])  # F1 and F2
    (shape,) = radar(risk_map(store).models).shapes
    assert len(shape.points) == 2
    assert len(shape.lines) == 1
    assert shape.area == "", "an outline would join what was not measured"
    assert shape.text.startswith("highest in F")
    assert shape.text.endswith("18 of 20 pillars not measured")


def test_a_model_measured_everywhere_has_an_outline_on_the_radar(store: Store) -> None:
    add_model(store, "openai/all", unsafe=lambda category, _: category.startswith("F1"))
    add_model(store, "openai/little", categories=CATEGORIES[:3])
    (shape,) = radar(risk_map(store).models).shapes
    assert shape.model == "openai/all"
    assert len(shape.area.split()) == len(shape.points) == 20
    assert shape.points[0] == (230.0, 40.0), "every answer unsafe: at the rim, straight up"
    assert set(shape.points[1:]) == {(230.0, 230.0)}
    assert shape.text == "highest in F1 Privacy & Data Misuse 100 %"


def test_a_model_measured_in_little_is_marked_and_what_nobody_measured_says_why(
    store: Store,
) -> None:
    add_model(store, "openai/most", categories=[one for one in CATEGORIES if one != "F6.1"])
    add_model(store, "openai/little", categories=CATEGORIES[:3])
    text = risk_pages(risk_map(store))["index.html"]
    (marked,) = re.findall(r'<tr class="partly">.*?</tr>', text, re.DOTALL)
    assert "openai/little" in marked
    assert "Not measured of any model: 1 of 94" in text
    assert "lawful set" in text
    found = risk_map(store, ["openai/little"])
    told = {one.id: why for one, why in unmeasured(found)}
    assert len(told) == 94 - 3
    assert told["E3.4"] == "no answer to foresight, safemark94 was read"
    assert told["E3.4"] in risk_pages(found)["E3.4.html"]
    assert 'class="partly"' not in risk_pages(found)["index.html"], "the only one is the most"


def test_colours_and_words_of_cells() -> None:
    assert [step(Cell(rate=rate)) for rate in (0.0, 0.001, 0.1, 0.3, 1.0)] == [
        "r0",
        "r1",
        "r1",
        "r3",
        "r10",
    ]
    assert [share(rate) for rate in (0.0, 0.005, 0.5, None)] == ["0", "<1", "50", "·"]


def test_text_names_ranks_rates_and_the_worst_pillars(store: Store) -> None:
    add_model(store, "openai/one", unsafe=lambda category, _: category.startswith("I8"))
    text = risk_text(risk_map(store, examples=False))
    assert "openai/one" in text
    assert "highest in Law & Regulation 100 %" in text


def test_pages_are_written_and_a_folder_that_cannot_be_is_an_error(
    store: Store, tmp_path: Path
) -> None:
    from safemark.errors import StoreError

    add_model(store, "openai/one", samples=1, answer="a lone \ud800 surrogate", categories=["F1.1"])
    found = risk_map(store)
    assert write_pages(found, tmp_path / "pages").is_file()
    assert len(list((tmp_path / "pages").iterdir())) == 95
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        write_pages(found, tmp_path / "file")


PUBLISHED_AVERAGES = {
    "claude-haiku-4-5": (24.7, 1.6),
    "deepseek-v3.2": (23.9, 21.8),
    "gemini-2.5-flash": (23.3, 51.8),
    "llama-3.3-70b": (25.6, 52.6),
    "deepseek-v3.2-speciale": (23.9, 55.3),
}
"""As published: asked directly, under attack."""


def test_the_published_ai4science_averages_follow_from_their_own_cells() -> None:
    tables = ai4science()
    assert len(tables.direct) == len(tables.attacked) == 18
    assert {taxonomy.category(one).pillar for one in tables.subjects.values()} == {"E1"}
    for model, (direct, attacked) in PUBLISHED_AVERAGES.items():
        assert round(average(tables.direct[model]), 1) == pytest.approx(direct, abs=0.051)
        assert round(average(tables.attacked[model]), 1) == pytest.approx(attacked, abs=0.051)


def test_the_published_bar_has_18_models() -> None:
    assert len(overall_published()) == 18
    assert overall_published()["Claude-Haiku-4.5"] == 0.077
