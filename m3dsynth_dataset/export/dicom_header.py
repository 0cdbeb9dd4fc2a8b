"""Headers of CT slices: the original's, freed of what no longer holds, or one built from a row of the release.

Attribute types (1: present with a value, 2: present) are those of the CT Image IOD, DICOM PS3.3 A.3.
"""

from collections.abc import Iterator

import numpy as np
from pydicom import Dataset
from pydicom.valuerep import format_number_as_ds

from m3dsynth_dataset.export.identity import MAKER, uid
from m3dsynth_dataset.sample import Sample

FALSE_NOW = (
    # Of the stored values, which are others now.
    "SmallestImagePixelValue",
    "LargestImagePixelValue",
    "SmallestPixelValueInSeries",
    "LargestPixelValueInSeries",
    "SmallestImagePixelValueInPlane",
    "LargestImagePixelValueInPlane",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "RealWorldValueMappingSequence",
    "ModalityLUTSequence",
    "IconImageSequence",
    "PixelDataProviderURL",
    "PixelIntensityRelationship",
    # Of a display that was chosen for the original.
    "VOILUTSequence",
    "VOILUTFunction",
    "WindowCenterWidthExplanation",
    # Seals and approvals of the original.
    "DigitalSignaturesSequence",
    "MACParametersSequence",
    "EncryptedAttributesSequence",
    "DataSetTrailingPadding",
    "SOPInstanceStatus",
    "SOPAuthorizationDateTime",
    "SOPAuthorizationComment",
    "AuthorizationEquipmentCertificationNumber",
    "InstanceOriginStatus",
    # When, by what and in which step the original object was made; when and how the patient was scanned stays.
    "InstanceCreationDate",
    "InstanceCreationTime",
    "InstanceCreatorUID",
    "InstanceCoercionDateTime",
    "ContentDate",
    "ContentTime",
    "SeriesDate",
    "SeriesTime",
    "OverlayDate",
    "OverlayTime",
    "CurveDate",
    "CurveTime",
    "ReferencedPerformedProcedureStepSequence",
    "PerformedProcedureStepID",
    "PerformedProcedureStepDescription",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
    "PerformedProcedureStepEndDate",
    "PerformedProcedureStepEndTime",
    "PerformedProtocolCodeSequence",
    "SeriesDescriptionCodeSequence",
    "ReferencedSOPInstanceUID",
    "ReferencedSOPClassUID",
    "StorageMediaFileSetUID",
    # Written anew below.
    "SourceImageSequence",
    "ReferencedSeriesSequence",
    "StudiesContainingOtherReferencedInstancesSequence",
)
TYPE_2 = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "PatientPosition",
    "PositionReferenceIndicator",
    "Manufacturer",
    "SliceThickness",
    "KVP",
    "AcquisitionNumber",
)
"""May be empty, must be there."""


def adapted(original: Dataset) -> Dataset:
    """An original header without pixels, private elements, overlays, curves, and all else that is no longer true."""
    original.remove_private_tags()
    for name in FALSE_NOW:
        if name in original:
            del original[name]
    for tag in list(_layers(original)):
        del original[tag]
    return _completed(original)


def built(sample: Sample, index: int) -> Dataset:
    """The header of slice ``index``, as far as the release knows it; what it does not know is empty."""

    def decimals(*values: float) -> list[str]:
        return [format_number_as_ds(float(value)) for value in values]

    geometry = sample.geometry
    axes = np.reshape(geometry.direction, (3, 3)).T
    position = geometry.to_mm((index, 0, 0))
    header = Dataset()
    header.SpecificCharacterSet = "ISO_IR 192"  # a patient may have any name
    header.PatientID = sample.row["patient_id"]
    header.StudyInstanceUID = uid(f"study/{sample.row['scan_id']}")  # one for all samples of a scan
    header.FrameOfReferenceUID = uid(f"frame/{sample.row['scan_id']}")
    header.Manufacturer = MAKER
    header.BodyPartExamined = "CHEST"
    header.ImagePositionPatient = decimals(*position)
    header.ImageOrientationPatient = decimals(*axes[0], *axes[1])
    header.PixelSpacing = decimals(*geometry.spacing_mm[1:])  # between rows (y), then between columns (x)
    header.SliceLocation = decimals(position[2])[0]
    return _completed(header)


def _layers(header: Dataset) -> Iterator[int]:
    """Overlays and curves, which lie over the pixels, and group lengths, which pydicom does not keep up."""
    for element in header:
        repeating = element.tag.group & 0xFF00 in (0x5000, 0x6000)
        if repeating or element.tag.element == 0:
            yield element.tag


def _completed(header: Dataset) -> Dataset:
    """With what every CT slice must have."""
    for name in TYPE_2:
        if name not in header:
            setattr(header, name, None)
    if not header.get("FrameOfReferenceUID"):
        header.FrameOfReferenceUID = uid(f"frame/{header.StudyInstanceUID}")
    return header
