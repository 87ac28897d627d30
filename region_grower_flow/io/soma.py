"""Somas as contours and as single points, with the same surface.

The soma of an SWC file is one point whose surface is the one that NEURON gives the contour.
An HDF5 or ASC file holds the soma as a contour, of which NEURON makes a stack of cylinders. SWC
knows no contours: one written as points would be read as a chain of points without thickness, so
that NEURON reports an area of 0. One point is read as a sphere (NEURON: a cylinder as long as it
is thick, of the same area).
"""

import numpy as np

PERIMETER_STEPS = 100
CYLINDERS = 20
CIRCLE_POINTS = 20
_FLAT = 1e-6
"""Length below which a contour's minor axis does not lie in the xy plane (NEURON's limit)."""


def soma_sphere(points: np.ndarray, diameters: np.ndarray) -> tuple[np.ndarray, float]:
    """The sphere that stands for a soma: center (3,) float32 and diameter (um).

    Args:
        points: (S, 3), a contour (S >= 3), or points of a chain of cylinders or a single point.
        diameters: (S,), of use only for a single point.

    A contour's center is the mean of its points (the center that MorphIO reports for the other
    formats, so that all files of a cell have the same one). A contour that NEURON cannot take
    gets a sphere of the mean distance of its points to the center.
    """
    points = np.asarray(points, dtype=np.float32)
    center = points.mean(axis=0, dtype=np.float64).astype(np.float32)
    if len(points) == 1:
        return center, float(diameters[0])
    area = contour_area(points) if len(points) > 2 else None
    if area is None:
        radius = np.linalg.norm(points.astype(float) - center, axis=1).mean()
        return center, 2.0 * float(radius)
    return center, float(np.sqrt(area / np.pi))


def soma_contour(points: np.ndarray, diameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The soma of an HDF5 or ASC file: points (S, 3) and diameters (S,), both float32.

    A single point, which no reader of these formats takes, becomes a circle in the xy plane of
    which NEURON makes the surface of the sphere (within 1 percent).
    """
    points = np.asarray(points, dtype=np.float32)
    if len(points) != 1:
        return points, np.asarray(diameters, dtype=np.float32)
    angles = 2 * np.pi / CIRCLE_POINTS * np.arange(CIRCLE_POINTS)
    circle = np.column_stack([np.cos(angles), np.sin(angles), np.zeros(CIRCLE_POINTS)])
    # The surface grows with the square of the radius.
    radius = float(diameters[0]) * np.sqrt(np.pi / (contour_area(circle) or np.nan))
    return (points + radius * circle).astype(np.float32), np.zeros(CIRCLE_POINTS, np.float32)


def contour_area(points: np.ndarray) -> float | None:
    """The surface (um2) that NEURON gives a soma contour of (S, 3) points, None when it fails.

    Mirrors ``contourcenter`` and ``contour2centroid`` of NEURON's Import3d: the contour is cut
    across its longest axis, and each cut becomes the diameter of a cylinder at that place.
    """
    ring = _resampled(np.asarray(points, dtype=float))
    if ring is None:
        return None
    center = ring.mean(axis=0)
    ring = ring - center
    values, axes = np.linalg.eigh(ring.T @ ring)
    major, minor = axes[:, 2], axes[:, 1] * (1.0, 1.0, 0.0)
    if values[2] <= 0 or np.linalg.norm(minor) < _FLAT:
        return None
    major = major * (-1.0 if major[np.abs(major).argmax()] < 0 else 1.0)
    sections = _sections(ring @ major, ring @ minor / np.linalg.norm(minor))
    return None if sections is None else _frusta_area(*sections)


def _resampled(points: np.ndarray) -> np.ndarray | None:
    """(101, 3): points at equal steps of the open contour's length in the xy plane."""
    steps = np.hypot(*np.diff(points[:, :2], axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if not along[-1] > 0:
        return None
    places = np.arange(PERIMETER_STEPS + 1) * (along[-1] / PERIMETER_STEPS)
    return np.column_stack([np.interp(places, along, points[:, axis]) for axis in range(3)])


def _sections(along: np.ndarray, across: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Places on the longest axis (um) and the contour's diameters there."""
    top = along.argmax()
    along, across = np.roll(along, -top), np.roll(across, -top)
    bottom = along.argmin()
    sides = [
        _rising(along[:bottom][::-1], across[:bottom][::-1]),
        _rising(along[bottom:], across[bottom:]),
    ]
    ends = np.sort(np.concatenate([side[0] for side in sides]))
    if len(ends) < 4 or not all(len(side[0]) for side in sides):
        return None
    places = np.linspace(ends[1], ends[-2], CYLINDERS + 1)
    widths = np.abs(np.interp(places, *sides[0]) - np.interp(places, *sides[1]))
    # The contour closes at its ends: NEURON keeps their diameters above zero.
    widths[0] = (widths[0] + widths[1]) / 2
    widths[-1] = (widths[-1] + widths[-2]) / 2
    return places, widths


def _rising(along: np.ndarray, across: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keep the points that lie further along the axis than all before."""
    further = along > np.concatenate([[-np.inf], np.maximum.accumulate(along)[:-1]])
    return along[further], across[further]


def _frusta_area(places: np.ndarray, widths: np.ndarray) -> float:
    radii = widths / 2
    slants = np.hypot(np.diff(places), np.diff(radii))
    return float(np.pi * np.sum((radii[1:] + radii[:-1]) * slants))
