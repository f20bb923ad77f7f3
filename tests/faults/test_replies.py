"""Every fault that one reply can have, in one run of each kind of server: what the records say."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import cache

import pytest
from aiohttp import web

from tests.cli.commands import safemark
from tests.faults.running import by_question, everything_written
from tests.faults.targets import KEY, REFUSES, Target
from tests.serving import Answer, Server, hangs_up, sends, tears

RETRIES = 1
BIG_FOR = ("chat", "http")
"""Judging ten megabytes takes most of a second; each protocol reads them in test_protocols.py."""


@cache
def big() -> str:
    """Ten megabytes that no two words of are the same."""
    return "It is " + " ".join(map(str, range(1_450_000)))


def raw(target: Target, text: bytes) -> Answer:
    """A good reply but for the bytes of its text."""
    return sends(json.dumps(target.body("@@")).encode().replace(b"@@", text))


def cut(target: Target) -> Answer:
    return sends(json.dumps(target.body(REFUSES)).encode()[:-9])


def drips(target: Target) -> Answer:
    """A good reply, a byte now and then: it never gets there in time."""
    body = json.dumps(target.body(REFUSES)).encode()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        with suppress(ConnectionError):
            for byte in body:
                await response.write(bytes([byte]))
                await asyncio.sleep(0.05)
        return response

    return answer


Fault = Callable[[Target], Answer | None]

PASSING: dict[str, tuple[Fault, str]] = {
    "429": (lambda t: t.fails(429, "slow down"), "rate_limited"),
    "429 with Retry-After": (lambda t: t.fails(429, "slow", Retry_After="0"), "rate_limited"),
    "500": (lambda t: t.fails(500, "oops"), "server_error"),
    "503 page": (lambda _: sends(b"<html>Busy</html>", 503, "text/html"), "server_error"),
    "529": (lambda t: t.fails(529, "Overloaded"), "server_error"),
    "408": (lambda t: t.fails(408, "you were slow"), "timeout"),
    "reset in the body": (lambda _: tears(), "transport"),
    "hung up": (lambda _: hangs_up(), "transport"),
    "not gzip": (lambda _: sends(b"plain", Content_Encoding="gzip"), "transport"),
}
"""Faults that may pass: tried again `RETRIES` times, and once more when the command is repeated."""

MUDDLED: dict[str, tuple[Fault, str]] = {
    "truncated JSON": (cut, "bad_response"),
    "HTML page": (
        lambda _: sends(b"<!doctype html><title>Hello</title>", content_type="text/html"),
        "bad_response",
    ),
    "empty body": (lambda _: sends(b""), "bad_response"),
    "not an object": (lambda _: sends(b"[1]"), "bad_response"),
    "deep": (lambda _: sends(b'{"a":' * 90_000), "bad_response"),
    "invalid UTF-8": (lambda t: raw(t, b"\xff\xfe"), "bad_response"),
    "lone surrogate": (lambda t: raw(t, b"\\ud83d ."), "bad_response"),
}
"""Replies that cannot be read: not tried again at once, asked for when the command is repeated."""

SETTLED: dict[str, tuple[Fault, str]] = {
    "400": (lambda t: t.fails(400, "messages: must not be empty"), "bad_request"),
    "too long": (lambda t: t.fails(400, "prompt is too long"), "context_too_long"),
    "filter by status": (
        lambda t: t.fails(400, "Output blocked by content filtering policy"),
        "blocked",
    ),
    "content filter": (lambda t: t.sends(t.blocked), "blocked"),
    "empty text": (lambda t: t.says(""), "empty_reply"),
    "refusal field": (lambda t: t.sends(t.refused) if t.refused else None, "scored"),
    "wrong content type": (
        lambda t: sends(json.dumps(t.body(REFUSES)).encode(), content_type="text/plain"),
        "scored",
    ),
    "10 MB": (lambda t: t.says(big()) if t.name in BIG_FOR else None, "scored"),
    "control characters": (lambda t: t.says("\x1b[31m\x00\u202e" + REFUSES), "scored"),
    "paired surrogates": (lambda t: raw(t, b"\\ud83d\\ude00 no"), "scored"),
}
"""What stands as it is: asked once, and never again."""


def faults(target: Target) -> dict[str, tuple[Answer, str, int]]:
    """Fault → what is sent, the outcome to be stored, and how often it is asked for."""
    once = {**SETTLED, **MUDDLED}  # what is scored comes first: facts, for which any text will do
    once["tool call"] = (
        lambda t: t.sends(t.called) if t.called else None,
        target.called_reason,
    )
    once["no choices"] = (lambda t: t.sends(t.nothing), target.nothing_reason)
    found = {}
    for some, often in ((once, 1), (PASSING, 1 + RETRIES)):
        for name, (fault, reason) in some.items():
            if (answer := fault(target)) is not None:
                found[name] = (answer, reason, often)
    return found


class Faulty:
    """Questions have a fault in turn, every other one none; which one is learnt on the way."""

    def __init__(self, target: Target) -> None:
        self.faults = faults(target)
        self.good = target.says()
        self.is_mended = False
        self.of: dict[str, str | None] = {}
        self._left = [name for fault in self.faults for name in (None, fault)] + [None]

    @property
    def questions(self) -> int:
        return 2 * len(self.faults) + 1

    def __call__(self, text: str, _before: int) -> Answer:
        if text not in self.of:
            self.of[text] = self._left.pop(0)
        fault = self.of[text]
        return self.good if fault is None or self.is_mended else self.faults[fault][0]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits between tries are tested with the limits."""
    monkeypatch.setattr("safemark.models.retry.Retrying._pause", _at_once)


async def _at_once(*_: object) -> None:
    await asyncio.sleep(0)


def test_each_fault_is_one_record_with_its_reason_and_none_is_asked_again_once_settled(
    target: Target,
) -> None:
    faulty = Faulty(target)
    with Server(faulty) as server:
        command = target.command(
            server.url,
            *("--concurrency", "1", "--temperature", "0"),
            first=faulty.questions,
            retries=RETRIES,
            timeout_s=60,
        )
        first = safemark(*command)
        assert first.code == 3, first.err
        assert "repeat the command to ask for them again" in first.err
        found = by_question()
        assert len(found) == faulty.questions
        question_of = {fault: text for text, fault in faulty.of.items() if fault}
        outcomes = {fault: found[text].outcome for fault, text in question_of.items()}
        assert outcomes == {fault: reason for fault, (_, reason, _) in faulty.faults.items()}
        assert {found[text].outcome for text, fault in faulty.of.items() if not fault} == {"scored"}
        asked = Counter(server.asked)
        times = {fault: asked[text] for fault, text in question_of.items()}
        assert times == {fault: often for fault, (_, _, often) in faulty.faults.items()}
        assert {found[question_of[fault]].retries for fault in PASSING} == {RETRIES}
        assert all(one.why for one in found.values() if one.absent)
        if target.name in BIG_FOR:
            reply = found[question_of["10 MB"]].reply
            assert reply is not None
            assert reply["text"] == big()

        faulty.is_mended = True
        server.asked.clear()
        second = safemark(*command)
        assert "continuing" in second.err
        again = {faulty.of[text] for text in server.asked}
        assert len(server.asked) == len(again)
        may_pass = {f for f, (_, reason, _) in faulty.faults.items() if reason in _ASKED_AGAIN}
        assert again == may_pass
        after = by_question()
        assert len(after) == faulty.questions
        assert {after[text].outcome for text in server.asked} == {"scored"}
        kept = found.keys() - set(server.asked)
        assert all(after[text] == found[text] for text in kept), "what is settled stays as it is"
        assert KEY.encode() not in everything_written(first) + everything_written(second)


def test_a_reply_that_drips_is_given_up_in_time_and_asked_for_by_the_next_command(
    target: Target,
) -> None:
    with Server(lambda _text, _before: drips(target)) as server:
        first = safemark(*target.command(server.url, first=1, retries=RETRIES, timeout_s=0.3))
        assert first.code == 3, first.err
        (found,) = by_question().values()
        assert (found.outcome, found.retries, len(server.asked)) == (
            "timeout",
            RETRIES,
            1 + RETRIES,
        )
        server._answer = lambda _text, _before: target.says()
        server.asked.clear()
        second = safemark(*target.command(server.url, first=1, retries=RETRIES, timeout_s=60))
        assert "continuing" in second.err
        assert len(server.asked) == 1
    assert [one.outcome for one in by_question().values()] == ["scored"]


_ASKED_AGAIN = {"rate_limited", "server_error", "timeout", "transport", "bad_response"}
