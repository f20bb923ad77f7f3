"""What makes two local models the same: a digest over everything that changes their answers.

Weights are hashed by content. Hashing 16 GB takes a while, so hashes are remembered in the cache
folder while a file does not change.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from safemark.data.digests import Memory
from safemark.data.search import cache_folder
from safemark.models._model import Identity

WEIGHTS = ("*.safetensors", "*.bin")
SETTINGS = ("config.json", "generation_config.json", "*.py")
TOKENIZER = (
    "tokenizer.json",
    "*.model",
    "*.tiktoken",
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
    memory = Memory(cache_folder() / "weights.json")
    detail = {
        "kind": "local",
        "weights": _digest(memory, folder, WEIGHTS),
        "config": _digest(memory, folder, SETTINGS),
        "tokenizer": _digest(memory, folder, TOKENIZER),
        "chat_template": _sha256(template) if template else "none",
        **settings,
    }
    if adapter is not None:
        detail["adapter"] = _digest(memory, adapter, (*WEIGHTS, "adapter_config.json"))
    memory.save()
    return Identity(_sha256(json.dumps(detail, sort_keys=True)), detail)


def _digest(memory: Memory, folder: Path, patterns: Iterable[str]) -> str:
    """SHA-256 over the names and hashes of the files."""
    files = sorted({file for pattern in patterns for file in folder.glob(pattern)})
    lines = [
        f"{file.name} {found.digests['sha256']}\n"
        for file in files
        if (found := memory.digested(file, ["sha256"]))
    ]
    return _sha256("".join(lines))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
