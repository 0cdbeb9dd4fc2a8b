"""The floor of a distance: how far two halves of the same kind of places are apart.

Halves are by patient, as the places of a patient are alike. A half has half of the places, so a floor is rather too
high than too low.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

HALVINGS = 20
LIMIT = 0.95

Chosen = Bool[np.ndarray, " places"]


@dataclass(frozen=True)
class Floor:
    """What halves give; NaN, both, where there are too few patients for halves."""

    middle: float
    """The median over halvings."""
    limit: float
    """What 95 % of them stay under."""


def floor(distance: Callable[[Chosen, Chosen], float], patients: Sequence[str], seed: int = 0) -> Floor:
    """The floor of a distance between two choices of places.

    Args:
        distance: Between the places of one half and those of the other; may be NaN.
        patients: Whose each place is.
        seed: Of the halves.
    """
    found = np.array([distance(half, ~half) for half in halves(patients, seed)])
    found = found[~np.isnan(found)]
    if not len(found):
        return Floor(float("nan"), float("nan"))
    return Floor(float(np.median(found)), float(np.quantile(found, LIMIT)))


def halves(patients: Sequence[str], seed: int = 0) -> Iterator[Chosen]:
    """Halve patients at random, again and again; none if there is one alone."""
    names, owner = np.unique(np.asarray(patients, dtype=np.str_), return_inverse=True)
    rng = np.random.default_rng(seed)
    for _ in range(HALVINGS if len(names) > 1 else 0):
        yield (rng.permutation(len(names)) < len(names) // 2)[owner]
