"""From cubes in HU to filled cubes in HU, by any inpainter."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int16
from torch import Tensor
from tqdm import tqdm

from generation.errors import GenerationError
from generation.inpainter import Inpainter

LOWEST_HU, HIGHEST_HU = -1024, 3071
"""What a CT scanner can say: 12 bits."""


def fill(
    inpainter: Inpainter,
    cubes: Int16[np.ndarray, "n 32 32 32"],
    seeds: Sequence[int],
    *,
    batch_size: int = 64,
    device: torch.device | str | None = None,
) -> Int16[np.ndarray, "n 32 32 32"]:
    """Hide the inner part of cubes and have it filled. The ring around it comes back to the bit.

    Args:
        inpainter: What fills.
        cubes: HU on voxels of 1 mm.
        seeds: One per cube.
        batch_size: Cubes at a time. It does not change a result, except that a GPU may pick other kernels for
            another size, and with them other last bits.
        device: Where to work; by default where the inpainter says that it is, else the CPU.

    Returns:
        HU; the filled part within [-1024, 3071].

    Raises:
        GenerationError: If there is not one seed for each cube, or the inpainter's answer makes no sense.
    """
    if len(seeds) != len(cubes):
        raise GenerationError(f"fill needs one seed for each cube, got {len(seeds)} seeds for {len(cubes)} cubes")
    place = torch.device(device if device is not None else getattr(inpainter, "device", "cpu"))
    filled = np.empty_like(cubes)
    with tqdm(total=len(cubes), desc=inpainter.name, unit="cube", delay=2, leave=False) as bar:
        for start in range(0, len(cubes), batch_size):
            part = slice(start, start + batch_size)
            filled[part] = _fill_batch(inpainter, torch.tensor(cubes[part], device=place), seeds[part])
            bar.update(len(cubes[part]))
    return filled


def masked(inpainter: Inpainter, cubes: Int16[np.ndarray, "n 32 32 32"]) -> Int16[np.ndarray, "n 32 32 32"]:
    """What an inpainter sees of cubes, in HU: its hidden voxels have the mean of its training cubes."""
    blank = inpainter.equalisation.restore(torch.zeros(1)).round().short().item()
    return np.where(inpainter.hidden, np.int16(blank), cubes)


@torch.inference_mode()
def _fill_batch(
    inpainter: Inpainter, cubes: Int16[Tensor, "batch 32 32 32"], seeds: Sequence[int]
) -> Int16[np.ndarray, "batch 32 32 32"]:
    hidden = torch.from_numpy(inpainter.hidden).to(cubes.device)
    equalised = inpainter.equalisation.equalise(cubes[:, None])
    answer = inpainter.inpaint(equalised.masked_fill(hidden, 0), seeds)
    _check(inpainter, answer, equalised)
    # The ring takes the same way there and back; the equalisation's inverse is exact.
    restored = inpainter.equalisation.restore(torch.where(hidden, answer, equalised)).round()
    clipped = torch.where(hidden, restored.clamp(LOWEST_HU, HIGHEST_HU), restored)
    return clipped[:, 0].to(torch.int16).cpu().numpy()


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
