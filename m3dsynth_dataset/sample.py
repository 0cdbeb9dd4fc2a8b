"""Samples: a pristine scan, or a scan with one edit."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from m3dsynth_dataset.edit import EncodedEdit
from m3dsynth_dataset.errors import DamagedReleaseError
from m3dsynth_dataset.lazy import EditedVolume, MaskVolume
from m3dsynth_dataset.manifest import FileRecord, record_file
from m3dsynth_dataset.schema import LABELS, MANIPULATIONS
from m3dsynth_dataset.shard import VoxelSource
from m3dsynth_dataset.volume import Geometry, open_voxels


class Sample:
    """A row of a release. Nothing of the scan is read before it is asked for.

    Args:
        release: Folder of the release.
        row: The row's columns, as ``datasets`` or Arrow give them.
        files: The files of the release's manifest. Voxels carry checksums of their own; a volume's metadata, which
            says how to read them, is held against this.
    """

    def __init__(self, release: Path, row: Mapping[str, Any], files: Mapping[str, FileRecord] | None = None) -> None:
        self.release = release
        self.row = dict(row)
        self._files = files or {}

    @property
    def id(self) -> str:
        """Such as ``dm/inj_12``."""
        return str(self.row["sample_id"])

    @property
    def label(self) -> str:
        """Pristine, tampered or control."""
        return LABELS[self.row["label"]]

    @property
    def manipulation(self) -> str:
        """None, injection or removal."""
        return MANIPULATIONS[self.row["manipulation"]]

    @property
    def geometry(self) -> Geometry:
        """Where the voxels lie in the patient."""
        return Geometry(
            tuple(map(float, self.row["spacing_mm"])),  # type: ignore[arg-type]  # three, by the schema
            tuple(map(float, self.row["origin_mm"])),  # type: ignore[arg-type]
            tuple(map(float, self.row["direction"])),
        )

    @cached_property
    def ct(self) -> EditedVolume:
        """The scan in HU (z, y, x) with the edit applied; read where it is indexed."""
        return EditedVolume(self._volume, self._encoded)

    @cached_property
    def pristine(self) -> EditedVolume:
        """The scan in HU (z, y, x) as it was before; read where it is indexed."""
        return EditedVolume(self._volume, None)

    @cached_property
    def mask(self) -> MaskVolume:
        """Voxels (z, y, x) that came from the inpainter."""
        z, y, x = (int(length) for length in self.row["shape_zyx"])
        return MaskVolume((z, y, x), self._encoded)

    def export(self, out: str | Path, *, to: Literal["nifti", "zarr"] = "nifti") -> Path:
        """Write the CT and the mask to files that other tools open.

        Args:
            out: Folder to write into; made if it is missing.
            to: ``nifti`` for two .nii.gz files, ``zarr`` for a group with the arrays ``ct`` and ``mask``.

        Returns:
            The folder of this sample in ``out``.
        """
        from m3dsynth_dataset.export import EXPORTERS  # which knows samples itself

        if to not in EXPORTERS:
            raise ValueError(f"to must be one of {', '.join(EXPORTERS)}, got {to!r}")
        return EXPORTERS[to](self, Path(out))

    @cached_property
    def _volume(self) -> VoxelSource:
        self._check_metadata()
        volume = open_voxels(self.release / self.row["volume"])
        if list(volume.shape) != [int(length) for length in self.row["shape_zyx"]]:
            raise DamagedReleaseError(
                f"{self.row['volume']}: {volume.shape} voxels, but the row says {list(self.row['shape_zyx'])}"
            )
        return volume

    def _check_metadata(self) -> None:
        name = f"{self.row['volume']}/zarr.json"
        path = self.release / name
        if name in self._files and path.is_file() and record_file(path) != self._files[name]:
            raise DamagedReleaseError(f"{path}: is not the file that the release's manifest names")

    @property
    def _encoded(self) -> EncodedEdit | None:
        return None if self.row["patch"] is None else EncodedEdit.from_row(self.row)

    def __repr__(self) -> str:
        return f"Sample({self.id!r}, {self.label}, shape={tuple(self.row['shape_zyx'])})"
