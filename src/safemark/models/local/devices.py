"""What there is to run models on."""


def described() -> str:
    """Torch's version and the accelerators it sees, in words."""
    import torch

    cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if cuda:
        where = f"{cuda} CUDA device{'' if cuda == 1 else 's'}"
    else:
        where = "MPS" if torch.backends.mps.is_available() else "CPU only"
    return f"torch {torch.__version__}, {where}"
