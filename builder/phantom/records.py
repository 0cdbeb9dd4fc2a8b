"""What the annotation database says of a scan."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ratings:
    """A reader's opinion of a nodule, in the scales of LIDC: 1 to 5, calcification 1 to 6."""

    subtlety: int
    internal_structure: int
    calcification: int
    sphericity: int
    margin: int
    lobulation: int
    spiculation: int
    texture: int
    malignancy: int


@dataclass(frozen=True)
class Contour:
    """An outline on one slice."""

    height: float
    """The slice's z in mm, as in its DICOM header."""
    file: str
    """Name of the slice's file."""
    points: tuple[tuple[int, int], ...]
    """Pixels (x, y), column first; the last one is the first again."""

    @property
    def text(self) -> str:
        """Lines of ``x,y``."""
        return "\n".join(f"{x},{y}" for x, y in self.points)


@dataclass(frozen=True)
class Reading:
    """One reader's annotation of one nodule."""

    name: str
    """The reader's own name for the nodule."""
    ratings: Ratings
    contours: tuple[Contour, ...]


@dataclass(frozen=True)
class ScanRecord:
    """One CT series with all its annotations."""

    study: str
    series: str
    patient: str
    thickness: float
    pixel: float
    contrast: bool
    heights: tuple[float, ...]
    """z of the slices in mm, ascending."""
    files: tuple[str, ...]
    """Their files."""
    readings: tuple[Reading, ...]
