"""What memory this machine has for weights, and how layers would lie on several accelerators."""

import importlib.util
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

_CGROUP = Path("/sys/fs/cgroup")
_LIMITS = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
)
"""Files of a control group, version 2 and version 1: its limit, what is taken, and the line in
``memory.stat`` beside them that counts files read lately, which make room for whoever needs it."""


def free_memory() -> int:
    """Bytes that a process may still take, whatever limits it most."""
    found = [_available()]
    for most, used, files in _LIMITS:
        with suppress(OSError, ValueError):
            limit = int((_CGROUP / most).read_text())  # "max" where there is no limit
            taken = int((_CGROUP / used).read_text())
            found.append(limit - taken + _read_lately((_CGROUP / most).parent, files))
    return max(0, min(found))


def _read_lately(folder: Path, name: str) -> int:
    for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines():
        key, _, count = line.partition(" ")
        if key == name:
            return int(count)
    return 0


def _available() -> int:
    with suppress(OSError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def free_accelerators() -> tuple[int, ...]:
    """Bytes that are free on each CUDA device; none where torch is not installed."""
    if importlib.util.find_spec("torch") is None:
        return ()
    import torch

    if not torch.cuda.is_available():
        return ()
    return tuple(int(torch.cuda.mem_get_info(n)[0]) for n in range(torch.cuda.device_count()))


def spread(config: Mapping[str, Any], dtype: str, room: Sequence[int]) -> tuple[int, ...] | None:
    """Blocks of a decoder on each device, whole ones; None where it does not fit.

    Args:
        config: of the model, as config.json has it; no weights are needed.
        dtype: of the weights, such as ``bfloat16``.
        room: bytes for weights on each device.
    """
    import torch
    from accelerate import infer_auto_device_map, init_empty_weights
    from transformers import AutoConfig, AutoModelForCausalLM

    told = {name: value for name, value in config.items() if name != "model_type"}
    with init_empty_weights():
        module = AutoModelForCausalLM.from_config(
            AutoConfig.for_model(config["model_type"], **told), dtype=getattr(torch, dtype)
        )
    module.tie_weights()
    most: dict[int | str, int] = {**dict(enumerate(room)), "cpu": 0}
    placed = infer_auto_device_map(
        module,
        max_memory=most,
        no_split_module_classes=getattr(module, "_no_split_modules", None),
        dtype=getattr(torch, dtype),
    )
    if any(not isinstance(device, int) for device in placed.values()):
        return None
    counts = Counter(placed.values())
    return tuple(counts[n] for n in range(len(room)))
