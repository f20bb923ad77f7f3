"""Which files of a model on the hub are taken, and what is said of one that has none."""

import pytest

from safemark.errors import UsageError
from safemark.models.local.hub import _weights


@pytest.mark.parametrize(
    ("names", "pickle", "taken"),
    [
        (["model.safetensors", "pytorch_model.bin"], True, "*.safetensors"),
        (["pytorch_model.bin"], True, "*.bin"),
    ],
)
def test_safetensors_are_taken_wherever_there_are_any(
    names: list[str], pickle: bool, taken: str
) -> None:
    assert _weights("org/model", names, pickle=pickle) == taken


@pytest.mark.parametrize(
    ("names", "problem", "hint"),
    [
        (["pytorch_model.bin"], "only pickled weights", "allow_pickle=yes"),
        (["model.Q4_K_M.gguf", "README.md"], "no weights that can be loaded", "llama-server"),
        (["tf_model.h5"], "no weights that can be loaded", "safetensors"),
    ],
)
def test_a_model_without_safetensors_says_what_it_has(
    names: list[str], problem: str, hint: str
) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        _weights("org/model", names, pickle=False)

    assert hint in caught.value.hint
