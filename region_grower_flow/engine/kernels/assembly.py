"""Sections in order of reading, made of points in order of growth.

MorphIO's order is depth first; children come in the order in which they ended, since NeuroTS
appends a section to the morphology when it ends.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from region_grower_flow.engine.kernels.jit import kernel
from region_grower_flow.engine.kernels.state import NO_SECTION, Forest

Assembled: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""The arrays of a FlatMorphology, and the apical sections: see :func:`assemble`."""

NOT_FOUND = -2
"""No point of the morphology is the apical point (there are NaN): ValueError in NeuroTS."""


@kernel
def reading_order(sections: np.ndarray) -> np.ndarray:
    """The place of each section (by index of creation) in order of reading.

    Args:
        sections: SECTION records, all ended.

    Returns:
        (S,) int64.
    """
    n = sections.shape[0]
    by_rank = np.empty(n, np.int64)
    for s in range(n):
        by_rank[sections[s].rank] = s
    size = np.ones(n, np.int64)
    for r in range(n - 1, -1, -1):
        parent = sections[by_rank[r]].parent
        if parent != NO_SECTION:
            size[parent] += size[by_rank[r]]
    place = np.empty(n, np.int64)
    next_free = np.empty(n, np.int64)
    next_root = 0
    for r in range(n):
        s = by_rank[r]
        parent = sections[s].parent
        if parent == NO_SECTION:
            place[s] = next_root
            next_root += size[s]
        else:
            place[s] = next_free[parent]
            next_free[parent] += size[s]
        next_free[s] = place[s] + 1
    return place


@kernel
def assemble(forest: Forest) -> Assembled:
    """The arrays of a FlatMorphology, and the apical points' sections.

    Args:
        forest: Forest that has grown.

    Returns:
        points (N, 3) float32, diameters (N,) float32 of 1 um as in NeuroTS before diametrization,
        offsets (M + 1,) int64, types (M,) int32, parents (M,) int64, and for each tree in the
        order of their ends the apical section: NO_SECTION without one, NOT_FOUND where NeuroTS
        does not find it either.
    """
    log, progress = forest.log, forest.progress[0]
    n_sections, n_points = progress.n_sections, progress.n_points
    sections = forest.sections[:n_sections]
    place = reading_order(sections)
    offsets = np.zeros(n_sections + 1, np.int64)
    types = np.empty(n_sections, np.int32)
    parents = np.empty(n_sections, np.int64)
    for s in range(n_sections):
        section = sections[s]
        here = place[s]
        offsets[here + 1] = section.n_points
        types[here] = forest.rules[forest.trees[section.tree].rules].section_type
        parents[here] = NO_SECTION if section.parent == NO_SECTION else place[section.parent]
    for i in range(n_sections):
        offsets[i + 1] += offsets[i]
    points = np.empty((n_points, 3), np.float32)
    filled = offsets.copy()
    for i in range(n_points):
        here = place[log[i].section]
        for j in range(3):
            points[filled[here], j] = log[i].xyz[j]
        filled[here] += 1
    found = apical_sections(forest.trees, place, points, offsets)
    return points, np.ones(n_points, np.float32), offsets, types, parents, found


@kernel
def nothing() -> Assembled:
    """The value of :func:`assemble` for a forest that has not grown."""
    return (
        np.empty((0, 3), np.float32),
        np.empty(0, np.float32),
        np.zeros(1, np.int64),
        np.empty(0, np.int32),
        np.empty(0, np.int64),
        np.empty(0, np.int64),
    )


@kernel
def apical_sections(
    trees: np.ndarray, place: np.ndarray, points: np.ndarray, offsets: np.ndarray
) -> np.ndarray:
    """Each tree's apical section, trees in the order of their ends."""
    found = np.full(trees.shape[0], NO_SECTION, np.int64)
    for t in range(trees.shape[0]):
        if trees[t].apical_section != NO_SECTION:
            last = offsets[place[trees[t].apical_section] + 1] - 1
            found[trees[t].end] = section_with_point(points[last], points, offsets)
    return found


@kernel
def section_with_point(target: np.ndarray, points: np.ndarray, offsets: np.ndarray) -> int:
    """The first section that has a point close to ``target``.

    Mirrors neurots.utils.point_to_section_segment, which may find a section before the right one
    when the cell is far from the origin, since closeness is relative.
    """
    section = 0
    for i in range(points.shape[0]):
        while i >= offsets[section + 1]:
            section += 1
        close = True
        for j in range(3):
            close = close and is_close(points[i, j], target[j])
        if close:
            return section
    return NOT_FOUND


@kernel
def is_close(value: float, target: float) -> bool:
    """``np.isclose`` of two float32 numbers, computed in float32 as NumPy does."""
    bound = np.float32(np.float32(1e-5) * abs(target))
    bound = np.float32(np.float32(1e-8) + bound)
    return np.float32(abs(np.float32(value - target))) <= bound
