"""Servers that are overrun, die, come back, are nobody, or know no such key: whole runs of them."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from aiohttp import web

from tests.cli.commands import apart, safemark
from tests.cli.test_network import serving
from tests.faults.running import by_question, everything_written
from tests.faults.targets import KEY, Target, slow_but_for
from tests.serving import Answer, Server, kept_port

OTHER = "7d1f0c2b9e8a4f63b5d2"
TLS = Path(__file__).parents[1] / "fixtures" / "tls"


@pytest.mark.parametrize("asks_to_wait", [False, True])
def test_a_storm_of_429_passes_and_every_sample_is_scored(
    target: Target, asks_to_wait: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safemark.models.limits._SPREAD_S", 0.01)
    if not asks_to_wait:
        monkeypatch.setattr("safemark.models.retry.Retrying._pause", _shortly)
    headers = {"Retry-After": "0.05"} if asks_to_wait else {}
    refusals = 0

    def answer(_text: str, _before: int) -> Answer:
        nonlocal refusals
        refusals += 1
        if 3 < refusals <= 9:  # fewer in a row than open the circuit
            return target.fails(429, "slow down", **headers)
        return target.says()

    with Server(answer) as server:
        done = safemark(*target.command(server.url, first=12, retries=8))
        assert done.code == 0, done.err
        assert len(server.asked) == 12 + 6
    found = by_question()
    assert len(found) == 12
    assert {one.outcome for one in found.values()} == {"scored"}
    assert sum(one.retries for one in found.values()) == 6
    assert "6 retries" in done.err


async def _shortly(*_: object) -> None:
    await asyncio.sleep(0.01)


def test_a_server_that_dies_and_returns_loses_nothing(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safemark.models.retry.Retrying._pause", _shortly)
    dying: list[asyncio.Task[None]] = []

    async def dies(_request: web.Request) -> web.StreamResponse:
        dying.append(asyncio.create_task(server.dies(0.2)))
        await asyncio.sleep(10)
        raise AssertionError("unreachable")

    with Server(lambda _text, _before: dies if len(server.asked) == 6 else target.says()) as server:
        done = safemark(
            *target.command(server.url, "--concurrency", "2", first=20, retries=30),
        )
        assert done.code == 0, done.err
        asked = Counter(server.asked)
    found = by_question()
    assert len(found) == 20
    assert {one.outcome for one in found.values()} == {"scored"}
    assert len(dying) == 1
    lost = {text for text, one in found.items() if one.retries}
    assert server.asked[5] in lost
    assert all(n == 1 for text, n in asked.items() if text not in lost)


def test_a_server_that_stays_down_ends_the_run_and_the_command_goes_on_when_it_is_back(
    target: Target,
) -> None:
    is_mended = False

    def answer(_text: str, _before: int) -> Answer:
        if is_mended or len(server.asked) < 8:
            return target.says()
        return target.fails(500, "upstream is away")

    with Server(answer) as server:
        command = target.command(server.url, "--concurrency", "2", first=30, retries=0)
        first = safemark(*command)
        assert first.code == 3, first.err
        before = by_question()
        scored = {text for text, one in before.items() if one.outcome == "scored"}
        assert len(scored) == 7
        assert {one.outcome for one in before.values()} == {"scored", "server_error"}
        is_mended = True
        server.asked.clear()
        second = safemark(*command)
        assert second.code == 0, second.err
        assert "continuing" in second.err
        assert not scored & set(server.asked), "a stored sample was asked again"
        assert set(Counter(server.asked).values()) == {1}
    after = by_question()
    assert len(after) == 30
    assert {one.outcome for one in after.values()} == {"scored"}


@pytest.mark.parametrize("status", [401, pytest.param(403, marks=pytest.mark.slow)])
def test_a_wrong_key_is_one_request_and_the_right_one_goes_on(
    target: Target, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = "sk-the-wrong-key-that-is-a-secret-as-well"
    monkeypatch.setenv(target.key_variable, wrong)
    with Server(
        lambda _text, _before: (
            target.says()
            if KEY in str(server.headers[-1])
            else target.fails(status, f"no such key: {wrong}")
        )
    ) as server:
        command = target.command(server.url, first=5)
        refused = safemark(*command)
        assert (refused.code, len(server.asked)) == (3, 1), refused.err
        assert f"check the key in {target.key_variable}" in refused.err
        (record,) = by_question().values()
        assert record.absent == "authentication"
        monkeypatch.setenv(target.key_variable, KEY)
        done = safemark(*command)
        assert done.code == 0, done.err
        assert "continuing" in done.err
        assert len(server.asked) == 1 + 5
    assert {one.outcome for one in by_question().values()} == {"scored"}
    written = everything_written(refused) + everything_written(done)
    assert wrong.encode() not in written
    assert KEY.encode() not in written


@pytest.mark.parametrize("status", [401, 400, 500])
def test_a_key_of_somebody_else_in_an_error_is_neither_shown_nor_kept(
    target: Target, status: int
) -> None:
    """Gateways answer with the key that they themselves hold, or with a part of it."""
    whole, masked = "sk-proj-Zq8vW2nR5tY7uB3cD4eF6gH9", "sk-Zq8v****************************gH9x"
    told = f"Incorrect API key provided: {whole}. You sent {masked}, Authorization: Bearer {OTHER}"
    with Server(lambda _text, _before: target.fails(status, told)) as server:
        done = safemark(*target.command(server.url, first=2, retries=0))
    assert done.code == 3, done.err
    written = everything_written(done)
    assert b"Incorrect API key provided: [secret]" in written
    assert all(part.encode() not in written for part in (whole, "Zq8v", "gH9x", OTHER))


def test_a_host_that_nobody_knows_is_absent_and_said(target: Target, no_network: list[str]) -> None:
    done = safemark(*target.command("http://nobody.invalid/v1", first=3, retries=0))
    hosts = set(no_network)
    no_network.clear()
    assert hosts == {"nobody.invalid"}
    assert done.code == 3, done.err
    found = by_question()
    assert {one.outcome for one in found.values()} == {"transport"}
    assert all(
        "nobody knows the host of http://nobody.invalid" in one.why for one in found.values()
    )
    assert 1 <= len(found) <= 3


def test_nobody_listening_is_absent_and_said(target: Target) -> None:
    with kept_port() as port:
        done = safemark(*target.command(f"http://127.0.0.1:{port}/v1", first=3, retries=0))
    assert done.code == 3, done.err
    found = by_question()
    assert {one.outcome for one in found.values()} == {"transport"}
    assert all("listening at http://127.0.0.1" in one.why for one in found.values())


def test_a_certificate_that_nobody_vouches_for_is_absent_and_said(target: Target) -> None:
    with serving("server.pem") as server:
        done = safemark(*target.command(server.url, first=2, retries=0))
    assert (done.code, server.asked) == (3, []), done.err
    found = by_question()
    assert {one.outcome for one in found.values()} == {"transport"}
    assert all("SSL_CERT_FILE names the authorities" in one.why for one in found.values())


@slow_but_for()
def test_an_expired_certificate_is_absent_and_said(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "expired.pem"))
    with serving("expired.pem") as server:
        done = apart(*target.command(server.url, first=2, retries=0))
    assert (done.code, server.asked) == (3, []), done.err
    found = by_question()
    assert {one.outcome for one in found.values()} == {"transport"}
    assert all("certificate has expired" in one.why for one in found.values())
