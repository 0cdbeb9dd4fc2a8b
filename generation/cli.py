"""The command line: ``python -m generation``."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tqdm import tqdm

from generation import device, montage, quality_page, throughput, training, weights, zoo
from generation.choice import choose
from generation.cubes import CubeStore
from generation.errors import GenerationError
from generation.examination import examine
from generation.perf_list import merge
from generation.processes import Processes

DESCRIPTION = """Train the inpainters that inject and remove nodules, and look at what they do.

Examples:
  python -m generation train pix2pix injection --cubes cubes.zarr --preset tiny
  python -m generation train pix2pix removal --cubes cubes.zarr --out weights/ --device cuda
  accelerate launch -m generation train dm injection --cubes cubes.zarr --precision bf16
  python -m generation sample weights/pix2pix-injection.safetensors --cubes cubes.zarr --out grid.png
  python -m generation report --cubes cubes.zarr --weights weights/ --out report/
"""
USER_ERROR, INTERRUPTED = 2, 130


@dataclass(frozen=True)
class Train:
    """Train an inpainter on the training cubes of a store; writes its weights and a picture beside them."""

    inpainter: tyro.conf.Positional[str]
    """What to train: pix2pix, cyclegan, dm, or package.module:Class of your own."""
    manipulation: tyro.conf.Positional[Literal["injection", "removal"]]
    """What it is to learn; each is a model of its own."""
    cubes: Path
    """Store that `python -m builder extract` wrote."""
    out: Path = Path("weights")
    """Folder for <inpainter>-<manipulation>.safetensors and .png, and a folder of that name with checkpoint,
    TensorBoard events and pictures."""
    preset: str = "paper"
    """tiny: seconds on two cores, for trying. paper: the published size, for a GPU."""
    seed: int = 0
    """Source of all randomness."""
    steps: int | None = None
    """Number of batches, instead of the preset's."""
    look_every: int | None = None
    """Steps between validations, each with a picture and a checkpoint; a fifth of all when omitted."""
    device: str = "auto"
    """auto takes a GPU if there is one; cpu, cuda, cuda:1. For several GPUs: accelerate launch -m generation train."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """bf16: mixed precision, on hardware that has it."""
    restart: bool = False
    """Begin anew although there is a checkpoint; without this, training goes on from it."""

    def run(self) -> None:
        """Train and say where the weights are."""
        path = training.train(
            zoo.trainable(self.inpainter),
            self.manipulation,
            CubeStore.open(self.cubes),
            self.out,
            preset=self.preset,
            steps=self.steps,
            options=training.Options(
                seed=self.seed,
                device=self.device,
                precision=self.precision,
                look_every=self.look_every,
                restart=self.restart,
            ),
        )
        if Processes(self.device).is_main:
            print(f"wrote {path} and {path.with_suffix('.png').name}")


@dataclass(frozen=True)
class Sample:
    """Fill some sites of a store; writes a picture with rows of input, masked and filled cubes."""

    weights: tyro.conf.Positional[Path]
    """File that `train` wrote."""
    cubes: Path
    """Store that `python -m builder extract` wrote."""
    inpainter: str | None = None
    """The inpainter that is to use the weights, such as dm-ddim50 those of dm; what they were trained as if omitted."""
    out: Path = Path("grid.png")
    """Picture to write."""
    device: str = "auto"
    """auto takes a GPU if there is one."""

    def run(self) -> None:
        """Draw and say where the picture is."""
        inpainter = zoo.load_inpainter(self.weights, name=self.inpainter, device=device.chosen(self.device))
        manipulation = weights.load(self.weights).account.manipulation
        cubes, table = CubeStore.open(self.cubes).sites(manipulation)
        if not len(cubes):
            raise GenerationError(
                f"{self.cubes}: has no sites for {manipulation}, which {self.weights} was trained for"
            )
        title = f"{inpainter.name} {manipulation}, synthetic"
        montage.show(inpainter, cubes, table["seed"].to_pylist(), self.out, title=title)
        print(f"wrote {self.out}")


@dataclass(frozen=True)
class Report:
    """Judge inpainters by cubes of patients that none of them has learned from; writes a table and pictures."""

    cubes: Path
    """Store that `python -m builder extract` wrote."""
    weights: Path = Path("weights")
    """Folder of weights; all that lie there are judged."""
    inpainters: Annotated[tuple[str, ...] | None, tyro.conf.arg(aliases=["--inpainter"])] = None
    """Judge these only, by name or as package.module:Class; the control is always one of them."""
    out: Path = Path("report")
    """Folder to write."""
    device: str = "auto"
    """auto takes a GPU if there is one."""

    def run(self) -> None:
        """Judge, and print the table."""
        choices = choose(self.weights, self.inpainters)
        store = CubeStore.open(self.cubes)
        rows = examine(choices, store, device.chosen(self.device))
        quality_page.write(
            list(tqdm(rows, desc="judging", total=len(choices), unit="inpainter", disable=None)), self.out
        )
        print((self.out / quality_page.TABLE).read_text())
        print(f"wrote {self.out}")


@dataclass(frozen=True)
class Perf:
    """Measure steps per second in training and cubes per second in sampling, beside the device's matrix ceiling."""

    preset: Literal["tiny", "paper"] | None = None
    """Of all inpainters; paper on a GPU and tiny on a CPU when omitted."""
    device: str = "auto"
    """auto takes a GPU if there is one."""
    repeats: int = 5
    """Measurements of each; the median counts."""
    out: Path = Path("build/perf.json")
    """List that the measurements are put into."""

    def run(self) -> None:
        """Measure, print the table and write the file."""
        place = device.chosen(self.device)
        preset = self.preset or ("tiny" if place.type == "cpu" else "paper")
        rows = list(
            tqdm(throughput.measure(preset, place, self.repeats), desc="measuring", total=8, leave=False, disable=None)
        )
        merge(self.out, map(asdict, rows))
        print(f"preset {preset}, on {rows[0].device}; arithmetic counted, against a {rows[0].against}")
        print(throughput.table(rows))
        print(f"in {self.out}")


Command = (
    Annotated[Train, tyro.conf.subcommand("train")]
    | Annotated[Sample, tyro.conf.subcommand("sample")]
    | Annotated[Report, tyro.conf.subcommand("report")]
    | Annotated[Perf, tyro.conf.subcommand("perf")]
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: Words after the program's name; by default those of the process.

    Returns:
        The exit code: 0, 2 for a user's mistake, 130 when interrupted.
    """
    try:
        command: Train | Sample | Report | Perf = tyro.cli(
            Command, prog="python -m generation", description=DESCRIPTION, args=argv
        )
        command.run()
    except GenerationError as error:
        print(f"error: {error}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("stopped; the same command goes on from the last checkpoint", file=sys.stderr)
        return INTERRUPTED
    return 0
