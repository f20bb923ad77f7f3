"""What makes two local models the same: a digest over everything that changes their answers.

Weights are hashed by content. Hashing 16 GB takes a while, so the hash of a large file is kept in
the user's cache folder beside its size, change time and inode, and taken from there while these
stand.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from platformdirs import user_cache_path

from safemark.models._model import Identity

LARGE = 64 * 2**20
WEIGHTS = ("*.safetensors", "*.bin")
SETTINGS = ("config.json", "generation_config.json")
TOKENIZER = (
    "tokenizer.json",
    "tokenizer.model",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)


def identity(
    folder: Path, *, template: str | None, adapter: Path | None, settings: Mapping[str, str]
) -> Identity:
    """The identity of the model in ``folder``: weights, configuration, tokenizer, template.

    File names count, paths do not: the same files elsewhere are the same model.
    """
    detail = {
        "kind": "local",
        "weights": _digest(folder, WEIGHTS),
        "config": _digest(folder, SETTINGS),
        "tokenizer": _digest(folder, TOKENIZER),
        "chat_template": _sha256(template.encode()) if template else "none",
        **settings,
    }
    if adapter is not None:
        detail["adapter"] = _digest(adapter, ("*.safetensors", "*.bin", "adapter_config.json"))
    return Identity(_sha256(json.dumps(detail, sort_keys=True).encode()), detail)


def _digest(folder: Path, patterns: Iterable[str]) -> str:
    files = sorted({file for pattern in patterns for file in folder.glob(pattern)})
    lines = [f"{file.name} {file_sha256(file)}\n" for file in files]
    return _sha256("".join(lines).encode())


def file_sha256(file: Path) -> str:
    """SHA-256 of a file's bytes; of a large file that did not change, the remembered one."""
    real = file.resolve()
    facts = real.stat()
    if facts.st_size < LARGE:
        return _sha256(real.read_bytes())
    key = f"{real} {facts.st_size} {facts.st_mtime_ns} {facts.st_ino}"
    memory = user_cache_path("safemark") / "hashes.json"
    known = _remembered(memory)
    if key not in known:
        with real.open("rb") as stream:
            known[key] = hashlib.file_digest(stream, "sha256").hexdigest()
        _remember(memory, {**_remembered(memory), key: known[key]})
    return known[key]


def _remembered(memory: Path) -> dict[str, str]:
    try:
        known = json.loads(memory.read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _remember(memory: Path, known: Mapping[str, str]) -> None:
    """Writes whole or not at all; without a writable cache folder files are hashed each time."""
    new = memory.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        memory.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(json.dumps(known))
        new.replace(memory)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
