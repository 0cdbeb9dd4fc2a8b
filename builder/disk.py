"""Room on the disk: predicted before a build, and told of when it runs out after all."""

import errno
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from builder.errors import BuilderError
from builder.extract import PARENCHYMA_PER_SCAN
from builder.rows import Row
from builder.series import Series
from generation.cubes import SIDES
from m3dsynth_dataset.byte_size import readable
from m3dsynth_dataset.schema import Split

VOLUME_SHARE, VOLUME_BYTES = 0.65, 20_000
"""A volume in the release against its raw voxels, and beside them, at most; scans of LIDC-IDRI took 0.39 to 0.49."""
CUBE_BYTES = {kind: 2 * side**3 for kind, side in SIDES.items()}
COPIES_OF_A_CUBE = 3
"""By scan, gathered, and in the store."""
ROW_BYTES = 12_000
"""Of an edit in the release, at most: 6,000 were measured."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class DiskFullError(BuilderError, OSError):
    """A disk has less room than a build needs."""


@dataclass(frozen=True)
class Needed:
    """Bytes that a build takes, at most."""

    volumes: int
    cubes: int
    filled: int
    rows: int

    @property
    def work(self) -> int:
        """In the work folder."""
        return self.volumes + self.cubes + self.filled

    def release(self, *, linked: bool) -> int:
        """In the release, whose volumes are those of the work folder where the file system can link."""
        return self.rows + (0 if linked else self.volumes)


def predict(series: Mapping[str, Series], rows: Mapping[str, Sequence[Row]], manipulations: Sequence[str]) -> Needed:
    """How much room a build takes.

    Args:
        series: Those at hand, by scan.
        rows: Of the plan, by scan.
        manipulations: One for each inpainter: what it does.
    """
    at_hand = {scan_id: members for scan_id, members in rows.items() if scan_id in series}
    sites = Counter(row["manipulation"] for members in at_hand.values() for row in members if row["site_id"])
    learned = sum(
        len(members) + PARENCHYMA_PER_SCAN for members in at_hand.values() if members[0]["split"] == Split.TRAIN
    )
    edits = sum(sites[manipulation] for manipulation in manipulations)
    raw = sum(2 * int(np.prod(series[scan_id].shape_zyx)) for scan_id in at_hand)
    return Needed(
        volumes=round(VOLUME_SHARE * raw) + len(at_hand) * VOLUME_BYTES,
        cubes=COPIES_OF_A_CUBE * (sites.total() * CUBE_BYTES["site"] + learned * CUBE_BYTES["training"]),
        filled=edits * CUBE_BYTES["site"],
        rows=(edits + len(at_hand)) * ROW_BYTES,
    )


def check_room(needed: Needed, work: Path, out: Path, *, go_on: bool = False) -> str:
    """See whether the disks have room for what is still to be written.

    Args:
        needed: In all; what an earlier run left in the work folder is counted in.
        work: The work folder.
        out: The release.
        go_on: Do not refuse.

    Returns:
        What is needed and what is free, in words.

    Raises:
        DiskFullError: If they have not.
    """
    linked, one_disk = _can_link(work, out), _disk(work) == _disk(out)
    still, release = max(0, needed.work - _taken(work)), needed.release(linked=linked)
    wanted = [(work, still + release)] if one_disk else [(work, still), (out, release)]
    told = "; ".join(f"{place}: {readable(size)} at most, {readable(_free(place))} free" for place, size in wanted)
    short = [(place, size) for place, size in wanted if size > _free(place)]
    if short and not go_on:
        place, size = short[0]
        raise DiskFullError(
            f"{place}: this build writes up to {readable(size)} there, and {readable(_free(place))} are free; make"
            " room, name another disk with --work or --out, build fewer patients, or let it try with --yes"
        )
    return f"disk: {told}"


@contextmanager
def told_when_full(needed: Needed, work: Path, out: Path) -> Iterator[None]:
    """Say what is free and what is needed when a disk is full.

    Raises:
        DiskFullError: If a disk is full.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, DiskFullError) or not (reason := _full(error)):
            raise
        place = min((work, out), key=_free)
        still = max(0, needed.work - _taken(work))
        raise DiskFullError(
            f"{place}: the disk is full ({reason}): {readable(_free(place))} free, up to {readable(still)} more"
            f" needed for the work folder ({readable(needed.work)} in all); make room, and the same command goes on"
        ) from error


def _full(error: OSError) -> str:
    """How the system says that a disk is full, if that is what an error is about."""
    if isinstance(error, shutil.Error):  # of a folder that was copied: a list of errors as text
        return next((os.strerror(number) for number in FULL if f"[Errno {number}]" in str(error)), "")
    return os.strerror(error.errno) if error.errno in FULL else ""


def _there(path: Path) -> Path:
    return next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.is_dir())


def _free(path: Path) -> int:
    return shutil.disk_usage(_there(path)).free


def _disk(path: Path) -> int:
    return _there(path).stat().st_dev


def _taken(work: Path) -> int:
    return sum(path.stat().st_size for path in work.rglob("*") if path.is_file())


def _can_link(work: Path, out: Path) -> bool:
    """Tried in folders that are named like staging folders: what a process that is killed here leaves gets cleared."""
    with _beside(work) as here, _beside(out) as there:
        (here / work.name).touch()
        try:
            os.link(here / work.name, there / out.name)
        except OSError:
            return False
        return True


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=_there(path.parent)) as folder:
        yield Path(folder)
