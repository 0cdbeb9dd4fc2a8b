"""``python -m builder phantom``."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from builder.annotations import DATABASE


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
        print(f"{self.patients} patients and {DATABASE} in {out}")
