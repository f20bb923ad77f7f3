import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.ddl.impl import DefaultImpl
from alembic.script import ScriptDirectory

import safemark.store
from safemark.errors import StoreError, UnknownName, UsageError
from safemark.secrets import remember
from safemark.store import (
    HEAD,
    Entry,
    PartBody,
    RunBody,
    Store,
    StoredPart,
    StoredRun,
    Text,
    Usage,
    encoded,
    metadata,
    new_run_id,
)
from safemark.types import (
    Ask,
    Attempt,
    Message,
    Reason,
    Reply,
    Row,
    Sample,
    Scalar,
    Score,
    Transcript,
)
from safemark.types import Usage as Tokens
from tests.small import Counting, evaluated, stop_after, task

BACKENDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/evidence/store.db"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store(url)
    yield opened
    opened.close()


def run(run_id: str = "20260101-000000-aaaaaa", **more: Any) -> StoredRun:
    made = StoredRun(
        id=run_id,
        spec_key="spec",
        status="running",
        status_why="",
        started="2026-01-01T00:00:00Z",
        finished=None,
        model="fake",
        identity="digest",
        body=RunBody(safemark="0.1.0", spec={"model": "fake"}, not_covered=(("bbq", "absent"),)),
    )
    return replace(made, **more)


def part(store: Store, run_id: str = "20260101-000000-aaaaaa", benchmark: str = "b") -> StoredPart:
    body = PartBody({"c": 3, "": 1}, "judge", "1", ask=Ask(temperature=0.5))
    return store.ensure_part(run_id, benchmark, "1", "reply", "direct", body)


def entry(place: StoredPart, scorer_id: int, position: int, **more: Any) -> Entry:
    sample = Sample(
        f"s-{position}",
        (Message("user", f"question {position}"),),
        category="c",
        cluster="k",
        facets={"group": "x", "n": 2, "share": 0.5, "is_safe": True, "none": None},
    )
    reply = Reply("answer", usage=Tokens(10, 2, 0.25))
    made = Entry(
        place.id,
        position,
        bytes([position]) * 16,
        sample,
        0,
        Transcript((Attempt(sample.messages, reply, seconds=0.5),)),
        scorer_id,
        Score({"passed": True, "rating": 0.5, "word": "yes"}, why="because"),
    )
    return replace(made, **more)


@pytest.fixture
def place(store: Store) -> StoredPart:
    store.add_run(run())
    return part(store)


@pytest.fixture
def scorer_id(store: Store) -> int:
    return store.ensure_scorer("judge", "1")


def test_what_is_appended_is_read_back_as_rows_without_text(
    store: Store, place: StoredPart, scorer_id: int
) -> None:
    timeout = Transcript((Attempt(absent=Reason.TIMEOUT, why="slow"),))
    store.append(
        [
            entry(place, scorer_id, 1, score=Score({"verdict": "x"}, Reason.CANNOT_SAY, "?")),
            entry(place, scorer_id, 0),
            entry(place, scorer_id, 2, transcript=timeout, score=Score({}, Reason.TIMEOUT, "slow")),
        ]
    )
    facets: dict[str, Scalar] = {
        "group": "x",
        "n": 2,
        "share": 0.5,
        "is_safe": True,
        "none": None,
    }
    outcomes: dict[str, Scalar] = {"passed": True, "rating": 0.5, "word": "yes"}
    assert store.rows(place, scorer_id) == [
        Row("s-0", 0, "c", "k", facets, outcomes, None),
        Row("s-1", 0, "c", "k", facets, {"verdict": "x"}, Reason.CANNOT_SAY),
        Row("s-2", 0, "c", "k", facets, {}, Reason.TIMEOUT),
    ]


def test_an_answer_that_nobody_judged_is_absent_and_not_zero(
    store: Store, place: StoredPart, scorer_id: int
) -> None:
    store.append([entry(place, scorer_id, 0)])
    other = store.ensure_scorer("another judge", "1")
    (row,) = store.rows(place, other)
    assert (row.absent, row.outcomes) == (Reason.NOT_ASKED, {})
    assert not store.kept(place.id, other)[0].is_scored


def test_kept_tells_what_continuing_needs(store: Store, place: StoredPart, scorer_id: int) -> None:
    timeout = Transcript((Attempt(absent=Reason.TIMEOUT),))
    late = entry(place, scorer_id, 5, transcript=timeout, score=Score({}, Reason.TIMEOUT))
    store.append([entry(place, scorer_id, 0), late])
    kept = store.kept(place.id, scorer_id)
    assert sorted(kept) == [0, 5]
    assert kept[0].ask_key == bytes(16)
    assert (kept[0].transcript_absent, kept[0].is_scored, kept[0].score_absent) == (
        None,
        True,
        None,
    )
    assert (kept[5].transcript_absent, kept[5].score_absent) == ("timeout", "timeout")


def test_a_batch_is_stored_whole_or_not_at_all(
    store: Store, place: StoredPart, scorer_id: int
) -> None:
    store.append([entry(place, scorer_id, 0)])
    with pytest.raises(StoreError):
        store.append([entry(place, scorer_id, 1), entry(place, scorer_id, 0)])
    assert [row.sample_id for row in store.rows(place, scorer_id)] == ["s-0"]
    assert len(list(store.texts(place.id))) == 1


def test_a_replacement_takes_the_place_of_the_absent_try(
    store: Store, place: StoredPart, scorer_id: int
) -> None:
    timeout = Transcript((Attempt(absent=Reason.TIMEOUT),))
    store.append([entry(place, scorer_id, 0, transcript=timeout, score=Score({}, Reason.TIMEOUT))])
    store.append([entry(place, scorer_id, 0, replaces=True), entry(place, scorer_id, 1)])
    assert [row.absent for row in store.rows(place, scorer_id)] == [None, None]
    ((_, _, _, text), _) = store.texts(place.id)
    assert text.transcript.absent is None


def test_texts_hold_the_whole_sample_and_transcript(
    store: Store, place: StoredPart, scorer_id: int
) -> None:
    given = entry(place, scorer_id, 3)
    store.append([given, entry(place, scorer_id, 1)])
    found = [
        (position, sample, text.transcript) for position, sample, _, text in store.texts(place.id)
    ]
    assert found == [
        (1, "s-1", entry(place, scorer_id, 1).transcript),
        (3, "s-3", given.transcript),
    ]
    ((_, _, _, text),) = store.texts(place.id, sample_id="s-3")
    assert text.sample == given.sample
    assert [position for position, *_ in store.texts(place.id, positions=[3, 9])] == [3]
    assert not list(store.texts(place.id, positions=[]))


LIKELIHOOD = Sample("s-l", context="The sky is", continuations=(" blue", " green"))


@pytest.mark.parametrize(
    ("sample", "attempts"),
    [
        (LIKELIHOOD, [Attempt(context="The sky is", continuations=(" blue", " green"))]),
        (LIKELIHOOD, [Attempt(context="The sea is", continuations=(" blue", " green"))]),
        (Sample("s-q", (Message("user", "q"),)), [Attempt((Message("user", "q"),), Reply("a"))]),
        (
            Sample("s-q", (Message("user", "q"),)),
            [
                Attempt(absent=Reason.TIMEOUT, why="nothing was sent"),
                Attempt((Message("user", "cXVlc3Rpb24="),), Reply("a")),
                Attempt((Message("user", "q"),), Reply("b")),
            ],
        ),
    ],
)
def test_what_was_sent_is_read_back_whether_or_not_it_was_the_sample(
    store: Store, place: StoredPart, scorer_id: int, sample: Sample, attempts: list[Attempt]
) -> None:
    given = Transcript(tuple(attempts), attacker_failures=("one",))
    store.append([entry(place, scorer_id, 0, sample=sample, transcript=given)])
    ((_, _, _, text),) = store.texts(place.id)
    assert text == Text(sample, given)


def test_a_question_that_was_asked_as_it_is_lies_in_the_store_once(
    store: Store, place: StoredPart, scorer_id: int
) -> None:
    question = "which of these two is it? " * 20
    sample = Sample("s-q", (Message("user", question),))
    given = Transcript((Attempt(sample.messages, Reply("a")),))
    store.append([entry(place, scorer_id, 0, sample=sample, transcript=given)])
    with store.engine.connect() as connection:
        (body,) = connection.execute(sa.text("SELECT body FROM transcript_text")).scalars()
    assert bytes(body).count(question.encode()) == 1


def test_records_of_earlier_versions_are_read(
    store: Store, place: StoredPart, scorer_id: int
) -> None:
    store.append([entry(place, scorer_id, 0)])
    given = entry(place, scorer_id, 0)
    body = encoded(Text(given.sample, given.transcript))
    assert body.count(b"question 0") == 2, "as it was written before"
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE transcript_text SET body = :body"), {"body": body})
    ((_, _, _, text),) = store.texts(place.id)
    assert text == Text(given.sample, given.transcript)


def test_the_scores_of_further_scorers_are_stored_with_the_sample(
    store: Store, place: StoredPart, scorer_id: int
) -> None:
    other = store.ensure_scorer("tone", "1", "openai/gpt")
    rude = Score({"rude": True}, why="it is")
    store.append([entry(place, scorer_id, 0, further=((other, rude),)), entry(place, scorer_id, 1)])
    assert [row.outcomes for row in store.rows(place, other)] == [{"rude": True}, {}]
    assert store.rows(place, scorer_id)[0].outcomes["passed"] is True
    assert [(one.id, one.words) for one in store.scorers(place.id)] == [
        (scorer_id, "judge 1"),
        (other, "tone 1 by openai/gpt"),
    ]
    unused = store.ensure_scorer("nobody", "1")
    assert unused not in {one.id for one in store.scorers(place.id)}


def test_rows_can_be_few_or_the_absent_ones_only(
    store: Store, place: StoredPart, scorer_id: int
) -> None:
    timeout = Transcript((Attempt(absent=Reason.TIMEOUT),))
    store.append(
        [
            entry(place, scorer_id, 0),
            entry(place, scorer_id, 1, transcript=timeout, score=Score({}, Reason.TIMEOUT)),
            entry(place, scorer_id, 2, score=Score({}, Reason.CANNOT_SAY)),
            entry(place, scorer_id, 3),
        ]
    )
    ids = [row.sample_id for row in store.rows(place, scorer_id, most=3)]
    assert ids == ["s-0", "s-1", "s-2"]
    absent = [row.sample_id for row in store.rows(place, scorer_id, absent_only=True)]
    assert absent == ["s-1", "s-2"]
    assert [r.sample_id for r in store.rows(place, scorer_id, most=1, absent_only=True)] == ["s-1"]
    other = store.ensure_scorer("another", "1")
    assert len(store.rows(place, other, absent_only=True)) == 4, "nobody judged them"


def test_replies_are_the_newest_of_several_runs(store: Store, scorer_id: int) -> None:
    for number, words in enumerate(("old", "new"), 1):
        store.add_run(run(f"2026010{number}-000000-aaaaaa"))
        place = part(store, f"2026010{number}-000000-aaaaaa")
        sent = (Message("user", "q"),)
        said = Transcript((Attempt(sent, Reply(words)),))
        store.append([entry(place, scorer_id, 7, transcript=said)])
    found = store.replies([bytes([7]) * 16, bytes(16)])
    assert {key: one.attempts[0].reply for key, one in found.items()} == {
        bytes([7]) * 16: Reply("new")
    }


def test_another_scorers_scores_stand_beside_the_first(
    store: Store, place: StoredPart, scorer_id: int
) -> None:
    store.append([entry(place, scorer_id, 0), entry(place, scorer_id, 1)])
    other = store.ensure_scorer("judge", "2", "openai/gpt")
    assert other != scorer_id
    assert store.ensure_scorer("judge", "2", "openai/gpt") == other
    store.rescore(
        place.id, other, [(0, Score({"passed": False})), (1, Score({}, Reason.JUDGE_ERROR))]
    )
    store.rescore(place.id, other, [(1, Score({"passed": True}, why="again"))])
    assert [row.outcomes["passed"] for row in store.rows(place, scorer_id)] == [True, True]
    assert [row.outcomes["passed"] for row in store.rows(place, other)] == [False, True]
    assert store.scores(place.id, 1) == [
        ("judge", "1", "", Score({"passed": True, "rating": 0.5, "word": "yes"}, why="because")),
        ("judge", "2", "openai/gpt", Score({"passed": True}, why="again")),
    ]


def test_replies_of_any_run_are_found_by_what_was_asked(
    store: Store, place: StoredPart, scorer_id: int
) -> None:
    timeout = Transcript((Attempt(absent=Reason.TIMEOUT),))
    store.append(
        [
            entry(place, scorer_id, 0),
            entry(place, scorer_id, 1, transcript=timeout, score=Score({}, Reason.TIMEOUT)),
        ]
    )
    found = store.replies([bytes(16), b"\x01" * 16, b"\x02" * 16])
    assert found == {bytes(16): entry(place, scorer_id, 0).transcript}
    assert store.replies([]) == {}


def test_usage_is_a_sum_of_what_is_known(store: Store, place: StoredPart, scorer_id: int) -> None:
    assert store.usage(place.run_id) == Usage(0, None, None, None, 0.0)
    silent = Transcript((Attempt(reply=Reply("?")), Attempt(reply=Reply("?"))))
    store.append([entry(place, scorer_id, 0), entry(place, scorer_id, 1)])
    store.append([entry(place, scorer_id, 2, transcript=silent)])
    assert store.usage(place.run_id) == Usage(4, 20, 4, 0.5, 1.0, 0, 0.0)


def test_a_sum_of_tokens_beyond_any_column_is_no_error(
    store: Store, place: StoredPart, scorer_id: int
) -> None:
    many = Attempt(reply=Reply("?", usage=Tokens(2**31 - 1, 10**30)))
    store.append([entry(place, scorer_id, 0, transcript=Transcript((many, many)))])
    assert store.usage(place.run_id).output_tokens == 2**31 - 1


def test_runs_are_listed_newest_first_and_found_by_their_beginning(store: Store) -> None:
    with pytest.raises(UsageError, match="holds no run"):
        store.run("last")
    store.add_run(run("20260101-000000-aaaaaa"))
    store.add_run(run("20260102-000000-bbbbbb", started="2026-01-02T00:00:00Z"))
    store.add_run(run("20260102-000001-bbbccc", started="2026-01-02T00:00:01Z"))
    assert [r.id[-6:] for r in store.runs()] == ["bbbccc", "bbbbbb", "aaaaaa"]
    assert [r.id[-6:] for r in store.runs(newest=1)] == ["bbbccc"]
    assert store.run("last").id.endswith("bbbccc")
    assert store.run("20260101").id.endswith("aaaaaa")
    assert store.run("20260102-000000-bbbbbb").body == run().body
    with pytest.raises(UsageError, match="several runs begin with `20260102`"):
        store.run("20260102")
    with pytest.raises(UnknownName, match="no run called `20260101-000000-aaaaab`") as caught:
        store.run("20260101-000000-aaaaab")
    assert "20260101-000000-aaaaaa" in caught.value.hint


@pytest.mark.parametrize("sign", ["%", "_", "2026%", "\\"])
def test_signs_that_databases_read_as_wildcards_find_no_run(store: Store, sign: str) -> None:
    store.add_run(run())
    with pytest.raises(UnknownName):
        store.run(sign)


def test_only_unfinished_runs_of_the_same_command_are_continued(store: Store) -> None:
    for i, status in enumerate(["running", "interrupted", "budget", "failed", "complete"]):
        store.add_run(run(f"r{i}", started=f"2026-01-0{i + 1}T00:00:00Z"))
        store.set_status(f"r{i}", status, "why")
    store.add_run(run("other", spec_key="another"))
    assert [r.id for r in store.unfinished("spec")] == ["r3", "r2", "r1", "r0"]


def test_a_status_says_why_and_when(store: Store) -> None:
    store.add_run(run())
    store.set_status(run().id, "budget", "spent \0")
    found = store.run(run().id)
    assert (found.status, found.status_why) == ("budget", "spent \\0")
    assert found.finished is not None
    store.set_status(run().id, "running")
    assert store.run(run().id).finished is None


def test_removing_a_run_leaves_the_others_whole(store: Store, place: StoredPart) -> None:
    scorer_id = store.ensure_scorer("judge", "1")
    store.add_run(run("other"))
    kept = part(store, "other")
    store.append([entry(place, scorer_id, 0), entry(kept, scorer_id, 0)])
    store.remove_run(place.run_id)
    assert [r.id for r in store.runs()] == ["other"]
    assert store.parts(place.run_id) == []
    assert len(store.rows(kept, scorer_id)) == 1
    with store.engine.connect() as connection:
        for table in metadata.tables.values():
            if table.name in ("transcript", "transcript_text", "score", "part", "run"):
                rows = connection.execute(sa.select(sa.func.count()).select_from(table))
                assert rows.scalar() == 1, table.name


def test_parts_are_made_once_and_keep_their_order(store: Store) -> None:
    store.add_run(run())
    first, second = part(store, benchmark="b"), part(store, benchmark="a")
    assert part(store, benchmark="b") == first
    assert [found.benchmark for found in store.parts(run().id)] == ["b", "a"]
    assert first.body.ask == Ask(temperature=0.5)
    assert second.body.planned == {"c": 3, "": 1}


def test_known_secrets_are_in_no_table(store: Store) -> None:
    secret = 'sk-"quoted"\\secret'
    remember(secret)
    store.add_run(run(body=RunBody("0", {"base_url": f"http://x/{secret}"}, {"k": secret})))
    place = part(store)
    scorer_id = store.ensure_scorer("judge", "1")
    told = Transcript((Attempt(reply=Reply(f"your key is {secret}")),))
    store.append(
        [entry(place, scorer_id, 0, transcript=told, score=Score({"said": secret}, why=secret))]
    )
    store.set_status(run().id, "failed", f"wrong key {secret}")
    with store.engine.connect() as connection:
        cells = [
            str(bytes(cell) if isinstance(cell, memoryview) else cell)
            for table in metadata.tables.values()
            for row in connection.execute(sa.select(table))
            for cell in row
        ]
    assert not [cell for cell in cells if "quoted" in cell]
    ((_, _, _, text),) = store.texts(place.id)
    assert text.transcript.attempts[0].reply == Reply("your key is [secret]")


async def test_an_evaluation_can_be_stopped_and_continued(store: Store) -> None:
    stop = asyncio.Event()
    first = Counting(stop_after(20, stop), concurrency=4)
    begun = await evaluated(first, task(60), store, stop=stop)
    assert begun.ending.status == "interrupted"
    (place,) = store.parts(begun.run_id)
    scorer_id = store.ensure_scorer("says-ok", "1")
    stored = {row.sample_id for row in store.rows(place, scorer_id)}
    second = Counting()
    ended = await evaluated(second, task(60), store)
    assert (ended.run_id, ended.continued, ended.ending.status) == (begun.run_id, True, "complete")
    assert {f"small-{t.split()[1]}" for t in second.asked}.isdisjoint(stored)
    assert len(store.rows(place, scorer_id)) == 60


# migrations


def scripts() -> ScriptDirectory:
    config = Config()
    folder = Path(safemark.store.__file__).parents[1] / "migrations"
    config.set_main_option("script_location", str(folder))
    return ScriptDirectory.from_config(config)


def test_head_is_the_newest_migration() -> None:
    assert scripts().get_heads() == [HEAD]


def test_migrated_tables_have_exactly_the_columns_that_the_store_names(store: Store) -> None:
    looked = sa.inspect(store.engine)
    assert set(looked.get_table_names()) == set(metadata.tables) | {"alembic_version"}
    for name, table in metadata.tables.items():
        columns = {column["name"]: column["type"] for column in looked.get_columns(name)}
        assert list(columns) == [column.name for column in table.columns], name
        for column in table.columns:
            generic = type(columns[column.name].as_generic())
            assert issubclass(generic, type(column.type)) or issubclass(generic, sa.Text), (
                f"{name}.{column.name}"
            )
        keys = looked.get_pk_constraint(name)["constrained_columns"]
        assert keys == [column.name for column in table.primary_key.columns], name


def test_opening_twice_migrates_once(url: str) -> None:
    for _ in range(2):
        opened = Store(url)
        with opened.engine.connect() as connection:
            versions = connection.execute(sa.text("select version_num from alembic_version"))
            assert versions.scalars().all() == [HEAD]
        opened.close()


def test_many_that_open_a_new_store_at_once_all_succeed(url: str) -> None:
    failures: list[Exception] = []

    def open_it() -> None:
        try:
            Store(url).close()
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_store_of_a_newer_version_is_refused_with_a_hint(url: str) -> None:
    opened = Store(url)
    with opened.engine.connect() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
        connection.commit()
    opened.close()
    with pytest.raises(StoreError, match="newer Safemark") as caught:
        Store(url)
    assert "update Safemark" in caught.value.hint


def test_a_migration_that_was_killed_half_way_left_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store.db"
    create = DefaultImpl.create_table
    count = 0

    def dies(self: DefaultImpl, table: sa.Table, **named: Any) -> None:
        nonlocal count
        count += 1
        if count == 4:
            raise KeyboardInterrupt
        create(self, table, **named)

    with monkeypatch.context() as patch:
        patch.setattr(DefaultImpl, "create_table", dies)
        with pytest.raises(KeyboardInterrupt):
            Store(str(path))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("select name from sqlite_master").fetchall() == []
    Store(str(path)).close()


# files and addresses


def test_store_files_are_only_for_their_owner(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        path = tmp_path / "deep" / "store.db"
        store = Store(str(path))
        store.add_run(run())
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        store.close()
    finally:
        os.umask(old)
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


def test_a_store_that_was_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.touch(0o644)
    Store(str(path)).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_environment_names_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFEMARK_STORE", str(tmp_path / "named.db"))
    Store().close()
    assert (tmp_path / "named.db").is_file()


def test_a_store_in_memory_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store = Store(":memory:")
    store.add_run(run())
    assert store.shown_url == ":memory:"
    store.close()
    del store
    assert list(tmp_path.iterdir()) == []


def test_a_store_stays_where_it_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store("here.db")
    (tmp_path / "elsewhere").mkdir()
    store.close()  # connections are opened anew
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.add_run(run())
    store.close()
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("mysql://host/db", "stores of kind `mysql`"),
        ("http://host/db", "stores of kind `http`"),
        ("://", "is not a store address"),
        ("postgresql://host:port/db", "is not a store address"),
    ],
)
def test_an_address_that_is_none_is_a_usage_error(address: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        Store(address)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 100)
    with pytest.raises(StoreError, match=r"notes\.txt cannot be") as caught:
        Store(str(path))
    assert "--store" in caught.value.hint
    assert path.read_text().startswith("not a database")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written") as caught:
        Store(str(tmp_path / "file" / "store.db"))
    assert "SAFEMARK_STORE" in caught.value.hint


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(StoreError) as caught:
        Store("postgresql://me:hunter22@127.0.0.1:9/db")
    said = caught.value.problem + caught.value.hint
    assert "127.0.0.1:9" in said
    assert "hunter22" not in said


@pytest.mark.slow
def test_a_process_that_hits_its_file_size_limit_stops_with_what_is_stored(tmp_path: Path) -> None:
    script = """
import asyncio, resource, sys
from safemark.errors import StoreError
from safemark.store import Store
from tests.small import Counting, evaluated, task
store = Store(sys.argv[1])
if len(sys.argv) > 2:
    size = int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
try:
    print(asyncio.run(evaluated(Counting(), task(2000), store)).ending.status)
except StoreError as error:
    print(error.exit_code, error.problem, error.hint)
"""
    path = str(tmp_path / "store.db")
    command = [sys.executable, "-c", script, path]
    root = Path(__file__).parent.parent
    limited = subprocess.run([*command, "300000"], cwd=root, capture_output=True, text=True)
    assert limited.stdout.startswith("4 the store"), limited
    assert "free some space" in limited.stdout
    with closing(sqlite3.connect(path)) as connection:
        (stored,) = connection.execute("select count(*) from transcript").fetchone()
    assert 0 < stored < 2000
    free = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert free.stdout == "complete\n", free
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("select count(*) from transcript").fetchone() == (2000,)
        assert connection.execute("select count(*) from run").fetchone() == (1,)


def test_run_ids_sort_by_time_and_differ() -> None:
    ids = [new_run_id() for _ in range(10)]  # of a hundred, two are alike once in 3,000 times
    assert len(set(ids)) == 10
    assert [i[:15] for i in ids] == sorted(i[:15] for i in ids)
