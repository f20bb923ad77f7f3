"""The guarded folder: gone on leaving, swept after a kill, nobody else's."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from safemark.errors import UsageError
from safemark.gap.folders import guarded, root, sweep
from tests.waiting import until

LEAVES = """
import subprocess, sys, time
from pathlib import Path
from safemark.gap.folders import guarded, note_server
with guarded() as folder:
    (folder / "weights").write_text("w")
    server = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"],
                              start_new_session=True)
    note_server(folder, server.pid)
    print(folder, server.pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def own_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


def test_a_folder_is_for_its_owner_and_gone_on_leaving() -> None:
    with guarded() as folder:
        (folder / "weights").write_text("w")
        assert folder.stat().st_mode & 0o077 == 0
        assert root().stat().st_mode & 0o077 == 0
    assert list(root().iterdir()) == []


def test_a_folder_is_gone_after_an_error() -> None:
    def stopped() -> None:
        with guarded() as folder:
            (folder / "weights").write_text("w")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert list(root().iterdir()) == []


def test_what_a_killed_process_left_is_swept_and_its_server_ended() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", LEAVES], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert process.stdout is not None
    folder, number = process.stdout.readline().split()
    assert sweep() == 0, "its process lives"
    assert Path(folder, "weights").exists()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert Path(folder, "weights").exists()
    assert sweep() == 1
    assert list(root().iterdir()) == []
    until(lambda: not _lives(int(number)), "its server has ended")


def _lives(number: int) -> bool:
    """Whether a process is there and no mere remains of one."""
    try:
        line = Path(f"/proc/{number}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return line.rpartition(")")[2].split()[0] not in ("Z", "X")


def test_a_number_that_was_given_again_is_nobody_to_end(tmp_path: Path) -> None:
    from safemark.gap.folders import Process, _end

    mine = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    _end(Process(mine.pid, "1"))
    assert mine.poll() is None
    mine.communicate(b"\n")
    assert mine.returncode == 0


def test_a_folder_that_others_can_read_is_refused(own_disk: Path) -> None:
    root().chmod(0o755)
    with pytest.raises(UsageError, match="not a folder of this user alone"), guarded():
        pass


def test_a_link_is_refused(own_disk: Path) -> None:
    elsewhere = own_disk / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (own_disk / f"safemark-variants-{os.getuid()}").symlink_to(elsewhere)
    with pytest.raises(UsageError, match="not a folder of this user alone"):
        root()
