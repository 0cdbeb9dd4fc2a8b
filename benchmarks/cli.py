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
    places: tuple[int, int, int] | None = None
    """Judge the surroundings of every edit, of so many voxels along z, y, x, and the same place as it was, instead of
    whole scans: for a handful of patients, such as `--places 32 128 128`."""
    device: Literal["auto", "cpu", "cuda"] = "auto"

    def run(self) -> None:
        """Train, test, and print the table."""
        from benchmarks.choice import device
        from benchmarks.matrix import matrix
        from benchmarks.matrix_page import markdown, write_matrix
        from benchmarks.places import Places
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
            protocol=Places(self.places) if self.places else None,
        )
        print(markdown(found))
        print(f"in {write_matrix(found, self.out)}")


@dataclass(frozen=True)
class View:
    """Write a gallery of samples: three planes, before and after, mask, and a detector's map on top.

    Works from a file URL, without a network, and on a phone.

    Example: python -m benchmarks view m3dsynth --out site --submission submission
    """

    release: Positional[Path] = Path("m3dsynth")
    """Release."""
    out: Path = Path("site")
    """Folder to write; a gallery that is there is replaced."""
    config: tuple[str, ...] = ()
    """Such as dm-injection; all for everything but the control. Default: everything."""
    split: Literal["train", "validation", "test", "all"] = "test"
    limit: int | None = None
    """Most samples, taken from all configs in turn."""
    submission: Path | None = None
    """Of a detector, as `predict` writes it."""

    def run(self) -> None:
        """Write it."""
        from benchmarks.viewer import view
        from m3dsynth_dataset import open_release

        found = view(
            open_release(self.release),
            self.out,
            configs=self.config,
            split=self.split,
            limit=self.limit,
            submission=self.submission,
        )
        print(f"{found.samples} samples at {found.places} places, {found.bytes / 1e6:.0f} MB: {found.index}")


@dataclass(frozen=True)
class Seal:
    """Split a release into a public one, whose test does not tell what is tampered, and the labels of that test.

    Of every test patient one version of one scan goes out, pristine, tampered or control, drawn by lot. Keep the
    release and the labels; publish the other folder. Whoever has the original scans can still subtract them, so seal
    scans that nobody has. Goes on where it was stopped.

    Example: python -m benchmarks seal m3dsynth --out public --labels labels.parquet
    """

    release: Positional[Path]
    """Release, which stays as it is."""
    out: Path
    """Folder of the public release."""
    labels: Path
    """File for the labels, outside of both; score with them by `m3dsynth score --labels`."""
    tampered: float = 0.5
    """Share of tampered samples, of all generators and manipulations equally many."""
    control: float = 0.1
    """Share of the control's samples, if the release has them; the rest is pristine."""

    def run(self) -> None:
        """Seal, and say what the labels are."""
        from benchmarks.sealing import Shares, seal
        from m3dsynth_dataset import open_release

        shares = Shares(self.tampered, self.control)
        sealed = seal(open_release(self.release.expanduser()), self.out.expanduser(), self.labels.expanduser(), shares)
        print(f"{self.out}: public release {sealed.digest[:16]}, {sealed}")
        print(f"{self.labels}: the labels, sha256 {sealed.labels_sha256}; keep them, and {self.release}, to yourself")


@dataclass(frozen=True)
class Leaderboard:
    """Write a leaderboard: a page, the same as Markdown and CSV, from results of `m3dsynth score --json`.

    The page needs no server. Results that cannot be compared stand on boards of their own.

    Example: python -m benchmarks leaderboard results --out site
    """

    results: Positional[tuple[Path, ...]]
    """Files of results, or folders that hold them."""
    out: Path = Path("site")
    """Folder of the page: new, empty, or of an earlier leaderboard, which it replaces."""
    dataset: str | None = None
    """The release on the Hub, ORG/NAME: results are written as .eval_results YAML for models' repositories, too."""

    def run(self) -> None:
        """Write it."""
        from benchmarks.leaderboard import boards, read_entries, write_site

        print(f"leaderboard in {write_site(boards(read_entries(self.results)), self.out, self.dataset)}")


@dataclass(frozen=True)
class Probe:
    """Ask a detector of synthetic images about places that are known: the paper's Table 2.

    It is trained on each generator and tested on all, with the edit in the middle of what it sees, and on the very
    same voxels as they were.

    Example: python -m benchmarks probe --data m3dsynth --preset tiny --out build/probe
    """

    detector: Positional[str] = "synthetic-probe"
    """Any detector's name, or your own as package.module:Class."""
    data: Path = Path("m3dsynth")
    """Release."""
    out: Path = Path("build/probe")
    """Folder for runs, verdicts and the table."""
    preset: str = "paper"
    seed: int = 0
    precision: Literal["fp32", "bf16"] = "fp32"
    workers: int = 2
    steps: int | None = None
    """Instead of the preset's."""
    generators: tuple[str, ...] = ()
    """To train and to test on. Default: all of the release but the control."""
    place: tuple[int, int, int] = (5, 96, 96)
    """Voxels along z, y, x around the middle of an edit."""
    device: Literal["auto", "cpu", "cuda"] = "auto"

    def run(self) -> None:
        """Train, probe, and print the table."""
        from benchmarks.choice import device
        from benchmarks.matrix import matrix
        from benchmarks.matrix_page import markdown, write_matrix
        from benchmarks.places import Places
        from benchmarks.training import Options
        from m3dsynth_dataset import open_release

        found = matrix(
            open_release(self.data),
            (self.detector,),
            self.out,
            preset=self.preset,
            options=Options(seed=self.seed, precision=self.precision, workers=self.workers, steps=self.steps),
            device=device(self.device),
            generators=self.generators or None,
            protocol=Places(self.place, seed=None),
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
    | Annotated[View, subcommand("view")]
    | Annotated[Seal, subcommand("seal")]
    | Annotated[Leaderboard, subcommand("leaderboard")]
    | Annotated[Probe, subcommand("probe")]
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
