"""Pictures of any height and width, for networks that halve them."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def padded(picture: Float[Tensor, "batch channels height width"], multiple: int) -> Float[Tensor, "batch channels h w"]:
    """The picture, its last row and column repeated until its sides are multiples of a number.

    What was there keeps its place: ``[..., :height, :width]`` of what a network answers is the answer for it.
    """
    height, width = picture.shape[-2:]
    return functional.pad(picture, (0, -width % multiple, 0, -height % multiple), mode="replicate")
