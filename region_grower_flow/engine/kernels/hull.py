"""The convex hull of a few points in a plane, its corners in Qhull's order.

Mirrors Qhull (``qh_maxsimplex``, ``qh_furthestnext``, ``qh_buildhull``), as SciPy calls it. The
hull begins with the edge that was made first of those that are left, so that edges are made in
Qhull's order here: the order of a soma's contour is part of the result. Where anything hangs on
rounding nothing is returned, and SciPy is asked. Its import and call take longer than all other
draws of a soma.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from region_grower_flow.engine.kernels.jit import entry, kernel

Edges: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Begin, end, edge before, edge after and state of each edge that was made."""

Outside: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]
"""The edge that each point is outside of; the furthest point outside of each edge, and how far."""

UNSURE = 1e-9
"""Share of the extent within which distances are taken for equal."""

THIN = 1e-2
"""Qhull begins otherwise with points that are nearly on a line: a triangle of less area than this
share of the squared extent."""


@entry("core")
def convex_hull(points: np.ndarray) -> np.ndarray:
    """The corners of the hull.

    Args:
        points: (n, 2) float64, at least three.

    Returns:
        int64 indices, counterclockwise as ``scipy.spatial.ConvexHull(points).vertices``; none
        where it cannot be told.
    """
    count = len(points)
    nothing = np.empty(0, np.int64)
    born = np.zeros(count, np.int64)  # when a point became a corner, 0: not yet
    begin, end = np.empty(3 * count + 8, np.int64), np.empty(3 * count + 8, np.int64)
    before, after = np.empty_like(begin), np.empty_like(begin)
    state = np.zeros(len(begin), np.int64)  # 1 while an edge is part of the hull
    edges = (begin, end, before, after, state)
    scale = _triangle(points, born, edges)
    if not scale > 0.0:
        return nothing
    above = np.full(count, -1)  # the edge that a point is outside of
    furthest, distances = np.full(len(begin), -1), np.full(len(begin), -1.0)
    outside = (above, furthest, distances)
    first, made = np.int64(0), np.int64(3)
    for i in range(count):
        if born[i] == 0 and not _assign(points, i, first, made, edges, outside, scale):
            return nothing
    for edge in range(1, 3):
        if furthest[edge] >= 0 and abs(distances[edge] - distances[first]) < UNSURE * scale:
            return nothing
        if distances[edge] > distances[first]:
            first = np.int64(edge)
    if furthest[first] >= 0:
        made = _extend(points, first, made, born, edges, outside, scale)
    edge = np.int64(0)
    while 0 <= edge < made:
        if state[edge] == 1 and furthest[edge] >= 0:
            made = _extend(points, edge, made, born, edges, outside, scale)
        edge += 1
    return nothing if made < 0 else _corners(edges, count)


@kernel
def _turn(points: np.ndarray, a: int, b: int, c: int) -> float:
    """Twice the area of a triangle, positive if its corners are counterclockwise."""
    return (points[b, 0] - points[a, 0]) * (points[c, 1] - points[a, 1]) - (
        points[b, 1] - points[a, 1]
    ) * (points[c, 0] - points[a, 0])


@kernel
def _triangle(points: np.ndarray, born: np.ndarray, edges: Edges) -> float:
    """Make the first three edges between extreme points; the extent, 0 where it is not sure."""
    begin, end, before, after, state = edges
    extremes = np.zeros(4, np.int64)
    for axis in range(2):
        least = most = 0
        for i in range(len(points)):
            if not np.isfinite(points[i, axis]):
                return 0.0
            if points[most, axis] < points[i, axis]:
                most = i
            elif points[least, axis] > points[i, axis]:
                least = i
        extremes[2 * axis], extremes[2 * axis + 1] = least, most
    left, right = extremes[0], extremes[1]
    scale = points[right, 0] - points[left, 0]
    scale = max(scale, points[extremes[3], 1] - points[extremes[2], 1])
    third, largest = -1, 0.0
    for i in extremes[2:]:
        area = abs(_turn(points, left, right, i))
        if i in (left, right, third):
            continue
        if abs(area - largest) < UNSURE * scale * scale:
            return 0.0
        if area > largest:
            third, largest = i, area
    if third < 0 or largest < THIN * scale * scale:
        return 0.0
    born[left], born[right], born[third] = 1, 2, 3
    if _turn(points, left, right, third) > 0.0:
        begin[0], begin[1], begin[2] = left, third, right
        end[0], end[1], end[2] = right, left, third
        after[0], after[1], after[2] = 2, 0, 1
    else:
        begin[0], begin[1], begin[2] = right, left, third
        end[0], end[1], end[2] = left, third, right
        after[0], after[1], after[2] = 1, 2, 0
    for edge in range(3):
        before[after[edge]] = edge
        state[edge] = 1
    return scale


@kernel
def _beyond(points: np.ndarray, edge: int, edges: Edges, i: int) -> float:
    """Distance of a point from an edge, positive outside."""
    a, b = edges[0][edge], edges[1][edge]
    x, y = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1]
    return -_turn(points, a, b, i) / np.sqrt(x * x + y * y)


@kernel
def _assign(
    points: np.ndarray, i: int, first: int, last: int, edges: Edges, outside: Outside, scale: float
) -> bool:
    """Note the first of some edges that a point is outside of; False where that is not sure."""
    above, furthest, distances = outside
    above[i] = -1
    for edge in range(first, last):
        distance = _beyond(points, edge, edges, i)
        if abs(distance) < UNSURE * scale:
            return False
        if distance > 0.0 and above[i] >= 0 and first > 0:
            return False  # of two new edges Qhull may take either
        if distance > 0.0 and above[i] < 0:
            above[i] = edge
            if furthest[edge] >= 0 and abs(distance - distances[edge]) < UNSURE * scale:
                return False
            if distance > distances[edge]:
                furthest[edge], distances[edge] = i, distance
    return True


@kernel
def _extend(
    points: np.ndarray,
    edge: int,
    made: int,
    born: np.ndarray,
    edges: Edges,
    outside: Outside,
    scale: float,
) -> int:
    """Take the furthest point outside of an edge into the hull.

    Returns:
        The number of edges that have been made; -1 where it is not sure.
    """
    begin, end, before, after, state = edges
    above, furthest, _ = outside
    tip = furthest[edge]
    born[tip], above[tip] = made // 2 + 3, -1
    seen = np.empty(made, np.int64)  # edges that the point is outside of, breadth first
    seen[0], state[edge] = edge, 2
    count, done = 1, 0
    new = made
    while done < count:
        here = seen[done]
        done += 1
        for side in range(2):
            other = _neighbor(here, side, born, edges)
            if state[other] == 2:
                continue
            distance = _beyond(points, other, edges, tip)
            if abs(distance) < UNSURE * scale:
                return np.int64(-1)
            if distance > 0.0:
                seen[count], state[other] = other, 2
                count += 1
    for here in seen[:count]:
        for side in range(2):
            other = _neighbor(here, side, born, edges)
            if state[other] == 2:
                continue
            if other == before[here]:
                begin[new], end[new], before[new] = begin[here], tip, other
            else:
                begin[new], end[new], after[new] = tip, end[here], other
            state[new] = 1
            new += 1
    one, two = (made, made + 1) if end[made] == tip else (made + 1, made)
    after[one], before[two] = two, one
    after[before[one]], before[after[two]] = one, two
    for here in seen[:count]:
        state[here] = 0
        for i in range(len(points)):
            if above[i] == here and not _assign(points, i, made, new, edges, outside, scale):
                return np.int64(-1)
    return new


@kernel
def _neighbor(edge: int, side: int, born: np.ndarray, edges: Edges) -> int:
    """The neighbor of an edge at its older corner (side 0) or at its younger one."""
    begin, end, before, after, _ = edges
    at_begin = (side == 0) == (born[begin[edge]] < born[end[edge]])
    return before[edge] if at_begin else after[edge]


@kernel
def _corners(edges: Edges, count: int) -> np.ndarray:
    """The corners from the beginning of the oldest edge on."""
    begin, _, _, after, state = edges
    start = 0
    while state[start] != 1:
        start += 1
    corners = np.empty(count, np.int64)
    edge, found = start, 0
    while found == 0 or edge != start:
        corners[found] = begin[edge]
        edge = after[edge]
        found += 1
    return corners[:found]


def warm_up() -> None:
    """Call the kernel that Python calls."""
    convex_hull(np.array([[0.0, 0.0], [1.0, 0.1], [0.4, 1.0], [0.9, 0.8]]))
