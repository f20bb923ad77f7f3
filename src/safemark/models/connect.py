"""From a model's name to the model: ``openai/gpt-4o-mini``, ``hf/<id or folder>``, ``reference`` …

A provider that speaks OpenAI's protocol is one row of `OPENAI_COMPATIBLE`.
"""

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from safemark.errors import UnknownName, UsageError
from safemark.models._model import Model
from safemark.models.wrap import Retrying
from safemark.secrets import is_secret_name, remember, remember_environment, scrubbed

REFERENCE = Path(__file__).parent / "reference"


@dataclass(frozen=True, slots=True)
class Provider:
    """Where an OpenAI-compatible provider answers and which variable holds its key.

    ``needs_key`` is false for servers on one's own machine.
    """

    base_url: str
    key_variable: str
    url_variable: str | None = None
    needs_key: bool = True


OPENAI_COMPATIBLE: dict[str, Provider] = {
    "openai": Provider("https://api.openai.com/v1", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
    "openrouter": Provider("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "ollama": Provider(
        "http://localhost:11434/v1", "OLLAMA_API_KEY", "OLLAMA_BASE_URL", needs_key=False
    ),
    "vllm": Provider("http://localhost:8000/v1", "VLLM_API_KEY", "VLLM_BASE_URL", needs_key=False),
}

_HTTP_OPTIONS = {
    "timeout_s": "seconds to wait for one reply (120)",
    "retries": "how often a transient failure is tried again (4)",
    "input_usd": "price of a million input tokens, in US dollars",
    "output_usd": "price of a million output tokens, in US dollars",
}
NOT_IN_ANSWERS = frozenset(_HTTP_OPTIONS)
"""Options that change how long one waits or what is paid, but no answer."""


def keys_from_dotenv(path: Path) -> None:
    """Take keys that are not set from ``path``, if it is there; nothing but keys.

    Addresses and proxies in it are ignored: a cloned repository must not redirect a key.
    """
    if not path.is_file():
        return
    from dotenv import dotenv_values

    known = {row.key_variable for row in OPENAI_COMPATIBLE.values()} | {"HF_TOKEN"}
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
    }
    known |= {
        f"{name}/<model>": f"{row.base_url} (key: {row.key_variable})"
        for name, row in OPENAI_COMPATIBLE.items()
    }
    return known


def connect(
    name: str,
    *,
    base_url: str | None = None,
    options: Mapping[str, str] | None = None,
    concurrency: int | None = None,
) -> Model:
    """The model called ``name``; nothing is sent yet.

    Raises:
        UsageError: a missing key, an unknown provider, option or folder.
    """
    remember_environment()
    provider, rest = _split(name)
    given = dict(options or {})
    for key, value in given.items():
        if is_secret_name(key):
            remember(value)
    if base_url is not None and provider not in OPENAI_COMPATIBLE:
        raise UsageError(
            f"`--base-url` does not go with `{name}`", "it goes with openai/NAME --base-url URL"
        )
    if provider in OPENAI_COMPATIBLE:
        model = _over_http(provider, rest, base_url, given)
    else:
        model = _MAKERS[provider](rest, given)
    if concurrency is not None:
        model.concurrency = concurrency
    return model


def _split(name: str) -> tuple[str, str]:
    for sign in ("/", ":"):
        provider, found, rest = name.partition(sign)
        if found and (provider in OPENAI_COMPATIBLE or provider in _MAKERS):
            if not rest:
                raise UsageError(f"`{name}` names no model", f"for example `{provider}/NAME`")
            return provider, rest
    if name in ("reference", "fake"):
        return name, ""
    known = [*OPENAI_COMPATIBLE, *_MAKERS]
    if name in known:
        raise UsageError(f"`{name}` names no model", f"for example `{name}/NAME`")
    provider = re.split("[/:]", name, maxsplit=1)[0]
    if Path(name).is_dir():
        raise UsageError(f"`{name}` is a folder", f"for local weights say `hf/{name}`")
    raise UnknownName("model provider", provider, known, "safemark list models")


def _over_http(provider: str, model: str, base_url: str | None, options: dict[str, str]) -> Model:
    from safemark.models.openai_compatible import OpenAICompatible, Price

    row = OPENAI_COMPATIBLE[provider]
    from_environment = os.environ.get(row.url_variable) if row.url_variable else None
    url = base_url or from_environment or row.base_url
    has_login = _has_login(url)
    # both go into one header: a login in the address stands for the key
    key = None if has_login else (os.environ.get(row.key_variable) or "").strip() or None
    if key is None and row.needs_key and url == row.base_url:
        raise UsageError(
            f"{provider} needs a key, and {row.key_variable} is not set",
            f"export {row.key_variable}=…  (or put it into a .env file here)",
        )
    settings, extra = _http_settings(options)
    price = None
    if "input_usd" in settings or "output_usd" in settings:
        price = Price(settings.get("input_usd", 0.0), settings.get("output_usd", 0.0))
    inner = OpenAICompatible(
        model,
        base_url=url,
        api_key=key,
        key_variable=row.key_variable,
        name=f"{provider}/{model}",
        timeout_s=settings.get("timeout_s", 120.0),
        price=price,
        extra=extra,
    )
    return Retrying(inner, retries=int(settings.get("retries", 4)))


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


def _http_settings(options: dict[str, str]) -> tuple[dict[str, float], dict[str, object]]:
    """Our own settings as numbers, and what goes into the request body (``body.KEY=VALUE``)."""
    import json

    settings: dict[str, float] = {}
    extra: dict[str, object] = {}
    for key, value in options.items():
        if key.startswith("body."):
            name = key.removeprefix("body.")
            try:
                extra[name] = json.loads(value)
            except ValueError:
                extra[name] = value
            if is_secret_name(name) and isinstance(extra[name], str):
                remember(str(extra[name]))
        elif key in _HTTP_OPTIONS:
            try:
                settings[key] = float(value)
            except ValueError as error:
                raise UsageError(f"-M {key}={value} is not a number") from error
            if not (math.isfinite(settings[key]) and settings[key] >= 0):
                raise UsageError(f"-M {key}={value} is out of range", "give 0 or more")
        else:
            raise UnknownName("model option", key, [*_HTTP_OPTIONS, "body.…"])
    return settings, extra


def _local(path_or_id: str, options: dict[str, str]) -> Model:
    from safemark.models.local import load

    return load(path_or_id, name=f"hf/{path_or_id}", options=options)


def _reference(rest: str, options: dict[str, str]) -> Model:
    if rest:
        raise UsageError("`reference` takes no further name", "say `reference`")
    from safemark.models.local import load

    return load(str(REFERENCE), name="reference", options=options)


def _fake(script: str, options: dict[str, str]) -> Model:
    from safemark.models.fake import scripted

    if options:
        raise UnknownName("model option", next(iter(options)), ())
    return scripted(script or "comply")


_MAKERS: dict[str, Callable[[str, dict[str, str]], Model]] = {
    "hf": _local,
    "reference": _reference,
    "fake": _fake,
}
