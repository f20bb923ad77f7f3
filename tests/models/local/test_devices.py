"""What there is to run models on, in words."""

import pytest

from safemark.models.local.devices import described


@pytest.mark.parametrize(
    ("cuda", "has_mps", "said"),
    [
        (0, False, "CPU only"),
        (0, True, "MPS"),
        (1, False, "1 CUDA device"),
        (2, False, "2 CUDA devices"),
    ],
)
def test_accelerators_are_told(
    cuda: int, has_mps: bool, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch", reason="needs the extra `local`")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: has_mps)

    assert described() == f"torch {torch.__version__}, {said}"
