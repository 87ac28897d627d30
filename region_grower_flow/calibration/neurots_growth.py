"""Distributions from which NeuroTS's own growth makes trees that are more like the reconstructions.

Used by ``growth_calibration = parameters``: files of NeuroTS's form, with other numbers twice.

*Angles of bars.* TMD stores differences of spherical angles, and growth applies them as rotations
about the x and the z axis. A direction near the axis hardly moves, and a child begins with its
parent's history: grown branches part by two thirds of the angle that real ones part by.

*Azimuths of trunks.* NeuroTS draws their angles to the z axis from the whole sphere, whatever the
reconstructions; those of slices are flat.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from region_grower_flow.calibration.measured import MeasuredCell
from region_grower_flow.morphology import NEURITE_TYPES

WIDENING = 1.45
"""Factor of the angles. Of 1.3, 1.45 and 1.6 it leaves the fewest features that differ (16 rat
mtypes: about 15, 12 and 15 of 320); remote angles are then right on average."""

FREE = {"uniform": {"min": math.pi, "max": 0.0}}
"""NeuroTS's azimuths: all of the sphere."""
MOST = 0.999
"""Greatest cosine of an azimuth: with 1 it could not be told from NeuroTS's."""

FIRST_ANGLE = 2
"""Place of the first angle in a bar, after its two ends."""


def fit_to_growth(entry: dict[str, Any], kind: str, cells: list[MeasuredCell]) -> dict[str, Any]:
    """The distributions of a neurite type with widened angles and measured azimuths.

    Args:
        entry: NeuroTS's distributions of the neurite type; they are not changed.
        kind: the neurite type.
        cells: the reconstructions.
    """
    entry = dict(entry)
    if "persistence_diagram" in entry:
        entry["persistence_diagram"] = _with_angles(entry["persistence_diagram"], _widened)
    trunk, tilts = entry.get("trunk"), z_of_first_sections(cells, kind)
    if trunk and trunk.get("azimuth") == FREE and len(tilts):
        # Cosines are drawn from -most to most, whose mean square is a third of most's.
        most = min(math.sqrt(3.0 * float(np.mean(tilts**2))), MOST)
        azimuth = {"uniform": {"min": math.acos(-most), "max": math.acos(most)}}
        entry["trunk"] = {**trunk, "azimuth": azimuth}
    return entry


def as_extracted(entry: dict[str, Any]) -> dict[str, Any]:
    """The distributions that :func:`fit_to_growth` was given, but for whole turns.

    Others are as they are.
    """
    azimuth = (entry.get("trunk") or {}).get("azimuth")
    if azimuth in (None, FREE) or "persistence_diagram" not in entry:
        return entry
    return {
        **entry,
        "persistence_diagram": _with_angles(entry["persistence_diagram"], _narrowed),
        "trunk": {**entry["trunk"], "azimuth": FREE},
    }


def _with_angles(codes: list[Any], change: Callable[[float], float]) -> list[Any]:
    """Barcodes with changed angles; NaN, as a tree's first bar has, stays."""
    return [
        [[*bar[:FIRST_ANGLE], *map(change, bar[FIRST_ANGLE:])] for bar in code] for code in codes
    ]


def _widened(angle: float) -> float:
    return WIDENING * math.remainder(angle, 2.0 * math.pi)


def _narrowed(angle: float) -> float:
    return angle / WIDENING


def z_of_first_sections(cells: list[MeasuredCell], kind: str) -> np.ndarray:
    """(trees,) the z component of the unit vector from the soma to the end of the first section."""
    found = []
    for cell in cells:
        shape = cell.morphology
        roots = np.flatnonzero((shape.parents < 0) & (shape.types == NEURITE_TYPES[kind]))
        ways = shape.points[shape.offsets[roots + 1] - 1].astype(float) - cell.center
        lengths = np.linalg.norm(ways, axis=1)
        found.append(ways[lengths > 0.0, 2] / lengths[lengths > 0.0])
    return np.concatenate(found) if found else np.empty(0)
