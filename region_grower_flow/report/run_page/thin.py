"""Polylines with fewer points, of the same shape within a tolerance."""

from collections.abc import Sequence

import numpy as np


def kept_points(
    points: np.ndarray, offsets: Sequence[int] | np.ndarray, tolerance: float
) -> np.ndarray:
    """The points that keep every polyline within a tolerance of its shape.

    Douglas and Peucker's rule, for all polylines at once: a stretch is split at its point farthest
    from the chord until none is farther than the tolerance.

    Args:
        points: (N, D) um.
        offsets: (M + 1,) polyline ``i`` is ``points[offsets[i]:offsets[i + 1]]``.
        tolerance: um.

    Returns:
        (N,) bool; the first and last point of each polyline are kept.
    """
    points = np.asarray(points, dtype=np.float64)
    kept = np.zeros(len(points), dtype=bool)
    first, last = np.asarray(offsets[:-1]), np.asarray(offsets[1:]) - 1
    filled = last >= first
    kept[first[filled]] = kept[last[filled]] = True
    first, last = first[last > first + 1], last[last > first + 1]
    while len(first):
        far, distance = _farthest(points, first, last)
        split = distance > tolerance
        first, far, last = first[split], far[split], last[split]
        kept[far] = True
        first, last = np.concatenate([first, far]), np.concatenate([far, last])
        inside = last > first + 1
        first, last = first[inside], last[inside]
    return kept


def _farthest(
    points: np.ndarray, first: np.ndarray, last: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The inner point of each stretch farthest from its chord, and that distance (um)."""
    counts = last - first - 1
    starts = np.cumsum(counts) - counts
    stretch = np.repeat(np.arange(len(first)), counts)
    inner = np.arange(counts.sum()) - starts[stretch] + first[stretch] + 1
    chord = points[last] - points[first]
    length = np.maximum((chord**2).sum(axis=1), 1e-12)
    away = points[inner] - points[first[stretch]]
    along = np.clip((away * chord[stretch]).sum(axis=1) / length[stretch], 0.0, 1.0)
    distance = np.linalg.norm(away - along[:, None] * chord[stretch], axis=1)
    greatest = np.maximum.reduceat(distance, starts)
    candidates = np.where(distance == greatest[stretch], inner, np.iinfo(np.int64).max)
    return np.minimum.reduceat(candidates, starts), greatest


def thinned(
    points: np.ndarray, offsets: Sequence[int] | np.ndarray, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """(points, offsets) of the polylines with the points that :func:`kept_points` keeps."""
    kept = kept_points(points, offsets, tolerance)
    counts = np.concatenate([[0], np.cumsum(kept)])
    return np.asarray(points)[kept], counts[np.asarray(offsets)]
