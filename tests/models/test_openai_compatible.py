import dataclasses
import gzip
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from safemark.errors import CallFailed
from safemark.models._model import Model
from safemark.models.fake import says as asks
from safemark.models.http import MAX_REPLY_BYTES, Endpoint
from safemark.models.openai_compatible import OpenAICompatible
from safemark.models.wrap import Retrying
from safemark.secrets import HIDDEN
from safemark.store import Store
from safemark.types import Ask, Message, Reason, Reply, Usage
from tests.serving import (
    Answer,
    Server,
    completion,
    fails,
    hangs_up,
    kept_port,
    says,
    sends,
    tears,
    waits,
)
from tests.small import evaluated, task

QUESTION = asks("What is the capital of France?")
KEY = "sk-never-to-be-seen-0123456789"

ENDPOINT = {one.name for one in dataclasses.fields(Endpoint)}
Opened = Callable[..., OpenAICompatible]


@pytest.fixture
async def model() -> AsyncIterator[Opened]:
    made: list[OpenAICompatible] = []

    def open_it(server: Server | str, **more: Any) -> OpenAICompatible:
        url = server if isinstance(server, str) else server.url
        of_endpoint = {name: more.pop(name) for name in ENDPOINT if name in more}
        made.append(
            OpenAICompatible("m", Endpoint(base_url=url, api_key=KEY, **of_endpoint), **more)
        )
        return made[-1]

    yield open_it
    for one in made:
        await one.close()


async def failure_of(model: Model, ask: Ask | None = None) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        await model.reply(QUESTION, ask or Ask())
    return caught.value


async def test_a_reply_is_read_with_its_usage_model_and_fingerprint(model: Opened) -> None:
    with Server() as server:
        reply = await model(server).reply(QUESTION, Ask())
    assert reply == Reply(
        "Paris.",
        usage=Usage(10, 5),
        model="served-model",
        fingerprint="fp_1",
    )


async def test_the_request_holds_what_was_asked_and_nothing_that_was_not(model: Opened) -> None:
    ask = Ask(
        temperature=0.5, max_output_tokens=9, top_p=0.9, stop=("x",), seed=3, draw=2, system="Be."
    )
    with Server() as server:
        await model(server, extra={"top_k": 5}).reply(QUESTION, ask)
        await model(server).reply(QUESTION, Ask(temperature=None, max_output_tokens=None))
        await model(server).reply(QUESTION, Ask(prefill="Sure"))
    user = {"role": "user", "content": QUESTION[0].content}
    assert server.bodies[0] == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be."}, user],
        "temperature": 0.5,
        "max_tokens": 9,
        "top_p": 0.9,
        "stop": ["x"],
        "seed": 5,
        "top_k": 5,
    }
    assert server.bodies[1] == {"model": "m", "messages": [user]}
    assert server.bodies[2]["messages"][-1] == {"role": "assistant", "content": "Sure"}
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


async def test_without_a_key_no_authorization_is_sent() -> None:
    with Server() as server:
        model = OpenAICompatible("m", Endpoint(base_url=server.url + "/"))
        await model.reply(QUESTION, Ask())
        await model.close()
    assert "Authorization" not in server.headers[0]


MODEL_NOT_FOUND = [
    fails(404, "The model `m` does not exist or you do not have access to it.", "model_not_found"),
    fails(404, 'model "m" not found, try pulling it first'),
    fails(404, "The model `m` does not exist."),
    fails(400, "m is not a valid model ID: unknown model"),
]

FAULTS: dict[str, tuple[Answer, Reason, str]] = {
    "401": (fails(401, "Incorrect API key provided"), Reason.AUTHENTICATION, "HTTP 401: Incorrect"),
    "403": (fails(403, "forbidden"), Reason.AUTHENTICATION, "HTTP 403"),
    "402": (fails(402, "Payment required"), Reason.AUTHENTICATION, "HTTP 402"),
    "no quota": (
        fails(429, "You exceeded your quota", "insufficient_quota"),
        Reason.AUTHENTICATION,
        "HTTP 429",
    ),
    "403 flagged": (fails(403, "Your input was flagged by moderation"), Reason.BLOCKED, "flagged"),
    "404": (sends(b"404: Not Found", 404, "text/plain"), Reason.BAD_REQUEST, "HTTP 404: 404: Not"),
    **{
        f"unknown model {i}": (answer, Reason.UNKNOWN_MODEL, "HTTP 40")
        for i, answer in enumerate(MODEL_NOT_FOUND)
    },
    "400": (fails(400, "temperature is above 2"), Reason.BAD_REQUEST, "temperature"),
    "context": (
        fails(400, "This model's maximum context length is 8 tokens", "context_length_exceeded"),
        Reason.CONTEXT_TOO_LONG,
        "maximum context",
    ),
    "filter": (
        fails(400, "The response was filtered", "content_filter"),
        Reason.BLOCKED,
        "filtered",
    ),
    "408": (fails(408), Reason.TIMEOUT, "HTTP 408"),
    "429": (fails(429, "slow down"), Reason.RATE_LIMITED, "slow down"),
    "500": (fails(500, "oops"), Reason.SERVER_ERROR, "HTTP 500: oops"),
    "503 page": (
        sends(b"<html>Service Unavailable</html>", 503, "text/html"),
        Reason.SERVER_ERROR,
        "<html>",
    ),
    "reset": (tears(), Reason.TRANSPORT, ""),
    "hang up": (hangs_up(), Reason.TRANSPORT, "ServerDisconnected"),
    "truncated": (sends(json.dumps(completion()).encode()[:50]), Reason.BAD_RESPONSE, "truncated"),
    "page": (sends(b"<html>hello</html>", content_type="text/html"), Reason.BAD_RESPONSE, "<html>"),
    "empty body": (sends(b""), Reason.BAD_RESPONSE, "no chat completion"),
    "no choices": (sends(b'{"choices": []}'), Reason.BAD_RESPONSE, "no choices"),
    "error in 200": (sends(b'{"error": {"message": "busy"}}'), Reason.BAD_RESPONSE, "busy"),
    "null": (sends(b"null"), Reason.BAD_RESPONSE, "no chat completion"),
    "number as text": (
        sends(b'{"choices": [{"message": {"content": 7}}]}'),
        Reason.BAD_RESPONSE,
        "Expected",
    ),
    "deep": (sends(b'{"x":' * 90_000), Reason.BAD_RESPONSE, ""),
    "invalid UTF-8": (
        sends(b'{"choices": [{"message": {"content": "\xff\xfe"}}]}'),
        Reason.BAD_RESPONSE,
        "",
    ),
    "lone surrogate": (
        sends(b'{"choices": [{"message": {"content": "\\ud83d ."}}]}'),
        Reason.BAD_RESPONSE,
        "surrogate",
    ),
    "not gzip": (
        sends(b"plain", Content_Encoding="gzip"),
        Reason.TRANSPORT,
        "",
    ),
    "redirect": (
        sends(b"", 308, Location="http://198.51.100.1/v1"),
        Reason.BAD_REQUEST,
        "HTTP 308: moved to http://198.51.100.1/v1",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_has_its_reason(model: Opened, fault: str) -> None:
    answer, reason, said = FAULTS[fault]
    with Server(lambda _text, _before: answer) as server:
        failure = await failure_of(model(server))
    assert failure.reason is reason, failure.problem
    assert said in failure.problem
    assert len(server.asked) == 1
    assert KEY not in failure.problem + failure.hint


async def test_hints_name_the_variable_the_model_and_the_address(model: Opened) -> None:
    with Server(lambda _text, _before: fails(401)) as server:
        failure = await failure_of(model(server, key_variable="MY_KEY"))
        assert failure.hint == "check the key in MY_KEY"
    with Server(lambda _text, _before: MODEL_NOT_FOUND[0]) as server:
        failure = await failure_of(model(server))
        assert failure.hint == f"the server at {server.url} has no model `m`"
    with Server(lambda _text, _before: sends(b"nothing here", 404)) as server:
        failure = await failure_of(model(server))
        asked = f"{server.url}/chat/completions was asked"
        assert failure.hint == f"{asked}: is the address right, up to `/v1`?"


async def test_a_refused_connection_is_transport(model: Opened) -> None:
    with kept_port() as port:
        url = f"http://127.0.0.1:{port}/v1"
        failure = await failure_of(model(url))
    assert failure.reason is Reason.TRANSPORT
    assert failure.hint == f"is a server listening at {url} ?"


async def test_a_reply_beyond_the_limit_of_time_is_a_timeout(model: Opened) -> None:
    with Server(lambda _text, _before: waits(30)) as server:
        failure = await failure_of(model(server, timeout_s=0.1))
    assert failure.reason is Reason.TIMEOUT
    assert failure.problem == "no reply within 0.1 s"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("soon", None), ("inf", float("inf"))],
)
async def test_retry_after_is_read_in_seconds(
    model: Opened, value: str, seconds: float | None
) -> None:
    with Server(lambda _text, _before: fails(429, Retry_After=value)) as server:
        failure = await failure_of(model(server))
    assert failure.retry_after_s == seconds


async def test_retry_after_may_be_a_date(model: Opened) -> None:
    past, future = "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2099 07:28:00 GMT"
    for date, expected in ((past, 0.0), (future, 1e9)):
        with Server(lambda _text, _before, d=date: fails(503, Retry_After=d)) as server:  # type: ignore[misc]
            failure = await failure_of(model(server))
        assert failure.retry_after_s is not None
        assert (failure.retry_after_s > 1e9) == (expected > 0)


REPLIES: dict[str, tuple[Answer, Reply]] = {
    "null": (says(None), Reply("")),
    "empty": (says(""), Reply("")),
    "parts": (
        sends(
            b'{"choices": [{"message": {"content": [{"type": "text", "text": "a"},'
            b' {"type": "image"}, {"type": "text", "text": "b"}]}}]}'
        ),
        Reply("ab"),
    ),
    "refusal": (says(None, message={"refusal": "I can't."}), Reply("I can't.")),
    "filtered": (says("Par", finish_reason="content_filter"), Reply("Par", finish="blocked")),
    "cut off": (says("Par", finish_reason="length"), Reply("Par", finish="length")),
    "other end": (says("Par", finish_reason="tool_calls"), Reply("Par", finish="other")),
    "no end": (says("Paris.", finish_reason=None), Reply("Paris.")),
    "thinking": (
        says("Paris.", message={"reasoning_content": "hm"}),
        Reply("Paris.", thinking="hm"),
    ),
    "wrong type": (
        sends(json.dumps(completion()).encode(), content_type="text/plain"),
        Reply("Paris."),
    ),
    "zipped": (
        sends(gzip.compress(json.dumps(completion()).encode()), Content_Encoding="gzip"),
        Reply("Paris."),
    ),
    "NUL": (says("a\0b"), Reply("a\0b")),
}


@pytest.mark.parametrize("case", REPLIES)
async def test_each_reply_is_read_as_it_is_meant(model: Opened, case: str) -> None:
    answer, expected = REPLIES[case]
    with Server(lambda _text, _before: answer) as server:
        reply = await model(server).reply(QUESTION, Ask())
    assert (reply.text, reply.finish, reply.thinking) == (
        expected.text,
        expected.finish,
        expected.thinking,
    )


@pytest.mark.parametrize(
    "usage",
    [
        "null",
        "7",
        '"many"',
        '{"prompt_tokens": "12"}',
        '{"prompt_tokens": -1, "completion_tokens": 1e300}',
        '{"prompt_tokens": 1000000000000000000000000000000}',
    ],
)
async def test_an_account_that_cannot_be_believed_is_not_known(model: Opened, usage: str) -> None:
    body = f'{{"choices": [{{"message": {{"content": "yes"}}}}], "usage": {usage}}}'
    with Server(lambda _text, _before: sends(body.encode())) as server:
        reply = await model(server).reply(QUESTION, Ask())
    assert (reply.text, reply.usage) == ("yes", Usage())


async def test_a_reply_of_ten_megabytes_is_read(model: Opened) -> None:
    with Server(lambda _text, _before: says("x" * 10_000_000)) as server:
        reply = await model(server).reply(QUESTION, Ask())
    assert len(reply.text) == 10_000_000


async def test_a_reply_without_end_is_cut_short(
    model: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safemark.models.http.MAX_REPLY_BYTES", 100_000)
    bomb = sends(gzip.compress(b" " * 10_000_000), Content_Encoding="gzip")
    with Server(lambda _text, _before: bomb) as server:
        failure = await failure_of(model(server))
    assert failure.reason is Reason.BAD_RESPONSE
    assert "longer than" in failure.problem
    assert MAX_REPLY_BYTES == 64 * 1024 * 1024


async def test_a_server_that_repeats_the_key_does_not_get_it_into_an_error(model: Opened) -> None:
    with Server(lambda _text, _before: fails(401, f"Incorrect API key: {KEY}")) as server:
        failure = await failure_of(model(server))
    assert failure.problem == f"HTTP 401: Incorrect API key: {HIDDEN}"


def test_identity_changes_with_address_model_and_body_but_not_with_the_key() -> None:
    def digest(model: str = "m", url: str = "http://a/v1", key: str = "k", **extra: Any) -> str:
        made = OpenAICompatible(model, Endpoint(base_url=url, api_key=key), extra=extra)
        return made.identity.digest

    assert digest() == digest(key="another") == digest(url="http://a/v1/")
    different = [digest(), digest("n"), digest(url="http://b/v1"), digest(top_k=5), digest(top_k=6)]
    assert len(set(different)) == 5
    assert digest(url="http://me:pass1@a/v1") == digest(url="http://me:pass2@a/v1")


def retrying(model: Model, **more: Any) -> Retrying:
    return Retrying(model, first_wait_s=0.001, **more)


async def test_a_rate_limit_is_waited_out_as_long_as_the_server_asks(model: Opened) -> None:
    def answer(_text: str, before: int) -> Answer:
        return fails(429, Retry_After="0.1") if before == 0 else says()

    with Server(answer) as server:
        reply = await retrying(model(server)).reply(QUESTION, Ask())
    assert (reply.text, reply.retries, len(server.asked)) == ("Paris.", 1, 2)


async def test_a_server_error_is_tried_again_and_the_retries_are_told(model: Opened) -> None:
    def answer(_text: str, before: int) -> Answer:
        return fails(500) if before < 3 else says()

    with Server(answer) as server:
        reply = await retrying(model(server)).reply(QUESTION, Ask())
    assert (reply.text, reply.retries) == ("Paris.", 3)


async def test_a_run_goes_on_past_every_fault_and_scores_none_of_them(
    model: Opened, tmp_path: Path
) -> None:
    passing = {name: f for name, f in FAULTS.items() if not f[1].opens_circuit}
    empties = {"null": says(None), "empty": says("")}
    faults = [*((a, r) for a, r, _ in passing.values()), *((a, None) for a in empties.values())]

    def answer(text: str, _before: int) -> Answer:
        i = int(text.split()[1])
        return faults[i // 2][0] if i % 2 and i // 2 < len(faults) else says("ok")

    from safemark.scorers._reply import of_reply
    from safemark.types import Score
    from tests.small import scorer

    n = 2 * len(faults) + 20
    judge = scorer(of_reply(lambda _sample, reply: Score({"passed": reply.text == "ok"})))
    store = Store(str(tmp_path / "s.db"))
    with Server(answer) as server:
        given = task(n, judge=judge)
        outcome = await evaluated(retrying(model(server), retries=1), given, store)
    (part,) = store.parts(outcome.run_id)
    rows = store.rows(part, store.ensure_scorer("says-ok", "1"))
    store.close()
    assert outcome.ending.status == "failed", "too much failed in passing: the run can be continued"
    for i, row in enumerate(rows):
        if i % 2 and i // 2 < len(faults):
            assert row.absent is (faults[i // 2][1] or Reason.EMPTY_REPLY), i
            assert row.outcomes.get("passed") is None
        else:
            assert (row.absent, row.outcomes) == (None, {"passed": True}), i
    assert len(rows) == n


async def test_messages_of_a_conversation_are_sent_in_order(model: Opened) -> None:
    turns = (Message("user", "a"), Message("assistant", "b"), Message("user", "c"))
    with Server() as server:
        await model(server).reply(turns, Ask())
    assert [m["content"] for m in server.bodies[0]["messages"]] == ["a", "b", "c"]


async def test_a_proxy_of_the_environment_is_used_and_no_proxy_is_honoured(
    model: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server() as proxy, Server() as direct:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        await model("http://model.example/v1").reply(QUESTION, Ask())
        assert len(proxy.asked) == 1
        assert proxy.headers[0]["Host"] == "model.example"
        await model(direct).reply(QUESTION, Ask())
        assert (len(proxy.asked), len(direct.asked)) == (1, 1)


@pytest.mark.parametrize(
    "body",
    [
        b"{\"detail\":\"Server is pinned to 'X'; requested 'Y'.\"}",
        b'{"object":"error","message":"The model `y` does not exist.","code":404}',
    ],
)
async def test_an_unknown_model_is_told_in_the_words_of_other_servers(
    model: Opened, body: bytes
) -> None:
    with Server(lambda *_: sends(body, 400)) as server:
        failure = await failure_of(model(server))
    assert failure.reason is Reason.UNKNOWN_MODEL
    assert "requested" in failure.problem or "does not exist" in failure.problem
