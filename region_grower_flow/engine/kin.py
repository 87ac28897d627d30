"""Choice of the reconstructed cells of a grown cell's trees: the levers ``kin``, ``trunks``.

The trees of a reconstructed cell resemble each other. Where they are drawn from all cells alike,
means over a grown cell vary too little. So a cell is chosen, and the trees come from it and those
that are most like it; with measured trunks, their number and directions come from one of these.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from region_grower_flow.engine.kernels.state import Vector
from region_grower_flow.engine.soma import vector_of
from region_grower_flow.engine.trunks import TrunkSite, accepted

if TYPE_CHECKING:
    from region_grower_flow.engine.measured_trees import MeasuredTrees

MIRRORS = ((1.0, 1.0, 1.0), (-1.0, 1.0, 1.0), (1.0, 1.0, -1.0), (-1.0, 1.0, -1.0))
"""Reflections that leave the pia and the plane of a slice where they are."""

SIMILAR = 0.35
"""Angle (radians) between a trunk and that of a tree at which the tree fits it half as well."""

FEWEST = 2.0
"""Cells that a grown cell's trees come from at least, so that no cell is made of one only."""

ROUNDS = 60
"""Rounds of balancing and of the search for a width, each of which halves what is left."""


@dataclass(frozen=True)
class Kin:
    """The reconstructed cells of an mtype, and how much they are alike.

    Attributes:
        weights: (C, C) cumulated along rows: how likely the trees of a grown cell that is like cell
            i come from cell j. On the whole, all cells are drawn from equally.
        trees: {neurite type: for each cell the places of its trees}.
        tree_weights: {neurite type: (C, T), the same for each tree}.
        radii: the cells' soma radii (um).
        share: of the cells that trees come from; None: all, each tree alike.
    """

    weights: np.ndarray
    trees: dict[str, list[list[int]]]
    tree_weights: dict[str, np.ndarray]
    radii: list[float]
    share: float | None = None

    @classmethod
    def prepare(
        cls, measured: Mapping[str, MeasuredTrees], radii: Sequence[float], share: float | None
    ) -> Kin:
        """Prepare the kin of an mtype's cells.

        Args:
            measured: {neurite type: MeasuredTrees}.
            radii: the soma radii (um) of the cells.
            share: of the cells that trees come from; None: from all, each tree alike.
        """
        n_cells = len(radii)
        trees = {
            kind: [np.flatnonzero(of.cells == cell).tolist() for cell in range(n_cells)]
            for kind, of in measured.items()
        }
        if share is None:
            weights = np.full((n_cells, n_cells), 1.0 / n_cells)
            tree_weights = {
                kind: np.ones((n_cells, len(of.cells))) for kind, of in measured.items()
            }
        else:
            features = _features(measured, n_cells)
            far = np.linalg.norm(features[:, None] - features[None], axis=2)
            weights = likeness(far, max(share * n_cells, FEWEST))
            tree_weights = {
                kind: weights[:, of.cells] / np.bincount(of.cells, minlength=n_cells)[of.cells]
                for kind, of in measured.items()
            }
        return cls(np.cumsum(weights, axis=1), trees, tree_weights, list(radii), share)

    def draw_cell(self, rng: np.random.Generator) -> int:
        """The reconstructed cell that a grown one is to be like."""
        return int(rng.integers(len(self.radii)))

    def draw_member(self, kind: str, cell: int, rng: np.random.Generator) -> list[int]:
        """The trees of one type of a cell that is like a cell: as many as it will have."""
        return self.trees[kind][_chosen(self.weights[cell], rng)]

    def weights_of(self, kind: str, cell: int) -> np.ndarray:
        """(T,) weights of the trees of a type in a cell that is like a cell; alike if all are 0."""
        weights = self.tree_weights[kind][cell]
        return weights if weights.sum() > 0.0 else np.ones(len(weights))


NO_KIN = Kin(np.empty((0, 0)), {}, {}, [])
"""The Kin of an mtype without levers."""


def likeness(far: np.ndarray, size: float) -> np.ndarray:
    """(C, C) weights by distance, rows and columns with the sum 1.

    Args:
        far: (C, C) distances between cells.
        size: number of cells that a row shall be spread over (the exponential of its entropy).
    """
    scale = far[far > 0.0].mean() if (far > 0.0).any() else 1.0
    low, high = 1e-3 * scale, 1e2 * scale
    for _ in range(ROUNDS):
        width = math.sqrt(low * high)
        weights = balanced(np.exp(-0.5 * np.minimum(far / width, 30.0) ** 2))
        logs = np.log(np.where(weights > 0.0, weights, 1.0))
        if math.exp(-(weights * logs).sum(axis=1).mean()) > size:
            high = width
        else:
            low = width
        if high < 1.01 * low:
            break
    return weights


def balanced(weights: np.ndarray) -> np.ndarray:
    """A symmetric matrix scaled so that its rows and columns have the sum 1 (Sinkhorn)."""
    for _ in range(ROUNDS):
        weights = weights / weights.sum(axis=1, keepdims=True)
        weights = weights / weights.sum(axis=0, keepdims=True)
    return weights / weights.sum(axis=1, keepdims=True)


def _chosen(cumulated: np.ndarray, rng: np.random.Generator) -> int:
    """A place by cumulated weights."""
    place = np.searchsorted(cumulated, rng.random() * cumulated[-1], side="right")
    return min(int(place), len(cumulated) - 1)


def draw_trees(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The places of trees by their weights, a tree for each column.

    Args:
        weights: (T, n).

    Returns:
        (n,) int64.
    """
    cumulated = np.cumsum(weights, axis=0)
    drawn = rng.random(weights.shape[1]) * cumulated[-1]
    return np.minimum((cumulated <= drawn).sum(axis=0), len(cumulated) - 1)


def _features(measured: Mapping[str, MeasuredTrees], n_cells: int) -> np.ndarray:
    """(n_cells, f): what cells are compared by, each feature with a standard deviation of 1."""
    columns = []
    for of in measured.values():
        lengths = [math.log(max((d[:, 0] - d[:, 1]).sum(), 1.0)) for d in of.barcodes]
        reach = [math.log(max(d[:, 0].mean(), 1.0)) for d in of.barcodes]
        tips = [math.log(len(d)) for d in of.barcodes]
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


def draw_layout(directions: np.ndarray, jitter: float, where: TrunkSite) -> np.ndarray:
    """The trunks of one reconstructed cell, mirrored by chance and each a little disturbed.

    Args:
        directions: (n, 3) of the cell's trees, in its own frame.
        jitter: the disturbance (radians).
        where: TrunkSite, whose boundaries may refuse a direction.

    Returns:
        (n, 3) unit vectors in the frame of the cell.
    """
    mirror = np.array(MIRRORS[int(where.rng.integers(len(MIRRORS)))])
    if where.space is None:  # nothing refuses any
        return unit_rows(directions * mirror + jitter * where.rng.standard_normal(directions.shape))

    def propose(direction: np.ndarray) -> np.ndarray:
        vector = direction * mirror + jitter * where.rng.standard_normal(3)
        return vector / np.linalg.norm(vector)

    found = []
    for direction in directions:

        def in_atlas(direction: np.ndarray = direction) -> Vector:
            return vector_of(where.turn.dot(propose(direction)))

        found.append(accepted(in_atlas, lambda _: 1.0, where))
    return np.array(found).reshape(-1, 3).dot(where.turn)


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """(n, 3) vectors with the length 1; NaN for those without a length."""
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    return vectors / np.where(lengths > 0.0, lengths, np.nan)[:, None]


def fitting(vectors: np.ndarray, weights: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Weights of trees whose trunks point like some, up to a reflection.

    Args:
        vectors: (n, 3) unit vectors in the frame of the cell.
        weights: (T,) of the trees.
        directions: (T, 3) of the trees, each in the frame of its cell, :func:`folded`.

    Returns:
        (T, n) weights.
    """
    cosines = directions.dot(folded(vectors).T)
    angles = np.arccos(np.minimum(np.maximum(cosines, -1.0), 1.0))
    return weights[:, None] * (np.exp(-0.5 * (angles / SIMILAR) ** 2) + 1e-9)


def frames_between(trees: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """(n, 3, 3): turn the frames of trees' cells so that the trees suit their trunks.

    A reflection of x and z, and where the tree still leaves the soma elsewhere by more than
    SIMILAR, what exceeds that about the pia's axis. A turn mixes the plane of a slice with its
    depth, in which reconstructions are flat; so small differences are left to the trunk.

    Args:
        trees: (n, 3) the directions of the trees in their cells.
        directions: (n, 3) those of the trunks.
    """
    one, other = folded(trees), folded(directions)
    angles = np.arctan2(other[:, 2], other[:, 0]) - np.arctan2(one[:, 2], one[:, 0])
    cosines = np.einsum("ij,ij->i", one, other)
    far = np.arccos(np.minimum(np.maximum(cosines, -1.0), 1.0))
    angles *= np.maximum(1.0 - SIMILAR / np.maximum(far, 1e-300), 0.0)
    turns = np.zeros((len(trees), 3, 3))
    turns[:, 0, 0] = turns[:, 2, 2] = np.cos(angles)
    turns[:, 2, 0] = np.sin(angles)
    turns[:, 0, 2] = -turns[:, 2, 0]
    turns[:, 1, 1] = 1.0
    return _signs(directions)[:, :, None] * turns * _signs(trees)[:, None, :]


def _signs(vectors: np.ndarray) -> np.ndarray:
    signs = np.copysign(1.0, vectors)
    signs[:, 1] = 1.0
    return signs


def folded(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., 3) reflected so that x and z are not negative."""
    folded = np.abs(vectors)
    folded[..., 1] = np.asarray(vectors)[..., 1]
    return folded
