import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from safemark.errors import CallFailed
from safemark.models.anthropic import LIMIT_WITHOUT_ONE, Anthropic
from safemark.models.fake import says as asks
from safemark.models.http import Endpoint
from safemark.scorers._reply import no_answer
from safemark.types import Ask, Message, Reason, Reply, Usage
from tests.models.speaking import KEY, anthropic_error, anthropic_message
from tests.serving import Answer, Server, sends

QUESTION = asks("What is 2 and 2?")
Opened = Callable[..., Anthropic]


@pytest.fixture
async def model() -> AsyncIterator[Opened]:
    made: list[Anthropic] = []

    def open_it(server: Server, **more: Any) -> Anthropic:
        endpoint = Endpoint(base_url=server.url, api_key=KEY, key_variable="ANTHROPIC_API_KEY")
        made.append(Anthropic("claude", endpoint, **more))
        return made[-1]

    yield open_it
    for one in made:
        await one.close()


def says(text: str = "4", **more: Any) -> Answer:
    return sends(json.dumps(anthropic_message(text, **more)).encode())


async def test_the_request_is_as_the_api_wants_it(model: Opened) -> None:
    ask = Ask(temperature=0.5, max_output_tokens=9, top_p=0.9, stop=("x",), system="Be.", seed=3)
    turns = (Message("system", "And."), Message("user", "a"), Message("assistant", "b"), *QUESTION)
    with Server(lambda _text, _before: says()) as server:
        asked = model(server, extra={"top_k": 5})
        reply = await asked.reply(turns, ask)
    assert server.bodies[0] == {
        "model": "claude",
        "max_tokens": 9,
        "system": "Be.\n\nAnd.",
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": QUESTION[0].content},
        ],
        "temperature": 0.5,
        "top_p": 0.9,
        "stop_sequences": ["x"],
        "top_k": 5,
    }
    assert server.paths == ["/v1/messages"]
    assert server.headers[0]["x-api-key"] == KEY
    assert server.headers[0]["anthropic-version"] == "2023-06-01"
    assert "Authorization" not in server.headers[0]
    assert reply.left_out == ("seed",)
    assert asked.notes == ("the seed is left out: the API has none",)


async def test_a_limit_is_sent_even_where_none_was_given(model: Opened) -> None:
    with Server(lambda _text, _before: says()) as server:
        await model(server).reply(QUESTION, Ask(max_output_tokens=None, temperature=None))
    assert server.bodies[0] == {
        "model": "claude",
        "max_tokens": LIMIT_WITHOUT_ONE,
        "messages": [{"role": "user", "content": QUESTION[0].content}],
    }


async def test_thinking_and_usage_are_read(model: Opened) -> None:
    content = [
        {"type": "thinking", "thinking": "hm", "signature": "x"},
        {"type": "text", "text": "4"},
        {"type": "text", "text": "!"},
    ]
    usage = {"input_tokens": 10, "cache_read_input_tokens": 90, "output_tokens": 5}
    with Server(lambda _text, _before: says(content=content, usage=usage)) as server:
        reply = await model(server).reply(QUESTION, Ask())
    usage_read = Usage(100, 5, cached_tokens=90)
    expected = Reply(
        "4!", thinking="hm", usage=usage_read, model="served", finish_reason="end_turn"
    )
    assert reply == expected


REDACTED = [{"type": "redacted_thinking", "data": "x"}]
ENDS: dict[str, tuple[Answer, str, Reason | None]] = {
    "end_turn": (says(), "stop", None),
    "stop_sequence": (says(stop_reason="stop_sequence"), "stop", None),
    "max_tokens": (says("The", stop_reason="max_tokens"), "length", None),
    "refusal": (says("", content=[], stop_reason="refusal"), "blocked", Reason.BLOCKED),
    "cut off": (says("", content=[], stop_reason="max_tokens"), "length", Reason.CUT_OFF),
    "cut off thinking": (
        says(content=[{"type": "thinking", "thinking": "hm"}], stop_reason="max_tokens"),
        "length",
        Reason.CUT_OFF_THINKING,
    ),
    "cut off, hidden": (
        says(content=REDACTED, stop_reason="max_tokens"),
        "length",
        Reason.CUT_OFF_THINKING,
    ),
    "tool": (
        says(content=[{"type": "tool_use", "id": "1", "name": "f"}], stop_reason="tool_use"),
        "other",
        Reason.EMPTY_REPLY,
    ),
    "paused": (says("", content=[], stop_reason="pause_turn"), "other", Reason.EMPTY_REPLY),
}


@pytest.mark.parametrize("case", ENDS)
async def test_each_end_is_read_as_it_is_meant(model: Opened, case: str) -> None:
    answer, finish, reason = ENDS[case]
    with Server(lambda _text, _before: answer) as server:
        reply = await model(server).reply(QUESTION, Ask())
    absent = no_answer(reply)
    assert (reply.finish, absent and absent.absent) == (finish, reason)


async def test_a_begun_answer_ends_without_white_space(model: Opened) -> None:
    with Server(lambda _text, _before: says()) as server:
        asked = model(server)
        for prefill in ("Sure, ", " "):
            await asked.reply(QUESTION, Ask(prefill=prefill))
    first, second = (body["messages"] for body in server.bodies)
    assert first[-1] == {"role": "assistant", "content": "Sure,"}
    assert [turn["role"] for turn in second] == ["user"]


async def test_a_model_that_goes_on_from_no_begun_answer_is_told_of(model: Opened) -> None:
    message = "This model does not support assistant message prefill."
    body = json.dumps(anthropic_error(400, message, "invalid_request_error")).encode()
    with (
        Server(lambda _text, _before: sends(body, 400)) as server,
        pytest.raises(CallFailed) as caught,
    ):
        await model(server).reply(QUESTION, Ask(prefill="Sure"))
    assert caught.value.reason is Reason.UNSUPPORTED
    assert len(server.asked) == 1


async def test_effort_is_adaptive_as_a_word_and_a_budget_as_a_number(model: Opened) -> None:
    with Server(lambda _text, _before: says()) as server:
        await model(server, effort="high").reply(QUESTION, Ask(max_output_tokens=100))
        fixed = model(server, effort="2048")
        reply = await fixed.reply(QUESTION, Ask(max_output_tokens=100))
    adaptive, budget = server.bodies
    assert (adaptive["thinking"], adaptive["output_config"]) == (
        {"type": "adaptive"},
        {"effort": "high"},
    )
    assert adaptive["max_tokens"] == 100
    assert budget["thinking"] == {"type": "enabled", "budget_tokens": 2048}
    assert budget["max_tokens"] == 2148
    assert "temperature" not in budget
    assert reply.left_out == ("temperature",)


async def test_a_temperature_that_is_deprecated_is_left_out(model: Opened) -> None:
    def answer(_text: str, _before: int) -> Answer:
        if "temperature" in server.bodies[-1]:
            said = anthropic_error(400, "`temperature` is deprecated for this model.", None)
            return sends(json.dumps(said).encode(), 400)
        return says()

    with Server(answer) as server:
        reply = await model(server).reply(QUESTION, Ask())
    assert (reply.text, reply.left_out, len(server.asked)) == ("4", ("temperature",), 2)
