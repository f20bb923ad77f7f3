"""Raw continuation and likelihoods over HTTP, against a toy model whose likelihoods are known.

A token's log-likelihood is minus its length, and tokens of up to three characters are the likeliest.
"""

import json
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from safemark.errors import CallFailed
from safemark.models._model import can
from safemark.models.completions import Completions
from safemark.models.connect import connect
from safemark.models.fake import says as asks
from safemark.models.http import Endpoint
from safemark.types import Ask, Likelihood, Message, Reason
from tests.models.speaking import text_completion
from tests.serving import Answer, Server, fails, sends

Opened = Callable[..., Completions]


@pytest.fixture
async def model() -> AsyncIterator[Opened]:
    made: list[Completions] = []

    def open_it(server: Server, **more: Any) -> Completions:
        made.append(Completions("m", Endpoint(base_url=server.url), **more))
        return made[-1]

    yield open_it
    for one in made:
        await one.close()


def pieces(text: str) -> list[str]:
    """Words with the space before them, and an accented letter in two halves that no one can read.

    >>> pieces("So é, no")
    ['So', ' ', '�', '�', ',', ' no']
    """
    found = re.findall(r" ?[A-Za-z]+|[^A-Za-z]", text)
    return [half for piece in found for half in (["�", "�"] if piece == "é" else [piece])]


def logprob(piece: str) -> float:
    return -float(len(piece))


def echoes(bos: str = "", written: str = " ok") -> Callable[[str, int], Answer]:
    """A server with ``echo`` and ``logprobs``; ``bos`` is a token that it puts first."""

    def answer(text: str, _before: int) -> Answer:
        tokens = ([bos] if bos else []) + pieces(text) + ([written] if written else [])
        values = [None, *(logprob(token) for token in tokens[1:])]
        tops = [
            None if value is None else {token: value, "the": -3.0}
            for token, value in zip(tokens, values, strict=True)
        ]
        said = {
            "tokens": tokens,
            "token_logprobs": values,
            "top_logprobs": tops,
            "text_offset": [0] * len(tokens),
        }
        body = text_completion(text + written, finish_reason="length", logprobs=said)
        body["usage"]["completion_tokens"] = int(bool(written))
        return sends(json.dumps(body).encode())

    return answer


def accounts_for_prompts(bos: str = "") -> Callable[[str, int], Answer]:
    """A server that knows no ``echo``, but vLLM's ``prompt_logprobs``."""

    def answer(text: str, _before: int) -> Answer:
        async def reply(request: web.Request) -> web.StreamResponse:
            body = await request.json()
            if "echo" in body:
                return await fails(500, "Only no echo is supported")(request)
            assert body["prompt_logprobs"] == 0
            tokens = ([bos] if bos else []) + pieces(text)
            entries: list[Any] = [None]
            for number, token in enumerate(tokens[1:]):
                rank = 1 if len(token) <= 3 else 5
                one = {"logprob": logprob(token), "rank": rank, "decoded_token": token}
                entries.append({str(number): one})
            return await sends(
                json.dumps(text_completion(" ok", prompt_logprobs=entries)).encode()
            )(request)

        return reply

    return answer


WAYS = {
    "OpenAI": echoes(),
    "vLLM": echoes("<s>"),
    "writes nothing": echoes(written=""),
    "prompt_logprobs": accounts_for_prompts(),
    "prompt_logprobs with <s>": accounts_for_prompts("<s>"),
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_continuation_is_scored_token_by_token(model: Opened, way: str) -> None:
    with Server(WAYS[way]) as server:
        asked = model(server)
        found = await asked.loglikelihood("The sky is", [" blue", " so big", "!"])
        again = await asked.loglikelihood("The sky is", [" blue"])
    assert found == (
        Likelihood(-5.0, 1, is_greedy=False),
        Likelihood(-7.0, 2, is_greedy=False),
        Likelihood(-1.0, 1, is_greedy=True),
    )
    assert again == found[:1]
    assert server.bodies[-1]["max_tokens"] == 1


async def test_white_space_at_the_end_of_the_context_belongs_to_the_continuation(
    model: Opened,
) -> None:
    with Server(echoes()) as server:
        moved = await model(server).loglikelihood("Sky is ", ["blue"])
        plain = await model(server).loglikelihood("Sky is", [" blue"])
    assert moved == plain == (Likelihood(-5.0, 1, is_greedy=False),)


async def test_a_token_over_the_boundary_belongs_to_the_continuation(model: Opened) -> None:
    with Server(echoes()) as server:
        found = await model(server).loglikelihood("The sk", ["y is"])
    assert found == (Likelihood(-4.0 - 3.0, 2, is_greedy=False),)


@pytest.mark.parametrize("way", WAYS)
async def test_characters_split_over_tokens_are_counted_by_the_context_alone(
    model: Opened, way: str
) -> None:
    with Server(WAYS[way]) as server:
        found = await model(server).loglikelihood("A café is", [" so nice"])
    assert found == (Likelihood(-3.0 - 5.0, 2, is_greedy=False),)
    assert "A café is" in server.asked


@pytest.mark.parametrize("way", ["vLLM", "prompt_logprobs with <s>"])
async def test_without_a_context_the_servers_first_token_is_one(model: Opened, way: str) -> None:
    with Server(WAYS[way]) as server:
        found = await model(server).loglikelihood("", ["The sky"])
    assert found == (Likelihood(-3.0 - 4.0, 2, is_greedy=False),)


@pytest.mark.parametrize("way", ["OpenAI", "prompt_logprobs"])
async def test_without_a_context_and_a_first_token_one_can_be_named(
    model: Opened, way: str
) -> None:
    with Server(WAYS[way]) as server:
        with pytest.raises(CallFailed) as caught:
            await model(server).loglikelihood("", ["The sky"])
        assert caught.value.reason is Reason.UNSUPPORTED
        assert "-M begin=" in caught.value.hint
        found = await model(server, begin="#").loglikelihood("", ["The sky"])
    assert found == (Likelihood(-3.0 - 4.0, 2, is_greedy=False),)


async def test_an_empty_continuation_is_no_question(model: Opened) -> None:
    with Server(echoes()) as server, pytest.raises(CallFailed) as caught:
        await model(server).loglikelihood("The sky", [""])
    assert caught.value.reason is Reason.BAD_REQUEST


def ignores(text: str, _before: int) -> Answer:
    return sends(json.dumps(text_completion(" ok")).encode())


def of_the_answer_alone(text: str, _before: int) -> Answer:
    said = {"tokens": [" ok"], "token_logprobs": [-0.5], "top_logprobs": [{" ok": -0.5}]}
    return sends(json.dumps(text_completion(" ok", logprobs=said)).encode())


def no_tops(text: str, before: int) -> Answer:
    said = {"tokens": pieces(text), "token_logprobs": [-1.0] * len(pieces(text))}
    return sends(json.dumps(text_completion(text, logprobs=said)).encode())


UNABLE = {
    "ignores it": ignores,
    "scores its own answer": of_the_answer_alone,
    "refuses it": lambda _text, _before: fails(400, "echo and logprobs are not supported"),
    "says not which is likeliest": no_tops,
}


@pytest.mark.parametrize("server_is", UNABLE)
async def test_a_server_without_likelihoods_is_refused_with_a_hint(
    model: Opened, server_is: str
) -> None:
    with Server(UNABLE[server_is]) as server, pytest.raises(CallFailed) as caught:
        await model(server).loglikelihood("The sky is", [" blue"])
    assert caught.value.reason is Reason.UNSUPPORTED
    assert len(server.asked) <= 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (fails(401), Reason.AUTHENTICATION),
        (fails(429), Reason.RATE_LIMITED),
        (fails(503), Reason.SERVER_ERROR),
        (fails(404, "The model `m` does not exist."), Reason.UNKNOWN_MODEL),
    ],
)
async def test_another_failure_keeps_its_reason_and_forgets_no_way(
    model: Opened, answer: Answer, reason: Reason
) -> None:
    good = echoes()
    with Server(lambda text, before: good(text, before) if before else answer) as server:
        asked = model(server)
        with pytest.raises(CallFailed) as caught:
            await asked.loglikelihood("The sky is", [" blue"])
        assert caught.value.reason is reason
        assert await asked.loglikelihood("The sky is", [" blue"])
    assert all("echo" in body for body in server.bodies)


async def test_one_bad_request_does_not_change_a_way_that_has_worked(model: Opened) -> None:
    good = echoes()

    def answer(text: str, before: int) -> Answer:
        return fails(400, "no") if "bad" in text else good(text, before)

    with Server(answer) as server:
        asked = model(server)
        await asked.loglikelihood("The sky is", [" blue"])
        with pytest.raises(CallFailed) as caught:
            await asked.loglikelihood("The sky is", [" bad"])
        assert caught.value.reason is Reason.BAD_REQUEST
        await asked.loglikelihood("The sky is", [" blue"])
    assert all("echo" in body for body in server.bodies)


async def test_infinite_likelihoods_are_not_numbers(model: Opened) -> None:
    said = {
        "tokens": ["a", " b"],
        "token_logprobs": [None, -1e309],
        "top_logprobs": [None, {" b": 0.0}],
    }
    body = json.dumps(text_completion("a b", logprobs=said)).replace("-Infinity", "-1e400")
    with Server(lambda *_: sends(body.encode())) as server, pytest.raises(CallFailed) as caught:
        await model(server).loglikelihood("a", [" b"])
    assert caught.value.reason in (Reason.NOT_A_NUMBER, Reason.BAD_RESPONSE)


def templates(text: str, before: int) -> Answer:
    """vLLM: tells a conversation's tokens, and tokens' text."""

    async def reply(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if request.path == "/tokenize":
            assert body["add_generation_prompt"]
            return web.json_response({"tokens": [1, 2, 3], "count": 3})
        if request.path == "/detokenize":
            assert body["tokens"] == [1, 2, 3]
            return web.json_response({"prompt": "<s>user: hi\nassistant:"})
        assert body["add_special_tokens"] is False
        return await echoes()(text, before)(request)

    return reply


async def test_a_conversation_is_scored_in_the_servers_own_template(model: Opened) -> None:
    with Server(templates) as server:
        found = await model(server).loglikelihood(asks("hi"), [" blue"])
    assert found == (Likelihood(-5.0, 1, is_greedy=False),)
    assert server.asked[-1] == "<s>user: hi\nassistant: blue"


async def test_a_server_without_a_template_scores_no_conversation(model: Opened) -> None:
    with Server(lambda *_: fails(404)) as server, pytest.raises(CallFailed) as caught:
        await model(server).loglikelihood(asks("hi"), [" blue"])
    assert caught.value.reason is Reason.UNSUPPORTED


async def test_a_raw_continuation_is_asked_for_with_the_text_alone(model: Opened) -> None:
    answer = text_completion(" blue", finish_reason="length")
    with Server(lambda *_: sends(json.dumps(answer).encode())) as server:
        reply = await model(server).reply(
            (Message("system", "A."), Message("user", "The sky is")),
            Ask(temperature=0.5, max_output_tokens=9, stop=("\n",), seed=1, prefill=" so"),
        )
    assert (reply.text, reply.finish, reply.model) == (" blue", "length", "served")
    assert server.bodies[0] == {
        "model": "m",
        "prompt": "A.\n\nThe sky is so",
        "temperature": 0.5,
        "max_tokens": 9,
        "stop": ["\n"],
        "seed": 1,
    }
    assert server.paths == ["/v1/completions"]


async def test_likelihoods_are_there_by_api_completions_alone_and_through_every_wrapper() -> None:
    with Server(echoes()) as server:
        chat = connect("openai/m", base_url=server.url)
        raw = connect("openai/m", base_url=server.url, options={"api": "completions"})
        assert not can(chat, "loglikelihood")
        found = await raw.loglikelihood("The sky is", [" blue"])  # type: ignore[attr-defined]
        await raw.close()
    assert found == (Likelihood(-5.0, 1, is_greedy=False),)
