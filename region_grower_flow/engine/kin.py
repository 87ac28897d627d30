"""Choice of the reconstructed cells of a grown cell's trees: the levers ``kin``, ``trunks``.

The trees of a reconstructed cell resemble each other. Where they are drawn from all cells alike,
means over a grown cell vary too little. So a cell is chosen, and the trees come from it and those
that are most like it; with measured trunks, their number and directions come from one of these.
"""

import math
from dataclasses import dataclass

import numpy as np

from region_grower_flow.engine.trunks import accepted

MIRRORS = ((1.0, 1.0, 1.0), (-1.0, 1.0, 1.0), (1.0, 1.0, -1.0), (-1.0, 1.0, -1.0))
"""Reflections that leave the pia and the plane of a slice where they are."""

SIMILAR = 0.35
"""Angle (radians) between a trunk and that of a tree at which the tree fits it half as well."""


@dataclass(frozen=True)
class Kin:
    """The reconstructed cells of an mtype, and which of them are alike.

    Attributes:
        groups: for each cell the cells most like it, itself first; all of them without ``kin``.
        trees: {neurite type: for each cell the places of its trees}.
        radii: the cells' soma radii (um).
    """

    groups: list
    trees: dict
    radii: list

    @classmethod
    def prepare(cls, measured, n_cells, radii, share):
        """Prepare the kin of an mtype's cells.

        Args:
            measured: {neurite type: MeasuredTrees}.
            n_cells: number of reconstructed cells.
            radii: their soma radii (um).
            share: of the cells that make a group.
        """
        trees = {
            kind: [np.flatnonzero(of.cells == cell).tolist() for cell in range(n_cells)]
            for kind, of in measured.items()
        }
        size = max(1, math.ceil(share * n_cells))
        features = _features(measured, n_cells)
        far = np.linalg.norm(features[:, None] - features[None], axis=2)
        np.fill_diagonal(far, -1.0)
        order = np.argsort(far, axis=1, kind="stable")[:, :size]
        return cls(order.tolist(), trees, list(radii))

    def draw_group(self, rng):
        """The cells that the trees of one grown cell come from, the first one chosen by chance."""
        return self.groups[int(rng.integers(len(self.groups)))]

    def draw_member(self, kind, group, rng):
        """One of the cells of a group, which decides how many trees of a type there are."""
        return self.trees[kind][group[int(rng.integers(len(group)))]]

    def places(self, kind, group):
        """The places of the trees of a type of a group of cells; of all cells if it has none."""
        found = [place for cell in group for place in self.trees[kind][cell]]
        return found or [place for places in self.trees[kind] for place in places]


def _features(measured, n_cells):
    """(n_cells, f): what cells are compared by, each feature with a standard deviation of 1."""
    columns = []
    for of in measured.values():
        lengths = [math.log(max((d[:, 0] - d[:, 1]).sum(), 1.0)) for d in of.diagrams]
        reach = [math.log(max(d[:, 0].mean(), 1.0)) for d in of.diagrams]
        tips = [math.log(len(d)) for d in of.diagrams]
        thick = [math.log(max(np.concatenate(p)[:, 1].mean(), 1e-3)) for p in of.profiles]
        counts = np.bincount(of.cells, minlength=n_cells)
        for values in (lengths, reach, tips, thick):
            sums = np.bincount(of.cells, np.array(values), minlength=n_cells)
            columns.append(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))
        columns.append(counts.astype(float))
    table = np.array(columns).T.reshape(n_cells, -1)
    table = np.where(np.isfinite(table), table, np.nanmean(table, axis=0))
    spread = table.std(axis=0)
    return (table - table.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)


def draw_layout(directions, jitter, where):
    """The trunks of one reconstructed cell, mirrored by chance and each a little disturbed.

    Args:
        directions: (n, 3) of the cell's trees, in its own frame.
        jitter: the disturbance (radians).
        where: TrunkSite, whose boundaries may refuse a direction.

    Returns:
        (n, 3) unit vectors in the frame of the cell.
    """
    mirror = np.array(MIRRORS[int(where.rng.integers(len(MIRRORS)))])

    def propose(direction):
        vector = direction * mirror + jitter * where.rng.standard_normal(3)
        return tuple((vector / np.linalg.norm(vector)).tolist())

    found = []
    for direction in directions:

        def in_atlas(direction=direction):
            return tuple(where.turn.dot(propose(direction)).tolist())

        found.append(accepted(in_atlas, lambda _: 1.0, where))
    return np.array(found).reshape(-1, 3).dot(where.turn)


def draw_fitting(direction, places, directions, rng):
    """The place of a tree whose trunk points like this one, up to a reflection.

    Args:
        direction: (3,) unit vector in the frame of the cell.
        places: the trees to choose from.
        directions: (T, 3) of all trees of the type.
        rng: the cell's generator.
    """
    cosines = (_folded(directions[places]) * _folded(direction)).sum(axis=1)
    angles = np.arccos(np.clip(cosines, -1.0, 1.0))
    weights = np.cumsum(np.exp(-0.5 * (angles / SIMILAR) ** 2) + 1e-9)
    return places[int(np.searchsorted(weights, rng.random() * weights[-1]))]


def frame_between(tree, direction):
    """(3, 3): turns the frame of a tree's cell so that the tree leaves the soma in a direction.

    Only about the pia's axis: a reflection of x and z, then the angle that is left.

    Args:
        tree: (3,) the direction of the tree in its cell.
        direction: (3,) that of the trunk.
    """
    before, after = _signs(tree), _signs(direction)
    one, other = _folded(tree), _folded(direction)
    angle = math.atan2(other[2], other[0]) - math.atan2(one[2], one[0])
    cosine, sine = math.cos(angle), math.sin(angle)
    turn = np.array([[cosine, 0.0, -sine], [0.0, 1.0, 0.0], [sine, 0.0, cosine]])
    return after[:, None] * turn * before


def _signs(vector):
    return np.array([math.copysign(1.0, vector[0]), 1.0, math.copysign(1.0, vector[2])])


def _folded(vectors):
    """The same up to reflections of x and z."""
    folded = np.abs(vectors)
    folded[..., 1] = np.asarray(vectors)[..., 1]
    return folded
