"""How fast this machine multiplies matrices of the sizes that the models have."""

import platform
import time

SHAPES = ((1024, 512, 512), (1024, 512, 1408), (1024, 1408, 512))
TRIES = 20
LARGE = 4096


def gemm_rate() -> float:
    """GFLOP/s of float32 linear layers in one thread, best of some tries, mean over the shapes."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rates = []
    for rows, size, out in SHAPES:
        given, weight = torch.randn(rows, size), torch.randn(out, size)
        best = float("inf")
        for _ in range(TRIES):
            used = time.process_time()
            torch.nn.functional.linear(given, weight)
            best = min(best, time.process_time() - used)
        rates.append(2 * rows * size * out / best / 1e9)
    torch.set_num_threads(threads)
    return sum(rates) / len(rates)


def our_rate() -> float:
    """The same as Safemark runs them."""
    import torch

    from safemark.models.local.linear import fast_products

    with fast_products(torch.device("cpu"), torch.float32):
        return gemm_rate()


def accelerator_rate(device: str, dtype: str) -> float:
    """GFLOP/s by the clock of a large matrix product there, best of some tries."""
    import torch

    one, other = (
        torch.randn(LARGE, LARGE, device=device, dtype=getattr(torch, dtype)) for _ in range(2)
    )
    best = float("inf")
    for _ in range(TRIES):
        _wait_for(device)
        began = time.perf_counter()
        torch.matmul(one, other)
        _wait_for(device)
        best = min(best, time.perf_counter() - began)
    return float(2 * LARGE**3 / best / 1e9)


def _wait_for(device: str) -> None:
    import torch

    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def print_accelerator(device: str, dtype: str) -> None:
    """Its name and rate."""
    import torch

    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    print(f"{name}, {dtype}: {accelerator_rate(device, dtype):,.0f} GFLOP/s\n")


def print_machine() -> None:
    """Processor, versions, threads and rates."""
    import torch
    import transformers

    print(
        f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, torch "
        f"{torch.__version__}, transformers {transformers.__version__}; linear layers "
        f"{gemm_rate():.0f} GFLOP/s a thread, as Safemark runs them {our_rate():.0f}\n"
    )
