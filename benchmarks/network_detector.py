"""A trained network as a detector of whole scans."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.detector import SliceVerdict
from benchmarks.detectors.network import Network
from benchmarks.run_folder import load_network, read_account
from m3dsynth_dataset.lazy import EditedVolume

CPU_BATCH, GPU_BATCH = 1, 8
"""Slabs at once. On a CPU one is fastest, since its features stay in the cache: a small U-Net takes 0.06 s a slice, and
0.10 s in batches of four."""


class NetworkDetector:
    """Judges scans with a network, some slabs at a time.

    A network that sees slabs of several slices judges overlapping ones, on a grid of half their depth that begins
    with the scan; of each slab the middle half counts, so a slice's verdict does not depend on which slices are asked
    for. Beyond the scan a slab holds air.

    Args:
        network: Trained.
        name: Of the detector.
        device: Where it computes.
        batch: Slabs at once; what bounds the memory. What suits the device when omitted.
    """

    def __init__(self, network: Network[Any], name: str, device: torch.device, batch: int | None = None) -> None:
        self.name = name
        self._network, self._device = network.to(device).eval(), device
        self._batch = batch or (CPU_BATCH if device.type == "cpu" else GPU_BATCH)
        self._kept = max(1, network.depth // 2)
        """Slices of a slab whose verdicts count."""
        self._before = (network.depth - self._kept) // 2

    @classmethod
    def of_run(cls, folder: Path, device: torch.device, batch: int | None = None) -> "NetworkDetector":
        """The detector that a training left in a folder.

        Raises:
            BenchmarkError: If there is none.
        """
        return cls(load_network(folder), read_account(folder).detector, device, batch)

    @property
    def reach(self) -> int:
        """See ``Detector``."""
        return self._network.depth - 1 - self._before

    @property
    def localises(self) -> bool:
        """Whether its verdicts have maps."""
        return self._network.localises

    @property
    def searches(self) -> bool:
        """Whether it can judge whole scans; see ``Network``."""
        return self._network.searches

    def together(self, scores: Sequence[float]) -> float:
        """The score of several slices: the highest, or the mean (of the logits) where all show the same known place."""
        if self.searches:
            return max(scores)
        p = torch.tensor(scores, dtype=torch.float64).clamp(1e-12, 1 - 1e-12)
        return float(p.logit().mean().sigmoid())

    def judge(self, ct: EditedVolume, first: int, stop: int) -> Iterator[SliceVerdict]:
        """See ``Detector``."""
        cells = range(first // self._kept, -(-stop // self._kept))
        for place in range(0, len(cells), self._batch):
            batch = cells[place : place + self._batch]
            slabs = np.stack([self._slab(ct, cell) for cell in batch])
            for cell, verdicts in zip(batch, self._verdicts(slabs), strict=True):
                for offset, (score, probabilities) in enumerate(verdicts):
                    number = cell * self._kept + offset
                    if first <= number < stop:
                        yield SliceVerdict(number, score, probabilities)

    def _slab(self, ct: EditedVolume, cell: int) -> np.ndarray:
        _, height, width = ct.shape
        return ct.crop((cell * self._kept - self._before, 0, 0), (self._network.depth, height, width))

    def _verdicts(self, slabs: np.ndarray) -> Iterator[list[tuple[float, np.ndarray | None]]]:
        """Score and map of the slices that count, slab by slab."""
        with torch.no_grad():
            answer = self._network(torch.from_numpy(slabs).to(self._device).float())
        scores = answer.score.float().sigmoid().tolist()
        maps = [None] * len(scores) if answer.map is None else self._middle(answer.map)
        for score, middle in zip(scores, maps, strict=True):
            yield [(score, None if middle is None else middle[offset]) for offset in range(self._kept)]

    def _middle(self, maps: Tensor) -> list[Any]:
        middle = maps[:, self._before : self._before + self._kept].float().sigmoid().cpu().numpy()
        return list(middle)
