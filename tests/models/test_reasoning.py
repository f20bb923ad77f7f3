"""Models that think before they answer, behind OpenAI's chat completions."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from safemark.errors import CallFailed
from safemark.models.connect import connect
from safemark.models.fake import says as asks
from safemark.models.http import Endpoint
from safemark.models.openai_compatible import OpenAICompatible
from safemark.models.providers import Dialect
from safemark.scorers._reply import no_answer
from safemark.store import Store
from safemark.types import Ask, Reason
from tests.serving import Answer, Server, completion, says, sends
from tests.small import evaluated, task

QUESTION = asks("What is 2 and 2?")
NO_MAX_TOKENS = (
    "Unsupported parameter: 'max_tokens' is not supported with this model."
    " Use 'max_completion_tokens' instead."
)
NO_TEMPERATURE = (
    "Unsupported value: 'temperature' does not support 0 with this model."
    " Only the default (1) value is supported."
)

Opened = Callable[..., OpenAICompatible]


@pytest.fixture
async def model() -> AsyncIterator[Opened]:
    made: list[OpenAICompatible] = []

    def open_it(server: Server, **more: Any) -> OpenAICompatible:
        made.append(OpenAICompatible("m", Endpoint(base_url=server.url), **more))
        return made[-1]

    yield open_it
    for one in made:
        await one.close()


def refuses(message: str, param: str) -> Answer:
    body = {"error": {"message": message, "param": param, "code": "unsupported_parameter"}}
    return sends(json.dumps(body).encode(), 400)


def like_o3(server: Server) -> Answer:
    body = server.bodies[-1]
    if "max_tokens" in body:
        return refuses(NO_MAX_TOKENS, "max_tokens")
    if "temperature" in body:
        return refuses(NO_TEMPERATURE, "temperature")
    return says("4")


async def test_what_a_reasoning_model_refuses_is_learnt_once_and_noted(model: Opened) -> None:
    with Server(lambda _text, _before: like_o3(server)) as server:
        asked = model(server)
        replies = [await asked.reply(QUESTION, Ask(max_output_tokens=9)) for _ in range(2)]
    sent = [set(body) - {"model", "messages"} for body in server.bodies]
    assert sent == [
        {"max_tokens", "temperature"},
        {"max_completion_tokens", "temperature"},
        {"max_completion_tokens"},
        {"max_completion_tokens"},
    ]
    assert server.bodies[-1]["max_completion_tokens"] == 9
    assert [reply.left_out for reply in replies] == [("temperature",)] * 2
    assert asked.notes == (
        "thinking counts towards the token limit (max_completion_tokens)",
        "temperature is left out: the server refuses it",
    )


async def test_a_setting_of_the_body_is_not_left_out(model: Opened) -> None:
    with (
        Server(lambda _text, _before: refuses(NO_TEMPERATURE, "temperature")) as server,
        pytest.raises(CallFailed) as caught,
    ):
        await model(server, extra={"temperature": 0}).reply(QUESTION, Ask())
    assert (caught.value.reason, len(server.asked)) == (Reason.BAD_REQUEST, 1)


async def test_a_refused_parameter_that_we_do_not_know_is_an_error(model: Opened) -> None:
    answer = refuses(
        "Unsupported parameter: 'reasoning_effort' with temperature", "reasoning_effort"
    )
    with Server(lambda _text, _before: answer) as server, pytest.raises(CallFailed) as caught:
        await model(server, effort="high").reply(QUESTION, Ask())
    assert server.bodies[0]["reasoning_effort"] == "high"
    assert (caught.value.reason, len(server.asked)) == (Reason.BAD_REQUEST, 1)


async def test_concurrent_requests_learn_together(model: Opened) -> None:
    import asyncio

    with Server(lambda _text, _before: like_o3(server)) as server:
        asked = model(server)
        replies = await asyncio.gather(
            *(asked.reply(asks(f"question {i}"), Ask()) for i in range(20))
        )
    assert {reply.text for reply in replies} == {"4"}
    assert len(server.asked) <= 60


@pytest.mark.parametrize("name", ["openai/o3-mini", "openai/gpt-5-nano"])
async def test_openais_reasoning_models_are_told_by_name(name: str) -> None:
    with Server() as server:
        for asked in (name, "openai/gpt-4o"):
            model = connect(asked, base_url=server.url)
            await model.reply(QUESTION, Ask())
            await model.close()
    assert [("max_completion_tokens" in body) for body in server.bodies] == [True, False]


THINKING: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "reasoning_content": ({"message": {"reasoning_content": "hm"}}, "4", "hm"),
    "reasoning": ({"message": {"reasoning": "hm"}}, "4", "hm"),
    "no text": ({"message": {"reasoning": {"a": 1}}}, "4", None),
    "empty": ({"message": {"reasoning_content": ""}}, "4", None),
    "tags": ({"message": {"content": "<think>\nhm\n</think>\n\n4"}}, "4", "hm"),
    "only the end": ({"message": {"content": "hm\n</think>\n\n4"}}, "4", "hm"),
    "Magistral": ({"message": {"content": "[THINK]hm[/THINK]4"}}, "4", "hm"),
    "Kimi": ({"message": {"content": "◁think▷hm◁/think▷4"}}, "4", "hm"),
    "spoken of": (
        {"message": {"content": "Write <think> and </think>."}},
        "Write <think> and </think>.",
        None,
    ),
    "parts": (
        {
            "message": {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                    {"type": "text", "text": "4"},
                ]
            }
        },
        "4",
        "hm",
    ),
}


@pytest.mark.parametrize("case", THINKING)
async def test_thinking_is_kept_apart_from_the_answer(model: Opened, case: str) -> None:
    choice, text, thinking = THINKING[case]
    with Server(lambda _text, _before: says("4", **choice)) as server:
        reply = await model(server).reply(QUESTION, Ask())
    assert (reply.text, reply.thinking) == (text, thinking)


def cut(text: str, thinking_tokens: int | None = None, **message: Any) -> Answer:
    body = completion(text, finish_reason="length", message=message)
    if thinking_tokens is not None:
        body["usage"]["completion_tokens_details"] = {"reasoning_tokens": thinking_tokens}
    return sends(json.dumps(body).encode())


CUT: dict[str, tuple[Answer, dict[str, Any], Reason | None]] = {
    "shown": (cut("", reasoning_content="hm"), {}, Reason.CUT_OFF_THINKING),
    "tags": (cut("<think>hm"), {}, Reason.CUT_OFF_THINKING),
    "hidden": (cut("", 64), {}, Reason.CUT_OFF_THINKING),
    "opened": (cut("hm, hm"), {"is_thinking_opened": True}, Reason.CUT_OFF_THINKING),
    "no thinking": (cut("", 0), {}, Reason.CUT_OFF),
    "an answer": (cut("The answer is", 64), {}, None),
}


@pytest.mark.parametrize("case", CUT)
async def test_cut_off_while_thinking_is_absent_and_not_empty(model: Opened, case: str) -> None:
    answer, options, reason = CUT[case]
    with Server(lambda _text, _before: answer) as server:
        reply = await model(server, **options).reply(QUESTION, Ask())
    absent = no_answer(reply)
    assert (absent and absent.absent) == reason
    assert reply.finish == "length"


async def test_tokens_of_thinking_and_of_the_cache_are_counted(model: Opened) -> None:
    body = completion("4")
    body["usage"]["completion_tokens_details"] = {"reasoning_tokens": 3}
    body["usage"]["prompt_tokens_details"] = {"cached_tokens": 8}
    with Server(lambda _text, _before: sends(json.dumps(body).encode())) as server:
        reply = await model(server).reply(QUESTION, Ask())
    assert (reply.usage.thinking_tokens, reply.usage.cached_tokens) == (3, 8)
    assert (reply.text, reply.thinking) == ("4", "")


@pytest.mark.parametrize(
    ("word", "finish", "said"),
    [
        ("stop", "stop", None),
        ("eos", "stop", "eos"),
        ("length", "length", None),
        ("model_length", "length", "model_length"),
        ("content_filter", "blocked", "content_filter"),
        ("tool_calls", "other", "tool_calls"),
        ("never heard of", "other", "never heard of"),
    ],
)
async def test_the_servers_word_for_the_end_is_recorded(
    model: Opened, word: str, finish: str, said: str | None
) -> None:
    with Server(lambda _text, _before: says("4", finish_reason=word)) as server:
        reply = await model(server).reply(QUESTION, Ask())
    assert (reply.finish, reply.finish_reason) == (finish, said)


@pytest.mark.parametrize("word", ["error", "abort", "insufficient_system_resource"])
async def test_an_answer_that_the_server_broke_off_is_no_answer(model: Opened, word: str) -> None:
    with (
        Server(lambda _text, _before: says("The ans", finish_reason=word)) as server,
        pytest.raises(CallFailed) as caught,
    ):
        await model(server).reply(QUESTION, Ask())
    assert caught.value.reason is Reason.SERVER_ERROR


async def test_a_tool_call_where_text_was_expected_is_no_answer(model: Opened) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    answer = says(None, finish_reason="tool_calls", message={"tool_calls": [call]})
    with Server(lambda _text, _before: answer) as server:
        reply = await model(server).reply(QUESTION, Ask())
    absent = no_answer(reply)
    assert absent is not None
    assert (absent.absent, reply.finish_reason) == (Reason.EMPTY_REPLY, "tool_calls")


BEGUN: dict[str, tuple[Dialect, dict[str, Any], dict[str, Any]]] = {
    "vllm": (
        Dialect(begun={"continue_final_message": True}),
        {"continue_final_message": True},
        {},
    ),
    "mistral": (Dialect(begun_flag="prefix"), {}, {"prefix": True}),
    "openai": (Dialect(goes_on=False), {}, {}),
}


@pytest.mark.parametrize("case", BEGUN)
async def test_a_begun_answer_is_gone_on_from_in_the_servers_own_way(
    model: Opened, case: str
) -> None:
    dialect, in_body, in_message = BEGUN[case]
    with Server() as server:
        asked = model(server, dialect=dialect)
        await asked.reply(QUESTION, Ask(prefill="Sure"))
        await asked.reply(QUESTION, Ask())
    begun, plain = server.bodies
    assert begun["messages"][-1] == {"role": "assistant", "content": "Sure", **in_message}
    assert {key: begun.get(key) for key in in_body} == in_body
    assert not set(in_body) & set(plain)
    assert bool(asked.notes) == (case == "openai")


async def test_mistrals_seed_has_another_name(model: Opened) -> None:
    with Server() as server:
        await model(server, dialect=Dialect(seed="random_seed")).reply(QUESTION, Ask(seed=7))
    assert (server.bodies[0]["random_seed"], "seed" in server.bodies[0]) == (7, False)


async def test_what_was_learnt_on_the_way_stands_in_the_record_of_the_run(
    model: Opened, tmp_path: Path
) -> None:
    store = Store(str(tmp_path / "s.db"))
    with Server(lambda _text, _before: like_o3(server)) as server:
        outcome = await evaluated(model(server), task(3), store)
    run = store.run(outcome.run_id)
    (part,) = store.parts(outcome.run_id)
    texts = [text for _, _, _, text in store.texts(part.id)]
    store.close()
    assert "temperature is left out: the server refuses it" in run.body.model_notes
    (attempt,) = texts[0].transcript.attempts
    assert attempt.reply is not None
    assert attempt.reply.left_out == ("temperature",)
