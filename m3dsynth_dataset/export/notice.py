"""What exported files say of themselves, in words."""

from m3dsynth_dataset.sample import Sample
from m3dsynth_dataset.schema import SEALED

PHANTOM = "phantom"
"""The source of computed scans."""


def is_synthetic(sample: Sample) -> bool:
    """Whether some or all voxels were made: by an edit, the control's included, or because the scan is a phantom.

    A sealed sample counts as one, for it may be.
    """
    return sample.label != "pristine" or sample.row["source"] == PHANTOM


def notice(sample: Sample) -> str:
    """One line, the most important first: formats cut it off where they have no more room."""
    if sample.label == SEALED:
        return "MAY BE SYNTHETIC: test sample, sealed (m3dsynth), not for diagnosis"
    if sample.label == "control":
        return f"SYNTHETIC: control of {sample.manipulation}, {sample.row['generator']} (m3dsynth), not for diagnosis"
    if sample.label == "tampered":
        return f"SYNTHETIC: {sample.manipulation} by {sample.row['generator']} (m3dsynth), not for diagnosis"
    if is_synthetic(sample):
        return "SYNTHETIC: phantom, not a patient (m3dsynth), not for diagnosis"
    return f"m3dsynth: unaltered {sample.row['source']} scan, not for diagnosis"


def story(sample: Sample, digest: str) -> str:
    """What was done, in a few sentences."""
    sentences = [_made(sample)]
    if sample.row["source"] == PHANTOM:
        sentences.append("The scan itself is a computed phantom, not a patient.")
    sentences.append(f"m3dsynth sample {sample.id} of release {digest[:12]}, from series {sample.row['scan_id']}.")
    sentences.append("For research on image forensics, not for diagnosis.")
    return " ".join(sentences)


def _made(sample: Sample) -> str:
    if sample.label == "pristine":
        return "Unaltered voxels, written anew by m3dsynth."
    generator = sample.row["generator"]
    start, shape = (tuple(sample.row[name]) for name in ("box_start_zyx", "box_shape_zyx"))
    box = f"the box of {shape} voxels (z, y, x) from {start}; no voxel outside it differs from the scan"
    if sample.label == "control":
        return f"SYNTHETIC (control, {generator}): resampled and blended, without a generative model, in {box}."
    return f"SYNTHETIC: lung nodule {sample.manipulation} by the generative model {generator} in {box}."
