"""The Dice loss with squared denominators (Milletari et al., 3DV 2016): how little two masks overlap."""

from jaxtyping import Float
from torch import Tensor

TINY = 1e-12
"""What an empty denominator becomes when nothing smooths it."""


def dice_loss(
    probability: Float[Tensor, " batch *size"], truth: Float[Tensor, " batch *size"], smooth: float = 1.0
) -> Float[Tensor, " batch"]:
    """1 - (2 sum(p t) + smooth) / (sum(p^2) + sum(t^2) + smooth), for each item of the batch.

    Args:
        probability: In 0 to 1, not logits.
        truth: 0 or 1.
        smooth: With 0, an empty mask costs 1 whatever was predicted, and teaches nothing.

    Returns:
        0 (the same) to 1 (nothing in common).
    """
    p, t = probability.float().flatten(1), truth.float().flatten(1)
    squares = p.square().sum(1) + t.square().sum(1)
    return 1 - (2 * (p * t).sum(1) + smooth) / (squares + smooth).clamp(min=TINY)
