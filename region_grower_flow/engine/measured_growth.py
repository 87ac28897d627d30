"""Draws of a cell with growth levers in place of NeuroTS's laws: trees, trunks and soma."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from region_grower_flow.engine import trunks
from region_grower_flow.engine.distributions import Fixed
from region_grower_flow.engine.kernels.state import Vector
from region_grower_flow.engine.kin import (
    draw_layout,
    draw_trees,
    fitting,
    folded,
    frames_between,
    unit_rows,
)
from region_grower_flow.engine.soma import CONTOUR_POINTS, Soma, vector_of
from region_grower_flow.errors import GrowthFailed

if TYPE_CHECKING:
    from region_grower_flow.engine.levers import CellLevers, TypeLevers
    from region_grower_flow.engine.prepared import PreparedMtype, PreparedType
    from region_grower_flow.engine.trunks import TrunkSite

SOMA_SPREAD = 0.05
"""Standard deviation of the log of a factor of a measured soma radius, so that none is copied."""


@dataclass(frozen=True)
class DrawnTrees:
    """The trees of one neurite type of a cell.

    Attributes:
        vectors: directions of the trunks in the atlas, unit vectors.
        places: for each its measured tree.
        frames: for each the (3, 3) rotation of the headings of its bars into the atlas.
        targets: for each the direction in which it grows, None for that of its trunk.
    """

    vectors: list[Vector]
    places: list[int]
    frames: list[np.ndarray]
    targets: list[Vector] | list[None]


def draw_radius(
    prepared: PreparedMtype, levers: CellLevers, kin_cell: int, rng: np.random.Generator
) -> float:
    """The soma's radius (um): by its distribution, or near that of the kin."""
    if not (levers.drawn_soma and prepared.kin.share is not None):
        return prepared.soma_size.draw_positive(rng)
    factor = math.exp(SOMA_SPREAD * rng.standard_normal())
    return prepared.kin.radii[kin_cell] * factor


def draw_trees_of(
    prepared: PreparedMtype,
    neurite: PreparedType,
    levers: TypeLevers,
    kin_cell: int,
    where: TrunkSite,
) -> DrawnTrees:
    """The trees of a neurite type with levers.

    Args:
        prepared: PreparedMtype.
        neurite: its PreparedType.
        levers: those of the type.
        kin_cell: the reconstructed cell that the grown one is to be like.
        where: TrunkSite.

    Returns:
        DrawnTrees.
    """
    directions = neurite.trees.directions
    weights = prepared.kin.weights_of(neurite.kind, kin_cell)
    if levers.trunks:
        layout = directions[prepared.kin.draw_member(neurite.kind, kin_cell, where.rng)]
        own = draw_layout(layout, levers.trunk_jitter, where)
        chosen = draw_trees(fitting(own, weights, folded(directions)), where.rng)
        frames = where.turn @ frames_between(directions[chosen], own)
        turned = own.dot(where.turn.T)
        vectors = list(map(vector_of, turned))
        where.found[neurite.kind] = vectors
        targets = targets_of(neurite, chosen, frames, turned, levers, where.rng)
        return DrawnTrees(vectors, chosen.tolist(), list(frames), targets)
    rules = neurite.trunks
    if prepared.kin.share is not None:
        number = len(prepared.kin.draw_member(neurite.kind, kin_cell, where.rng))
        rules = replace(rules, distributions=replace(rules.distributions, number=Fixed(number)))
    vectors = trunks.orientations(rules, prepared.by_mode, where)
    alike = np.repeat(weights[:, None], len(vectors), axis=1)
    chosen = draw_trees(alike, where.rng).tolist()
    return DrawnTrees(vectors, chosen, [where.turn] * len(vectors), [None] * len(vectors))


def targets_of(
    neurite: PreparedType,
    places: np.ndarray,
    frames: np.ndarray,
    vectors: np.ndarray,
    levers: TypeLevers,
    rng: np.random.Generator,
) -> list[Vector]:
    """The directions in which trees with measured trunks grow.

    An apical dendrite may leave the soma at its side (half of them more than 15 degrees off the
    pia's axis in rat layer 5, 48 in layer 6) and turns up at once: its target is where its first
    section led, from which ``heading`` leads it on, or without that lever where its first bar led.
    Other trees are drawn to their first section as much as their branches are.

    Args:
        neurite: PreparedType.
        places: (n,) of the measured trees.
        frames: (n, 3, 3) from the frames of their cells into the atlas.
        vectors: (n, 3) of their trunks, in the atlas.
        levers: TypeLevers.
        rng: the cell's generator.

    Returns:
        A unit vector in the atlas for each.
    """
    from region_grower_flow.engine.kernels import state

    amount = 1.0 if neurite.method in state.APICAL_METHODS else levers.heading
    measured = neurite.trees
    own = measured.first_ways if levers.heading > 0.0 else measured.first_headings
    headings = np.einsum("nij,nj->ni", frames, own[places])
    headings += levers.trunk_jitter * rng.standard_normal(headings.shape)
    targets = unit_rows((1.0 - amount) * vectors + amount * headings)
    targets = np.where(np.isfinite(targets), targets, vectors)
    return list(map(vector_of, targets))


def ring(soma: Soma, rng: np.random.Generator) -> np.ndarray:
    """A soma's contour of the size that was drawn: points around its center, in its plane.

    NeuroTS's contour goes through the starts of the trunks, which lie off the plane, so that it is
    up to a sixth too small.

    Returns:
        (n, 3) float32, at the soma's radius from its center.

    Raises:
        GrowthFailed: there is no radius.
    """
    if not math.isfinite(soma.radius):
        raise GrowthFailed("the contour of the soma cannot be made")
    turns = np.arange(CONTOUR_POINTS) / CONTOUR_POINTS + rng.random()
    points = np.full((CONTOUR_POINTS, 3), soma.center, dtype=np.float32)
    points[:, 0] += soma.radius * np.cos(2.0 * math.pi * turns)
    points[:, 1] += soma.radius * np.sin(2.0 * math.pi * turns)
    return points
