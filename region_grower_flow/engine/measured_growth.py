"""Draws of a cell with growth levers in place of NeuroTS's laws: trees, trunks and soma."""

import math
from dataclasses import dataclass, replace

import numpy as np

from region_grower_flow.engine import trunks
from region_grower_flow.engine.kin import draw_layout, draw_tree, fitting, folded, frame_between
from region_grower_flow.engine.soma import CONTOUR_POINTS
from region_grower_flow.errors import GrowthFailed

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

    vectors: list
    places: list
    frames: list
    targets: list


@dataclass(frozen=True)
class Fixed:
    """A number of trees that is known, where a distribution is drawn from."""

    number: int

    def draw(self, _rng):
        """The number."""
        return self.number


def draw_radius(prepared, kin_cell, rng):
    """The soma's radius (um): by its distribution, or near that of the kin."""
    if not (prepared.levers.drawn_soma and prepared.levers.kin is not None):
        return prepared.soma_size.draw_positive(rng)
    factor = math.exp(SOMA_SPREAD * rng.standard_normal())
    return prepared.kin.radii[kin_cell] * factor


def draw_trees_of(prepared, made, kin_cell, where):
    """The trees of a neurite type with levers.

    Args:
        prepared: PreparedMtype.
        made: its PreparedType.
        kin_cell: the reconstructed cell that the grown one is to be like.
        where: TrunkSite.

    Returns:
        DrawnTrees.
    """
    levers, directions = prepared.levers.types[made.kind], made.measured.directions
    weights = prepared.kin.weights_of(made.kind, kin_cell)
    if levers.trunks:
        layout = directions[prepared.kin.draw_member(made.kind, kin_cell, where.rng)]
        own = draw_layout(layout, levers.trunk_jitter, where)
        alike = folded(directions)
        chosen = [draw_tree(fitting(vector, weights, alike), where.rng) for vector in own]
        frames = [
            where.turn.dot(frame_between(directions[place], vector))
            for place, vector in zip(chosen, own, strict=True)
        ]
        vectors = [tuple(vector) for vector in own.dot(where.turn.T).tolist()]
        where.found[made.kind] = vectors
        targets = [
            target_of(made, place, frame, vector, levers, where.rng)
            for place, frame, vector in zip(chosen, frames, vectors, strict=True)
        ]
        return DrawnTrees(vectors, chosen, frames, targets)
    rules = made.trunks
    if prepared.levers.kin is not None:
        number = len(prepared.kin.draw_member(made.kind, kin_cell, where.rng))
        rules = replace(rules, distributions=replace(rules.distributions, number=Fixed(number)))
    vectors = trunks.orientations(rules, prepared.by_mode, where)
    chosen = [draw_tree(weights, where.rng) for _ in vectors]
    return DrawnTrees(vectors, chosen, [where.turn] * len(vectors), [None] * len(vectors))


def target_of(made, place, frame, vector, levers, rng):
    """The direction in which a tree with a measured trunk grows.

    An apical dendrite may leave the soma at its side (half of them more than 15 degrees off the
    pia's axis in rat layer 5, 48 in layer 6) and turns up at once: its target is where its first
    section led, from which ``heading`` leads it on, or without that lever where its first bar led.
    Other trees are drawn to their first section as much as their branches are.

    Returns:
        A unit vector in the atlas.
    """
    from region_grower_flow.engine.kernels import state

    amount = levers.heading if made.method == state.TMD else 1.0
    own = made.measured.headings[place][0]
    if levers.heading > 0.0:
        own = made.measured.ways[place][0, 0]
    heading = frame.dot(own) + levers.trunk_jitter * rng.standard_normal(3)
    target = (1.0 - amount) * np.array(vector) + amount * heading
    length = np.linalg.norm(target)
    return tuple((target / length).tolist()) if length > 0.0 else vector


def ring(soma, rng):
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
