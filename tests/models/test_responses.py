import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from safemark.errors import CallFailed
from safemark.models.fake import says as asks
from safemark.models.http import Endpoint
from safemark.models.responses import Responses
from safemark.scorers._reply import no_answer
from safemark.types import Ask, Message, Reason, Reply, Usage
from tests.models.speaking import response
from tests.serving import Server, sends

QUESTION = asks("What is 2 and 2?")
Opened = Callable[..., Responses]


@pytest.fixture
async def model() -> AsyncIterator[Opened]:
    made: list[Responses] = []

    def open_it(server: Server, **more: Any) -> Responses:
        made.append(Responses("o3", Endpoint(base_url=server.url), **more))
        return made[-1]

    yield open_it
    for one in made:
        await one.close()


def sent(body: dict[str, Any]) -> Any:
    return lambda _text, _before: sends(json.dumps(body).encode())


async def test_the_request_is_as_the_api_wants_it(model: Opened) -> None:
    ask = Ask(temperature=0.5, max_output_tokens=9, top_p=0.9, stop=("x",), system="Be.", seed=3)
    turns = (Message("user", "a"), Message("assistant", "b"), *QUESTION)
    with Server(sent(response("4"))) as server:
        reply = await model(server, effort="low", extra={"user": "u"}).reply(turns, ask)
    assert server.bodies[0] == {
        "model": "o3",
        "instructions": "Be.",
        "input": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": QUESTION[0].content},
        ],
        "store": False,
        "max_output_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "reasoning": {"effort": "low", "summary": "auto"},
        "user": "u",
    }
    assert reply.left_out == ("seed", "stop")


async def test_reasoning_items_and_usage_are_read(model: Opened) -> None:
    body = response("4")
    summary = [{"type": "summary_text", "text": "hm"}, {"type": "summary_text", "text": "yes"}]
    body["output"].insert(0, {"type": "reasoning", "id": "r", "summary": summary})
    body["usage"] = {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 8},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 4},
    }
    with Server(sent(body)) as server:
        reply = await model(server).reply(QUESTION, Ask())
    usage = Usage(10, 9, cached_tokens=8, thinking_tokens=4)
    assert reply == Reply("4", thinking="hm\n\nyes", usage=usage, model="served")


def refusing() -> dict[str, Any]:
    part = {"type": "refusal", "refusal": "I can't help with that."}
    return response("", output=[{"type": "message", "content": [part]}])


def incomplete(reason: str, **more: Any) -> dict[str, Any]:
    return response("", status="incomplete", incomplete_details={"reason": reason}, **more)


THOUGHT = {"input_tokens": 1, "output_tokens": 9, "output_tokens_details": {"reasoning_tokens": 9}}
ENDS: dict[str, tuple[dict[str, Any], str, str, Reason | None]] = {
    "refusal": (refusing(), "I can't help with that.", "stop", None),
    "cut off": (incomplete("max_output_tokens", output=[]), "", "length", Reason.CUT_OFF),
    "cut off thinking": (
        incomplete("max_output_tokens", output=[], usage=THOUGHT),
        "",
        "length",
        Reason.CUT_OFF_THINKING,
    ),
    "filtered": (incomplete("content_filter", output=[]), "", "blocked", Reason.BLOCKED),
    "tool call": (
        response("", output=[{"type": "function_call", "name": "f", "arguments": "{}"}]),
        "",
        "other",
        Reason.EMPTY_REPLY,
    ),
    "no output": (response("", output=[]), "", "stop", Reason.EMPTY_REPLY),
}


@pytest.mark.parametrize("case", ENDS)
async def test_each_end_is_read_as_it_is_meant(model: Opened, case: str) -> None:
    body, text, finish, reason = ENDS[case]
    with Server(sent(body)) as server:
        reply = await model(server).reply(QUESTION, Ask())
    absent = no_answer(reply)
    assert (reply.text, reply.finish, absent and absent.absent) == (text, finish, reason)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"code": "server_error", "message": "oops"}, Reason.SERVER_ERROR),
        ({"code": "rate_limit_exceeded", "message": "slow down"}, Reason.RATE_LIMITED),
        ({"code": "invalid_prompt", "message": "flagged"}, Reason.BLOCKED),
        (None, Reason.SERVER_ERROR),
    ],
)
async def test_a_failed_response_is_no_answer(model: Opened, error: Any, reason: Reason) -> None:
    with (
        Server(sent(response("4", status="failed", error=error))) as server,
        pytest.raises(CallFailed) as caught,
    ):
        await model(server).reply(QUESTION, Ask())
    assert caught.value.reason is reason
