"""Answers that were given before as a target: no model is asked.

    recorded:FILE        JSON Lines: {"prompt": …, "response": …} or {"messages": […], …}
    recorded:run:RUN     a run of one's own store

A prompt that stands in several lines has that many draws, in their order. What is not recorded is
absent and says so. Answers are read when they are asked for: a file may be larger than memory.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from safemark.errors import CallFailed, UnknownName, UsageError
from safemark.models._model import Identity
from safemark.types import Ask, Message, Messages, Reason, Reply, Usage

if TYPE_CHECKING:
    from safemark.store import Store

RESPONSES = ("response", "reply", "completion", "output", "answer")
_SHOWN_KEYS = 8


class Recorded:
    """The answers of a JSON Lines file.

    Raises:
        UsageError: it cannot be read, or a line is not a prompt with its response.
    """

    concurrency = 32
    notes = ("answers were recorded before; no model is asked",)

    def __init__(self, path: Path) -> None:
        self.name = f"recorded:{path.name}"
        self._path = path
        self._places: dict[bytes, list[int]] = defaultdict(list)
        self._digest = self._read()
        self._file = path.open("rb")

    @property
    def identity(self) -> Identity:
        return Identity(self._digest, {"kind": "recorded", "sha256": self._digest})

    async def close(self) -> None:
        self._file.close()

    async def reply(self, messages: Messages, ask: Ask) -> Reply:
        """The recorded answer. Raises `CallFailed` where there is none."""
        places = self._places.get(key_of(messages, ask), ())
        if ask.draw >= len(places):
            raise _not_recorded(len(places))
        self._file.seek(places[ask.draw])
        return reply_of(msgspec.json.decode(self._file.readline()))

    def _read(self) -> str:
        """Learn where each prompt stands; the file's SHA-256."""
        digest = hashlib.sha256()
        try:
            with self._path.open("rb") as lines:
                place = 0
                for number, line in enumerate(lines, 1):
                    digest.update(line)
                    if line.strip():
                        self._places[_key_of_line(line, number, self._path.name)].append(place)
                    place += len(line)
        except OSError as error:
            raise UsageError(
                f"{self._path} cannot be read ({error.strerror})",
                f"is the path right? {_LINE}",
            ) from error
        if not self._places:
            raise UsageError(f"{self._path} holds no recorded answer", _LINE)
        return digest.hexdigest()


class RecordedRun:
    """The answers of a stored run.

    Raises:
        UsageError: there is no such run, or it holds no reply.
    """

    concurrency = 32

    def __init__(self, store: "Store", run: str) -> None:
        self._store = store
        self._run = store.run(run)
        self.name = f"recorded:run:{self._run.id}"
        self.notes = (f"answers of {self._run.model} in run {self._run.id}; no model is asked",)
        self._places: dict[bytes, dict[int, tuple[int, int, int]]] = defaultdict(dict)
        self._digest = self._read()

    @property
    def identity(self) -> Identity:
        detail = {"kind": "recorded", "run": self._run.id, "model": self._run.model}
        return Identity(self._digest, detail | {"sha256": self._digest})

    async def close(self) -> None:
        self._store.close()

    async def reply(self, messages: Messages, ask: Ask) -> Reply:
        """The recorded answer. Raises `CallFailed` where there is none."""
        draws = self._places.get(key_of(messages, ask), {})
        if ask.draw not in draws:
            raise _not_recorded(len(draws))
        part, position, number = draws[ask.draw]
        (found,) = self._store.texts(part, positions=[position])
        attempt = found[3].transcript.attempts[number]
        if attempt.reply is None:
            reason = attempt.absent or Reason.NOT_ASKED
            why = f"the recorded run has no answer either: {reason}"
            raise CallFailed(Reason.UNSUPPORTED, f"{why}; {attempt.why}" if attempt.why else why)
        return msgspec.structs.replace(attempt.reply, usage=Usage(), retries=0)

    def _read(self) -> str:
        """Learn where each prompt stands; a digest over everything asked and answered."""
        digest = hashlib.sha256()
        encoder = msgspec.json.Encoder()
        for part in self._store.parts(self._run.id):
            settings = part.body.ask
            for position, _, repeat, text in self._store.texts(part.id):
                digest.update(encoder.encode(text))
                for number, attempt in enumerate(text.transcript.attempts):
                    if attempt.continuations:
                        continue
                    sent = attempt.sent or text.sample.messages
                    asked = msgspec.structs.replace(settings, prefill=None)
                    self._places[key_of(sent, asked)].setdefault(
                        repeat, (part.id, position, number)
                    )
        if not self._places:
            raise UsageError(f"run {self._run.id} holds no reply", "`safemark list runs` shows all")
        return digest.hexdigest()


def recorded(spec: str, options: dict[str, str]) -> Recorded | RecordedRun:
    """The target ``FILE`` or ``run:RUN``; ``-M store=URL`` names another store than the default.

    Raises:
        UsageError: there is none, or it holds no answers.
    """
    kind, sign, rest = spec.partition(":")
    is_run = bool(sign) and kind == "run"
    known = ("store",) if is_run else ()
    for key in options:
        if key not in known:
            raise UnknownName("model option", key, known)
    if not is_run:
        return Recorded(Path(spec))
    from safemark.store import Store

    store = Store(options.get("store"))
    try:
        return RecordedRun(store, rest)
    except BaseException:
        store.close()
        raise


def key_of(messages: Messages, ask: Ask) -> bytes:
    """What a prompt is found by: every message, the system prompt and the begun answer included."""
    system = () if ask.system is None else (Message("system", ask.system),)
    begun = () if ask.prefill is None else (Message("assistant", ask.prefill),)
    said = (*system, *messages, *begun)
    return hashlib.blake2b(msgspec.json.encode(said), digest_size=16).digest()


def reply_of(line: Mapping[str, Any]) -> Reply:
    """The reply that a line records: its response, and what else it tells of it."""
    told = {key: line[key] for key in ("finish", "thinking", "model") if line.get(key)}
    response = next((line[key] for key in RESPONSES if key in line), None)
    try:
        return msgspec.convert({**told, "text": response}, Reply)
    except msgspec.ValidationError as error:
        raise CallFailed(
            Reason.BAD_RESPONSE, f"the recorded response is no text ({error})"
        ) from error


_LINE = 'a line is {"prompt": "…", "response": "…"}'


def _key_of_line(line: bytes, number: int, file: str) -> bytes:
    """Raises `UsageError` where the line is no prompt with its response."""
    where = f"line {number} of {file}"
    try:
        given = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{where} is no JSON ({error})", _LINE) from error
    if not isinstance(given, dict):
        raise UsageError(f"{where} is no object", _LINE)
    if not any(key in given for key in RESPONSES) or not given.keys() & {"prompt", "messages"}:
        there = ", ".join(f"`{key}`" for key in list(given)[:_SHOWN_KEYS])
        raise UsageError(f"{where} is not a prompt with its response: it has {there}", _LINE)
    system = given.get("system")
    try:
        messages = msgspec.convert(_messages(given), tuple[Message, ...])
        ask = Ask(system=msgspec.convert(system, str | None))
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: {error}", _LINE) from error
    return key_of(messages, ask)


def _messages(given: Mapping[str, Any]) -> Sequence[Any]:
    said = given.get("messages")
    if said is None:
        return [{"role": "user", "content": given["prompt"]}]
    return said if isinstance(said, list) else [said]


def _not_recorded(draws: int) -> CallFailed:
    why = "no answer to this prompt is recorded"
    if draws:
        why = f"only {draws} answers to this prompt are recorded"
    return CallFailed(Reason.UNSUPPORTED, why)
