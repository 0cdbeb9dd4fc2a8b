"""Judge detectors of tampered CT, and measure m3dsynth against the form in which M3Dsynth was published."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional, subcommand

from benchmarks.errors import BenchmarkError
from m3dsynth_dataset import DamagedReleaseError, FormatVersionError, ReleaseNotFoundError


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
    batch: int | None = None
    """Slices, or slabs of them, at once. Default: one on a CPU, eight on a GPU."""
    device: Literal["auto", "cpu", "cuda"] = "auto"

    def run(self) -> None:
        """Predict."""
        from benchmarks.choice import detector
        from benchmarks.prediction import Predicting
        from m3dsynth_dataset import open_release

        found, key = detector(self.run_folder, self.device, self.batch)
        Predicting(open_release(self.data), self.split, found)(self.out, key=key)
        print(f"submission in {self.out}")


@dataclass(frozen=True)
class Matrix:
    """Train detectors on each generator and test them on all: the paper's Table 3, and the control.

    What is finished is not done again, so a stopped run goes on.

    Example: python -m benchmarks matrix hp-fcn unet --data m3dsynth --preset tiny --out build/matrix
    """

    detectors: Positional[tuple[str, ...]]
    """Names, or your own as package.module:Class."""
    data: Path = Path("m3dsynth")
    """Release."""
    out: Path = Path("build/matrix")
    """Folder for runs, predictions and the matrix."""
    preset: str = "paper"
    seed: int = 0
    precision: Literal["fp32", "bf16"] = "fp32"
    workers: int = 2
    steps: int | None = None
    """Instead of the preset's."""
    generators: tuple[str, ...] = ()
    """To train and to test on. Default: all of the release but the control."""
    device: Literal["auto", "cpu", "cuda"] = "auto"

    def run(self) -> None:
        """Train, test, and print the table."""
        from benchmarks.choice import device
        from benchmarks.matrix import matrix
        from benchmarks.matrix_page import markdown, write_matrix
        from benchmarks.training import Options
        from m3dsynth_dataset import open_release

        if not self.detectors:
            raise BenchmarkError("name at least one detector, such as hp-fcn")
        found = matrix(
            open_release(self.data),
            self.detectors,
            self.out,
            preset=self.preset,
            options=Options(seed=self.seed, precision=self.precision, workers=self.workers, steps=self.steps),
            device=device(self.device),
            generators=self.generators or None,
        )
        print(markdown(found))
        print(f"in {write_matrix(found, self.out)}")


@dataclass(frozen=True)
class Perf:
    """Speed and size of reading, as ratios on the same scan in one run.

    Example: python -m benchmarks perf m3dsynth
    """

    release: Positional[Path] = Path("m3dsynth")
    """Release to read; `make demo` builds one."""
    out: Path = Path("build/perf.json")
    """File to write."""
    repeats: int = 15
    """Measurements of each; the median counts."""

    def run(self) -> None:
        """Print the table and write the file."""
        from benchmarks.measurement import table, write_measurements
        from benchmarks.perf import measure

        measurements = []
        for measurement in measure(self.release, self.repeats):
            print(table([measurement]), flush=True)
            measurements.append(measurement)
        write_measurements(self.out, measurements)
        print(f"in {self.out}")


@dataclass(frozen=True)
class Version:
    """Print the version of m3dsynth."""

    def run(self) -> None:
        """Print it."""
        from importlib.metadata import version

        print(version("m3dsynth"))


Command = (
    Annotated[Train, subcommand("train")]
    | Annotated[Predict, subcommand("predict")]
    | Annotated[Matrix, subcommand("matrix")]
    | Annotated[Perf, subcommand("perf")]
    | Annotated[Version, subcommand("version")]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; a user's mistake is one line on stderr and exit status 2."""
    command = tyro.cli(Command, args=arguments, prog="python -m benchmarks", description=__doc__)
    try:
        command.run()
    except (BenchmarkError, ReleaseNotFoundError, FormatVersionError, DamagedReleaseError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130
    return 0
