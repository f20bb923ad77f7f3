"""Files that a person named: what stands in them, or in one sentence why that cannot be told."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from safemark.errors import UsageError

if TYPE_CHECKING:
    import yaml

_LOOK = "look there, and a line above: a bracket, a quote or the indentation is off"
_WHERE = "is the path right? It is read from the folder you are in"


def text_in(path: Path, what: str, hint: str = "") -> str:
    """The text of a file; ``what`` says in errors what it is, such as "the rubric".

    Raises:
        UsageError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        why = error.strerror or str(error)
        if isinstance(error, FileNotFoundError):
            hint = hint or _WHERE
        if isinstance(error, IsADirectoryError):
            hint = hint or "that is a folder: name a file in it"
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
    """What a YAML text says: plain values, every key once.

    Raises:
        UsageError: it is not YAML, has a tag, or names a key twice.
    """
    import yaml

    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _check_keys(node, what, set())
        return loader.construct_document(node)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UsageError(f"{what} is not YAML: {_said(error)}", hint or _LOOK) from error
    finally:
        loader.dispose()


def _check_keys(node: "yaml.Node", what: str, seen: set[int]) -> None:
    """Refuse a mapping that names a key twice, anywhere in ``node``.

    Raises:
        UsageError: one does.
    """
    import yaml

    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for one in node.value:
            _check_keys(one, what, seen)
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            _check_keys(value, what, seen)
            if not isinstance(key, yaml.ScalarNode):
                continue
            line = key.start_mark.line + 1
            if key.value in lines:
                first = lines[key.value]
                places = f"line {line}" if first == line else f"lines {first} and {line}"
                raise UsageError(
                    f"{what} names `{key.value}` twice, in {places}", "leave one of them out"
                )
            lines[key.value] = line


def _said(error: Exception) -> str:
    """The parser's complaint on one line, with the number of the line that it is of."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).split("\n")[0]
    return f"{problem} (line {mark.line + 1})" if mark is not None else problem
