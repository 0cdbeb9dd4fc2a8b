"""Filled cubes: what the inpainting stage hands to the inserting one."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int16

from m3dsynth_dataset.schema import config_name


@dataclass(frozen=True, eq=False)
class FilledCubes:
    """All cubes of one manipulation as one inpainter filled them, in HU."""

    generator: str
    manipulation: str
    weights_sha256: str | None
    cubes: dict[str, Int16[np.ndarray, "32 32 32"]]
    """By site_id."""

    @property
    def config(self) -> str:
        """The config that its edits will stand in."""
        return config_name(self.generator, self.manipulation)

    def of(self, site_ids: Iterable[str]) -> "FilledCubes":
        """The cubes of some sites only, so that a worker is not sent them all."""
        return replace(self, cubes={site_id: self.cubes[site_id] for site_id in site_ids if site_id in self.cubes})
