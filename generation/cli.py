"""The command line: ``python -m generation``."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro

from generation import montage, training, weights, zoo
from generation.cubes import CubeStore
from generation.errors import GenerationError

DESCRIPTION = """Train the inpainters that inject and remove nodules, and look at what they do.

Examples:
  python -m generation train pix2pix injection --cubes cubes.zarr --preset tiny
  python -m generation train pix2pix removal --cubes cubes.zarr --out weights/ --device cuda
  python -m generation sample weights/pix2pix-injection.safetensors --cubes cubes.zarr --out grid.png
"""
USER_ERROR, INTERRUPTED = 2, 130

Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class Train:
    """Train an inpainter on the training cubes of a store; writes its weights and a picture beside them."""

    inpainter: tyro.conf.Positional[str]
    """What to train: pix2pix."""
    manipulation: tyro.conf.Positional[Literal["injection", "removal"]]
    """What it is to learn; each is a model of its own."""
    cubes: Path
    """Store that `python -m builder extract` wrote."""
    out: Path = Path("weights")
    """Folder for <inpainter>-<manipulation>.safetensors and .png."""
    preset: str = "paper"
    """tiny: seconds on two cores, for trying. paper: the published size, for a GPU."""
    seed: int = 0
    """Source of all randomness."""
    steps: int | None = None
    """Number of batches, instead of the preset's."""
    device: Device = "auto"
    """auto takes a GPU if there is one."""

    def run(self) -> None:
        """Train and say where the weights are."""
        if self.seed < 0:
            raise GenerationError(f"seed must be >= 0, got {self.seed}")
        path = training.train(
            zoo.trainable(self.inpainter),
            self.manipulation,
            CubeStore.open(self.cubes),
            self.out,
            preset=self.preset,
            steps=self.steps,
            seed=self.seed,
            device=chosen(self.device),
        )
        print(f"wrote {path} and {path.with_suffix('.png').name}")


@dataclass(frozen=True)
class Sample:
    """Fill some sites of a store; writes a picture with rows of input, masked and filled cubes."""

    weights: tyro.conf.Positional[Path]
    """File that `train` wrote."""
    cubes: Path
    """Store that `python -m builder extract` wrote."""
    out: Path = Path("grid.png")
    """Picture to write."""
    device: Device = "auto"
    """auto takes a GPU if there is one."""

    def run(self) -> None:
        """Draw and say where the picture is."""
        inpainter = zoo.load_inpainter(self.weights, device=chosen(self.device))
        manipulation = weights.load(self.weights).manipulation
        cubes, table = CubeStore.open(self.cubes).sites(manipulation)
        if not len(cubes):
            raise GenerationError(
                f"{self.cubes}: has no sites for {manipulation}, which {self.weights} was trained for"
            )
        title = f"{inpainter.name} {manipulation}, synthetic"
        montage.show(inpainter, cubes, table["seed"].to_pylist(), self.out, title=title)
        print(f"wrote {self.out}")


Command = Annotated[Train, tyro.conf.subcommand("train")] | Annotated[Sample, tyro.conf.subcommand("sample")]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: Words after the program's name; by default those of the process.

    Returns:
        The exit code: 0, 2 for a user's mistake, 130 when interrupted.
    """
    try:
        command: Train | Sample = tyro.cli(Command, prog="python -m generation", description=DESCRIPTION, args=argv)
        command.run()
    except GenerationError as error:
        print(f"error: {error}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def chosen(device: Device) -> torch.device:
    """The device that a word means on this machine.

    Raises:
        GenerationError: If a GPU is asked for and there is none.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise GenerationError("device is cuda, but torch finds no GPU here; leave it out or say --device cpu")
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)
