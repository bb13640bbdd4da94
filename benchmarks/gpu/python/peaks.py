"""What this GPU reaches in practice: plain square matmuls by cuBLAS and a copy, through PyTorch. Prints JSON.

Argument: the width of the square matmuls.
"""

import json
import statistics
import subprocess
import sys
import time

try:
    import torch
except ImportError as error:
    print(json.dumps({"unavailable": f"{sys.executable} has no PyTorch ({error})"}))
    sys.exit(0)

CUDA = torch.cuda.is_available()
DEVICE = "cuda" if CUDA else "cpu"
REPEATS = 20 if CUDA else 2


def median_seconds(work):
    """Median time of one call, on the device's clock; three calls before are not counted."""
    for _ in range(3):
        work()
    times = []
    for _ in range(REPEATS):
        if CUDA:
            start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            start.record()
            work()
            end.record()
            torch.cuda.synchronize()
            times.append(start.elapsed_time(end) / 1000)
        else:
            begin = time.perf_counter()
            work()
            times.append(time.perf_counter() - begin)
    return statistics.median(times)


def matmul_rate(width, dtype):
    """FLOP/s of a square matmul of random numbers: zeros would be faster."""
    a, b = (torch.randn(width, width, device=DEVICE).to(dtype) for _ in range(2))
    out = torch.empty(width, width, device=DEVICE, dtype=dtype)
    return 2 * width**3 / median_seconds(lambda: torch.mm(a, b, out=out))


def copy_rate(count):
    """Bytes a second, read and written."""
    source = torch.randn(count, device=DEVICE)
    target = torch.empty_like(source)
    return 2 * 4 * count / median_seconds(lambda: target.copy_(source))


def under_load(width):
    """Clocks and power while matmuls run, by nvidia-smi."""
    a, b = (torch.randn(width, width, device=DEVICE).to(torch.bfloat16) for _ in range(2))
    out = torch.empty_like(a)
    for _ in range(4000):
        torch.mm(a, b, out=out)
    query = "clocks.current.sm,clocks.current.memory,power.draw,temperature.gpu"
    command = ["nvidia-smi", "--id=0", f"--query-gpu={query}", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=30).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        answer = "unknown"
    torch.cuda.synchronize()
    return answer


def main():
    width = int(sys.argv[1])
    torch.backends.cuda.matmul.allow_tf32 = False
    print(
        json.dumps(
            {
                "kind": "peaks",
                "bf16": matmul_rate(width, torch.bfloat16),
                "fp16": matmul_rate(width, torch.float16),
                "f32": matmul_rate(width, torch.float32),
                "copy": copy_rate(max(1024, width * width * 16)),
                "facts": {
                    "products": f"{width}×{width}×{width} through PyTorch {torch.__version__}, random numbers, no TF32",
                    "copy": f"{4 * max(1024, width * width * 16) / 1e9:.1f} GB within the device",
                    "medians of": str(REPEATS),
                    **({"SM clock, memory clock, power, °C while bf16 matmuls run": under_load(width)} if CUDA else {}),
                },
            }
        )
    )


main()
