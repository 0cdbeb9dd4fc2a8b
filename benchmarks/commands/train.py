"""``python -m benchmarks train``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional


@dataclass(frozen=True)
class Train:
    """Train a detector on a generator of a release; what did best on validation is kept.

    Stopped at any moment, the same command goes on. The folder holds weights, config, TensorBoard events, curves.

    Example: python -m benchmarks train hp-fcn --data m3dsynth --train-on pix2pix --preset tiny
    """

    detector: Positional[str]
    """hp-fcn, mantranet, mvss-net, trufor, unet, xception, trace3d, or your own as package.module:Class."""
    train_on: str
    """Generator, whose injections and removals are both learned from, or a config such as dm-injection."""
    data: Path = Path("m3dsynth")
    """Release."""
    out: Path | None = None
    """Folder of the run. Default: runs/DETECTOR-TRAIN_ON."""
    preset: str = "paper"
    """paper: the published size and schedule; tiny: a minute on two cores."""
    seed: int = 0
    precision: Literal["fp32", "bf16"] = "fp32"
    workers: int = 2
    """Processes that read."""
    steps: int | None = None
    """Instead of the preset's."""
    restart: bool = False
    """Give up the checkpoint that lies there, and begin anew."""

    def run(self) -> None:
        """Train."""
        from benchmarks.matrix import learnable
        from benchmarks.training import Options, train
        from m3dsynth_dataset import open_release

        release = open_release(self.data)
        out = self.out or Path("runs", f"{self.detector.replace(':', '.')}-{self.train_on}")
        options = Options(
            seed=self.seed, precision=self.precision, workers=self.workers, steps=self.steps, restart=self.restart
        )
        train(self.detector, release, learnable(release, self.train_on), out, preset=self.preset, options=options)
        print(f"weights and curves in {out}")
