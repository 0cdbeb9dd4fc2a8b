"""Masks as DICOM segmentations, in the frame of reference of the exported series."""

from collections.abc import Sequence
from importlib.metadata import version

import highdicom as hd
import numpy as np
from jaxtyping import Bool
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.valuerep import format_number_as_ds

from m3dsynth_dataset.export.dicom_marks import SCHEME, coding_scheme, mark, shortened
from m3dsynth_dataset.export.identity import MAKER, Identity
from m3dsynth_dataset.export.notice import notice
from m3dsynth_dataset.manifest import Manifest
from m3dsynth_dataset.sample import Sample

ROLE = "mask"


def segmentation(
    sample: Sample, manifest: Manifest, slices: Sequence[Dataset], mask: Bool[np.ndarray, "z y x"]
) -> Dataset:
    """A binary segmentation with one segment: the voxels that came from the inpainter.

    Args:
        sample: What was exported.
        manifest: Of its release.
        slices: Headers of the exported slices, from the head down.
        mask: The voxels; some must be set. Slices without any are left out.
    """
    identity = Identity(manifest.digest, sample.id, slices[0].StudyInstanceUID)
    result = hd.seg.Segmentation(
        source_images=slices,
        pixel_array=mask.astype(np.uint8),
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[_segment(sample, identity)],
        series_instance_uid=identity.uid(ROLE),
        series_number=identity.series_number(ROLE),
        sop_instance_uid=identity.uid(f"{ROLE}/1"),
        instance_number=1,
        manufacturer=MAKER,
        manufacturer_model_name=shortened(sample.row["generator"]),
        software_versions=version("m3dsynth"),
        device_serial_number=manifest.digest[:12],  # of the release: the object must name a serial number
        content_label="AI_REGION",
        content_description=shortened(notice(sample)),
        content_creator_name=f"{MAKER}^",
    )
    result.CodingSchemeIdentificationSequence = [
        *result.get("CodingSchemeIdentificationSequence", []),
        coding_scheme(),
    ]
    _thicken(result, sample)
    mark(result, sample, manifest)
    result.SeriesDescription = shortened(f"Mask of {notice(sample)}")
    return result


def _thicken(dataset: Dataset, sample: Sample) -> None:
    """Give the mask's slices a thickness where the CT's own is not known: up to the next slice."""
    for groups in dataset.SharedFunctionalGroupsSequence:
        measures = groups.PixelMeasuresSequence[0]
        if not measures.get("SliceThickness"):
            measures.SliceThickness = format_number_as_ds(sample.geometry.spacing_mm[0])


def _segment(sample: Sample, identity: Identity) -> hd.seg.SegmentDescription:
    control = sample.label == "control"
    label = "Control region, no generative model" if control else "AI-generated region"
    return hd.seg.SegmentDescription(
        segment_number=1,
        segment_label=label,
        segmented_property_category=codes.SCT.SpatialAndRelationalConcept,
        segmented_property_type=hd.sr.CodedConcept("control-region" if control else "ai-region", SCHEME, label),
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=hd.AlgorithmIdentificationSequence(
            name=shortened(f"{sample.row['generator']} {sample.manipulation}"),
            family=codes.DCM.AdaptiveFiltering if control else codes.DCM.ArtificialIntelligence,
            version=shortened(sample.row["weights_sha256"] or version("m3dsynth")),
            source=MAKER,
        ),
        tracking_uid=identity.uid(f"{ROLE}/region"),
        tracking_id=shortened(sample.id),
    )
