import os
from pathlib import Path

import pytest

from safemark.errors import UnknownName, UsageError
from safemark.models.connect import OPENAI_COMPATIBLE, connect, keys_from_dotenv, providers
from safemark.models.fake import SCRIPTED, Fake, says, scripted
from safemark.models.openai_compatible import OpenAICompatible
from safemark.models.wrap import Retrying
from safemark.types import Ask


def over_http(name: str, **more: object) -> tuple[Retrying, OpenAICompatible]:
    model = connect(name, **more)  # type: ignore[arg-type]
    assert isinstance(model, Retrying)
    assert isinstance(model.model, OpenAICompatible)
    return model, model.model


@pytest.mark.parametrize("provider", list(OPENAI_COMPATIBLE))
def test_each_provider_is_asked_at_its_address_with_its_key(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = OPENAI_COMPATIBLE[provider]
    monkeypatch.setenv(row.key_variable, " sk-key-of-provider\n")
    model, inner = over_http(f"{provider}/some/model:tag")
    assert model.name == f"{provider}/some/model:tag"
    assert inner._url == f"{row.base_url}/chat/completions"
    assert inner._model == "some/model:tag"
    assert inner._api_key == "sk-key-of-provider"


@pytest.mark.parametrize("provider", [p for p, row in OPENAI_COMPATIBLE.items() if row.needs_key])
def test_a_missing_or_empty_key_names_its_variable(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = OPENAI_COMPATIBLE[provider].key_variable
    for value in (None, "", "  "):
        if value is not None:
            monkeypatch.setenv(variable, value)
        with pytest.raises(UsageError, match=f"{variable} is not set"):
            connect(f"{provider}/m")


def test_a_server_of_ones_own_needs_no_key() -> None:
    for name, url in (("ollama/m", None), ("vllm/m", None), ("openai/m", "http://localhost:1/v1")):
        _, inner = over_http(name, base_url=url)
        assert inner._api_key is None


def test_the_option_comes_before_the_variable_and_that_before_the_provider(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://from-variable/v1")
    assert over_http("openai/m")[1]._base_url == "http://from-variable/v1"
    assert over_http("openai/m", base_url="http://given/v1/")[1]._base_url == "http://given/v1"


def test_options_set_waiting_retries_price_and_the_body() -> None:
    options = {
        "timeout_s": "7",
        "retries": "0",
        "input_usd": "2",
        "output_usd": "8",
        "body.top_k": "5",
        "body.note": "plain text",
        "body.nested": '{"a": [1]}',
    }
    model, inner = over_http("ollama/m", options=options, concurrency=3)
    assert (model.retries, model.concurrency) == (0, 3)
    assert (inner._timeout_s, inner._price is not None) == (7.0, True)
    assert inner._extra == {"top_k": 5, "note": "plain text", "nested": {"a": [1]}}


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        ("ollama/m", {"retrys": "1"}, "no model option called `retrys`"),
        ("ollama/m", {"retries": "x"}, "is not a number"),
        ("ollama/m", {"timeout_s": "inf"}, "is out of range"),
        ("ollama/m", {"retries": "-1"}, "is out of range"),
        ("fake", {"retries": "1"}, "no model option called `retries`"),
    ],
)
def test_a_wrong_option_is_refused(name: str, options: dict[str, str], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        connect(name, options=options)


@pytest.mark.parametrize(
    "url", ["localhost:8000", "ftp://host/v1", "http://", "https:///v1", "http://h:99999/v1"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is not an http address"):
        connect("ollama/m", base_url=url)


def test_an_unknown_provider_is_told_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        connect("opena/gpt-4o")
    assert (caught.value.problem, caught.value.hint) == (
        "no model provider called `opena`",
        "did you mean `openai`?",
    )


@pytest.mark.parametrize("name", ["openai", "hf", "vllm", "openai/", "hf/"])
def test_a_provider_alone_names_no_model(name: str) -> None:
    with pytest.raises(UsageError, match="names no model"):
        connect(name)


def test_reference_takes_no_further_name() -> None:
    with pytest.raises(UsageError, match="takes no further name"):
        connect("reference/large")


def test_nothing_is_sent_when_connecting(no_network: list[str]) -> None:
    connect("openai/m", base_url="http://198.51.100.7/v1")
    assert no_network == []


@pytest.mark.parametrize("script", list(SCRIPTED))
async def test_every_scripted_model_is_connected_by_name_and_answers(script: str) -> None:
    model = connect(f"fake/{script}")
    assert isinstance(model, Fake)
    assert model.name == f"fake/{script}"
    reply = await model.reply(says("which one?"), Ask())
    assert isinstance(reply.text, str)
    assert model.asked == [says("which one?")]
    assert model.identity.digest == scripted(script).identity.digest


async def test_a_random_model_draws_anew_for_each_draw_and_the_same_for_the_same() -> None:
    model = scripted("random")
    texts = [(await model.reply(says("q"), Ask(draw=i))).text for i in range(20)]
    again = [(await model.reply(says("q"), Ask(draw=i))).text for i in range(20)]
    assert texts == again
    assert set(texts) == {"A", "B", "C"}


def test_every_provider_is_listed_with_its_key() -> None:
    listed = providers()
    assert {"reference", "hf/<id or folder>", "fake/<script>"} <= set(listed)
    assert "OPENAI_API_KEY" in listed["openai/<model>"]


def test_a_dotenv_supplies_only_keys_that_are_not_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_API_KEY", "sk-already-set")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("MY_SECRET", "never")
    file = tmp_path / "keys"
    file.write_text(
        "OPENAI_API_KEY='sk-quoted'\nVLLM_API_KEY=sk-other\nOPENAI_BASE_URL=http://evil.example\n"
        "OLLAMA_BASE_URL=http://evil.example\nHTTPS_PROXY=http://evil.example\nHF_TOKEN=${MY_SECRET}\n"
        "SSL_CERT_FILE=/evil\nSAFEMARK_DATA=/evil\nOPENROUTER_API_KEY=\nnot a line\n"
    )
    before = dict(os.environ)
    keys_from_dotenv(file)
    added = {name: value for name, value in os.environ.items() if before.get(name) != value}
    assert added == {"OPENAI_API_KEY": "sk-quoted", "HF_TOKEN": "${MY_SECRET}"}
    for name in added:
        monkeypatch.delenv(name)


def test_a_dotenv_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    keys_from_dotenv(tmp_path / ".env")
