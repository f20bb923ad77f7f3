import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from safemark.engine import Ending
from safemark.errors import CallFailed, StoreError
from safemark.evaluation import environment, locked, run_spec, spec_key
from safemark.models.fake import Fake
from safemark.models.wrap import Budgeted
from safemark.plan import Plan, Request
from safemark.secrets import remember
from safemark.store import Store
from safemark.types import Ask, Reason
from tests.small import Counting, evaluated, stop_after, task


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(str(tmp_path / "store.db"))
    yield opened
    opened.close()


async def interrupted(store: Store, **more: Any) -> str:
    stop = asyncio.Event()
    outcome = await evaluated(Counting(stop_after(5, stop)), task(20), store, stop=stop, **more)
    assert outcome.ending.status == "interrupted"
    return outcome.run_id


async def test_a_complete_run_is_not_continued(store: Store) -> None:
    model = Counting()
    first = await evaluated(model, task(5), store)
    second = await evaluated(model, task(5), store)
    assert first.ending == second.ending == Ending("complete")
    assert first.run_id != second.run_id
    assert not second.continued
    assert len(model.asked) == 10


async def test_an_interrupted_run_is_continued_by_the_same_command(store: Store) -> None:
    begun = await interrupted(store)
    ended = await evaluated(Counting(), task(20), store)
    assert (ended.run_id, ended.continued, ended.ending.status) == (begun, True, "complete")
    assert [run.status for run in store.runs()] == ["complete"]


async def test_a_fresh_run_leaves_the_unfinished_one_alone(store: Store) -> None:
    begun = await interrupted(store)
    other = await evaluated(Counting(), task(20), store, fresh=True)
    assert other.run_id != begun
    assert store.run(begun).status == "interrupted"


@pytest.mark.parametrize(
    "changed",
    [
        Request(limit=5),
        Request(first=5),
        Request(repeats=2),
        Request(seed=1),
        Request(system="Be kind."),
        Request(temperature=0.5),
        Request(max_output_tokens=5),
        Request(benchmarks=("small",)),
        Request(suite="bias"),
    ],
    ids=str,
)
async def test_another_command_is_another_run(store: Store, changed: Request) -> None:
    begun = await interrupted(store)
    other = await evaluated(Counting(), task(20), store, request=changed)
    assert other.run_id != begun


async def test_another_model_is_another_run(store: Store) -> None:
    begun = await interrupted(store)
    other = await evaluated(Counting(name="another"), task(20), store)
    assert other.run_id != begun


async def test_a_run_that_stopped_at_a_budget_or_a_wrong_key_is_continued(store: Store) -> None:
    spent = await evaluated(Budgeted(Counting(), token_budget=30), task(20), store)
    assert spent.ending.status == "budget"
    wrong = Counting(lambda _text, _ask: CallFailed(Reason.AUTHENTICATION, "HTTP 401"))
    refused = await evaluated(wrong, task(20), store)
    assert (refused.run_id, refused.ending.status) == (spent.run_id, "failed")
    assert "HTTP 401" in store.run(spent.run_id).status_why
    mended = await evaluated(Counting(), task(20), store)
    assert (mended.run_id, mended.ending.status) == (spent.run_id, "complete")


async def test_a_run_that_somebody_works_on_is_left_to_them(store: Store) -> None:
    begun = await interrupted(store)
    with locked(begun) as is_ours:
        assert is_ours
        with locked(begun) as is_anothers:
            assert not is_anothers
        other = await evaluated(Counting(), task(20), store)
        assert other.run_id != begun
    with locked(begun) as is_free:
        assert is_free


async def test_a_run_that_another_process_completes_just_now_is_not_continued(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = await interrupted(store)
    stale = store.unfinished(store.run(begun).spec_key)
    store.set_status(begun, "complete")
    monkeypatch.setattr(store, "unfinished", lambda _key: stale)
    other = await evaluated(Counting(), task(20), store)
    assert other.run_id != begun


async def test_a_lock_that_cannot_be_made_is_said_with_a_hint(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SAFEMARK_CACHE", str(tmp_path / "file"))
    with pytest.raises(StoreError) as caught:
        await evaluated(Counting(), task(2), store)
    assert "SAFEMARK_CACHE" in caught.value.hint
    assert store.runs() == []


async def test_a_run_that_dies_of_an_exception_can_be_continued(store: Store) -> None:
    class Dies(Counting):
        async def reply(self, messages: Any, ask: Ask) -> Any:
            if len(self.asked) == 3:
                raise KeyboardInterrupt
            return await super().reply(messages, ask)

    with pytest.raises(KeyboardInterrupt):
        # in a loop of its own, which such an exception ends
        await asyncio.to_thread(
            lambda: asyncio.run(evaluated(Dies(concurrency=1), task(20), store))
        )
    (run,) = store.runs()
    assert run.status in ("interrupted", "running")
    ended = await evaluated(Counting(concurrency=1), task(20), store)
    assert (ended.run_id, ended.continued) == (run.id, True)


async def test_a_failing_store_leaves_the_run_unfinished(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_entries: object) -> None:
        raise StoreError("the disk is full", "free some space")

    with monkeypatch.context() as patch:
        patch.setattr(store, "append", fails)
        with pytest.raises(StoreError, match="full"):
            await evaluated(Counting(), task(5), store)
    (run,) = store.runs()
    assert (run.status, run.status_why) == ("failed", "the disk is full")
    ended = await evaluated(Counting(), task(5), store)
    assert (ended.run_id, ended.ending.status) == (run.id, "complete")


async def test_who_watches_is_told_the_run_before_the_first_question(store: Store) -> None:
    model = Counting()
    told: list[tuple[str, bool, int, int]] = []
    outcome = await evaluated(
        model,
        task(5),
        store,
        on_start=lambda run, continued, progress: told.append(
            (run.id, continued, progress.total, len(model.asked))
        ),
    )
    assert told == [(outcome.run_id, False, 5, 0)]


def spec(**more: Any) -> dict[str, Any]:
    given = {"options": {}, "base_url": None, **more}
    plan = Plan((task(3),), ())
    return run_spec(Fake(), Request(), plan, given["options"], given["base_url"])


def test_a_spec_says_what_identifies_the_command() -> None:
    found = spec(options={"retries": "2"}, base_url="http://localhost/v1")
    assert found["model"] == "fake"
    assert found["asked"] == ["small@1:reply"]
    assert found["options"] == {"retries": "2"}
    assert found["base_url"] == "http://localhost/v1"
    assert found["repeats"] == 1
    assert spec_key(found) != spec_key(spec())
    assert spec_key(found) == spec_key(dict(reversed(found.items())))


def test_a_spec_holds_no_secret() -> None:
    remember("sk-known-secret")
    found = spec(
        options={"body.api_key": "plain", "body.note": "with sk-known-secret inside"},
        base_url="http://me:pw@host/v1",
    )
    text = str(found)
    for secret in ("plain", "sk-known", "pw@"):
        assert secret not in text


def test_the_environment_names_no_person_path_or_machine() -> None:
    import getpass
    import platform

    found = environment()
    text = str(found)
    assert platform.node() not in text
    assert str(Path.home()) not in text
    assert getpass.getuser() not in text
    assert set(found) == {"python", "system", "machine", "cores", "implementation"}


async def test_the_version_of_a_benchmark_is_part_of_the_command(store: Store) -> None:
    begun = await interrupted(store)
    other = await evaluated(Counting(), task(20, version="2"), store)
    assert other.run_id != begun
    same = await evaluated(Counting(), replace(task(20), notes=("only a note",)), store)
    assert same.run_id == begun
