"""From a body to HU: tissue over tissue, on a few slices at a time.

Thick slices are the mean of several thin planes, so that domes, ribs and vessels that cross a slice
obliquely blur as they do in a scanner.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32, Float64

from builder.phantom.anatomy import Anatomy
from builder.phantom.couch import couch
from builder.phantom.lesions import Lesion
from builder.phantom.scanner import Scanner
from builder.phantom.strokes import Grid, Strokes, draw
from builder.phantom.tissue import AIRWAY, CARTILAGE, CORTEX, GULLET, MARROW, WALL, Tissue

THICKEST_PLANE = 2.0
"""Slices thicker than this, in mm, are the mean of thinner planes."""
SLAB = 8_000_000
"""Voxels that are drawn at once."""
CORTICAL, TRACHEAL, BRONCHIAL = 1.2, 1.5, 0.55
"""Thickness in mm of an adult of the shell of a bone, and of the walls of large and small airways."""
REACH = 2.0
"""Strokes are drawn if they come within this of a slab, in mm: more than half an edge."""

Plane = Float32[np.ndarray, "rows columns"]
Slab = Float32[np.ndarray, "planes rows columns"]
Axes = tuple[Float32[np.ndarray, " nz"], Float32[np.ndarray, " ny"], Float32[np.ndarray, " nx"]]


class Painter:
    """Draws a body as a scanner sees it, without noise.

    Args:
        anatomy: The body.
        lesions: The nodules in it.
        scanner: Gives the grid.
    """

    def __init__(self, anatomy: Anatomy, lesions: tuple[Lesion, ...], scanner: Scanner) -> None:
        self._anatomy, self._lesions, self._scanner = anatomy, lesions, scanner
        self._tissue = Tissue(anatomy, scanner)
        self._tubes = _tubes(anatomy)
        self._empty = couch(scanner, anatomy.back)
        self._planes = int(np.ceil(scanner.spacing / THICKEST_PLANE))
        self._edge = (scanner.edge, max(scanner.pixel, scanner.spacing / self._planes))

    def slices(self) -> Iterator[Plane]:
        """HU of every slice, from the feet up."""
        count, heights = self._planes, self._scanner.heights
        per_slab = max(1, SLAB // (count * self._scanner.matrix**2))
        inner = (np.arange(count) - (count - 1) / 2) * self._scanner.spacing / count
        for first in range(0, len(heights), per_slab):
            chosen = heights[first : first + per_slab]
            slab = self._slab((chosen[:, None] + inner).ravel())
            yield from slab if count == 1 else slab.reshape(len(chosen), count, *slab.shape[1:]).mean(axis=1)

    def _slab(self, heights: Float64[np.ndarray, " planes"]) -> Slab:
        rows, columns = self._scanner.rows, self._scanner.columns
        hu = np.tile(self._empty, (len(heights), 1, 1))
        self._tissue.paint(hu, heights)
        axes = heights.astype(np.float32), rows.astype(np.float32), columns.astype(np.float32)
        self._draw_tubes(hu, heights)
        for lesion in self._lesions:
            lay_lesion(hu, axes, lesion, self._edge)
        return hu

    def _draw_tubes(self, hu: Slab, heights: Float64[np.ndarray, " planes"]) -> None:
        cover, grid = np.zeros_like(hu), self._grid(heights)
        shares, image = cover.reshape(-1), hu.reshape(-1)
        for strokes, value in self._tubes:
            places = draw(cover, grid, strokes.within(heights[0] - REACH, heights[-1] + REACH), self._edge)
            # Places may repeat, but every time with the same result.
            under = image[places]
            image[places] = under + shares[places] * (np.float32(value) - under)
            shares[places] = 0

    def _grid(self, heights: Float64[np.ndarray, " planes"]) -> Grid:
        scanner = self._scanner
        step = scanner.spacing / self._planes
        return Grid(
            np.array([heights[0], scanner.rows[0], scanner.columns[0]]),
            np.array([step, scanner.pixel, scanner.pixel]),
            (len(heights), scanner.matrix, scanner.matrix),
        )


def _tubes(body: Anatomy) -> list[tuple[Strokes, float]]:
    """All tubes with their HU, in the order in which they are laid over each other."""
    scale, blood = body.stature.scale, body.stature.blood
    airways, bronchi, bone = body.airways, body.lungs.bronchi, body.skeleton.bone
    return [
        (body.gullet, GULLET),
        (body.blood, blood),
        (bronchi.grown(BRONCHIAL * np.sqrt(scale)), WALL),
        (body.lungs.vessels, blood),
        (airways.grown(TRACHEAL * scale), GULLET),
        (airways, AIRWAY),
        (bronchi, AIRWAY),
        (body.skeleton.cartilage, CARTILAGE),
        (bone, CORTEX),
        (bone.grown(-CORTICAL * scale), MARROW),
    ]


def lay_lesion(hu: Slab, axes: Axes, lesion: Lesion, edge: tuple[float, float]) -> None:
    """Brighten a slab where a nodule is; it never darkens a vessel or the wall of the chest."""
    reach = lesion.reach + lesion.margin + max(edge)
    box = tuple(
        slice(int(np.searchsorted(axis, middle - reach)), int(np.searchsorted(axis, middle + reach)))
        for axis, middle in zip(axes, lesion.centre, strict=True)
    )
    z, y, x = (axis[span] for axis, span in zip(axes, box, strict=True))
    if not len(z):
        return
    width = np.float32(np.hypot(edge[0], lesion.margin))
    part = hu[box]
    for solid in lesion.parts():
        cover = np.clip(0.5 - solid.distance(z[:, None, None], y[:, None], x) / width, 0, 1)
        part += cover * np.maximum(np.float32(solid.hu) - part, 0)
