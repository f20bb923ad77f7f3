import asyncio
import sqlite3
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from safemark.benchmarks._benchmark import Scorer
from safemark.engine import (
    AskKeys,
    Ending,
    Part,
    Progress,
    ask_all,
)
from safemark.errors import CallFailed, StoreError
from safemark.judging import is_settled
from safemark.models._model import Model
from safemark.models.wrap import Budgeted
from safemark.plan import Task
from safemark.store import Entry, Kept, Store
from safemark.types import Ask, Attempt, Message, Reason, Reply, Sample, Score, Transcript
from tests.small import Counting, benchmark, evaluated, part, scorer, stop_after, task
from tests.waiting import PATIENCE_S


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(str(tmp_path / "store.db"))
    yield opened
    opened.close()


async def asked(given: Part, model: Model, store: Store, **more: Any) -> Ending:
    more = {"progress": Progress(total=given.task.total), "stop": asyncio.Event(), **more}
    return await ask_all([given], model, store, identity=model.identity.digest, **more)


def absences(store: Store, given: Part) -> Counter[str]:
    rows = store.rows(given.stored, given.scorer_id)
    return Counter(str(row.absent) for row in rows if row.absent is not None)


SAMPLE = Sample("s-1", (Message("user", "why?"),))


def key(given: Task, sample: Sample = SAMPLE, repeat: int = 0, **more: str) -> bytes:
    named = {"identity": "model", "attack": "direct", **more}
    return AskKeys(named["identity"], given, named["attack"])(sample, repeat)


def test_the_ask_key_does_not_depend_on_how_many_samples_are_asked() -> None:
    assert key(task(100)) == key(task(100, first=3)) == key(task(7))


@pytest.mark.parametrize(
    "changed",
    [
        key(task(ask=Ask(temperature=0.7))),
        key(task(ask=Ask(temperature=None))),
        key(task(ask=Ask(max_output_tokens=7))),
        key(task(ask=Ask(system="Be kind."))),
        key(task(ask=Ask(seed=1))),
        key(task(ask=Ask(stop=("\n",)))),
        key(task(ask=Ask(prefill="Sure"))),
        key(task(version="2")),
        key(task(name="other")),
        key(replace(task(), way=replace(task().way, name="letters"))),
        key(task(), identity="another model"),
        key(task(), attack="base64"),
        key(task(), repeat=1),
        key(task(), msgspec.structs.replace(SAMPLE, messages=(Message("user", "why not?"),))),
        key(task(), msgspec.structs.replace(SAMPLE, messages=(Message("system", "why?"),))),
        key(task(), msgspec.structs.replace(SAMPLE, id="s-2")),
        key(task(), msgspec.structs.replace(SAMPLE, choices=("yes", "no"))),
    ],
)
def test_the_ask_key_changes_with_whatever_changes_the_question(changed: bytes) -> None:
    assert changed != key(task())
    assert len(changed) == 16


def test_the_ask_key_does_not_depend_on_who_judges() -> None:
    assert key(task(judge=scorer(version="2"))) == key(task())


RETRIED = {
    "timeout",
    "transport",
    "rate_limited",
    "server_error",
    "authentication",
    "unknown_model",
    "bad_response",
    "judge_error",
    "not_asked",
    "internal_error",
}


@pytest.mark.parametrize("reason", list(Reason))
def test_an_absence_is_settled_unless_it_may_pass_or_is_a_matter_of_configuration(
    reason: Reason,
) -> None:
    assert is_settled(Kept(b"", str(reason), True, str(reason))) == (reason not in RETRIED)
    assert is_settled(Kept(b"", None, True, str(reason))) == (reason not in RETRIED)


def test_an_answer_without_a_score_is_not_settled() -> None:
    assert not is_settled(Kept(b"", None, False, None))
    assert is_settled(Kept(b"", None, True, None))


async def test_every_sample_is_asked_once_and_stored(store: Store) -> None:
    model = Counting()
    given = part(store, model, task(300))
    progress = Progress(total=300)
    ending = await asked(given, model, store, progress=progress)
    assert ending == Ending("complete")
    assert Counter(model.asked) == Counter(f"question {i}" for i in range(300))
    rows = store.rows(given.stored, given.scorer_id)
    assert [row.sample_id for row in rows] == [f"small-{i}" for i in range(300)]
    assert all(row.outcomes == {"passed": True} and row.absent is None for row in rows)
    assert (progress.done, progress.kept, progress.absent) == (300, 0, 0)
    assert progress.tokens == 300 * 15


async def test_no_more_are_in_flight_than_the_model_likes(store: Store) -> None:
    model = Counting(concurrency=5, pause_s=0.001)
    await asked(part(store, model, task(60)), model, store)
    assert model.most_at_once == 5


async def test_repeats_are_draws_of_their_own(store: Store) -> None:
    model = Counting()
    given = part(store, model, task(4, repeats=3))
    await asked(given, model, store)
    assert sorted(model.draws) == [(f"question {i}", k) for i in range(4) for k in range(3)]
    rows = store.rows(given.stored, given.scorer_id)
    assert [(row.sample_id, row.repeat) for row in rows] == [
        (f"small-{i}", k) for i in range(4) for k in range(3)
    ]


async def test_asking_again_asks_nothing_that_is_stored(store: Store) -> None:
    model = Counting()
    given = part(store, model, task(20))
    await asked(given, model, store)
    progress = Progress(total=20)
    await asked(given, model, store, progress=progress)
    assert len(model.asked) == 20
    assert (progress.done, progress.kept) == (0, 20)


async def test_a_larger_selection_asks_only_the_rest(store: Store) -> None:
    model = Counting()
    few = part(store, model, task(20, first=5))
    await asked(few, model, store)
    await asked(replace(few, task=task(20)), model, store)
    assert Counter(model.asked) == Counter(f"question {i}" for i in range(20))


async def test_a_stored_sample_whose_question_changed_is_asked_again(store: Store) -> None:
    model = Counting()
    given = part(store, model, task(5))
    await asked(given, model, store)
    await asked(replace(given, task=task(5, question="another")), model, store)
    assert model.asked[5:] == [f"another {i}" for i in range(5)]
    assert len(store.rows(given.stored, given.scorer_id)) == 5


@pytest.mark.parametrize("reason", [r for r in Reason if r is not Reason.NOT_ASKED])
async def test_a_failed_request_is_absent_with_its_reason_and_never_judged(
    store: Store, reason: Reason
) -> None:
    def never(sample: Sample, transcript: Transcript) -> Score:
        raise AssertionError("an absent transcript reached a scorer")

    model = Counting(lambda _text, _ask: CallFailed(reason, "scripted", "mend it"))
    given = part(store, model, task(1, judge=scorer(never)))
    await asked(given, model, store)
    assert absences(store, given) == {str(reason): 1}
    ((_, _, _, text),) = store.texts(given.stored.id)
    assert text.transcript.attempts[0].why == "scripted; mend it"
    assert text.transcript.attempts[0].sent == (Message("user", "question 0"),)


async def test_continuing_retries_what_may_pass_and_leaves_what_is_settled(store: Store) -> None:
    fate = {1: Reason.TIMEOUT, 2: Reason.RATE_LIMITED, 3: Reason.BAD_REQUEST, 4: Reason.BLOCKED}

    def first(text: str, _ask: Ask) -> str | Exception:
        reason = fate.get(int(text.split()[1]))
        return CallFailed(reason, "scripted") if reason else "ok"

    model = Counting(first)
    given = part(store, model, task(6))
    await asked(given, model, store)
    mended = Counting()
    progress = Progress(total=6)
    await asked(given, mended, store, progress=progress)
    assert sorted(mended.asked) == ["question 1", "question 2"]
    assert absences(store, given) == {"bad_request": 1, "blocked": 1}
    assert (progress.done, progress.kept, progress.absent) == (2, 4, 2)


@pytest.mark.parametrize("reason", [Reason.AUTHENTICATION, Reason.UNKNOWN_MODEL])
async def test_a_wrong_key_is_one_request_at_any_concurrency(store: Store, reason: Reason) -> None:
    model = Counting(
        lambda _text, _ask: CallFailed(reason, "HTTP 401", "check the key"), concurrency=64
    )
    given = part(store, model, task(200))
    ending = await asked(given, model, store)
    assert len(model.asked) == 1
    assert ending == Ending("failed", "HTTP 401; check the key")
    assert absences(store, given) == {str(reason): 1}


async def test_with_the_key_mended_the_same_run_asks_everything(store: Store) -> None:
    wrong = Counting(lambda _text, _ask: CallFailed(Reason.AUTHENTICATION, "HTTP 401"))
    given = part(store, wrong, task(20))
    await asked(given, wrong, store)
    right = Counting()
    assert await asked(given, right, store) == Ending("complete")
    assert len(right.asked) == 20
    assert not absences(store, given)


async def test_a_key_revoked_half_way_ends_the_asking(store: Store) -> None:
    def answer(text: str, _ask: Ask) -> str | Exception:
        return CallFailed(Reason.AUTHENTICATION, "gone") if text == "question 50" else "ok"

    model = Counting(answer, concurrency=4)
    given = part(store, model, task(500))
    ending = await asked(given, model, store)
    assert ending.status == "failed"
    assert 51 <= len(model.asked) <= 60
    assert len(store.rows(given.stored, given.scorer_id)) == len(model.asked)


async def test_a_spent_budget_stops_the_asking_and_a_bigger_one_goes_on(store: Store) -> None:
    model = Counting(concurrency=2)
    given = part(store, model, task(40))
    ending = await asked(given, Budgeted(model, token_budget=150), store)
    assert ending.status == "budget"
    assert "150 tokens" in ending.why
    done = len(store.rows(given.stored, given.scorer_id))
    assert 10 <= done <= 12
    assert not absences(store, given), "what was not asked has no record"
    assert await asked(given, Budgeted(model, token_budget=10_000), store) == Ending("complete")
    assert Counter(model.asked) == Counter(f"question {i}" for i in range(40))


async def test_an_outage_leaves_the_run_unfinished_and_the_same_command_mends_it(
    store: Store,
) -> None:
    def out(text: str, _ask: Ask) -> str | Exception:
        return CallFailed(Reason.TRANSPORT, "no route") if text >= "question 5" else "ok"

    given = part(store, Counting(), task(10))
    ending = await asked(given, Counting(out), store)
    assert ending.status == "failed"
    assert "5 of 10 answers" in ending.why
    back = Counting()
    assert await asked(given, back, store) == Ending("complete")
    assert sorted(back.asked) == [f"question {i}" for i in range(5, 10)]


async def test_a_few_passing_failures_do_not_keep_a_run_open(store: Store) -> None:
    def flaky(text: str, _ask: Ask) -> str | Exception:
        return CallFailed(Reason.TIMEOUT, "slow") if text == "question 7" else "ok"

    given = part(store, Counting(), task(20))
    assert await asked(given, Counting(flaky), store) == Ending("complete")
    assert absences(store, given) == {"timeout": 1}


async def test_any_exception_of_a_model_is_one_absent_sample(store: Store) -> None:
    def answer(text: str, _ask: Ask) -> str | Exception:
        return ZeroDivisionError("oops") if text == "question 3" else "ok"

    model = Counting(answer)
    given = part(store, model, task(20))
    assert await asked(given, model, store) == Ending("complete")
    assert absences(store, given) == {"internal_error": 1}
    ((_, _, _, text),) = store.texts(given.stored.id, sample_id="small-3")
    assert text.transcript.why == "ZeroDivisionError: oops"


async def test_any_exception_of_a_search_is_one_absent_sample(store: Store) -> None:
    async def search(sample: Sample, model: Model, ask: Ask) -> Transcript:
        raise KeyError("attacker")

    model = Counting()
    given = replace(part(store, model, task(3)), search=search)
    await asked(given, model, store)
    assert absences(store, given) == {"internal_error": 3}


async def failing_judge(sample: Sample, transcript: Transcript) -> Score:
    raise CallFailed(Reason.JUDGE_ERROR, "the judge is asleep")


def broken_scorer(sample: Sample, transcript: Transcript) -> Score:
    raise IndexError("no such option")


@pytest.mark.parametrize(
    ("judge", "reason"),
    [(failing_judge, Reason.JUDGE_ERROR), (broken_scorer, Reason.INTERNAL_ERROR)],
)
async def test_where_an_answer_stands_only_the_judge_is_asked_again(
    store: Store, judge: Callable[..., Any], reason: Reason
) -> None:
    model = Counting()
    given = part(store, model, task(5, judge=scorer(judge)))
    assert (await asked(given, model, store)).status == "failed"
    assert absences(store, given) == {str(reason): 5}
    assert len(list(store.texts(given.stored.id))) == 5, "the answers are stored"

    assert (await asked(given, model, store)).status == "failed"
    assert absences(store, given) == {str(reason): 5}, "the judge failed again"
    progress = Progress(total=5)
    mended = replace(given, task=task(5))
    await asked(mended, model, store, progress=progress)
    assert not absences(store, given)
    assert len(model.asked) == 5, "the model was asked once"
    assert (progress.done, progress.kept, progress.absent) == (0, 5, 0)


async def test_a_settled_verdict_is_not_judged_again(store: Store) -> None:
    judged = 0

    def judge(sample: Sample, transcript: Transcript) -> Score:
        nonlocal judged
        judged += 1
        return Score({}, Reason.CANNOT_SAY, "mixed")

    model = Counting()
    given = part(store, model, task(4, judge=scorer(judge)))
    for _ in range(2):
        await asked(given, model, store)
    assert judged == 4


async def test_a_scorer_may_be_a_coroutine(store: Store) -> None:
    async def judge(sample: Sample, transcript: Transcript) -> Score:
        await asyncio.sleep(0)
        return Score({"passed": True})

    model = Counting()
    given = part(store, model, task(3, judge=scorer(judge)))
    await asked(given, model, store)
    assert [r.outcomes for r in store.rows(given.stored, given.scorer_id)] == [{"passed": True}] * 3


async def test_stopping_stores_what_is_finished_and_the_next_pass_asks_the_rest(
    store: Store,
) -> None:
    stop = asyncio.Event()
    model = Counting(stop_after(30, stop), concurrency=4)
    given = part(store, model, task(100))
    ending = await asked(given, model, store, stop=stop)
    assert ending == Ending("interrupted", "stopped by hand")
    stored = {row.sample_id for row in store.rows(given.stored, given.scorer_id)}
    assert len(stored) >= 29
    later = Counting()
    assert await asked(given, later, store) == Ending("complete")
    again = {f"small-{text.split()[1]}" for text in later.asked}
    assert not again & stored
    assert len(again | stored) == 100


class Silent(Counting):
    """Never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.was_asked = asyncio.Event()

    async def reply(self, messages: Any, ask: Ask) -> Reply:
        self.asked.append("")
        self.was_asked.set()
        await asyncio.Event().wait()
        raise AssertionError


async def test_stopping_does_not_wait_for_the_first_answer(store: Store) -> None:
    stop = asyncio.Event()
    model = Silent()
    given = part(store, model, task(10))
    working = asyncio.create_task(asked(given, model, store, stop=stop))
    await model.was_asked.wait()
    stop.set()
    ending = await asyncio.wait_for(working, PATIENCE_S)
    assert ending.status == "interrupted"
    assert len(model.asked) == 1


async def test_being_cancelled_stores_what_is_finished(store: Store) -> None:
    enough = asyncio.Event()
    model = Counting(stop_after(20, enough), concurrency=2, pause_s=0.001)
    given = part(store, model, task(1000))
    working = asyncio.create_task(asked(given, model, store))
    await enough.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert len(store.rows(given.stored, given.scorer_id)) >= 17


async def test_samples_that_cannot_be_read_end_the_run_with_the_finished_ones_stored(
    store: Store,
) -> None:
    whole = benchmark(10)

    def torn(_files: Any) -> Iterator[Sample]:
        for i, sample in enumerate(whole.samples({})):
            if i == 6:
                raise OSError("the file ends here")
            yield sample

    model = Counting(concurrency=2)
    given = part(store, model, replace(task(10), benchmark=replace(whole, samples=torn)))
    with pytest.raises(OSError, match="ends here"):
        await asked(given, model, store)
    assert len(store.rows(given.stored, given.scorer_id)) >= 4


class FailsLater(Store):
    """A store whose disk is full after some batches."""

    room = 1

    def append(self, entries: Sequence[Entry]) -> None:
        if self.room == 0:
            raise StoreError("the disk is full")
        self.room -= 1
        super().append(entries)


async def test_a_failing_store_stops_the_run_and_keeps_what_was_stored(tmp_path: Path) -> None:
    failing = FailsLater(str(tmp_path / "store.db"))
    model = Counting()
    given = part(failing, model, task(3000))
    with pytest.raises(StoreError, match="full"):
        await asked(given, model, failing)
    stored = len(failing.rows(given.stored, given.scorer_id))
    assert 0 < stored <= 300
    assert len(model.asked) < 1200, "it stopped asking"
    failing.room = 1_000
    assert await asked(given, model, failing) == Ending("complete")
    assert len(failing.rows(given.stored, given.scorer_id)) == 3000
    failing.close()


async def test_a_full_disk_stops_with_a_hint_and_continuing_completes(store: Store) -> None:
    limit = {"pages": 60}

    @sa.event.listens_for(store.engine, "checkout")
    def small_disk(connection: sqlite3.Connection, _record: Any, _proxy: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={limit['pages']}")

    model = Counting()
    given = part(store, model, task(3000))
    with pytest.raises(StoreError) as caught:
        await asked(given, model, store)
    assert "disk is full" in caught.value.problem
    assert "free some space" in caught.value.hint
    stored = {row.sample_id for row in store.rows(given.stored, given.scorer_id)}
    assert 0 < len(stored) < 3000
    limit["pages"] = 1_000_000
    later = Counting()
    assert await asked(given, later, store) == Ending("complete")
    assert not {f"small-{text.split()[1]}" for text in later.asked} & stored
    assert len(store.rows(given.stored, given.scorer_id)) == 3000


async def test_a_store_that_fails_while_replies_are_looked_up_is_no_absent_sample(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(keys: Sequence[bytes]) -> dict[bytes, Transcript]:
        raise StoreError("gone")

    monkeypatch.setattr(store, "replies", failing)
    model = Counting()
    with pytest.raises(StoreError):
        await asked(part(store, model, task(3)), model, store, reuse=True)


async def test_reuse_takes_the_replies_of_other_runs_and_judges_them_anew(store: Store) -> None:
    model = Counting(lambda text, _ask: CallFailed(Reason.TIMEOUT, "") if "3" in text else "ok")
    await asked(part(store, model, task(5)), model, store)
    later = Counting()
    given = part(store, later, task(5, judge=scorer(version="2")))
    await asked(given, later, store, reuse=True)
    assert later.asked == ["question 3"], "absent ones are asked"
    assert len(store.rows(given.stored, given.scorer_id)) == 5
    without = Counting()
    await asked(part(store, without, task(5)), without, store)
    assert len(without.asked) == 5, "a run asks anew unless it is told otherwise"


async def test_reuse_looks_replies_up_some_hundreds_at_a_time_and_tells_draws_apart(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Counting(lambda text, ask: f"{text} {ask.draw}")
    await asked(part(store, model, task(300, repeats=2)), model, store)
    looked_up: list[int] = []
    replies = store.replies

    def counted(keys: Sequence[bytes]) -> dict[bytes, Transcript]:
        looked_up.append(len(keys))
        return replies(keys)

    monkeypatch.setattr(store, "replies", counted)
    later = Counting()
    progress = Progress(total=900)
    given = part(store, later, task(300, repeats=3))
    ending = await asked(given, later, store, reuse=True, progress=progress)
    assert ending == Ending("complete")
    assert max(looked_up) <= 256
    assert len(looked_up) == 4
    assert Counter(later.draws) == Counter((f"question {i}", 2) for i in range(300))
    said = {
        (sample, repeat): text.transcript.attempts[0].reply
        for _, sample, repeat, text in store.texts(given.stored.id)
    }
    reused = said["small-7", 1]
    assert reused is not None
    assert (reused.text, reused.usage.input_tokens) == ("question 7 1", None)
    assert progress.tokens == 300 * 15, "what was asked before cost nothing now"


def tone(version: str = "1") -> Scorer:
    def score(sample: Sample, transcript: Transcript) -> Score:
        if "3" in sample.id:
            raise CallFailed(Reason.JUDGE_ERROR, "the judge is asleep")
        return Score({"tone": "dry"})

    return Scorer("tone", version, score)


async def test_further_scorers_judge_every_reply_and_what_failed_is_judged_again(
    store: Store,
) -> None:
    model = Counting(lambda text, _ask: CallFailed(Reason.BAD_REQUEST, "") if "2" in text else "ok")
    given = part(store, model, task(5))
    tone_id = store.ensure_scorer("tone", "1")
    given = replace(given, also=((tone(), tone_id),))
    progress = Progress(total=5)
    assert await asked(given, model, store, progress=progress) == Ending("complete")
    assert progress.absent == 1, "absences are the benchmark's own"
    found = {row.sample_id: row for row in store.rows(given.stored, tone_id)}
    assert found["small-0"].outcomes == {"tone": "dry"}
    assert found["small-2"].absent is Reason.BAD_REQUEST
    assert found["small-3"].absent is Reason.JUDGE_ERROR
    own = store.rows(given.stored, given.scorer_id)
    assert [row.outcomes.get("passed") for row in own] == [True, True, None, True, True]

    def awake(sample: Sample, transcript: Transcript) -> Score:
        return Score({"tone": "warm"})

    mended = replace(given, also=((replace(tone(), score=awake), tone_id),))
    await asked(mended, model, store)
    later = {row.sample_id: row.outcomes for row in store.rows(given.stored, tone_id)}
    assert later["small-3"] == {"tone": "warm"}
    assert later["small-0"] == {"tone": "dry"}, "what is settled is left alone"
    assert len(model.asked) == 5


@pytest.mark.parametrize("text", ["half \ud83d a character", "a NUL \0 in it", "\x1b[31m", "🙂"])
async def test_any_text_of_a_model_can_be_stored(store: Store, text: str) -> None:
    def judge(sample: Sample, transcript: Transcript) -> Score:
        return Score({"said": text}, why=text)

    model = Counting(lambda _text, _ask: text)
    given = part(store, model, task(2, judge=scorer(judge)))
    assert await asked(given, model, store) == Ending("complete")
    ((_, _, _, first), _) = store.texts(given.stored.id)
    reply = first.transcript.attempts[0].reply
    assert reply is not None
    assert reply.text == text.encode("utf-8", "backslashreplace").decode()


async def test_several_attempts_are_kept_and_the_attackers_failures_apart(store: Store) -> None:
    async def search(sample: Sample, model: Model, ask: Ask) -> Transcript:
        attempts = [Attempt(absent=Reason.TIMEOUT, why="first")]
        attempts += [Attempt(sample.messages, await model.reply(sample.messages, ask))]
        return Transcript(tuple(attempts), attacker_failures=("ran out of ideas",))

    model = Counting()
    given = replace(part(store, model, task(1)), search=search)
    await asked(given, model, store)
    ((_, _, _, text),) = store.texts(given.stored.id)
    assert [attempt.absent for attempt in text.transcript.attempts] == [Reason.TIMEOUT, None]
    assert text.transcript.attacker_failures == ("ran out of ideas",)
    assert not absences(store, given)


async def test_two_parts_are_asked_one_after_the_other(store: Store) -> None:
    model = Counting(concurrency=1)
    both = [part(store, model, task(3)), part(store, model, task(3, name="b", question="b"))]
    await ask_all(
        both,
        model,
        store,
        identity="x",
        progress=Progress(total=6),
        stop=asyncio.Event(),
    )
    assert model.asked == [f"question {i}" for i in range(3)] + [f"b {i}" for i in range(3)]


async def test_a_failing_writer_leaves_no_unretrieved_exception(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    failing = FailsLater(str(tmp_path / "store.db"))
    failing.room = 0
    model = Counting()
    with pytest.raises(StoreError):
        await asked(part(failing, model, task(600)), model, failing)
    failing.close()
    assert not caplog.records


@pytest.mark.slow
async def test_memory_does_not_grow_with_the_number_of_samples(store: Store) -> None:
    async def peak(n: int) -> float:
        model = Counting(concurrency=32)
        model.asked = model.draws = Forgetful()
        given = part(store, model, task(n, name=f"of-{n}"))
        tracemalloc.start()
        try:
            await asked(given, model, store)
            return tracemalloc.get_traced_memory()[1] / 1e6
        finally:
            tracemalloc.stop()

    few = await peak(2_000)
    many = await peak(20_000)
    assert many < few + 2, f"{few:.1f} MB for 2,000 samples, {many:.1f} MB for 20,000"


class Forgetful(list[Any]):
    def append(self, item: Any) -> None:
        return None


async def test_evaluated_runs_store_the_progress_of_all_parts(store: Store) -> None:
    progress = Progress()
    await evaluated(Counting(), task(7), store, progress=progress)
    assert (progress.total, progress.finished) == (7, 7)
    assert progress.left_s == 0
    assert progress.per_s is not None
