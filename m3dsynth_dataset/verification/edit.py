"""The edit of a row: whether it decodes, fits its base, and changes nothing outside its mask."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from m3dsynth_dataset.edit import EncodedEdit, sha256_of
from m3dsynth_dataset.shard import BLOSC_HEADER
from m3dsynth_dataset.verification.finding import COPY_AGAIN, MADE_WRONG, Finding, message
from m3dsynth_dataset.verification.row import Row


def check_edit(row: Row, base: np.ndarray | None, *, is_imported: bool = False) -> Iterator[Finding]:
    """Whether an edit decodes, and changes nothing outside its mask.

    Args:
        row: Of the edit; its box lies in the scan.
        base: The box's pristine voxels; None if they cannot be read.
        is_imported: Whether the mask is a label that somebody else drew, and may leave out what changed.
    """
    place = str(row["sample_id"])
    try:
        encoded = EncodedEdit.from_row(row)
    except Exception as error:
        yield Finding(place, "patch_encoding is one that this version knows", message(error), MADE_WRONG)
        return
    is_base = base is not None and sha256_of(base) == encoded.base_sha256
    if base is not None and not is_base:
        rule = f"the edit was made on the voxels of {row['volume']}: base_sha256 is {sha256_of(base)}"
        yield Finding(place, rule, encoded.base_sha256, MADE_WRONG)
    wrong = list(_check_sizes(place, encoded))
    yield from wrong
    if wrong:
        return
    # Without its base a patch is still held to decode.
    voxels = np.zeros(encoded.box.shape, np.int16) if base is None else base
    try:
        rule = "the mask decodes"
        mask = encoded.decode_mask()
        rule = "the patch decodes"
        patch = replace(encoded, base_sha256=sha256_of(voxels)).decode(voxels).patch
    except Exception as error:
        yield Finding(place, rule, message(error), COPY_AGAIN)
        return
    if not mask.any():
        yield Finding(place, "the mask has voxels", "an empty mask", MADE_WRONG)
    if is_base and not is_imported and (changed := int(np.count_nonzero((patch != voxels) & ~mask))):
        yield Finding(place, "no voxel outside the mask changes", f"{changed} that do", MADE_WRONG)


def _check_sizes(place: str, encoded: EncodedEdit) -> Iterator[Finding]:
    """Hold the header of compressed bytes against their number, before the decoder, which trusts it, sees them."""
    sizes = {"patch": 2 * encoded.box.size, "mask": -(-encoded.box.size // 8)}
    for column, size in sizes.items():
        data: bytes = getattr(encoded, column)
        decoded, stored = int.from_bytes(data[4:8], "little"), int.from_bytes(data[12:16], "little")
        if len(data) < BLOSC_HEADER or stored != len(data):
            rule, found = f"the {column} decodes", f"{len(data)} bytes that are not what blosc wrote"
            yield Finding(place, rule, found, COPY_AGAIN)
        elif decoded != size:
            rule = f"the {column} decodes to the box's {size} bytes"
            yield Finding(place, rule, f"{decoded} bytes", MADE_WRONG)
