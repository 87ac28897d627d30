"""Beginnings of a cell's trees: all that NeuroTS draws between the soma and the growth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from region_grower_flow.engine import trunks
from region_grower_flow.engine.kernels import state
from region_grower_flow.engine.kernels.state import Vector
from region_grower_flow.engine.levers import stretch_matrix
from region_grower_flow.engine.measured_growth import draw_trees_of
from region_grower_flow.engine.model import BarcodeScaling, GrowthSite, ScalingLog
from region_grower_flow.engine.prepared import PreparedMtype, PreparedType
from region_grower_flow.engine.soma import unit
from region_grower_flow.engine.trunks import TrunkSite
from region_grower_flow.errors import DropCell, GrowthFailed
from region_grower_flow.morphology import Y_DIRECTION

if TYPE_CHECKING:
    from region_grower_flow.engine.kernels.acceptance import SpaceConstraints
    from region_grower_flow.space.constraints import Constraint

FAILURES = {
    state.BROKEN_PIPELINE: (GrowthFailed, "a branch would outgrow its parent (broken pipeline)"),
    state.ZERO_DIRECTION: (DropCell, "a branch has no direction, since its parent's cancel out"),
    state.INVALID_PROBABILITY: (GrowthFailed, "a space constraint gives no probability"),
    state.RANDOM_BRANCHING: (DropCell, "branching method 'random' cannot follow a barcode"),
}


class TreeStart(NamedTuple):
    """Draws of the construction of a tree.

    Attributes:
        type_index: its neurite type among those of the mtype.
        point, direction: start on the soma (um) and unit vector.
        barcode: its barcode among those of its type.
        ratio: factor of its barcode, None for none.
        apical_distance: path distance (um) of the apical point.
        n_bars: number of its bars.
        first_direction, first_length: the first step, a unit vector and um.
        frame: (3, 3), turns the headings of measured bars, None for trees without.
    """

    type_index: int
    point: Vector
    direction: Vector
    barcode: int
    ratio: float | None
    apical_distance: float
    n_bars: int
    first_direction: Vector
    first_length: float
    frame: np.ndarray | None = None


def pia(site: GrowthSite, matters: bool) -> tuple[Vector, np.ndarray | None]:
    """The pia's direction at the cell and the rotation of the y axis to it.

    NeuroTS uses them only when some trunks are oriented by a mode; otherwise y and None.
    """
    if not matters:
        return Y_DIRECTION, None
    direction = tuple(site.y_direction.tolist())
    return direction, rotation_from_y(direction)


def rotation_from_y(direction: Vector) -> np.ndarray:
    """The rotation of the y axis to ``direction`` (mirrors rotation_matrix_from_vectors)."""
    x, y, z = unit(direction)
    sine = math.sqrt(z * z + x * x)
    if sine == 0:
        return np.eye(3)
    skew = np.array([[0.0, x, 0.0], [-x, 0.0, -z], [0.0, z, 0.0]])
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.float64(1.0 - y) / np.float64(sine * sine)
        return np.eye(3) + skew + skew.dot(skew) * factor


def draw_trees(
    prepared: PreparedMtype,
    scaling: Mapping[str, BarcodeScaling],
    where: TrunkSite,
    log: ScalingLog,
    kin_cell: int | None = None,
) -> list[TreeStart]:
    """Draw all trunks, each tree with what its construction draws.

    Mirrors NeuronGrower._grow_trunks.

    Args:
        prepared: PreparedMtype.
        scaling: {neurite type: BarcodeScaling}.
        where: TrunkSite; trunks are attached to its soma.
        log: {kind of scaling: list} that receives what is scaled.
        kin_cell: with levers, the reconstructed cells that the measured trees come from.

    Returns:
        List of TreeStart.
    """
    soma = where.soma
    by_angles = trunks.check_angle_modes([neurite.trunks for neurite in prepared.types])
    starts = []
    for i, neurite in enumerate(prepared.types):
        levers = None if prepared.levers is None else prepared.levers.types.get(neurite.kind)
        drawn = None
        if levers is not None and kin_cell is not None:
            drawn = draw_trees_of(prepared, neurite, levers, kin_cell, where)
            vectors = drawn.vectors
        else:
            vectors = trunks.orientations(neurite.trunks, prepared.by_mode, where)
        if drawn is None and prepared.by_mode and not by_angles:
            trunks.check_basals(neurite.kind, len(vectors))
        targeting = float(prepared.rules["targeting"][i])
        randomness = float(prepared.rules["randomness"][i])
        for n, point in enumerate([soma.attach(vector) for vector in vectors]):
            direction = None if drawn is None else drawn.targets[n]
            if direction is None:
                direction = soma.direction(point)
            if levers is not None and levers.is_stretched:
                direction = unit(stretch_matrix(levers.stretch, where.turn).dot(direction))
            place = None if drawn is None else drawn.places[n]
            frame = None if drawn is None else drawn.frames[n]
            factor = 1.0 if levers is None else levers.draw_size(where.rng)
            chosen = draw_barcode(neurite, scaling.get(neurite.kind), where.rng, log, place, factor)
            x, y, z = direction
            ahead = (targeting * x, targeting * y, targeting * z)
            first = first_step_direction(i, ahead, randomness, point, where)
            length = neurite.step.draw_positive(where.rng)
            starts.append(TreeStart(i, point, direction, *chosen, first, length, frame))
    return starts


def draw_barcode(
    neurite: PreparedType,
    scaling: BarcodeScaling | None,
    rng: np.random.Generator,
    log: ScalingLog,
    place: int | None = None,
    factor: float = 1.0,
) -> tuple[int, float | None, float, int]:
    """A tree's barcode: (barcode, ratio, apical distance, number of bars).

    Mirrors TMDAlgo.select_persistence and initialize; trunks have one bar for their section. With
    ``place`` the barcode is chosen already. The factor of its size is for trees that no layers
    scale: those end where they should.
    """
    if neurite.method == state.TRUNK:
        return 0, None, 0.0, 1
    barcode = int(rng.integers(0, len(neurite.barcodes))) if place is None else place
    ratio, distance = None, 0.0
    if scaling is not None:
        longest = neurite.longest[barcode]
        ratio = float(scaling.ratio(longest))
        log[scaling.kind].append({"max_ph": longest, "scaling_ratio": ratio})
    elif factor != 1.0:
        ratio = factor
    if neurite.method in state.APICAL_METHODS:
        distance = apical_distance(neurite, barcode, ratio)
    return barcode, ratio, distance, len(neurite.barcodes[barcode])


def first_step_direction(
    type_index: int, ahead: Vector, randomness: float, point: Vector, where: TrunkSite
) -> Vector:
    """The direction of a tree's first step, which is random only under constraints."""
    slot = 2 * type_index
    if where.space is None or where.space.first_active[slot] == where.space.first_active[slot + 1]:
        return unit(ahead)
    from region_grower_flow.engine.kernels.acceptance import first_direction

    status, direction = first_direction(ahead, randomness, where.space, slot, point, where.rng)
    if status != state.DONE:
        error, message = FAILURES[status]
        raise error(message)
    return direction


def space_of(prepared: PreparedMtype, constraints: Sequence[Constraint]) -> SpaceConstraints:
    """The acceptance.SpaceConstraints of a cell's constraints."""
    from region_grower_flow.engine.kernels.acceptance import SpaceConstraints
    from region_grower_flow.engine.kernels.constraints_table import (
        compile_constraints,
        section_rules,
    )

    slots = [
        section_rules(constraints, neurite.kind, process)
        for neurite in prepared.types
        for process in ("major", "secondary")
    ]
    return SpaceConstraints(
        table=compile_constraints(constraints),
        active=np.concatenate([slot.active for slot in slots]),
        first_active=np.cumsum([0] + [len(slot.active) for slot in slots], dtype=np.int64),
        max_tries=np.array([slot.max_tries for slot in slots], dtype=np.int64),
        randomness_increase=np.array([slot.randomness_increase for slot in slots]),
    )


def apical_distance(neurite: PreparedType, barcode: int, ratio: float | None) -> float:
    """The path distance (um) of the apical point (mirrors TMDApicalAlgo.initialize).

    A measured tree of one bar is trunk to its tip; NeuroTS cannot grow it.
    """
    bars = neurite.barcodes[barcode]
    if neurite.measured is not None and len(bars) < 2:
        return float(bars[0, 0]) * (1.0 if ratio is None else ratio)
    if neurite.apical_points is not None:
        return neurite.apical_points[barcode].distance(bars, ratio)
    if len(bars) < 2:
        raise DropCell(f"a barcode of {neurite.kind} without bifurcation has no apical point")
    last_bif = float(bars[:, 1].max()) * (1.0 if ratio is None else ratio)
    return float(np.round(last_bif, 4)) - neurite.tuftless_offset
