import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web

from safemark import secrets
from safemark.errors import CallFailed, UsageError
from safemark.models.application import HttpApplication
from safemark.models.application_file import application
from safemark.types import Ask, Message, Messages, Reason, Reply
from tests.chatbots import Came, Chatbot, told, written

KEY = "bot-key-that-nobody-may-see"


def said(*texts: str) -> Messages:
    """Turns of the person and the application, in alternation."""
    roles = ("user", "assistant")
    return tuple(Message(roles[i % 2], text) for i, text in enumerate(texts))  # type: ignore[arg-type]


def target(bot: Chatbot, path: str = "/chat", **keys: Any) -> HttpApplication:
    given = {
        "url": bot.root + path,
        "body": {"question": "{{prompt}}"},
        "reply": {"path": "answer"},
        **keys,
    }
    given = {key: value for key, value in given.items() if value is not None}
    return HttpApplication(application(given, "bot.yaml", "bot"), {"BOT_KEY": KEY})


async def asked(model: HttpApplication, messages: Messages | str, ask: Ask | None = None) -> Reply:
    messages = said(messages) if isinstance(messages, str) else messages
    try:
        return await model.reply(messages, ask or Ask())
    finally:
        await model.close()


async def failure(
    model: HttpApplication, messages: Messages | str = "Hello", **ask: Any
) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        await asked(model, messages, Ask(**ask))
    return caught.value


def always(response: Callable[[], web.Response]) -> Chatbot:
    return Chatbot(lambda _came: response())


async def test_a_prompt_is_put_in_by_structure_and_never_read_again() -> None:
    hostile = '"}, "admin": true, {"x": "{{session}} ${BOT_KEY} \\ \n é'
    with always(lambda: told({"answer": "no"})) as bot:
        body = {"question": "Q: {{prompt}} !", "raw": "{{ prompt }}", "n": [1, "{{prompt}}"]}
        await asked(target(bot, body=body), hostile)
    assert bot.came[0].json == {"question": f"Q: {hostile} !", "raw": hostile, "n": [1, hostile]}


async def test_settings_keep_their_type_and_what_is_not_known_takes_its_key_along() -> None:
    body = {
        "q": "{{prompt}}",
        "options": {"temperature": "{{temperature}}", "stop": "{{stop}}", "seed": "{{seed}}"},
        "max": "{{max_output_tokens}}",
        "stream": False,
    }
    with always(lambda: told({"answer": "ok"})) as bot:
        await asked(target(bot, body=body), "Hi", Ask(temperature=0.5, max_output_tokens=7))
        await asked(target(bot, body=body), "Hi", Ask(stop=("\n",), seed=3, draw=2))
    first, second = (came.json for came in bot.came)
    assert first == {"q": "Hi", "options": {"temperature": 0.5}, "max": 7, "stream": False}
    assert second["options"] == {"temperature": 0.0, "stop": ["\n"], "seed": 5}


async def test_the_answer_stands_where_the_file_says_with_usage_and_ending() -> None:
    reply = {
        "path": "out[0].parts[*].text",
        "thinking": "out[0].thoughts",
        "finish": "out[0].why",
        "model": "served",
        "usage": {"input_tokens": "u.in", "output_tokens": "u.out", "cost_usd": "u.usd"},
    }
    document = {
        "out": [{"parts": [{"text": "Hel"}, {"text": "lo"}], "thoughts": "hm", "why": "length"}],
        "served": "bot-7",
        "u": {"in": 11, "out": 2, "usd": 0.25},
    }
    with always(lambda: told(document)) as bot:
        found = await asked(target(bot, reply=reply), "Hi")
    assert (found.text, found.thinking, found.finish, found.model) == (
        "Hello",
        "hm",
        "length",
        "bot-7",
    )
    assert (found.usage.input_tokens, found.usage.output_tokens) == (11, 2)
    assert found.usage.cost_usd == 0.25


async def test_a_form_a_text_and_a_query_are_sent_as_such() -> None:
    awkward = "a&b=c d/é?#"
    with always(lambda: written("fine")) as bot:
        plain: dict[str, Any] = {"reply": {"as": "text"}, "body": None}
        form = {"q": "{{prompt}}", "all": "{{messages}}", "s": "{{system}}"}
        await asked(target(bot, form=form, **plain), awkward)
        await asked(target(bot, text="Say: {{prompt}}", **plain), awkward)
        found = await asked(
            target(bot, "/ask?v=2", method="GET", query={"q": "{{prompt}}", "n": 3}, **plain),
            awkward,
        )
    as_form, as_text, as_query = bot.came
    fields = parse_qs(as_form.text)
    assert fields["q"] == [awkward]
    assert json.loads(fields["all"][0]) == [{"role": "user", "content": awkward}]
    assert "s" not in fields
    assert as_text.text == f"Say: {awkward}"
    assert as_text.headers["Content-Type"].startswith("text/plain")
    assert (as_query.method, urlsplit(as_query.path).path) == ("GET", "/ask")
    assert parse_qs(urlsplit(as_query.path).query) == {"v": ["2"], "q": [awkward], "n": ["3"]}
    assert found.text == "fine"


async def test_messages_take_the_words_of_the_application() -> None:
    messages = {"role": "type", "content": "text", "roles": {"user": "human", "assistant": "ai"}}
    with always(lambda: told({"answer": "ok"})) as bot:
        model = target(bot, body={"input": "{{messages}}"}, messages=messages)
        await asked(model, said("A", "B", "C"), Ask(system="Be kind", prefill="Sure"))
    assert bot.came[0].json["input"] == [
        {"type": "system", "text": "Be kind"},
        {"type": "human", "text": "A"},
        {"type": "ai", "text": "B"},
        {"type": "human", "text": "C"},
        {"type": "ai", "text": "Sure"},
    ]


async def test_history_stands_beside_the_prompt_and_the_system_prompt_has_its_place() -> None:
    body = {"q": "{{prompt}}", "before": "{{history}}", "rules": "{{system}}"}
    with always(lambda: told({"answer": "ok"})) as bot:
        messages = (Message("system", "From the sample"), *said("A", "B", "C"))
        await asked(target(bot, body=body), messages, Ask(system="From the run"))
    assert bot.came[0].json == {
        "q": "C",
        "before": [{"role": "user", "content": "A"}, {"role": "assistant", "content": "B"}],
        "rules": "From the run\n\nFrom the sample",
    }


@pytest.mark.parametrize(
    ("messages", "ask", "what"),
    [
        (said("A", "B", "C"), {}, "earlier turns"),
        (said("A"), {"system": "Be kind"}, "a system prompt"),
        ((Message("system", "Be kind"), *said("A")), {}, "a system prompt"),
        (said("A"), {"prefill": "Sure"}, "the beginning of an answer"),
        (said("A", "B"), {}, "does not end with the person's turn"),
    ],
)
async def test_what_has_no_place_in_the_request_is_not_left_out_silently(
    messages: Messages, ask: dict[str, Any], what: str
) -> None:
    with always(lambda: told({"answer": "ok"})) as bot:
        failed = await failure(target(bot), messages, **ask)
    assert failed.reason is Reason.UNSUPPORTED
    assert what in failed.problem
    assert bot.came == []


def remembering(naming: Callable[[str, Came], web.Response]) -> Chatbot:
    """Counts the turns of each session that it finds in the body, else begins session ``s<n>``."""
    turns: dict[str, int] = {}

    def answer(came: Came) -> web.Response:
        session = came.json.get("session") or f"s{len(turns)}"
        turns[session] = turns.get(session, 0) + 1
        return (
            naming(session, came)
            if turns[session] == 1
            else told({"answer": f"turn {turns[session]}"})
        )

    return Chatbot(answer)


async def test_a_generated_session_stays_the_same_over_turns_and_is_new_for_each_draw() -> None:
    keys: dict[str, Any] = {
        "body": {"q": "{{prompt}}", "session": "{{session}}"},
        "session": {"from": "generated"},
    }
    with remembering(lambda _session, _came: told({"answer": "turn 1"})) as bot:
        model = target(bot, **keys)
        for draw in (0, 1):
            first = await model.reply(said("A"), Ask(draw=draw))
            second = await model.reply(said("A", first.text, "B"), Ask(draw=draw))
            third = await model.reply(said("A", "turn 1", "B", "turn 2", "C"), Ask(draw=draw))
            assert (second.text, third.text) == ("turn 2", "turn 3")
        await model.close()
    sessions = [came.json["session"] for came in bot.came]
    assert len(set(sessions[:3])) == len(set(sessions[3:])) == 1
    assert sessions[0] != sessions[3]
    assert [came.json["q"] for came in bot.came] == ["A", "B", "C"] * 2


async def test_two_conversations_that_begin_alike_keep_sessions_of_their_own() -> None:
    keys: dict[str, Any] = {
        "body": {"q": "{{prompt}}", "session": "{{session}}"},
        "session": {"from": "generated"},
    }
    with remembering(lambda _session, _came: told({"answer": "turn 1"})) as bot:
        model = target(bot, **keys)
        for _ in range(2):
            await model.reply(said("A"), Ask())
        for _ in range(2):
            await model.reply(said("A", "turn 1", "B"), Ask())
        await model.close()
    first, second, third, fourth = (came.json["session"] for came in bot.came)
    assert first != second
    assert {third, fourth} == {first, second}


@pytest.mark.parametrize(
    ("source", "naming"),
    [
        ("chat.id", lambda session, _came: told({"answer": "1", "chat": {"id": session}})),
        ("header:X-Chat", lambda session, _came: told({"answer": "1"}, X_Chat=session)),
    ],
)
async def test_the_first_reply_may_name_the_session(
    source: str, naming: Callable[[str, Came], web.Response]
) -> None:
    keys: dict[str, Any] = {
        "body": {"q": "{{prompt}}", "session": "{{session}}"},
        "session": {"from": source},
    }
    with remembering(naming) as bot:
        model = target(bot, **keys)
        for text in ("A", "X"):
            await model.reply(said(text), Ask())
        assert (await asked(model, said("A", "1", "B"))).text == "turn 2"
    assert [came.json.get("session") for came in bot.came] == [None, None, "s0"]


async def test_a_cookie_may_be_the_session_and_no_other_conversation_is_given_it() -> None:
    def answer(came: Came) -> web.Response:
        response = told({"answer": "1"})
        if "Cookie" not in came.headers:
            response.set_cookie("sid", f"c{len(bot.came)}")
        return response

    with Chatbot(answer) as bot:
        model = target(bot, session={"from": "cookie:sid"})
        for text in ("A", "X"):
            await model.reply(said(text), Ask())
        await asked(model, said("A", "1", "B"))
    assert [came.headers.get("Cookie") for came in bot.came] == [None, None, "sid=c1"]


async def test_a_request_may_begin_the_session_that_stands_in_the_address() -> None:
    def answer(came: Came) -> web.Response:
        return told({"id": "a/b ?"}) if came.path == "/sessions" else told({"answer": came.path})

    with Chatbot(answer) as bot:
        model = target(
            bot,
            "/sessions/{{session}}/turns",
            session={"from": "id", "start": {"url": bot.root + "/sessions", "body": {}}},
        )
        first = await model.reply(said("A"), Ask())
        second = await asked(model, said("A", first.text, "B"))
    assert [came.path for came in bot.came] == ["/sessions", *["/sessions/a%2Fb%20%3F/turns"] * 2]
    assert second.text.endswith("/turns")


@pytest.mark.parametrize("messages", [said("A", "invented", "B"), said("never", "1", "B")])
async def test_a_conversation_that_the_application_never_had_is_unsupported(
    messages: Messages,
) -> None:
    keys: dict[str, Any] = {
        "body": {"q": "{{prompt}}", "session": "{{session}}"},
        "session": {"from": "generated"},
    }
    with always(lambda: told({"answer": "1"})) as bot:
        model = target(bot, **keys)
        await model.reply(said("A"), Ask())
        failed = await failure(model, messages)
    assert failed.reason is Reason.UNSUPPORTED
    assert "never had this conversation" in failed.problem
    assert len(bot.came) == 1


async def test_what_has_no_place_takes_no_session_away() -> None:
    keys: dict[str, Any] = {
        "body": {"q": "{{prompt}}", "session": "{{session}}"},
        "session": {"from": "generated"},
    }
    with always(lambda: told({"answer": "1"})) as bot:
        model = target(bot, **keys)
        await model.reply(said("A"), Ask())
        with pytest.raises(CallFailed, match="system prompt"):
            await model.reply(said("A", "1", "B"), Ask(system="Be kind"))
        assert (await asked(model, said("A", "1", "B"))).text == "1"


async def test_a_turn_that_failed_can_be_tried_again_in_its_session() -> None:
    def answer(came: Came) -> web.Response:
        return told({"answer": "1"}) if len(bot.came) != 2 else told({"error": "busy"}, 503)

    keys: dict[str, Any] = {
        "body": {"q": "{{prompt}}", "session": "{{session}}"},
        "session": {"from": "generated"},
    }
    with Chatbot(answer) as bot:
        model = target(bot, **keys)
        await model.reply(said("A"), Ask())
        with pytest.raises(CallFailed):
            await model.reply(said("A", "1", "B"), Ask())
        assert (await asked(model, said("A", "1", "B"))).text == "1"
    assert len({came.json["session"] for came in bot.came}) == 1


EVENTS = (
    ': ping\r\n\r\nevent: delta\r\ndata: {"t": "Hel"}\r\n\r\n'
    'event: delta\ndata: {"t":\ndata: "lo"}\n\nevent: cost\ndata: {"in": 3}\n\n'
    'data: [DONE]\n\ndata: {"t": "never"}\n\n'
)


async def test_server_sent_events_are_put_together() -> None:
    reply = {"as": "events", "path": "t", "usage": {"input_tokens": "in"}}
    with always(lambda: written(EVENTS, "text/event-stream")) as bot:
        found = await asked(target(bot, reply=reply), "Hi")
        assert (found.text, found.usage.input_tokens) == ("Hello", 3)
        only = await asked(target(bot, reply={**reply, "event": "delta", "usage": {}}), "Hi")
        assert only.text == "Hello"
        plain = await asked(target(bot, reply={"as": "events", "event": "cost"}), "Hi")
    assert plain.text == '{"in": 3}'


async def test_lines_of_json_are_put_together_and_a_stream_that_broke_off_is_no_answer() -> None:
    stream = '{"m": {"c": "Hel"}}\n\n{"m": {"c": "lo"}, "n": 4}\n'
    with always(lambda: written(stream)) as bot:
        reply = {"as": "lines", "path": "m.c", "usage": {"output_tokens": "n"}}
        found = await asked(target(bot, reply=reply), "Hi")
        assert (found.text, found.usage.output_tokens) == ("Hello", 4)
        failed = await failure(target(bot, reply={**reply, "end": "[END]"}))
    assert failed.reason is Reason.BAD_RESPONSE
    assert "broke off before `[END]`" in failed.problem


@pytest.mark.parametrize(
    ("document", "what"),
    [
        (
            {"error": "x", "detail": 1},
            "no `answer`: the document is an object with `error`, `detail`",
        ),
        ({"answer": {"text": "Hi"}}, "there stands an object with `text`"),
        ({"answer": None}, "there stands null"),
        ({"answer": True}, "there stands true"),
        ([], "the document is an empty list"),
        ({}, "an empty object"),
    ],
)
async def test_a_wrong_path_says_what_is_there(document: Any, what: str) -> None:
    with always(lambda: told(document)) as bot:
        failed = await failure(target(bot))
    assert failed.reason is Reason.BAD_RESPONSE
    assert what in failed.problem
    assert "safemark ask" in failed.hint


@pytest.mark.parametrize(
    ("body", "content_type", "reply"),
    [
        (b"<html>oops", "text/html", {"path": "answer"}),
        (b'{"answer": "cut', "application/json", {"path": "answer"}),
        (b'{"answer": "\xff"}', "application/json", {"path": "answer"}),
        (b'{"answer": "\\ud800"}', "application/json", {"path": "answer"}),
        (b"", "application/json", {"path": "answer"}),
        (b"[" * 100_000, "application/json", {"path": "answer"}),
        (b"<!DOCTYPE html><p>Log in", "text/plain", {"as": "text"}),
        (b"\xff\xfe", "text/plain", {"as": "text"}),
        (b"data: {no\n\n", "text/event-stream", {"as": "events", "path": "t"}),
        (b"", "text/event-stream", {"as": "events", "path": "t"}),
    ],
)
async def test_what_is_no_answer_is_a_bad_response(
    body: bytes, content_type: str, reply: dict[str, Any]
) -> None:
    with always(lambda: web.Response(body=body, content_type=content_type)) as bot:
        failed = await failure(target(bot, reply=reply))
    assert failed.reason is Reason.BAD_RESPONSE


async def test_an_empty_answer_is_a_reply() -> None:
    with always(lambda: told({"answer": ""})) as bot:
        assert (await asked(target(bot), "Hi")).text == ""


@pytest.mark.parametrize(
    ("blocked", "document", "is_blocked"),
    [
        ("flags.blocked", {"answer": "No.", "flags": {"blocked": True}}, True),
        ("flags.blocked", {"answer": "Yes.", "flags": {"blocked": False}}, False),
        ("flags.blocked", {"answer": "Yes."}, False),
        ({"path": "state", "values": ["filtered"]}, {"answer": None, "state": "filtered"}, True),
        ({"path": "state", "values": ["filtered"]}, {"answer": "Yes.", "state": "ok"}, False),
        ({"path": "state", "values": [1]}, {"answer": "Yes.", "state": True}, False),
    ],
)
async def test_a_block_is_told_apart_from_an_answer(
    blocked: Any, document: Any, is_blocked: bool
) -> None:
    with always(lambda: told(document)) as bot:
        found = await asked(target(bot, reply={"path": "answer", "blocked": blocked}), "Hi")
    assert (found.finish == "blocked") == is_blocked


async def test_a_refusal_in_a_field_of_its_own_is_the_answer() -> None:
    with always(lambda: told({"answer": None, "no": "I can't."})) as bot:
        reply = {"path": "answer", "refusal": "no"}
        assert (await asked(target(bot, reply=reply), "Hi")).text == "I can't."


async def test_an_error_inside_a_success_is_no_answer() -> None:
    with always(lambda: told({"answer": "Oops", "error": f"backend {KEY} down"})) as bot:
        model = target(
            bot, headers={"X-Key": "${BOT_KEY}"}, reply={"path": "answer", "error": "error"}
        )
        failed = await failure(model)
    assert failed.reason is Reason.SERVER_ERROR
    assert KEY not in failed.problem


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, Reason.BAD_REQUEST),
        (401, Reason.AUTHENTICATION),
        (403, Reason.AUTHENTICATION),
        (404, Reason.UNKNOWN_MODEL),
        (405, Reason.UNKNOWN_MODEL),
        (429, Reason.RATE_LIMITED),
        (451, Reason.BLOCKED),
        (500, Reason.SERVER_ERROR),
        (302, Reason.BAD_REQUEST),
    ],
)
async def test_a_status_has_its_reason(status: int, reason: Reason) -> None:
    with always(lambda: told({"error": f"no {KEY}"}, status, Retry_After="7")) as bot:
        model = target(bot, headers={"X-Key": "${BOT_KEY}"}, blocked_status=[451])
        failed = await failure(model)
    assert failed.reason is reason
    assert failed.retry_after_s == (None if status == 451 else 7)
    assert KEY not in failed.problem + failed.hint


async def test_a_403_after_an_answer_is_one_request_and_not_the_key() -> None:
    with Chatbot(lambda came: told({"answer": "1"}, 403 if "bad" in came.text else 200)) as bot:
        model = target(bot)
        await model.reply(said("good"), Ask())
        failed = await failure(model, "bad")
    assert failed.reason is Reason.BAD_REQUEST
    assert "blocked_status: [403]" in failed.hint


async def test_success_is_what_the_file_calls_so() -> None:
    with always(lambda: told({"answer": "queued"}, 202)) as bot:
        assert (await asked(target(bot), "Hi")).text == "queued"
        assert (await failure(target(bot, success=[200]))).reason is Reason.BAD_REQUEST


async def test_no_server_and_no_answer_in_time_are_told_apart() -> None:
    with always(lambda: told({"answer": "1"})) as bot:
        gone = target(bot)
    assert (await failure(gone)).reason is Reason.TRANSPORT


async def test_variables_are_sent_and_shown_nowhere() -> None:
    with always(lambda: told({"answer": f"your key is {KEY}"})) as bot:
        model = target(
            bot,
            "/chat?token=${BOT_KEY}",
            headers={"Authorization": "Bearer ${BOT_KEY}", "X-Session": "{{id}}"},
        )
        found = await asked(model, "What is ${BOT_KEY}?")
    (came,) = bot.came
    assert came.headers["Authorization"] == f"Bearer {KEY}"
    assert f"token={KEY}" in came.path
    assert came.json == {"question": "What is ${BOT_KEY}?"}, (
        "only the file's own text has variables"
    )
    assert KEY not in secrets.scrubbed(found.text)
    assert KEY not in repr(model.identity) + repr(model.notes)
    assert "BOT_KEY is sent to 127.0.0.1" in model.notes


def test_a_secret_written_into_the_file_is_hidden_too() -> None:
    given = {
        "url": "https://u:pass-word-1@bot.example/chat?api_key=query-secret-1",
        "headers": {"Cookie": "sid=cookie-secret-1", "X-Api-Key": "header-secret-1"},
        "body": "{{prompt}}",
        "reply": {"path": "a"},
    }
    model = HttpApplication(application(given, "bot.yaml", "bot"), {})
    shown = repr(model.identity) + secrets.scrubbed(repr(given))
    for secret in ("pass-word-1", "query-secret-1", "cookie-secret-1", "header-secret-1"):
        assert secret not in shown


def test_the_identity_is_what_changes_answers_and_not_the_key_or_the_patience() -> None:
    given: dict[str, Any] = {
        "url": "https://bot.example/chat",
        "headers": {"X-Key": "${BOT_KEY}"},
        "body": {"q": "{{prompt}}"},
        "reply": {"path": "a"},
    }

    def digest(key: str = "one-secret-key", **more: Any) -> str:
        read = application({**given, **more}, "bot.yaml", "bot")
        return HttpApplication(read, {"BOT_KEY": key}).identity.digest

    assert digest() == digest("another-secret-key") == digest(timeout_s=3, retries=0, concurrency=1)
    assert digest(url="https://ann:a-pass-word@bot.example/chat") == digest()
    others = [
        digest(url="https://bot.example/v2"),
        digest(body={"q": "{{prompt}}", "mode": "fast"}),
        digest(reply={"path": "b"}),
        digest(version="2026-11-01"),
        digest(reply={"path": "a", "finish": "f"}),
        digest(body={"q": "{{messages}}"}),
        digest(body={"q": "{{messages}}"}, messages={"content": "text"}),
    ]
    assert len({digest(), *others}) == 8


async def test_a_question_that_is_no_text_cannot_be_sent() -> None:
    with always(lambda: told({"answer": "1"})) as bot:
        for keys in (
            {},
            {"body": None, "form": {"q": "{{prompt}}"}},
            {"body": None, "text": "{{prompt}}"},
        ):
            failed = await failure(target(bot, **keys), "a \ud800")
            assert failed.reason is Reason.BAD_REQUEST
    assert bot.came == []


def test_a_variable_that_is_not_set_or_breaks_the_line_is_refused_at_once() -> None:
    given = {
        "url": "https://bot.example",
        "headers": {"X-Key": "${BOT_KEY}"},
        "body": "{{prompt}}",
        "reply": {"path": "a"},
    }
    read = application(given, "bot.yaml", "bot")
    with pytest.raises(UsageError, match="BOT_KEY is not set") as caught:
        HttpApplication(read, {})
    assert caught.value.hint == "export BOT_KEY=…"
    with pytest.raises(UsageError, match="line break"):
        HttpApplication(read, {"BOT_KEY": "a-key\r\nX-Evil: 1"})
