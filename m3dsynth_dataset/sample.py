"""Samples: a pristine scan, or a scan with one edit."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from m3dsynth_dataset.edit import EncodedEdit
from m3dsynth_dataset.errors import DamagedReleaseError, SealedError
from m3dsynth_dataset.lazy import EditedVolume, MaskVolume
from m3dsynth_dataset.schema import LABELS, MANIPULATIONS, SEALED, class_name
from m3dsynth_dataset.shard import VoxelSource
from m3dsynth_dataset.volume import Geometry
from m3dsynth_dataset.volumes import Volumes


class Sample:
    """A row of a release. Nothing of the scan is read before it is asked for.

    Args:
        release: Folder of the release, or of what was downloaded of it; its manifest is there.
        row: The row's columns, as ``datasets`` or Arrow give them.
        volumes: Those of the release.
    """

    def __init__(self, release: Path, row: Mapping[str, Any], volumes: Volumes) -> None:
        self.release = release
        self.row = dict(row)
        self._volumes = volumes

    @property
    def id(self) -> str:
        """Such as ``dm/inj_12``."""
        return str(self.row["sample_id"])

    @property
    def label(self) -> str:
        """Pristine, tampered or control; sealed where the release does not tell."""
        return class_name(LABELS, self.row["label"])

    @property
    def manipulation(self) -> str:
        """None, injection or removal; sealed where the release does not tell."""
        return class_name(MANIPULATIONS, self.row["manipulation"])

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
        """The scan in HU (z, y, x) as it was before; read where it is indexed.

        Raises:
            SealedError: If the release does not tell.
        """
        self._check_open("what the scan was like before")
        return EditedVolume(self._volume, None)

    @cached_property
    def mask(self) -> MaskVolume:
        """Voxels (z, y, x) that came from the inpainter.

        Raises:
            SealedError: If the release does not tell.
        """
        self._check_open("which voxels came from an inpainter, if any")
        z, y, x = (int(length) for length in self.row["shape_zyx"])
        return MaskVolume((z, y, x), self._encoded)

    def export(
        self,
        out: str | Path,
        *,
        to: Literal["dicom", "nifti", "zarr"] = "nifti",
        source: str | Path | None = None,
    ) -> Path:
        """Write the CT and the mask, whole, to files that other tools open.

        Args:
            out: Folder to write into; made if it is missing.
            to: ``dicom`` for a CT series in ``ct/`` and the mask as a segmentation in ``mask.dcm``, ``nifti`` for
                ``ct.nii.gz`` and ``mask.nii.gz``, ``zarr`` for a group with the arrays ``ct`` and ``mask``.
            source: For ``dicom``: the folder that holds the scan's original DICOM files, in any layout, whose headers
                are then kept as far as they hold. Every header below it is read, so name the scan's own folder; for
                many samples, ``export_samples`` reads them once. Without it, headers are built from the release.

        Returns:
            The folder of this sample in ``out``: its id, then the form. What an earlier export left there is replaced.

        Raises:
            ValueError: If there is no such form, or a source is given for another than ``dicom``.
            ExportError: If the source does not hold the scan, or something else is in the way.
            MissingExtraError: If a library of the extra ``export`` is missing.
        """
        from m3dsynth_dataset.export import export  # which knows samples itself

        return export(self, Path(out), to, source)

    @cached_property
    def _volume(self) -> VoxelSource:
        volume = self._volumes.open(self.row["volume"])
        if list(volume.shape) != [int(length) for length in self.row["shape_zyx"]]:
            raise DamagedReleaseError(
                f"{self.row['volume']}: {volume.shape} voxels, but the row says {list(self.row['shape_zyx'])}"
            )
        return volume

    def _check_open(self, asked: str) -> None:
        if self.label == SEALED:
            raise SealedError(f"{self.id}: {asked} is sealed; whoever sealed the release has the labels. `ct` is open")

    @property
    def _encoded(self) -> EncodedEdit | None:
        return None if self.row["patch"] is None else EncodedEdit.from_row(self.row)

    def __repr__(self) -> str:
        return f"Sample({self.id!r}, {self.label}, shape={tuple(self.row['shape_zyx'])})"
