"""Four numbers that say of a map what a detector of whole pictures has to know of it."""

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor


def weighted_statistics(
    values: Float[Tensor, "batch 1 height width"], log_weights: Float[Tensor, "batch 1 height width"] | None = None
) -> Float[Tensor, "batch 4"]:
    """Soft minimum, soft maximum, mean and mean square of a map (TruFor: Guillaro et al., CVPR 2023).

    The soft maximum is the logarithm of the mean exponential; it grows to the maximum as values spread.

    Args:
        values: Such as logits.
        log_weights: Logarithms of how much each place counts; a constant added to all changes nothing. None if all
            places count alike.
    """
    x = rearrange(values, "b 1 h w -> b (h w)").float()
    log_w = torch.zeros_like(x) if log_weights is None else rearrange(log_weights, "b 1 h w -> b (h w)").float()
    log_w = log_w.log_softmax(dim=1)
    w = log_w.exp()
    statistics = [-(log_w - x).logsumexp(1), (log_w + x).logsumexp(1), (w * x).sum(1), (w * x.square()).sum(1)]
    return torch.stack(statistics, dim=1)
