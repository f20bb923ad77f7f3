from collections.abc import Iterator
from pathlib import Path

import pytest

from safemark.cli._progress import line
from safemark.engine import Progress
from safemark.models.limits import Traffic
from tests.cli.commands import Done, safemark
from tests.serving import Server, fails, says

REFUSAL = "I'm sorry, but I can't help with that."
PRICE = ("-M", "input_usd=1000", "-M", "output_usd=1000")
"""10 tokens in and 5 out are 1.5 cents."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a-key-of-a-test")
    with Server(lambda _text, _before: says(REFUSAL)) as running:
        yield running


def run(server: Server, *more: str) -> Done:
    return safemark(
        *("run", "openai/x", "--base-url", server.url, "-b", "audit150", "--offline"), *more
    )


def test_money_cannot_be_limited_where_the_price_is_not_known(server: Server) -> None:
    for more in ([], ["--dry-run"]):
        done = run(server, "--max-cost", "1", *more)
        assert done.code == 2
        assert "the price of openai/x is not known, so `--max-cost` cannot be kept" in done.err
        assert "-M input_usd=… -M output_usd=…, or --prices FILE" in done.err
    assert server.asked == []


def test_a_model_of_this_machine_costs_nothing_and_may_be_limited() -> None:
    assert safemark("run", "fake", "-b", "audit150", "--first", "2", "--max-cost", "1").code in (
        0,
        3,
    )


def test_a_stop_at_the_budget_tells_the_way_on_and_the_run_remembers_what_it_spent(
    server: Server,
) -> None:
    few = ("--first", "40", *PRICE, "--concurrency", "4")
    stopped = run(server, *few, "--max-cost", "0.3")
    assert stopped.code == 4
    assert "budget: the budget of $0.3 is used up" in stopped.err
    assert "repeat the command with a larger --max-cost: it continues" in stopped.err
    assert "continuing" not in stopped.err
    assert 18 <= len(server.asked) <= 20
    first = len(server.asked)
    again = run(server, *few, "--max-cost", "0.3")
    assert (again.code, len(server.asked)) == (4, first), "the same budget buys nothing more"
    assert "earlier commands included" in again.err
    more = run(server, *few, "--max-cost", "0.45")
    assert (more.code, len(server.asked)) == (4, 30)
    done = run(server, *few, "--json")
    assert done.code in (0, 3)
    assert len(server.asked) == len(set(server.asked)) == 40
    assert done.json["cost"]["usd"] == pytest.approx(0.6)
    assert done.json["cost"]["requests"] == 40


def test_ones_own_prices_are_used(server: Server) -> None:
    Path("mine.yaml").write_text("- provider: openai\n  prices:\n    x: [1000, null, 1000]\n")
    done = run(server, "--first", "4", "--prices", "mine.yaml", "--max-cost", "1", "--json")
    assert done.json["cost"]["usd"] == pytest.approx(0.06)
    Path("bad.yaml").write_text("- provider: openai\n")
    bad = run(server, "--first", "4", "--prices", "bad.yaml")
    assert bad.code == 2
    assert "the prices bad.yaml cannot be used" in bad.err


def test_a_dry_run_tells_the_listed_price_with_its_day_and_what_is_beyond_the_budget(
    server: Server,
) -> None:
    del server
    asked = ("run", "openai/gpt-4o-mini", "-b", "audit150", "--offline", "--dry-run")
    found = safemark(*asked, "--max-cost", "0.01", "--token-budget", "9", "--json").json
    assert found["price"]["input_usd"] == 0.15
    assert found["price"]["as_of"] == "2026-06-21"
    expected = (found["input_tokens"] * 0.15 + found["output_tokens_at_most"] * 0.60) / 1e6
    assert found["usd_at_most"] == pytest.approx(expected)
    assert found["beyond"] == ["--max-cost 0.01", "--token-budget 9"]
    shown = safemark(*asked, "--max-cost", "0.01").out
    assert "prices of 2026-06-21 (https://developers.openai.com/api/docs/pricing)" in shown
    assert "beyond --max-cost 0.01: it may stop there" in shown


def test_a_dry_run_tells_how_long_the_limits_a_minute_make_it(server: Server) -> None:
    found = run(server, "--dry-run", "--json", "--rpm", "50").json
    assert (found["requests"], found["seconds_by_limits"]) == (150, 180.0)
    assert found["price"] is None
    shown = run(server, "--dry-run", "--rpm", "50").out
    assert "at least 3:00 by the limits a minute" in shown
    assert "price not known: -M input_usd=… -M output_usd=…, or --prices FILE" in shown


def test_retries_are_told_at_the_end_and_in_the_document(server: Server) -> None:
    server._answer = lambda text, before: (
        fails(429, "slow down", Retry_After="0") if before == 0 and len(text) % 2 else says(REFUSAL)
    )
    done = run(server, "--first", "12", "--json")
    retries = len(server.asked) - 12
    assert retries > 0
    assert done.json["cost"]["retries"] == retries
    assert f" · {retries} retries" in done.err
    assert done.json["benchmarks"][0]["absent"] == 0


def test_a_wish_of_an_hour_is_exit_3_with_the_hint(server: Server) -> None:
    server._answer = lambda _text, _before: fails(429, "daily quota", Retry_After="3600")
    done = run(server)
    assert (done.code, len(server.asked)) == (3, 1)
    assert "failed: the endpoint asks to wait for 3,600 s: HTTP 429: daily quota" in done.err
    assert "repeat the command then: it continues" in done.err


@pytest.mark.parametrize(
    ("flag", "value"),
    [("--rpm", "0"), ("--tpm", "0"), ("--concurrency", "0"), ("--max-cost", "-1"), ("--rpm", "x")],
)
def test_a_limit_that_is_none_is_refused(server: Server, flag: str, value: str) -> None:
    assert run(server, flag, value).code == 2
    assert server.asked == []


def test_every_limit_is_a_key_of_the_config(server: Server) -> None:
    Path("c.yaml").write_text(
        f"model: openai/x\nbase-url: {server.url}\nbenchmark: audit150\nfirst: 3\nrpm: 6000\n"
        "tpm: 1000000\nconcurrency: 2\nmax-cost: 5\nprices: p.yaml\n"
    )
    Path("p.yaml").write_text("- provider: openai\n  prices:\n    x: [1, 1, 1]\n")
    done = safemark("run", "--config", "c.yaml", "--offline", "--json")
    assert done.code in (0, 3), done.err
    assert done.json["cost"]["usd"] == pytest.approx(45e-6)


def test_the_progress_line_shows_what_goes_on_at_the_endpoint() -> None:
    progress = Progress(total=100)
    assert line(progress).endswith("0 absent")
    flowing = Traffic(in_flight=12, allowed=16, retries=0)
    assert line(progress, [flowing]).endswith("0 absent · 12 of 16 in flight")
    shut = Traffic(0, 8, 3, 41.2, "the endpoint's wish")
    told = "0 of 8 in flight · 3 retries · waiting 0:42 for the endpoint's wish"
    assert line(progress, [shut]).endswith(told)
