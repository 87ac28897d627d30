"""Directions and boundaries in compiled code: the probability of a proposed direction.

The kernels read the :class:`~.constraints_table.ConstraintTable` of a cell. NeuroTS's accept-reject
(``neurots.utils.accept_reject``) is, for a section with active constraints::

    for n_tries in range(max_tries):
        direction = proposal with the random part times (1 + n_tries) * randomness_increase
        probability = section_probability(table, active, direction, point)
        if accepts(rng, probability): take it
        else: keep it when its probability is greater than those before (the first: than -1)
    none accepted: take the one kept

The draws of the proposal come first, then those of :func:`accepts`: none when the probability is
exactly 1 or 0, otherwise one double (rarely more, see :func:`bernoulli`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from region_grower_flow.engine.kernels.constraints_table import (
    D_MAX,
    D_MIN,
    PARALLEL,
    POWER,
    REPULSIVE,
    SCALE,
    ConstraintTable,
    FieldArrays,
)
from region_grower_flow.engine.kernels.jit import kernel
from region_grower_flow.engine.kernels.mesh import closest_point, contains, dot, first_hit

if TYPE_CHECKING:
    from region_grower_flow.engine.kernels.state import Triple, Vector

INVALID = -1
"""The value of :func:`accepts` and :func:`bernoulli` for a NaN or a number outside 0 to 1, where
numpy raises a ValueError: the attempt to grow the cell has failed."""

INT8_SCALE = 127.0
"""int8 quaternions are in units of 1/127 (voxcell)."""
NEAR_ZERO = 1e-7
"""Voxel indices nearer to 0 are 0 (voxcell)."""


@kernel
def section_probability(
    table: ConstraintTable, active: np.ndarray, direction: Triple, point: Triple
) -> float:
    """Probability (0 to 1) that a section goes into ``direction`` from ``point``.

    Mirrors the ``prob`` of ``neurots.generate.section.SectionGrower.next_point``: the least of the
    active constraints; an undefined one (NaN) counts as 1.

    Args:
        table: ConstraintTable.
        active: int64 indices of the constraints that act (``SectionRules.active``).
        direction: three numbers, a unit vector.
        point: three numbers (um).
    """
    least = 1.0
    for index in active:
        if table.kind[index] < REPULSIVE:
            probability = _along_direction(table, index, direction, point)
        else:
            probability = _at_boundary(table, index, table.section[index], direction, point)
        if probability < least:
            least = probability
    return least


@kernel
def trunk_probability(table: ConstraintTable, direction: Triple, point: Triple) -> float:
    """Probability (0 to 1) that a trunk leaves the soma at ``point`` in ``direction``.

    Mirrors the ``trunk_prob`` of ``neurots.generate.orientations.OrientationManager``: boundaries
    act on the trunks of every neurite type.
    """
    least = 1.0
    for index in range(len(table.kind)):
        if table.on_trunks[index]:
            probability = _at_boundary(table, index, table.trunk[index], direction, point)
            if probability < least:
                least = probability
    return least


@kernel
def _clipped(probability: float) -> float:
    """To 0 to 1; NaN stays (mirrors numpy.clip)."""
    if probability < 0.0:
        return 0.0
    if probability > 1.0:
        return 1.0
    return probability


@kernel
def _along_direction(table: ConstraintTable, index: int, direction: Triple, point: Triple) -> float:
    """Mirrors ``space.constraints.DirectionConstraint.section_probability``."""
    if not _in_layers(table, index, point):
        return 1.0
    inside, target = _rotated(table.field, table.vector[index], point)
    if not inside:
        return 1.0
    angle = np.arccos(dot(direction, target)) / np.pi
    if table.kind[index] != PARALLEL:
        angle = abs(angle * 2.0 - 1.0)
    return _clipped((1.0 - angle) ** table.section[index, POWER])


@kernel
def _in_layers(table: ConstraintTable, index: int, point: Triple) -> bool:
    first, last = table.first_layer[index], table.first_layer[index + 1]
    if first == last:
        return True
    soma = table.soma
    depth = soma[6] + (
        (soma[0] - point[0]) * soma[3]
        + (soma[1] - point[1]) * soma[4]
        + (soma[2] - point[2]) * soma[5]
    )
    inside = False
    for row in range(first, last):
        inside = inside or table.layers[row, 0] < depth < table.layers[row, 1]
    return inside


@kernel
def _four(
    values: np.ndarray, start: int, step: int, unit: float
) -> tuple[float, float, float, float]:
    return (
        np.float64(values[start]) / unit,
        np.float64(values[start + step]) / unit,
        np.float64(values[start + 2 * step]) / unit,
        np.float64(values[start + 3 * step]) / unit,
    )


@kernel
def _quaternion(field: FieldArrays, start: int) -> tuple[float, float, float, float]:
    if len(field.int8) > 0:
        return _four(field.int8, start, field.strides[3], INT8_SCALE)
    if len(field.float32) > 0:
        return _four(field.float32, start, field.strides[3], 1.0)
    return _four(field.float64, start, field.strides[3], 1.0)


@kernel
def _rotated(field: FieldArrays, vector: np.ndarray, point: Triple) -> tuple[bool, Vector]:
    """(whether the point is in the atlas, the vector in the atlas's axes there).

    Mirrors ``voxcell.OrientationField.lookup`` and ``quaternions_to_matrices``.
    """
    outside = False, (0.0, 0.0, 0.0)
    start = 0
    for axis in range(3):
        index = (point[axis] - field.offset[axis]) / field.voxel_dimensions[axis]
        if abs(index) < NEAR_ZERO:
            index = 0.0
        size = field.shape[axis]
        if not index >= 0.0 or (index >= size and point[axis] >= field.upper[axis]):
            return outside
        start += field.strides[axis] * min(np.int64(index), size - 1)
    w, x, y, z = _quaternion(field, start)
    norm = np.sqrt(x * x + y * y + z * z + w * w)
    if norm > 0.0:
        w, x, y, z = w / norm, x / norm, y / norm, z / norm
    row0 = (1 - 2 * (y * y) - 2 * (z * z), 2 * x * y - 2 * z * w, 2 * x * z + 2 * y * w)
    row1 = (2 * x * y + 2 * z * w, 1 - 2 * (x * x) - 2 * (z * z), 2 * y * z - 2 * x * w)
    row2 = (2 * x * z - 2 * y * w, 2 * y * z + 2 * x * w, 1 - 2 * (x * x) - 2 * (y * y))
    return True, (dot(row0, vector), dot(row1, vector), dot(row2, vector))


@kernel
def _at_boundary(
    table: ConstraintTable, index: int, params: np.ndarray, direction: Triple, point: Triple
) -> float:
    """Mirrors ``space.constraints.BoundaryConstraint``."""
    if table.kind[index] == REPULSIVE:
        distance = _distance_along(table, index, direction, point)
        return _clipped((distance - params[D_MIN]) / params[SCALE])
    return _attraction(table, index, params, direction, point)


@kernel
def _to_indices(grid: np.ndarray, point: Triple) -> Vector:
    return (
        (point[0] - grid[1, 0]) / grid[0, 0],
        (point[1] - grid[1, 1]) / grid[0, 1],
        (point[2] - grid[1, 2]) / grid[0, 2],
    )


@kernel
def _to_positions(grid: np.ndarray, indices: Vector) -> Vector:
    return (
        indices[0] * grid[0, 0] + grid[1, 0],
        indices[1] * grid[0, 1] + grid[1, 1],
        indices[2] * grid[0, 2] + grid[1, 2],
    )


@kernel
def _distance_along(table: ConstraintTable, index: int, direction: Triple, point: Triple) -> float:
    origin = (point[0], point[1], point[2])
    if table.voxel[index]:
        origin = _to_indices(table.grid, origin)
    ray = (direction[0], direction[1], direction[2])
    found, hit = first_hit(table.tree, table.root[index], origin, ray)
    if not found:
        return np.inf
    if table.voxel[index]:
        hit, origin = _to_positions(table.grid, hit), _to_positions(table.grid, origin)
    away = (hit[0] - origin[0], hit[1] - origin[1], hit[2] - origin[2])
    return np.sqrt(dot(away, away))


@kernel
def _attraction(
    table: ConstraintTable, index: int, params: np.ndarray, direction: Triple, point: Triple
) -> float:
    asked = (point[0], point[1], point[2])
    if table.voxel[index]:
        asked = _to_indices(table.grid, asked)
    if contains(table.tree, table.root[index], asked):
        return 1.0
    closest, _ = closest_point(table.tree, table.root[index], asked)
    if table.voxel[index]:
        closest = _to_positions(table.grid, closest)
    towards = (closest[0] - point[0], closest[1] - point[1], closest[2] - point[2])
    distance = np.sqrt(dot(towards, towards))
    if not params[D_MIN] < distance < params[D_MAX]:
        return 1.0
    angle = np.arccos(dot(direction, towards) / distance) / np.pi
    return _clipped((1.0 - angle) ** params[POWER])


@kernel
def accepts(rng: np.random.Generator, probability: float) -> int:
    """1 or 0: whether a proposal of this probability is taken; INVALID where numpy raises.

    Mirrors ``neurots.utils.accept_reject``: a probability of exactly 1 draws nothing.
    """
    if probability == 1.0:
        return 1
    return bernoulli(rng, probability)


@kernel
def bernoulli(rng: np.random.Generator, probability: float) -> int:
    """``rng.binomial(1, probability)`` with the same draws; INVALID where numpy raises.

    Mirrors ``random_binomial`` of numpy's ``distributions.c`` for one trial: nothing is drawn for
    0; otherwise by inversion, on the rarer outcome. A draw that falls into the rounding gap above
    both outcomes is repeated.
    """
    if not 0.0 <= probability <= 1.0:
        return INVALID
    if probability == 0.0:
        return 0
    if probability <= 0.5:
        return _inversion(rng, probability)
    return 1 - _inversion(rng, 1.0 - probability)


@kernel
def _inversion(rng: np.random.Generator, probability: float) -> int:
    rest = 1.0 - probability
    none = np.exp(np.log(rest))
    while True:
        draw = rng.random()
        if draw <= none:
            return 0
        if draw - none <= probability * none / rest:
            return 1
