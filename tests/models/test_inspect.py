"""Inspect's providers, against one that is registered here; skipped where Inspect is not installed."""

import asyncio
import json
from typing import Any

import pytest

from safemark.errors import CallFailed, UsageError
from safemark.models.connect import connect
from safemark.models.fake import says as asks
from safemark.models.wrap import Retrying
from safemark.scorers._reply import no_answer
from safemark.types import Ask, Message, Reason

pytest.importorskip("inspect_ai", reason="the extra `inspect` is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

from inspect_ai.model import (  # noqa: E402
    ChatMessageAssistant,
    ContentReasoning,
    ContentText,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    modelapi,
)

QUESTION = asks("What is 2 and 2?")
KEY = "sk-never-to-be-seen-0123456789"


class StatusError(Exception):
    def __init__(self, status_code: int, message: str) -> None:
        super().__init__(message)
        self.status_code = status_code


class WrongKey(Exception):
    pass


def output(content: Any = "4", stop: Any = "stop", **more: Any) -> ModelOutput:
    found = ModelOutput.from_content("served", "4", stop_reason=stop)
    found.choices[0].message = ChatMessageAssistant(content=content)
    found.usage = ModelUsage(input_tokens=10, output_tokens=5)
    return found.model_copy(update=more)


class Pretend(ModelAPI):
    """Answers with what ``answer`` is; keeps what it was asked."""

    answer: Any = None
    asked: list[tuple[Any, ...]] = []  # noqa: RUF012
    closed = 0

    def __init__(self, model_name: str, **more: Any) -> None:
        super().__init__(model_name)
        self.more = more

    async def generate(self, input: Any, tools: Any, tool_choice: Any, config: Any) -> Any:  # noqa: A002
        self.asked.append((input, tools, config))
        if isinstance(self.answer, tuple):
            error, is_returned = self.answer
            if is_returned:
                return error, None
            raise error
        if self.answer == "wait":
            await asyncio.sleep(30)
        return self.answer

    def max_connections(self) -> int:
        return 7

    def should_retry(self, ex: BaseException) -> bool:
        return "again" in str(ex)

    def is_auth_failure(self, ex: Exception) -> bool:
        return isinstance(ex, WrongKey)

    async def aclose(self) -> None:
        type(self).closed += 1


@modelapi(name="pretend")
def pretend() -> type[ModelAPI]:
    return Pretend


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pretend, "asked", [])
    monkeypatch.setattr(Pretend, "answer", output())


def opened(**options: str) -> Retrying:
    model = connect("inspect/pretend/m", options={"retries": "0", **options})
    assert isinstance(model, Retrying)
    return model


async def test_a_provider_of_inspect_is_asked_once_and_read() -> None:
    model = opened(effort="low", **{"config.top_k": "5", "input_usd": "1", "output_usd": "10"})
    Pretend.answer = output(
        [ContentReasoning(reasoning="hm"), ContentText(text="4")],
        usage=ModelUsage(
            input_tokens=10, output_tokens=5, input_tokens_cache_read=90, reasoning_tokens=3
        ),
    )
    ask = Ask(temperature=0.5, max_output_tokens=9, top_p=0.9, stop=("x",), seed=3, draw=2)
    reply = await model.reply((Message("system", "Be."), *QUESTION), ask)
    assert model.name == "inspect/pretend/m"
    assert (reply.text, reply.thinking, reply.finish, reply.model) == ("4", "hm", "stop", "served")
    usage = reply.usage
    assert (usage.input_tokens, usage.output_tokens, usage.cached_tokens) == (100, 5, 90)
    assert usage.thinking_tokens == 3
    assert usage.cost_usd == pytest.approx(150e-6)
    ((turns, tools, config),) = Pretend.asked
    assert [(turn.role, turn.text) for turn in turns] == [
        ("system", "Be."),
        ("user", QUESTION[0].content),
    ]
    assert tools == []
    expected = GenerateConfig(
        temperature=0.5,
        max_tokens=9,
        top_p=0.9,
        stop_seqs=["x"],
        seed=5,
        reasoning_effort="low",
        top_k=5,
    )
    assert config == expected


ENDS: dict[str, tuple[ModelOutput, str, Reason | None]] = {
    "cut off": (output("The", "max_tokens"), "length", None),
    "cut off thinking": (
        output([ContentReasoning(reasoning="hm")], "max_tokens"),
        "length",
        Reason.CUT_OFF_THINKING,
    ),
    "cut off, redacted": (
        output([ContentReasoning(reasoning="x", redacted=True)], "max_tokens"),
        "length",
        Reason.CUT_OFF_THINKING,
    ),
    "filtered": (output("", "content_filter"), "blocked", Reason.BLOCKED),
    "tool": (output("", "tool_calls"), "other", Reason.EMPTY_REPLY),
}


@pytest.mark.parametrize("case", ENDS)
async def test_each_end_is_read_as_it_is_meant(case: str) -> None:
    Pretend.answer, finish, reason = ENDS[case]
    reply = await opened().reply(QUESTION, Ask())
    absent = no_answer(reply)
    assert (reply.finish, absent and absent.absent) == (finish, reason)


FAULTS: dict[str, tuple[Any, Reason]] = {
    "401": ((StatusError(401, "no"), False), Reason.AUTHENTICATION),
    "429": ((StatusError(429, "slow down"), False), Reason.RATE_LIMITED),
    "529 returned": ((StatusError(529, "overloaded"), True), Reason.SERVER_ERROR),
    "404": ((StatusError(404, "The model `m` does not exist."), True), Reason.UNKNOWN_MODEL),
    "wrong key": ((WrongKey("no"), False), Reason.AUTHENTICATION),
    "connection": ((ConnectionResetError("reset"), False), Reason.TRANSPORT),
    "in passing": ((RuntimeError("try again"), False), Reason.SERVER_ERROR),
    "anything": ((RuntimeError("oops"), False), Reason.BAD_RESPONSE),
    "error in the output": (output(error="oops"), Reason.BAD_RESPONSE),
    "too long": (output("too long", "model_length", usage=None), Reason.CONTEXT_TOO_LONG),
    "blocked": (output("flagged", "content_filter", usage=None), Reason.BLOCKED),
    "no choices": (output(choices=[]), Reason.BAD_RESPONSE),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_has_its_reason(fault: str) -> None:
    Pretend.answer, reason = FAULTS[fault]
    with pytest.raises(CallFailed) as caught:
        await opened().reply(QUESTION, Ask())
    assert caught.value.reason is reason
    assert len(Pretend.asked) == 1


async def test_a_provider_that_never_answers_is_a_timeout() -> None:
    Pretend.answer = "wait"
    with pytest.raises(CallFailed) as caught:
        await opened(timeout_s="0.05").reply(QUESTION, Ask())
    assert caught.value.reason is Reason.TIMEOUT


async def test_no_secret_is_in_identity_or_errors() -> None:
    model = opened(api_key=KEY)
    assert KEY not in json.dumps(model.identity.detail)
    Pretend.answer = (RuntimeError(f"bad key {KEY}"), False)
    with pytest.raises(CallFailed) as caught:
        await model.reply(QUESTION, Ask())
    assert KEY not in caught.value.problem
    assert opened().identity.digest != opened(**{"config.top_k": "5"}).identity.digest


async def test_closing_closes_the_provider() -> None:
    before = Pretend.closed
    model = opened()
    await model.close()
    assert Pretend.closed == before + 1


def test_a_provider_that_inspect_does_not_know_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="Inspect does not open `nobody/m`"):
        connect("inspect/nobody/m")
