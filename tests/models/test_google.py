import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from safemark.models.fake import says as asks
from safemark.models.google import Google
from safemark.models.http import Endpoint
from safemark.scorers._reply import no_answer
from safemark.types import Ask, Message, Reason, Reply, Usage
from tests.models.speaking import KEY, generated
from tests.serving import Answer, Server, sends

QUESTION = asks("What is 2 and 2?")
Opened = Callable[..., Google]


@pytest.fixture
async def model() -> AsyncIterator[Opened]:
    made: list[Google] = []

    def open_it(server: Server, name: str = "gemini", **more: Any) -> Google:
        made.append(Google(name, Endpoint(base_url=server.url, api_key=KEY), **more))
        return made[-1]

    yield open_it
    for one in made:
        await one.close()


def says(text: str = "4", **of_candidate: Any) -> Answer:
    return sends(json.dumps(generated(text, **of_candidate)).encode())


async def test_the_request_is_as_the_api_wants_it(model: Opened) -> None:
    ask = Ask(
        temperature=0.5, max_output_tokens=9, top_p=0.9, stop=("x",), seed=3, draw=2, system="Be.",
        prefill="Sure",
    )  # fmt: skip
    turns = (Message("user", "a"), Message("assistant", "b"), *QUESTION)
    settings = {"safetySettings": [], "generationConfig": {"topK": 5}}
    with Server(lambda _text, _before: says()) as server:
        await model(server, extra=settings).reply(turns, ask)
        await model(server, "tunedModels/t").reply(
            QUESTION, Ask(temperature=None, max_output_tokens=None)
        )
    assert server.bodies[0] == {
        "contents": [
            {"role": "user", "parts": [{"text": "a"}]},
            {"role": "model", "parts": [{"text": "b"}]},
            {"role": "user", "parts": [{"text": QUESTION[0].content}]},
            {"role": "model", "parts": [{"text": "Sure"}]},
        ],
        "systemInstruction": {"parts": [{"text": "Be."}]},
        "generationConfig": {
            "maxOutputTokens": 9,
            "temperature": 0.5,
            "topP": 0.9,
            "stopSequences": ["x"],
            "seed": 5,
            "topK": 5,
        },
        "safetySettings": [],
    }
    assert set(server.bodies[1]) == {"contents"}
    assert server.paths == [
        "/v1/models/gemini:generateContent",
        "/v1/tunedModels/t:generateContent",
    ]
    assert server.headers[0]["x-goog-api-key"] == KEY


async def test_thoughts_usage_and_version_are_read(model: Opened) -> None:
    body = generated("4")
    parts = [{"text": "hm", "thought": True}, {"text": "4"}, {"inlineData": {}}]
    body["candidates"][0]["content"]["parts"] = parts
    body["usageMetadata"] |= {"thoughtsTokenCount": 7, "cachedContentTokenCount": 2}
    with Server(lambda _text, _before: sends(json.dumps(body).encode())) as server:
        reply = await model(server).reply(QUESTION, Ask())
    usage = Usage(10, 12, cached_tokens=2, thinking_tokens=7)
    assert reply == Reply("4", thinking="hm", usage=usage, model="served")


NO_PARTS: dict[str, Any] = {"content": {"role": "model"}}
ENDS: dict[str, tuple[dict[str, Any], str, Reason | None, str | None]] = {
    "STOP": (generated("4"), "stop", None, None),
    "MAX_TOKENS": (generated("The", finishReason="MAX_TOKENS"), "length", None, "MAX_TOKENS"),
    **{
        word: (
            {"candidates": [{"finishReason": word}]},
            "blocked",
            Reason.BLOCKED,
            word,
        )
        for word in ("SAFETY", "PROHIBITED_CONTENT", "RECITATION", "BLOCKLIST", "SPII")
    },
    "SAFETY midway": (generated("The", finishReason="SAFETY"), "blocked", Reason.BLOCKED, "SAFETY"),
    "prompt": (
        {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}},
        "blocked",
        Reason.BLOCKED,
        "prompt: PROHIBITED_CONTENT",
    ),
    "OTHER": (
        {"candidates": [{"finishReason": "OTHER", **NO_PARTS}]},
        "other",
        Reason.EMPTY_REPLY,
        "OTHER",
    ),
    "tool": (
        generated("", content={"parts": [{"functionCall": {"name": "f"}}]}),
        "stop",
        Reason.EMPTY_REPLY,
        None,
    ),
    "cut off thinking": (
        {
            "candidates": [{"finishReason": "MAX_TOKENS", **NO_PARTS}],
            "usageMetadata": {"thoughtsTokenCount": 64},
        },
        "length",
        Reason.CUT_OFF_THINKING,
        "MAX_TOKENS",
    ),
}


@pytest.mark.parametrize("case", ENDS)
async def test_each_end_is_read_as_it_is_meant(model: Opened, case: str) -> None:
    body, finish, reason, said = ENDS[case]
    with Server(lambda _text, _before: sends(json.dumps(body).encode())) as server:
        reply = await model(server).reply(QUESTION, Ask())
    absent = no_answer(reply)
    assert (reply.finish, absent and absent.absent, reply.finish_reason) == (finish, reason, said)


async def test_effort_is_a_level_as_a_word_and_a_budget_as_a_number(model: Opened) -> None:
    with Server(lambda _text, _before: says()) as server:
        await model(server, effort="low").reply(QUESTION, Ask())
        await model(server, effort="0").reply(QUESTION, Ask())
    configs = [body["generationConfig"]["thinkingConfig"] for body in server.bodies]
    assert configs == [
        {"includeThoughts": True, "thinkingLevel": "low"},
        {"includeThoughts": True, "thinkingBudget": 0},
    ]
