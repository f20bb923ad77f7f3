import asyncio
import dataclasses
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from safemark import batching
from safemark.batching import Advance, advance, with_collected
from safemark.errors import CallFailed, SafemarkError, UsageError
from safemark.evaluation import Outcome, evaluate, locked, run_spec
from safemark.models._model import Model
from safemark.models.batch import wire
from safemark.models.batch.service import batch_service
from safemark.models.connect import connect
from safemark.models.fake import Fake
from safemark.plan import Plan, Request, Task
from safemark.store import Store
from safemark.types import Ask, Reason
from tests import small
from tests.batch_server import BatchServer, Given

KEY = "sk-a-key-that-nobody-may-see-1234567890"
PROVIDERS = pytest.mark.parametrize("provider", ["openai", "anthropic"])


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setattr(batching, "POLL_S", 0.01)
    monkeypatch.setattr(wire, "READ_TRIES", 1)


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once: its migrations take a tenth of a second."""
    path = tmp_path_factory.mktemp("store") / "empty.db"
    Store(str(path)).close()
    return path


@pytest.fixture
def store(empty_store: Path, tmp_path: Path) -> Iterator[Store]:
    opened = Store(str(shutil.copy(empty_store, tmp_path / "store.db")))
    yield opened
    opened.close()


class Command:
    """One command, repeated: the same model and task against the same store."""

    def __init__(self, server: BatchServer, provider: str, store: Store, task: Task | None = None):
        self.server, self.provider, self.store = server, provider, store
        self.task = task or small.task(5)
        self.said: list[str] = []

    def model(self) -> Model:
        url = self.server.root + ("/v1" if self.provider == "openai" else "")
        options = {"retries": "0", "input_usd": "2", "output_usd": "4"}
        return connect(f"{self.provider}/x", base_url=url, options=options)

    async def advance(self, **more: Any) -> Advance:
        model = self.model()
        plan = Plan((self.task,), ())
        try:
            return await advance(
                model, plan, self.spec(model), self.store, tell=self.said.append, **more
            )
        finally:
            await model.close()

    async def run(self) -> Outcome:
        """The ordinary run, without `--batch`."""
        model = self.model()
        spec = self.spec(model)
        try:
            found = with_collected(model, spec, self.store)
            return await evaluate(found, Plan((self.task,), ()), spec, self.store)
        finally:
            await model.close()

    def spec(self, model: Model) -> dict[str, Any]:
        return run_spec(model, Request(), Plan((self.task,), ()), {}, None)

    def records(self, run_id: str) -> dict[tuple[str, int], tuple[str | None, float | None]]:
        """Sample and draw → text or reason, and the cost of the answer."""
        (part,) = self.store.parts(run_id)
        found = {}
        for _, sample, repeat, text in self.store.texts(part.id):
            (attempt,) = text.transcript.attempts
            reply = attempt.reply
            said = reply.text if reply is not None else attempt.absent
            found[sample, repeat] = (said, reply.usage.cost_usd if reply is not None else None)
        return found

    def handed_in(self) -> Counter[str]:
        """How often each question went into a batch."""
        bodies = [
            line["body"] if "body" in line else line["params"]
            for job in self.server.jobs.values()
            for line in job.requests
        ]
        return Counter(body["messages"][-1]["content"] for body in bodies)


WHOLE = (10 * 2 + 5 * 4) / 1e6


@PROVIDERS
async def test_a_run_is_handed_in_waited_for_collected_and_judged(
    provider: str, store: Store
) -> None:
    with BatchServer(lambda text: f"answer to {text}") as server:
        command = Command(server, provider, store)
        first = await command.advance()
        assert not first.is_ready
        assert first.waiting == 4
        assert server.direct == ["question 0"], "one goes alone, to see that the key is right"
        again = await command.advance()
        assert (again.run, again.waiting) == (first.run, 4)
        assert [batch.status for batch in again.batches] == ["in_progress"]
        assert store.run(first.run).status == "interrupted"
        assert "waiting for a batch: 4 requests" in store.run(first.run).status_why
        server.end()
        ready = await command.advance()
        assert ready == Advance(first.run, is_ready=True)
        done = await command.run()
    assert (done.run_id, done.continued, done.ending.status) == (first.run, True, "complete")
    assert any("batch API" in note for note in store.run(done.run_id).body.model_notes)
    records = command.records(done.run_id)
    assert {said for said, _ in records.values()} == {f"answer to question {i}" for i in range(5)}
    assert sorted(cost or 0 for _, cost in records.values()) == pytest.approx(
        [WHOLE / 2] * 4 + [WHOLE]
    )
    assert command.handed_in() == {f"question {i}": 1 for i in range(1, 5)}
    assert server.direct == ["question 0"]
    assert all(KEY in key for key in server.keys)
    assert any("4 answers collected" in message for message in command.said)


@PROVIDERS
async def test_waiting_ends_when_the_batch_does_or_when_it_is_stopped(
    provider: str, store: Store
) -> None:
    with BatchServer() as server:
        command = Command(server, provider, store)
        stop = asyncio.Event()
        stop.set()
        assert not (await command.advance(wait=True, stop=stop)).is_ready
        waiting = asyncio.create_task(command.advance(wait=True))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        server.end()
        assert (await waiting).is_ready


@PROVIDERS
async def test_a_line_that_fails_for_good_is_absent_and_one_that_passes_goes_in_again(
    provider: str, store: Store
) -> None:
    busy = ["question 2"]

    def answer(text: str) -> Given:
        if text == "question 1":
            return 400, "this cannot be asked"
        return (529, "overloaded") if text in busy else "ok"

    with BatchServer(answer) as server:
        server.end()
        command = Command(server, provider, store)
        ready = await command.advance(wait=True)
        assert command.handed_in()["question 2"] == 2, (
            "it failed in passing, and went in again once"
        )
        assert command.handed_in()["question 1"] == 1
        busy.clear()
        done = await command.run()
    assert server.direct == ["question 0", "question 2"], "after two batches it is asked by itself"
    said = {sample: text for (sample, _), (text, _) in command.records(ready.run).items()}
    assert said["small-1"] is Reason.BAD_REQUEST
    assert said["small-2"] == "ok"
    assert done.ending.status == "complete"


@PROVIDERS
async def test_what_expired_goes_into_the_next_batch_and_what_came_is_kept(
    provider: str, store: Store
) -> None:
    with BatchServer() as server:
        command = Command(server, provider, store)
        await command.advance()
        server.end_these("expired", share=0.5)
        assert (await command.advance()).waiting == 2
        server.end()
        assert (await command.advance()).is_ready
        await command.run()
    counts = command.handed_in()
    assert sorted(counts.values()) == [1, 1, 2, 2]
    assert len(server.direct) == 1


@PROVIDERS
async def test_a_cancelled_batch_says_so_and_keeps_what_came(provider: str, store: Store) -> None:
    with BatchServer() as server:
        command = Command(server, provider, store)
        await command.advance()
        server.end("cancelled", share=0.5)
        with pytest.raises(
            SafemarkError, match=r"was cancelled; 2 of 4 answers came back"
        ) as caught:
            await command.advance()
        assert "hand in the rest" in caught.value.hint
        server.end("completed")
        assert (await command.advance(wait=True)).is_ready
    assert sorted(command.handed_in().values()) == [1, 1, 2, 2]


async def test_a_batch_that_is_refused_says_why_and_can_be_handed_in_again(store: Store) -> None:
    with BatchServer() as server:
        command = Command(server, "openai", store)
        await command.advance()
        server.end("failed")
        with pytest.raises(SafemarkError, match="line 1 is no request"):
            await command.advance()
        server.end("completed")
        assert (await command.advance(wait=True)).is_ready
    assert set(command.handed_in().values()) == {2}


@PROVIDERS
async def test_a_batch_whose_arrival_was_never_heard_of_is_found_and_not_handed_in_again(
    provider: str, store: Store
) -> None:
    with BatchServer() as server:
        command = Command(server, provider, store)
        server.loses_the_reply = True
        with pytest.raises(CallFailed):
            await command.advance()
        server.loses_the_reply = False
        found = await command.advance()
        assert [batch.id for batch in found.batches] == ["batch_0"]
        assert any("was handed in before" in message for message in command.said)
        server.end()
        assert (await command.advance()).is_ready
    assert set(command.handed_in().values()) == {1}


@PROVIDERS
async def test_one_that_never_arrived_is_handed_in_and_foreign_batches_are_left_alone(
    provider: str, store: Store
) -> None:
    body = {"messages": [{"content": "not ours"}]}
    with BatchServer() as server:
        for _ in range(3):
            lines = [{"custom_id": f"{i:02}" * 16, "body": body, "params": body} for i in range(4)]
            server._kept(lines, {})
        server.end_these("completed", share=1)
        command = Command(server, provider, store)
        server.refuses = web.json_response({"error": {"message": "try later"}}, status=503)
        with pytest.raises(CallFailed):
            await command.advance()
        server.refuses = None
        await command.advance()
        server.end()
        assert (await command.advance()).is_ready
        assert (await command.run()).ending.status == "complete"
    assert {text: n for text, n in command.handed_in().items() if text != "not ours"} == {
        f"question {i}": 1 for i in range(1, 5)
    }


async def test_a_foreign_batch_of_the_same_size_that_is_under_way_is_given_back(
    store: Store,
) -> None:
    with BatchServer() as server:
        body = {"messages": [{"content": "not ours"}]}
        server._kept([{"custom_id": f"{i:02}" * 16, "params": body} for i in range(4)], {})
        command = Command(server, "anthropic", store)
        server.refuses = web.json_response({"error": {"message": "try later"}}, status=503)
        with pytest.raises(CallFailed):
            await command.advance()
        server.refuses = None
        assert [batch.id for batch in (await command.advance()).batches] == ["batch_0"]
        server.end()
        assert (await command.advance(wait=True)).is_ready
    counts = command.handed_in()
    assert {counts[f"question {i}"] for i in range(1, 5)} == {1}


async def test_a_newer_foreign_batch_does_not_hide_ours(store: Store) -> None:
    with BatchServer() as server:
        command = Command(server, "anthropic", store)
        server.loses_the_reply = True
        with pytest.raises(CallFailed):
            await command.advance()
        server.loses_the_reply = False
        body = {"messages": [{"content": "not ours"}]}
        server._kept([{"custom_id": f"{i:02}" * 16, "params": body} for i in range(4)], {})
        assert [batch.id for batch in (await command.advance()).batches] == ["batch_1"]
        server.end()
        assert (await command.advance()).is_ready
        assert (await command.run()).ending.status == "complete"
    assert {n for text, n in command.handed_in().items() if text != "not ours"} == {1}
    assert len(server.direct) == 1


@pytest.mark.parametrize(
    ("given", "reason"),
    [((401, "no such key"), Reason.AUTHENTICATION), ((503, "later"), Reason.SERVER_ERROR)],
)
async def test_a_wrong_key_or_a_dead_server_shows_before_anything_is_handed_in(
    given: Given, reason: Reason, store: Store
) -> None:
    with BatchServer(lambda _text: given) as server:
        command = Command(server, "openai", store)
        with pytest.raises(CallFailed) as caught:
            await command.advance()
        assert caught.value.reason is reason
        assert server.jobs == {}
        server.give = lambda _text: "ok"
        assert (await command.advance()).waiting == 4


async def test_a_refused_setting_is_learnt_from_the_first_question(store: Store) -> None:
    def answer(_text: str) -> Given:
        return "ok"

    with BatchServer(answer) as server:
        original = server._answer_to

        def strict(body: dict[str, Any], is_anthropic: bool) -> tuple[int, dict[str, Any]]:
            if "max_tokens" in body:
                message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
                error = {"message": message, "code": "unsupported_parameter", "param": "max_tokens"}
                return 400, {"error": error}
            return original(body, is_anthropic)

        server._answer_to = strict  # type: ignore[method-assign]
        server.end()
        command = Command(server, "openai", store)
        server.refuses = web.json_response({"error": {"message": "try later"}}, status=503)
        with pytest.raises(CallFailed):
            await command.advance()
        server.refuses = None
        assert (await command.advance(wait=True)).is_ready, "and is known to the next process"
        (job,) = server.jobs.values()
        assert all("max_completion_tokens" in line["body"] for line in job.requests)
        assert (await command.run()).ending.status == "complete"
    assert server.direct == ["question 0", "question 0"], "once refused, once as it is wanted"


@PROVIDERS
async def test_results_that_break_off_are_fetched_again(provider: str, store: Store) -> None:
    with BatchServer() as server:
        server.end()
        server.tears_the_results = True
        command = Command(server, provider, store)
        with pytest.raises(CallFailed) as caught:
            await command.advance(wait=True)
        assert caught.value.reason is Reason.TRANSPORT
        assert "look" in caught.value.hint
        server.tears_the_results = False
        assert (await command.advance()).is_ready
        done = await command.run()
    assert {said for said, _ in command.records(done.run_id).values()} == {"ok"}
    assert set(command.handed_in().values()) == {1}


@PROVIDERS
async def test_batches_that_bring_nothing_are_not_handed_in_for_ever(
    provider: str, store: Store
) -> None:
    with BatchServer() as server:
        server.end()
        server.brings_nothing = True
        command = Command(server, provider, store)
        server.loses_the_reply = True
        with pytest.raises(CallFailed):
            await command.advance()
        server.loses_the_reply = False
        assert (await command.advance(wait=True)).is_ready
        assert (await command.run()).ending.status == "complete"
    # Anthropic's first one cannot be known as ours without its results
    assert set(command.handed_in().values()) == {2 if provider == "openai" else 3}
    assert len(server.direct) == 5


async def test_repeats_and_equal_questions_are_requests_of_their_own(store: Store) -> None:
    task = small.task(4, repeats=2, ask=Ask(temperature=1.0, seed=7))
    equal = small.benchmark(4, question="same")
    samples = list(equal.samples({}))

    def alike(_files: Any) -> Any:
        for sample in samples:
            yield type(sample)(sample.id, samples[0].messages, category=sample.category)

    task = dataclasses.replace(task, benchmark=dataclasses.replace(task.benchmark, samples=alike))
    with BatchServer() as server:
        server.end()
        command = Command(server, "openai", store, task)
        assert (await command.advance(wait=True)).is_ready
        (job,) = server.jobs.values()
        assert len(job.requests) == 7
        assert Counter(line["body"]["seed"] for line in job.requests) == {7: 3, 8: 4}
        done = await command.run()
    assert len(command.records(done.run_id)) == 8
    assert len(server.direct) == 1


async def test_what_is_stored_already_is_not_handed_in_and_reuse_spares_other_runs(
    store: Store,
) -> None:
    with BatchServer() as server:
        command = Command(server, "openai", store)
        await command.advance()
        server.end()
        await command.advance()
        finished = await command.run()
        other = await command.advance(reuse=True)
        assert other.is_ready
        assert other.run != finished.run_id
        assert len(server.jobs) == 1
        server.ending = None
        assert (await command.advance(fresh=True)).waiting == 4
    assert finished.ending.status == "complete"


async def test_large_runs_go_in_several_batches(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "MOST_REQUESTS", 2)
    with BatchServer() as server:
        command = Command(server, "anthropic", store, small.task(6))
        found = await command.advance()
        assert [batch.total for batch in found.batches] == [2, 2, 1]
        monkeypatch.setattr(batching, "MOST_REQUESTS", 100)
        monkeypatch.setattr(batching, "MOST_BYTES", 10)
        second = Command(server, "openai", store, small.task(3, name="other"))
        assert [batch.total for batch in (await second.advance()).batches] == [1, 1]


async def test_the_ordinary_run_does_not_pay_twice_for_what_is_under_way(store: Store) -> None:
    with BatchServer() as server:
        command = Command(server, "openai", store)
        await command.advance()
        with pytest.raises(
            UsageError, match=r"4 requests of run .* handed in as a batch"
        ) as caught:
            await command.run()
        assert "--batch" in caught.value.hint


async def test_two_processes_do_not_hand_in_the_same(store: Store) -> None:
    with BatchServer() as server:
        command = Command(server, "openai", store)
        first = await command.advance()
        with locked(first.run), pytest.raises(UsageError, match="another process works on run"):
            await command.advance()


async def test_no_key_is_kept_with_a_batch(store: Store) -> None:
    with BatchServer(lambda text: f"{text} {KEY}") as server:
        server.end()
        command = Command(server, "openai", store)
        run = (await command.advance(wait=True)).run
        keys = store.batches.tries(run)
        lines = [store.batches.line(run, key) for key in keys]
    assert len(lines) == 5
    assert KEY not in repr(lines)
    assert KEY not in repr(store.batches.jobs(run))
    assert all("[secret]" in line.reply.text for line in lines if line and line.reply)


@pytest.mark.slow
async def test_batches_are_kept_in_postgresql_too(postgres_url: str) -> None:
    store = Store(postgres_url)
    with BatchServer() as server:
        command = Command(server, "openai", store)
        first = await command.advance()
        server.end()
        assert (await command.advance()).is_ready
        assert (await command.run()).ending.status == "complete"
    store.remove_run(first.run)
    assert store.batches.jobs(first.run) == []
    store.close()


async def test_a_removed_run_takes_its_batches_along(store: Store) -> None:
    with BatchServer() as server:
        server.end()
        command = Command(server, "openai", store)
        run = (await command.advance(wait=True)).run
    store.remove_run(run)
    assert store.batches.jobs(run) == []
    assert store.batches.tries(run) == {}


@pytest.mark.parametrize("name", ["google/x", "ollama/x"])
def test_only_the_two_providers_have_batches(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)
    with pytest.raises(UsageError, match="cannot be asked by batch"):
        batch_service(connect(name))


async def test_what_no_batch_can_ask_is_refused(store: Store) -> None:
    plan = Plan((small.task(2),), ())
    spec = run_spec(Fake(), Request(), plan, {}, None)
    with pytest.raises(UsageError, match="fake cannot be asked by batch"):
        await advance(Fake(), plan, spec, store)
    with BatchServer() as server:
        command = Command(server, "openai", store)
        way = command.task.way
        command.task = dataclasses.replace(
            command.task, way=dataclasses.replace(way, needs="loglikelihood")
        )
        with pytest.raises(UsageError, match="asked by likelihood") as caught:
            await command.advance()
        assert caught.value.hint == "ask it as -b small:reply"
