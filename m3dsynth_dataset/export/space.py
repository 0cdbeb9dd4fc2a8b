"""How much room an export takes, and whether the disk has it."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from m3dsynth_dataset.byte_size import readable
from m3dsynth_dataset.errors import NotEnoughSpaceError
from m3dsynth_dataset.export.selection import Entry
from m3dsynth_dataset.manifest import Manifest

HEADER_BYTES = 8192
"""Of a DICOM slice and its block on the disk, at most."""
GZIP_SHARE = 1.35
"""A NIfTI file against the release's volume of the same scan: 1.25 was measured for scans, 1.29 for phantoms."""


def predicted(entries: Iterable[Entry], to: str, manifest: Manifest) -> int:
    """Bytes that samples take in a form: exact but for headers in DICOM and zarr, an upper estimate in NIfTI."""
    stored: dict[str, int] = {}
    for name, record in manifest.files.items():
        parts = name.split("/")
        if parts[0] == "volumes" and len(parts) > 1:
            volume = f"volumes/{parts[1]}"
            stored[volume] = stored.get(volume, 0) + record.size
    return sum(_predicted(entry, to, stored) for entry in entries)


def check_space(out: Path, needed: int, samples: int, to: str) -> None:
    """See whether the disk has room.

    Raises:
        NotEnoughSpaceError: If it has not.
    """
    place = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise NotEnoughSpaceError(
            f"{out}: {samples:,} samples as {to} take about {readable(needed)}, {readable(free)} are free there; "
            "export fewer of them (samples, --config, --split), or to another disk"
        )


def _predicted(entry: Entry, to: str, stored: dict[str, int]) -> int:
    depth, height, width = entry.shape_zyx
    raw = 2 * depth * height * width
    if to == "dicom":
        return raw + depth * HEADER_BYTES
    volume = stored.get(entry.volume, raw)
    return volume if to == "zarr" else round(volume * GZIP_SHARE)
