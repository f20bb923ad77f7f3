from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from safemark.models.local import LocalModel, load
from tests.models.local.tiny import make_tiny_model

pytest.importorskip("torch", reason="needs the extra `local`")

MakeModel = Callable[..., LocalModel]


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Folders of tiny models, each made once: ``tiny_folder("mistral", max_length=64)``."""
    made: dict[object, Path] = {}

    def folder(architecture: str = "llama", **settings: object) -> Path:
        key = (architecture, *sorted(settings.items()))
        if key not in made:
            place = tmp_path_factory.mktemp(architecture)
            made[key] = make_tiny_model(place, architecture, **settings)  # type: ignore[arg-type]
        return made[key]

    return folder


@pytest.fixture(scope="session")
def tiny(tiny_folder: Callable[..., Path]) -> Iterator[MakeModel]:
    """Loaded tiny models, each loaded once; for tests that leave them as they are."""
    loaded: dict[object, LocalModel] = {}

    def model(architecture: str = "llama", **settings: object) -> LocalModel:
        key = (architecture, *sorted(settings.items()))
        if key not in loaded:
            folder = tiny_folder(architecture, **settings)
            loaded[key] = load(str(folder), options={"device": "cpu"})
        return loaded[key]

    yield model
    for one in loaded.values():
        one._executor.shutdown(wait=True)
