"""UIDs that depend on nothing but what they name, so that an export done again gives the same."""

from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

MAKER = "m3dsynth"
SERIES_NUMBERS = range(10_000, 100_000)
"""Beyond those of scanners."""


@dataclass(frozen=True)
class Identity:
    """What the UIDs of an exported series are made from."""

    digest: str
    """Of the release."""
    sample_id: str
    study: str
    """StudyInstanceUID that the series goes into: with the original headers it is another than without."""

    def uid(self, role: str) -> str:
        """The UID of the series (``ct``, ``mask``) or of a file of it (``ct/1``)."""
        return uid(f"export/{self.digest}/{self.sample_id}/{self.study}/{role}")

    def series_number(self, role: str) -> int:
        """A SeriesNumber that other samples in the same study hardly have."""
        return SERIES_NUMBERS[int(self.uid(role).rpartition(".")[2]) % len(SERIES_NUMBERS)]


def uid(name: str) -> str:
    """A UID of the root 2.25 (DICOM PS3.5 B.2) made from a name."""
    return f"2.25.{uuid5(NAMESPACE_URL, f'{MAKER}/{name}').int}"
