"""How fast an edit is made around the inpainter, beside the same steps taken on the whole scan."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from jaxtyping import Bool, Float64
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from builder.cube import cut_cube
from builder.insert import Insertion
from builder.perf.measurement import Measurement
from builder.perf.plain_edit import Levels, plain_edit
from builder.scan import CT_RANGE_HU
from generation.filling import fill
from generation.identity import Identity
from generation.mask import core
from m3dsynth_dataset.edit import EncodedEdit
from m3dsynth_dataset.types import Triple, Volume

SHAPE, SPACING_MM = (140, 512, 512), (2.5, 0.82, 0.82)
"""Those of LIDC-IDRI-0003."""
LUNG_HU, NOISE_HU = -850, 30
TARGET = 80.0
CLOSEST = (26, 26, 26)
"""Voxels from a centre to the scan's edge, so that theirs need not be padded."""
SITES, GENERATORS = 8, 4
"""In a round: a batch of cubes on a CPU, filled by three generators and the control."""


@dataclass(frozen=True)
class Still(Identity):
    """Hides the core, as generators do, and leaves it blank."""

    @property
    def hidden(self) -> Bool[np.ndarray, "32 32 32"]:
        """The core."""
        return core()


def measure_editing(rounds: int) -> Measurement:
    """From a scan to edits as they stand in a release, beside :mod:`builder.perf.plain_edit`; without the generators.

    Both work on the same scan in memory, at the same places, and make an edit for each of three generators and the
    control. Ours cuts a cube and looks at the noise once for all four; theirs, as CT-GAN, begins anew.

    Args:
        rounds: Of ours and of theirs, in turns; the median counts.
    """
    scan = _scan()
    theirs_scan, rng = scan.astype(np.float64), np.random.default_rng(0)
    ours, theirs = [], []
    with threadpool_limits(1):  # as each of a build's workers has it
        for places in tqdm(_places(rounds), desc="edits", total=rounds, leave=False, disable=None):
            ours.append(_seconds(our_edits, scan, places, rng) / SITES / GENERATORS)
            theirs.append(_seconds(_plain_edits, theirs_scan, places[: SITES // 2], rng) / (SITES // 2))
    fast, slow = 1000 * median(ours), 1000 * median(theirs)
    name = f"extract, equalise and insert, per edit of a scan of {SHAPE[0]} slices"
    return Measurement(name, fast, slow, "ms", slow / fast, TARGET, "CT-GAN's steps on the whole scan")


def our_edits(scan: Volume, places: Sequence[Triple], rng: np.random.Generator) -> list[EncodedEdit]:
    """What the builder does for a scan's edits."""
    originals = [cut_cube(scan, centre, SPACING_MM) for centre in places]
    filled = [fill(Still(), np.rint(originals).astype(np.int16), range(len(places))) for _ in range(GENERATORS)]
    edits = []
    for centre, original, *cubes in zip(places, originals, *filled, strict=True):
        place = Insertion.at(scan, centre, SPACING_MM, original, CT_RANGE_HU, rng)
        edits += [EncodedEdit.encode(place.edit(cube.astype(np.float32)), place.pristine) for cube in cubes]
    return edits


def _plain_edits(scan: Float64[np.ndarray, "z y x"], places: Sequence[Triple], rng: np.random.Generator) -> None:
    levels = Levels.straight()
    for centre in places:
        plain_edit(scan, centre, SPACING_MM, levels, rng)


def _scan() -> Volume:
    noise = np.random.default_rng(0).standard_normal(SHAPE, dtype=np.float32)
    return (LUNG_HU + NOISE_HU * noise).astype(np.int16)


def _places(rounds: int) -> Iterator[list[Triple]]:
    rng = np.random.default_rng(1)
    highest = [length - edge for length, edge in zip(SHAPE, CLOSEST, strict=True)]
    for _ in range(rounds):
        yield [(int(z), int(y), int(x)) for z, y, x in rng.integers(CLOSEST, highest, (SITES, 3))]


def _seconds(work: Callable[..., object], *arguments: object) -> float:
    begun = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - begun
