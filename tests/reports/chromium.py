"""A headless Chromium driven over two pipes, for looking at a page as a reader does.

Only the standard library: the DevTools protocol is JSON messages ended by a zero byte.
"""

import base64
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--proxy-server=http://127.0.0.1:9",  # nothing listens there: no request gets out
    "--remote-debugging-pipe",
)


class Page:
    """One tab. ``requested`` are the addresses that the page asked for, its own left out."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self._happened: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, timeout_s: float = 60, **params: Any) -> dict[str, Any]:
        """Ask Chromium for one thing and wait for its answer."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + timeout_s
        while (answer := self._next(deadline)).get("id") != self._number:
            self._happened.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return dict(answer["result"])

    def _next(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._answers], [], [], left)[0]:
                raise TimeoutError("Chromium does not answer")
            chunk = os.read(self._answers, 1 << 20)
            if not chunk:
                raise RuntimeError("Chromium has gone")
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))

    def open(self, file: Path, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        """Load ``file`` in a window ``width`` pixels wide, preferring ``scheme``."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )
        self._happened.clear()
        self.address = file.as_uri()
        loader = self.call("Page.navigate", url=self.address)["loaderId"]
        deadline = time.monotonic() + 60
        while not self._is_loaded(loader):
            self._happened.append(self._next(deadline))

    def _is_loaded(self, loader: str) -> bool:
        """Whether the page that was asked for is there, and not only one before it."""
        told = [(each["method"], each["params"]) for each in self._happened if "method" in each]
        for place, (method, params) in enumerate(told):
            if method == "Page.frameNavigated" and params["frame"]["loaderId"] == loader:
                return "Page.loadEventFired" in [after for after, _ in told[place:]]
        return False

    def _events(self, method: str) -> list[dict[str, Any]]:
        return [each["params"] for each in self._happened if each.get("method") == method]

    @property
    def requested(self) -> list[str]:
        """Addresses asked for since the page was opened; `data:` needs nobody."""
        urls = [str(each["request"]["url"]) for each in self._events("Network.requestWillBeSent")]
        return [url for url in urls if url != self.address and not url.startswith("data:")]

    @property
    def complaints(self) -> list[str]:
        """What the browser's console says, broken policies for one."""
        return [str(each["entry"]["text"]) for each in self._events("Log.entryAdded")]

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"].get("value")

    def screenshot(self, file: Path) -> None:
        """The whole page as PNG."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))

    def pdf(self) -> bytes:
        """The page as it prints."""
        printed = self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        return base64.b64decode(printed["data"])


@contextmanager
def page(executable: str, profile: Path) -> Iterator[Page]:
    """A tab of a new Chromium with an empty ``profile``, closed afterwards."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    process = subprocess.Popen(
        [
            "bash",
            "-c",
            f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}',
            "chromium",
            executable,
            *_FLAGS,
            f"--user-data-dir={profile}",
        ],
        pass_fds=(theirs_in, theirs_out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        yield Page(ours_out, ours_in)
    finally:
        os.close(ours_out)  # Chromium ends when its pipe does
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(ours_in)
