"""Cases to learn from: nodules of one scan each, led by a malignant one, by a benign one, and so on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.utils.data import Dataset

from benchmarks.errors import BenchmarkError
from benchmarks.malignancy.classifier import Config
from benchmarks.malignancy.crop import View, cut
from benchmarks.malignancy.ratings import Ratings
from benchmarks.malignancy.sites import Site
from m3dsynth_dataset import Release
from m3dsynth_dataset.lazy import EditedVolume

BESIDE_MM = (5.0, 20.0)
"""How far outside of a nodule's surface a place beside it lies."""
NOISE_HU = 50.0
"""Standard deviation of the noise that is added, at most: scanners differ in theirs."""
DIAMETER_MM = 10.0
"""Of a nodule whose size the release does not know."""


class Case(TypedDict):
    """Nodules of one scan."""

    hu: Float[Tensor, "nodules side side side"]
    locations: Float[Tensor, "nodules 3 cells cells cells"]
    malignant: Float[Tensor, " nodules"]
    """1 or 0."""


class Batch(Case):
    """Those of several."""

    cases: Int64[Tensor, " nodules"]
    """Which case each nodule is of."""


@dataclass(frozen=True)
class Nodule:
    """A nodule that is malignant, or benign, and the sites at which it is looked at."""

    is_malignant: bool
    sites: tuple[Site, ...]


def nodules_of(sites: Sequence[Site], ratings: Ratings) -> dict[str, list[Nodule]]:
    """The nodules of either kind, by scan.

    Args:
        sites: Several of them may be of one nodule.
        ratings: What is malignant and what is benign; the rest is left out.

    Raises:
        BenchmarkError: If there is none of a kind.
    """
    alike: dict[tuple[object, ...], list[Site]] = {}
    for site in sites:
        alike.setdefault(site.nodule, []).append(site)
    found: dict[str, list[Nodule]] = {}
    for group in alike.values():
        kind = ratings.is_malignant(group[0].rating)
        if kind is not None:
            found.setdefault(group[0].scan_id, []).append(Nodule(kind, tuple(group)))
    _check(found, sites, ratings)
    return found


def _check(found: dict[str, list[Nodule]], sites: Sequence[Site], ratings: Ratings) -> None:
    rated = [site.rating for site in sites if site.rating is not None]
    if not rated:
        raise BenchmarkError(
            "no site to learn from has a rating (column malignancy); build the release from annotations, or name "
            "--classifier"
        )
    kinds = {nodule.is_malignant for nodules in found.values() for nodule in nodules}
    for kind, word in ((True, "malignant"), (False, "benign")):
        if kind not in kinds:
            raise BenchmarkError(
                f"no {word} nodule to learn from ({ratings}; here ratings are {min(rated):g} to {max(rated):g}); "
                f"draw the line elsewhere with --{word}, take more patients, or name --classifier"
            )


class CaseDraws(Dataset[Case]):
    """An endless series of cases: what a number gives depends on the seed and the number alone.

    Even numbers give a malignant nodule, odd ones a benign nodule, each with others of its scan. Each has a place
    beside a nodule as well, which counts as benign: as in the paper, whose cases have places without a nodule among
    those that were searched out, the classifier learns that what matters is in the middle.

    Args:
        release: Whose pristine scans are looked at.
        nodules: By scan.
        config: Of the classifier.
        seed: Of everything.
    """

    def __init__(self, release: Release, nodules: dict[str, list[Nodule]], config: Config, seed: int) -> None:
        self._release, self._config, self._seed = release, config, seed
        self._nodules = nodules
        self._kinds = {
            kind: [nodule for case in nodules.values() for nodule in case if nodule.is_malignant is kind]
            for kind in (True, False)
        }
        self._scans: dict[str, EditedVolume] = {}

    def __getitem__(self, number: int) -> Case:
        rng = np.random.default_rng([self._seed, number])
        nodules = self._drawn(rng, self._kinds[number % 2 == 0])
        looks = [self._look(rng, nodule, View.draw(rng, self._config.shift_mm)) for nodule in nodules]
        looks.append(self._beside(rng, nodules[0]))
        return {
            "hu": torch.stack([hu for hu, _ in looks]),
            "locations": torch.stack([locations for _, locations in looks]),
            "malignant": torch.tensor([*(float(nodule.is_malignant) for nodule in nodules), 0.0]),
        }

    def _drawn(self, rng: np.random.Generator, kind: Sequence[Nodule]) -> list[Nodule]:
        """A nodule of a kind, and some others of its scan."""
        first = kind[int(rng.integers(len(kind)))]
        others = [nodule for nodule in self._nodules[first.sites[0].scan_id] if nodule is not first]
        chosen = rng.permutation(len(others))[: self._config.nodules - 1]
        return [first, *(others[index] for index in chosen)]

    def _beside(self, rng: np.random.Generator, nodule: Nodule) -> tuple[Tensor, Tensor]:
        direction = rng.standard_normal(3)
        far = (nodule.sites[0].diameter_mm or DIAMETER_MM) / 2 + rng.uniform(*BESIDE_MM)
        view = replace(View.draw(rng, 0.0), shift_mm=far * direction / np.linalg.norm(direction))
        return self._look(rng, nodule, view)

    def _look(self, rng: np.random.Generator, nodule: Nodule, view: View) -> tuple[Tensor, Tensor]:
        site = nodule.sites[int(rng.integers(len(nodule.sites)))]
        if site.scan_id not in self._scans:
            self._scans[site.scan_id] = site.anyone(self._release).pristine
        ct, config = self._scans[site.scan_id], self._config
        hu, locations = cut(ct, site.centre_zyx, site.spacing_mm, config.side, config.voxel_mm, view)
        noise = torch.from_numpy(rng.standard_normal(tuple(hu.shape), np.float32))
        return hu + rng.uniform(0, NOISE_HU) * noise, locations


def collate(cases: Sequence[Case]) -> Batch:
    """Put cases together."""
    sizes = torch.tensor([len(case["malignant"]) for case in cases])
    return {
        "hu": torch.cat([case["hu"] for case in cases]),
        "locations": torch.cat([case["locations"] for case in cases]),
        "malignant": torch.cat([case["malignant"] for case in cases]),
        "cases": torch.repeat_interleave(torch.arange(len(cases)), sizes),
    }
