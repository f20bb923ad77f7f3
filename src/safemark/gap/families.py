"""Models of one family, smallest first: ``llama3``, ``qwen2.5``, or a file of one's own.

    title: Mine
    models:
      - hf/./small
      - {model: hf/org/large, parameters: 7000000000, layers: 32, width: 4096, kv_heads: 8,
         head_width: 128, vocabulary: 32000}

Sizes may be left out where the model is a folder: they are read there, and no weight is loaded.
"""

import json
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from safemark.errors import UnknownName, UsageError
from safemark.files import text_in, yaml_of

SHIPPED = ("llama3", "qwen2.5")
_FORM = "a YAML file with `models:`, a list of names such as hf/./folder, or of sizes by name"


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model, and what its memory is reckoned from; None is not known.

    ``width`` is that of the residual stream, ``inner`` of the feed-forward part, ``kind`` the
    configuration's `model_type`. ``tied`` says that one matrix reads and writes tokens.
    """

    model: str
    parameters: int | None = None
    kind: str | None = None
    layers: int | None = None
    width: int | None = None
    inner: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    head_width: int | None = None
    vocabulary: int | None = None
    tied: bool = False

    def config(self) -> dict[str, Any] | None:
        """As transformers configures it, without weights; None where too little is known."""
        found = {
            "model_type": self.kind,
            "num_hidden_layers": self.layers,
            "hidden_size": self.width,
            "intermediate_size": self.inner,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head_width,
            "vocab_size": self.vocabulary,
            "tie_word_embeddings": self.tied,
        }
        return None if None in found.values() else found


class Family(msgspec.Struct, frozen=True):
    """A family's models, smallest first; those of unknown size last, in their order."""

    title: str
    members: tuple[Member, ...]


def family(name: str) -> Family:
    """The family of that name, or in the file of that name.

    Raises:
        UnknownName: there is neither.
        UsageError: the file says something else than a family.
    """
    if name in SHIPPED:
        text = resources.files("safemark.gap").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
        return _family(text, name)
    path = Path(name)
    if not path.is_file():
        raise UnknownName("family", name, SHIPPED, f"or a file of your own: {_FORM}")
    return _family(text_in(path, "the family", _FORM), name)


def _family(text: str, name: str) -> Family:
    told = yaml_of(text, f"the family {name}", _FORM)
    models = told.get("models") if isinstance(told, dict) else None
    if not isinstance(models, list) or not models:
        raise UsageError(f"{name} names no models", _FORM)
    found = [_member(one, f"{name}, model {place}") for place, one in enumerate(models, 1)]
    names = [one.model for one in found]
    if len(set(names)) < len(names):
        raise UsageError(f"{name} names a model twice", "name each model once")
    found.sort(key=lambda one: (one.parameters is None, one.parameters or 0))
    return Family(str(told.get("title") or Path(name).stem), tuple(found))


def _member(told: object, where: str) -> Member:
    try:
        one = Member(told) if isinstance(told, str) else msgspec.convert(told, Member)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: {error}", _FORM) from error
    return member(one)


def member(one: Member) -> Member:
    """The same with the sizes that its folder tells, where it is a folder."""
    folder = _folder(one.model)
    if folder is None:
        return one
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return one  # whoever loads it says what is wrong
    config = {**config, **(config.get("text_config") or {})}
    heads, width = config.get("num_attention_heads"), config.get("hidden_size")
    known = {
        "parameters": _parameters(folder),
        "kind": config.get("model_type"),
        "layers": config.get("num_hidden_layers"),
        "width": width,
        "inner": config.get("intermediate_size"),
        "heads": heads,
        "kv_heads": config.get("num_key_value_heads") or heads,
        "head_width": config.get("head_dim") or (width // heads if width and heads else None),
        "vocabulary": config.get("vocab_size"),
        "tied": bool(config.get("tie_word_embeddings")),
    }
    missing = {name: value for name, value in known.items() if not getattr(one, name)}
    return msgspec.structs.replace(one, **missing)


def _folder(model: str) -> Path | None:
    if model == "reference":
        from safemark.models.connect import REFERENCE

        return REFERENCE
    path = Path(model.removeprefix("hf/")).expanduser()
    return path if path.is_dir() else None


def _parameters(folder: Path) -> int | None:
    """Numbers in its safetensors, by their headers; None where there are none."""
    total = 0
    for file in folder.glob("*.safetensors"):
        with file.open("rb") as opened:
            size = int.from_bytes(opened.read(8), "little")
            if size > 100_000_000:
                return None
            header = json.loads(opened.read(size))
        for name, tensor in header.items():
            if name != "__metadata__":
                count = 1
                for side in tensor["shape"]:
                    count *= side
                total += count
    return total or None
