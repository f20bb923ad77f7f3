"""A judge that is down or talks nonsense: replies stay, scores are absent with the true reason."""

import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from tests.cli.commands import Done, safemark
from tests.faults.running import everything_written, store_file
from tests.faults.targets import KEY
from tests.serving import Answer, Server, fails, says, sends, tears, waits

VERDICT = "#scores\n1.a no\n1.b 0\n2.a so\n2.b 4\n3.a so\n3.b 5"
N = 6


@pytest.fixture(autouse=True)
def run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replies to judge."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    done = safemark("run", "fake/refuse", "-b", "audit150", "--first", str(N), "--offline")
    assert done.code == 0, done.err


def judged(url: str, monkeypatch: pytest.MonkeyPatch, timeout_s: float = 60) -> Done:
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    with_it = ("--with", "judge_strongreject", "--judge", "openai/j")
    settings = ("retries=0", f"timeout_s={timeout_s}")
    options = [word for setting in settings for word in ("--judge-option", setting)]
    return safemark("rejudge", "last", *with_it, *options, "--json")


def absences() -> Counter[str | None]:
    """How often each reason stands in the judge's scores; None is a score."""
    with closing(sqlite3.connect(store_file())) as connection:
        rows = connection.execute(
            "select s.absent from score s join scorer c on c.id = s.scorer_id"
            " where c.name = 'judge_strongreject'"
        ).fetchall()
    return Counter(absent for (absent,) in rows)


FAULTS: dict[str, tuple[Answer, str, int]] = {
    "500": (fails(500, "oops"), "server_error", N),
    "429": (fails(429, "slow down"), "rate_limited", N),
    "reset": (tears(), "transport", N),
    "too slow": (waits(600), "timeout", N),
    "truncated": (sends(b'{"choi'), "bad_response", N),
    "page": (sends(b"<html></html>", content_type="text/html"), "bad_response", N),
    "empty": (says(""), "unparsed_verdict", N),
    "no verdict": (says("I would say so, or not."), "unparsed_verdict", N),
    "filtered": (says(None, finish_reason="content_filter"), "judge_refused", N),
    "wrong key": (fails(401, f"no such key: {KEY}"), "authentication", 1),
}
"""What a judge answers, why there is no score then, and how many replies it is shown."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failing_judge_leaves_absent_scores_that_say_it_was_the_judge(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, reason, shown = FAULTS[fault]
    with Server(lambda _text, _before: answer) as server:
        done = judged(server.url, monkeypatch, 0.3 if reason == "timeout" else 60)
    assert absences() == {reason: shown}
    if reason == "authentication":
        assert (done.code, len(server.asked)) == (3, 1)
    assert KEY.encode() not in everything_written(done)


def test_when_the_judge_is_back_it_is_shown_what_is_left_and_nothing_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Server(
        lambda _text, _before: says(VERDICT) if len(server.asked) <= 2 else fails(500, "away")
    ) as server:
        judged(server.url, monkeypatch)
        assert absences() == {None: 2, "server_error": N - 2}
        judged_already = set(server.asked[:2])
        server._answer = lambda _text, _before: says(VERDICT)
        server.asked.clear()
        done = judged(server.url, monkeypatch)
        assert done.code == 0, done.err
        assert len(server.asked) == N - 2
        assert not judged_already & set(server.asked)
    assert absences() == {None: N}
