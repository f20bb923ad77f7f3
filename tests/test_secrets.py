import json

import pytest

from safemark import secrets
from safemark.secrets import (
    HIDDEN,
    is_secret_name,
    remember,
    remember_environment,
    scrubbed,
    scrubbed_bytes,
)


def test_a_known_secret_is_hidden_wherever_it_stands() -> None:
    remember("sk-0123456789")
    assert scrubbed("key sk-0123456789, again sk-0123456789.") == f"key {HIDDEN}, again {HIDDEN}."
    assert scrubbed_bytes(b'{"a": "sk-0123456789"}') == b'{"a": "[secret]"}'


def test_what_is_too_short_to_be_a_secret_is_left_alone() -> None:
    for short in (None, "", "12345"):
        remember(short)
    assert scrubbed("12345") == "12345"
    assert secrets._known == set()


def test_a_secret_that_begins_like_another_is_hidden_whole() -> None:
    for secret in ("abcdef", "abcdefghijkl", "abcdefghi"):
        remember(secret)
    assert scrubbed("abcdefghijkl abcdef") == f"{HIDDEN} {HIDDEN}"
    assert scrubbed_bytes(b'"abcdefghijkl"') == b'"[secret]"'


@pytest.mark.parametrize(
    "secret", ['with "quotes"', "back\\slash", "new\nline", "schlüssel-ß", "tab\t123"]
)
def test_a_secret_is_hidden_in_json_as_json_writes_it(secret: str) -> None:
    remember(secret)
    body = json.dumps({"said": f"<{secret}>"}, ensure_ascii=False).encode()
    hidden = scrubbed_bytes(body)
    assert json.loads(hidden) == {"said": f"<{HIDDEN}>"}


def test_the_environments_keys_are_secrets_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "value-one")
    monkeypatch.setenv("MY_PASSWORD", "value-two")
    monkeypatch.setenv("PATH_TO_NOTHING", "value-three")
    remember_environment()
    assert scrubbed("value-one value-two value-three") == f"{HIDDEN} {HIDDEN} value-three"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://me:pw@host/v1", "http://[secret]@host/v1"),
        ("postgresql://me:p@ss@host/db", "postgresql://[secret]@host/db"),
        (
            "see https://user@host:8000 or https://a:b@c",
            "see https://[secret]@host:8000 or https://[secret]@c",
        ),
        ("http://host/path@version", "http://host/path@version"),
        ("http://host?mail=a@b", "http://host?mail=a@b"),
        ("write to a@b.example", "write to a@b.example"),
    ],
)
def test_a_login_in_an_address_is_hidden(url: str, shown: str) -> None:
    assert scrubbed(url) == shown


@pytest.mark.parametrize(
    "name",
    [
        *("api_key", "API_KEY", "x-api-key", "apikey", "body.api_key", "token", "auth_token"),
        *("secret", "password", "aws_access_key_id", "access-key", "private_key"),
        *("Authorization", "credentials"),
    ],
)
def test_a_setting_that_is_named_like_a_secret_is_one(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["temperature", "max_tokens", "top_k", "keyboard", "tokenizer"])
def test_other_settings_are_none(name: str) -> None:
    assert not is_secret_name(name)
