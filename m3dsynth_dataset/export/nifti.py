"""Samples as NIfTI files."""

from pathlib import Path

import numpy as np

from m3dsynth_dataset.export.extra import need
from m3dsynth_dataset.export.notice import notice
from m3dsynth_dataset.export.place import placed, record_of, write_record
from m3dsynth_dataset.manifest import Manifest
from m3dsynth_dataset.sample import Sample
from m3dsynth_dataset.schema import SEALED

NOTICE_BYTES = 79
"""What the description field of a NIfTI header holds."""


def export_nifti(sample: Sample, out: Path) -> Path:
    """Write ``ct.nii.gz`` (int16 HU) and ``mask.nii.gz`` (uint8; not of a sealed sample), index order x, y, z.

    Slices go upwards in the files, as ITK sorts a DICOM series, so that both show the same array.

    Raises:
        MissingExtraError: If nibabel is not installed.
    """
    nib = need("nibabel", "NIfTI files are written with")
    affine = sample.geometry.ascending(len(sample.ct)).affine_ras()
    record = record_of(sample.id, "nifti", Manifest.read(sample.release).digest)
    with placed(out, record) as (place, folder):
        arrays = {"ct": sample.ct[::-1]}
        if sample.label != SEALED:
            arrays["mask"] = sample.mask[::-1].astype(np.uint8)
        for name, voxels in arrays.items():
            image = nib.Nifti1Image(voxels.transpose(2, 1, 0), affine)
            image.header.set_xyzt_units("mm")
            image.header["descrip"] = notice(sample).encode()[:NOTICE_BYTES]
            nib.save(image, place / f"{name}.nii.gz")
        write_record(place, record)
    return folder
