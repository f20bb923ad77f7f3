"""What every protocol over HTTP keeps to, tried one by one against a real server that misbehaves."""

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Callable
from unittest.mock import AsyncMock

import aiohttp
import pytest
from aiohttp import web
from aiohttp.client_reqrep import ConnectionKey

from safemark.errors import CallFailed
from safemark.models._model import Model
from safemark.models.fake import says as asks
from safemark.models.http import HttpModel
from safemark.scorers._reply import no_answer
from safemark.secrets import HIDDEN
from safemark.types import Ask, Message, Reason
from tests.models.speaking import KEY, PROTOCOLS, Protocol
from tests.serving import Answer, Server, hangs_up, sends, tears, waits

QUESTION = asks("What is the capital of France?")
GOOGLE_DELAY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37s"}

Opened = Callable[..., HttpModel]


@pytest.fixture(params=list(PROTOCOLS))
def protocol(request: pytest.FixtureRequest) -> Protocol:
    return PROTOCOLS[request.param]


@pytest.fixture
async def model(protocol: Protocol) -> AsyncIterator[Opened]:
    made: list[HttpModel] = []

    def open_it(server: Server | str, **more: object) -> HttpModel:
        url = server if isinstance(server, str) else server.url
        made.append(protocol.model(url, **more))
        return made[-1]

    yield open_it
    for one in made:
        await one.close()


async def failure_of(model: Model) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        await model.reply(QUESTION, Ask())
    return caught.value


def cut(protocol: Protocol) -> Answer:
    return sends(json.dumps(protocol.reply("Paris.")).encode()[:60])


def raw(protocol: Protocol, text: bytes) -> Answer:
    """A good reply but for the bytes of its text."""
    return sends(json.dumps(protocol.reply("@@")).encode().replace(b"@@", text))


FAULTS: dict[str, tuple[Callable[[Protocol], Answer], Reason]] = {
    "401": (lambda p: p.fails(401, "no such key"), Reason.AUTHENTICATION),
    "403": (lambda p: p.fails(403, "not allowed"), Reason.AUTHENTICATION),
    "key told by 400": (
        lambda p: p.fails(400, "API key not valid. Please pass a valid API key."),
        Reason.AUTHENTICATION,
    ),
    "no credit": (
        lambda p: p.fails(400, "Your credit balance is too low to access the API."),
        Reason.AUTHENTICATION,
    ),
    "404 address": (lambda _: sends(b"404: Not Found", 404, "text/plain"), Reason.BAD_REQUEST),
    "404 model": (lambda p: p.fails(404, "The model `m` does not exist."), Reason.UNKNOWN_MODEL),
    "404 model, Google": (
        lambda p: p.fails(404, "models/m is not found for API version v1beta"),
        Reason.UNKNOWN_MODEL,
    ),
    "404 model, Anthropic": (
        lambda p: p.fails(404, "model: m", "not_found_error"),
        Reason.UNKNOWN_MODEL,
    ),
    "400": (lambda p: p.fails(400, "messages: must not be empty"), Reason.BAD_REQUEST),
    "too long": (
        lambda p: p.fails(400, "prompt is too long: 210000 tokens > 200000 maximum"),
        Reason.CONTEXT_TOO_LONG,
    ),
    "too long, Google": (
        lambda p: p.fails(
            400, "The input token count exceeds the maximum number of tokens allowed"
        ),
        Reason.CONTEXT_TOO_LONG,
    ),
    "filtered": (
        lambda p: p.fails(400, "Output blocked by content filtering policy"),
        Reason.BLOCKED,
    ),
    "429": (lambda p: p.fails(429, "slow down"), Reason.RATE_LIMITED),
    "500": (lambda p: p.fails(500, "oops"), Reason.SERVER_ERROR),
    "529": (lambda p: p.fails(529, "Overloaded", "overloaded_error"), Reason.SERVER_ERROR),
    "503 page": (
        lambda _: sends(b"<html>Service Unavailable</html>", 503, "text/html"),
        Reason.SERVER_ERROR,
    ),
    "reset": (lambda _: tears(), Reason.TRANSPORT),
    "hang up": (lambda _: hangs_up(), Reason.TRANSPORT),
    "truncated": (cut, Reason.BAD_RESPONSE),
    "page": (
        lambda _: sends(b"<html>hello</html>", content_type="text/html"),
        Reason.BAD_RESPONSE,
    ),
    "empty body": (lambda _: sends(b""), Reason.BAD_RESPONSE),
    "null": (lambda _: sends(b"null"), Reason.BAD_RESPONSE),
    "nothing in it": (lambda _: sends(b"{}"), Reason.BAD_RESPONSE),
    "deep": (lambda _: sends(b'{"x":' * 90_000), Reason.BAD_RESPONSE),
    "invalid UTF-8": (lambda p: raw(p, b"\xff\xfe"), Reason.BAD_RESPONSE),
    "lone surrogate": (lambda p: raw(p, b"\\ud83d ."), Reason.BAD_RESPONSE),
    "not gzip": (lambda _: sends(b"plain", Content_Encoding="gzip"), Reason.TRANSPORT),
    "redirect": (
        lambda _: sends(b"", 308, Location="http://198.51.100.1/v1"),
        Reason.BAD_REQUEST,
    ),
    "429 in a 200": (
        lambda _: sends(b'{"error": {"code": 429, "message": "slow down"}}'),
        Reason.RATE_LIMITED,
    ),
    "502 in a 200": (
        lambda _: sends(b'{"error": {"code": 502, "message": "upstream is away"}}'),
        Reason.SERVER_ERROR,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_has_its_reason_and_holds_no_key(
    protocol: Protocol, model: Opened, fault: str
) -> None:
    answer, reason = FAULTS[fault]
    with Server(lambda _text, _before: answer(protocol)) as server:
        failure = await failure_of(model(server))
    assert failure.reason is reason, failure.problem
    assert len(server.asked) == 1
    assert KEY not in failure.problem + failure.hint


async def test_the_key_goes_into_its_header_and_never_into_the_address(
    protocol: Protocol, model: Opened
) -> None:
    with Server(lambda _text, _before: protocol.says("Paris.")) as server:
        reply = await model(server).reply(QUESTION, Ask())
    assert server.headers[0][protocol.key_header].endswith(KEY)
    assert server.paths == [f"/v1/{protocol.path}"]
    assert KEY not in server.paths[0]
    assert (reply.text, reply.finish, reply.model) == ("Paris.", "stop", reply.model)
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (10, 5)


async def test_a_server_that_repeats_the_key_does_not_get_it_into_an_error(
    protocol: Protocol, model: Opened
) -> None:
    with Server(lambda _text, _before: protocol.fails(401, f"wrong key: {KEY}")) as server:
        failure = await failure_of(model(server))
        assert failure.problem == f"HTTP 401: wrong key: {HIDDEN}"
        assert failure.hint == "check the key in THE_KEY"
    with Server(lambda _text, _before: sends(f"<p>{KEY}</p>".encode())) as server:
        failure = await failure_of(model(server))
    assert KEY not in failure.problem
    assert HIDDEN in failure.problem


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("soon", None)]
)
async def test_retry_after_is_read_in_seconds(
    protocol: Protocol, model: Opened, value: str, seconds: float | None
) -> None:
    answer = protocol.fails(429, "slow down", Retry_After=value)
    with Server(lambda _text, _before: answer) as server:
        failure = await failure_of(model(server))
    assert (failure.retry_after_s, failure.status) == (seconds, 429)


async def test_retry_after_may_be_a_date(protocol: Protocol, model: Opened) -> None:
    for date, is_future in (
        ("Wed, 21 Oct 2015 07:28:00 GMT", False),
        ("Wed, 21 Oct 2099 07:28:00 GMT", True),
    ):
        answer = protocol.fails(529, "Overloaded", Retry_After=date)
        with Server(lambda _text, _before, answer=answer: answer) as server:  # type: ignore[misc]
            failure = await failure_of(model(server))
        assert failure.retry_after_s is not None
        assert (failure.retry_after_s > 1e9) == is_future


async def test_google_says_in_the_body_how_long_to_wait() -> None:
    body = {"error": {"code": 429, "message": "quota", "details": [GOOGLE_DELAY]}}
    with Server(lambda _text, _before: sends(json.dumps(body).encode(), 429)) as server:
        model = PROTOCOLS["google"].model(server.url)
        failure = await failure_of(model)
        await model.close()
    assert failure.retry_after_s == 37.0


async def test_an_empty_answer_is_no_answer(protocol: Protocol, model: Opened) -> None:
    with Server(lambda _text, _before: protocol.says("")) as server:
        reply = await model(server).reply(QUESTION, Ask())
    absent = no_answer(reply)
    assert absent is not None
    assert absent.absent is Reason.EMPTY_REPLY


async def test_a_reply_of_ten_megabytes_is_read_and_one_without_end_is_cut_short(
    protocol: Protocol, model: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(lambda _text, _before: protocol.says("x" * 10_000_000)) as server:
        reply = await model(server).reply(QUESTION, Ask())
        assert len(reply.text) == 10_000_000
    monkeypatch.setattr("safemark.models.http.MAX_REPLY_BYTES", 100_000)
    bomb = sends(gzip.compress(b" " * 10_000_000), Content_Encoding="gzip")
    with Server(lambda _text, _before: bomb) as server:
        failure = await failure_of(model(server))
    assert failure.reason is Reason.BAD_RESPONSE
    assert "longer than" in failure.problem


async def test_a_reply_beyond_the_limit_of_time_is_a_timeout(model: Opened) -> None:
    with Server(lambda _text, _before: waits(30)) as server:
        failure = await failure_of(model(server, timeout_s=0.1))
    assert (failure.reason, failure.problem) == (Reason.TIMEOUT, "no reply within 0.1 s")


async def test_a_reply_that_drips_is_a_timeout(protocol: Protocol, model: Opened) -> None:
    body = json.dumps(protocol.reply("Paris.")).encode()

    async def drips(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        for byte in body:
            await response.write(bytes([byte]))
            await asyncio.sleep(0.02)
        return response

    with Server(lambda _text, _before: drips) as server:
        failure = await failure_of(model(server, timeout_s=0.1))
    assert failure.reason is Reason.TIMEOUT


async def test_a_certificate_that_nobody_vouches_for_is_told(
    protocol: Protocol, model: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ConnectionKey("model.example", 443, True, True, None, None, None)
    untrusted = ssl.SSLCertVerificationError(1, "certificate has expired")
    error = aiohttp.ClientConnectorCertificateError(key, untrusted)
    monkeypatch.setattr(aiohttp.TCPConnector, "connect", AsyncMock(side_effect=error))
    failure = await failure_of(model("https://model.example/v1"))
    assert failure.reason is Reason.TRANSPORT
    assert "SSL_CERT_FILE" in failure.hint


async def test_a_host_that_nobody_knows_is_told(model: Opened, no_network: list[str]) -> None:
    failure = await failure_of(model("http://nobody.invalid/v1"))
    no_network.clear()
    assert failure.reason is Reason.TRANSPORT
    assert "nobody knows the host of http://nobody.invalid" in failure.hint


async def test_a_question_that_cannot_be_sent_says_so(model: Opened) -> None:
    with Server() as server, pytest.raises(CallFailed) as caught:
        await model(server).reply(asks("\ud83d"), Ask())
    assert (caught.value.reason, server.asked) == (Reason.BAD_REQUEST, [])


async def test_a_setting_that_is_refused_as_such_is_learnt_once_and_said(
    protocol: Protocol, model: Opened
) -> None:
    name = {"google": "topP"}.get(protocol.name, "top_p")

    def answer(_text: str, _before: int) -> Answer:
        body = server.bodies[-1]
        if name in body.get("generationConfig", body):
            return protocol.fails(400, f"Unsupported parameter: '{name}' is not supported.")
        return protocol.says("Paris.")

    with Server(answer) as server:
        asked = model(server)
        first = await asked.reply(QUESTION, Ask(top_p=0.9))
        second = await asked.reply(QUESTION, Ask(top_p=0.9))
        third = await asked.reply(QUESTION, Ask())
    assert len(server.asked) == 4, "refused once, learnt for good"
    assert "top_p is left out: the server refuses it" in asked.notes
    assert "top_p" in first.left_out
    assert second.left_out == first.left_out
    assert "top_p" not in third.left_out


async def test_a_value_out_of_range_is_the_askers_mistake(
    protocol: Protocol, model: Opened
) -> None:
    answer = protocol.fails(400, "temperature: 3 is greater than the maximum of 2, topP, top_p")
    with Server(lambda _text, _before: answer) as server, pytest.raises(CallFailed) as caught:
        await model(server).reply(QUESTION, Ask(temperature=3.0, top_p=0.1))
    assert (caught.value.reason, len(server.asked)) == (Reason.BAD_REQUEST, 1)


def test_identity_tells_address_model_protocol_effort_and_body_but_not_the_key(
    protocol: Protocol,
) -> None:
    base = protocol.model("http://a/v1")
    others = [
        protocol.model("http://b/v1"),
        protocol.model("http://a/v1", effort="high"),
        protocol.model("http://a/v1", extra={"top_k": 5}),
        *(p.model("http://a/v1") for p in PROTOCOLS.values() if p is not protocol),
    ]
    digests = {one.identity.digest for one in (base, *others)}
    assert len(digests) == 1 + len(others)
    assert KEY not in json.dumps([one.identity.detail for one in (base, *others)])
    secret = protocol.model("http://a/v1", extra={"api_key": "sk-in-the-body"})
    assert "sk-in-the-body" not in json.dumps(secret.identity.detail)


async def test_several_turns_keep_their_order(protocol: Protocol, model: Opened) -> None:
    turns = (Message("user", "a"), Message("assistant", "b"), Message("user", "c"))
    with Server(lambda _text, _before: protocol.says("d")) as server:
        asked = model(server)
        if protocol.name == "completions":
            with pytest.raises(CallFailed) as caught:
                await asked.reply(turns, Ask())
            assert caught.value.reason is Reason.UNSUPPORTED
            return
        await asked.reply(turns, Ask(system="Be."))
    (body,) = server.bodies
    said = json.dumps(body)
    assert said.index('"a"') < said.index('"b"') < said.index('"c"')
    assert "Be." in said
