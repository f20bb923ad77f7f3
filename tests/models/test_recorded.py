import json
from pathlib import Path
from typing import Any

import pytest

from safemark.errors import CallFailed, UsageError
from safemark.models.connect import connect
from safemark.models.recorded import Recorded, RecordedRun
from safemark.store import Store
from safemark.types import Ask, Message, Messages, Reason
from tests import small

HELLO: Messages = (Message("user", "Hello"),)


def written(path: Path, *lines: Any) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


async def text_of(model: Any, messages: Messages | str = HELLO, **ask: Any) -> str:
    messages = (Message("user", messages),) if isinstance(messages, str) else messages
    return str((await model.reply(messages, Ask(**ask))).text)


async def test_a_prompt_finds_its_response_whatever_the_line_calls_it(tmp_path: Path) -> None:
    talk = [{"role": "user", "content": "A"}, {"role": "assistant", "content": "B"}]
    file = written(
        tmp_path / "r.jsonl",
        {"prompt": "Hello", "response": "Hi é"},
        {"prompt": "Hello", "system": "Be rude", "completion": "What?"},
        {"messages": [*talk, {"role": "user", "content": "C"}], "output": "D"},
        {"prompt": "long", "reply": "cut", "finish": "length", "thinking": "hm", "extra": 1},
    )
    model = connect(f"recorded:{file}")
    assert await text_of(model) == "Hi é"
    assert await text_of(model, system="Be rude") == "What?"
    assert await text_of(model, (Message("system", "Be rude"), *HELLO)) == "What?"
    three = (Message("user", "A"), Message("assistant", "B"), Message("user", "C"))
    assert await text_of(model, three) == "D"
    cut = await model.reply((Message("user", "long"),), Ask())
    assert (cut.finish, cut.thinking) == ("length", "hm")
    await model.close()


async def test_lines_of_one_prompt_are_its_draws_and_what_is_missing_is_absent(
    tmp_path: Path,
) -> None:
    lines = [{"prompt": "Hello", "response": text} for text in ("one", "two")]
    model = Recorded(written(tmp_path / "r.jsonl", *lines))
    assert [await text_of(model, draw=draw) for draw in (1, 0, 1)] == ["two", "one", "two"]
    for messages, draw, why in (
        (HELLO, 2, "only 2 answers"),
        ((Message("user", "x"),), 0, "no answer"),
    ):
        with pytest.raises(CallFailed, match=why) as caught:
            await model.reply(messages, Ask(draw=draw))
        assert caught.value.reason is Reason.UNSUPPORTED
    await model.close()


async def test_the_identity_is_the_files_content(tmp_path: Path) -> None:
    line = {"prompt": "Hello", "response": "one"}
    one, same = (Recorded(written(tmp_path / name, line)) for name in ("a.jsonl", "b.jsonl"))
    other = Recorded(written(tmp_path / "c.jsonl", {**line, "response": "two"}))
    assert one.identity.digest == same.identity.digest != other.identity.digest
    for model in (one, same, other):
        await model.close()


async def test_a_response_that_is_no_text_is_a_bad_response(tmp_path: Path) -> None:
    model = Recorded(written(tmp_path / "r.jsonl", {"prompt": "Hello", "response": None}))
    with pytest.raises(CallFailed) as caught:
        await text_of(model)
    assert caught.value.reason is Reason.BAD_RESPONSE
    await model.close()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no recorded answer"),
        (
            '\n{"prompt": "a"}',
            "line 2 of r.jsonl is not a prompt with its response: it has `prompt`",
        ),
        ('{"response": "a"}', "line 1 of r.jsonl is not a prompt with its response"),
        ("[1]", "line 1 of r.jsonl is no object"),
        ("{", "line 1 of r.jsonl is no JSON"),
        ('{"prompt": 3, "response": "a"}', "line 1 of r.jsonl"),
        ('{"messages": [{"role": "king", "content": ""}], "response": "a"}', "line 1 of r.jsonl"),
    ],
)
def test_a_file_that_cannot_be_used_says_which_line(
    tmp_path: Path, text: str, problem: str
) -> None:
    (tmp_path / "r.jsonl").write_text(text)
    with pytest.raises(UsageError) as caught:
        connect(f"recorded:{tmp_path / 'r.jsonl'}")
    assert problem in caught.value.problem


def test_a_file_or_option_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        connect("recorded:nowhere.jsonl")
    with pytest.raises(UsageError, match="no model option called `store`"):
        connect("recorded:nowhere.jsonl", options={"store": "x"})


async def test_a_run_answers_as_it_did_and_costs_nothing(tmp_path: Path) -> None:
    address = str(tmp_path / "s.db")
    store = Store(address)

    def answer(text: str, ask: Ask) -> str | Exception:
        if text == "question 3":
            return CallFailed(Reason.CONTEXT_TOO_LONG, "too long")
        return f"{text} draw {ask.draw}"

    model = small.Counting(answer)
    run = await small.evaluated(model, small.task(5, repeats=2, ask=Ask(system="S")), store)
    again = connect(f"recorded:run:{run.run_id[:-1]}", options={"store": address})
    assert await text_of(again, "question 1", system="S") == "question 1 draw 0"
    assert await text_of(again, "question 1", system="S", draw=1) == "question 1 draw 1"
    reply = await again.reply((Message("user", "question 2"),), Ask(system="S"))
    assert reply.usage.input_tokens is None
    for text, system, why in (
        ("question 1", None, "no answer to this prompt"),
        ("question 3", "S", "no answer either: context_too_long; too long"),
    ):
        with pytest.raises(CallFailed, match=why) as caught:
            await text_of(again, text, system=system)
        assert caught.value.reason is Reason.UNSUPPORTED
    assert again.name == f"recorded:run:{run.run_id}"
    assert isinstance(again, RecordedRun)
    assert model.name in again.notes[0]
    await again.close()
    store.close()


async def test_a_run_judged_again_scores_the_same(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "s.db"))
    answered = small.Counting(lambda text, _ask: "ok" if text.endswith("1") else "no")
    first = await small.evaluated(answered, small.task(6), store)
    recorded = RecordedRun(Store(str(tmp_path / "s.db")), first.run_id)
    second = await small.evaluated(recorded, small.task(6), store)

    def passed(run_id: str) -> list[Any]:
        (part,) = store.parts(run_id)
        return [row.outcomes for row in store.rows(part, store.scorer_of(part))]

    assert passed(first.run_id) == passed(second.run_id)
    assert {"passed": True} in passed(second.run_id)
    await recorded.close()
    store.close()


def test_a_run_without_replies_is_refused(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "s.db"))
    run = small.part(store, small.Counting(), small.task(1)).stored.run_id
    with pytest.raises(UsageError, match="holds no reply"):
        connect(f"recorded:run:{run}", options={"store": str(tmp_path / "s.db")})
    store.close()
