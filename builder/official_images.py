"""The published images of M3Dsynth: a folder of TIFF slices for every tampered scan, another for its label.

They lie at ``<mod>/scan/<img_id>/slide0000.tiff`` and ``<mod>/label/<img_id>/slide0000.tiff``; slices are numbered
from 0. A scan's are of 16 bits and hold the values of the DICOM files plus an offset; a label's are of one bit.
"""

import re
import struct
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt16
from PIL import Image

from builder.errors import BuilderError
from builder.official_tables import MODS, PRISTINE_MOD, OfficialRow

SCAN, LABEL = "scan", "label"
DEEPEST = 3
"""How far below the named folder the folders of the generators may lie, however the archives were unpacked."""
_NUMBERED = re.compile(r"(\d+)\.tiff?", re.IGNORECASE)
_UNREADABLE = (OSError, SyntaxError, ValueError, TypeError, EOFError, struct.error, Image.DecompressionBombError)
"""What Pillow raises for a file that is not the image it says."""

Slice = UInt16[np.ndarray, "y x"]
LabelSlice = Bool[np.ndarray, "y x"]


class RefusedSampleError(BuilderError):
    """A published sample that cannot be imported. It is reported, and the import goes on.

    Args:
        reason: What is wrong with it.
        remedy: What to do about it.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        self.reason, self.remedy = reason, remedy
        super().__init__(f"{reason}; {remedy}")


FETCH_AGAIN = "unpack its archive again"


@dataclass(frozen=True)
class SliceFolder:
    """The slices of a scan or of a label, in the order of their numbers."""

    path: Path
    files: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.files)

    @classmethod
    def open(cls, path: Path) -> "SliceFolder":
        """List a folder.

        Raises:
            RefusedSampleError: If there is none, it has no slices, or a number is missing or doubled between them.
        """
        if not path.is_dir():
            raise RefusedSampleError(f"no folder {path}", FETCH_AGAIN)
        numbered = sorted(_numbered(path.iterdir()))
        if not numbered:
            raise RefusedSampleError(f"no slices in {path}", FETCH_AGAIN)
        for (number, file), (following, next_file) in pairwise(numbered):
            if following == number:
                raise RefusedSampleError(f"slice {number} is doubled: {file} and {next_file.name}", FETCH_AGAIN)
            if following > number + 1:
                missing = (
                    f"slice {number + 1}" if following == number + 2 else f"slices {number + 1} to {following - 1}"
                )
                raise RefusedSampleError(f"{missing} missing in {path}", FETCH_AGAIN)
        return cls(path, tuple(file for _, file in numbered))

    def scan_slice(self, index: int, shape: tuple[int, int]) -> Slice:
        """A slice of a scan, as stored.

        Args:
            index: From 0.
            shape: Rows and columns that it must have.

        Raises:
            RefusedSampleError: If it cannot be read, or is not of 16 bits or of another size.
        """
        pixels = _read(self.files[index], shape)
        if pixels.dtype.kind not in "ui" or pixels.dtype.itemsize != 2:
            raise RefusedSampleError(f"{self.files[index]}: not an image of 16 bits but {pixels.dtype}", FETCH_AGAIN)
        return pixels.astype(np.uint16)

    def label_slice(self, index: int, shape: tuple[int, int]) -> LabelSlice:
        """A slice of a label; likewise. Any value above 0 is of the label."""
        return np.asarray(_read(self.files[index], shape) > 0)


@dataclass(frozen=True)
class PublishedImages:
    """Where the folders of the generators lie."""

    root: Path
    folders: dict[str, Path]
    """By generator, as this project calls it."""

    def place(self, row: OfficialRow, kind: str) -> Path:
        """Where a sample's ``scan`` or ``label`` lies, or should."""
        folder = self.folders.get(row.generator, self.root / MODS[row.generator])
        return folder / kind / row.site.site_id

    def has(self, row: OfficialRow) -> bool:
        """Whether there is anything of a sample."""
        return any(self.place(row, kind).is_dir() for kind in (SCAN, LABEL))


def find_images(root: Path) -> PublishedImages:
    """Find the folders of the generators.

    Raises:
        BuilderError: If there is none.
    """
    mods = {mod: generator for generator, mod in MODS.items() if mod != PRISTINE_MOD}
    folders: dict[str, Path] = {}
    for folder in _folders(root):
        if folder.name in mods and (folder / SCAN).is_dir():
            folders.setdefault(mods[folder.name], folder)
    if not folders:
        raise BuilderError(
            f"{root}: no folder {' or '.join(f'{mod}/{SCAN}' for mod in mods)} there; --m3dsynth names the folder into "
            "which the published archives were unpacked"
        )
    return PublishedImages(root, folders)


def _folders(root: Path) -> Iterator[Path]:
    """The folders at and below a folder, the nearest first; not into those that hold a generator's images."""
    level = [root] if root.is_dir() else []
    for _ in range(DEEPEST + 1):
        yield from level
        level = [
            each
            for folder in level
            if not (folder / SCAN).is_dir()
            for each in sorted(folder.iterdir())
            if each.is_dir() and not each.name.startswith(".")
        ]


def _numbered(files: Iterator[Path]) -> Iterator[tuple[int, Path]]:
    for file in files:
        if found := _NUMBERED.search(file.name):
            yield int(found[1]), file


def _read(path: Path, shape: Sequence[int]) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd tags; what counts is whether the pixels are there.
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                pixels = np.asarray(image)
    except _UNREADABLE as error:
        raise RefusedSampleError(f"{path}: cannot be read ({error})", FETCH_AGAIN) from error
    if pixels.shape != tuple(shape):
        raise RefusedSampleError(
            f"{path}: has {pixels.shape} pixels, a slice of the scan {tuple(shape)}", "compare it with the DICOM series"
        )
    return pixels
