"""``python -m benchmarks predict``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional


@dataclass(frozen=True)
class Predict:
    """Judge every sample of a split with a trained detector, and write a submission. Goes on where it was stopped.

    Example: python -m benchmarks predict runs/hp-fcn-pix2pix --data m3dsynth --split test --out submission
    """

    run_folder: Annotated[Positional[str], tyro.conf.arg(metavar="RUN")]
    """Folder of a training, or a detector of your own as package.module:Class (see benchmarks/detector.py)."""
    out: Path
    """Folder of the submission."""
    data: Path = Path("m3dsynth")
    """Release."""
    split: Literal["train", "validation", "test"] = "test"
    calibrate: bool = True
    """Judge the pristine scans of validation as well: `m3dsynth score` sets the threshold of Pd@1% on them."""
    protocol: Literal["volume", "slab"] = "volume"
    """volume: whole scans; slab: 32 slices around a place near the edit, as in the published test."""
    batch: int | None = None
    """Slices, or slabs of them, at once. Default: one on a CPU, eight on a GPU."""
    device: Literal["auto", "cpu", "cuda"] = "auto"

    def run(self) -> None:
        """Predict."""
        from benchmarks.choice import detector
        from benchmarks.prediction import Predicting
        from m3dsynth_dataset import open_release

        found, key = detector(self.run_folder, self.device, self.batch)
        release = open_release(self.data)
        predicting = Predicting(release, self.split, found, calibrates=self.calibrate, protocol=self.protocol)
        predicting(self.out, key=key)
        print(f"submission in {self.out}")
