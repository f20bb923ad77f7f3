"""What memory there is, as the machine's own files tell it."""

from pathlib import Path

import pytest

from safemark.models.local import placement

MIB = 2**20
VERSIONS = {
    2: ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    1: (
        "memory/memory.limit_in_bytes",
        "memory/memory.usage_in_bytes",
        "memory/memory.stat",
        "total_inactive_file",
    ),
}


def _control_group(folder: Path, version: int, limit: str) -> None:
    """A group that takes 80 MiB, 30 of them files read lately."""
    most, used, statistics, files = VERSIONS[version]
    (folder / most).parent.mkdir(exist_ok=True)
    (folder / most).write_text(f"{limit}\n")
    (folder / used).write_text(f"{80 * MIB}\n")
    (folder / statistics).write_text(f"cache {40 * MIB}\n{files} {30 * MIB}\nunevictable 0\n")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_control_group_limits_memory_and_files_read_lately_make_room(
    version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placement, "_CGROUP", tmp_path)
    _control_group(tmp_path, version, str(100 * MIB))

    assert placement.free_memory() == 50 * MIB


@pytest.mark.parametrize(("version", "limit"), [(2, "max"), (1, str(2**63 - 4096))])
def test_a_control_group_without_a_limit_limits_nothing(
    version: int, limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placement, "_available", lambda: 7 * MIB)
    monkeypatch.setattr(placement, "_CGROUP", tmp_path)
    _control_group(tmp_path, version, limit)

    assert placement.free_memory() == 7 * MIB


def test_a_group_beyond_its_limit_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placement, "_CGROUP", tmp_path)
    _control_group(tmp_path, 2, str(40 * MIB))

    assert placement.free_memory() == 0
