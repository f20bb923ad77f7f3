"""Wrappers × capabilities × providers: none drops what the model inside can do, or makes it up."""

import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import safemark.models
from safemark.models._model import CAPABILITIES, can
from safemark.models._wrapper import Wrapper, layers
from safemark.models.connect import connect
from safemark.models.providers import PROVIDERS
from safemark.models.wrap import Budgeted, Limits, Price, Priced, careful, limited

HEAVY = ("local", "inspect_ai")
"""Need torch or Inspect; neither holds a wrapper."""

CHATTING = [name for name, row in PROVIDERS.items() if row.protocol == "chat"]
APIS = [
    *((name, api) for name in CHATTING for api in ("chat", "completions", "responses")),
    *((name, "") for name in PROVIDERS if name not in CHATTING),
]


def wrappers() -> list[type[Wrapper]]:
    """Every wrapper in the package, whoever wrote it."""
    folder = str(Path(safemark.models.__file__).parent)
    for found in pkgutil.walk_packages([folder], "safemark.models."):
        if not found.name.removeprefix("safemark.models.").startswith(HEAVY):
            importlib.import_module(found.name)
    waiting, seen = [Wrapper], []
    while waiting:
        for one in waiting.pop().__subclasses__():
            if one.__module__.startswith("safemark.") and one not in seen:
                seen.append(one)
                waiting.append(one)
    return seen


def test_every_wrapper_says_how_each_capability_goes_through_it() -> None:
    found = wrappers()
    assert {"Retrying", "Budgeted", "Priced"} <= {one.__name__ for one in found}
    for one in found:
        for name in CAPABILITIES:
            own = name if name == "reply" else f"_{name}"
            method = getattr(one, own, None)
            assert method is not getattr(Wrapper, own, None), (one, name)
            assert inspect.iscoroutinefunction(method), (one, name)


@pytest.mark.parametrize(("provider", "api"), APIS)
def test_likelihoods_are_there_where_the_protocol_has_them_and_nowhere_else(
    provider: str, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PROVIDERS[provider].key_variable, "sk-key-of-provider")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://resource.openai.azure.com")
    options = {"api": api} if api else {}
    model = connect(f"{provider}/m", options=options)
    wrapped = [
        model,
        Budgeted(model),
        Priced(model, Price(1.0, 2.0)),
        limited(model, Limits(concurrency=3)),
        careful(model, Limits()),
    ]
    for one in (layers(model)[-1], *wrapped):
        assert can(one, "reply")
        assert can(one, "loglikelihood") == (api == "completions")
