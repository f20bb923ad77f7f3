import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import safemark
from safemark import SafemarkError
from safemark.api import Settings, Watch, opened_model, run_one
from safemark.engine import Progress
from safemark.models.fake import Fake
from safemark.models.wrap import Budgeted, Retrying
from safemark.plan import Request
from safemark.store import Store
from safemark.types import Ask, Messages, Reply


def test_exactly_the_public_names_are_exported() -> None:
    assert safemark.__all__ == [
        "Document",
        "SafemarkError",
        "__version__",
        "compare",
        "gate",
        "run",
    ]
    assert dir(safemark) == sorted(safemark.__all__)
    for name in safemark.__all__:
        assert getattr(safemark, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = safemark.nothing


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = ("torch", "transformers", "numpy", "sqlalchemy", "aiohttp", "jinja2", "typer", "rich")
    script = f"import sys, safemark; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_a_run_from_python_gives_its_document_and_stores_its_records(tmp_path: Path) -> None:
    path = tmp_path / "mine.db"
    model = Fake("Paris.")
    document = safemark.run(model, ["audit150"], limit=10, store=str(path))
    assert (document.status, len(model.asked)) == ("complete", 10)
    store = Store(str(path))
    assert [run.id for run in store.runs()] == [document.run]
    store.close()


def test_a_store_that_was_given_stays_open(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "mine.db"))
    safemark.run("fake", ["audit150"], first=2, store=store)
    safemark.run("fake", ["audit150"], first=2, store=store)
    assert len(store.runs()) == 2
    store.close()


def test_settings_go_where_they_belong(tmp_path: Path) -> None:
    document = safemark.run(
        "fake", ["audit150"], first=20, store=":memory:", token_budget=1, repeats=2, seed=3
    )
    assert document.status == "budget"
    assert (document.spec["repeats"], document.spec["seed"]) == (2, 3)
    assert "token_budget" not in document.spec


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"benchmarks": ["xtest"]}, "no benchmark called `xtest`"),
        ({"suite": "quik"}, "no suite called `quik`"),
    ],
)
def test_what_is_wrong_is_one_kind_of_error(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(SafemarkError, match=problem) as caught:
        safemark.run("fake", store=":memory:", **given)
    assert caught.value.hint


def test_money_is_not_limited_where_nobody_knows_the_price() -> None:
    model = Fake("Paris.", name="mine/model")
    with pytest.raises(SafemarkError, match="the price of mine/model is not known"):
        safemark.run(model, ["audit150"], first=2, store=":memory:", max_cost_usd=1.0)
    assert model.asked == []


def test_a_budget_is_around_everything_else() -> None:
    from safemark.api import Settings

    model = opened_model("ollama/m", Settings(max_time_s=5, concurrency=3))
    assert isinstance(model, Budgeted)
    assert isinstance(model.model, Retrying)
    assert model.concurrency == 3
    assert isinstance(opened_model("ollama/m", Settings()), Retrying)


def test_the_model_is_closed_even_when_nothing_can_be_planned() -> None:
    class Closing(Fake):
        is_closed = False

        async def close(self) -> None:
            self.is_closed = True

    model = Closing()
    with pytest.raises(SafemarkError):
        safemark.run(model, ["xstest"], store=":memory:", offline=True)
    assert model.is_closed


async def test_progress_names_the_benchmark_whose_answer_came_last(tmp_path: Path) -> None:
    seen: list[str] = []
    begun: list[Progress] = []

    class Slow(Fake):
        async def reply(self, messages: Messages, ask: Ask) -> Reply:
            await asyncio.sleep(0.01)
            seen.append(begun[0].now_asking)
            return await super().reply(messages, ask)

    request = Request(("audit150", "consistency"), first=3)
    watch = Watch(started=lambda _run, _continued, progress: begun.append(progress))
    store = Store(str(tmp_path / "mine.db"))
    await run_one(Slow("Paris."), request, Settings(), store, asyncio.Event(), watch)
    store.close()
    assert len(seen) > 3
    assert set(seen[:2]) == {"audit150"}, "the others wait to be answered"
    assert begun[0].now_asking == "consistency"
