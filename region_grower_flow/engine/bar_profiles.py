"""Diameters along the bars of measured trees, for the kernel of the lever ``diameters``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np

from region_grower_flow.engine.measured_trees import MeasuredTrees

Profiles: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]
"""(points, first points, joined), see ``kernels.bar_diameters.diametrize_by_bars``."""

NO_PROFILES = np.empty((0, 2)), np.zeros(1, np.int64), np.zeros(0, np.int64)
"""Those of an mtype without levers."""


def profile_table(
    types: Iterable[tuple[Sequence[np.ndarray], MeasuredTrees | None]],
) -> Profiles:
    """The profiles of all bars of all neurite types of an mtype.

    Args:
        types: for each type its barcodes and, with levers, its measured trees; the bars
            of those without have no points.
    """
    bars: list[np.ndarray] = []
    joined: list[int] = []
    for barcodes, measured in types:
        if measured is None:
            bars += [np.empty((0, 2))] * sum(map(len, barcodes))
            joined += [0] * len(barcodes)
        else:
            bars += [profile for tree in measured.profiles for profile in tree]
            joined += measured.joined.tolist()
    points = np.concatenate([np.empty((0, 2)), *bars])
    first_points = np.cumsum([0, *map(len, bars)]).astype(np.int64)
    return points, first_points, np.array(joined, dtype=np.int64)
