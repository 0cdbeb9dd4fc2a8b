"""What is true of the samples of a split, as far as scoring needs it: no volume is opened."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.edit import EncodedEdit
from m3dsynth_dataset.schema import LABELS, MANIPULATIONS, SEALED, PatchEncoding, class_name
from m3dsynth_dataset.types import PatchMask, Triple

if TYPE_CHECKING:
    from m3dsynth_dataset.release import Release

_COLUMNS = ["sample_id", "patient_id", "scan_id", "label", "manipulation", "generator", "shape_zyx", "box_start_zyx",
            "box_shape_zyx", "mask"]  # fmt: skip


@dataclass(frozen=True)
class Truth:
    """One sample."""

    sample_id: str
    patient_id: str
    scan_id: str
    label: str
    """Pristine, tampered or control; sealed, as are the next two, where the release does not tell."""
    generator: str
    manipulation: str
    shape: Triple
    box: Box | None
    """Where the edit is; None for a pristine scan, or where the release does not tell."""
    encoded_mask: bytes | None

    def mask(self) -> PatchMask | None:
        """Voxels of the box that came from an inpainter; None for a pristine scan."""
        if self.box is None or self.encoded_mask is None:
            return None
        return EncodedEdit(self.box, b"", PatchEncoding.RAW, self.encoded_mask, "").decode_mask()


def truths(release: "Release", split: str) -> Iterator[Truth]:
    """Every sample of a split, the control's too.

    Args:
        release: Which.
        split: train, validation or test.
    """
    for config, splits in release.splits.items():
        if split in splits:
            for row in release.rows(config, split, _COLUMNS).to_pylist():
                yield _truth(row)


def _truth(row: dict[str, Any]) -> Truth:
    start, shape = row["box_start_zyx"], row["box_shape_zyx"]
    z, y, x = row["shape_zyx"]
    return Truth(
        row["sample_id"],
        row["patient_id"],
        row["scan_id"],
        class_name(LABELS, row["label"]),
        row["generator"] or SEALED,
        class_name(MANIPULATIONS, row["manipulation"]),
        (z, y, x),
        None if start is None else Box((start[0], start[1], start[2]), (shape[0], shape[1], shape[2])),
        row["mask"],
    )
