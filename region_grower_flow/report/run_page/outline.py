"""Outlines of the layers: where planes through the atlas cut their boundaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.report.run_page.section import smooth
from region_grower_flow.report.run_page.thin import thinned

if TYPE_CHECKING:
    from region_grower_flow.report.slices import LayerMap

PLANES = 4
"""Number of planes in each of two directions."""
SMALLEST = 3
"""Samples along an outline's longer side: smaller ones are left out."""
SAMPLES = 110
"""Points along the longer side of a plane, at which layers are looked up."""


def outlines(
    layers: LayerMap, frame: np.ndarray, low: np.ndarray, high: np.ndarray
) -> list[tuple[Any, list[np.ndarray]]]:
    """Lines along which planes cut the boundaries of layers.

    Args:
        layers: :class:`~region_grower_flow.report.slices.LayerMap`.
        frame: (3, 3) unit vectors: across, up, and along the normal of the slices.
        low, high: (3,) um, a box in the coordinates of the frame.

    Returns:
        [(name of a layer, [(K, 3) um])], from the first layer on.
    """
    found: dict[Any, list[np.ndarray]] = {}
    for normal, across in ((2, 0), (0, 2)):
        for place in low[normal] + (high[normal] - low[normal]) * np.linspace(0, 1, PLANES):
            _cut(layers, frame, (normal, across, place), (low, high), found)
    return list(found.items())


def _cut(
    layers: LayerMap,
    frame: np.ndarray,
    plane: tuple[int, int, float],
    box: tuple[np.ndarray, np.ndarray],
    found: dict[Any, list[np.ndarray]],
) -> None:
    normal, across, place = plane
    low, high = box
    step = max(high[across] - low[across], high[1] - low[1]) / SAMPLES
    if not step > 0:
        return
    # One step beyond the box on each side, so that outlines close.
    right = np.arange(low[across] - step, high[across] + 2 * step, step)
    up = np.arange(low[1] - step, high[1] + 2 * step, step)
    grid = np.empty((len(up), len(right), 3))
    grid[..., normal] = place
    grid[..., across] = right[None, :]
    grid[..., 1] = up[:, None]
    names, numbers = layers.lookup(grid.reshape(-1, 3) @ frame)
    numbers = smooth(numbers.reshape(len(up), len(right)), 0.5 * layers.voxel / step)
    for number, name in enumerate(names):
        for line in contour_lines(right, up, numbers == number, 0.6 * step):
            points = np.empty((len(line), 3))
            points[:, normal] = place
            points[:, across] = line[:, 0]
            points[:, 1] = line[:, 1]
            found.setdefault(name, []).append(points @ frame)


def contour_lines(
    right: np.ndarray, up: np.ndarray, mask: np.ndarray, tolerance: float
) -> list[np.ndarray]:
    """The outlines of a mask, [(K, 2)], in the coordinates of its columns and rows."""
    from contourpy import contour_generator

    if not mask.any():
        return []
    padded = np.pad(mask.astype(float), 1)
    step = right[1] - right[0], up[1] - up[0]
    columns = np.concatenate([[right[0] - step[0]], right, [right[-1] + step[0]]])
    rows = np.concatenate([[up[0] - step[1]], up, [up[-1] + step[1]]])
    lines: Any = contour_generator(columns, rows, padded).lines(0.5)
    # A few voxels by themselves are no layer.
    lines = [line for line in lines if np.ptp(line, axis=0).max() > SMALLEST * step[0]]
    return [thinned(line, [0, len(line)], tolerance)[0] for line in lines]
