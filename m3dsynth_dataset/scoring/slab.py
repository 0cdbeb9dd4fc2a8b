"""Slabs: the protocol in which a detector sees 32 slices of each scan, and not the whole of it.

The published test says where its slabs lie: 32 slices around a site, moved by up to 16 along z. A release does not, so
they are drawn here from the ids of the samples, for whoever predicts and for the scorer alike.
"""

from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256

from m3dsynth_dataset.box import Box
from m3dsynth_dataset.scoring.truth import Truth

DEPTH = 32
JITTER = 15
"""Slices at most between the middles of a slab and of its edit, which lies within the slab therefore."""


def slabs(truths: Iterable[Truth]) -> dict[str, Box]:
    """Where the slab of each sample lies, by sample id; over all of y and x.

    A slab holds the middle of the edit. Pristine scans get theirs at one of the places where versions of them are
    tampered, so that where a slab lies does not tell what it is; those without a tampered version, anywhere.

    Args:
        truths: All samples of a split: which places a pristine scan has depends on them.
    """
    every = sorted(truths, key=lambda truth: truth.sample_id)
    middles: dict[str, list[int]] = defaultdict(list)
    for truth in every:
        if truth.label == "tampered" and truth.box is not None:
            middles[truth.scan_id].append(_middle(truth.box))
    return {truth.sample_id: _slab(truth, middles[truth.scan_id]) for truth in every}


def _slab(truth: Truth, middles: list[int]) -> Box:
    depth, height, width = truth.shape
    if truth.box is not None:
        middle = _middle(truth.box)
    elif middles:
        middle = middles[_draw(truth, "place", len(middles))]
    else:
        middle = _draw(truth, "anywhere", depth)
    first = middle + _draw(truth, "jitter", 2 * JITTER + 1) - JITTER - DEPTH // 2
    first = max(0, min(first, depth - DEPTH))
    return Box((first, 0, 0), (min(DEPTH, depth), height, width))


def _middle(box: Box) -> int:
    return box.start[0] + box.shape[0] // 2


def _draw(truth: Truth, what: str, below: int) -> int:
    """A number that depends on the sample's id alone."""
    return int.from_bytes(sha256(f"slab {what} {truth.sample_id}".encode()).digest()[:8]) % below
