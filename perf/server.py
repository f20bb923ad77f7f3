"""The server of the HTTP benchmark: `server.c`, compiled when it is first needed.

    python perf/server.py [--port 8199] [--latency-ms 50] [--fail-rate 0.01]

Written in C so that it takes a small part of the time of any client in Python. Needs a C compiler
(cc) and Linux.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("server.c")


def compiled() -> Path:
    """The program, compiled anew where its source has changed."""
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    program = Path(tempfile.gettempdir()) / f"safemark-perf-server-{os.getuid()}-{digest}"
    if not program.exists():
        building = program.with_suffix(f".{os.getpid()}")
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, "-O2", "-o", str(building), str(SOURCE)], check=True)
        building.rename(program)
    return program


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs; ``url`` is its address up to ``/v1``."""

    url: str

    def reset(self) -> None:
        """Count anew."""
        self._asked("reset", b"")

    def stats(self) -> dict[str, Any]:
        """What was asked since `reset`: see `server.c`."""
        found: dict[str, Any] = json.loads(self._asked("stats", None))
        return found

    def _asked(self, path: str, body: bytes | None) -> bytes:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.url}/{path}", data=body, timeout=10) as answer:
            content: bytes = answer.read()
            return content


@contextmanager
def running(
    latency_ms: float = 0, fail_rate: float = 0, cpu: int | None = None
) -> Iterator[Server]:
    """A server on a free port while the block lasts; on that CPU only, if one is given."""
    command = [str(compiled()), "--latency-ms", str(latency_ms), "--fail-rate", str(fail_rate)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        if cpu is not None:
            os.sched_setaffinity(process.pid, {cpu})
        port = int(process.stdout.readline()) if process.stdout else 0
        try:
            yield Server(f"http://127.0.0.1:{port}/v1")
        finally:
            process.kill()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        subprocess.run([str(compiled()), *sys.argv[1:]], check=True)
