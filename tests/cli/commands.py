"""The command line as tests call it: in this process, or as a process of its own."""

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

from safemark.cli.main import main

PROGRAM = [sys.executable, "-c", "from safemark.cli.main import main; main()"]


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout as the one JSON document that it must be."""
        return json.loads(self.out)


def safemark(*arguments: str) -> Done:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int)
    return Done(code, out.getvalue(), err.getvalue())


def started(*arguments: str, **more: Any) -> "subprocess.Popen[str]":
    """A command as a process of its own."""
    return subprocess.Popen(
        [*PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
        **more,
    )


def finished(process: "subprocess.Popen[str]", timeout_s: float = 60) -> Done:
    """What became of it."""
    out, err = process.communicate(timeout=timeout_s)
    return Done(process.returncode, out, err)


def apart(*arguments: str, **more: Any) -> Done:
    """Run a command as a process of its own."""
    return finished(started(*arguments, **more))
