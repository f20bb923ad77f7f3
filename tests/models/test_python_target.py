import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safemark import secrets
from safemark.errors import CallFailed, UnknownName, UsageError
from safemark.models.connect import connect
from safemark.models.limits import Limits
from safemark.models.python_target import PythonTarget, python_target
from safemark.types import Ask, Message, Messages, Reason, Reply, Usage

HELLO: Messages = (Message("user", "Hello"),)
LONG: Messages = (
    Message("system", "Be kind"),
    Message("user", "A"),
    Message("assistant", "B"),
    Message("user", "C"),
)


async def answer_of(
    function: Callable[..., Any], messages: Messages = HELLO, ask: Ask | None = None, **more: Any
) -> Reply:
    return await PythonTarget(function, "m:f", **more).reply(messages, ask or Ask())


async def failure(
    function: Callable[..., Any], messages: Messages = HELLO, **ask: Any
) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        await answer_of(function, messages, Ask(**ask))
    return caught.value


async def test_a_text_goes_in_and_a_text_comes_out_at_once_or_awaited() -> None:
    async def later(text: str) -> str:
        await asyncio.sleep(0)
        return text.upper()

    class Bot:
        async def __call__(self, question: str) -> str:
            return question[::-1]

    assert (await answer_of(lambda prompt: prompt + "!")).text == "Hello!"
    assert (await answer_of(later)).text == "HELLO"
    assert (await answer_of(Bot())).text == "olleH"


async def test_a_conversation_goes_in_with_its_system_prompt_and_begun_answer() -> None:
    seen: list[Any] = []

    def chat(messages: list[dict[str, str]]) -> dict[str, Any]:
        seen.extend(messages)
        return {"role": "assistant", "content": "D", "usage": {"output_tokens": 3}}

    found = await answer_of(chat, LONG, Ask(system="From the run", prefill="Sure"))
    assert found == Reply("D", usage=Usage(output_tokens=3))
    assert [(one["role"], one["content"]) for one in seen] == [
        ("system", "From the run\n\nBe kind"),
        ("user", "A"),
        ("assistant", "B"),
        ("user", "C"),
        ("assistant", "Sure"),
    ]


async def test_a_session_is_the_same_over_turns_and_new_for_each_conversation() -> None:
    seen: list[tuple[str, str, int]] = []

    def chat(prompt: str, session: str, draw: int) -> str:
        seen.append((prompt, session, draw))
        return "ok"

    target = PythonTarget(chat, "m:f")
    for draw in (0, 1):
        await target.reply(HELLO, Ask(draw=draw))
        await target.reply(
            (*HELLO, Message("assistant", "ok"), Message("user", "B")), Ask(draw=draw)
        )
    sessions = [session for _, session, _ in seen]
    assert sessions[0] == sessions[1] != sessions[2] == sessions[3]
    assert [(prompt, draw) for prompt, _, draw in seen] == [
        ("Hello", 0),
        ("B", 0),
        ("Hello", 1),
        ("B", 1),
    ]


@pytest.mark.parametrize(
    ("messages", "ask", "what"),
    [
        (LONG[1:], {}, "earlier turns"),
        (HELLO, {"system": "x"}, "a system prompt"),
        ((LONG[0], *HELLO), {}, "a system prompt"),
        (HELLO, {"prefill": "x"}, "the beginning of an answer"),
    ],
)
async def test_what_a_function_cannot_take_is_not_left_out(
    messages: Messages, ask: dict[str, Any], what: str
) -> None:
    failed = await failure(lambda prompt: "ok", messages, **ask)
    assert failed.reason is Reason.UNSUPPORTED
    assert what in failed.problem


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionResetError("gone"), Reason.TRANSPORT),
        (TimeoutError(), Reason.TIMEOUT),
        (ValueError("wrong"), Reason.INTERNAL_ERROR),
        (SystemExit(3), Reason.INTERNAL_ERROR),
        (StopIteration("s"), Reason.INTERNAL_ERROR),
        (CallFailed(Reason.BLOCKED, "filtered"), Reason.BLOCKED),
    ],
)
async def test_what_a_function_raises_is_why_there_is_no_answer(
    error: BaseException, reason: Reason
) -> None:
    def fails(prompt: str) -> str:
        raise error

    assert (await failure(fails)).reason is reason


async def test_an_exception_shows_no_secret() -> None:
    secrets.remember("a-key-that-nobody-may-see")

    def fails(prompt: str) -> str:
        raise RuntimeError("header was a-key-that-nobody-may-see")

    assert (await failure(fails)).problem == "the function raised RuntimeError: header was [secret]"


@pytest.mark.parametrize("answer", [None, 7, b"bytes", {}, {"text": 3}, {"content": None}, ["a"]])
async def test_what_is_no_text_is_a_bad_response(answer: Any) -> None:
    assert (await failure(lambda prompt: answer)).reason is Reason.BAD_RESPONSE


async def test_a_waiting_function_holds_nobody_up_and_is_given_up_in_time() -> None:
    release = threading.Event()
    try:
        target = PythonTarget(lambda prompt: release.wait(10) and "late", "m:f", timeout_s=0.02)
        with pytest.raises(CallFailed) as caught:
            await target.reply(HELLO, Ask())
    finally:
        release.set()
    assert caught.value.reason is Reason.TIMEOUT


def test_one_call_at_a_time_unless_it_awaits() -> None:
    async def later(prompt: str) -> str:
        return prompt

    assert PythonTarget(lambda prompt: prompt, "m:f").concurrency == 1
    assert PythonTarget(later, "m:f").concurrency > 1


BOT = "def answer(prompt):\n    return 'v1 ' + prompt\n\ndef odd(x):\n    return x\n\ndef none():\n    pass\n"


async def test_a_function_is_found_by_module_and_by_file(tmp_path: Path) -> None:
    (tmp_path / "bot_by_module.py").write_text(BOT)
    folder = tmp_path / "deep"
    folder.mkdir()
    (folder / "bot.py").write_text(
        "from beside import PREFIX\ndef answer(prompt): return PREFIX + prompt"
    )
    (folder / "beside.py").write_text("PREFIX = 'deep '")
    by_module = connect("python:bot_by_module:answer", limits=Limits(concurrency=3))
    assert by_module.name == "python:bot_by_module:answer"
    assert by_module.concurrency == 3
    assert (await by_module.reply(HELLO, Ask())).text == "v1 Hello"
    by_file = connect("python:deep/bot.py:answer")
    assert (by_file.name, (await by_file.reply(HELLO, Ask())).text) == (
        "python:bot:answer",
        "deep Hello",
    )


def test_other_code_is_another_model(tmp_path: Path) -> None:
    file = tmp_path / "one.py"
    digests = []
    for text in (BOT, BOT.replace("v1", "v2"), BOT):
        file.write_text(text)
        digests.append(python_target("one.py:answer", {}).identity.digest)
    assert digests[0] == digests[2] != digests[1]


@pytest.mark.parametrize(
    ("spec", "options", "problem", "hint"),
    [
        ("one.py", {}, "names no function", "python:my_bot:answer"),
        ("one.py:", {}, "names no function", ""),
        ("one.py:answr", {}, "no function in one.py called `answr`", "did you mean `answer`?"),
        ("one.py:odd", {}, "not known what `x` takes", "-M takes=prompt"),
        ("one.py:none", {}, "takes nothing", "`prompt`"),
        ("two.py:answer", {}, "there is no file two.py", ""),
        ("no_such_module_at_all:f", {}, "cannot be imported", "in this folder"),
        ("broken.py:f", {}, "cannot be imported: SyntaxError", ""),
        ("one.py:answer", {"take": "x"}, "no model option called `take`", "`takes`"),
        ("one.py:answer", {"takes": "promt"}, "no value of takes called `promt`", "`prompt`"),
        ("one.py:answer", {"timeout_s": "soon"}, "is not a number", ""),
        ("one.py:answer", {"timeout_s": "-1"}, "is out of range", ""),
    ],
)
def test_a_wrong_name_is_said(
    tmp_path: Path, spec: str, options: dict[str, str], problem: str, hint: str
) -> None:
    (tmp_path / "one.py").write_text(BOT)
    (tmp_path / "broken.py").write_text("def f(:")
    with pytest.raises(UsageError) as caught:
        python_target(spec, options)
    assert problem in caught.value.problem
    assert hint in caught.value.hint


async def test_what_an_unclear_parameter_takes_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(BOT)
    assert (
        await python_target("one.py:odd", {"takes": "prompt"}).reply(HELLO, Ask())
    ).text == "Hello"
    with pytest.raises(UnknownName):
        python_target("one.py:odd", {"takes": "x"})
