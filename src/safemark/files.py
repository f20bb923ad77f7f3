"""Files that a person named: what stands in them, or in one sentence why that cannot be told."""

from pathlib import Path
from typing import Any

from safemark.errors import UsageError


def text_in(path: Path, what: str, hint: str = "") -> str:
    """The text of a file; ``what`` says in errors what it is, such as "the rubric".

    Raises:
        UsageError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"{what} {path} cannot be read: {why}", hint) from error
    except UnicodeDecodeError as error:
        hint = hint or "save it as UTF-8"
        raise UsageError(f"{what} {path} cannot be read: it is not UTF-8", hint) from error


def yaml_in(path: Path, what: str, hint: str = "") -> Any:
    """What a YAML file says; only plain values, no tags.

    Raises:
        UsageError: it cannot be read, or is not YAML.
    """
    return yaml_of(text_in(path, what, hint), f"{what} {path}", hint)


def yaml_of(text: str, what: str, hint: str = "") -> Any:
    """What a YAML text says.

    Raises:
        UsageError: it is not YAML.
    """
    import yaml

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise UsageError(f"{what} is not YAML: {error}", hint) from error
