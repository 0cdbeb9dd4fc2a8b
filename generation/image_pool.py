"""Old results for a discriminator, lest it forget what the generator did before (Shrivastava et al., CVPR 2017)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from generation.mask import SIDE


class ImagePool(nn.Module):
    """The last results, more or less; a module, so that a checkpoint keeps them.

    Args:
        size: How many it holds, at least two batches.
    """

    cubes: Tensor
    filled: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("cubes", torch.zeros((size, 1, SIDE, SIDE, SIDE)))
        self.register_buffer("filled", torch.zeros((), dtype=torch.long))

    def exchanged(
        self, new: Float[Tensor, "batch 1 32 32 32"], rng: torch.Generator
    ) -> Float[Tensor, "batch 1 32 32 32"]:
        """New results, half of them replaced by old ones whose place they take; all new until the pool is full."""
        count = int(self.filled)
        if count + len(new) <= len(self.cubes):
            self.cubes[count : count + len(new)] = new
            self.filled += len(new)
            return new
        places = torch.randperm(count, generator=rng, device=new.device)[: len(new)]
        swaps = torch.rand((len(new), 1, 1, 1, 1), generator=rng, device=new.device) < 0.5
        old = self.cubes[places]
        self.cubes[places] = torch.where(swaps, new, old)
        return torch.where(swaps, old, new)
