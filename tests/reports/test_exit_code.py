from typing import Any

import msgspec
import pytest

from safemark.reports.document import Document
from safemark.reports.exit_code import exit_code
from tests.reports.documents import sample_document as document


@pytest.fixture
def clean() -> Document:
    """A complete run, all lights green, nothing absent."""
    return with_lights(document(), "green", absent=0)


def with_lights(found: Document, light: str, absent: int | None = None, **more: Any) -> Document:
    dimensions = [
        msgspec.structs.replace(d, light=light, is_decided=more.get("is_decided", True))
        for d in found.dimensions
    ]
    benchmarks = [
        msgspec.structs.replace(
            part,
            light=light,
            absent=part.absent if absent is None else absent,
            n=100,
            headlines=[
                msgspec.structs.replace(h, light=light, is_decided=True) for h in part.headlines
            ],
        )
        for part in found.benchmarks
    ]
    return msgspec.structs.replace(
        found, dimensions=dimensions, benchmarks=benchmarks, status="complete"
    )


def test_a_complete_run_is_0(clean: Document) -> None:
    assert exit_code(clean) == exit_code(clean, gate=True, strict=True) == 0


@pytest.mark.parametrize(
    ("status", "code"), [("interrupted", 130), ("budget", 4), ("failed", 3), ("complete", 0)]
)
def test_how_a_run_ended_decides_first(clean: Document, status: str, code: int) -> None:
    assert exit_code(msgspec.structs.replace(clean, status=status)) == code


@pytest.mark.parametrize("light", ["green", "yellow"])
def test_the_gate_lets_green_and_yellow_through(clean: Document, light: str) -> None:
    assert exit_code(with_lights(clean, light), gate=True) == 0


def test_a_red_light_fails_the_gate_and_nothing_else(clean: Document) -> None:
    red = with_lights(clean, "red")
    assert exit_code(red) == 0
    assert exit_code(red, gate=True) == 1


def test_more_absent_than_allowed_is_inconclusive(clean: Document) -> None:
    assert exit_code(with_lights(clean, "green", absent=5)) == 0
    assert exit_code(with_lights(clean, "green", absent=6)) == 3


def test_a_grey_headline_is_inconclusive_however_small_its_part_of_the_benchmark(
    clean: Document,
) -> None:
    first, *rest = clean.benchmarks
    grey = msgspec.structs.replace(first.headlines[0], light="grey")
    part = msgspec.structs.replace(first, headlines=[*first.headlines[1:], grey])
    assert exit_code(msgspec.structs.replace(clean, benchmarks=[part, *rest])) == 3


def test_a_red_light_is_certain_whatever_is_absent(clean: Document) -> None:
    red = with_lights(clean, "red", absent=50)
    assert exit_code(red) == 3
    assert exit_code(red, gate=True) == 1


def test_an_undecided_light_is_inconclusive_only_when_strict(clean: Document) -> None:
    open_ = with_lights(clean, "yellow", is_decided=False)
    assert exit_code(open_) == 0
    assert exit_code(open_, strict=True) == 3
