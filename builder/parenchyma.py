"""Healthy lung tissue: places where an inpainter can see what a removed nodule should have been."""

import numpy as np
from jaxtyping import Bool, Float32
from scipy.ndimage import label, uniform_filter

from builder.scan import Scan
from m3dsynth_dataset.types import Triple

GRID_MM = 4.0
"""Of the coarse grid on which the lungs are looked for."""
AIR_BELOW_HU = -500
LUNG_HU = (-930.0, -650.0)
"""Mean of 12 mm of parenchyma; trachea and bronchi lie below, vessels and walls above."""
SMALLEST_LUNG_ML = 100.0
AWAY_FROM_NODULES_MM = 20.0


def healthy_places(scan: Scan, nodules: list[Triple], count: int, rng: np.random.Generator) -> list[Triple]:
    """Voxels in the lungs, away from nodules.

    Args:
        scan: The scan.
        nodules: Centres of its nodules in voxels.
        count: How many places to draw, without a repeat; fewer where the lungs are too small.
        rng: Source of the draw.
    """
    stride = [max(1, round(GRID_MM / step)) for step in scan.geometry.spacing_mm]
    coarse = scan.voxels[:: stride[0], :: stride[1], :: stride[2]].astype(np.float32)
    mean = uniform_filter(coarse, size=3, mode="nearest")
    low, high = LUNG_HU
    healthy = _lungs(coarse, _millilitres(scan, stride)) & (low <= mean) & (mean <= high)
    places = np.argwhere(healthy) * stride
    places = places[_clearance_mm(places, nodules, scan.geometry.spacing_mm) >= AWAY_FROM_NODULES_MM]
    drawn = rng.permutation(len(places))[:count]
    return [(int(z), int(y), int(x)) for z, y, x in places[drawn]]


def _lungs(coarse: Float32[np.ndarray, "d h w"], voxel_ml: float) -> Bool[np.ndarray, "d h w"]:
    """Air that does not reach the edge of any slice, in bodies of the size of a lung."""
    bodies, count = label(coarse < AIR_BELOW_HU)
    outside = np.unique(np.concatenate([bodies[:, [0, -1], :].ravel(), bodies[:, :, [0, -1]].ravel()]))
    volumes_ml = np.bincount(bodies.ravel(), minlength=count + 1) * voxel_ml
    is_lung = volumes_ml >= SMALLEST_LUNG_ML
    is_lung[outside] = False
    is_lung[0] = False
    return np.asarray(is_lung[bodies])


def _millilitres(scan: Scan, stride: list[int]) -> float:
    return float(np.prod(np.multiply(scan.geometry.spacing_mm, stride))) / 1000


def _clearance_mm(
    places: np.ndarray, nodules: list[Triple], spacing_mm: tuple[float, float, float]
) -> Float32[np.ndarray, " n"]:
    """Distance of each place to the nearest nodule."""
    if not nodules:
        return np.full(len(places), np.inf, dtype=np.float32)
    difference = (places[:, None] - np.array(nodules)[None]) * np.array(spacing_mm)
    return np.asarray(np.linalg.norm(difference, axis=2).min(axis=1), dtype=np.float32)
