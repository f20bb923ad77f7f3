"""A function of one's own as a target: ``python:module:function``, ``python:FILE:function``.

The function takes a text or a conversation and gives the answer, at once or awaitable. What it
takes is read off its first parameter; further parameters are given to it where it has them:

    prompt, text, question … or annotated `str`      the last turn
    messages, history, conversation … or a list      [{"role": …, "content": …}, …]
    system, session, draw                            by these names

A function that does not await runs in a thread, one call at a time unless more are wanted.
"""

import asyncio
import hashlib
import importlib
import importlib.util
import inspect
import sys
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, get_origin

import msgspec

from safemark.errors import CallFailed, UnknownName, UsageError
from safemark.models._model import Identity
from safemark.models.conversations import Conversations
from safemark.models.json_path import kind
from safemark.secrets import scrubbed
from safemark.types import Ask, Message, Messages, Reason, Reply

OPTIONS = {
    "takes": "what the function is given: prompt or messages [read off its first parameter]",
    "timeout_s": "seconds to wait for one answer (120)",
}
_PROMPT = frozenset({"prompt", "text", "question", "message", "query", "input", "user_input"})
_MESSAGES = frozenset({"messages", "history", "conversation", "turns", "chat"})
_EXTRAS = frozenset({"system", "session", "draw"})


@dataclass(frozen=True, slots=True)
class Shape:
    """How a function is called: what its first parameter takes, and which others it has."""

    takes_messages: bool
    extras: frozenset[str]
    is_async: bool


class PythonTarget:
    """A function that answers; ``source`` is the code that decides what it answers.

    Raises:
        UsageError: it is not known what the function takes.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        *,
        source: bytes = b"",
        takes: str | None = None,
        timeout_s: float = 120.0,
    ) -> None:
        self.name = f"python:{name}"
        self._function = function
        self._shape = shape_of(function, takes)
        self.concurrency = 8 if self._shape.is_async else 1
        self._timeout_s = timeout_s
        self._source = hashlib.sha256(source).hexdigest()
        self._conversations = Conversations()
        self.notes = ("of the function's code, its own file alone is part of the identity",)

    @property
    def identity(self) -> Identity:
        taken = "messages" if self._shape.takes_messages else "prompt"
        detail = {"function": self.name, "source": self._source, "takes": taken}
        encoded = msgspec.json.encode(detail, order="deterministic")
        return Identity(hashlib.sha256(encoded).hexdigest(), detail)

    async def close(self) -> None:
        return None

    async def reply(self, messages: Messages, ask: Ask) -> Reply:
        """What the function answers. Raises `CallFailed` where it fails or answers nothing."""
        given, extras, turns = self._arguments(messages, ask)
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._called(given, extras)
            reply = as_reply(answer)
        except CallFailed:
            raise
        except Exception as error:  # the code of others: whatever it raises
            raise _failure(error, self._timeout_s) from error
        if "session" in extras:
            said = (*turns, Message("assistant", reply.text))
            self._conversations.keep(said, ask.draw, extras["session"])
        return reply

    def _arguments(self, messages: Messages, ask: Ask) -> tuple[Any, dict[str, Any], Messages]:
        shape = self._shape
        systems = [] if ask.system is None else [ask.system]
        systems += [message.content for message in messages if message.role == "system"]
        system = "\n\n".join(systems)
        turns = tuple(message for message in messages if message.role != "system")
        extras: dict[str, Any] = {}
        if "draw" in shape.extras:
            extras["draw"] = ask.draw
        if "system" in shape.extras:
            extras["system"] = system or None
        elif system and not shape.takes_messages:
            raise _no_place("a system prompt", "`system`")
        if "session" in shape.extras:
            extras["session"] = self._session(turns, ask)
        elif len(turns) > 1 and not shape.takes_messages:
            raise _no_place("earlier turns", "`messages` or `session`")
        if ask.prefill is not None and not shape.takes_messages:
            raise _no_place("the beginning of an answer", "`messages`")
        if not shape.takes_messages:
            return turns[-1].content, extras, turns
        begun = () if ask.prefill is None else (Message("assistant", ask.prefill),)
        first = (Message("system", system),) if system and "system" not in shape.extras else ()
        listed = [{"role": m.role, "content": m.content} for m in (*first, *turns, *begun)]
        return listed, extras, turns

    def _session(self, turns: Messages, ask: Ask) -> str:
        found = self._conversations.take(turns[:-1], ask.draw) if turns[1:] else str(uuid.uuid4())
        if found is None and self._shape.takes_messages:
            return str(uuid.uuid4())
        if found is None:
            why = "the function keeps the history itself, and never had this conversation"
            raise CallFailed(Reason.UNSUPPORTED, why, "let it take `messages`")
        return found

    async def _called(self, given: Any, extras: dict[str, Any]) -> Any:
        if self._shape.is_async:
            return await self._function(given, **extras)
        answer = await _in_thread(lambda: self._function(given, **extras))
        return await answer if inspect.isawaitable(answer) else answer


def python_target(spec: str, options: dict[str, str]) -> PythonTarget:
    """The target ``module:function``, ``FILE:function`` with options from the command line.

    The module is imported: its code runs.

    Raises:
        UsageError: there is no such module or function, or it cannot be imported.
    """
    for key in options:
        if key not in OPTIONS:
            raise UnknownName("model option", key, OPTIONS)
    where, sign, name = spec.rpartition(":")
    if not sign or not where or not name:
        raise UsageError(f"`python:{spec}` names no function", "for example python:my_bot:answer")
    module = _module(where)
    function = getattr(module, name, None)
    if not callable(function):
        known = [key for key, value in vars(module).items() if inspect.isfunction(value)]
        raise UnknownName(f"function in {where}", name, known)
    return PythonTarget(
        function,
        f"{module.__name__}:{name}",
        source=_source(module),
        takes=options.get("takes"),
        timeout_s=_seconds(options.get("timeout_s")),
    )


def shape_of(function: Callable[..., Any], takes: str | None = None) -> Shape:
    """How ``function`` is to be called; ``takes`` decides where its parameters do not.

    Raises:
        UsageError: it takes nothing, or it cannot be known what.

    >>> shape_of(lambda prompt, session: prompt)
    Shape(takes_messages=False, extras=frozenset({'session'}), is_async=False)
    """
    if takes not in (None, "prompt", "messages"):
        raise UnknownName("value of takes", str(takes), ("prompt", "messages"))
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].kind is inspect.Parameter.KEYWORD_ONLY:
        raise UsageError("the function takes nothing", "let its first parameter be `prompt`")
    first, names = parameters[0], {parameter.name for parameter in parameters[1:]}
    takes_messages = _takes_messages(first) if takes is None else takes == "messages"
    if takes_messages is None:
        raise UsageError(
            f"it is not known what `{first.name}` takes",
            "call it `prompt` or `messages`, or say -M takes=prompt",
        )
    is_async = any(map(inspect.iscoroutinefunction, (function, type(function).__call__)))
    return Shape(takes_messages, frozenset(names & _EXTRAS), is_async)


def as_reply(answer: Any) -> Reply:
    """An answer as a reply: a text, a `Reply`, or a mapping with ``text`` or ``content``.

    Raises:
        CallFailed: it is anything else.

    >>> as_reply({"content": "Hello", "finish": "length"}).finish
    'length'
    """
    if isinstance(answer, Reply):
        return answer
    if isinstance(answer, str):
        return Reply(answer)
    if isinstance(answer, dict):
        told = {key: value for key, value in answer.items() if key not in ("role", "content")}
        told.setdefault("text", answer.get("content"))
        try:
            return msgspec.convert(told, Reply)
        except msgspec.ValidationError as error:
            why = f"the function gave {kind(answer)} ({error})"
            raise CallFailed(Reason.BAD_RESPONSE, scrubbed(why), _WANTED) from error
    shown = "None" if answer is None else f"a value of type {type(answer).__name__}"
    raise CallFailed(Reason.BAD_RESPONSE, f"the function gave {shown}", _WANTED)


_WANTED = 'a text, or {"text": …}, is wanted'


def _takes_messages(first: inspect.Parameter) -> bool | None:
    hint = first.annotation
    if hint in (str, "str"):
        return False
    if get_origin(hint) in (list, tuple) or hint in (list, tuple) or "essage" in str(hint):
        return True
    if isinstance(hint, str) and hint.startswith(("list", "List", "Sequence")):
        return True
    if first.name in _PROMPT:
        return False
    return True if first.name in _MESSAGES else None


def _failure(error: Exception, timeout_s: float) -> CallFailed:
    """What an exception of the function means; its text may hold a secret."""
    said = scrubbed(f"{type(error).__name__}: {error}")[:500]
    if isinstance(error, TimeoutError):
        return CallFailed(Reason.TIMEOUT, f"no answer within {timeout_s:g} s")
    if isinstance(error, OSError):
        return CallFailed(Reason.TRANSPORT, said)
    return CallFailed(Reason.INTERNAL_ERROR, f"the function raised {said}")


def _no_place(what: str, name: str) -> CallFailed:
    why = f"the function has no parameter for {what}"
    return CallFailed(Reason.UNSUPPORTED, why, f"let it take {name}")


async def _in_thread(call: Callable[[], Any]) -> Any:
    """What ``call`` gives in a thread of its own, which does not keep the program from ending.

    A thread cannot be ended: a call that is waited for no longer goes on to its own end.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def settle(answer: Any, error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(answer)
        elif isinstance(error, Exception) and not isinstance(error, StopIteration):
            done.set_exception(error)
        else:
            done.set_exception(RuntimeError(f"{type(error).__name__}: {error}"))

    def work() -> None:
        answer, error = None, None
        try:
            answer = call()
        except BaseException as raised:  # noqa: BLE001 - it may even try to end the program
            error = raised
        try:
            loop.call_soon_threadsafe(settle, answer, error)
        except RuntimeError:  # the loop has ended meanwhile
            return

    threading.Thread(target=work, daemon=True).start()
    return await done


def _module(where: str) -> ModuleType:
    """The module of that name, looked for in the working directory first, or of that file."""
    path = Path(where)
    if where.endswith(".py"):
        if not path.is_file():
            raise UsageError(f"there is no file {where}", "for example python:bot.py:answer")
        return _imported(lambda: _from_file(path), where)
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    return _imported(lambda: importlib.import_module(where), where)


def _from_file(path: Path) -> ModuleType:
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _imported(load: Callable[[], ModuleType], where: str) -> ModuleType:
    try:
        return load()
    except Exception as error:
        raise UsageError(
            f"`{where}` cannot be imported: {type(error).__name__}: {scrubbed(str(error))}",
            "modules are looked for in this folder and among installed packages",
        ) from error


def _source(module: ModuleType) -> bytes:
    file = getattr(module, "__file__", None)
    try:
        return Path(file).read_bytes() if file else b""
    except OSError:
        return b""


def _seconds(given: str | None) -> float:
    try:
        seconds = 120.0 if given is None else float(given)
    except ValueError as error:
        raise UsageError(f"-M timeout_s={given} is not a number") from error
    if not 0 < seconds < 1e6:
        raise UsageError(f"-M timeout_s={given} is out of range", "give seconds, for example 60")
    return seconds
