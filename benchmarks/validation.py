"""How well a network does on slabs of the validation split: what its training selects by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.detectors.network import Network
from benchmarks.slabs import collate
from m3dsynth_dataset import Crop, Release
from m3dsynth_dataset.metrics import pd_at

MOST = 256
"""Samples; more say little more, and each look takes time."""


@dataclass(frozen=True)
class Validation:
    """The slabs to judge: of every sample the edit's, the same as it was, and one away from it.

    They are of the training's size, so these figures are not those of whole scans.
    """

    crops: Sequence[Crop]

    @classmethod
    def of(cls, release: Release, configs: Sequence[str], shape: tuple[int, int, int], seed: int) -> "Validation":
        """Those of the configs' validation splits."""
        found: list[Crop] = []
        for config in configs:
            at = release.crops(config, "validation", shape=shape, seed=seed)
            away = release.crops(config, "validation", shape=shape, seed=seed, positions="away", balanced=False)
            for index in range(min(MOST // len(configs), len(away))):
                found += [at[2 * index], at[2 * index + 1], away[index]]
        return cls(found)

    def __call__(self, network: Network[Any], device: torch.device, batch: int) -> dict[str, float]:
        """Pd@1% of the score and, for a network that localises, mean F1 of the maps of tampered slabs."""
        network.eval()
        scores, overlaps = [], []
        with torch.no_grad():
            for first in range(0, len(self.crops), batch):
                slabs = collate(self.crops[first : first + batch])
                answer = network(slabs["ct"].to(device).float())
                scores.append(answer.score.float().cpu())
                if answer.map is not None:
                    overlaps.append(_f1(answer.map.cpu() > 0, slabs["mask"]))
        network.train()
        tampered = np.array([crop["tampered"] for crop in self.crops])
        every = torch.cat(scores).double().numpy()
        figures = {"Pd@1%": pd_at(every[tampered], every[~tampered]).detection}
        if overlaps:
            figures["F1"] = float(torch.cat(overlaps).numpy()[tampered].mean())
        return figures


def _f1(said: Tensor, mask: Tensor) -> Tensor:
    """Of each slab; 0 where nothing is tampered and nothing is said to be."""
    axes = (1, 2, 3)
    hits, alarms, truth = (each.sum(axes).double() for each in (said & mask, said, mask))
    return 2 * hits / (alarms + truth).clamp(min=1)
