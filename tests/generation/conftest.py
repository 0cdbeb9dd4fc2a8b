"""Cubes of a make-believe lung, so that every test has its data at hand."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from generation.cubes import SCHEMA, CubeStore
from generation.training import train
from generation.zoo import trainable

LUNG_HU, TISSUE_HU = -800, 40


def lung(count, side, diameters, rng):
    """Noisy lung with a ball of tissue in the middle and the chest wall on one side; a diameter of 0 gives no ball."""
    axis = np.arange(side) - (side - 1) / 2
    places = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"))
    inside_ball = diameters / 2 - np.sqrt((places**2).sum(axis=0))[..., None]
    directions = rng.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    inside_wall = np.einsum("azyx,na->zyxn", places, directions) - rng.uniform(9, 20, count)
    tissue = np.clip(np.maximum(inside_ball, inside_wall) + 0.5, 0, 1)
    cubes = LUNG_HU + tissue * (TISSUE_HU - LUNG_HU) + rng.normal(0, 40, tissue.shape)
    return np.moveaxis(cubes.round().astype(np.int16), -1, 0).copy()


def rows(kind, manipulations):
    return [
        {
            "kind": kind,
            "index": index,
            "cube_id": f"{kind}_{index}",
            "scan_id": f"1.2.{index}",
            "patient_id": f"P{index % 5}",
            "manipulation": manipulation,
            "tissue": "parenchyma" if kind == "training" and index % 4 == 3 else "nodule",
            "seed": 1000 + index,
        }
        for index, manipulation in enumerate(manipulations)
    ]


def lung_store(path, *, sites, training):
    """A store where the manipulations alternate: injection into plain lung, removal of balls."""
    rng = np.random.default_rng(7)
    site_kinds = ["injection", "removal"] * (sites // 2)
    training_kinds = ["injection", "removal"] * (training // 2)
    site_balls = np.array([0 if kind == "injection" else rng.uniform(9, 14) for kind in site_kinds])
    training_balls = np.array(
        [rng.uniform(12, 16) if kind == "injection" else rng.choice([0, 4]) for kind in training_kinds]
    )
    table = pa.Table.from_pylist(rows("site", site_kinds) + rows("training", training_kinds), schema=SCHEMA)
    return CubeStore.write(
        path,
        lung(sites, 32, site_balls, rng),
        lung(training, 40, training_balls, rng),
        table,
        source="phantom",
    )


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> CubeStore:
    return lung_store(tmp_path_factory.mktemp("store") / "cubes.zarr", sites=16, training=64)


@pytest.fixture(scope="session")
def weights(store, tmp_path_factory) -> Path:
    """A file of weights after two steps: all that a test of files and commands needs."""
    out = tmp_path_factory.mktemp("weights")
    return train(trainable("pix2pix"), "injection", store, out, preset="tiny", steps=2)
