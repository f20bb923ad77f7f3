import json
import time

import pytest

from safemark import secrets
from safemark.errors import CallFailed
from safemark.judging import Failed, attempted
from safemark.secrets import (
    HIDDEN,
    is_secret_name,
    masked,
    remember,
    remember_environment,
    scrubbed,
    scrubbed_bytes,
)
from safemark.types import Reason


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


CODE = "Zq8vW2nR5tY7uB3cD4eF6gH9"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        *((f"{begin}{CODE}", HIDDEN) for begin in ("sk-", "sk-ant-api03-", "sk-proj-", "sk_live_")),
        *((f"{begin}{CODE}", HIDDEN) for begin in ("hf_", "gsk_", "xai-", "ghp_", "AIza", "AKIA")),
        ("Incorrect API key provided: sk-Zq8v***gH9x.", f"Incorrect API key provided: {HIDDEN}."),
        ("API key provided: 12345678", f"API key provided: {HIDDEN}"),
        (f"api_key={CODE}&x=1", f"api_key={HIDDEN}&x=1"),
        (f'{{"api_key": "{CODE}"}}', f'{{"api_key": "{HIDDEN}"}}'),
        (f"GET /v1beta/models?key={CODE}", f"GET /v1beta/models?key={HIDDEN}"),
        (f"Authorization: Bearer {CODE}", f"Authorization: Bearer {HIDDEN}"),
        (f'"Authorization": "Basic {CODE}=="', f'"Authorization": "Basic {HIDDEN}"'),
        (f"the token eyJhbGciOiJIUzI1NiJ9.{CODE}.{CODE}", f"the token {HIDDEN}"),
        (f"OPENAI_API_KEY={CODE} is wrong", f"OPENAI_API_KEY={HIDDEN} is wrong"),
        ("http://me:pw@host/v1", "http://[secret]@host/v1"),
    ],
)
def test_in_an_error_what_looks_like_a_key_is_hidden(said: str, shown: str) -> None:
    assert masked(said) == shown


@pytest.mark.parametrize(
    "said",
    [
        "check the key in OPENAI_API_KEY; then go on",
        "API key not valid. Please pass a valid API key.",
        "no API key was given: set AZURE_OPENAI_API_KEY",
        "maximum context length is 4096 tokens, you sent 5121",
        "ImportError: cannot import hf_hub_download of sk-learn",
        "HTTP 404: the model `gpt-4o-mini-2024-07-18` does not exist",
        "failed 8 times in a row, at last with: [Errno 111] http://127.0.0.1:8000/v1",
        "a basic gpt-4-model of key 1234567 in ?monkey=12345678",
        "the token count is unknown; a basic question; password wanted",
    ],
)
def test_other_words_of_an_error_stay(said: str) -> None:
    assert masked(said) == said


@pytest.mark.parametrize("hostile", ["/sk-", "bearer ", "api key ", "?key=", "eyJ.", "sk-a "])
def test_an_error_of_any_length_is_looked_through_at_once(hostile: str) -> None:
    began = time.process_time()
    assert masked(50_000 * hostile) == 50_000 * hostile
    assert time.process_time() - began < 2


def test_a_failed_call_tells_no_key_whoever_words_it() -> None:
    failure = CallFailed(Reason.AUTHENTICATION, f"no such key: sk-{CODE}", f"not sk-{CODE}")
    assert (failure.problem, failure.hint) == (f"no such key: {HIDDEN}", f"not {HIDDEN}")
    assert CODE not in repr(failure)


async def test_nor_does_an_exception_that_nobody_foresaw() -> None:
    async def breaks() -> None:
        raise ValueError(f"Bearer {CODE}")

    found = await attempted(breaks())
    assert isinstance(found, Failed)
    assert found.why == f"ValueError: Bearer {HIDDEN}"


def test_a_reply_that_shows_a_key_is_kept_as_it_is() -> None:
    assert scrubbed(f"sk-{CODE}") == f"sk-{CODE}"


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
