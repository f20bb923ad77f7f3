"""How fast this machine multiplies matrices of the sizes that the models have."""

import platform
import time

SHAPES = ((1024, 512, 512), (1024, 512, 1408), (1024, 1408, 512))
TRIES = 20


def gemm_rate() -> float:
    """GFLOP/s of CPU time of linear layers in float32, best of some tries, mean over the shapes."""
    import torch

    rates = []
    for rows, size, out in SHAPES:
        given, weight = torch.randn(rows, size), torch.randn(out, size)
        best = float("inf")
        for _ in range(TRIES):
            used = time.process_time()
            torch.nn.functional.linear(given, weight)
            best = min(best, time.process_time() - used)
        rates.append(2 * rows * size * out / best / 1e9)
    return sum(rates) / len(rates)


def our_rate() -> float:
    """The same as Safemark runs them."""
    import torch

    from safemark.models.local.linear import fast_products

    with fast_products(torch.device("cpu"), torch.float32):
        return gemm_rate()


def best_rate() -> float:
    """The faster of both: what the machine can do."""
    return max(gemm_rate(), our_rate())


def print_machine() -> None:
    """Processor, versions, threads and rates."""
    import torch
    import transformers

    print(
        f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, torch "
        f"{torch.__version__}, transformers {transformers.__version__}; linear layers "
        f"{gemm_rate():.0f} GFLOP/s a CPU second, as Safemark runs them {our_rate():.0f}\n"
    )
