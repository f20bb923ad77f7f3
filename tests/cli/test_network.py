"""Certificates and proxies as the environment names them, seen from a process of its own."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.cli.commands import Done, apart
from tests.serving import Server, says

TLS = Path(__file__).parents[1] / "fixtures" / "tls"
"""Made for these tests: a key, a certificate for 127.0.0.1 until 2126, and one that expired."""


def serving(certificate: str) -> Server:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / certificate, TLS / "server.key")
    return Server(lambda _text, _before: says("Paris."), tls=context)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving("server.pem") as running:
        yield running


def ask(server: Server) -> Done:
    return apart("ask", "openai/m", "Where?", "--base-url", server.url, "-M", "retries=0")


def test_a_certificate_that_nobody_vouches_for_is_refused(server: Server) -> None:
    done = ask(server)
    assert done.code != 0
    assert "certificate" in done.err.lower()
    assert server.asked == []


def test_the_environment_names_who_vouches(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "server.pem"))
    done = ask(server)
    assert done.code == 0, done.err
    assert "Paris." in done.out


def test_an_expired_certificate_is_refused_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "expired.pem"))
    with serving("expired.pem") as server:
        done = ask(server)
    assert done.code != 0
    assert "certificate has expired" in done.err
    assert server.asked == []


@asynccontextmanager
async def tunnel() -> AsyncIterator[tuple[int, list[str]]]:
    """A proxy that tunnels: its port, and the first lines of what it was asked."""
    asked: list[str] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head.splitlines()[0])
        host, _, port = asked[-1].split()[1].partition(":")
        to_reader, to_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pump(reader, to_writer), pump(to_reader, writer))

    proxy = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield proxy.sockets[0].getsockname()[1], asked
    finally:
        proxy.close()


async def test_a_tls_endpoint_is_reached_through_the_proxy_unless_excepted(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "server.pem"))
    async with tunnel() as (port, asked):
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        done = await asyncio.to_thread(ask, server)
        assert done.code == 0, done.err
        assert asked == [f"CONNECT 127.0.0.1:{server.port} HTTP/1.1"]
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert (await asyncio.to_thread(ask, server)).code == 0
    assert (len(asked), len(server.asked)) == (1, 2)
