import math

import msgspec
import pytest

from safemark.reports.document import Threshold
from safemark.reports.templates import wording as w
from tests.reports.documents import HOSTILE, hostile_document, metric, sample_document


@pytest.mark.parametrize(
    "harmless", ["gpt-4o", "Röttger", "日本語", "עברית", "🧑‍🔬", "می‌خواهم", "e\u0301", "🇨🇭"]
)
def test_text_that_only_shows_stays_as_it_is(harmless: str) -> None:
    assert w.visible(harmless) == harmless


@pytest.mark.parametrize(
    "acting", ["\x00", "\x07", "\x1b", "\x7f", "\x9b", "\u202e", "\u2066", "\u200b", "\ufeff",
               "\u2028", "\ud800", "\U000e0041", "\u00ad", "\u061c"]
)  # fmt: skip
def test_characters_that_act_are_spelt_out(acting: str) -> None:
    assert w.visible(f"a{acting}b") == f"a⟨U+{ord(acting):04X}⟩b"


def test_a_joiner_between_latin_letters_is_spelt_out() -> None:
    assert w.visible("gpt\u200d-4") == "gpt⟨U+200D⟩-4"


def test_text_is_one_line() -> None:
    assert w.visible("a\nb\r\nc\td") == "a b  c d"


def test_a_long_name_is_cut_and_says_so() -> None:
    assert w.short("a" * 50, 10) == "a" * 9 + "…"
    assert w.short("short", 10) == "short"


@pytest.mark.parametrize(
    ("value", "unit", "signed", "shown"),
    [
        (0.81, "share", False, "81.0 %"),
        (0.0, "share", False, "0.0 %"),
        (1.0, "share", False, "100.0 %"),
        (0.00004, "share", False, "<0.1 %"),
        (0.99996, "share", False, ">99.9 %"),
        (0.042, "share", True, "+4.2 %"),
        (-0.042, "share", True, "−4.2 %"),
        (-0.00001, "share", True, "0.0 %"),
        (2.5, "points", True, "+2.5 points"),
        (0.314159, "score", False, "0.314"),
        (1.5, "nats", False, "1.5 nats"),
        (None, "share", False, "not known"),
        (math.nan, "share", False, "not known"),
        (math.inf, "share", True, "not known"),
    ],
)
def test_figures_read_as_people_write_them(
    value: float | None, unit: str, signed: bool, shown: str
) -> None:
    assert w.figure(value, unit, signed=signed) == shown


def test_an_interval_with_an_unknown_end_is_not_known() -> None:
    one = metric("accuracy", 0.81, 0.02, 100)
    assert w.interval(one) == "79.0 to 83.0 %"
    assert w.interval(msgspec.structs.replace(one, high=None)) == "not known"


@pytest.mark.parametrize(
    ("better", "target", "shown"),
    [
        ("higher", None, "green from 10 %, red below 20 %"),
        ("lower", None, "green to 10 %, red from 20 %"),
        ("target", 0.0, "green within ±10 %, red beyond ±20 %"),
        ("target", 0.5, "green within 10 points of 50 %, red from 20 points away"),
    ],
)
def test_bands_are_said_in_words(better: str, target: float | None, shown: str) -> None:
    one = metric("m", 0.5, 0.1, 10, better=better, target=target)
    assert w.bands(one, Threshold("m", 0.10, 0.20, "ours")) == shown


def test_groups_come_worst_first_and_the_unknown_last() -> None:
    benchmark = sample_document().benchmarks[0]
    figures = [one.value for one in w.groups(benchmark, "bias_score_disambiguated")]
    away = [abs(one) for one in figures if one is not None]
    assert away == sorted(away, reverse=True)
    (first, *rest) = benchmark.metrics
    hole = msgspec.structs.replace(first, group="A", value=None)
    known = msgspec.structs.replace(first, group="B", value=0.0)
    holed = msgspec.structs.replace(benchmark, metrics=[hole, known, *rest[:1]])
    assert [one.group for one in w.groups(holed, first.name)] == ["B", "A"]


def test_the_summary_says_what_was_measured_and_the_lights() -> None:
    assert w.summary(sample_document()) == (
        "61,378 answers scored on 5 benchmarks, 12 absent. "
        "Of 5 safety dimensions: 2 yellow, 1 red and 2 grey; usefulness green."
    )


def test_a_reason_does_not_repeat_what_stands_beside_it() -> None:
    document = sample_document()
    truth, privacy = document.dimensions[2], document.dimensions[4]
    assert truth.why == "truthfulqa mc1: the whole interval is at most 40 %"
    assert w.reason(document, truth) == "the whole interval is at most 40 %"
    unmeasured = msgspec.structs.replace(privacy, why="not measured")
    assert w.reason(document, unmeasured) == ""


def test_the_command_asks_the_same_again() -> None:
    spec = {
        "model": "openai/gpt 4",
        "benchmarks": ["bbq", "xstest"],
        "repeats": 1,
        "attack": "direct",
        "seed": 3,
        "options": {"timeout": "30"},
        "identity": "sha256:1",
        "asked": ["bbq@1:letters"],
    }
    assert w.command(sample_document(spec=spec)) == (
        "safemark run 'openai/gpt 4' -b bbq -b xstest --seed 3 -M timeout=30"
    )
    assert w.command(sample_document(spec={"command": "safemark run x"})) == "safemark run x"
    early = {"model": "m", "until_decided": "gate"}
    assert w.command(sample_document(spec=early)) == "safemark run m --until-decided --gate"


def test_a_hostile_command_stays_on_its_line() -> None:
    for marker in HOSTILE:
        document = hostile_document(marker.replace("\ud800", ""))
        assert "\n" not in w.command(document)


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2026-11-20T21:58:03+00:00", "20 November 2026, 21:58 UTC"),
        ("2026-11-20T23:58:03+02:00", "20 November 2026, 21:58 UTC"),
        ("yesterday", "yesterday"),
        (None, "not known"),
    ],
)
def test_moments_are_shown_in_utc(moment: str | None, shown: str) -> None:
    assert w.day(moment) == shown
