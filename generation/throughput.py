"""How fast inpainters train and sample, beside what the device can do at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import torch
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from generation.descent import Descent
from generation.equalisation import Equalisation
from generation.filling import CPU_BATCH, GPU_BATCH
from generation.mask import SIDE
from generation.processes import Processes
from generation.trainable import CubeBatch, TrainedInpainter
from generation.zoo import INPAINTERS, trainable

CEILING_SIDES = {"cpu": (1024, 2048), "cuda": (4096, 8192)}
"""Of the square matrices whose product is the ceiling."""
DM_SHARE = 0.4
"""Of the bf16 ceiling, that sampling with the paper's diffusion model must reach on an H200."""


@dataclass(frozen=True)
class Throughput:
    """One line of ``build/perf.json``: arithmetic per second, ours and the device's ceiling."""

    name: str
    ours: float
    theirs: float
    unit: str
    ratio: float
    target: float | None
    against: str
    rate: float
    rate_unit: str
    device: str


def measure(preset: str, device: torch.device, repeats: int) -> Iterator[Throughput]:
    """Measure every inpainter that learns, in training and in sampling; medians.

    Args:
        preset: Of all of them.
        device: A GPU works with bf16, as training and sampling there do.
        repeats: Of each measurement.
    """
    ceiling = matrix_ceiling(device, repeats)
    for name in INPAINTERS:
        if name == "identity":
            continue
        model = trainable(name)
        if model.learns_as() == name:
            yield _training(model, preset, device, repeats, ceiling)
        yield _sampling(model, preset, device, repeats, ceiling)


def matrix_ceiling(device: torch.device, repeats: int) -> float:
    """Floating-point operations per second of a large matrix product: bf16 on a GPU, fp32 on a CPU.

    The same product is also written as a convolution with kernels of one voxel: on some CPUs the library that does
    convolutions is twice as fast as the one that does products. The best of both, and of two sizes, is the ceiling.
    """
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    best = 0.0
    for side in CEILING_SIDES[device.type]:
        a, b = (torch.randn((side, side), device=device, dtype=dtype) for _ in range(2))
        for product in (partial(torch.mm, a, b), partial(functional.conv1d, b[None], a[..., None])):
            best = max(best, 2 * side**3 / _seconds(product, device, repeats))
    return best


def table(measurements: Sequence[Throughput]) -> str:
    """The measurements as lines of text."""
    lines = [
        f"{each.name:<20} {each.rate:9.2f} {each.rate_unit:<8} {each.ours:10.1f} of {each.theirs:.1f} {each.unit}:"
        f" {each.ratio:6.1%}" + (f", target {each.target:.0%}" if each.target else "")
        for each in measurements
    ]
    gpu = any(each.device != "cpu" for each in measurements)
    return "\n".join(lines if gpu else [*lines, "GPU: not measured, none is at hand"])


def _training(
    model: type[TrainedInpainter[Any]], preset: str, device: torch.device, repeats: int, ceiling: float
) -> Throughput:
    config = model.presets[preset]
    learner = model.learner(config).to(device)
    if device.type == "cuda":
        learner.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    descend = Descent(learner.train().optimizers(), Processes(str(device)))
    cubes, rng = _cubes(config.batch, device), torch.Generator(device).manual_seed(0)

    def step() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            learner.training_step(cubes, descend, rng=rng)

    return _throughput(f"{model.name} training", step, 1, "steps/s", device, repeats, ceiling)


def _sampling(
    model: type[TrainedInpainter[Any]], preset: str, device: torch.device, repeats: int, ceiling: float
) -> Throughput:
    config = model.presets[preset]
    inpainter = model(model.blank(config).to(device), config, Equalisation.linear())
    batch = CPU_BATCH if device.type == "cpu" else GPU_BATCH
    masked, seeds = _cubes(batch, device), list(range(batch))
    flops = _flops(lambda: inpainter.inpaint(masked, seeds))
    if device.type == "cuda":
        inpainter.accelerate()
    name = f"{model.name} sampling"
    return _throughput(
        name, lambda: inpainter.inpaint(masked, seeds), batch, "cubes/s", device, repeats, ceiling, flops
    )


def _throughput(
    name: str,
    work: Callable[[], object],
    amount: int,
    unit: str,
    device: torch.device,
    repeats: int,
    ceiling: float,
    flops: int | None = None,
) -> Throughput:
    flops = flops or _flops(work)
    seconds = _seconds(work, device, repeats)
    ours, theirs = flops / seconds / 1e9, ceiling / 1e9
    h200 = device.type == "cuda" and "H200" in torch.cuda.get_device_name(device)
    place = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    target = DM_SHARE if h200 and name == "dm sampling" else None
    against = f"matrix product, {'bf16' if device.type == 'cuda' else 'fp32'}"
    return Throughput(name, ours, theirs, "GFLOP/s", ours / theirs, target, against, amount / seconds, unit, place)


def _flops(work: Callable[[], object]) -> int:
    counter = FlopCounterMode(display=False)
    with counter:
        work()
    return counter.get_total_flops()


def _seconds(work: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Median, after one run to warm up."""
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - start)
    return median(times[1:])


def _cubes(count: int, device: torch.device) -> CubeBatch:
    return torch.rand((count, 1, SIDE, SIDE, SIDE), device=device) - 0.5
