"""Why there is no light: none is taken, no way tells the headline, or too much is absent."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from safemark import registry
from safemark.benchmarks._benchmark import Benchmark, Headline, Metric, Scorer, Unlit, Way, share
from safemark.benchmarks._ways import as_asked
from safemark.errors import CallFailed
from safemark.reports.document import Document
from safemark.reports.exit_code import DONE, exit_code
from safemark.reports.scorecard import document
from safemark.reports.terminal import terminal
from safemark.store import Store
from safemark.types import Ask, Reason
from tests.small import Counting, benchmark, evaluated, scorer, task

WHY = "whether it was recited is not measured"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(str(tmp_path / "store.db"))
    yield opened
    opened.close()


async def told(
    found: Benchmark, store: Store, monkeypatch: pytest.MonkeyPatch, lost: int = 0
) -> Document:
    """A run of it, in which the first so many answers are lost."""
    monkeypatch.setattr(registry, "benchmark", lambda _name: found)

    def answer(text: str, _ask: Ask) -> str | Exception:
        is_lost = int(text.split()[1]) < lost
        return CallFailed(Reason.TIMEOUT, "slow") if is_lost else "ok"

    given = replace(task(10), benchmark=found)
    outcome = await evaluated(Counting(answer), given, store)
    return document(store, store.run(outcome.run_id))


def gaps(found: Document) -> dict[str, str]:
    return {one.what: one.why for one in found.not_covered}


async def test_a_benchmark_of_which_no_light_is_taken_is_grey_with_its_reason_and_no_failure(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlit = replace(benchmark(), headlines=(), unlit=Unlit("toxicity", WHY))
    found = await told(unlit, store, monkeypatch)
    (part,) = found.benchmarks
    assert (part.light, part.why, part.headlines) == ("grey", WHY, [])
    assert part.metrics[0].value == 1.0, "what it measures is told"
    assert gaps(found)["small"] == WHY
    assert WHY in terminal(found, 100, False)
    assert exit_code(found) == DONE
    assert unlit.dimensions == ("toxicity",)


async def test_where_only_a_judge_can_tell_the_headline_the_reason_says_how_to_have_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = Scorer("judge", "1", scorer().score, with_judge=lambda _model: scorer())
    harm = Metric("harm", "lower", share("harmful"), ways=("judged",))
    small = benchmark()
    found = await told(
        replace(
            small,
            ways=(*small.ways, Way("judged", "reply", as_asked, judge)),
            metrics=(*small.metrics, harm),
            headlines=(Headline("harm", "toxicity", green=0.1, red=0.2),),
        ),
        store,
        monkeypatch,
    )
    assert gaps(found)["small"] == "no light without a judge: `small:judged` with --judge MODEL"


async def test_a_headline_that_no_answer_tells_is_named(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = benchmark()
    mood = Metric("mood", "lower", lambda _row: None, label="negative words (a lexicon)")
    found = await told(
        replace(
            small,
            metrics=(*small.metrics, mood),
            headlines=(*small.headlines, Headline("mood", "bias", green=0.1, red=0.2)),
        ),
        store,
        monkeypatch,
    )
    assert found.benchmarks[0].notes == [
        "told by none of these answers: negative words (a lexicon)"
    ]


@pytest.mark.parametrize(("lost", "line"), [(0, None), (3, "small: 30 % of outcomes are absent")])
async def test_the_terminal_says_why_a_light_is_grey(
    lost: int, line: str | None, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = terminal(await told(benchmark(), store, monkeypatch, lost), 100, False)
    assert ("Grey, and why" in shown) == (line is not None)
    if line is not None:
        said = next(text for text in shown.splitlines() if text.startswith(f"  {line}"))
        assert said.endswith("3 timeout")
