"""The Fréchet distance between two sets of features (Heusel et al. 2017, of whatever network gives them).

Of few samples it is too large: even two halves of the same places are apart. So it is read beside that floor. The
covariances are shrunk (Ledoit and Wolf 2004), since fewer places than features leave them without an inverse and with
directions of chance.
"""

import numpy as np
from jaxtyping import Float64
from sklearn.covariance import ledoit_wolf

FEWEST = 4
"""Places on each side."""

Covariance = Float64[np.ndarray, "features features"]


def frechet_distance(ours: Float64[np.ndarray, "n features"], theirs: Float64[np.ndarray, "m features"]) -> float:
    """``|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))`` with means m and shrunk covariances S; NaN for under 4 a side.

    Args:
        ours: Features, a row for each place.
        theirs: The same of the others.
    """
    if min(len(ours), len(theirs)) < FEWEST:
        return float("nan")
    one, other = (np.asarray(ledoit_wolf(each)[0]) for each in (ours, theirs))
    root = _root(one)
    # S1 S2 and S1^(1/2) S2 S1^(1/2), which is symmetric, have the same eigenvalues.
    mixed = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ other @ root), 0)).sum()
    shift = ours.mean(axis=0) - theirs.mean(axis=0)
    return float(max(shift @ shift + np.trace(one) + np.trace(other) - 2 * mixed, 0.0))


def _root(covariance: Covariance) -> Covariance:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)
