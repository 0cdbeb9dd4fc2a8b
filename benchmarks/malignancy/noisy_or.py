"""The leaky noisy-or: a case is malignant if any of its nodules is, or for a reason that nobody has seen."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

LEAK = -30.0
"""Logit of the unseen reason before anything is learned."""


def log_benign(
    logits: Float[Tensor, " nodules"], cases: Int64[Tensor, " nodules"], leak: Float[Tensor, ""], count: int
) -> Float[Tensor, " {count}"]:
    """Logarithm of the probability that a case is not malignant: log((1 - leak) * prod(1 - p)).

    Args:
        logits: Of malignancy, nodule by nodule.
        cases: Which case each nodule is of, 0 to below ``count``.
        leak: Logit.
        count: Cases.
    """
    apart = -functional.softplus(logits)
    return torch.zeros(count, device=logits.device).index_add(0, cases, apart) - functional.softplus(leak)


def case_loss(log_benign: Float[Tensor, " cases"], is_malignant: Float[Tensor, " cases"]) -> Float[Tensor, ""]:
    """Binary cross-entropy, mean over cases; computed in logarithms, since a leak of -30 is lost in a product.

    Args:
        log_benign: Of each case.
        is_malignant: 1 or 0.
    """
    # Nothing is ever quite benign, or the loss of a malignant case could be infinite.
    below = log_benign.clamp(max=-1e-6)
    log_malignant = torch.log(-torch.expm1(below))
    return -(is_malignant * log_malignant + (1 - is_malignant) * log_benign).mean()
