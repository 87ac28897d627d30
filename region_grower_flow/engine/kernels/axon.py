"""Kernels that place and jitter a donor's axon (mirror neuroc.scale and morph_tool.transform).

Draws are made for all sections of the donor, in neuroc's order; points are moved where the result
needs them. Points are rounded to float32 after each step, as MorphIO's are.
"""

import numpy as np

from region_grower_flow.engine.kernels.geometry import children_first, scale_trees
from region_grower_flow.engine.kernels.jit import entry, kernel

DIRECTION_POINTS = 5
"""A terminal section turns around the last so many points of its parent."""

MAX_POINTS_OF_FULL_SVD = 500
"""Up to here scikit-learn's PCA decomposes the float32 points, beyond it approximates."""

SMALL_ANGLE = 1e-3
"""Below (rad), SciPy computes a rotation's quaternion by a series."""

PLACED, NO_DIRECTION = 0, 1
"""Status of a jitter: done, or a section whose points all coincide (PCA refuses them)."""


@entry
def transform_points(points, matrix):
    """(n, 3) float32: ``points`` multiplied by the (3, 3) ``matrix`` (a copy).

    Mirrors morph_tool.transform.transform.
    """
    moved = np.empty(points.shape, np.float32)
    for i in range(len(points)):
        x, y, z = np.float64(points[i, 0]), np.float64(points[i, 1]), np.float64(points[i, 2])
        for k in range(3):
            moved[i, k] = np.float32(matrix[k, 0] * x + matrix[k, 1] * y + matrix[k, 2] * z)
    return moved


@entry
def draw_angles(rng, parents, ends, std):
    """(M,) the angle (rad) by which each section turns; root sections don't.

    ``std`` in degrees. Mirrors the draws of neuroc.scale.rotational_jitter.
    """
    angles = np.zeros(len(parents))
    for i in children_first(ends):
        if parents[i] >= 0:
            angles[i] = rng.normal(0.0, std) * np.pi / 180.0
    return angles


@entry
def draw_factors(rng, ends, std):
    """(M,) the factor of each section (mirrors the draws of neuroc.scale.scale_morphology)."""
    factors = np.empty(len(ends))
    for i in children_first(ends):
        factors[i] = rng.normal(1.0, std)
    return factors


@entry
def turn_sections(points, offsets, parents, ends, angles):
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


@entry
def scale_sections(points, offsets, ends, factors):
    """Scale each section by its factor, descendants first (mirrors neuroc.scale.scale_section)."""
    scale_trees(points, offsets, ends, 0, len(ends), factors)


@entry
def principal_direction(directions):
    """(3,) float32, the first principal axis of (n, 3) float32 directions.

    Mirrors scikit-learn 1.4's PCA: its sign makes the longest projection of a centered direction
    positive.
    """
    count = len(directions)
    mean = np.zeros(3, np.float32)
    for i in range(count):
        for k in range(3):
            mean[k] = mean[k] + directions[i, k]
    centered = np.empty((count, 3), np.float32)
    for k in range(3):
        mean[k] = np.float32(mean[k] / np.float32(count))
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
def _longest_axis(centered):
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
def _directions(points, offsets, section, end):
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
def _end_direction(points, first, last):
    """(3,) float32, where the last few points of a section lead."""
    before = max(last - DIRECTION_POINTS, first)
    direction = points[last - 1] - points[before]
    return direction


@kernel
def _norm(vector):
    """float32, as NumPy's norm of one float32 vector: its BLAS sums float32 squares in float64."""
    total = np.float64(0.0)
    for k in range(3):
        total += np.float64(vector[k] * vector[k])
    return np.sqrt(np.float32(total))


@kernel
def _rotation(direction, angle, matrix):
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
def _rotate(points, first, last, matrix):
    """Rotate ``points[first:last]`` about their first (mirrors morph_tool.transform.rotate)."""
    origin = points[first].copy()
    for i in range(first, last):
        x = np.float64(points[i, 0] - origin[0])
        y = np.float64(points[i, 1] - origin[1])
        z = np.float64(points[i, 2] - origin[2])
        for k in range(3):
            moved = matrix[k, 0] * x + matrix[k, 1] * y + matrix[k, 2] * z
            points[i, k] = np.float32(np.float64(origin[k]) + moved)
