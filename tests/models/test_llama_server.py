"""llama.cpp's own server, against a toy one: a token is a word, and what comes next is known."""

import math
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from safemark.errors import CallFailed
from safemark.models._model import can
from safemark.models.connect import connect
from safemark.models.fake import says as asks
from safemark.models.http import Endpoint
from safemark.models.llama_server import ALL, FEW, LlamaServer
from safemark.types import Likelihood, Reason
from tests.serving import Answer, Server, fails, sends

VOCABULARY = ["<s>", "The", " sky", " is", " blue", " green", ".", "user:", "assistant:", " hi"]


def ids(text: str) -> list[int]:
    """Tokens as the toy has them.

    >>> ids("The sky is blue.")
    [1, 2, 3, 4, 6]
    """
    words = "|".join(re.escape(word) for word in sorted(VOCABULARY, key=len, reverse=True))
    return [VOCABULARY.index(found) for found in re.findall(words, text)]


def logprobs(before: list[int]) -> list[dict[str, Any]]:
    """Every token after the others, the likeliest first: the further from the last, the less."""
    near = sorted(range(len(VOCABULARY)), key=lambda token: (abs(token - before[-1] - 1), token))
    return [{"id": token, "logprob": -0.5 * (place + 1)} for place, token in enumerate(near)]


def toy(bos: bool = True, most: int = ALL) -> Answer:
    async def reply(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if request.path == "/tokenize":
            assert body["add_special"]
            return web.json_response({"tokens": ([0] if bos else []) + ids(body["content"])})
        if request.path == "/apply-template":
            said = "".join(f"user:{turn['content']}" for turn in body["messages"])
            return web.json_response({"prompt": said + "assistant:"})
        assert request.path == "/completion"
        assert body["n_predict"] == 1
        count = 3 if body["n_probs"] == FEW else most
        top = logprobs(body["prompt"])[:count]
        return web.json_response({"completion_probabilities": [{"top_logprobs": top}]})

    return reply


def expected(text: str, first: int) -> Likelihood:
    tokens = [0, *ids(text)]
    total, greedy = 0.0, True
    for index in range(first, len(tokens)):
        rows = logprobs(tokens[:index])
        total += next(row["logprob"] for row in rows if row["id"] == tokens[index])
        greedy = greedy and rows[0]["id"] == tokens[index]
    return Likelihood(total, len(tokens) - first, greedy)


@pytest.fixture
async def served() -> AsyncIterator[list[LlamaServer]]:
    made: list[LlamaServer] = []
    yield made
    for one in made:
        await one.close()


def opened(served: list[LlamaServer], server: Server, **more: Any) -> LlamaServer:
    served.append(LlamaServer("m", Endpoint(base_url=server.url), **more))
    return served[-1]


async def test_a_continuation_is_scored_token_by_token(served: list[LlamaServer]) -> None:
    with Server(lambda *_: toy()) as server:
        model = opened(served, server)
        found = await model.loglikelihood("The sky is", [" blue", " green.", "."])
        moved = await model.loglikelihood("The sky ", ["is"])
    assert found == (
        expected("The sky is blue", 4),
        expected("The sky is green.", 4),
        expected("The sky is.", 4),
    )
    assert [one.is_greedy for one in found] == [True, False, False]
    assert moved == (expected("The sky is", 3),)
    counts = [body["n_probs"] for body in server.bodies if "n_probs" in body]
    assert {FEW, ALL} == set(counts), "everything is asked for only where a few do not do"
    assert counts.count(ALL) < counts.count(FEW)


async def test_without_a_context_the_servers_first_token_is_one(served: list[LlamaServer]) -> None:
    with Server(lambda *_: toy()) as server:
        found = await opened(served, server).loglikelihood("", ["The sky"])
    assert found == (expected("The sky", 1),)
    with Server(lambda *_: toy(bos=False)) as server, pytest.raises(CallFailed) as caught:
        await opened(served, server).loglikelihood("", ["The sky"])
    assert caught.value.reason is Reason.UNSUPPORTED
    assert "-M begin=" in caught.value.hint


async def test_a_conversation_is_rendered_by_the_server(served: list[LlamaServer]) -> None:
    with Server(lambda *_: toy()) as server:
        found = await opened(served, server).loglikelihood(asks(" hi"), [" blue"])
    assert found == (expected("user: hiassistant: blue", 4),)
    assert math.isfinite(found[0].logprob)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (toy(most=3), Reason.UNSUPPORTED),
        (fails(404), Reason.UNSUPPORTED),
        (fails(503, "Loading model"), Reason.SERVER_ERROR),
        (sends(b"{}"), Reason.BAD_RESPONSE),
    ],
)
async def test_a_server_that_does_not_say_enough_gives_no_number(
    served: list[LlamaServer], answer: Answer, reason: Reason
) -> None:
    with Server(lambda *_: answer) as server, pytest.raises(CallFailed) as caught:
        await opened(served, server).loglikelihood("The sky is", [" hi"])
    assert caught.value.reason is reason


async def test_an_empty_continuation_is_no_question(served: list[LlamaServer]) -> None:
    with Server(lambda *_: toy()) as server, pytest.raises(CallFailed) as caught:
        await opened(served, server).loglikelihood("The sky", [""])
    assert caught.value.reason is Reason.BAD_REQUEST


def test_llamacpp_by_completions_has_likelihoods_and_by_chat_has_none() -> None:
    assert can(connect("llamacpp/m", options={"api": "completions"}), "loglikelihood")
    assert not can(connect("llamacpp/m"), "loglikelihood")
