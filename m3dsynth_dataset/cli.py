"""Look into m3dsynth releases: lung CT scans with AI-injected and AI-removed nodules."""

import os
import sys
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import FlagCreatePairsOff, Positional, arg, subcommand


@dataclass(frozen=True)
class Info:
    """Say what a release holds and how it was built: samples, scans, patients, bytes. Reads no volume.

    Example: m3dsynth info m3dsynth --json
    """

    release: Positional[Path]
    """Folder of the release."""
    json: bool = False
    """Print JSON, with every setting of the inpainters."""

    def run(self) -> int:
        """Print the summary."""
        from json import dumps

        from m3dsynth_dataset.summary import summarise

        summary = summarise(self.release.expanduser())
        print(dumps(summary.as_json(), indent=1) if self.json else summary.text())
        return 0


@dataclass(frozen=True)
class Verify:
    """Check every file, row, volume and edit of a release, and name all that is wrong. Changes nothing, unless asked.

    Exit status: 0 if the release is sound, 1 if not, 2 if there is no release.

    Example: m3dsynth verify m3dsynth --repair ORG/m3dsynth
    """

    release: Positional[Path]
    """Folder of the release."""
    quick: bool = False
    """Look at names and sizes only."""
    workers: int = os.cpu_count() or 1
    """Threads; the result does not depend on it."""
    repair: Annotated[str | None, arg(metavar="ORG/NAME")] = None
    """Fetch what is damaged or missing from the release of that name on the Hub, and check again. What is fetched
    must be what the manifest here says."""
    revision: str | None = None
    """Of the release on the Hub; the main branch when omitted. The tag v-<first 16 letters of the digest> is made
    when a release is published."""

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueError(f"--workers must be >= 1, got {self.workers}")
        if self.revision is not None and self.repair is None:
            raise ValueError("--revision goes with --repair")

    def run(self) -> int:
        """Print the findings, one a line, and how many there are."""
        places, count = self._findings()
        if places and self.repair is not None:
            self._repair(self.repair, places)
            places, count = self._findings()
        if count:
            print(f"{self.release}: {count} finding{'s' if count > 1 else ''}")
            return 1
        checked = "names and sizes are those of its manifest" if self.quick else "files, rows, volumes and edits agree"
        print(f"{self.release}: sound; {checked}")
        return 0

    def _findings(self) -> tuple[list[str], int]:
        """Print them; the files among their places, and how many there are."""
        from tqdm import tqdm

        from m3dsynth_dataset.verification import verify

        places: dict[str, None] = {}
        count = 0
        for finding in verify(self.release.expanduser(), quick=self.quick, workers=self.workers):
            tqdm.write(str(finding))
            count += 1
            places |= {finding.place: None} if finding.is_of_a_file else {}
        return list(places), count

    def _repair(self, repo_id: str, places: list[str]) -> None:
        from m3dsynth_dataset.repair import repair

        repairs = repair(self.release.expanduser(), places, repo_id, self.revision)
        for place in repairs.repaired:
            print(f"{place}: fetched from {repo_id}")
        for place, reason in repairs.left.items():
            print(f"{place}: left as it is; {reason}")
        print(f"{self.release}: {len(repairs.repaired)} repaired; what is left:")


@dataclass(frozen=True)
class Install:
    """Make load_dataset("m3dsynth", ...) work from any folder of this machine, also without a network.

    The rows, not the volumes, are copied into the cache of datasets. Another release that was installed is replaced.

    Example: m3dsynth install m3dsynth
    """

    release: Positional[Path | None] = None
    """Folder of the release."""
    remove: bool = False
    """Undo it."""

    def __post_init__(self) -> None:
        if self.remove == (self.release is not None):
            raise ValueError("name the folder of a release to install, or --remove the one that is installed")

    def run(self) -> int:
        """Install or remove, and say what was done."""
        from m3dsynth_dataset.installation import install, uninstall

        if self.release is None:
            folders = uninstall()
            print(f"removed {len(folders)} configs" if folders else "nothing is installed")
            return 0
        configs = list(install(self.release.expanduser().absolute()))
        print(f'{self.release}: installed; load_dataset("m3dsynth", "{configs[-1]}") now works from any folder')
        print(f"configs: {', '.join(configs)}")
        return 0


@dataclass(frozen=True)
class Export:
    """Write samples, whole, to files that other tools open: a DICOM series, NIfTI, or a zarr group; each with its mask.

    Every sample becomes a folder OUT/<sample_id>/, listed in OUT/index.csv. A release holds a scan once; here each of
    its samples repeats all of it, in DICOM half a megabyte a slice. Samples that lie there already are left as they
    are, so a run that was stopped goes on. DICOM objects are new ones, and say that they are derived, and synthetic if
    they are; that cannot be switched off. Needs pip install "m3dsynth[export]".

    Exit status: 0 if all is there, 1 if samples could not be written (each is named), 2 for a mistake in the call.

    Example: m3dsynth export m3dsynth --config dm-injection --split test --to dicom --out dm-test --source LIDC-IDRI
    """

    release: Positional[str]
    """Folder of the release, or its name on the Hub, such as ORG/m3dsynth."""
    samples: Positional[tuple[str, ...]] = ()
    """Ids of samples, such as dm/inj_12."""
    _: KW_ONLY
    to: Literal["dicom", "nifti", "zarr"]
    """dicom: ct/0001.dcm and on, from the head down, and the mask as segmentation mask.dcm. nifti: ct.nii.gz and
    mask.nii.gz. zarr: sample.zarr with the arrays ct and mask, chunked and compressed as in a release."""
    out: Path
    """Folder to write into."""
    config: str | None = None
    """All samples of a config, such as dm-injection; `all` is pristine and every generator, without the control."""
    split: Literal["train", "validation", "test"] | None = None
    """Of this split only."""
    all: bool = False
    """Every sample of the release, or of the split."""
    source: Path | None = None
    """For dicom: folder that holds the original DICOM files, in any layout. Their headers are kept as far as they
    still hold (patient, study, frame of reference, acquisition); without it, headers are built from the release."""
    workers: int = os.cpu_count() or 1
    """Processes; the files do not depend on it."""

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueError(f"--workers must be >= 1, got {self.workers}")
        if [bool(self.samples), self.config is not None, self.all].count(True) != 1:
            raise ValueError("say which samples: their ids, or --config CONFIG, or --all; one of these")
        if self.samples and self.split is not None:
            raise ValueError("--split goes with --config or --all, not with samples that are named")
        if self.source is not None and self.to != "dicom":
            raise ValueError(f"--source gives the headers of DICOM files, so it needs --to dicom, got --to {self.to}")

    def run(self) -> int:
        """Export, and print how many samples there are."""
        from m3dsynth_dataset.export.batch import export_samples
        from m3dsynth_dataset.release import open_release

        done = export_samples(
            open_release(self.release),
            self.out,
            to=self.to,
            samples=self.samples,
            config=self.config,
            split=self.split,
            source=self.source,
            workers=self.workers,
        )
        for sample_id, reason in done.failed.items():
            print(f"{sample_id}: {reason}", file=sys.stderr)
        counts = f"{len(done.written):,} written, {len(done.ready):,} there already, {len(done.failed):,} failed"
        print(f"{self.out}: {counts}")
        return 1 if done.failed else 0


@dataclass(frozen=True)
class Validate:
    """Name all that is wrong with a submission to a split of a release. Scores nothing, and executes nothing in it.

    Every sample of the split is judged, the control's too. Rows of the validation split may stand beside those of
    another: its pristine scans, all of them or none, set the threshold of Pd@1%.

    Exit status: 0 if the submission is sound, 1 if not, 2 if there is none, or for a mistake in the call.

    Example: m3dsynth validate submission --release m3dsynth
    """

    submission: Positional[Path | None] = None
    """Folder with predictions.parquet and metadata.json, or a zip of it."""
    _: KW_ONLY
    release: str | None = None
    """Folder of the release, or its name on the Hub, such as ORG/m3dsynth."""
    split: Literal["train", "validation", "test"] = "test"
    json: Annotated[Path | None, arg(metavar="FILE")] = None
    """Write the findings for programs, every one of them."""
    schema: bool = False
    """Print what the two files hold: the JSON Schema of metadata.json, and the columns of predictions.parquet."""

    def __post_init__(self) -> None:
        if self.schema != (self.submission is None) or self.schema != (self.release is None):
            raise ValueError("name a submission and its --release, or ask for the --schema alone")

    def run(self) -> int:
        """Print the findings, one a line, and how many there are."""
        from json import dumps

        from m3dsynth_dataset.submission.account import Account
        from m3dsynth_dataset.submission.description import describe_format

        if self.submission is None or self.release is None:
            print(dumps(describe_format(), indent=1))
            return 0
        account = Account.of(self.submission, self.release, self.split)
        if self.json is not None:
            account.write(self.json)
        print(account.text())
        return 1 if account.findings else 0


@dataclass(frozen=True)
class Score:
    """Score a submission against what is true of a split. Validates it first, and names all that is wrong.

    Figures are overall and for every generator and manipulation, with 95 % intervals over patients. Where the
    submission has the pristine scans of validation, these set the threshold of Pd@1%. Nothing in it is executed.

    Exit status: 0 if it was scored, 1 if it is not valid, 2 for a mistake in the call.

    Example: m3dsynth score submission --release m3dsynth --json result.json --plots plots
    """

    submission: Positional[Path]
    """Folder with predictions.parquet and metadata.json, or a zip of it."""
    _: KW_ONLY
    release: str
    """Folder of the release, or its name on the Hub, such as ORG/m3dsynth."""
    split: Literal["train", "validation", "test"] = "test"
    labels: Annotated[Path | None, arg(metavar="FILE")] = None
    """Sealed labels, for a release that does not tell what is true of its test."""
    json: Annotated[Path | None, arg(metavar="FILE")] = None
    """Write the result for programs; the same bytes on every run."""
    plots: Annotated[Path | None, arg(metavar="FOLDER")] = None
    """Draw roc.png, scores.png, groups.png and calibration.png. Needs pip install "m3dsynth[scoring]"."""

    def run(self) -> int:
        """Validate, score, print the table, and write what is asked for."""
        from m3dsynth_dataset.release import open_release
        from m3dsynth_dataset.scoring.labels import read_labels
        from m3dsynth_dataset.scoring.plots import check_plots, write_plots
        from m3dsynth_dataset.scoring.result import result, write_result
        from m3dsynth_dataset.scoring.score import score
        from m3dsynth_dataset.scoring.table import table
        from m3dsynth_dataset.submission.account import Account
        from m3dsynth_dataset.submission.reading import read_submission

        if self.plots is not None:
            check_plots()
        labels = None if self.labels is None else read_labels(self.labels)
        account = Account.of(self.submission, self.release, self.split)
        if account.findings:
            print(f"{account.text()}; not scored")
            return 1
        scored = score(read_submission(self.submission), open_release(self.release), self.split, labels)
        print(table(scored))
        if self.json is not None:
            write_result(self.json, result(scored.subject, scored.card))
        if self.plots is not None:
            write_plots(scored, self.plots)
        return 0


Command = (
    Annotated[Info, subcommand("info")]
    | Annotated[Verify, subcommand("verify")]
    | Annotated[Export, subcommand("export")]
    | Annotated[Install, subcommand("install")]
    | Annotated[Validate, subcommand("validate")]
    | Annotated[Score, subcommand("score")]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; a user's mistake is one line on stderr and exit status 2."""
    command = tyro.cli(Command, args=arguments, prog="m3dsynth", description=__doc__, config=(FlagCreatePairsOff,))
    try:
        status = command.run()
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever reads the lines, such as `head`, has enough of them
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (ValueError, LookupError, OSError, ImportError) as error:
        if not isinstance(error, _expected_errors()):
            raise
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _expected_errors() -> tuple[type[Exception], ...]:
    from m3dsynth_dataset.errors import (
        DamagedReleaseError,
        ExportError,
        FormatVersionError,
        HubAccessError,
        HubUnavailableError,
        LabelsError,
        MissingExtraError,
        NotEnoughSpaceError,
        ReleaseNotFoundError,
        SubmissionError,
        UnknownSampleError,
    )

    export = ExportError, MissingExtraError, NotEnoughSpaceError
    hub = HubAccessError, HubUnavailableError
    release = DamagedReleaseError, FormatVersionError, ReleaseNotFoundError, UnknownSampleError
    scoring = LabelsError, SubmissionError
    return PermissionError, *release, *export, *hub, *scoring
