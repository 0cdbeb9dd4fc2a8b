"""Samples as files of other formats. Every file says that it is synthetic where its format has a place for it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from m3dsynth_dataset.export.extra import need
from m3dsynth_dataset.export.nifti import export_nifti
from m3dsynth_dataset.export.zarr_group import export_zarr
from m3dsynth_dataset.sample import Sample

FORMS = ("dicom", "nifti", "zarr")
"""What ``Sample.export(to=...)`` knows."""


def export(sample: Sample, out: Path, to: str, source: str | Path | None = None) -> Path:
    """Write one sample.

    Args:
        sample: Of a release.
        out: Folder to write into; made if it is missing.
        to: One of ``FORMS``.
        source: Folder with the original DICOM files; for ``dicom`` alone.

    Raises:
        ValueError: If there is no such form, or a source is given for another than ``dicom``.
        ExportError: If the sample cannot be written as wanted.
        MissingExtraError: If a library of the extra ``export`` is missing.
    """
    check_form(to, source)
    return load_exporter(to, source)(sample, out)


def check_form(to: str, source: str | Path | None) -> None:
    """See whether there is such a form, and whether it takes a source.

    Raises:
        ValueError: If not.
    """
    if to not in FORMS:
        raise ValueError(f"to must be one of {', '.join(FORMS)}, got {to!r}")
    if source is not None and to != "dicom":
        raise ValueError(f"source gives the headers of DICOM files, so it needs to='dicom', got to={to!r}")


def load_exporter(to: str, source: str | Path | None) -> Callable[[Sample, Path], Path]:
    """What writes samples in a form.

    Raises:
        ExportError: If there is no such source.
        MissingExtraError: If a library of the extra ``export`` is missing.
    """
    if to != "dicom":
        return {"nifti": export_nifti, "zarr": export_zarr}[to]
    need("pydicom", "DICOM files are written with")
    need("highdicom", "DICOM segmentations are written with")
    from m3dsynth_dataset.export.dicom import export_dicom
    from m3dsynth_dataset.export.dicom_folder import DicomFolder

    return partial(export_dicom, source=None if source is None else DicomFolder(Path(source)))
