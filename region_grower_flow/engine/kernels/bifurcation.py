"""Directions of the two children of a section (mirrors neurots.morphmath.bifurcation).

``axes`` holds the x and the z axis (rows, unit vectors) around which the angles turn: those of the
coordinates, or turned as the y axis is turned to the pia (``y_rotation``).
"""

from __future__ import annotations

import numpy as np

from region_grower_flow.engine.kernels.jit import kernel
from region_grower_flow.engine.kernels.state import BIO_ORIENTED, SYMMETRIC, Vector


@kernel
def rotated(vector: Vector, axis: np.ndarray, angle: float) -> Vector:
    """``vector`` turned by ``angle`` around the unit vector ``axis`` (mirrors rotate_vector)."""
    x, y, z = vector
    sine = np.sin(angle)
    rest = 1.0 - np.cos(angle)
    cross_x = axis[1] * z - axis[2] * y
    cross_y = axis[2] * x - axis[0] * z
    cross_z = axis[0] * y - axis[1] * x
    twice_x = axis[1] * cross_z - axis[2] * cross_y
    twice_y = axis[2] * cross_x - axis[0] * cross_z
    twice_z = axis[0] * cross_y - axis[1] * cross_x
    return (
        x + sine * cross_x + rest * twice_x,
        y + sine * cross_y + rest * twice_y,
        z + sine * cross_z + rest * twice_z,
    )


@kernel
def turned(vector: Vector, axes: np.ndarray, phi: float, theta: float) -> Vector:
    """``vector`` turned by ``phi`` around z, then by ``theta`` around x."""
    return rotated(rotated(vector, axes[1], phi), axes[0], theta)


@kernel
def symmetric(direction: Vector, angles: np.ndarray, axes: np.ndarray) -> tuple[Vector, Vector]:
    """Children on both sides of the parent's direction."""
    phi, theta = angles[2] / 2.0, angles[3] / 2.0
    return turned(direction, axes, phi, theta), turned(direction, axes, -phi, -theta)


@kernel
def bio_oriented(direction: Vector, angles: np.ndarray, axes: np.ndarray) -> tuple[Vector, Vector]:
    """The first child as far from its parent, the second from the first, as in the bar."""
    first = turned(direction, axes, angles[0], angles[1])
    return first, turned(first, axes, angles[2], angles[3])


@kernel
def directional(direction: Vector, angles: np.ndarray, axes: np.ndarray) -> tuple[Vector, Vector]:
    """The first child goes on as its parent, the second is turned away from it."""
    return direction, turned(direction, axes, angles[2], angles[3])


@kernel
def children_directions(
    branching: int, direction: Vector, angles: np.ndarray, axes: np.ndarray
) -> tuple[Vector, Vector]:
    """The two directions by the neurite type's branching method."""
    if branching == SYMMETRIC:
        return symmetric(direction, angles, axes)
    if branching == BIO_ORIENTED:
        return bio_oriented(direction, angles, axes)
    return directional(direction, angles, axes)
