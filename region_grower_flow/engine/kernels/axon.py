"""Kernels that place and jitter a donor's axon (mirror neuroc.scale and morph_tool.transform).

Draws are made for all sections of the donor, in neuroc's order; points are moved where the result
needs them. Points are rounded to float32 after each step, as MorphIO's are.
"""

import numpy as np

from region_grower_flow.engine.kernels.diameters import pairwise_sum
from region_grower_flow.engine.kernels.geometry import (
    MIN_SECTION_SCALE,
    children_first,
    scale_section,
    scale_trees,
    subtree_ends,
    tiny_morphology,
)
from region_grower_flow.engine.kernels.jit import entry, kernel, uncounted

DIRECTION_POINTS = 5
"""A terminal section turns around the last so many points of its parent."""

MAX_POINTS_OF_FULL_SVD = 500
"""Up to here scikit-learn's PCA decomposes the float32 points, beyond it approximates."""

SMALL_ANGLE = 1e-3
"""Below (rad), SciPy computes a rotation's quaternion by a series."""

PARALLEL = 1e-7
"""A cross product (um) shorter than this means parallel vectors."""

PLACED, NO_DIRECTION = 0, 1
"""Status of a jitter: done, or a section whose points all coincide (PCA refuses them)."""


@entry("axon")
def place_donor(
    rng: np.random.Generator,
    donor: tuple[np.ndarray, np.ndarray, np.ndarray],
    roots: np.ndarray,
    axon: int,
    matrix: np.ndarray,
    jitters: tuple[float, float],
) -> tuple[int, np.ndarray, np.ndarray]:
    """Transform a donor, jitter it, and return what is grafted and what orients it.

    Mirrors SpaceWorker.transform_morphology of region_grower. Draws are those for the whole donor.

    Args:
        rng: the generator.
        donor: (points, offsets, parents) of the donor.
        roots: (R,) the roots of its trees but its axons.
        axon: the root of the axon.
        matrix: (3, 3) float64, turns and scales the donor.
        jitters: (rotational in degrees, scaling) standard deviations, NaN for no jitter.

    Returns:
        (status, points, chords): (n, 3) float32, the axon's points; (1 + R, 3) float32, from the
        first to the last point of the root section of the axon and of the other trees.
    """
    rng, donor, roots, matrix = uncounted((rng, donor, roots, matrix))
    points, offsets, parents = donor
    ends = subtree_ends(parents)
    end = ends[axon]
    first, last = offsets[axon], offsets[end]
    placed = _transformed(points, first, last, matrix)
    own_offsets, own_ends = offsets[axon : end + 1] - first, ends[axon:end] - axon
    status = PLACED
    if not np.isnan(jitters[0]):
        angles = _draw_angles(rng, parents, ends, jitters[0])
        own_parents = parents[axon:end] - axon
        status = _turn_sections(placed, own_offsets, own_parents, own_ends, angles[axon:end])
    factors = np.full(len(parents), np.nan)
    if not np.isnan(jitters[1]):
        factors = _draw_factors(rng, ends, jitters[1])
        scale_trees(placed, own_offsets, own_ends, 0, len(own_ends), factors[axon:end])
    chords = np.empty((1 + len(roots), 3), np.float32)
    _chord(placed, 0, own_offsets[1], chords[0])
    for r in range(len(roots)):
        root = roots[r]
        section = _transformed(points, offsets[root], offsets[root + 1], matrix)
        if not np.isnan(factors[root]):
            moved = np.empty(3)
            factor = max(factors[root], MIN_SECTION_SCALE)
            scale_section(section, 0, len(section), factor, moved)
        _chord(section, 0, len(section), chords[r + 1])
    return status, placed, chords


@kernel
def _chord(points: np.ndarray, first: int, last: int, chord: np.ndarray) -> None:
    """Fill the vector from the first to the last of ``points[first:last]``."""
    for k in range(3):
        chord[k] = points[last - 1, k] - points[first, k]


@kernel
def _transformed(points: np.ndarray, first: int, last: int, matrix: np.ndarray) -> np.ndarray:
    """``points[first:last]`` multiplied by the matrix (mirrors morph_tool.transform.transform)."""
    moved = np.empty((last - first, 3), np.float32)
    for i in range(first, last):
        x, y, z = np.float64(points[i, 0]), np.float64(points[i, 1]), np.float64(points[i, 2])
        for k in range(3):
            value = matrix[k, 0] * x + matrix[k, 1] * y + matrix[k, 2] * z
            moved[i - first, k] = np.float32(value)
    return moved


@entry("axon")
def axon_dendrites_cosine(chords: np.ndarray) -> np.float32:
    """The cosine, float32, of the angle between the first of the chords and the mean of the others.

    Mirrors morph_tool.graft._axon_dendrites_angle.
    """
    mean = mean_vector(chords[1:])
    cosine = _dot(mean, chords[0]) / _norm(mean) / _norm(chords[0])
    return min(max(cosine, np.float32(-1.0)), np.float32(1.0))


@entry("axon")
def graft_start(
    soma_points: np.ndarray,
    soma_diameters: np.ndarray,
    dendrites: np.ndarray,
    around: float,
    angle: tuple[float, float],
) -> np.ndarray:
    """(3,) float64, where an axon starts on the soma.

    Mirrors morph_tool.graft.grafting_position for a neuron without axon.

    Args:
        soma_points, soma_diameters: of the neuron.
        dendrites: (D, 3) float32, from the first to the last point of its root sections.
        around: drawn angle (rad) around the dendrites' mean direction.
        angle: (sin, cos) of the angle from that direction.
    """
    mean = mean_vector(dendrites)
    axis, length = mean.astype(np.float64), np.float64(_norm(mean))
    orthogonal = np.array([axis[1], -axis[0], 0.0])
    if _length(orthogonal) < PARALLEL:
        orthogonal = np.array([-axis[2], 0.0, axis[0]])
    orthogonal = _turned(orthogonal, axis / length, np.sin(around), np.cos(around))
    direction = _turned(axis, orthogonal / _length(orthogonal), angle[0], angle[1])
    direction = direction / _length(direction)
    center = mean_vector(soma_points)
    radius = _soma_radius(soma_points, soma_diameters, center)
    return center.astype(np.float64) + np.float64(radius) * direction


@kernel
def _turned(vector: np.ndarray, axis: np.ndarray, sin: float, cos: float) -> np.ndarray:
    """``vector`` turned around the unit ``axis`` (mirrors morph_tool.graft._rotate_vector)."""
    once = np.cross(axis, vector)
    return vector + sin * once + (1.0 - cos) * np.cross(axis, once)


@kernel
def _soma_radius(points: np.ndarray, diameters: np.ndarray, center: np.ndarray) -> np.float32:
    """float32 (um); mirrors morph_tool.graft._soma_mean_radius."""
    if len(points) == 1:
        return np.float32(diameters[0] / np.float32(2.0))
    distances = np.empty(len(points), np.float32)
    for i in range(len(points)):
        x, y, z = points[i, 0] - center[0], points[i, 1] - center[1], points[i, 2] - center[2]
        distances[i] = np.sqrt(x * x + y * y + z * z)
    return np.float32(pairwise_sum(distances) / np.float32(len(points)))


@kernel
def mean_vector(vectors: np.ndarray) -> np.ndarray:
    """(3,) float32, the mean of (n, 3) float32 vectors, rounded as NumPy's and MorphIO's."""
    total = np.zeros(3, np.float32)
    for i in range(len(vectors)):
        for k in range(3):
            total[k] = total[k] + vectors[i, k]
    for k in range(3):
        total[k] = np.float32(total[k] / np.float32(len(vectors)))
    return total


@kernel
def _length(vector: np.ndarray) -> float:
    return np.sqrt(vector[0] * vector[0] + vector[1] * vector[1] + vector[2] * vector[2])


@kernel
def _draw_angles(
    rng: np.random.Generator, parents: np.ndarray, ends: np.ndarray, std: float
) -> np.ndarray:
    """(M,) the angle (rad) by which each section turns; root sections don't.

    ``std`` in degrees. Mirrors the draws of neuroc.scale.rotational_jitter.
    """
    angles = np.zeros(len(parents))
    for i in children_first(ends):
        if parents[i] >= 0:
            angles[i] = rng.normal(0.0, std) * np.pi / 180.0
    return angles


@kernel
def _draw_factors(rng: np.random.Generator, ends: np.ndarray, std: float) -> np.ndarray:
    """(M,) the factor of each section (mirrors the draws of neuroc.scale.scale_morphology)."""
    factors = np.empty(len(ends))
    for i in children_first(ends):
        factors[i] = rng.normal(1.0, std)
    return factors


@kernel
def _turn_sections(
    points: np.ndarray,
    offsets: np.ndarray,
    parents: np.ndarray,
    ends: np.ndarray,
    angles: np.ndarray,
) -> int:
    """Turn each section with its descendants, descendants first; returns a status.

    ``points`` is one tree. Mirrors neuroc.scale._recursive_rotational_jitter.
    """
    matrix = np.empty((3, 3))
    for i in range(len(parents) - 1, 0, -1):
        first, last = offsets[i], offsets[ends[i]]
        if ends[i] == i + 1:
            parent = parents[i]
            direction = _end_direction(points, offsets[parent], offsets[parent + 1])
        else:
            directions = _directions(points, offsets, i, ends[i])
            if len(directions) == 0:
                return NO_DIRECTION
            direction = principal_direction(directions)
        _rotation(direction, angles[i], matrix)
        _rotate(points, first, last, matrix)
    return PLACED


@kernel
def principal_direction(directions: np.ndarray) -> np.ndarray:
    """(3,) float32, the first principal axis of (n, 3) float32 directions.

    Mirrors scikit-learn 1.4's PCA: its sign makes the longest projection of a centered direction
    positive.
    """
    count = len(directions)
    mean = mean_vector(directions)
    centered = np.empty((count, 3), np.float32)
    for i in range(count):
        for k in range(3):
            centered[i, k] = directions[i, k] - mean[k]
    if count <= MAX_POINTS_OF_FULL_SVD:
        u, _, axes = np.linalg.svd(centered, False)
        axis = np.ascontiguousarray(axes[0])
        weights = np.ascontiguousarray(u[:, 0])
    else:
        axis = _longest_axis(centered)
        weights = np.empty(count, np.float32)
        for i in range(count):
            weights[i] = (
                centered[i, 0] * axis[0] + centered[i, 1] * axis[1] + centered[i, 2] * axis[2]
            )
    return axis * np.float32(np.sign(weights[np.argmax(np.abs(weights))]))


@kernel
def _longest_axis(centered: np.ndarray) -> np.ndarray:
    """The axis of most variance, from the scatter matrix in float64."""
    scatter = np.zeros((3, 3))
    for i in range(len(centered)):
        for j in range(3):
            for k in range(3):
                scatter[j, k] += np.float64(centered[i, j]) * np.float64(centered[i, k])
    _, vectors = np.linalg.eigh(scatter)
    axis = np.empty(3, np.float32)
    for k in range(3):
        axis[k] = np.float32(vectors[k, 2])
    return axis


@kernel
def _directions(points: np.ndarray, offsets: np.ndarray, section: int, end: int) -> np.ndarray:
    """Unit vectors from a section's first point to its other points and its descendants'.

    Mirrors the first half of neuroc.scale._principal_direction.
    """
    start = points[offsets[section]].copy()
    directions = np.empty((offsets[end] - offsets[section], 3), np.float32)
    count = 0
    for j in range(section, end):
        for i in range(offsets[j] + 1, offsets[j + 1]):
            x, y, z = points[i, 0] - start[0], points[i, 1] - start[1], points[i, 2] - start[2]
            norm = np.sqrt(x * x + y * y + z * z)
            if norm > 0:
                directions[count, 0] = x / norm
                directions[count, 1] = y / norm
                directions[count, 2] = z / norm
                count += 1
    return directions[:count]


@kernel
def _end_direction(points: np.ndarray, first: int, last: int) -> np.ndarray:
    """(3,) float32, where the last few points of a section lead."""
    before = max(last - DIRECTION_POINTS, first)
    direction = points[last - 1] - points[before]
    return direction


@kernel
def _dot(a: np.ndarray, b: np.ndarray) -> np.float32:
    """float32, as BLAS multiplies short float32 vectors: float32 products summed in float64."""
    total = np.float64(0.0)
    for k in range(3):
        total += np.float64(a[k] * b[k])
    return np.float32(total)


@kernel
def _norm(vector: np.ndarray) -> np.float32:
    """float32, as NumPy's norm of one float32 vector."""
    return np.sqrt(_dot(vector, vector))


@kernel
def _rotation(direction: np.ndarray, angle: float, matrix: np.ndarray) -> None:
    """Fill the (3, 3) matrix of the turn by ``angle`` (rad) around a float32 direction.

    Mirrors scipy's Rotation.from_rotvec(...).as_matrix(), on a float32 rotation vector as neuroc.
    """
    norm = _norm(direction)
    turn = np.float32(angle)
    x = np.float64(turn * np.float32(direction[0] / norm))
    y = np.float64(turn * np.float32(direction[1] / norm))
    z = np.float64(turn * np.float32(direction[2] / norm))
    size = np.sqrt(x * x + y * y + z * z)
    if size <= SMALL_ANGLE:
        square = size * size
        part = 0.5 - square / 48.0 + square * square / 3840.0
    else:
        part = np.sin(size / 2.0) / size
    x, y, z, w = x * part, y * part, z * part, np.cos(size / 2.0)
    matrix[0, 0] = x * x - y * y - z * z + w * w
    matrix[1, 1] = -x * x + y * y - z * z + w * w
    matrix[2, 2] = -x * x - y * y + z * z + w * w
    matrix[1, 0], matrix[0, 1] = 2.0 * (x * y + z * w), 2.0 * (x * y - z * w)
    matrix[2, 0], matrix[0, 2] = 2.0 * (x * z - y * w), 2.0 * (x * z + y * w)
    matrix[2, 1], matrix[1, 2] = 2.0 * (y * z + x * w), 2.0 * (y * z - x * w)


@kernel
def _rotate(points: np.ndarray, first: int, last: int, matrix: np.ndarray) -> None:
    """Rotate ``points[first:last]`` about their first (mirrors morph_tool.transform.rotate)."""
    origin = points[first].copy()
    for i in range(first, last):
        x = np.float64(points[i, 0] - origin[0])
        y = np.float64(points[i, 1] - origin[1])
        z = np.float64(points[i, 2] - origin[2])
        for k in range(3):
            moved = matrix[k, 0] * x + matrix[k, 1] * y + matrix[k, 2] * z
            points[i, k] = np.float32(np.float64(origin[k]) + moved)


def warm_up() -> None:
    """Call every kernel that Python calls, with the types that it passes."""
    rng = np.random.default_rng(0)
    points, diameters, offsets, _, parents = tiny_morphology()
    donor = (points, offsets, parents)
    roots = np.flatnonzero(parents < 0)
    _, _, chords = place_donor(rng, donor, roots, roots[0], np.eye(3), (5.0, 0.2))
    axon_dendrites_cosine(chords)
    graft_start(points, diameters, chords, 1.0, (0.0, 1.0))
