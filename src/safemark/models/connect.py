"""From a model's name to the model: ``openai/gpt-4o-mini``, ``hf/<id or folder>``, ``reference`` …

Who answers over HTTP is one row of `PROVIDERS`; anything else is a maker in `_MAKERS`.
"""

import difflib
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from safemark.errors import UnknownName, UsageError
from safemark.models._model import Model
from safemark.models.prices import Price, listed, read, shipped
from safemark.models.providers import PROVIDERS, Provider, dialect_of
from safemark.models.wrap import Limits, Priced, Retrying, careful, limited
from safemark.secrets import is_secret_name, remember, remember_environment, scrubbed

if TYPE_CHECKING:
    from safemark.models.http import HttpModel

REFERENCE = Path(__file__).parent / "reference"


_NOT_IN_ANSWERS = {
    "timeout_s": "seconds to wait for one reply (120)",
    "retries": "how often a transient failure is tried again (4)",
    "patience_s": "seconds for which an endpoint may fail until it is given up (120)",
    "input_usd": "price of a million input tokens, in US dollars",
    "output_usd": "price of a million output tokens, in US dollars",
    "cached_usd": "price of a million input tokens out of the provider's cache (as any)",
}
_IN_ANSWERS = {
    "api": "chat, completions or responses (chat)",
    "effort": "how much a reasoning model thinks: a word, or a number of tokens",
    "thinking": "`opened` where the chat template begins the thinking",
    "begin": "completions: what a text begins with where nothing stands before it",
    "api_version": "azure: the version of the deployment's address (none: the v1 address)",
}
NOT_IN_ANSWERS = frozenset(_NOT_IN_ANSWERS)
"""Options that change how long one waits or what is paid, but no answer."""


def keys_from_dotenv(path: Path) -> None:
    """Take keys that are not set from ``path``, if it is there; nothing but keys.

    Addresses and proxies in it are ignored: a cloned repository must not redirect a key.
    """
    if not path.is_file():
        return
    from dotenv import dotenv_values

    known = {name for row in PROVIDERS.values() for name in row.key_variables} | {"HF_TOKEN"}
    try:
        # not interpolated: `OPENAI_API_KEY=${ANOTHER_SECRET}` would send that one out
        found = dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read ({error})", "mend it, or move it away") from error
    for name, value in found.items():
        if name in known and value and name not in os.environ:
            os.environ[name] = value


def providers() -> dict[str, str]:
    """Every kind of model name with a clause about it."""
    known = {
        "reference": "the shipped test model",
        "hf/<id or folder>": "local weights through transformers",
        "fake/<script>": "scripted answers, for tests",
        "inspect/<provider>/<model>": "any provider of Inspect (the extra `inspect`)",
        "http:<file>": "an application, asked as the file says",
        "python:<module>:<function>": "a function of your own",
        "recorded:<file>, recorded:run:<run>": "answers that were given before",
    }
    known |= {
        f"{name}/<model>": f"{row.base_url or row.url_variable} (key: {row.key_variable})"
        for name, row in PROVIDERS.items()
    }
    return known


def connect(
    name: str,
    *,
    base_url: str | None = None,
    options: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    prices: Path | None = None,
    offline: bool = False,
) -> Model:
    """The model called ``name``, asked within ``limits``; nothing is sent yet.

    ``prices`` is one's own table, which comes before the shipped one. With ``offline`` no weights
    are downloaded.

    Raises:
        UsageError: a missing key, an unknown provider, option or folder; a table that is none.
    """
    limits = limits or Limits()
    remember_environment()
    provider, rest = _split(name)
    given = dict(options or {})
    for key, value in given.items():
        if is_secret_name(key):
            remember(value)
    if base_url is not None and provider not in PROVIDERS:
        raise UsageError(
            f"`--base-url` does not go with `{name}`", "it goes with openai/NAME --base-url URL"
        )
    if provider in PROVIDERS:
        return _over_http(provider, rest, base_url, given, limits, prices)
    make = _MAKERS[provider]
    if offline and provider in _FROM_HUB:
        make = partial(_FROM_HUB[provider], offline=True)
    model = limited(make(rest, given), limits)
    price = _price(name, {}, prices, is_own=False)
    return model if price is None else Priced(model, price)


def _split(name: str) -> tuple[str, str]:
    for sign in ("/", ":"):
        provider, found, rest = name.partition(sign)
        if found and (provider in PROVIDERS or provider in _MAKERS):
            if not rest:
                raise UsageError(f"`{name}` names no model", f"for example `{provider}/NAME`")
            return provider, rest
    if name in _ALONE:
        return name, ""
    known = [*PROVIDERS, *_MAKERS]
    if name in known:
        raise UsageError(f"`{name}` names no model", f"for example `{name}/NAME`")
    if Path(name).is_dir():
        raise UsageError(f"`{name}` is a folder", f"for local weights say `hf/{name}`")
    raise _unknown(name, known)


def _unknown(name: str, known: list[str]) -> UsageError:
    """What to say of a name before which stands no provider, or an unknown one."""
    provider = re.split("[/:]", name, maxsplit=1)[0]
    if provider == name and difflib.get_close_matches(name, _ALONE, cutoff=0.7):
        return UnknownName("model", name, _ALONE)
    if provider == name:
        maker = next((row for begin, row in _WHOSE.items() if name.lower().startswith(begin)), "")
        example = f"{maker}/{name}" if maker else "openai/gpt-4o-mini, or hf/FOLDER"
        return UsageError(
            f"`{name}` does not say whose model it is",
            f"say PROVIDER/MODEL, for example {example}; `safemark list models` shows all",
        )
    unknown = UnknownName("model provider", provider, known, "safemark list models")
    if "did you mean" not in unknown.hint and re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        unknown.hint = f"open weights are named `hf/{name}`; {unknown.hint}"
    return unknown


_ALONE = ("reference", "fake")
_WHOSE = {
    "gpt": "openai",
    "chatgpt": "openai",
    "o1": "openai",
    "o3": "openai",
    "o4": "openai",
    "claude": "anthropic",
    "gemini": "google",
}
"""What names of models begin with → whose they most likely are; only for a hint."""


def _over_http(
    provider: str,
    model: str,
    base_url: str | None,
    options: dict[str, str],
    limits: Limits,
    prices: Path | None,
) -> Model:
    from safemark.models.http import Endpoint

    row = PROVIDERS[provider]
    settings, texts, extra = _http_settings(provider, options)
    given = base_url or (os.environ.get(row.url_variable) if row.url_variable else None)
    if not (given or row.base_url):
        raise UsageError(
            f"{provider} needs the address of your resource",
            f"export {row.url_variable}=https://NAME.openai.azure.com",
        )
    url = given or row.base_url
    has_login = _has_login(url)
    # both go into one header: a login in the address stands for the key
    key, key_variable = (None, row.key_variable) if has_login else _key(row)
    if key is None and row.needs_key and url == (row.base_url or url):
        raise UsageError(
            f"{provider} needs a key, and {row.key_variable} is not set",
            f"export {row.key_variable}=…  (or put it into a .env file here)",
        )
    endpoint = Endpoint(
        base_url=_azure_url(url, model, texts) if provider == "azure" else url,
        api_key=key,
        key_variable=key_variable,
        key_header=row.key_header,
        api_version=texts.get("api_version"),
        timeout_s=settings.get("timeout_s", 120.0),
    )
    make = _protocol(provider, model, texts)
    name = f"{provider}/{model}"
    inner = make(model, endpoint, name=name, effort=texts.get("effort"), extra=extra)
    price = _price(name, settings, prices, is_own=url == row.base_url)
    return careful(inner, _patient(limits, settings), price)


def _patient(limits: Limits, settings: Mapping[str, float]) -> Limits:
    return replace(
        limits,
        retries=int(settings.get("retries", limits.retries)),
        patience_s=settings.get("patience_s", limits.patience_s),
    )


def _price(
    name: str, settings: Mapping[str, float], prices: Path | None, *, is_own: bool
) -> Price | None:
    """What the person says, or their table, or the shipped one at the provider's own address.

    Raises:
        UsageError: one price without the other, or a table that is none.
    """
    said = {"input_usd", "output_usd"} & set(settings)
    if len(said) == 1:
        raise UsageError(
            f"-M {said.pop()}=… is half a price", "give both: -M input_usd=… -M output_usd=…"
        )
    if said:
        return Price(settings["input_usd"], settings["output_usd"], settings.get("cached_usd"))
    own = None if prices is None else listed(name.replace(":", "/", 1), read(prices))
    return own or (listed(name, shipped()) if is_own else None)


def _key(row: Provider) -> tuple[str | None, str]:
    """The first key that is set, and the variable it stands in."""
    for variable in row.key_variables:
        if key := os.environ.get(variable, "").strip():
            return key, variable
    return None, row.key_variable


def _azure_url(endpoint: str, deployment: str, texts: Mapping[str, str]) -> str:
    """A deployment's own address where a version is named, else the resource's v1 address."""
    resource = endpoint.rstrip("/").removesuffix("/v1").removesuffix("/openai")
    if "api_version" not in texts:
        return f"{resource}/openai/v1"
    if texts.get("api") == "responses":
        return f"{resource}/openai"
    return f"{resource}/openai/deployments/{quote(deployment)}"


def _protocol(provider: str, model: str, texts: Mapping[str, str]) -> "Callable[..., HttpModel]":
    """What speaks with that model."""
    spoken, api = PROVIDERS[provider].protocol, texts.get("api", "chat")
    if spoken == "anthropic":
        from safemark.models.anthropic import Anthropic

        return Anthropic
    if spoken == "google":
        from safemark.models.google import Google

        return Google
    if api == "responses":
        from safemark.models.responses import Responses

        return Responses
    if api == "completions":
        from safemark.models.completions import Completions
        from safemark.models.llama_server import LlamaServer

        made = LlamaServer if provider == "llamacpp" else Completions
        return partial(made, begin=texts.get("begin", ""))
    from safemark.models.openai_compatible import OpenAICompatible

    return partial(
        OpenAICompatible,
        dialect=dialect_of(provider, model),
        is_thinking_opened=texts.get("thinking") == "opened",
    )


def _has_login(url: str) -> bool:
    """Whether the address holds a name or a password, which is remembered as a secret.

    Raises:
        UsageError: it is no http address.
    """
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        is_address = False
    if not is_address:
        hint = "for example http://localhost:8000/v1"
        raise UsageError(f"`{scrubbed(url)}` is not an http address", hint)
    remember(parts.password)
    remember(unquote(parts.password or ""))
    return parts.username is not None


def _http_settings(
    provider: str, options: dict[str, str]
) -> tuple[dict[str, float], dict[str, str], dict[str, object]]:
    """Our own settings, numbers and texts, and what goes into the body (``body.KEY=VALUE``)."""
    settings: dict[str, float] = {}
    texts: dict[str, str] = {}
    extra: dict[str, object] = {}
    for key, value in options.items():
        if key.startswith("body."):
            _put(extra, key.removeprefix("body."), value)
        elif key in _NOT_IN_ANSWERS:
            settings[key] = _number(key, value)
        elif key in _IN_ANSWERS:
            texts[key] = value
        else:
            raise UnknownName("model option", key, [*_NOT_IN_ANSWERS, *_IN_ANSWERS, "body.…"])
    _check(provider, texts)
    if provider == "azure" and "api_version" not in texts:
        named = os.environ.get("OPENAI_API_VERSION", "")
        texts |= {"api_version": named} if named else {}
    return settings, texts, extra


def _number(key: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError as error:
        raise UsageError(f"-M {key}={value} is not a number") from error
    if not (math.isfinite(number) and number >= 0):
        raise UsageError(f"-M {key}={value} is out of range", "give 0 or more")
    return number


def _put(extra: dict[str, object], name: str, value: str) -> None:
    import json

    try:
        extra[name] = json.loads(value)
    except ValueError:
        extra[name] = value
    if is_secret_name(name) and isinstance(extra[name], str):
        remember(value)


_VALUES = {"api": ("chat", "completions", "responses"), "thinking": ("opened",)}


def _check(provider: str, texts: Mapping[str, str]) -> None:
    """Every option has a value that it may have, and goes with the provider and the others.

    Raises:
        UsageError: one does not.
    """
    for key, value in texts.items():
        if value not in _VALUES.get(key, (value,)):
            raise UnknownName(f"value of -M {key}", value, _VALUES[key])
    api = texts.get("api", "chat")
    is_chat = PROVIDERS[provider].protocol == "chat"
    fits = {
        "api": is_chat,
        "thinking": is_chat and api == "chat",
        "begin": api == "completions",
        "api_version": provider == "azure",
        "effort": api != "completions",
    }
    for key in texts:
        if not fits[key]:
            raise UsageError(
                f"-M {key}=… does not go with {provider} and api={api}", _IN_ANSWERS[key]
            )


def _local(path_or_id: str, options: dict[str, str], *, offline: bool = False) -> Model:
    from safemark.models.local import load

    return load(path_or_id, name=f"hf/{path_or_id}", options=options, offline=offline)


def _reference(rest: str, options: dict[str, str], *, offline: bool = False) -> Model:
    if rest:
        raise UsageError("`reference` takes no further name", "say `reference`")
    from safemark.models.local import load

    return load(str(REFERENCE), name="reference", options=options, offline=offline)


def _fake(script: str, options: dict[str, str]) -> Model:
    from safemark.models.fake import scripted

    if options:
        raise UnknownName("model option", next(iter(options)), ())
    return scripted(script or "comply")


def _inspect(model: str, options: dict[str, str]) -> Model:
    from safemark.models.inspect_ai import InspectModel

    ours = {key: value for key, value in options.items() if key in (*_NOT_IN_ANSWERS, "effort")}
    settings, texts, _ = _http_settings("openai", ours)
    inner = InspectModel(
        model,
        timeout_s=settings.get("timeout_s", 120.0),
        effort=texts.get("effort"),
        options={key: value for key, value in options.items() if key not in ours},
    )
    price = _price(inner.name, settings, None, is_own=False)
    return careful(inner, _patient(Limits(), settings), price)


def _application(file: str, options: dict[str, str]) -> Model:
    from safemark.models.application import HttpApplication
    from safemark.models.application_file import application_file

    if file.startswith("//"):
        raise UsageError(
            "an address alone does not say how an application is asked",
            "write it into a file, and say http:FILE; docs/applications.md shows one",
        )
    prices = ("input_usd", "output_usd")
    for key in options:
        if key not in prices:
            raise UnknownName("model option", key, prices)
    application = application_file(file)
    said = {key: _number(key, text) for key, text in options.items()}
    price = _price(file, said, None, is_own=False)
    model = HttpApplication(application)
    asked = model if price is None else Priced(model, price)
    return Retrying(asked, retries=application.retries)


def _python(target: str, options: dict[str, str]) -> Model:
    from safemark.models.python_target import python_target

    return python_target(target, options)


def _recorded(file: str, options: dict[str, str]) -> Model:
    from safemark.models.recorded import recorded

    return recorded(file, options)


_MAKERS: dict[str, Callable[[str, dict[str, str]], Model]] = {
    "hf": _local,
    "reference": _reference,
    "fake": _fake,
    "inspect": _inspect,
    "http": _application,
    "python": _python,
    "recorded": _recorded,
}

_FROM_HUB = {"hf": _local, "reference": _reference}
"""Makers of what may come from the Hugging Face hub: a model, or an adapter to the one shipped."""
