"""A moderation endpoint: several texts a request, and its failures as what they are."""

import asyncio
import json
from collections.abc import Callable

import pytest
from aiohttp import web

from safemark import registry
from safemark.judging import scored
from safemark.models.retry import Retrying
from safemark.types import Attempt, Reason, Reply, Sample, Score, Transcript
from tests.serving import Server, fails

RESULT = {
    "flagged": True,
    "categories": {"hate": True, "violence": False, "illicit": None},
    "category_scores": {"hate": 0.9, "violence": 0.1, "illicit": None},
}
CALM = {"flagged": False, "categories": {"hate": False}, "category_scores": {"hate": 0.01}}
Handler = Callable[[web.Request], "asyncio.Future[web.StreamResponse]"]


def results(of: Callable[[list[str]], list[object]]) -> object:
    """An answer to a moderation request, made from its texts."""

    async def answer(request: web.Request) -> web.StreamResponse:
        texts = (await request.json())["input"]
        return web.json_response({"model": "m-1", "results": of(texts)})

    return answer


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Retrying.__init__
    monkeypatch.setattr(
        Retrying,
        "__init__",
        lambda self, *given, **named: made(
            self, *given, **{**named, "first_wait_s": 0.001, "longest_wait_s": 0.002}
        ),
    )


def serving(monkeypatch: pytest.MonkeyPatch, answer: object) -> Server:
    server = Server(lambda _text, _before: answer)  # type: ignore[arg-type,return-value]
    monkeypatch.setenv("OPENAI_API_KEY", "sk-" + "moderating1234")
    return server


async def judged(texts: list[str], name: str = "moderation:m") -> list[Score]:
    scorer = registry.scorer(name)
    made = [Transcript((Attempt((), Reply(text)),)) for text in texts]
    return list(await asyncio.gather(*(scored(scorer, Sample("1"), one) for one in made)))


async def test_many_texts_go_in_few_requests_and_each_gets_its_own_verdict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = results(lambda texts: [RESULT if "bad" in text else CALM for text in texts])
    with serving(monkeypatch, answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        texts = [f"{'bad' if number % 3 == 0 else 'good'} {number}" for number in range(70)]
        found = await judged(texts)
    assert [score.outcomes["flagged"] for score in found] == ["bad" in text for text in texts]
    assert sorted(len(body["input"]) for body in server.bodies) == [6, 32, 32]
    assert server.bodies[0]["model"] == "m"
    assert set(server.paths) == {"/v1/moderations"}
    assert found[0].outcomes == {
        "flagged": True,
        "hate": True,
        "violence": False,
        "hate_score": 0.9,
        "violence_score": 0.1,
    }
    assert found[0].why == "m: hate"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (fails(401), Reason.AUTHENTICATION),
        (fails(429), Reason.RATE_LIMITED),
        (fails(500), Reason.SERVER_ERROR),
        (results(lambda _texts: []), Reason.BAD_RESPONSE),
        (results(lambda _texts: [{"flagged": "yes"}] * 2), Reason.BAD_RESPONSE),
    ],
)
async def test_a_failing_endpoint_is_absent_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, answer: object, reason: Reason
) -> None:
    with serving(monkeypatch, answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        found = await judged(["a", "b"])
    assert [(score.absent, score.outcomes) for score in found] == [(reason, {})] * 2
    assert all("moderating1234" not in score.why for score in found)


async def test_a_wrong_key_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(monkeypatch, fails(401)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        scorer = registry.scorer("moderation:m")
        for _ in range(3):
            score = await scored(scorer, Sample("1"), Transcript((Attempt((), Reply("a")),)))
            assert score.absent is Reason.AUTHENTICATION
    assert len(server.bodies) == 1


async def test_one_text_that_is_refused_takes_no_other_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        texts = (await request.json())["input"]
        if "too long" in texts:
            return web.Response(status=400, text=json.dumps({"error": {"message": "too long"}}))
        return web.json_response({"results": [CALM] * len(texts)})

    with serving(monkeypatch, answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        found = await judged(["a", "too long", "b"])
    assert [score.absent for score in found] == [None, Reason.BAD_REQUEST, None]


async def test_an_empty_reply_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(monkeypatch, fails(500)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        (score,) = await judged([""])
    assert (score.absent, server.bodies) == (Reason.EMPTY_REPLY, [])
