import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from safemark.errors import UsageError
from safemark.models.application_file import application, application_file
from safemark.models.application_keys import (
    ApplicationKeys,
    MessageKeys,
    ReplyKeys,
    RequestKeys,
    SessionKeys,
    UsageKeys,
)

GOOD: dict[str, Any] = {
    "url": "https://bot.example/chat",
    "body": {"q": "{{prompt}}"},
    "reply": {"path": "answer"},
}
SESSION = {"from": "generated"}


@pytest.mark.parametrize(
    ("wrong", "problem", "hint"),
    [
        ({"urll": 1}, "no key in bot.yaml called `urll`", "did you mean `url`?"),
        ({"reply": {"pth": "a"}}, "no key in `reply` in bot.yaml called `pth`", "`path`"),
        ({"reply": {"path": "a", "usage": {"tokens": "b"}}}, "called `tokens`", "_tokens"),
        ({"reply": {"path": "a", "blocked": {"path": "b", "is": 1}}}, "called `is`", ""),
        ({"session": {"form": "x"}}, "called `form`", "did you mean `from`?"),
        ({"session": {"start": {"urll": "x"}}}, "`session.start` in bot.yaml called `urll`", "url"),
        ({"body": {"q": "{{promt}}"}}, "no placeholder called `promt`", "did you mean `prompt`?"),
        ({"body": {"q": "{{}} {{prompt}}"}}, "no placeholder called ``", ""),
        ({"body": {"q": "see {{messages}}"}}, "cannot stand within a text", '"{{messages}}"'),
        ({"body": {"q": "hello"}}, "holds no question", '"{{prompt}}"'),
        ({"form": {"q": "{{prompt}}"}}, "more than one of", "keep the one"),
        ({"url": "bot.example/chat"}, "is not an http address", "https://"),
        ({"url": "file:///etc/passwd"}, "is not an http address", "https://"),
        ({"url": "https://h:99999/"}, "is not an http address", ""),
        ({"url": "https://{{session}}.example/"}, "host in bot.yaml must stand there", "write"),
        ({"url": "https://${HOST}/x"}, "host in bot.yaml must stand there", "write"),
        ({"url": "https://bot.example/${X}"}, "may not stand in the address's path", "query"),
        ({"url": "https://bot.example/{{prompt}}"}, "cannot stand in the address", "{{session}}"),
        (
            {"url": "https://bot.example/?q={{prompt}}"},
            "placeholder stands in the address",
            "query",
        ),
        ({"headers": {"X": "{{prompt}}"}}, "cannot stand in the headers", "{{session}}"),
        ({"body": {"q": "{{prompt}}", "k": "${KEY}"}}, "${KEY} stands in the body", "header"),
        ({"reply": {}}, "does not say where the answer stands", "as: text"),
        ({"reply": {"as": "text", "path": "a"}}, "a text has no path", ""),
        ({"reply": {"path": "a..b"}}, "`a..b` is no path", "choices[0]"),
        ({"reply": {"path": "a[x]"}}, "`a[x]` is no path", ""),
        ({"reply": {"as": "xml"}}, "Invalid enum value 'xml'", ""),
        ({"method": "P UT"}, "is no method", ""),
        ({"timeout_s": "soon"}, "Expected `float`", ""),
        ({"timeout_s": 0}, "out of range", ""),
        ({"concurrency": 0}, "out of range", ""),
        ({"body": {"q": "{{prompt}} {{session}}"}}, "does not say where {{session}} comes", ""),
        ({"session": SESSION}, "the session's name has no place", '"{{session}}"'),
        ({"history": "sent"}, "earlier turns have no place", "{{history}}"),
        ({"history": "kept"}, "does not say where {{session}} comes", ""),
        ({"history": "lost"}, "Invalid enum value 'lost'", ""),
    ],
)
def test_what_is_wrong_is_named_and_mended(wrong: dict[str, Any], problem: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        application({**GOOD, **wrong}, "bot.yaml", "bot")
    assert problem in caught.value.problem
    assert hint in caught.value.hint


def test_a_body_that_contains_itself_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bot.yaml"
    file.write_text(
        'url: https://b.example\nbody: &a {q: "{{prompt}}", again: *a}\nreply: {path: a}\n'
    )
    with pytest.raises(UsageError):
        application_file(str(file))


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [
        ({}, False),
        ({"body": {"m": "{{messages}}"}}, False),
        ({"body": {"q": "{{prompt}}", "s": "{{session}}"}, "session": SESSION}, True),
        ({"body": {"m": "{{messages}}", "s": "{{session}}"}, "session": SESSION}, False),
        (
            {
                "body": {"m": "{{messages}}", "s": "{{session}}"},
                "session": SESSION,
                "history": "kept",
            },
            True,
        ),
    ],
)
def test_who_keeps_the_history_is_read_off_the_request(
    given: dict[str, Any], is_kept: bool
) -> None:
    assert application({**GOOD, **given}, "bot.yaml", "bot").keeps_history is is_kept


def test_a_file_is_named_by_itself_and_a_block_is_found_in_a_file(tmp_path: Path) -> None:
    plain = tmp_path / "support.yaml"
    plain.write_text('url: https://b.example\nbody: {q: "{{prompt}}"}\nreply: {path: a}\n')
    assert application_file(str(plain)).name == "support"
    within = tmp_path / "c.yaml"
    block = plain.read_text().replace("\n", "\n      ")
    within.write_text(
        f"models:\n  - openai/x\n  - name: desk\n    {block}".replace("      ", "    ")
    )
    assert application_file(f"{within}#models[1]").name == "desk"
    with pytest.raises(UsageError, match="has no application at `model`"):
        application_file(f"{within}#model")
    with pytest.raises(UsageError, match="is no mapping"):
        application_file(f"{within}#models[0]")


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        (
            "url: https://b.example\nbody: {q: {{prompt}}}\n",
            "is not YAML",
            'in quotes: "{{prompt}}"',
        ),
        ("body: !!python/object/apply:os.system [ls]", "is not YAML", ""),
        ("- a", "is no mapping", "`url:`"),
        ("body: 1", "names no `url`", "https://"),
    ],
)
def test_a_file_that_is_no_application_is_refused(
    tmp_path: Path, text: str, problem: str, hint: str
) -> None:
    file = tmp_path / "bot.yaml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        application_file(str(file))
    assert problem in caught.value.problem
    assert hint in caught.value.hint


@pytest.mark.parametrize("spec", ["nowhere.yaml", "", "nowhere.yaml#model"])
def test_a_file_that_is_not_there_is_said(spec: str) -> None:
    with pytest.raises(UsageError):
        application_file(spec)


def test_the_files_that_the_guide_shows_are_right() -> None:
    page = Path(__file__).parents[2] / "docs" / "applications.md"
    shown = re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    assert len(shown) >= 5
    for text in shown:
        assert application(yaml.safe_load(text), "shown", "shown").request.url.startswith(
            "https://"
        )


def test_the_guide_tells_every_key() -> None:
    page = (Path(__file__).parents[2] / "docs" / "applications.md").read_text()
    for kind in (ApplicationKeys, RequestKeys, ReplyKeys, SessionKeys, MessageKeys, UsageKeys):
        for key in set(kind.__struct_encode_fields__) - {"name"}:
            assert re.search(rf"\b{key}\b", page), key
