"""The marks that tell an exported DICOM object from an acquired one. There is no way to export without them."""

from importlib.metadata import version
from typing import Any

from pydicom import Dataset

from m3dsynth_dataset.export.identity import MAKER
from m3dsynth_dataset.export.notice import is_synthetic, notice, story
from m3dsynth_dataset.manifest import Manifest
from m3dsynth_dataset.sample import Sample

SCHEME = "99M3DSYNTH"
"""Designator of the project's own codes; those that begin with 99 are private."""
PRIVATE_GROUP, PRIVATE_CREATOR = 0x4D33, "M3DSYNTH"
PRIVATE_ELEMENTS = {
    "format_version": 0x01,
    "sample_id": 0x02,
    "label": 0x03,
    "manipulation": 0x04,
    "generator": 0x05,
    "source": 0x06,
    "scan_id": 0x07,
    "release_digest": 0x08,
    "weights_sha256": 0x09,
    "box_start_zyx": 0x0A,
    "box_shape_zyx": 0x0B,
    "m3dsynth_version": 0x0C,
}
"""Elements of the private block, all LO but the box, which is IS; box in voxels of the stack from the head down."""
LONG_STRING, SHORT_TEXT = 64, 1024
"""Characters that the value representations LO and ST hold."""


def mark(dataset: Dataset, sample: Sample, manifest: Manifest) -> None:
    """Put every mark on an object.

    Args:
        dataset: A CT slice or a segmentation.
        sample: What it shows.
        manifest: Of the sample's release.
    """
    dataset.SeriesDescription = shortened(notice(sample))
    dataset.ContentQualification = "RESEARCH"
    if is_synthetic(sample):
        dataset.SyntheticData = "YES"
    elif "SyntheticData" not in dataset and sample.row["source"] != "user":  # of a user's own scan nothing is known
        dataset.SyntheticData = "NO"
    _add_equipment(dataset, sample)
    _add_private_block(dataset, sample, manifest)


def mark_derivation(dataset: Dataset, sample: Sample, manifest: Manifest) -> None:
    """Say that an image is derived, and how.

    Args:
        dataset: A CT slice.
        sample: What it shows.
        manifest: Of the sample's release.
    """
    earlier = f" Before that: {before}" if (before := dataset.get("DerivationDescription")) else ""
    dataset.ImageType = ["DERIVED", "SECONDARY", "AXIAL"] + ["SYNTHETIC"] * is_synthetic(sample)
    dataset.DerivationDescription = ascii_of(story(sample, manifest.digest) + earlier)[:SHORT_TEXT]
    if sample.label != "pristine":
        dataset.DerivationCodeSequence = [*dataset.get("DerivationCodeSequence", []), _derivation_code(sample)]
        dataset.CodingSchemeIdentificationSequence = [
            *dataset.get("CodingSchemeIdentificationSequence", []),
            coding_scheme(),
        ]
    if dataset.get("BurnedInAnnotation") != "YES":
        dataset.BurnedInAnnotation = "NO"


def coding_scheme() -> Dataset:
    """Who is responsible for the project's own codes."""
    scheme = Dataset()
    scheme.CodingSchemeDesignator = SCHEME
    scheme.CodingSchemeName = f"Codes of {MAKER}"
    scheme.CodingSchemeResponsibleOrganization = MAKER
    return scheme


def code(value: str, designator: str, meaning: str) -> Dataset:
    """A coded entry."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, designator, meaning
    return item


def shortened(text: str) -> str:
    """What of a text an LO holds."""
    return ascii_of(text).replace("\\", "/")[:LONG_STRING].rstrip()


def ascii_of(text: str) -> str:
    """A text in the characters that every header's character set has."""
    return text.encode("ascii", "replace").decode("ascii")


def _derivation_code(sample: Sample) -> Dataset:
    if sample.label == "control":
        return code("control", SCHEME, "Region resampled and blended, no generative model")
    return code(sample.manipulation, SCHEME, f"Nodule {sample.manipulation} by a generative model")


def _add_equipment(dataset: Dataset, sample: Sample) -> None:
    purpose = code("109100", "DCM", "Synthesizing Equipment")
    if not is_synthetic(sample):
        purpose = code("109102", "DCM", "Processing Equipment")
    equipment = Dataset()
    equipment.PurposeOfReferenceCodeSequence = [purpose]
    equipment.Manufacturer = MAKER
    equipment.ManufacturerModelName = shortened(sample.row["generator"])
    equipment.SoftwareVersions = version("m3dsynth")
    equipment.ContributionDescription = ascii_of(notice(sample))[:SHORT_TEXT]
    dataset.ContributingEquipmentSequence = [*dataset.get("ContributingEquipmentSequence", []), equipment]


def _add_private_block(dataset: Dataset, sample: Sample, manifest: Manifest) -> None:
    block = dataset.private_block(PRIVATE_GROUP, PRIVATE_CREATOR, create=True)
    for name, value in _private_values(sample, manifest).items():
        if isinstance(value, str):
            block.add_new(PRIVATE_ELEMENTS[name], "LO", shortened(value))
        elif value is not None:
            block.add_new(PRIVATE_ELEMENTS[name], "IS", [int(each) for each in value])


def _private_values(sample: Sample, manifest: Manifest) -> dict[str, Any]:
    row = {name: sample.row[name] for name in PRIVATE_ELEMENTS if name in sample.row}
    return row | {
        "format_version": manifest.format_version,
        "label": sample.label,
        "manipulation": sample.manipulation,
        "release_digest": manifest.digest,
        "m3dsynth_version": version("m3dsynth"),
    }
