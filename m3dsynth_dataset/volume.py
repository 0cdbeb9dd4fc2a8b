"""Volumes on disk: one zarr v3 array each, all chunks in one shard."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.codecs import BloscCodec, Crc32cCodec

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.errors import DamagedReleaseError
from m3dsynth_dataset.schema import AIR_HU, BLOSC_BLOCK, CHUNK, FORMAT_VERSION
from m3dsynth_dataset.shard import VoxelSource, open_shard
from m3dsynth_dataset.types import Triple, Volume, VolumeMask


@dataclass(frozen=True)
class Geometry:
    """Where the voxels of a scan lie in the patient (LPS, mm), as DICOM and ITK have it."""

    spacing_mm: tuple[float, float, float]
    """z, y, x."""
    origin_mm: tuple[float, float, float]
    """x, y, z of the centre of voxel (0, 0, 0)."""
    direction: tuple[float, ...]
    """Row-major 3 x 3 matrix whose columns are the directions of the x, y and z index axes."""

    def to_mm(self, zyx: tuple[float, float, float]) -> tuple[float, float, float]:
        """The point of the patient (x, y, z) at an index (z, y, x)."""
        steps = np.multiply(zyx, self.spacing_mm)[::-1]
        x, y, z = np.asarray(self.origin_mm) + np.reshape(self.direction, (3, 3)) @ steps
        return float(x), float(y), float(z)

    def ascending(self, slices: int) -> "Geometry":
        """The geometry of the same voxels with their slices in the opposite order, as ITK sorts a series."""
        matrix = np.reshape(self.direction, (3, 3)) * (1, 1, -1) + 0.0  # no negative zeros
        return type(self)(self.spacing_mm, self.to_mm((slices - 1, 0, 0)), tuple(matrix.ravel().tolist()))

    def affine_ras(self) -> np.ndarray:
        """The 4 x 4 matrix of NIfTI, from index (x, y, z) to mm along right, anterior, superior."""
        affine = np.eye(4)
        affine[:3, :3] = np.reshape(self.direction, (3, 3)) * np.array(self.spacing_mm)[::-1]
        affine[:3, 3] = self.origin_mm
        return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def write_volume(
    path: Path, voxels: Volume | VolumeMask, attributes: dict[str, Any], fill_value: int = int(AIR_HU)
) -> None:
    """Write a scan. Pristine and tampered voxels go through this one writer, so the format tells nothing.

    Args:
        path: Folder to write; must not exist.
        voxels: The scan in HU, or a mask.
        attributes: What else a reader should know; JSON.
        fill_value: Of the chunks that need not be stored, and beyond the volume's edge.
    """
    array = zarr.create_array(
        store=str(path),
        shape=voxels.shape,
        dtype=voxels.dtype,
        chunks=CHUNK,
        shards=_shard(voxels.shape),
        compressors=(
            BloscCodec(cname="zstd", clevel=5, shuffle="shuffle", typesize=voxels.itemsize, blocksize=BLOSC_BLOCK),
            Crc32cCodec(),  # blosc would give wrong voxels for a flipped bit
        ),
        fill_value=fill_value,
        dimension_names=("z", "y", "x"),
        attributes={"format_version": FORMAT_VERSION, **attributes},
    )
    array[...] = voxels


def open_volume(path: Path) -> zarr.Array[Any]:
    """Open a scan that :func:`write_volume` wrote.

    Raises:
        DamagedReleaseError: If there is no such array.
    """
    try:
        return zarr.open_array(str(path), mode="r")
    except (FileNotFoundError, ValueError, KeyError) as error:
        raise DamagedReleaseError(f"{path}: no volume there that zarr can read ({error})") from error


class ZarrVolume:
    """A volume read through zarr-python, whatever its layout."""

    def __init__(self, array: zarr.Array[Any]) -> None:
        self._array = array
        z, y, x = array.shape
        self.shape: Triple = (z, y, x)
        self.dtype = np.dtype(array.dtype)

    def read(self, box: Box) -> np.ndarray:
        """The voxels of a box that lies inside."""
        return np.array(self._array[box.slices()])


def open_voxels(path: Path) -> VoxelSource:
    """A scan that :func:`write_volume` wrote, to read boxes from as fast as can be.

    Raises:
        DamagedReleaseError: If there is no such array.
    """
    return open_shard(path) or ZarrVolume(open_volume(path))


def _shard(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(-(-length // chunk) * chunk for length, chunk in zip(shape, CHUNK, strict=True))
