"""Samples as DICOM: a CT Image series, one file per slice, and the mask as a segmentation of it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
from jaxtyping import Int16
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian
from pydicom.valuerep import format_number_as_ds

from m3dsynth_dataset.errors import ExportError
from m3dsynth_dataset.export.dicom_folder import DicomFolder
from m3dsynth_dataset.export.dicom_header import adapted, built
from m3dsynth_dataset.export.dicom_marks import code, mark, mark_derivation
from m3dsynth_dataset.export.identity import MAKER, Identity, uid
from m3dsynth_dataset.export.padding import Padding, original_padding, visible_padding
from m3dsynth_dataset.export.place import placed, record_of, write_record
from m3dsynth_dataset.export.segmentation import segmentation
from m3dsynth_dataset.manifest import Manifest
from m3dsynth_dataset.sample import Sample
from m3dsynth_dataset.schema import CHUNK, SEALED

SERIES, MASK = "ct", "mask.dcm"
"""Folder of the slices, and file of the segmentation, in a sample's folder."""
UNWRITABLE = (ValueError, TypeError, AttributeError, KeyError, OverflowError, NotImplementedError)
"""What pydicom raises for a header with values that no DICOM file can hold."""
LUNG_WINDOW = (-600, 1500)
"""Centre and width in HU."""

Plane = Int16[np.ndarray, "rows columns"]


def export_dicom(sample: Sample, out: Path, source: DicomFolder | None = None) -> Path:
    r"""Write ``ct/0001.dcm`` and on, from the head down, and for an edited sample its mask as ``mask.dcm``.

    Stored values are HU (slope 1, intercept 0, signed 16 bits), so that every voxel is exact. The objects are new:
    their own SOP and series UIDs, DERIVED\SECONDARY, and the marks of :mod:`~m3dsynth_dataset.export.dicom_marks`,
    which cannot be left out.

    Args:
        sample: Of a release.
        out: Folder to write into.
        source: Holds the original series. Its headers are kept as far as they hold: patient, study, frame of
            reference, acquisition. Without, the headers are built from the release.

    Raises:
        ExportError: If the source does not hold the series that the sample was made from, or the sample is sealed.
    """
    if sample.label == SEALED:
        raise ExportError(
            f"{sample.id}: a DICOM object must say what was done to it, and that is sealed; export to nifti or zarr"
        )
    manifest = Manifest.read(sample.release)
    record = record_of(sample.id, "dicom", manifest.digest, "built" if source is None else "original")
    headers = _headers(sample, manifest, source)
    with placed(out, record) as (place, folder):
        (place / SERIES).mkdir()
        for number, (header, pixels) in enumerate(zip(headers, _planes(sample), strict=True), start=1):
            _write(place / SERIES / f"{number:04d}.dcm", header, pixels)
        if (mask := sample.mask[...]).any():
            pydicom.dcmwrite(place / MASK, segmentation(sample, manifest, headers, mask), enforce_file_format=True)
        write_record(place, record)
    return folder


def _write(path: Path, header: Dataset, pixels: Plane) -> None:
    header.add_new("PixelData", "OW", pixels.astype("<i2").tobytes())
    try:
        pydicom.dcmwrite(path, header, enforce_file_format=True)
    except UNWRITABLE as error:
        origin = getattr(header, "filename", None) or "the header"
        raise ExportError(f"{origin}: cannot be written again ({error}); export without the source") from error
    del header.PixelData


def _headers(sample: Sample, manifest: Manifest, source: DicomFolder | None) -> list[Dataset]:
    """The header of every slice, whole but for the pixels."""
    if source is None:
        headers = [built(sample, index) for index in range(len(sample.ct))]
        paddings = [visible_padding(sample.ct[0])] * len(headers)
    else:
        headers = source.headers(sample)
        paddings = [original_padding(header) for header in headers]
    for index, (header, padding) in enumerate(zip(headers, paddings, strict=True)):
        if source is not None:
            origin = _reference(header)
            headers[index] = header = adapted(header)
            _refer(header, origin, sample)
        _describe_pixels(header, sample, padding)
        mark_derivation(header, sample, manifest)
        mark(header, sample, manifest)
        _identify(header, Identity(manifest.digest, sample.id, header.StudyInstanceUID), index)
    return headers


def _planes(sample: Sample) -> Iterator[Plane]:
    """Slices from the head down; as many are read at once as a chunk of the volume holds."""
    for first in range(0, len(sample.ct), CHUNK[0]):
        yield from sample.ct[first : first + CHUNK[0]]


def _describe_pixels(header: Dataset, sample: Sample, padding: Padding | None) -> None:
    """Image Pixel, Image Plane, CT Image and VOI LUT modules, as far as they speak of the pixels."""
    _, header.Rows, header.Columns = (int(length) for length in sample.row["shape_zyx"])
    header.SamplesPerPixel = 1
    header.PhotometricInterpretation = "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, 16, 15
    header.PixelRepresentation = 1
    header.RescaleSlope, header.RescaleIntercept, header.RescaleType = "1", "0", "HU"
    header.WindowCenter, header.WindowWidth = map(str, LUNG_WINDOW)
    header.SpacingBetweenSlices = format_number_as_ds(sample.geometry.spacing_mm[0])
    if padding is not None:
        padding.put(header)


def _reference(header: Dataset) -> Dataset:
    """A reference to an original slice."""
    reference = Dataset()
    reference.ReferencedSOPClassUID = header.SOPClassUID
    reference.ReferencedSOPInstanceUID = header.SOPInstanceUID
    return reference


def _refer(header: Dataset, origin: Dataset, sample: Sample) -> None:
    """General Reference and Common Instance Reference modules: which slice this one comes from."""
    source = Dataset()
    source.update(origin)
    source.SpatialLocationsPreserved = "YES"
    source.PurposeOfReferenceCodeSequence = [code("121322", "DCM", "Source image for image processing operation")]
    header.SourceImageSequence = [source]
    series = Dataset()
    series.SeriesInstanceUID = sample.row["scan_id"]
    series.ReferencedInstanceSequence = [origin]
    header.ReferencedSeriesSequence = [series]


def _identify(header: Dataset, identity: Identity, index: int) -> None:
    """Make the object a new one, in a new series."""
    header.Modality = "CT"
    header.SOPClassUID = CTImageStorage
    header.SOPInstanceUID = identity.uid(f"{SERIES}/{index + 1}")
    header.SeriesInstanceUID = identity.uid(SERIES)
    header.SeriesNumber = identity.series_number(SERIES)
    header.InstanceNumber = index + 1
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = CTImageStorage
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    header.file_meta.ImplementationClassUID = UID(uid("implementation"))
    header.file_meta.ImplementationVersionName = MAKER.upper()
