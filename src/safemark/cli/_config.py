"""``--config FILE``: YAML in which every option of a command is a key."""

from pathlib import Path
from typing import Any

import typer

from safemark.errors import UnknownName, UsageError


def from_file(context: typer.Context, path: Path | None) -> Path | None:
    """Take defaults from ``path``; what stands on the command line wins.

    Raises:
        UsageError: the file cannot be read, is no mapping, or has a key that is no option.
    """
    if path is None:
        return None
    context.default_map = _defaults(context, path)
    return path


def _defaults(context: typer.Context, path: Path) -> dict[str, Any]:
    import yaml

    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the config {path} cannot be read ({error})") from error
    except yaml.YAMLError as error:
        raise UsageError(f"the config {path} is not YAML: {error}") from error
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise UsageError(f"the config {path} is no mapping", "write one `key: value` a line")
    keys = _keys(context)
    defaults: dict[str, Any] = {}
    for key, value in given.items():
        plain = str(key).replace("_", "-").lstrip("-")
        if plain not in keys:
            raise UnknownName(f"key in {path.name}", str(key), sorted(keys))
        defaults[keys[plain]] = _as_given(plain, value)
    return defaults


def _keys(context: typer.Context) -> dict[str, str]:
    """Every word for a parameter → its name in the code."""
    keys: dict[str, str] = {}
    for parameter in context.command.params:
        name = parameter.name
        if name in ("config", "as_json"):
            continue
        keys[name.replace("_", "-")] = name
        for flag in parameter.opts:
            if flag.startswith("--"):
                keys[flag.removeprefix("--")] = name
    return keys | {"model": "models", "json": "as_json"}


def _as_given(key: str, value: Any) -> Any:
    """A YAML value in the shape that the option takes on the command line.

    Raises:
        UsageError: a list or a mapping where one value is wanted.
    """
    if key in ("model", "models", "benchmark", "benchmarks", "model-option", "options"):
        if isinstance(value, dict):
            return [f"{name}={'' if one is None else one}" for name, one in value.items()]
        return [str(one) for one in value] if isinstance(value, list) else [str(value)]
    if isinstance(value, list | dict):
        raise UsageError(f"the config key `{key}` takes one value, not several")
    return value if value is None or isinstance(value, bool) else str(value)
