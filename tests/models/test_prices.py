from pathlib import Path
from typing import Any

import pytest
import yaml

from safemark.errors import UsageError
from safemark.models.connect import connect
from safemark.models.fake import Fake, says
from safemark.models.prices import (
    FREE,
    SHIPPED,
    Price,
    Priced,
    listed,
    price_of,
    read,
    shipped,
)
from safemark.models.wrap import Limits, careful
from safemark.types import Ask, Reply, Usage


def test_every_shipped_price_has_a_day_and_a_source() -> None:
    table = shipped()
    assert len(table) > 30
    for name, price in table.items():
        assert len(price.as_of) == 10, name
        assert price.source.startswith("https://"), name
        assert 0 < price.input_usd < price.output_usd <= 100, name
        assert price.cached_usd is None or price.cached_usd < price.input_usd, name
    rows = [row for group in yaml.safe_load(SHIPPED.read_text()) for row in group["prices"]]
    assert len(rows) == len(set(rows)) == len(table)


@pytest.mark.parametrize(
    ("name", "as_listed"),
    [
        ("openai/gpt-4o-mini", "openai/gpt-4o-mini"),
        ("openai/gpt-4o-mini-2024-07-18", "openai/gpt-4o-mini"),
        ("openai/gpt-4o-2024-05-13", "openai/gpt-4o-2024-05-13"),
        ("anthropic/claude-haiku-4-5-20251001", "anthropic/claude-haiku-4-5"),
        ("anthropic/claude-haiku-4-5-latest", "anthropic/claude-haiku-4-5"),
        ("google/gemini-2.5-flash-001", "google/gemini-2.5-flash"),
    ],
)
def test_a_dated_name_costs_what_its_model_costs_unless_it_has_a_row(
    name: str, as_listed: str
) -> None:
    assert listed(name, shipped()) is shipped()[as_listed]


@pytest.mark.parametrize(
    "name", ["openai/gpt-4o-audio-preview", "openai/gpt-9", "groq/gpt-4o", "gpt-4o", ""]
)
def test_what_is_not_listed_is_not_known(name: str) -> None:
    assert listed(name, shipped()) is None


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        (Usage(1_000_000, 0), 2.0),
        (Usage(0, 1_000_000), 8.0),
        (Usage(1_000_000, 0, cached_tokens=400_000), 1.2 + 0.2),
        (Usage(100, 0, cached_tokens=400), 50e-6),
        (Usage(None, 5), None),
        (Usage(5, None), None),
    ],
)
def test_what_a_reply_costs_is_known_when_its_tokens_are(usage: Usage, usd: float | None) -> None:
    assert Price(2.0, 8.0, 0.5).usd(usage) == (usd if usd is None else pytest.approx(usd))


def test_where_no_cached_price_is_known_the_input_costs_all() -> None:
    assert Price(2.0, 8.0).usd(Usage(1_000_000, 0, cached_tokens=999_999)) == 2.0


async def test_a_reply_says_what_it_cost_and_a_servers_own_word_stands() -> None:
    told = Fake(lambda _m, _a: Reply("ok", usage=Usage(1000, 100)))
    reply = await Priced(told, Price(1.0, 10.0)).reply(says("x"), Ask())
    assert reply.usage == Usage(1000, 100, 0.002)
    own = Fake(lambda _m, _a: Reply("ok", usage=Usage(1000, 100, 0.5)))
    assert (await Priced(own, Price(1.0, 10.0)).reply(says("x"), Ask())).usage.cost_usd == 0.5


def test_the_price_of_a_model_is_found_through_its_wrappers_and_unknown_is_none() -> None:
    price = Price(1.0, 2.0)
    assert price_of(careful(Fake(name="openai/x"), Limits(), price)) == price
    assert price_of(careful(Fake(name="openai/x"), Limits())) is None
    for name in ("reference", "hf/some/model", "fake/refuse", "recorded:answers.jsonl"):
        assert price_of(Fake(name=name)) is FREE


def test_ones_own_table_is_read(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("- provider: vllm\n  prices:\n    my-model: [1, null, 2.5]\n")
    assert read(file) == {"vllm/my-model": Price(1.0, 2.5, None, "", "mine.yaml")}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("vllm: 3", "no list of providers"),
        ("- 3", "no list of providers"),
        ("- provider: x", "each provider has"),
        ("- provider: x\n  price: {}", "no provider has a `price`"),
        ("- provider: x\n  prices: {m: 3}", "prices of m are not"),
        ("- provider: x\n  prices: {m: [1, 2]}", "prices of m are not"),
        ("- provider: x\n  prices: {m: [null, 1, 2]}", "prices of m are not"),
        ("- provider: x\n  prices: {m: [1, 1, -2]}", "prices of m are not"),
        ("- provider: x\n  prices: {m: [1, 1, .inf]}", "prices of m are not"),
        ("- provider: x\n  prices: {m: [1, 1, true]}", "prices of m are not"),
        ("- [", "is not YAML"),
    ],
)
def test_a_table_that_is_none_is_refused_with_an_example(
    tmp_path: Path, text: str, why: str
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=why):
        read(file)


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read(tmp_path / "none.yaml")


def found(name: str, **more: Any) -> Price | None:
    return price_of(connect(name, **more))


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai-key")


@pytest.mark.usefixtures("keys")
def test_a_shipped_price_holds_at_the_providers_own_address_only() -> None:
    listed_there = shipped()["openai/gpt-4o-mini"]
    assert found("openai/gpt-4o-mini") == listed_there
    assert found("openai/gpt-4o-mini", base_url="http://localhost:1/v1") is None
    assert found("vllm/gpt-4o-mini") is None


@pytest.mark.usefixtures("keys")
def test_ones_own_word_comes_before_ones_table_and_that_before_the_shipped(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("- provider: openai\n  prices:\n    gpt-4o-mini: [7, 3, 9]\n")
    there = {"base_url": "http://localhost:1/v1", "prices": file}
    assert found("openai/gpt-4o-mini", prices=file) == Price(7.0, 9.0, 3.0, "", "mine.yaml")
    assert found("openai/gpt-4o-mini", **there) == Price(7.0, 9.0, 3.0, "", "mine.yaml")
    said = {"input_usd": "1", "output_usd": "2", "cached_usd": "0.5"}
    assert found("openai/gpt-4o-mini", prices=file, options=said) == Price(1.0, 2.0, 0.5)


def test_half_a_price_is_refused() -> None:
    with pytest.raises(UsageError, match=r"-M input_usd=… is half a price") as caught:
        connect("ollama/m", options={"input_usd": "1"})
    assert caught.value.hint == "give both: -M input_usd=… -M output_usd=…"


def test_ones_own_table_prices_what_is_no_provider(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("- provider: fake\n  prices:\n    refuse: [1, 1, 2]\n")
    assert found("fake/refuse", prices=file) == Price(1.0, 2.0, 1.0, "", "mine.yaml")
    assert found("fake/comply", prices=file) is FREE
