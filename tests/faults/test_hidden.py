"""No key and no foreign address: what a server repeats, what a bug says, what a `.env` names."""

import json
from pathlib import Path

import pytest
from aiohttp import web

from safemark.secrets import HIDDEN
from tests.cli.commands import apart, safemark
from tests.faults.running import by_question, everything_written
from tests.faults.targets import KEY, REFUSES, Target, slow_but_for
from tests.serving import Answer, Server, sends

BAIT = "http://198.51.100.7/v1"


def parrots(target: Target) -> list[Answer]:
    """Answers that hold the key: as text, as errors of every kind, in a page, in a header."""

    async def moved(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": f"{BAIT}?key={KEY}"})

    said = {
        **target.body(REFUSES),
        "model": f"model-{KEY}",
        "modelVersion": KEY,
        "model_version": KEY,
    }
    return [
        target.says(f"Your key is {KEY}."),
        target.sends(said),
        target.fails(400, f"bad request with {KEY}"),
        target.fails(500, f"crashed with {KEY}"),
        target.fails(429, f"{KEY} is too fast", Retry_After="0"),
        sends(f"<html>{KEY}</html>".encode(), content_type="text/html"),
        sends(f"not json at all {KEY}".encode()),
        sends(json.dumps({"error": {"code": 500, "message": KEY}}).encode()),
        moved,
    ]


def test_a_key_that_the_server_repeats_is_nowhere(target: Target) -> None:
    answers = parrots(target)
    questions: list[str] = []

    def answer(text: str, _before: int) -> Answer:
        if text not in questions:
            questions.append(text)
        return answers[questions.index(text) % len(answers)]

    with Server(answer) as server:
        command = target.command(server.url, "--concurrency", "1", "--json", first=9, retries=0)
        done = safemark(*command)
    assert len(questions) == len(by_question()) == 9
    assert all(KEY in str(headers) for headers in server.headers), "it is sent, and only there"
    assert KEY not in "".join(server.paths) + json.dumps(server.bodies)
    shown = [
        safemark("show", "last", *rest).out
        for rest in (("--json",), ("--rows", "9"), ("--absent", "--json"))
    ]
    for report in ("json", "html", "md"):
        safemark("report", "last", "-f", report, "-o", f"report.{report}")
    found = everything_written(done) + "".join(shown).encode()
    assert KEY.encode() not in found
    assert HIDDEN.encode() in found, "the answers were looked at"


@slow_but_for("chat")
def test_a_bug_of_ours_shows_a_traceback_without_the_key(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("sitecustomize.py").write_text(
        "import os\n"
        "import safemark.api as api\n"
        "def broken(*_given, **_named):\n"
        f"    raise RuntimeError('broke with ' + os.environ['{target.key_variable}'])\n"
        "api.plan = broken\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    done = apart(*target.command("http://127.0.0.1:9/v1"))
    assert done.code == 1
    assert "Traceback" in done.err
    assert f"RuntimeError: broke with {HIDDEN}" in done.err
    assert KEY not in done.err + done.out


def test_a_dotenv_in_the_working_directory_changes_no_address(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(target.key_variable)
    names = [
        *("OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_BASE_URL", "GOOGLE_BASE_URL", "BOT_URL"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"),
        *("AZURE_OPENAI_ENDPOINT", "SAFEMARK_STORE", "SAFEMARK_DATA", "SSL_CERT_FILE"),
    ]
    lines = [f"{name}={BAIT}" for name in names]
    Path(".env").write_text("\n".join([*lines, f"{target.key_variable}={KEY}"]))
    with Server(lambda _text, _before: target.says()) as server:
        done = safemark(*target.command(server.url, first=3))
        if target.name == "http":  # its file names the variable, not us: it is read from no .env
            assert done.code == 2
            assert "BOT_KEY" in done.err
            return
        assert done.code == 0, done.err
        assert len(server.asked) == 3
    assert KEY in str(server.headers[0])
    assert b"198.51.100.7" not in everything_written(done)


@pytest.mark.parametrize(
    ("model", "key", "host"),
    [
        ("openai/x", "OPENAI_API_KEY", "api.openai.com"),
        ("anthropic/x", "ANTHROPIC_API_KEY", "api.anthropic.com"),
        ("google/x", "GOOGLE_API_KEY", "generativelanguage.googleapis.com"),
        ("mistral/x", "MISTRAL_API_KEY", "api.mistral.ai"),
    ],
)
def test_where_nobody_names_an_address_a_dotenv_does_not_either(
    model: str, key: str, host: str, no_network: list[str]
) -> None:
    with Server() as decoy:
        provider = model.partition("/")[0].upper()
        bait = [f"{provider}_BASE_URL={decoy.url}", f"HTTPS_PROXY={decoy.url}", f"{key}={KEY}"]
        Path(".env").write_text("\n".join(bait))
        done = safemark("run", model, "-b", "audit150", "--first", "1", "-M", "retries=0")
    tried = set(no_network)
    no_network.clear()
    assert tried == {host}
    assert (done.code, decoy.asked, decoy.headers) == (3, [], [])
