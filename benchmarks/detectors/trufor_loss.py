"""The losses of TruFor (Guillaro et al., CVPR 2023): of its map, of its confidence in it, and of its detector."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from benchmarks.detectors.dice import dice_loss
from benchmarks.detectors.network import Slab

PRISTINE_WEIGHT, FORGED_WEIGHT = 0.5, 2.5
"""Of the cross entropy of a pixel."""
CROSS_ENTROPY_SHARE = 0.3
"""Of the loss for the map; the rest is Dice."""


def map_loss(logits: Slab, truth: Slab) -> Float[Tensor, ""]:
    """0.3 of a weighted cross entropy and 0.7 of the Dice loss of what is forged.

    A slice without forged pixels has a Dice loss of 1 that teaches nothing; its cross entropy does.
    """
    weights = PRISTINE_WEIGHT + (FORGED_WEIGHT - PRISTINE_WEIGHT) * truth
    losses = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    cross_entropy = (weights * losses).sum() / weights.sum()  # as a weighted cross entropy of two classes has it
    dice = dice_loss(logits.sigmoid(), truth, smooth=0).mean()
    return CROSS_ENTROPY_SHARE * cross_entropy + (1 - CROSS_ENTROPY_SHARE) * dice


def confidence_loss(confidence: Slab, logits: Slab, truth: Slab) -> Float[Tensor, ""]:
    """How far the confidence is from the probability that the map gives to the true class, squared."""
    forged = logits.detach().sigmoid()
    return functional.mse_loss(confidence.sigmoid(), torch.where(truth > 0, forged, 1 - forged))


def detection_loss(score: Float[Tensor, " batch"], truth: Slab, tampered: float) -> Float[Tensor, ""]:
    """Cross entropy in which both classes weigh the same if a share of ``tampered`` of the slices is tampered."""
    label = truth.flatten(1).amax(dim=1)
    weights = torch.where(label > 0, 0.5 / tampered, 0.5 / (1 - tampered))
    return functional.binary_cross_entropy_with_logits(score, label, weights)
