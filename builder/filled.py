"""Filled cubes: what the inpainting stage hands to the inserting one."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int16

from m3dsynth_dataset.schema import config_name

FilledCube = Int16[np.ndarray, "32 32 32"]


@dataclass(frozen=True)
class KeptCubes(Mapping[str, FilledCube]):
    """Cubes by site_id, in files of the work folder; each is read when it is asked for, and no file stays open."""

    places: dict[str, tuple[Path, int]]
    """A file of several cubes, and which of them."""

    def __getitem__(self, site_id: str) -> FilledCube:
        path, number = self.places[site_id]
        return np.array(np.load(path, mmap_mode="r", allow_pickle=False)[number])

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)


@dataclass(frozen=True, eq=False)
class FilledCubes:
    """All cubes of one manipulation as one inpainter filled them, in HU."""

    generator: str
    manipulation: str
    weights_sha256: str | None
    cubes: KeptCubes

    @property
    def config(self) -> str:
        """The config that its edits will stand in."""
        return config_name(self.generator, self.manipulation)

    def of(self, site_ids: Iterable[str]) -> "FilledCubes":
        """The cubes of some sites only, so that a worker is not sent them all."""
        places = self.cubes.places
        return replace(self, cubes=KeptCubes({site_id: places[site_id] for site_id in site_ids if site_id in places}))
