"""What every test lives in: folders of its own, no keys, no network but this machine.

    data           a local mirror of the public benchmarks, or the test is skipped
    mirror         the same as SAFEMARK_DATA names it, "" where there is none
    postgres_url   a real PostgreSQL server with an empty database
    chromium       a headless browser
    environment    the environment as it was outside, for tests that install packages

A test whose program is missing is skipped with the reason; with SAFEMARK_REQUIRE_SLOW=1, as in
continuous integration, it fails.
"""

import ipaddress
import os
import re
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from safemark import secrets

# The same examples each time, however slow the machine, and none remembered from another run.
settings.register_profile(
    "repeatable",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")

_OUTSIDE = dict(os.environ)
os.environ["HF_HUB_OFFLINE"] = "1"  # read once, when huggingface_hub is imported
_NOT_FOR_TESTS = re.compile(
    r"(API_?KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?|ACCESS_KEY(_ID)?|_BASE_URL|_PROXY)$"
    r"|^SAFEMARK_(?!REQUIRE_SLOW$)|^(FORCE_COLOR|CLICOLOR_FORCE|COLUMNS|LINES)$",
    re.IGNORECASE,
)


@pytest.fixture(autouse=True)
def isolated(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the person's own is read or written: folders, keys, addresses, colours.

    The working directory is ``tmp_path``, so a `.env` beside the sources is not read.
    """
    for name in list(os.environ):
        if _NOT_FOR_TESTS.search(name):
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("SAFEMARK_STORE", f"sqlite:///{home}/store.db")
    monkeypatch.setenv("SAFEMARK_CACHE", str(home / "cache"))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "HF_HOME"):
        monkeypatch.setenv(name, str(home / name.lower()))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(secrets, "_known", set())
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """The environment as it was before any test: with the proxies and indexes that pip needs."""
    return dict(_OUTSIDE)


@pytest.fixture(scope="session")
def mirror() -> str:
    """SAFEMARK_DATA as it was before any test, or "" where that names no folder."""
    named = _OUTSIDE.get("SAFEMARK_DATA", "")
    return named if named and all(Path(part).is_dir() for part in named.split(os.pathsep)) else ""


@pytest.fixture
def data(mirror: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The first folder of SAFEMARK_DATA, which is set again for this test."""
    if not mirror:
        pytest.skip("reads real benchmark files: SAFEMARK_DATA names no folder that exists")
    monkeypatch.setenv("SAFEMARK_DATA", mirror)
    return Path(mirror.split(os.pathsep, maxsplit=1)[0])


class NetworkBlocked(OSError):
    """A test tried to leave this machine."""


_left: list[str] = []


def _is_here(host: object) -> bool:
    """Whether ``host`` is this machine, and no name server is needed to know it."""
    if host in (None, "", b"", "localhost", b"localhost", socket.gethostname()):
        return True
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(text.split("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _check(host: object) -> None:
    if not _is_here(host):
        _left.append(str(host))
        raise NetworkBlocked(f"tests reach this machine only, not {host}")


@pytest.fixture(scope="session", autouse=True)
def _guarded_sockets() -> Iterator[None]:
    """Sockets and name look-ups of this process that go nowhere else."""
    connect, connect_ex, sendto = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.socket.sendto,
    )
    getaddrinfo = socket.getaddrinfo

    def is_internet(sock: socket.socket) -> bool:
        return sock.family in (socket.AF_INET, socket.AF_INET6)

    def guarded_connect(sock: socket.socket, address: Any) -> None:
        if is_internet(sock):
            _check(address[0])
        connect(sock, address)

    def guarded_connect_ex(sock: socket.socket, address: Any) -> int:
        if is_internet(sock):
            _check(address[0])
        return connect_ex(sock, address)

    def guarded_sendto(sock: socket.socket, data: Any, *rest: Any) -> int:
        if is_internet(sock):
            _check(rest[-1][0])
        return sendto(sock, data, *rest)

    def guarded_getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:
        _check(host)
        return getaddrinfo(host, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket.socket, "sendto", guarded_sendto)
        patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
        yield


@pytest.fixture(autouse=True)
def no_network(_guarded_sockets: None) -> Iterator[list[str]]:
    """Fails the test that tried to leave this machine, even where its code swallowed the error.

    Gives the list of hosts tried; a test that means to try clears it.
    """
    _left.clear()
    yield _left
    if _left:
        hosts = ", ".join(sorted(set(_left)))
        _left.clear()
        pytest.fail(f"tried to reach {hosts}: tests reach this machine only")


def _not_to_be_had(what: str) -> None:
    """Skips the test, or fails it where every slow test must run."""
    if _OUTSIDE.get("SAFEMARK_REQUIRE_SLOW") == "1":
        pytest.fail(f"not run: {what}, and SAFEMARK_REQUIRE_SLOW=1")
    pytest.skip(f"not run: {what}")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium or Chrome; headless use and flags are the test's business."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name, path=_OUTSIDE.get("PATH")):
            return path
    _not_to_be_had("no chromium on this machine")
    raise AssertionError("unreachable")


@pytest.fixture(scope="session")
def _postgres_server() -> Iterator[Path]:
    """The folder whose socket a PostgreSQL server of our own listens on, and nothing else."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    newest = max(found, key=lambda path: int(path.parts[-3]), default=None)
    initdb = newest or (Path(on_path) if (on_path := shutil.which("initdb")) else None)
    if initdb is None:
        _not_to_be_had("no PostgreSQL server on this machine")
        raise AssertionError("unreachable")
    folder = Path(tempfile.mkdtemp(prefix="safemark-pg-"))  # short: a socket's path has a limit
    as_owner: dict[str, Any] = {}
    if os.geteuid() == 0:  # it refuses to run as root
        as_owner = {"user": "postgres", "group": "postgres", "extra_groups": []}
        shutil.chown(folder, "postgres", "postgres")

    def run(program: str, *arguments: str) -> None:
        command = [str(initdb.with_name(program)), "-D", f"{folder}/data", *arguments]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=60, **as_owner
        )
        assert done.returncode == 0, done.stdout + done.stderr

    options = f"-k {folder} -c listen_addresses= -c fsync=off"
    try:
        run("initdb", "-U", "safemark", "-A", "trust", "-E", "UTF8", "--no-sync")
        run("pg_ctl", "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield folder
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(_postgres_server: Path) -> str:
    """The address of an empty database, for SQLAlchemy with psycopg."""
    import psycopg

    name = f"t{uuid.uuid4().hex}"
    server = f"host={_postgres_server} user=safemark dbname=postgres"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    return f"postgresql+psycopg://safemark@/{name}?host={_postgres_server}"
