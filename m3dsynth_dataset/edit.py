"""Edits: what tampering did to a scan, as a box, the box's voxels afterwards, and a mask.

An edit in memory is an :class:`Edit`; in a release it is an :class:`EncodedEdit`, a few columns of a row.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numcodecs import Blosc

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.errors import DamagedReleaseError
from m3dsynth_dataset.schema import PatchEncoding
from m3dsynth_dataset.types import Patch, PatchMask

_VOXELS = Blosc(cname="zstd", clevel=5, shuffle=Blosc.SHUFFLE, typesize=2)
_BITS = Blosc(cname="zstd", clevel=5, shuffle=Blosc.NOSHUFFLE, typesize=1)


@dataclass(frozen=True, eq=False)
class Edit:
    """One site done by one inpainter. Nothing outside the box changes."""

    box: Box
    patch: Patch
    """The box's voxels afterwards, in HU."""
    mask: PatchMask
    """Voxels that came from the inpainter: blend weight > 0."""

    def __post_init__(self) -> None:
        if self.patch.shape != self.box.shape or self.mask.shape != self.box.shape:
            raise ValueError(
                f"patch and mask must have the box's shape {self.box.shape}, "
                f"got {self.patch.shape} and {self.mask.shape}"
            )

    def overlay(self, voxels: np.ndarray, region: Box) -> None:
        """Put the part of the edit that falls into a region over the region's voxels, in place."""
        both = self.box.intersection(region)
        if both.size:
            voxels[both.relative_to(region).slices()] = self.patch[both.relative_to(self.box).slices()]


@dataclass(frozen=True)
class EncodedEdit:
    """An edit as the columns of a row hold it."""

    box: Box
    patch: bytes
    patch_encoding: PatchEncoding
    mask: bytes
    base_sha256: str

    @classmethod
    def encode(cls, edit: Edit, base: Patch) -> "EncodedEdit":
        """Compress an edit, as voxels or as differences from the pristine ones, whichever is smaller.

        Args:
            edit: The edit.
            base: The box's voxels in the pristine scan.
        """
        raw = _VOXELS.encode(_little_endian(edit.patch))
        delta = _VOXELS.encode(_little_endian(edit.patch - base))
        patch, encoding = (raw, PatchEncoding.RAW) if len(raw) <= len(delta) else (delta, PatchEncoding.DELTA)
        mask = _BITS.encode(np.packbits(edit.mask))
        return cls(edit.box, bytes(patch), encoding, bytes(mask), sha256_of(base))

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "EncodedEdit":
        """Take the edit out of a row that has one."""
        box = Box(_triple(row["box_start_zyx"]), _triple(row["box_shape_zyx"]))
        return cls(box, row["patch"], PatchEncoding(row["patch_encoding"]), row["mask"], row["base_sha256"])

    def columns(self) -> dict[str, Any]:
        """The edit's columns of a row."""
        return {
            "box_start_zyx": list(self.box.start),
            "box_shape_zyx": list(self.box.shape),
            "patch": self.patch,
            "patch_encoding": str(self.patch_encoding),
            "mask": self.mask,
            "base_sha256": self.base_sha256,
        }

    def decode(self, base: Patch) -> Edit:
        """Restore the edit.

        Args:
            base: The box's voxels in the pristine scan.

        Raises:
            DamagedReleaseError: If ``base`` is not what the edit was made on, or the bytes do not fill the box.
        """
        if (found := sha256_of(base)) != self.base_sha256:
            raise DamagedReleaseError(
                f"the pristine voxels under the edit have sha256 {found[:12]}, the edit was made on "
                f"{self.base_sha256[:12]}: the volume is damaged or of another release"
            )
        voxels = np.frombuffer(self._sized(_VOXELS, self.patch, 2 * self.box.size), dtype="<i2")
        patch = voxels.reshape(self.box.shape).astype(np.int16)
        if self.patch_encoding is PatchEncoding.DELTA:
            patch += base
        return Edit(self.box, patch, self.decode_mask())

    def decode_mask(self) -> PatchMask:
        """Restore the mask alone, for which the pristine voxels are not needed."""
        bits = np.frombuffer(self._sized(_BITS, self.mask, -(-self.box.size // 8)), dtype=np.uint8)
        return np.unpackbits(bits, count=self.box.size).astype(bool).reshape(self.box.shape)

    def _sized(self, codec: Blosc, data: bytes, size: int) -> bytes:
        decoded: bytes = codec.decode(data)
        if len(decoded) != size:
            raise DamagedReleaseError(
                f"an edit of box {self.box.shape} must decode to {size} bytes, got {len(decoded)}"
            )
        return decoded


def sha256_of(voxels: Patch) -> str:
    """Checksum of voxels: C order, little-endian int16."""
    return hashlib.sha256(_little_endian(voxels)).hexdigest()


def _little_endian(voxels: Patch) -> bytes:
    return np.ascontiguousarray(voxels, dtype="<i2").tobytes()


def _triple(values: Any) -> tuple[int, int, int]:  # noqa: ANN401 - list, array or tensor, as the user's format has it
    z, y, x = (int(value) for value in values)
    return z, y, x
