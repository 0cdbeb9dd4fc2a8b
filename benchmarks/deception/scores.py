"""What a classifier says of a site: as it was, and after each generator's edit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from tqdm import tqdm

from benchmarks.deception.judges import Judge
from benchmarks.malignancy import MalignancyClassifier, Ratings, Site
from benchmarks.malignancy.crop import cut
from m3dsynth_dataset import Release
from m3dsynth_dataset.lazy import EditedVolume


@dataclass(frozen=True)
class Change:
    """A site before and after one edit."""

    site_id: str
    scan_id: str
    patient_id: str
    manipulation: str
    generator: str
    rating: float | None
    """Of the site's nodule, 1 to 5."""
    diameter_mm: float | None
    is_malignant: bool | None
    """By its rating."""
    before: float
    """Probability of malignancy."""
    after: float


def changes(release: Release, judge: Judge, ratings: Ratings) -> Iterator[Change]:
    """What a classifier says of all its sites.

    Args:
        release: With the sites.
        judge: The classifier and its sites.
        ratings: What counts as malignant.
    """
    for site in tqdm(judge.sites, desc="sites", unit="site", disable=None):
        samples = [release.sample(sample_id) for sample_id in site.samples.values()]
        versions = [samples[0].pristine, *(sample.ct for sample in samples)]
        before, *after = scores(judge.classifier, site, versions)
        for generator, score in zip(site.samples, after, strict=True):
            yield Change(
                site.site_id, site.scan_id, site.patient_id, site.manipulation, generator,
                site.rating, site.diameter_mm, ratings.is_malignant(site.rating), before, score,
            )  # fmt: skip


@torch.inference_mode()
def scores(classifier: MalignancyClassifier, site: Site, versions: Sequence[EditedVolume]) -> list[float]:
    """Probability of malignancy at a site in several versions of its scan."""
    config = classifier.config
    looks = [cut(ct, site.centre_zyx, site.spacing_mm, config.side, config.voxel_mm) for ct in versions]
    hu, locations = (torch.stack(each).to(classifier.device) for each in zip(*looks, strict=True))
    found: list[float] = classifier(hu, locations).sigmoid().tolist()
    return found
