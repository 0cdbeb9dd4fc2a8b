"""Samples as files of other formats. Every file says that it is synthetic where its format has a place for it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import zarr

from m3dsynth_dataset.sample import Sample
from m3dsynth_dataset.staging import staged
from m3dsynth_dataset.volume import write_volume

NOTICE_BYTES = 79
"""What the description field of a NIfTI header holds."""


def export_nifti(sample: Sample, out: Path) -> Path:
    """Write ``ct.nii.gz`` (int16 HU) and ``mask.nii.gz`` (uint8), index order x, y, z as NIfTI has it.

    Slices go upwards in the files, as ITK sorts a DICOM series, so that both show the same array.

    Raises:
        ImportError: If nibabel is not installed.
    """
    try:
        import nibabel as nib
    except ImportError as error:
        raise ImportError("NIfTI files are written with nibabel: pip install 'm3dsynth[export]'") from error

    affine = sample.geometry.ascending(len(sample.ct)).affine_ras()
    folder = out / _name(sample)
    with staged(folder) as place:
        place.mkdir()
        for name, voxels in (("ct", sample.ct[::-1]), ("mask", sample.mask[::-1].astype(np.uint8))):
            image = nib.Nifti1Image(voxels.transpose(2, 1, 0), affine)
            image.header.set_xyzt_units("mm")
            image.header["descrip"] = _notice(sample).encode()[:NOTICE_BYTES]
            nib.save(image, place / f"{name}.nii.gz")
    return folder


def export_zarr(sample: Sample, out: Path) -> Path:
    """Write a zarr v3 group with the arrays ``ct`` (int16 HU) and ``mask`` (uint8), both (z, y, x), whole."""
    attributes = {name: sample.row[name] for name in ("scan_id", "spacing_mm", "origin_mm", "direction")}
    folder = out / f"{_name(sample)}.zarr"
    with staged(folder) as place:
        zarr.create_group(str(place), attributes={"sample_id": sample.id, "notice": _notice(sample)})
        write_volume(place / "ct", sample.ct[...], {**attributes, "unit": "HU"})
        write_volume(place / "mask", sample.mask[...].astype(np.uint8), attributes, fill_value=0)
    return folder


EXPORTERS: dict[str, Callable[[Sample, Path], Path]] = {"nifti": export_nifti, "zarr": export_zarr}
"""What ``Sample.export(to=...)`` knows."""


def _notice(sample: Sample) -> str:
    if sample.label == "pristine":
        return f"m3dsynth: unaltered {sample.row['source']} scan, not for diagnosis"
    return f"SYNTHETIC: {sample.manipulation} by {sample.row['generator']} (m3dsynth), not for diagnosis"


def _name(sample: Sample) -> str:
    return sample.id.replace("/", "_")
