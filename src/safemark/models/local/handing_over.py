"""A module's weights as they are at the moment, as the files of a model folder.

For a server that reads a folder, and only as long as that takes: whoever calls this removes the
folder again. Adapters are added into the weights that are written, not into those of the module.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safemark.errors import UsageError
from safemark.models._model import Weights


def write_folder(weights: Weights, folder: Path) -> None:
    """Writes configuration, weights (safetensors) and tokenizer into ``folder``.

    Raises:
        UsageError: the module does more than its weights say: hooks change what it computes, or
            some of its layers are not in memory.
    """
    module = weights.module
    if any(_is_hooked(part) for part in module.modules()):
        raise UsageError(
            "what changes this model is no change of its weights, and a server runs weights",
            "ablation:weights, finetune and quantize change weights",
        )
    state = _state(module)
    if any(one.is_meta for one in state.values()):
        raise UsageError("some layers of this model are not in memory", "another -M device")
    config = module.config
    is_tied = config.tie_word_embeddings
    head = module.get_output_embeddings()
    try:
        if head is not None and head.weight is not module.get_input_embeddings().weight:
            config.tie_word_embeddings = False
        with _without_bars():
            module.save_pretrained(folder, state_dict=state)
    finally:
        config.tie_word_embeddings = is_tied
    weights.tokenizer.save_pretrained(folder)


@contextmanager
def _without_bars() -> Iterator[None]:
    from transformers.utils import logging

    had_bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if had_bars:
            logging.enable_progress_bar()


def _is_hooked(part: Any) -> bool:
    return bool(vars(part).get("_forward_hooks") or vars(part).get("_forward_pre_hooks"))


def _state(module: Any) -> dict[str, Any]:
    """Every tensor by its name without adapters, which are added in."""
    state = dict(module.state_dict())
    for name, part in module.named_modules():
        if not hasattr(part, "get_delta_weight"):
            continue
        for key in [key for key in state if key.startswith(f"{name}.")]:
            tensor = state.pop(key)
            if key.startswith(f"{name}.base_layer."):
                state[key.replace(".base_layer.", ".")] = tensor
        whole = state[f"{name}.weight"]
        for adapter in part.active_adapters:
            whole = whole + part.get_delta_weight(adapter).to(whole.dtype)
        state[f"{name}.weight"] = whole
    return state


def weight_bytes(weights: Weights) -> int:
    """Bytes that the weights take on a disk."""
    return sum(one.numel() * one.element_size() for one in weights.module.parameters())
