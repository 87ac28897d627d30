"""The contour of the soma (mirrors neurots.generate.soma.SomaGrower)."""

import math

import numpy as np

from region_grower_flow.errors import GrowthFailed

CONTOUR_POINTS = 10
"""Points of the contour before its convex hull is taken."""


def contour(soma, rng):
    """The soma's contour through the starts of the trunks.

    Points on a circle are drawn until there are enough, then the convex hull in the x-y plane is
    taken.

    Args:
        soma: trunks.Soma with its points.
        rng: the cell's generator.

    Returns:
        (n, 3) float32, in the plane of the soma's center.

    Raises:
        GrowthFailed: there is no hull.
        ValueError: points are not finite.
    """
    from scipy.spatial import ConvexHull, QhullError

    x, y, z = soma.center
    flat = [point[:2] for point in soma.points]
    if len(flat) < CONTOUR_POINTS:
        for draw in rng.random(CONTOUR_POINTS - len(flat)).tolist():
            angle = 2.0 * math.pi * draw
            flat.append((soma.radius * math.sin(angle) + x, soma.radius * math.cos(angle) + y))
    flat = np.array(flat)
    try:
        corners = ConvexHull(flat).vertices
    except QhullError as error:
        raise GrowthFailed("the contour of the soma cannot be made") from error
    points = np.full((len(corners), 3), z, dtype=np.float32)
    points[:, :2] = flat[corners]
    return points
