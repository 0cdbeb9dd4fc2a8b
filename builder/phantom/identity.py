"""Names of phantom patients, and UIDs that depend on nothing but the seed."""

from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from builder.phantom.stature import Size

PREFIX = "PHANTOM-"
MAKER = "m3dsynth"


@dataclass(frozen=True)
class Identity:
    """One patient of one phantom."""

    seed: int
    size: Size
    number: int
    """From 1."""

    @property
    def patient(self) -> str:
        """PatientID."""
        return f"{PREFIX}{self.number:04d}"

    def uid(self, role: str) -> str:
        """A UID of the root 2.25 (DICOM PS3.5 B.2), one for each role, seed, size and patient."""
        return implementation_uid(f"{self.seed}/{self.size}/{self.number}/{role}")


def implementation_uid(name: str) -> str:
    """A UID made from a name."""
    return f"2.25.{uuid5(NAMESPACE_URL, f'{MAKER}/phantom/{name}').int}"
