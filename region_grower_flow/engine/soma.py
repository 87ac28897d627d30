"""The soma, its contour, and the directions around it (mirrors neurots.generate.soma)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from region_grower_flow.engine.distributions import arccos
from region_grower_flow.engine.kernels.state import Vector
from region_grower_flow.errors import GrowthFailed

CONTOUR_POINTS = 10
"""Points of the contour before its convex hull is taken."""

OVERLAP = 1e-8
"""A point closer than this (um, on each axis) to the soma's center has no orientation."""


@dataclass
class Soma:
    """The soma while trunks are attached to it.

    Attributes:
        center: (x, y, z) floats (um).
        radius: um.
        points: where trunks begin, in order.
    """

    center: Vector
    radius: float
    points: list[Vector] = field(default_factory=list)

    def attach(self, orientation: Vector) -> Vector:
        """The start of a new trunk, which is kept: (x, y, z), um.

        Mirrors SomaGrower.add_points_from_orientations and Soma.orientation_from_point.
        """
        phi, theta = spherical(orientation)
        x, y, z = self.center
        sine = math.sin(theta)
        point = (
            x + self.radius * math.cos(phi) * sine,
            y + self.radius * math.sin(phi) * sine,
            z + self.radius * math.cos(theta),
        )
        self.points.append(point)
        return point

    def direction(self, point: Vector) -> Vector:
        """The unit vector from the center to a point of the surface."""
        (x, y, z), (center_x, center_y, center_z) = point, self.center
        vector = (x - center_x, y - center_y, z - center_z)
        if all(abs(v) <= OVERLAP for v in vector):
            raise GrowthFailed("a trunk begins at the soma's center")
        return unit(vector)


def contour(soma: Soma, rng: np.random.Generator) -> np.ndarray:
    """The soma's contour through the starts of the trunks.

    Points on a circle are drawn until there are enough, then the convex hull in the x-y plane is
    taken.

    Args:
        soma: the Soma, its trunks attached.
        rng: the cell's generator.

    Returns:
        (n, 3) float32, in the plane of the soma's center.

    Raises:
        GrowthFailed: there is no hull.
        ValueError: points are not finite.
    """
    from region_grower_flow.engine.kernels.hull import convex_hull

    x, y, z = soma.center
    flat = [point[:2] for point in soma.points]
    if len(flat) < CONTOUR_POINTS:
        for draw in rng.random(CONTOUR_POINTS - len(flat)).tolist():
            angle = 2.0 * math.pi * draw
            flat.append((soma.radius * math.sin(angle) + x, soma.radius * math.cos(angle) + y))
    around = np.array(flat, dtype=np.float64)
    corners = convex_hull(around)
    if not len(corners):
        corners = _hull_by_scipy(around)
    points = np.full((len(corners), 3), z, dtype=np.float32)
    points[:, :2] = around[corners]
    return points


def _hull_by_scipy(points: np.ndarray) -> np.ndarray:
    from scipy.spatial import ConvexHull, QhullError

    try:
        return ConvexHull(points).vertices
    except QhullError as error:
        raise GrowthFailed("the contour of the soma cannot be made") from error


def vector_of(array: np.ndarray) -> Vector:
    """Three numbers of an array as a tuple, which is what vectors are here."""
    x, y, z = array.tolist()
    return x, y, z


def sphere_vector(rng: np.random.Generator) -> Vector:
    """A unit vector in any direction (mirrors sample.sample_spherical_unit_vectors)."""
    return unit((rng.standard_normal(), rng.standard_normal(), rng.standard_normal()))


def angle_between(first: Vector, second: Vector) -> float:
    """The angle (radians) of two vectors (mirrors neurom.morphmath.angle_between_vectors)."""
    if tuple(first) == tuple(second):
        return 0.0
    a, b = unit(first), unit(second)
    return math.acos(min(max(a[0] * b[0] + a[1] * b[1] + a[2] * b[2], -1.0), 1.0))


def unit(vector: Vector | np.ndarray) -> Vector:
    """The vector scaled to length 1; NaN for none, as in NumPy."""
    length = norm(vector)
    if length == 0.0:
        return (math.nan, math.nan, math.nan)
    return (vector[0] / length, vector[1] / length, vector[2] / length)


def spherical(vector: Vector) -> tuple[float, float]:
    """(phi, theta) of a vector: the angles to x in the x-y plane and to z."""
    x, y, z = vector
    length = norm(vector)
    return math.atan2(y, x), arccos(z / length) if length else math.nan


def from_spherical(phi: float, theta: float) -> Vector:
    """The unit vector at (phi, theta)."""
    sine = math.sin(theta)
    return (math.cos(phi) * sine, math.sin(phi) * sine, math.cos(theta))


def stable_order(values: Sequence[float]) -> list[int]:
    """Indices of the values in ascending order."""
    return sorted(range(len(values)), key=values.__getitem__)


def norm(vector: Vector | np.ndarray) -> float:
    """The length of a vector."""
    x, y, z = vector
    return math.sqrt(x * x + y * y + z * z)
