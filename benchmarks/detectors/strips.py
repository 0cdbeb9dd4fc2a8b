"""A local operation on a large picture, in strips of rows: the same result in bounded memory."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor


def by_strips(
    operation: Callable[[Tensor], Tensor],
    x: Float[Tensor, "batch channels height width"],
    *,
    rows: int,
    reach: int,
) -> Float[Tensor, "batch out height width"]:
    """``operation(x)``, computed for ``rows`` rows at a time.

    A strip is taken with ``reach`` more rows on either side. What the operation's padding does at a cut stays within
    them, and they are thrown away; at the picture's own edges the padding is the one that the whole would get.

    Args:
        operation: Keeps height and width, and a row of its result depends on the ``reach`` rows around it at most.
        x: Any picture.
        rows: Of a strip.
        reach: Rows.
    """
    height = x.shape[-2]
    strips = []
    for start in range(0, height, rows):
        first, stop = max(start - reach, 0), min(start + rows, height)
        strip = operation(x[..., first : stop + reach, :])
        strips.append(strip[..., start - first : stop - first, :])
    return torch.cat(strips, dim=-2)
