import os
from pathlib import Path

import pytest

from safemark.errors import UnknownName, UsageError
from safemark.models.completions import Completions
from safemark.models.connect import connect, keys_from_dotenv, providers
from safemark.models.fake import SCRIPTED, Fake, says, scripted
from safemark.models.http import HttpModel
from safemark.models.openai_compatible import OpenAICompatible
from safemark.models.prices import Price
from safemark.models.providers import PROVIDERS
from safemark.models.responses import Responses
from safemark.models.wrap import Limits, Retrying, layers, price_of
from safemark.types import Ask
from tests.serving import Server


def over_http(name: str, **more: object) -> tuple[Retrying, OpenAICompatible]:
    model = connect(name, **more)  # type: ignore[arg-type]
    assert isinstance(model, Retrying)
    inner = layers(model)[-1]
    assert isinstance(inner, OpenAICompatible)
    return model, inner


AZURE = "https://resource.openai.azure.com"


@pytest.fixture
def resource(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one provider whose address is the person's own."""
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", AZURE + "/")
    monkeypatch.delenv("OPENAI_API_VERSION", raising=False)


@pytest.mark.parametrize("provider", list(PROVIDERS))
@pytest.mark.usefixtures("resource")
def test_each_provider_is_asked_at_its_address_with_its_key(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = PROVIDERS[provider]
    monkeypatch.setenv(row.key_variable, " sk-key-of-provider\n")
    model = connect(f"{provider}/some/model:tag")
    inner = layers(model)[-1]
    assert isinstance(inner, HttpModel)
    paths = {
        "chat": "/chat/completions",
        "anthropic": "/v1/messages",
        "google": "/some/model:tag:generateContent",
    }
    base_url = f"{AZURE}/openai/v1" if provider == "azure" else row.base_url
    assert inner.address("x") == f"{base_url}/x"
    assert inner._url == base_url + paths[row.protocol]
    assert model.name == f"{provider}/some/model:tag"
    assert inner._model == "some/model:tag"
    assert inner._endpoint.api_key == "sk-key-of-provider"


@pytest.mark.parametrize("provider", [p for p, row in PROVIDERS.items() if row.needs_key])
@pytest.mark.usefixtures("resource")
def test_a_missing_or_empty_key_names_its_variable(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = PROVIDERS[provider].key_variable
    for value in (None, "", "  "):
        if value is not None:
            monkeypatch.setenv(variable, value)
        with pytest.raises(UsageError, match=f"{variable} is not set"):
            connect(f"{provider}/m")


def test_a_providers_other_variable_holds_its_key_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "sk-of-gemini")
    inner = layers(connect("google/gemini"))[-1]
    assert isinstance(inner, HttpModel)
    found = (inner._endpoint.api_key, inner._endpoint.key_variable)
    assert found == ("sk-of-gemini", "GEMINI_API_KEY")


def test_azure_without_a_resource_says_what_to_export(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "sk-azure-key")
    monkeypatch.delenv("AZURE_OPENAI_ENDPOINT", raising=False)
    with pytest.raises(UsageError) as caught:
        connect("azure/deployment")
    assert "AZURE_OPENAI_ENDPOINT" in caught.value.hint


@pytest.mark.parametrize(
    ("endpoint", "options", "url"),
    [
        (AZURE, {}, f"{AZURE}/openai/v1/chat/completions"),
        (f"{AZURE}/openai/v1/", {}, f"{AZURE}/openai/v1/chat/completions"),
        (
            AZURE,
            {"api_version": "2024-10-21"},
            f"{AZURE}/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21",
        ),
        (
            AZURE,
            {"api_version": "2025-04-01-preview", "api": "responses"},
            f"{AZURE}/openai/responses?api-version=2025-04-01-preview",
        ),
    ],
)
def test_azure_is_asked_at_its_v1_address_or_at_the_deployments_own(
    endpoint: str, options: dict[str, str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", endpoint)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "sk-azure-key")
    monkeypatch.delenv("OPENAI_API_VERSION", raising=False)
    inner = layers(connect("azure/my-gpt", options=options))[-1]
    assert isinstance(inner, HttpModel)
    assert inner._url == url
    if "api_version" in options and "api" not in options:
        monkeypatch.setenv("OPENAI_API_VERSION", options["api_version"])
        again = layers(connect("azure/my-gpt"))[-1]
        assert isinstance(again, HttpModel)
        assert again._url == url


@pytest.mark.usefixtures("resource")
async def test_azures_key_goes_into_its_own_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "sk-azure-key")
    with Server() as server:
        model = connect("azure/my-gpt", base_url=server.url)
        await model.reply(says("q"), Ask())
        await model.close()
    assert server.headers[0]["api-key"] == "sk-azure-key"
    assert "Authorization" not in server.headers[0]
    assert server.paths == ["/openai/v1/chat/completions"]


@pytest.mark.parametrize(
    ("name", "options", "made"),
    [
        ("openai/m", {}, OpenAICompatible),
        ("openai/m", {"api": "completions"}, Completions),
        ("vllm/m", {"api": "completions", "begin": "<s>"}, Completions),
        ("openai/m", {"api": "responses", "effort": "low"}, Responses),
    ],
)
def test_the_api_says_what_is_spoken(
    name: str, options: dict[str, str], made: type[HttpModel]
) -> None:
    inner = layers(connect(name, base_url="http://localhost:1/v1", options=options))[-1]
    assert type(inner) is made


def test_a_server_of_ones_own_needs_no_key() -> None:
    for name, url in (("ollama/m", None), ("vllm/m", None), ("openai/m", "http://localhost:1/v1")):
        _, inner = over_http(name, base_url=url)
        assert inner._endpoint.api_key is None


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
    model, inner = over_http("ollama/m", options=options, limits=Limits(concurrency=3))
    assert (model.retries, model.concurrency) == (0, 3)
    assert (inner._endpoint.timeout_s, price_of(model)) == (7.0, Price(2.0, 8.0))
    assert inner._extra == {"top_k": 5, "note": "plain text", "nested": {"a": [1]}}


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        ("ollama/m", {"retrys": "1"}, "no model option called `retrys`"),
        ("ollama/m", {"retries": "x"}, "is not a number"),
        ("ollama/m", {"timeout_s": "inf"}, "is out of range"),
        ("ollama/m", {"retries": "-1"}, "is out of range"),
        ("ollama/m", {"api": "completion"}, "no value of -M api called `completion`"),
        ("ollama/m", {"thinking": "closed"}, "no value of -M thinking called `closed`"),
        ("ollama/m", {"api_version": "1"}, "-M api_version=… does not go with ollama"),
        ("ollama/m", {"begin": "x"}, "-M begin=… does not go with ollama and api=chat"),
        ("ollama/m", {"api": "completions", "effort": "x"}, "-M effort=… does not go with ollama"),
        ("anthropic/m", {"api": "completions"}, "-M api=… does not go with anthropic"),
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
        del os.environ[name]


def test_a_dotenv_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    keys_from_dotenv(tmp_path / ".env")


def test_the_page_about_models_names_every_provider_and_variable() -> None:
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
    for name, row in PROVIDERS.items():
        assert f"`{name}/" in page, name
        for variable in (*row.key_variables, row.url_variable):
            assert variable is None or f"`{variable}`" in page, variable


def test_a_dotenv_supplies_the_keys_of_every_provider_and_no_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {name for row in PROVIDERS.values() for name in row.key_variables}
    addresses = {row.url_variable for row in PROVIDERS.values() if row.url_variable}
    for name in keys | addresses:
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "keys"
    file.write_text("".join(f"{name}=sk-or-evil.example\n" for name in sorted(keys | addresses)))
    keys_from_dotenv(file)
    added = {name for name in keys | addresses if name in os.environ}
    for name in added:
        del os.environ[name]
    assert added == keys
    assert "AZURE_OPENAI_ENDPOINT" in addresses
