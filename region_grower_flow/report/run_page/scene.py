"""Cells and outlines of layers as a few numbers, for the viewer of the page.

What the viewer reads is a dict for JSON with one block of bytes (base64, little endian):

* ``unit`` (um of a step), ``origin`` (um, in the atlas): a point is ``origin + unit * steps``.
* ``cells``: per cell ``sections`` (their number) and all that the page tells of it.
* ``points`` int16 x 3 (steps), ``radii`` uint8 (:data:`RADIUS_STEP` um), ``counts`` uint16 (points
  of each section), ``kinds`` uint8 (neurite type of each section), ``lines`` int16 x 3 (points of
  the outlines): each [first byte, number of elements] in the block ``data``.
* ``outlines``: [{name, counts}], points of each line in ``lines``.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from region_grower_flow.report.placed import PlacedCell
from region_grower_flow.report.run_page.thin import kept_points

TOLERANCE = 0.8
"""Distance (um) by which a shown neurite may differ from the file."""
RADIUS_STEP = 0.05
"""Step (um) of radii; the greatest radius is 255 times this."""
FINEST = 0.05
"""Least step (um) of coordinates."""
MOST_POINTS = 260_000
"""Points beyond which the tolerance is doubled: the page has to stay small."""


Thin: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""A cell with fewer points, see :func:`_thin`."""


def scene(
    cells: Sequence[tuple[PlacedCell, Mapping[str, Any]]],
    outlines: Sequence[tuple[Any, Sequence[np.ndarray]]] = (),
) -> dict[str, Any] | None:
    """The dict for the viewer.

    Args:
        cells: [(PlacedCell, dict of what the page tells of it)].
        outlines: what :func:`~region_grower_flow.report.run_page.outline.outlines` gives.
    """
    if not cells:
        return None
    shown, tolerance = _few_points([cell for cell, _ in cells])
    everything = np.concatenate([points for points, *_ in shown if len(points)])
    lines = [line for _, found in outlines for line in found]
    both = np.concatenate([everything, *lines])
    origin = (both.min(axis=0) + both.max(axis=0)) / 2
    unit = max(float(np.abs(both - origin).max()) / 32767, FINEST)
    steps = [_steps(points, origin, unit) for points, *_ in shown]
    columns = {
        "points": np.concatenate(steps),
        "lines": _steps(np.concatenate(lines) if lines else np.empty((0, 3)), origin, unit),
        "counts": np.concatenate([counts for _, _, counts, _ in shown]).astype("<u2"),
        "radii": np.concatenate([radii for _, radii, _, _ in shown]),
        "kinds": np.concatenate([kinds for *_, kinds in shown]).astype(np.uint8),
    }
    places, data = _block(columns)
    return {
        "unit": unit,
        "origin": [round(float(x), 3) for x in origin],
        "tolerance": tolerance,
        "cells": [
            {
                **told,
                "sections": len(counts),
                "at": [round(float(x), 2) for x in cell.position],
                "soma": round(cell.morphology.soma_radius, 2),
            }
            for (cell, told), (_, _, counts, _) in zip(cells, shown, strict=True)
        ],
        "outlines": [
            {"name": str(name), "counts": [len(line) for line in found]} for name, found in outlines
        ],
        **places,
        "data": base64.b64encode(data).decode("ascii"),
    }


def _few_points(cells: Sequence[PlacedCell]) -> tuple[list[Thin], float]:
    """The cells with no more points than a page may hold, and the tolerance (um) of that."""
    tolerance = TOLERANCE
    shown = [_thin(cell, tolerance) for cell in cells]
    while sum(len(points) for points, *_ in shown) > MOST_POINTS:
        tolerance *= 2
        shown = [_thin(cell, tolerance) for cell in cells]
    return shown, tolerance


def _thin(cell: PlacedCell, tolerance: float) -> Thin:
    """(points in the atlas (um), radii, points of each section, kinds) of a cell, thinned."""
    morphology = cell.morphology
    kept = kept_points(morphology.points, morphology.offsets, tolerance)
    sums = np.concatenate([[0], np.cumsum(kept)])
    points = morphology.points[kept] @ cell.orientation.T + cell.position
    radii = np.round(morphology.diameters[kept] / 2 / RADIUS_STEP)
    counts = np.diff(sums[morphology.offsets])
    return points, np.clip(radii, 1, 255).astype(np.uint8), counts, morphology.types


def _steps(points: np.ndarray, origin: np.ndarray, unit: float) -> np.ndarray:
    return np.clip(np.round((points - origin) / unit), -32767, 32767).astype("<i2")


def _block(columns: Mapping[str, np.ndarray]) -> tuple[dict[str, list[int]], bytes]:
    """({name: [first byte, number of elements]}, bytes): the widest come first, so all align."""
    places, parts, first = {}, [], 0
    for name, column in columns.items():
        content = np.ascontiguousarray(column).tobytes()
        places[name] = [first, int(column.size)]
        parts.append(content)
        first += len(content)
    return places, b"".join(parts)
