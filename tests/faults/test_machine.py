"""What befalls our own machine: the client is killed, the disk is full, replies fill the memory."""

import random
import re
import resource
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from safemark.store import Entry, Store
from tests.cli.commands import finished, safemark, started
from tests.faults.running import by_question, is_complete, records, store_file
from tests.faults.targets import Target, slow_but_for
from tests.serving import Answer, Server, hangs_up, tears, waits
from tests.waiting import until


class Stormy:
    """Answers after a while; one try in five fails in passing, one question in twenty for good."""

    def __init__(self, target: Target, seconds: float) -> None:
        self.target = target
        self.seconds = seconds
        self._draw = random.Random(7)

    def __call__(self, text: str, _before: int) -> Answer:
        if sum(map(ord, text)) % 20 == 0:
            return self.target.fails(400, "messages: must not be empty")
        passing = [self.target.fails(500, "oops"), tears(), hangs_up()]
        passing.append(self.target.fails(429, "slow down", Retry_After="0"))
        if self.seconds and self._draw.random() < 0.2:
            return self._draw.choice(passing)
        return waits(self.seconds, self.target.says())


def killed_in_a_storm(target: Target, rounds: int, questions: int, seed: int) -> None:
    draw = random.Random(seed)
    stormy = Stormy(target, 0.02)
    with Server(stormy) as server:
        command = target.command(
            server.url, "--concurrency", "4", first=questions, retries=2, timeout_s=20
        )
        settled: set[str] = set()
        most = 0
        for number in range(rounds):
            already = len(server.asked)
            process = started(*command)
            asks_or_ends(process, server, already + draw.randrange(1, 12))
            time.sleep(draw.uniform(0, 0.8))
            if number == rounds - 1 and not most:
                until(settled_now, "something is stored")
            process.send_signal(signal.SIGKILL)
            finished(process)
            assert not settled & set(server.asked[already:]), "a stored sample was asked again"
            found = by_question()
            assert found.keys() >= settled, "a stored sample was lost"
            settled = settled_now()
            most = max(most, len(settled))
            if is_complete():  # the command would begin another run now: so do we
                for file in store_file().parent.glob(f"{store_file().name}*"):
                    file.unlink()
                settled = set()
        assert most, "nothing was stored in any round"
        stormy.seconds = 0
        already = len(server.asked)
        done = finished(started(*command))
        assert done.code in (0, 3), done.err
        assert not settled & set(server.asked[already:])
    after = by_question()
    assert len(after) == questions
    for text, one in after.items():
        assert one.outcome == ("bad_request" if sum(map(ord, text)) % 20 == 0 else "scored")


def asks_or_ends(process: "subprocess.Popen[str]", server: Server, n: int) -> None:
    until(lambda: len(server.asked) >= n or process.poll() is not None, f"{n} questions asked")


def settled_now() -> set[str]:
    """Questions that are stored for good."""
    done = ("scored", "bad_request")
    return {text for text, one in by_question().items() if one.outcome in done}


@slow_but_for("anthropic")
def test_a_client_killed_in_a_storm_loses_nothing_and_asks_nothing_twice(target: Target) -> None:
    killed_in_a_storm(target, rounds=2, questions=40, seed=3)


@slow_but_for()
@pytest.mark.timeout(900)
def test_a_client_killed_often_in_a_storm(target: Target) -> None:
    # fifty rounds in all over the servers; fifty more on one are in tests/cli/test_killed.py
    killed_in_a_storm(target, rounds=9, questions=60, seed=4)


@slow_but_for("google")
def test_a_full_disk_stops_the_run_and_the_command_goes_on_when_there_is_room(
    target: Target,
) -> None:
    with Server(lambda _text, _before: target.says(" ".join(map(str, range(1500))))) as server:
        done = safemark(*target.command(server.url, first=1))  # makes the store
        assert done.code in (0, 3), done.err
        server.asked.clear()
        command = target.command(server.url, "--concurrency", "1", first=60)
        full = finished(started(*command, preexec_fn=_small_files))
        assert full.code == 4, full.err
        assert "cannot be written" in full.err
        assert "free some space and repeat the command" in full.err
        assert "Traceback" not in full.err
        stored = {one.question for one in records()}
        first = set(server.asked)
        server.asked.clear()
        mended = safemark(*command)
        assert mended.code in (0, 3), mended.err
        again = Counter(server.asked)
        assert set(again.values()) == {1}
    kept = Counter(one.question for one in records())
    assert "continuing" in mended.err
    assert again.keys() == kept.keys() - stored, "what is stored is not asked again"
    assert len(kept) == 60
    assert first - stored, "it was full before the end"


def _small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, 250_000))


def test_a_scorecard_that_cannot_be_written_leaves_the_records(target: Target) -> None:
    Path("scorecard.html").symlink_to("/dev/full")
    with Server(lambda _text, _before: target.says()) as server:
        done = safemark(*target.command(server.url, first=3))
    assert done.code == 4
    assert "scorecard.html cannot be written: No space left on device" in done.err
    (run,) = re.findall(r"safemark report (\S+) -o FILE", done.err)
    assert len(by_question()) == 3
    assert safemark("report", run, "-f", "html", "-o", "elsewhere.html").code == 0


@slow_but_for("responses")
def test_large_replies_are_stored_before_they_pile_up(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    append = Store.append

    def watched(store: Store, entries: Sequence[Entry]) -> None:
        batches.append(len(entries))
        append(store, entries)

    monkeypatch.setattr(Store, "append", watched)
    monkeypatch.setattr("safemark.engine.writing.FLUSH_S", 60)
    monkeypatch.setattr("safemark.engine.writing.MOST_CHARACTERS", 40_000)
    with Server(lambda _text, _before: target.says("word " * 3000)) as server:
        done = safemark(*target.command(server.url, "--concurrency", "1", first=10))
    assert done.code in (0, 3), done.err
    assert batches == [3, 3, 3, 1]


@pytest.mark.slow
@pytest.mark.parametrize("target", ["chat", "http"], indirect=True)
@pytest.mark.timeout(360)
def test_large_replies_do_not_fill_the_memory(target: Target) -> None:
    """Forty replies of 10 MB are 400 MB, and as much again as JSON."""
    big = target.says("It is " + " ".join(map(str, range(1_450_000))))
    with Server(lambda _text, _before: big) as server:
        process = started(*target.command(server.url, "--concurrency", "2", first=40))
        seen = _Peak(process.pid)
        seen.start()
        done = finished(process, timeout_s=300)
        seen.join()
    assert done.code in (0, 3), done.err
    assert len(by_question()) == 40
    assert 50 < seen.peak_mb < 450


class _Peak(threading.Thread):
    """Looks at the most memory that a process ever held, until it is gone."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._status = Path(f"/proc/{pid}/status")
        self.peak_mb = 0.0

    def run(self) -> None:
        while match := re.search(r"VmHWM:\s+(\d+) kB", self._read()):
            self.peak_mb = int(match[1]) / 1024
            time.sleep(0.02)

    def _read(self) -> str:
        try:
            return self._status.read_text()
        except OSError:
            return ""
