"""Hulls of somas: SciPy's corners in SciPy's order, or nothing."""

import math

import numpy as np
import pytest

from region_grower_flow.engine.kernels.hull import convex_hull
from region_grower_flow.engine.soma import CONTOUR_POINTS, Soma, contour

pytest.importorskip("scipy")


def starts_of_trunks(rng, flatness):
    """Points of a soma: the starts of up to 14 trunks, and others on the circle."""
    center, radius = rng.normal(0.0, 3000.0, 2), rng.uniform(2.0, 12.0)
    directions = rng.normal(size=(rng.integers(0, 15), 3)) * (1.0, 1.0, flatness)
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    points = [tuple(center + radius * direction[:2]) for direction in directions]
    for draw in rng.random(max(0, CONTOUR_POINTS - len(points))):
        angle = 2.0 * math.pi * draw
        points.append((radius * math.sin(angle) + center[0], radius * math.cos(angle) + center[1]))
    return np.array(points)


@pytest.mark.parametrize("flatness", [1.0, 0.1, 10.0])
def test_as_scipy(flatness):
    from scipy.spatial import ConvexHull

    rng, unsure = np.random.default_rng(3), 0
    for _ in range(1500):
        points = starts_of_trunks(rng, flatness)
        found = convex_hull(points)
        if len(found):
            np.testing.assert_array_equal(found, ConvexHull(points).vertices)
        unsure += not len(found)
    assert unsure < 100


def test_any_points_as_scipy():
    from scipy.spatial import ConvexHull

    rng, unsure = np.random.default_rng(4), 0
    for n in range(4, 60):
        for scale in ((1.0, 1.0), (1.0, 0.05), (1e-3, 1.0)):
            points = rng.normal(size=(n, 2)) * scale
            found = convex_hull(points)
            if len(found):
                np.testing.assert_array_equal(found, ConvexHull(points).vertices)
            unsure += not len(found)
    assert unsure < 100


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((10, 2)),
        np.column_stack([np.arange(10.0), np.arange(10.0)]),
        np.array([[0, 0], [2, 0], [2, 2], [0, 2], [1, 0], [1, 2]], dtype=float),
        np.array([[0, 0], [2, 0], [np.nan, 2], [0, 3]]),
        np.array([[0, 0], [2, 0], [1, 2], [1, 2], [0, 1]], dtype=float),
    ],
)
def test_nothing_where_rounding_decides(points):
    assert len(convex_hull(points)) == 0


def test_a_soma_of_which_rounding_decides_is_asked_of_scipy():
    from scipy.spatial import ConvexHull

    corners = [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)]
    points = [(*corner, 0.0) for corner in corners] + [(0.5, 0.5, 0.0)] * 6
    ring = contour(Soma((0.0, 0.0, 0.0), 1.0, points), np.random.default_rng(0))
    flat = np.array(points)[:, :2]
    np.testing.assert_array_equal(ring[:, :2], flat[ConvexHull(flat).vertices])
