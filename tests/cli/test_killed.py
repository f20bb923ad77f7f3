"""A real process, a real server, a real SIGKILL: nothing stored is lost or asked twice."""

import asyncio
import math
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from safemark.store import Store
from tests.cli.commands import Done, finished, started
from tests.serving import Answer, Server, waits
from tests.waiting import until

Asked = tuple[str, int]
"""A question and the seed it was asked with, which tells repeats apart."""


class Slow:
    """Answers after ``seconds``, and no more questions than ``most``; both may be changed."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.most = math.inf
        self._asked = 0

    def __call__(self, _text: str, _before: int) -> Answer:
        self._asked += 1
        return self._answer(self._asked)

    def _answer(self, number: int) -> Answer:
        async def answer(request: web.Request) -> web.StreamResponse:
            while number > self.most:  # noqa: ASYNC110 - changed by another thread
                await asyncio.sleep(0.01)
            return await waits(self.seconds)(request)

        return answer


def log(server: Server) -> list[Asked]:
    return [(body["messages"][-1]["content"], body.get("seed", 0)) for body in server.bodies]


def stored(path: Path) -> Counter[Asked]:
    """What the store holds, read as any other program would."""
    if not path.exists():
        return Counter()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        has = "select count(*) from sqlite_master where name = 'score'"
        if connection.execute(has).fetchone() == (0,):
            return Counter()
        rows = connection.execute(
            "select x.body, t.repeat from transcript t join transcript_text x"
            " using (part_id, position) where (part_id, position) in"
            " (select part_id, position from score)"
        ).fetchall()
    found: Counter[Asked] = Counter()
    for body, repeat in rows:
        text = msgspec.json.decode(body)
        found[text["sample"]["messages"][-1]["content"], repeat] += 1
    return found


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "evidence.db"
    monkeypatch.setenv("SAFEMARK_STORE", str(file))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-made-up-for-a-test")
    return file


@pytest.fixture
def answer() -> Slow:
    return Slow(0.03)


@pytest.fixture
def server(answer: Slow) -> Iterator[Server]:
    with Server(answer) as running:
        yield running


def command(server: Server, *more: str) -> list[str]:
    model = ["openai/x", "--base-url", server.url, "--concurrency", "2"]
    return ["run", *model, "-b", "audit150", "--offline", *more]


def until_asked(server: Server, n: int) -> None:
    until(lambda: len(server.asked) >= n, f"{n} questions asked")


def killed_again_and_again(
    rounds: int, server: Server, answer: Slow, path: Path, seed: int, repeats: int = 1
) -> None:
    draw = random.Random(seed)
    given = command(server, "--repeats", str(repeats), *(["--temperature", "1"] * (repeats > 1)))
    before: Counter[Asked] = Counter()
    at_once = 150 * repeats // rounds - 5  # so that the run is not complete before the end
    for number in range(rounds):
        already = len(server.bodies)
        answer.most = already + at_once
        process = started(*given)
        if draw.random() < 0.75:
            until_asked(server, already + draw.randrange(1, 20))
            time.sleep(draw.uniform(0, 1))
        else:  # somewhere between its first line and its first question
            time.sleep(draw.uniform(0, 1.5))
        if number == rounds - 1:
            until_asked(server, already + 1)
            until(lambda: stored(path), "something is stored")
        process.send_signal(signal.SIGKILL)
        finished(process)
        assert not before.keys() & set(log(server)[already:]), "a stored sample was asked again"
        now = stored(path)
        assert now.keys() >= before.keys(), "a stored sample was lost"
        assert set(now.values()) <= {1}
        before = now
    answer.seconds, answer.most = 0, math.inf
    already = len(server.bodies)
    done = finished(started(*given))
    assert done.code in (0, 3), done.err
    assert "continuing" in done.err
    assert not before.keys() & set(log(server)[already:])
    after = stored(path)
    assert len(after) == 150 * repeats
    assert set(after.values()) == {1}
    assert set(log(server)[already:]) == after.keys() - before.keys()
    store = Store(str(path))
    (run,) = store.runs()
    store.close()
    assert run.status == "complete"


def test_a_killed_run_loses_nothing_stored_and_asks_none_of_it_again(
    server: Server, answer: Slow, path: Path
) -> None:
    killed_again_and_again(3, server, answer, path, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_killed_fifty_times_is_complete_in_the_end(
    server: Server, answer: Slow, path: Path
) -> None:
    answer.seconds = 0.06
    killed_again_and_again(50, server, answer, path, seed=2, repeats=12)


@pytest.mark.parametrize(
    "how", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_an_interrupted_run_says_how_to_continue_and_does(
    server: Server, answer: Slow, path: Path, how: signal.Signals
) -> None:
    answer.most = 40
    process = started(*command(server))
    until_asked(server, 20)
    process.send_signal(how)
    stopped = finished(process)
    assert stopped.code == 130, stopped.err
    assert "Repeat the command to continue" in stopped.err
    before = stored(path)
    assert len(before) >= 17, "what was finished is stored"
    answer.seconds, answer.most = 0, math.inf
    already = len(server.bodies)
    done = finished(started(*command(server)))
    assert done.code in (0, 3), done.err
    assert "continuing" in done.err
    assert not before.keys() & set(log(server)[already:])
    assert len(stored(path)) == 150


def test_an_interrupted_run_ends_at_once_though_the_server_never_answers(
    server: Server, answer: Slow, path: Path
) -> None:
    answer.seconds = 600
    process = started(*command(server))
    until_asked(server, 1)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    done = finished(process)
    assert done.code == 130
    assert time.monotonic() - began < 20
    assert "Traceback" not in done.err


@pytest.mark.slow
def test_two_processes_with_one_command_work_on_two_runs(
    server: Server, answer: Slow, path: Path
) -> None:
    answer.most = 10
    first = started(*command(server, "--first", "30"))
    until_asked(server, 12)
    second = started(*command(server, "--first", "30"))
    until_asked(server, 13)
    answer.most = math.inf
    ends: list[Done] = [finished(first), finished(second)]
    assert [done.code in (0, 3) for done in ends] == [True, True], ends
    assert "continuing" not in ends[1].err
    store = Store(str(path))
    runs = store.runs()
    store.close()
    assert [run.status for run in runs] == ["complete", "complete"]
    assert len(server.asked) == 60
