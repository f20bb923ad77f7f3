"""Applications, functions, recorded answers and batches as the command line takes them."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from safemark import batching
from tests.batch_server import BatchServer
from tests.chatbots import Chatbot, told
from tests.cli.commands import Done, safemark, started

KEY = "bot-key-that-nobody-may-see"
REFUSES = "I'm sorry, but I can't help with that."


@pytest.fixture
def bot(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chatbot]:
    monkeypatch.setenv("BOT_KEY", KEY)
    with Chatbot(
        lambda came: told({"answer": REFUSES, "seen": came.json.get("session")})
    ) as running:
        keys = {
            "url": f"{running.root}/chat",
            "headers": {"X-Key": "${BOT_KEY}"},
            "body": {"q": "{{prompt}}", "session": "{{session}}"},
            "session": {"from": "generated"},
            "reply": {"path": "answer", "usage": {"input_tokens": "n"}},
        }
        Path("desk.yaml").write_text(json.dumps(keys))  # JSON is YAML
        yield running


def run(*arguments: str) -> Done:
    return safemark("run", *arguments, "-b", "audit150", "--first", "3", "--offline")


def test_an_application_is_measured_like_a_model(bot: Chatbot) -> None:
    done = run("http:desk.yaml", "--json")
    assert done.code == 0, done.err
    assert done.json["model"]["name"] == "http:desk"
    assert done.json["status"] == "complete"
    assert len(bot.came) == 3
    assert len({came.json["session"] for came in bot.came}) == 3, (
        "each sample has a session of its own"
    )
    assert bot.came[0].headers["X-Key"] == KEY
    assert KEY not in done.out + done.err + Path("scorecard.html").read_text()
    assert "note: BOT_KEY is sent to 127.0.0.1" in done.err


def test_an_application_has_the_price_that_is_said(bot: Chatbot) -> None:
    bot._respond = lambda _came: told({"answer": REFUSES, "n": 1000, "m": 500})
    keys = json.loads(Path("desk.yaml").read_text())
    usage = {"input_tokens": "n", "output_tokens": "m"}
    Path("desk.yaml").write_text(json.dumps({**keys, "reply": {"path": "answer", "usage": usage}}))
    price = ("-M", "input_usd=1", "-M", "output_usd=2", "--max-cost", "0.002")
    document = run("http:desk.yaml", "--json", "--concurrency", "1", *price).json
    assert (document["status"], document["cost"]["usd"]) == ("budget", pytest.approx(0.002))
    half = run("http:desk.yaml", *price[:2])
    assert half.code == 2
    assert "is half a price" in half.err
    assert "did you mean `input_usd`?" in run("http:desk.yaml", "-M", "input_us=1").err


def test_an_application_may_stand_in_the_config_itself(bot: Chatbot) -> None:
    block = Path("desk.yaml").read_text()
    Path("c.yaml").write_text(f"model: {block}\nbenchmark: audit150\nfirst: 2\noffline: true\n")
    done = safemark("run", "--config", "c.yaml", "--json")
    assert done.json["model"]["name"] == "http:c"
    assert len(bot.came) == 2
    Path("c.yaml").write_text(f"models: [fake/refuse, {block}]\n")
    both = run("--config", "c.yaml", "--json").json["runs"]
    assert [one["model"]["name"] for one in both] == ["fake/refuse", "http:c"]
    Path("c.yaml").write_text(f"model: {block.replace('prompt', 'promt')}\n")
    wrong = run("--config", "c.yaml")
    assert wrong.code == 2
    assert "no placeholder called `promt`" in wrong.err
    assert "did you mean `prompt`?" in wrong.err


def test_code_in_a_config_needs_leave_and_the_config_cannot_give_it() -> None:
    Path("my_code.py").write_text("def answer(prompt):\n    return 'no'\n")
    Path("c.yaml").write_text("model: python:my_code.py:answer\n")
    refused = run("--config", "c.yaml")
    assert refused.code == 2
    assert "the config names code to run: python:my_code.py:answer" in refused.err
    assert "--allow-code" in refused.err
    assert run("--config", "c.yaml", "--allow-code", "--json").json["status"] == "complete"
    typed = run("python:my_code.py:answer", "--json").json
    assert (typed["model"]["name"], typed["status"]) == ("python:my_code:answer", "complete")
    Path("c.yaml").write_text("model: python:my_code.py:answer\nallow-code: true\n")
    cheeky = run("--config", "c.yaml")
    assert cheeky.code == 2
    assert "cannot allow its own code" in cheeky.err


def test_recorded_answers_and_runs_are_measured_again() -> None:
    first = run("fake/refuse", "--json").json
    again = run("recorded:run:last", "--json").json
    assert again["model"]["name"] == f"recorded:run:{first['run']}"

    def counts(document: dict[str, Any]) -> tuple[int, int]:
        (benchmark,) = document["benchmarks"]
        return benchmark["n"], benchmark["absent"]

    assert counts(again) == counts(first)
    assert run("recorded:run:last", "--store", "other.db").code == 2, "looked for in that store"
    Path("r.jsonl").write_text('{"prompt": "none of these", "response": "x"}\n')
    missing = run("recorded:r.jsonl", "--json").json["benchmarks"][0]
    assert (missing["n"], missing["absent_reasons"]) == (0, {"unsupported": 3})


def test_ask_shows_a_conversation_turn_by_turn(bot: Chatbot) -> None:
    done = safemark("ask", "http:desk.yaml", "Hello", "And now?")
    assert done.code == 0, done.err
    assert done.out == f"{REFUSES}\n{REFUSES}\n"
    assert "finish: stop" in done.err
    first, second = bot.came
    assert first.json["session"] == second.json["session"]
    assert second.json["q"] == "And now?"
    assert KEY not in done.out + done.err


def test_ask_says_why_there_is_no_answer_and_what_was_there(bot: Chatbot) -> None:
    keys = json.loads(Path("desk.yaml").read_text())
    Path("wrong.yaml").write_text(json.dumps({**keys, "reply": {"path": "output.text"}}))
    done = safemark("ask", "http:wrong.yaml", "Hello")
    assert done.code == 4
    assert "no answer (bad_response): no answer at `output.text`" in done.err
    assert "an object with `answer`, `seen`" in done.err


def test_ask_as_json_hides_secrets(bot: Chatbot) -> None:
    bot._respond = lambda _came: told({"answer": f"the key is {KEY}"})
    done = safemark("ask", "http:desk.yaml", "Hello", "--json")
    (turn,) = done.json["turns"]
    assert turn["reply"]["text"] == "the key is [secret]"
    assert turn["text"] == "Hello"


def test_hostile_answers_are_shown_and_not_obeyed(bot: Chatbot) -> None:
    bot._respond = lambda _came: told({"answer": "\x1b[31mred\u202e"})
    done = safemark("ask", "http:desk.yaml", "Hello")
    assert done.out == "\\x1b[31mred\\u202e\n"


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchServer]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(batching, "POLL_S", 0.01)
    with BatchServer(lambda _text: REFUSES) as server:
        yield server


def test_a_run_by_batch_ends_waits_and_is_collected_by_the_same_command(
    batches: BatchServer,
) -> None:
    command = (
        "openai/x",
        "--base-url",
        f"{batches.root}/v1",
        "-M",
        "input_usd=1",
        "-M",
        "output_usd=1",
    )
    first = run(*command, "--batch")
    assert first.code == 3
    assert "batch batch_0: 2 requests handed in" in first.err
    assert "Repeat the command to look again, with --wait" in first.err
    waiting = run(*command, "--batch", "--json")
    assert waiting.code == 3
    assert waiting.json["status"] == "waiting"
    assert waiting.json["batches"] == [
        {"id": "batch_0", "status": "in_progress", "done": 0, "failed": 0, "total": 2}
    ]
    plain = run(*command)
    assert plain.code == 2
    assert "2 requests of run" in plain.err
    assert "add --batch" in plain.err
    batches.end()
    done = run(*command, "--batch", "--wait", "--json")
    document = done.json
    assert (document["run"], document["status"]) == (waiting.json["run"], "complete")
    assert document["cost"]["usd"] == pytest.approx(15e-6 * (1 + 2 / 2))
    assert len(batches.direct) == 1
    assert KEY not in done.out + done.err + first.err


@pytest.mark.slow
def test_a_process_killed_while_it_hands_in_is_followed_by_one_that_finds_the_batch(
    batches: BatchServer,
) -> None:
    batches.hangs_after_taking = True
    command = ("openai/x", "--base-url", f"{batches.root}/v1", "-b", "audit150", "--first", "5")
    process = started("run", *command, "--offline", "--batch")
    while not batches.jobs:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.kill()
    process.communicate()
    batches.hangs_after_taking = False
    batches.end()
    done = safemark("run", *command, "--offline", "--batch", "--json")
    assert done.json["status"] == "complete", done.err
    assert "batch batch_0 was handed in before" in done.err
    assert len(batches.jobs) == 1
    assert len(batches.direct) == 1
    assert done.json["cost"]["requests"] == 5


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (("--batch", "--token-budget", "5"), "cannot be stopped by a budget"),
        (("--batch", "--until-decided"), "handed in whole"),
        (("--wait",), "`--wait` goes with `--batch`"),
    ],
)
def test_what_does_not_go_with_a_batch_is_refused(
    batches: BatchServer, more: tuple[str, ...], problem: str
) -> None:
    done = run("openai/x", "--base-url", f"{batches.root}/v1", *more)
    assert done.code == 2
    assert problem in done.err
    assert batches.direct == []


def test_a_model_without_batches_says_so() -> None:
    done = run("fake/refuse", "--batch")
    assert done.code == 2
    assert "fake/refuse cannot be asked by batch" in done.err
