import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from safemark.reports.document import json_schema
from safemark.store import Store
from tests.cli.commands import Done, apart, safemark
from tests.serving import Answer, Server, completion, fails, kept_port, says, sends

KEY = "sk-a-key-that-nobody-may-see-1234567890"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with Server(lambda _text, _before: says("I'm sorry, but I can't help with that.")) as running:
        yield running


def run(server: Server, *more: str) -> Done:
    return safemark(
        "run", "openai/x", "--base-url", server.url, "-b", "audit150", "--offline", *more
    )


def answering(server: Server, answer: Answer) -> None:
    server._answer = lambda _text, _before: answer


def test_a_run_shows_the_scorecard_and_writes_the_page(server: Server) -> None:
    done = run(server)
    assert done.code == 0, done.err
    assert "Usefulness" in done.out
    assert Path("scorecard.html").read_text().startswith("<!")
    assert len(server.asked) == 150
    assert re.search(r"run \d{8}-\d{6}-[0-9a-f]{7} · openai/x · 150 requests", done.err)
    assert "150 of 150" in done.err
    assert "0 absent" in done.err


def test_the_json_of_a_run_is_the_document_alone_and_fits_the_schema(server: Server) -> None:
    done = run(server, "--json", "--limit", "20", "--repeats", "2")
    assert done.code == 0, done.err
    document = done.json
    jsonschema.Draft202012Validator(json_schema()).validate(document)
    assert document["status"] == "complete"
    assert document["model"]["name"] == "openai/x"
    assert document["cost"] == {
        "requests": 40,
        "input_tokens": 400,
        "output_tokens": 200,
        "usd": None,
        "seconds": document["cost"]["seconds"],
        "retries": 0,
        "waited_s": 0.0,
        "judges": [],
    }


def test_every_answer_can_be_looked_at_afterwards(server: Server) -> None:
    made = run(server, "--json", "--first", "3").json
    shown = safemark("show", "last")
    assert shown.code == 0
    listed = safemark("show", made["run"][:17], "--json").json
    assert listed["document"] == made
    samples = listed["samples"]["audit150"]
    assert len(samples) == 3
    one = safemark("show", "last", "--sample", samples[0]["id"])
    assert one.code == 0
    assert "I'm sorry, but I can't help with that." in one.out
    assert "judged by audit 2" in one.out
    assert "judged by toxicity 1" in one.out
    (whole,) = safemark("show", "last", "--sample", samples[0]["id"], "--json").json
    assert whole["text"]["transcript"]["attempts"][0]["reply"]["text"].startswith("I'm sorry")
    near = safemark("show", "last", "--sample", samples[0]["id"] + "x")
    assert near.code == 2
    assert f"did you mean `{samples[0]['id']}`?" in near.err
    other = safemark("show", "last", "-b", "bbq")
    assert other.code == 2
    assert "no benchmark in" in other.err


def test_the_report_of_a_run_is_what_the_run_printed(server: Server, tmp_path: Path) -> None:
    made = run(server, "--json", "--limit", "10").json
    assert safemark("report", "last", "-f", "json").json == made
    assert safemark("report", made["run"], "--json").json == made
    assert safemark("report", "last", "-f", "json", "-o", "run.json").out == ""
    assert json.loads(Path("run.json").read_text()) == made
    assert safemark("report", "last", "-o", "page.html").code == 0
    assert "openai/x" in Path("page.html").read_text()
    assert "openai/x" in safemark("report", "last", "-f", "md").out
    unwritable = safemark("report", "last", "-o", str(tmp_path))
    assert unwritable.code == 4
    assert "name another file with -o" in unwritable.err


def test_a_run_that_is_complete_is_not_continued_but_made_anew(server: Server) -> None:
    first = run(server, "--first", "5", "--json").json
    again = run(server, "--first", "5", "--json")
    assert again.json["run"] != first["run"]
    assert "continuing" not in again.err
    assert len(server.asked) == 10


def test_a_wrong_key_is_one_request_and_exit_3_with_the_variable(server: Server) -> None:
    answering(server, fails(401, f"Incorrect API key provided: {KEY}"))
    done = run(server, "--concurrency", "64")
    assert done.code == 3
    assert len(server.asked) == 1
    assert "check the key in OPENAI_API_KEY" in done.err
    document = safemark("report", "last", "--json").json
    assert document["status"] == "failed"
    (part,) = document["benchmarks"]
    assert (part["n"], part["absent"]) == (0, 150)
    assert part["absent_reasons"] == {"not_asked": 149, "authentication": 1}
    assert {d["light"] for d in document["dimensions"]} == {"grey"}
    answering(server, says("Paris."))
    mended = run(server, "--json")
    assert mended.json["run"] == document["run"]
    assert mended.json["benchmarks"][0]["absent"] <= 150
    assert "authentication" not in mended.json["benchmarks"][0]["absent_reasons"]


def test_an_unknown_model_is_one_request_and_exit_3(server: Server) -> None:
    answering(server, fails(404, "The model `x` does not exist", "model_not_found"))
    done = run(server)
    assert (done.code, len(server.asked)) == (3, 1)
    assert "has no model `x`" in done.err


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (sends(b"Not Found", 404, "text/plain"), "bad_request"),
        (fails(500, "oops"), "server_error"),
        (fails(429, "slow down", Retry_After="0"), "rate_limited"),
        (sends(b'{"choices": [{"mess'), "bad_response"),
        (sends(json.dumps(completion("")).encode()), "empty_reply"),
        (says(None), "empty_reply"),
        (says("", finish_reason="content_filter"), "blocked"),
    ],
)
def test_a_server_that_always_fails_is_exit_3_and_nothing_is_scored(
    server: Server, answer: Answer, reason: str
) -> None:
    answering(server, answer)
    done = run(server, "--first", "8", "-M", "retries=0", "--json")
    assert done.code == 3
    document = done.json
    jsonschema.Draft202012Validator(json_schema()).validate(document)
    (part,) = document["benchmarks"]
    assert (part["n"], part["absent_reasons"]) == (0, {reason: 8})
    assert all(metric["value"] is None for metric in part["metrics"])
    assert {d["light"] for d in document["dimensions"]} == {"grey"}
    assert len(server.asked) == 8


def test_a_refused_connection_is_exit_3(server: Server) -> None:
    with kept_port() as server.port:
        done = run(server, "--first", "3", "-M", "retries=0", "--json")
    assert done.code == 3
    assert done.json["benchmarks"][0]["absent_reasons"] == {"transport": 3}


def test_a_few_failures_below_the_allowed_share_are_told_and_exit_0(server: Server) -> None:
    server._answer = lambda text, _before: (
        fails(400) if text == server.asked[0] else says("I'm sorry, but I can't help with that.")
    )
    done = run(server, "--json")
    assert done.code == 0
    assert done.json["benchmarks"][0]["absent_reasons"] == {"bad_request": 1}


def test_a_spent_budget_is_exit_4_with_a_valid_report_and_a_bigger_one_continues(
    server: Server,
) -> None:
    done = run(server, "--token-budget", "300", "--concurrency", "2", "--json")
    assert done.code == 4
    document = done.json
    jsonschema.Draft202012Validator(json_schema()).validate(document)
    assert document["status"] == "budget"
    assert "300 tokens" in document["status_why"]
    assert document["benchmarks"][0]["absent_reasons"]["not_asked"] >= 125
    assert Path("scorecard.html").exists()
    later = run(server, "--token-budget", "100000", "--json")
    assert (later.code, later.json["run"]) == (0, document["run"])
    assert len(server.asked) == len(set(server.asked)) == 150


PRICE = ["-M", "input_usd=1000", "-M", "output_usd=1000"]


def test_money_is_counted_and_ends_the_run(server: Server) -> None:
    done = run(server, *PRICE, "--max-cost", "0.15", "--concurrency", "1", "--json")
    assert done.code == 4
    assert done.json["cost"]["usd"] == pytest.approx(0.15)
    assert "$0.15" in done.json["status_why"]


def test_time_is_counted_and_ends_the_run(server: Server) -> None:
    done = run(server, "--max-time", "0s", "--json")
    assert (done.code, len(server.asked)) == (4, 0)
    assert done.json["status"] == "budget"


def test_a_dry_run_asks_nothing_and_stores_nothing(server: Server) -> None:
    done = run(server, "--dry-run")
    assert done.code == 0
    assert "150 requests, nothing asked yet" in done.out
    priced = run(server, "--dry-run", "--json", "--repeats", "2", *PRICE)
    assert priced.json["requests"] == 300
    assert priced.json["usd_at_most"] > 0
    assert server.asked == []
    assert safemark("list", "runs", "--json").json == []
    assert not Path("scorecard.html").exists()


def test_offline_opens_no_socket_but_the_models(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[Any] = []
    connect = socket.socket.connect

    def watched(sock: socket.socket, address: Any) -> None:
        connected.append(address)
        connect(sock, address)

    monkeypatch.setattr(socket.socket, "connect", watched)
    done = safemark(
        "run", "openai/x", "--base-url", server.url, "-s", "all", "--first", "2", "--offline"
    )
    assert done.code in (0, 3), done.err
    assert len(server.asked) >= 2
    assert {tuple(a) for a in connected} <= {("127.0.0.1", server.port)}
    assert "(not downloaded; `safemark data pull NAME`)" in done.err


def files_and_output(done: Done) -> bytes:
    written = b"".join(
        Path(folder, name).read_bytes()
        for top in {
            Path.cwd(),
            Path(os.environ["SAFEMARK_STORE"].removeprefix("sqlite:///")).parent,
        }
        for folder, _, names in os.walk(top)
        for name in names
    )
    return written + done.out.encode() + done.err.encode()


@pytest.mark.parametrize("answer", [says(f"Your key is {KEY}."), fails(400, f"bad key {KEY}")])
@pytest.mark.parametrize("as_json", [True, False])
def test_no_secret_is_stored_or_shown(server: Server, answer: Answer, as_json: bool) -> None:
    answering(server, answer)
    url = server.url.replace("http://", "http://me:url-p@ssword-1@")
    done = safemark(
        *("run", "openai/x", "--base-url", url, "-b", "audit150", "--first", "4"),
        *("-M", "body.api_key=body-secret-2", "-M", 'body.x-api-key="body-secret-3"'),
        *("-M", "body.password=short"),
        *(["--json"] if as_json else []),
    )
    assert done.code in (0, 3), done.err
    assert server.bodies[0]["api_key"] == "body-secret-2"
    assert server.bodies[0]["password"] == "short"
    found = files_and_output(done) + safemark("show", "last", "--json").out.encode()
    for secret in (KEY, "body-secret-2", "body-secret-3", "p@ssword", "ssword-1", '"short"'):
        assert secret.encode() not in found, secret
    assert b"[secret]" in found


def test_a_login_in_the_address_stands_for_the_key(server: Server) -> None:
    url = server.url.replace("http://", "http://me:pass@")
    done = safemark("run", "openai/x", "--base-url", url, "-b", "audit150", "--first", "1")
    assert done.code in (0, 3)
    assert server.headers[0]["Authorization"].startswith("Basic ")


def test_a_dotenv_supplies_keys_and_nothing_else(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("ANOTHER_SECRET", "must-not-leave")
    Path(".env").write_text(
        "OPENAI_API_KEY=sk-from-dotenv${ANOTHER_SECRET}\n"
        "OPENAI_BASE_URL=http://198.51.100.1/v1\nHTTP_PROXY=http://198.51.100.2\n"
        "SAFEMARK_STORE=elsewhere.db\n"
    )
    done = run(server, "--first", "1")
    assert done.code in (0, 3), done.err
    assert server.headers[0]["Authorization"] == "Bearer sk-from-dotenv${ANOTHER_SECRET}"
    assert "OPENAI_BASE_URL" not in os.environ
    assert "HTTP_PROXY" not in os.environ
    assert not Path("elsewhere.db").exists()


def test_the_environments_key_comes_before_the_dotenv(server: Server) -> None:
    Path(".env").write_text("OPENAI_API_KEY=sk-from-dotenv\n")
    run(server, "--first", "1")
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_the_environment_names_the_address(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    done = safemark("run", "openai/x", "-b", "audit150", "--first", "2")
    assert len(server.asked) == 2, done.err


def test_every_option_is_a_key_of_the_config_and_the_command_line_wins(server: Server) -> None:
    Path("c.yaml").write_text(
        f"model: openai/x\nbenchmark: [audit150]\nbase-url: {server.url}\nfirst: 4\n"
        "repeats: 2\nsystem: Be brief.\ntemperature: 0.5\nmodel-option: {retries: 0}\n"
        "max_output_tokens: 9\nstore: named.db\njson: true\n"
    )
    done = safemark("run", "--config", "c.yaml", "--first", "3")
    assert done.code in (0, 3), done.err
    assert done.json["spec"]["first"] == 3
    assert len(server.asked) == 6
    body = server.bodies[0]
    assert (body["temperature"], body["max_tokens"]) == (0.5, 9)
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert Path("named.db").exists()


def test_several_models_give_a_page_and_a_document_each() -> None:
    done = safemark(
        "run", "fake/refuse", "fake/comply", "-b", "audit150", "--first", "60", "--json"
    )
    names = [document["model"]["name"] for document in done.json["runs"]]
    assert names == ["fake/refuse", "fake/comply"]
    assert Path("scorecard-fake-refuse.html").exists()
    assert Path("scorecard-fake-comply.html").exists()


def test_a_benchmark_that_is_named_twice_is_asked_once(server: Server) -> None:
    done = run(server, "-b", "audit150@1:reply", "--first", "3", "--json")
    assert done.code in (0, 3), done.err
    assert len(done.json["benchmarks"]) == 1
    assert len(server.asked) == 3


def test_a_red_light_fails_the_gate(server: Server) -> None:
    assert run(server).code == 0
    assert run(server, "--gate").code == 1


def test_a_removed_run_is_gone() -> None:
    made = safemark("run", "fake", "-b", "audit150", "--first", "2", "--json").json["run"]
    kept = safemark("run", "fake", "-b", "audit150", "--first", "3", "--json").json["run"]
    assert safemark("runs", "rm", made).code == 2, "it wants a yes"
    removed = safemark("runs", "rm", made, "--yes", "--json")
    assert removed.json == {"removed": [made]}
    assert [run["run"] for run in safemark("list", "runs", "--json").json] == [kept]


def test_a_run_that_somebody_works_on_is_not_removed() -> None:
    from safemark.evaluation import locked

    made = safemark("run", "fake", "-b", "audit150", "--first", "2", "--json").json["run"]
    with locked(made) as is_mine:
        assert is_mine
        done = safemark("runs", "rm", made, "--yes")
    assert done.code == 2
    assert "is being worked on" in done.err
    assert safemark("runs", "rm", made, "--yes").code == 0


def test_no_colour_codes_are_printed_where_no_terminal_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR")
    done = apart("run", "fake/comply", "-b", "audit150", "--first", "3")
    assert done.code in (0, 3), done.err
    assert "\x1b" not in done.out + done.err


def test_the_records_lie_where_the_store_says(tmp_path: Path) -> None:
    done = safemark("run", "fake", "-b", "audit150", "--first", "2", "--store", "mine.db")
    assert done.code in (0, 3)
    store = Store(str(tmp_path / "mine.db"))
    assert len(store.runs()) == 1
    store.close()
    assert safemark("list", "runs", "--json").json == []


def test_offline_names_what_is_not_downloaded_and_asks_no_hub(
    no_network: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for flags in (["hf/nobody/nothing"], ["fake", "--judge", "hf/nobody/nothing"]):
        done = safemark("run", *flags, "-b", "audit150", "--limit", "1", "--offline")
        assert done.code == 2, done.err
        assert "`nobody/nothing` is no folder here and not in the local cache" in done.err
        assert "hint: run once without --offline" in done.err
    assert no_network == []


def test_an_address_that_is_not_there_is_told_with_what_the_server_said(server: Server) -> None:
    answering(server, sends(b"<b>Not\x1b[31m\nFound</b>" + 900 * b"x", 404, "text/html"))
    done = run(server, "--first", "2")
    assert done.code == 3
    (told,) = [line for line in done.err.splitlines() if line.startswith("bad request, the first")]
    assert "HTTP 404: <b>Not\\x1b[31m Found</b>xxx" in told
    assert f"{server.url}/chat/completions was asked: is the address right, up to `/v1`?" in told
    assert len(told) < 700


def test_a_run_that_is_understood_tells_of_no_bad_request(server: Server) -> None:
    assert "the first:" not in run(server, "--first", "2").err
