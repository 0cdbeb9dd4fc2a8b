"""Slabs to learn from: half of them tampered, the others as they were before, or from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import torch
from jaxtyping import Bool, Int16
from torch import Tensor
from torch.utils.data import Dataset

from m3dsynth_dataset import Crop, Release

ELSEWHERE = 0.5
"""Of the slabs that are not tampered: half are the very place of an edit as it was, half lie away from any."""
CONTROL_SHARE = 0.75
"""Of the slabs that are not tampered, for a network that learns from the control: edits of the control."""


class Slabs(TypedDict):
    """A batch, as it goes to the device."""

    ct: Int16[Tensor, "batch depth height width"]
    """HU."""
    mask: Bool[Tensor, "batch depth height width"]


class SlabDraws(Dataset[Crop]):
    """An endless series of slabs: what a number gives depends on the seed and the number alone.

    Args:
        release: With edits.
        configs: To draw from, all alike.
        split: train, validation or test.
        shape: Voxels of a slab along z, y, x.
        seed: Of everything.
        controls: Configs of the control, whose edits count as not tampered; none when omitted.
    """

    def __init__(
        self,
        release: Release,
        configs: Sequence[str],
        split: str,
        shape: tuple[int, int, int],
        seed: int,
        controls: Sequence[str] = (),
    ) -> None:
        self.seed = seed
        self._controls = [release.crops(config, split, shape=shape, seed=seed) for config in controls]
        # Balanced crops come in pairs: the tampered place, and the same place as it was.
        self._at = [release.crops(config, split, shape=shape, seed=seed) for config in configs]
        self._away = [
            release.crops(config, split, shape=shape, seed=seed, positions="away", balanced=False) for config in configs
        ]

    def __getitem__(self, number: int) -> Crop:
        rng = np.random.default_rng([self.seed, number])
        if self._controls and number % 2 and rng.random() < CONTROL_SHARE:
            return self._control(rng, number)
        config = int(rng.integers(len(self._at)))
        if number % 2 and rng.random() < ELSEWHERE:
            crops, step, first = self._away[config], 1, 0
        else:
            crops, step, first = self._at[config], 2, number % 2
        index = int(rng.integers(len(crops) // step)) * step + first
        return crops.item(index, epoch=number)

    def _control(self, rng: np.random.Generator, number: int) -> Crop:
        """The place of a control's edit: what it covers is as it was, so nothing of it is tampered."""
        crops = self._controls[int(rng.integers(len(self._controls)))]
        crop = crops.item(2 * int(rng.integers(len(crops) // 2)), epoch=number)
        return {**crop, "mask": np.zeros_like(crop["mask"]), "tampered": False}


def collate(crops: Sequence[Crop]) -> Slabs:
    """Put crops together; int16 and bool, a third of the bytes of what networks compute with."""
    ct, mask = (torch.stack([torch.from_numpy(crop[name]) for crop in crops]) for name in ("ct", "mask"))
    return {"ct": ct, "mask": mask}


def augmented(slabs: Slabs, generator: torch.Generator) -> Slabs:
    """Mirrored and turned by quarters in plane at random, each slab for itself; the same for voxels and mask."""
    turns = torch.randint(0, 8, (len(slabs["ct"]),), generator=generator).tolist()
    ct, mask = (
        torch.stack([_turned(slab, turn) for slab, turn in zip(slabs[name], turns, strict=True)])
        for name in ("ct", "mask")
    )
    return {"ct": ct, "mask": mask}


def _turned(slab: Tensor, turn: int) -> Tensor:
    turned = torch.rot90(slab, turn % 4, (-2, -1))
    return turned.flip(-1) if turn >= 4 else turned
