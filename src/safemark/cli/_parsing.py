"""What the parser leaves to us: empty names and infinite numbers refused, its words in ours."""

import math
import re
from typing import Any, get_args

import typer
from typer.core import TyperCommand

from safemark.cli._given import listed
from safemark.errors import UsageError

_TOO_MANY = re.compile(r"Got unexpected extra argument\(s\) \((.*)\)", re.DOTALL)
_NO_VALUE = re.compile(r"Option '([^']*)' requires an argument")
_A_VALUE = re.compile(r"Option '([^']*)' does not take a value")


class Command(TyperCommand):
    """A command that refuses an empty name or an endless number, wherever it takes one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        rest: list[str] = super().parse_args(ctx, args)
        for parameter in self.params:
            _refuse_empty(ctx, parameter)
            _refuse_endless(ctx, parameter)
        return rest


def refusing_empty_names(app: typer.Typer) -> None:
    """Make every command of ``app``, and of its groups, a `Command`."""
    for command in app.registered_commands:
        command.cls = Command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            refusing_empty_names(group.typer_instance)


def _refuse_empty(context: Any, parameter: Any) -> None:
    """Refuse an option or argument that is given as nothing, unless it is free text.

    Raises:
        UsageError: it is.
    """
    source = context.get_parameter_source(parameter.name)
    is_text = (parameter.metavar or "").startswith("TEXT")
    if is_text or source is None or source.name == "DEFAULT":
        return
    value = context.params.get(parameter.name)
    for one in value if isinstance(value, list | tuple) else [value]:
        if isinstance(one, str) and not one.strip():
            listed(one, _called(parameter))


def _refuse_endless(context: Any, parameter: Any) -> None:
    """Refuse infinity and what is no number at all, which a parser of numbers takes.

    Raises:
        UsageError: it is given.
    """
    value = context.params.get(parameter.name)
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(
            f"`{_called(parameter)}` takes a number, not `{value:g}`",
            f"`{context.command_path} --help` shows what there is",
        )


def _called(parameter: Any) -> str:
    """How the command line calls it: its flag, or its word in the usage line."""
    if parameter.param_type_name == "option":
        return str(parameter.opts[0])
    return str(parameter.metavar or parameter.name).upper()


def complaint(error: Exception, text: str) -> str:
    """What the parser complains of, ``text``, in a sentence of ours where there is one."""
    missing = getattr(error, "param", None)
    if type(error).__name__ == "MissingParameter" and missing is not None:
        return f"`{_called(missing)}` is missing"
    if found := _TOO_MANY.fullmatch(text):
        return f"`{found[1]}` is more than the command takes"
    if found := _NO_VALUE.fullmatch(text):
        return f"`{found[1]}` is given no value"
    if found := _A_VALUE.fullmatch(text):
        return f"`{found[1]}` takes no value"
    return wrong_number(error) or text


def wrong_number(error: Exception) -> str | None:
    """What an option takes, where ``error`` says that it was given another number or none."""
    parameter = getattr(error, "param", None)
    said = str(getattr(error, "message", ""))
    if parameter is None or not any(
        word in said for word in ("integer", "number", "than", "range")
    ):
        return None
    is_whole = _is_whole(parameter)
    if is_whole is None:
        return None
    bound = getattr(parameter, "min", None)
    kind = "a whole number" if is_whole else "a number"
    at_least = "" if bound is None else f", {bound:g} or more"
    return f"`{_called(parameter)}` takes {kind}{at_least}{_given(error)}"


def _is_whole(parameter: Any) -> bool | None:
    """Whether it takes whole numbers or any; None where it takes none."""
    described = getattr(parameter, "type_descriptor", None)
    wanted = getattr(described, "annotation", None)
    wanted = next(iter(get_args(wanted)), wanted)
    return wanted is int if wanted in (int, float) else None


def _given(error: Exception) -> str:
    """``, not `x` ``, where the complaint tells what was given."""
    errors = getattr(error.__cause__, "errors", None)
    found = errors() if callable(errors) else []
    return f", not `{found[0]['input']}`" if found and "input" in found[0] else ""
