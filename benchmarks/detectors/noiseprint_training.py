"""Training of the extractor of noise by contrast: our substitute for a training whose code was never published.

Noiseprint++ was trained on photographs: patches were to look alike in its residual if camera model, place in the
picture and edit history were the same, and different otherwise. CT has no camera models. Here patches are to look
alike if they come from the same series (one scanner, one reconstruction kernel, one dose), from the same place in the
plane, in other slices of it, and have the same edit history. Nothing in it has seen an inpainter.

What is ours besides: the histories (:mod:`benchmarks.detectors.edit_history`), the squared distance of residuals as
dissimilarity, as the first Noiseprint had it (Cozzolino and Verdoliva, IEEE TIFS 2020), and all rates and sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float, Int16, Int64
from torch import Tensor
from tqdm import tqdm

from benchmarks.detectors.edit_history import HISTORIES, EditHistory
from benchmarks.detectors.noiseprint import Noiseprint
from benchmarks.detectors.window import windowed

if TYPE_CHECKING:
    from m3dsynth_dataset.crops import Crops
    from m3dsynth_dataset.release import Release

MARGIN = 8
"""Pixels at the border of a slab that show where it was cut once it is resampled or blurred."""
QUADRANTS = ((0, 0), (1, 1), (0, 1), (1, 0))
"""Of a slab: its places."""
TRIES = 8
"""Places that are drawn in search of one that is not all air."""

Slabs = Int16[np.ndarray, "series view height width"]
"""HU; slices of several series that do not touch, each series at one place."""
SlabSource = Callable[[int], Slabs]
"""Slabs of a step; of sides 2 patches and 2 margins."""


@dataclass(frozen=True)
class NoiseprintRecipe:
    """Sizes and rates. A batch has series x places x histories classes, of as many patches as there are views."""

    steps: int
    patch: int
    """Pixels of a patch's side."""
    series: int
    places: int
    """Of a series, 1 to 4."""
    histories: int
    """One of them is that nothing was done."""
    views: int
    """Slices of a place; >= 2."""
    gap: int
    """From one to the next: so far that their tissue is not the same."""
    lr: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels of a slab along z, y and x."""
        side = 2 * self.patch + 2 * MARGIN
        return (self.views - 1) * self.gap + 1, side, side


PRESETS: Mapping[str, NoiseprintRecipe] = {
    "paper": NoiseprintRecipe(steps=30_000, patch=64, series=8, places=2, histories=4, views=4, gap=4, lr=1e-3),
    "tiny": NoiseprintRecipe(steps=200, patch=32, series=4, places=1, histories=4, views=2, gap=3, lr=3e-3),
}


def learn_from_release(noiseprint: Noiseprint, release: Release, recipe: NoiseprintRecipe, *, seed: int) -> list[float]:
    """Train on the pristine scans of the split ``train``. See :func:`train_noiseprint`."""
    crops = release.crops("pristine", "train", shape=recipe.shape, seed=seed, positions="anywhere", balanced=False)
    return train_noiseprint(noiseprint, slabs_of(crops, recipe), recipe, seed=seed)


def slabs_of(crops: Crops, recipe: NoiseprintRecipe) -> SlabSource:
    """Slabs at random places of pristine scans; every scan once before any comes again, as far as batches allow.

    Args:
        crops: One a scan, of the recipe's shape. If there are fewer than a batch has series, all of them.
        recipe: How many there are to be in a batch, and which slices of a crop they show.
    """
    series = min(recipe.series, len(crops))
    batches = len(crops) // series

    def slabs(step: int) -> Slabs:
        epoch, batch = divmod(step, batches)
        order = np.random.default_rng([crops.seed, epoch]).permutation(len(crops))
        chosen = order[batch * series : (batch + 1) * series].tolist()
        return np.stack([_tissue(crops, scan, epoch)[:: recipe.gap] for scan in chosen])

    return slabs


def train_noiseprint(noiseprint: Noiseprint, slabs: SlabSource, recipe: NoiseprintRecipe, *, seed: int) -> list[float]:
    """Train an extractor, and freeze it.

    On CPU the same extractor, slabs and seed give the same weights.

    Args:
        noiseprint: As it is to begin; on the device to train on.
        slabs: Where patches come from.
        recipe: Sizes and rates. The rate falls to 0 along a cosine.
        seed: Of histories and noise.

    Returns:
        The loss of each step.
    """
    device = next(noiseprint.parameters()).device
    rng, noise = np.random.default_rng(seed), torch.Generator(device).manual_seed(seed)
    noiseprint.requires_grad_(True).train()
    optimiser = torch.optim.Adam(noiseprint.parameters(), recipe.lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.steps)
    losses = []
    for step in tqdm(range(recipe.steps), desc="noiseprint", leave=False, disable=None):
        hu = torch.from_numpy(slabs(step)).to(device, torch.float32)
        batch, classes = patches(hu, _drawn(recipe.histories, rng), recipe, noise)
        loss = contrast_loss(noiseprint(batch), classes)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        losses.append(loss.detach())
    noiseprint.requires_grad_(False).eval()
    return [float(loss) for loss in losses]


def patches(
    hu: Float[Tensor, "series view height width"],
    histories: Sequence[EditHistory],
    recipe: NoiseprintRecipe,
    noise: torch.Generator,
) -> tuple[Float[Tensor, "patch 3 side side"], Int64[Tensor, " patch"]]:
    """Pictures in 0 to 1 of every series and place with every history, and the class of each.

    Args:
        hu: Slabs.
        histories: What to do to them.
        recipe: How large and how many patches are.
        noise: For histories that have noise in them, on the device of the slabs.
    """
    edited = torch.stack([history(hu, noise) for history in histories])
    side = recipe.patch
    corners = [(MARGIN + row * side, MARGIN + column * side) for row, column in QUADRANTS[: recipe.places]]
    cut = torch.stack([edited[..., y : y + side, x : x + side] for y, x in corners])
    classes = torch.arange(cut[..., 0, 0, 0].numel(), device=hu.device).repeat_interleave(hu.shape[1])
    pictures = rearrange(windowed(cut), "place history series view h w -> (place history series view) 1 h w")
    return pictures.expand(-1, 3, -1, -1), classes


def contrast_loss(
    residuals: Float[Tensor, "patch 1 height width"], classes: Int64[Tensor, " patch"]
) -> Float[Tensor, ""]:
    """InfoNCE (van den Oord et al., 2018): of all that a patch is close to, how much is of its own class?

    Closeness is exp(-d), with d the mean squared difference of two residuals.

    Args:
        residuals: What the extractor says.
        classes: Each has two patches or more.
    """
    flat = residuals.float().flatten(1)
    squares = flat.square().mean(1)
    distance = squares[:, None] + squares[None, :] - 2 * (flat @ flat.T) / flat.shape[1]
    itself = torch.eye(len(flat), dtype=torch.bool, device=flat.device)
    closeness = (-distance).masked_fill(itself, -torch.inf)
    other = classes[:, None] != classes[None, :]
    return (closeness.logsumexp(1) - closeness.masked_fill(other, -torch.inf).logsumexp(1)).mean()


def _drawn(count: int, rng: np.random.Generator) -> list[EditHistory]:
    """No history at all, and others, each once."""
    others = 1 + rng.choice(len(HISTORIES) - 1, count - 1, replace=False)
    return [HISTORIES[0], *(HISTORIES[other] for other in others.tolist())]


def _tissue(crops: Crops, scan: int, epoch: int) -> Int16[np.ndarray, "depth height width"]:
    """A crop of a scan with something in each slice; of slabs all of air, those of two series would be equal."""
    for attempt in range(epoch * TRIES, (epoch + 1) * TRIES):
        slab: Int16[np.ndarray, "depth height width"] = crops.at_epoch(attempt)[scan]["ct"]
        if np.ptp(slab, axis=(1, 2)).all():
            break
    return slab
