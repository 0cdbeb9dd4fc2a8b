"""From cubes in HU to filled cubes in HU, by any inpainter."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int16
from torch import Tensor
from tqdm import tqdm

from generation.errors import GenerationError
from generation.inpainter import Inpainter
from generation.mask import SIDE

LOWEST_HU, HIGHEST_HU = -1024, 3071
"""What a CT scanner can say: 12 bits."""
CPU_BATCH, GPU_BATCH = 8, 64
"""Cubes at a time. A single cube falls into slow kernels on a CPU; more than these make nothing faster."""


def fill(
    inpainter: Inpainter,
    cubes: Int16[np.ndarray, "n 32 32 32"],
    seeds: Sequence[int],
    *,
    batch_size: int | None = None,
    device: torch.device | str | None = None,
) -> Int16[np.ndarray, "n 32 32 32"]:
    """Hide the inner part of cubes and have it filled. The ring around it comes back to the bit.

    A cube's result does not depend on its neighbours. Kernels, and with them last bits, depend on the size of a
    batch, so every batch has the same, 8 cubes on a CPU and 64 on a GPU, and the last one is padded. When a GPU runs
    out of memory, the size is halved.

    Args:
        inpainter: What fills.
        cubes: HU on voxels of 1 mm.
        seeds: One per cube.
        batch_size: Cubes at a time, instead of these.
        device: Where to work; by default where the inpainter says that it is, else the CPU.

    Returns:
        HU; the filled part within [-1024, 3071].

    Raises:
        GenerationError: If cubes are not int16, there is not one seed for each, or the inpainter's answer makes no
            sense.
    """
    check_cubes(cubes, seeds)
    place = torch.device(device if device is not None else getattr(inpainter, "device", "cpu"))
    size = batch_size or (CPU_BATCH if place.type == "cpu" else GPU_BATCH)
    filled, start = np.empty_like(cubes), 0
    with tqdm(total=len(cubes), desc=inpainter.name, unit="cube", delay=2, leave=False, disable=None) as bar:
        while start < len(cubes):
            part = slice(start, start + size)
            try:
                filled[part] = _fill_padded(inpainter, cubes[part], seeds[part], size, place)
            except torch.OutOfMemoryError:
                if size == 1:
                    raise
                size //= 2
                torch.cuda.empty_cache()
                continue
            bar.update(len(cubes[part]))
            start += size
    return filled


def check_cubes(cubes: object, seeds: Sequence[int]) -> None:
    """Refuse what is not cubes in HU with a seed each.

    Raises:
        GenerationError: If it is not.
    """
    if not isinstance(cubes, np.ndarray) or cubes.dtype != np.int16:
        raise GenerationError(f"cubes must be an array of HU as int16, got {_described(cubes)}")
    if cubes.shape[1:] != (SIDE, SIDE, SIDE):
        raise GenerationError(f"cubes must be of shape (n, {SIDE}, {SIDE}, {SIDE}), got {cubes.shape}")
    if len(seeds) != len(cubes):
        raise GenerationError(f"fill needs one seed for each cube, got {len(seeds)} seeds for {len(cubes)} cubes")


def masked(inpainter: Inpainter, cubes: Int16[np.ndarray, "n 32 32 32"]) -> Int16[np.ndarray, "n 32 32 32"]:
    """What an inpainter sees of cubes, in HU: its hidden voxels have the mean of its training cubes."""
    blank = inpainter.equalisation.restore(torch.zeros(1)).round().short().item()
    return np.where(inpainter.hidden, np.int16(blank), cubes)


def _described(cubes: object) -> str:
    if not isinstance(cubes, np.ndarray):
        return type(cubes).__name__
    nan = cubes.dtype.kind == "f" and np.isnan(cubes).any()
    return f"{cubes.dtype} with NaN in it" if nan else str(cubes.dtype)


def _fill_padded(
    inpainter: Inpainter, cubes: Int16[np.ndarray, "n 32 32 32"], seeds: Sequence[int], size: int, place: torch.device
) -> Int16[np.ndarray, "n 32 32 32"]:
    """A batch of always the same size: the last cube stands in for those that are missing."""
    missing = size - len(cubes)
    padded = np.pad(cubes, [(0, missing), (0, 0), (0, 0), (0, 0)], mode="edge")
    answer = _fill_batch(inpainter, torch.tensor(padded, device=place), [*seeds, *[seeds[-1]] * missing])
    return answer[: len(cubes)]


@torch.inference_mode()
def _fill_batch(
    inpainter: Inpainter, cubes: Int16[Tensor, "batch 32 32 32"], seeds: Sequence[int]
) -> Int16[np.ndarray, "batch 32 32 32"]:
    hidden = torch.from_numpy(inpainter.hidden).to(cubes.device)
    equalised = inpainter.equalisation.equalise(cubes[:, None])
    answer = inpainter.inpaint(equalised.masked_fill(hidden, 0), seeds)
    _check(inpainter, answer, equalised)
    # Only what was hidden goes back to HU. The ring would come back to the bit: the equalisation's inverse is exact.
    filled = inpainter.equalisation.restore(answer[:, 0, hidden]).round().clamp(LOWEST_HU, HIGHEST_HU)
    cubes = cubes.clone()
    cubes[:, hidden] = filled.to(torch.int16)
    return cubes.cpu().numpy()


def _check(inpainter: Inpainter, answer: Float[Tensor, "..."], equalised: Float[Tensor, "batch 1 32 32 32"]) -> None:
    if answer.shape != equalised.shape:
        raise GenerationError(
            f"inpainter '{inpainter.name}' must return cubes of shape {tuple(equalised.shape)},"
            f" got {tuple(answer.shape)}"
        )
    if not answer.isfinite().all():
        raise GenerationError(
            f"inpainter '{inpainter.name}' returned NaN or infinite values; its weights are of no use"
        )
