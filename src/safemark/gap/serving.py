"""A variant handed to a server of one's own, such as vLLM, for as long as it is asked.

    --serve-with "vllm serve {folder} --port {port}"

The weights as they are at the moment are written to a guarded folder (`safemark.gap.folders`), the
command is started without a shell and without any key of the environment, and waited for until its
`/v1/models` answers. Replies come from it; likelihoods are computed in this process, which keeps
the same weights. On leaving the server is ended, with all that it started, and the folder removed.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import shlex
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import msgspec

from safemark.errors import CallFailed, UsageError
from safemark.gap.folders import forget_server, guarded, note_server
from safemark.models._model import Identity, Model, Scores
from safemark.models._wrapper import Wrapper
from safemark.models.local import alone
from safemark.models.local.handing_over import weight_bytes, write_folder
from safemark.models.providers import Dialect, dialect_of
from safemark.models.wrap import Limits, careful
from safemark.removal._removal import Removal, RemovalFailed
from safemark.secrets import is_secret_name, remember, scrubbed
from safemark.types import Ask, Likelihood, Messages, Reason, Reply

WAIT_S = 900.0
"""So long a server may take until it answers."""

POLL_S = 0.25
END_S = 15.0
"""So long it may take to end by itself."""

ROOM = 1.1
"""Disk space that is wanted, times the weights."""

_LAST = 600
"""Characters of what a failed server said that are shown."""


@dataclass(frozen=True, slots=True)
class Serving:
    """How a server is started: a command with ``{folder}`` and ``{port}``."""

    command: str
    wait_s: float = WAIT_S

    def __post_init__(self) -> None:
        for name in ("{folder}", "{port}"):
            if name not in self.command:
                raise UsageError(
                    f"--serve-with says no {name}",
                    'for example --serve-with "vllm serve {folder} --port {port}"',
                )
        try:
            parts = shlex.split(self.command)
        except ValueError as error:
            raise UsageError(
                f"--serve-with cannot be read: {error}", "close every quote"
            ) from error
        for name, value in _options(parts):
            if is_secret_name(name):
                remember(value)
        if not parts or shutil.which(parts[0]) is None:
            raise UsageError(
                f"--serve-with: there is no program `{parts[0] if parts else ''}` here",
                "install it, or give its whole path",
            )

    def arguments(self, folder: Path, port: int) -> list[str]:
        """The program and its arguments; no shell reads them."""
        return [
            part.replace("{folder}", str(folder)).replace("{port}", str(port))
            for part in shlex.split(self.command)
        ]


def _options(parts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Options with their values, as `--name value` or `--name=value`.

    >>> list(_options(["serve", "--api-key", "abc", "--token=xyz", "-v"]))
    [('--api-key', 'abc'), ('--token', 'xyz')]
    """
    for part, following in zip(parts, [*parts[1:], ""], strict=True):
        name, has_value, value = part.partition("=")
        if part.startswith("--") and (has_value or (following and not following.startswith("-"))):
            yield name, value if has_value else following


def servable(removal: Removal) -> Removal:
    """The same removal by weights, where it is otherwise one by hooks, which no server runs."""
    name, _, argument = removal.name.partition(":")
    if name != "ablation" or "weights" in argument.split("+") or removal.with_argument is None:
        return removal
    return removal.with_argument("+".join(filter(None, [argument, "weights"])))


class Served(Wrapper):
    """A model whose replies come from a server that was given its weights."""

    def __init__(self, model: Model, serving: Serving, remote: Model | None = None) -> None:
        super().__init__(model)
        self._serving = serving
        self._remote = remote
        if remote is not None:
            self.concurrency = remote.concurrency

    @property
    def identity(self) -> Identity:
        """Of the model, and the command that serves it."""
        inner = self.model.identity
        told = {"served_with": scrubbed(self._serving.command)}
        whole = json.dumps([inner.digest, told], sort_keys=True)
        return Identity(hashlib.sha256(whole.encode()).hexdigest(), {**inner.detail, **told})

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of both, and that replies come from elsewhere than likelihoods."""
        from_server = () if self._remote is None else tuple(getattr(self._remote, "notes", ()))
        said = f"replies by `{scrubbed(self._serving.command)}`, likelihoods in this process"
        return (*super().notes, *from_server, said)

    async def reply(self, messages: Messages, ask: Ask) -> Reply:
        if self._remote is None:
            raise CallFailed(Reason.INTERNAL_ERROR, f"`{self.name}` is not served at the moment")
        reply = await self._remote.reply(messages, ask)
        return msgspec.structs.replace(reply, model=None)  # else: the folder, another each time

    async def _loglikelihood(
        self, context: str | Messages, continuations: Sequence[str]
    ) -> tuple[Likelihood, ...]:
        return await cast(Scores, self.model).loglikelihood(context, continuations)


@asynccontextmanager
async def served(model: Model, serving: Serving) -> AsyncIterator[Served]:
    """The model behind a server of its own while the block lasts.

    Raises:
        RemovalFailed: its weights cannot be written, or there is no room for them.
        UsageError: the server does not start, or does not answer.
    """
    with guarded() as place:
        folder = place / _name(model)
        await _write(model, folder)
        async with _started(serving, folder, place) as (address, name):
            remote = _remote(address, name, _dialect(serving))
            try:
                yield Served(model, serving, remote)
            finally:
                await remote.close()


async def _write(model: Model, folder: Path) -> None:
    wanted = int(ROOM * await alone(model, weight_bytes))
    free = shutil.disk_usage(folder.parent).free
    if wanted > free:
        raise RemovalFailed(
            f"the weights need {wanted / 1e9:.1f} GB in {folder.parent.parent.parent}, which has"
            f" {free / 1e9:.1f} GB left",
            "set TMPDIR to a larger disk",
        )
    try:
        await alone(model, lambda weights: write_folder(weights, folder))
    except UsageError as error:
        raise RemovalFailed(error.problem, error.hint) from error
    except OSError as error:
        raise RemovalFailed(
            f"the weights cannot be written: {error.strerror}", "set TMPDIR to another disk"
        ) from error


def _name(model: Model) -> str:
    """A name for a folder: letters, digits and dashes."""
    kept = [char if char.isascii() and char.isalnum() else "-" for char in model.name]
    return "".join(kept).strip("-")[:60] or "model"


def _free_port() -> int:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
        found: int = free.getsockname()[1]
    return found


@asynccontextmanager
async def _started(serving: Serving, folder: Path, place: Path) -> AsyncIterator[tuple[str, str]]:
    """The server's address up to ``/v1``, and what it calls the model."""
    port = _free_port()
    log = place / "server.log"
    keys = {name: value for name, value in os.environ.items() if not is_secret_name(name)}
    with log.open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            *serving.arguments(folder, port),
            cwd=place,
            env=keys,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        note_server(place, process.pid)
        address = f"http://127.0.0.1:{port}"
        name = await _answering(process, address, folder, serving.wait_s, log)
        yield f"{address}/v1", name
    finally:
        await _ended(process)
        forget_server(place)


async def _answering(
    process: asyncio.subprocess.Process, address: str, folder: Path, wait_s: float, log: Path
) -> str:
    """What the server calls the model, once it answers.

    Raises:
        UsageError: it ends, or has not answered in time.
    """
    import aiohttp

    until = asyncio.get_running_loop().time() + wait_s
    wait = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=wait, trust_env=False) as session:
        while asyncio.get_running_loop().time() < until:
            if process.returncode is not None:
                raise _no_server(f"ended with {process.returncode}", log)
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, ValueError):
                async with session.get(f"{address}/v1/models") as answer:
                    if answer.status == 200:
                        return _called(await answer.json(content_type=None), folder)
            await asyncio.sleep(POLL_S)
    raise _no_server(f"did not answer in {wait_s:.0f} s", log)


def _called(listed: object, folder: Path) -> str:
    """The one model that is listed; where there are several or none, the folder.

    >>> _called({"data": [{"id": "m"}]}, Path("/t/x"))
    'm'
    >>> _called({"data": [{"id": "m"}, {"id": "x"}]}, Path("/t/x")), _called([], Path("/t/x"))
    ('x', '/t/x')
    """
    data = listed.get("data") if isinstance(listed, dict) else None
    names = [str(one["id"]) for one in data or () if isinstance(one, dict) and "id" in one]
    if len(names) == 1:
        return names[0]
    return folder.name if folder.name in names else str(folder)


def _no_server(what: str, log: Path) -> UsageError:
    with contextlib.suppress(OSError):
        said = log.read_text(encoding="utf-8", errors="replace").strip()[-_LAST:]
        return UsageError(f"the server of --serve-with {what}", scrubbed(said) or "it said nothing")
    return UsageError(f"the server of --serve-with {what}", "its output cannot be read")


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Ends the server and all that it started."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), END_S if sign is signal.SIGTERM else None)


def _dialect(serving: Serving) -> Dialect:
    """How the server wants an answer begun: by the program that is named, else as most do."""
    known = [name for name in ("vllm", "sglang") if name in serving.command]
    return dialect_of(known[0], "") if known else Dialect()


def _remote(address: str, name: str, dialect: Dialect) -> Model:
    from safemark.models.http import Endpoint
    from safemark.models.openai_compatible import OpenAICompatible

    class Near(OpenAICompatible):
        """On this machine: behind no proxy."""

        proxy = None

    endpoint = Endpoint(base_url=address, key_variable="")
    return careful(Near(name, endpoint, name=name, dialect=dialect), Limits())
