"""Trees of airways and vessels that fill the lungs.

Growth follows Kitaoka, Takaki and Suki (J. Appl. Physiol. 87, 1999) and Tawhai, Pullan and Hunter (Ann.
Biomed. Eng. 28, 2000): the region that a branch supplies is split in two, and a daughter grows part of the
way to the middle of each half, until every half is a single point. Calibres follow Murray's law.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from builder.phantom.lattice import Field
from builder.phantom.strokes import Strokes, together

REACH = 0.4
"""How far a branch grows towards the middle of its region."""
MURRAY = 2.7
"""A parent's calibre to this power is the sum of its daughters'."""
CUT = (0.32, 0.68)
"""Share of a region's points that its first daughter supplies, least and largest."""
TWIG = 3
"""Branches with no more ends than this are short, and drawn with fewer pieces."""
WIGGLE = 0.045
"""Sideways bend of a branch, over its length."""

Points = Float[np.ndarray, "n 3"]


@dataclass(frozen=True)
class Tree:
    """Nodes (z, y, x in mm) with their parents; node 0 is the root and its own parent."""

    nodes: Points
    parents: Int[np.ndarray, " n"]
    leaves: Int[np.ndarray, " n"]
    """Ends that a node's branch supplies."""

    def calibre(self, leaf: float) -> Float[np.ndarray, " n"]:
        """Radius in mm of the branch that ends in each node, for the radius of a leaf."""
        return np.asarray(leaf * self.leaves ** (1 / MURRAY))


def targets(rng: np.random.Generator, lung: Field, side: int, count: int, depth: float) -> Points:
    """Places spread over one lung that a tree has to reach.

    Args:
        rng: Source of the places.
        lung: Signed distance from the lungs' surface in mm.
        side: -1 for the patient's right, 1 for the left.
        count: How many.
        depth: Least distance from the surface in mm.
    """
    x = lung.lattice.axes[2]
    inside = (lung.values < -depth) & (np.sign(x) == side)
    places = np.argwhere(inside)
    chosen = places[rng.choice(len(places), size=min(count, len(places)), replace=False)]
    jitter = rng.uniform(-0.5, 0.5, size=chosen.shape)
    return np.array(lung.lattice.origin) + lung.lattice.step * (chosen + jitter)


def grow(rng: np.random.Generator, root: Float[np.ndarray, " 3"], ends: Points) -> Tree:
    """A tree from ``root`` to all of ``ends``, generation by generation."""
    nodes, parents, leaves = [root[None]], [np.zeros(1, dtype=np.int64)], [np.array([len(ends)])]
    regions = Regions(ends, np.zeros(len(ends), dtype=np.int64), np.array([0]))
    while len(regions.stems):
        halves = regions.halves(rng)
        counts, middles = halves.counts, halves.middles
        stems = np.concatenate(nodes)[halves.stems]
        reach = np.where(counts == 1, 1.0, REACH)[:, None]
        first = sum(map(len, nodes))
        nodes.append(stems + reach * (middles - stems))
        parents.append(halves.stems)
        leaves.append(counts)
        regions = halves.larger(first)
    return Tree(np.concatenate(nodes), np.concatenate(parents), np.concatenate(leaves))


@dataclass(frozen=True)
class Regions:
    """The regions that the branches of one generation supply, as points sorted by region."""

    points: Points
    region: Int[np.ndarray, " n"]
    """To which region each point belongs, ascending from 0."""
    stems: Int[np.ndarray, " regions"]
    """The node from which each region's branch grows."""

    @property
    def counts(self) -> Int[np.ndarray, " regions"]:
        """Points of each region."""
        return np.bincount(self.region, minlength=len(self.stems))

    @property
    def middles(self) -> Float[np.ndarray, "regions 3"]:
        """Mean of each region's points."""
        return np.asarray(self._sums(self.points) / self.counts[:, None])

    def halves(self, rng: np.random.Generator) -> "Regions":
        """Every region cut across its longest direction, not quite in the middle; single points stay whole."""
        centred = self.points - self.middles[self.region]
        spread = self._sums((centred[:, :, None] * centred[:, None, :]).reshape(-1, 9)).reshape(-1, 3, 3)
        longest = np.linalg.eigh(spread)[1][:, :, -1]
        order = np.lexsort(((centred * longest[self.region]).sum(axis=1), self.region))
        counts = self.counts
        cut = np.clip(np.rint(counts * rng.uniform(*CUT, len(counts))), 1, np.maximum(counts - 1, 1)).astype(np.int64)
        rank = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        upper = rank >= np.repeat(cut, counts)
        pieces, region = np.unique(2 * self.region + upper, return_inverse=True)
        return Regions(self.points[order], region, self.stems[pieces // 2])

    def larger(self, first: int) -> "Regions":
        """The regions of more than one point, which grow from nodes numbered from ``first`` in their order."""
        counts = self.counts
        kept = np.flatnonzero(counts > 1)
        number = np.full(len(counts), -1)
        number[kept] = np.arange(len(kept))
        keep = counts[self.region] > 1
        return Regions(self.points[keep], number[self.region[keep]], first + kept)

    def _sums(self, rows: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "regions k"]:
        counts = self.counts
        return np.asarray(np.add.reduceat(rows, np.cumsum(counts) - counts, axis=0))


def branches(bends: Points, tree: Tree, radii: Float[np.ndarray, " n"]) -> Strokes:
    """The branches as curved capsules: each leaves its parent in the parent's direction, and wavers.

    Args:
        bends: How each wavers, of deviation 1; the same for trees that run side by side.
        tree: What to draw.
        radii: In mm, by node.
    """
    child = np.arange(1, len(tree.nodes))
    start, end = tree.nodes[tree.parents[child]], tree.nodes[child]
    before = start - tree.nodes[tree.parents[tree.parents[child]]]
    span = np.linalg.norm(end - start, axis=1, keepdims=True)
    heading = before / (np.linalg.norm(before, axis=1, keepdims=True) + 1e-9)
    bend = start + 0.5 * (end - start) + 0.17 * span * (heading - (end - start) / (span + 1e-9))
    bend += WIGGLE * span * bends[1:]
    tips = np.where(tree.leaves[child] == 1, 0.7, 0.93) * radii[child]
    roots = np.minimum(np.sqrt(radii[child] * radii[tree.parents[child]]), 1.25 * radii[child])
    curves = np.stack([start, bend, end, np.stack([roots, tips, tips], axis=1)], axis=1)
    twigs = tree.leaves[child] <= TWIG
    return together([_pieces(curves[twigs], 2), _pieces(curves[~twigs], 4)])


def _pieces(curves: Float[np.ndarray, "n 4 3"], count: int) -> Strokes:
    """Quadratic Bezier curves (start, bend, end, and the radii of both ends) as straight capsules."""
    start, bend, end, radii = (curves[:, None, row] for row in range(4))
    t = np.linspace(0, 1, count + 1)[None, :, None]
    knots = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
    calibres = (radii[..., :1] * (1 - t) + radii[..., 1:2] * t)[..., 0]
    total = count * len(curves)
    return Strokes(
        knots[:, :-1].reshape(-1, 3),
        knots[:, 1:].reshape(-1, 3),
        calibres[:, :-1].reshape(-1),
        calibres[:, 1:].reshape(-1),
        np.tile([0.0, 1.0, 0.0], (total, 1)),
        np.ones(total),
    )


def beside(
    tree: Tree, gap: Float[np.ndarray, " n"], aside: Float[np.ndarray, " 3"], *, root: Float[np.ndarray, " 3"]
) -> Tree:
    """A tree that accompanies another.

    Args:
        tree: Which.
        gap: Distance by node in mm.
        aside: On which side of it.
        root: Where the new tree begins.
    """
    along = tree.nodes - tree.nodes[tree.parents]
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    across = aside - (along @ aside)[:, None] * along
    across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
    nodes = tree.nodes + gap[:, None] * across
    nodes[0] = root
    return Tree(nodes, tree.parents, tree.leaves)
