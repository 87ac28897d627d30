"""Meshes in compiled code: rays, nearest points and containment (over ``mesh_tree``).

Answers are those of trimesh 5 as region-grower asks it (``mesh.ray.intersects_location(...)[0]``,
``proximity.closest_point``, ``mesh.contains``). Hits are computed by the same arithmetic in the
same order, so that locations are equal to the last bit: which hit of a ray counts depends on it
(see :func:`first_hit`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from region_grower_flow.engine.kernels.jit import kernel

if TYPE_CHECKING:
    from region_grower_flow.engine.kernels.mesh_tree import MeshTree
    from region_grower_flow.engine.kernels.state import Triple, Vector

STACK_SIZE = 128
"""Open boxes during a search; the tree halves its triangles, so its depth is far below."""

FEW_HITS = 16
"""Hits of a ray for which there is room at first."""

PARALLEL_TOLERANCE = 1e-5
"""A ray along a triangle's plane: |direction . normal| below this is no hit (trimesh's)."""
EDGE_TOLERANCE = 1e-13
"""Slack of the barycentric coordinates (trimesh's ``tol.zero``)."""
BEHIND_TOLERANCE = 1e-6
"""Hits up to this far behind the origin count (trimesh's)."""
RAY_BUFFER = 1e-5
"""Padding of the box around a ray (trimesh's ``buffer_dist``)."""
BOX_SLACK = 1e-5
"""Boxes are searched this much larger, times the size of the coordinates."""
DIGITS_FACTOR, DIGITS_SHIFT = 1e8, 1e-6
"""Locations that agree after rounding to 1e-8 are one (trimesh's ``tol.merge``)."""

PARITY_DIRECTION = (0.4395064455, 0.617598629942, 0.652231566745)
SECOND_PARITY_DIRECTION = (-0.27216552697590868, 0.40824829046386302, 0.87138933008995206)
"""The same as in ``space.meshes`` (a test compares them): the cache of compiled kernels only
notices changes of the kernels' own files, and these numbers are compiled in."""


@kernel
def _inverse(direction: Triple) -> Vector:
    """1 / direction, 0 where it is 0 (for :func:`_meets_box`)."""
    x = 1.0 / direction[0] if direction[0] != 0.0 else 0.0
    y = 1.0 / direction[1] if direction[1] != 0.0 else 0.0
    z = 1.0 / direction[2] if direction[2] != 0.0 else 0.0
    return x, y, z


@kernel
def _meets_box(tree: MeshTree, node: int, origin: Triple, inverse: Vector) -> bool:
    """True if a ray may hit something in the (slightly enlarged) box of a node."""
    near, far = -1.0, np.inf  # from a little behind: see BEHIND_TOLERANCE
    for axis in range(3):
        lower, upper = tree.lower[node, axis], tree.upper[node, axis]
        slack = BOX_SLACK * (1.0 + abs(lower) + abs(upper) + abs(origin[axis]))
        lower, upper = lower - slack - origin[axis], upper + slack - origin[axis]
        if inverse[axis] == 0.0:
            if lower > 0.0 or upper < 0.0:
                return False
            continue
        enter, leave = lower * inverse[axis], upper * inverse[axis]
        near, far = max(near, min(enter, leave)), min(far, max(enter, leave))
    return near <= far


@kernel
def dot(a: Triple, b: Triple) -> float:
    """The product of two vectors of three numbers, summed from left to right."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@kernel
def _minus(a: Triple, b: Triple) -> Vector:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


@kernel
def _ray_box(
    tree: MeshTree, root: int, origin: Triple, direction: Triple
) -> tuple[np.ndarray, np.ndarray]:
    """The box (lower, upper) around the part of a ray that passes a mesh.

    Mirrors ``trimesh.ray.ray_triangle.ray_bounds``: along the ray's main axis from the mesh's one
    side to the other, not behind the origin. It decides on hits within 1e-5 um of the origin.
    """
    axis = 0
    for other in range(1, 3):
        if abs(direction[other]) > abs(direction[axis]):
            axis = other
    enter = max((tree.lower[root, axis] - origin[axis]) / direction[axis], RAY_BUFFER)
    leave = max((tree.upper[root, axis] - origin[axis]) / direction[axis], RAY_BUFFER)
    lower, upper = np.empty(3), np.empty(3)
    for other in range(3):
        one = direction[other] * enter + origin[other]
        two = direction[other] * leave + origin[other]
        lower[other], upper[other] = min(one, two) - RAY_BUFFER, max(one, two) + RAY_BUFFER
    return lower, upper


@kernel
def _overlaps(corners: np.ndarray, box: tuple[np.ndarray, np.ndarray]) -> bool:
    """True if a triangle's own box touches a (lower, upper) box."""
    lower, upper = box
    for axis in range(3):
        least = min(corners[0, axis], corners[1, axis], corners[2, axis])
        most = max(corners[0, axis], corners[1, axis], corners[2, axis])
        if least > upper[axis] or most < lower[axis]:
            return False
    return True


@kernel
def _on_triangle(corners: np.ndarray, location: Triple) -> bool:
    """True if a point of a triangle's plane is on the triangle (barycentric, by Cramer's rule)."""
    edge0, edge1 = _minus(corners[1], corners[0]), _minus(corners[2], corners[0])
    inside = _minus(location, corners[0])
    dot00, dot01, dot02 = dot(edge0, edge0), dot(edge0, edge1), dot(edge0, inside)
    dot11, dot12 = dot(edge1, edge1), dot(edge1, inside)
    scale = 1.0 / (dot00 * dot11 - dot01 * dot01)
    b2 = (dot00 * dot12 - dot01 * dot02) * scale
    b1 = (dot11 * dot02 - dot01 * dot12) * scale
    b0 = 1.0 - b1 - b2
    least, most = min(b0, b1, b2), max(b0, b1, b2)
    return least > -EDGE_TOLERANCE and most < 1.0 + EDGE_TOLERANCE


@kernel
def _hit(tree: MeshTree, triangle: int, origin: Triple, direction: Triple) -> tuple[bool, Vector]:
    """The point at which a ray hits a triangle: (True if it does, (x, y, z)).

    Mirrors ``trimesh.ray.ray_triangle.ray_triangle_id``: where the ray meets the triangle's plane,
    whether that is on the triangle, and in front of the origin; sums from left to right.
    """
    corners, normal = tree.triangles[triangle], tree.normals[triangle]
    towards = dot(direction, normal)
    if not abs(towards) > PARALLEL_TOLERANCE:
        return False, (0.0, 0.0, 0.0)
    distance = dot(_minus(corners[0], origin), normal) / towards
    location = (
        direction[0] * distance + origin[0],
        direction[1] * distance + origin[1],
        direction[2] * distance + origin[2],
    )
    if not dot(_minus(location, origin), direction) > -BEHIND_TOLERANCE:
        return False, location
    return _on_triangle(corners, location), location


@kernel
def _rounded(coordinate: float) -> np.int64:
    """A coordinate as trimesh compares locations: in units of 1e-8, as an integer."""
    return np.int64(np.rint(coordinate * DIGITS_FACTOR - DIGITS_SHIFT))


@kernel
def _is_same(one: Triple, other: Triple) -> bool:
    """True if trimesh takes two locations for one."""
    same = True
    for axis in range(3):
        same = same and _rounded(one[axis]) == _rounded(other[axis])
    return same


@kernel
def _bytes_reversed(number: np.int64) -> np.uint64:
    """Order of ``number``'s bytes in memory (least significant first) as an unsigned integer."""
    rest, key = np.uint64(number), np.uint64(0)
    for _ in range(8):
        key = (key << np.uint64(8)) | (rest & np.uint64(255))
        rest = rest >> np.uint64(8)
    return key


@kernel
def _sorting_key(location: Triple) -> tuple[np.uint64, np.uint64, np.uint64]:
    x, y, z = _rounded(location[0]), _rounded(location[1]), _rounded(location[2])
    return _bytes_reversed(x), _bytes_reversed(y), _bytes_reversed(z)


@kernel
def _doubled(rows: np.ndarray) -> np.ndarray:
    """Twice as many rows; copied one by one, since compiling a slice assignment takes seconds."""
    larger = np.empty((2 * len(rows), 3))
    for i in range(len(rows)):
        for axis in range(3):
            larger[i, axis] = rows[i, axis]
    return larger


@kernel
def _hits(tree: MeshTree, root: int, origin: Triple, direction: Triple) -> tuple[int, np.ndarray]:
    """The points at which a ray meets the triangles of a mesh: (their number, (n, 3) rows).

    A hit on an edge is there for each of the triangles that share it.
    """
    locations, count_of_hits = np.empty((FEW_HITS, 3)), 0
    inverse = _inverse(direction)
    ray_box = _ray_box(tree, root, origin, direction)
    stack = np.empty(STACK_SIZE, dtype=np.int64)
    stack[0], depth = root, 1
    while depth > 0:
        depth -= 1
        node = stack[depth]
        if not _meets_box(tree, node, origin, inverse):
            continue
        first, count = tree.first[node], tree.count[node]
        if count == 0:
            stack[depth], stack[depth + 1] = first, first + 1
            depth += 2
        for triangle in range(first, first + count):
            hit, location = _hit(tree, triangle, origin, direction)
            if not (hit and _overlaps(tree.triangles[triangle], ray_box)):
                continue
            if count_of_hits == len(locations):
                locations = _doubled(locations)
            for axis in range(3):
                locations[count_of_hits, axis] = location[axis]
            count_of_hits += 1
    return count_of_hits, locations


@kernel
def first_hit(tree: MeshTree, root: int, origin: Triple, direction: Triple) -> tuple[bool, Vector]:
    """The point at which a ray meets a mesh: (True if it does, (x, y, z)).

    Of several hits it is the one that trimesh lists first, which is not the nearest: trimesh sorts
    the rounded locations by their bytes in memory, x before y before z.
    """
    count, locations = _hits(tree, root, origin, direction)
    if count == 0:
        return False, (0.0, 0.0, 0.0)
    best = 0
    for other in range(1, count):
        if _sorting_key(locations[other]) < _sorting_key(locations[best]):
            best = other
    return True, (locations[best, 0], locations[best, 1], locations[best, 2])


@kernel
def count_hits(tree: MeshTree, root: int, origin: Triple, direction: Triple) -> int:
    """The number of times that a ray meets a mesh; a hit on a shared edge counts once."""
    count, locations = _hits(tree, root, origin, direction)
    distinct = 0
    for i in range(count):
        known = False
        for other in range(i):
            known = known or _is_same(locations[i], locations[other])
        if not known:
            distinct += 1
    return distinct


@kernel
def contains(tree: MeshTree, root: int, point: Triple) -> bool:
    """True if a mesh contains a point: the parity of hits along a ray and along its opposite.

    Mirrors ``trimesh.ray.ray_util.contains_points`` as :meth:`SpaceMesh.contains` does.
    """
    for axis in range(3):
        if not (tree.lower[root, axis] < point[axis] < tree.upper[root, axis]):
            return False
    for attempt in range(2):
        forward = PARITY_DIRECTION if attempt == 0 else SECOND_PARITY_DIRECTION
        backward = (-forward[0], -forward[1], -forward[2])
        ahead = count_hits(tree, root, point, forward)
        behind = count_hits(tree, root, point, backward)
        if ahead % 2 == behind % 2:
            return ahead % 2 == 1
        if ahead == 0 or behind == 0:
            return False
    return False


@kernel
def _closest_on_triangle(corners: np.ndarray, point: Triple) -> Vector:
    """The point of a triangle nearest to ``point``.

    By the regions of corners, edges and face (Ericson, Real-Time Collision Detection, 5.1.5).
    """
    a = corners[0]
    ab, ac = _minus(corners[1], a), _minus(corners[2], a)
    ap, bp, cp = _minus(point, a), _minus(point, corners[1]), _minus(point, corners[2])
    d1, d2, d3, d4 = dot(ab, ap), dot(ac, ap), dot(ab, bp), dot(ac, bp)
    d5, d6 = dot(ab, cp), dot(ac, cp)
    va, vb, vc = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
    v, w = 0.0, 0.0  # closest = a + v * ab + w * ac; here: corner a
    if d1 <= 0.0 and d2 <= 0.0:
        pass
    elif d3 >= 0.0 and d4 <= d3:
        v = 1.0
    elif vc <= 0.0 and d1 >= 0.0 and d3 <= 0.0:
        v = d1 / (d1 - d3)
    elif d6 >= 0.0 and d5 <= d6:
        w = 1.0
    elif vb <= 0.0 and d2 >= 0.0 and d6 <= 0.0:
        w = d2 / (d2 - d6)
    elif va <= 0.0 and d4 - d3 >= 0.0 and d5 - d6 >= 0.0:
        w = (d4 - d3) / ((d4 - d3) + (d5 - d6))
        v = 1.0 - w
    else:
        v, w = vb / (va + vb + vc), vc / (va + vb + vc)
    return (
        a[0] + v * ab[0] + w * ac[0],
        a[1] + v * ab[1] + w * ac[1],
        a[2] + v * ab[2] + w * ac[2],
    )


@kernel
def _gap_squared(tree: MeshTree, node: int, point: Triple) -> float:
    squared = 0.0
    for axis in range(3):
        below = tree.lower[node, axis] - point[axis]
        above = point[axis] - tree.upper[node, axis]
        gap = max(below, above)
        if gap > 0.0:
            squared += gap * gap
    return squared


@kernel
def closest_point(tree: MeshTree, root: int, point: Triple) -> tuple[Vector, float]:
    """The point of a mesh nearest to ``point``: ((x, y, z), distance)."""
    best, nearest = np.inf, (np.nan, np.nan, np.nan)
    stack = np.empty(STACK_SIZE, dtype=np.int64)
    stack[0], depth = root, 1
    while depth > 0:
        depth -= 1
        node = stack[depth]
        if _gap_squared(tree, node, point) >= best:
            continue
        first, count = tree.first[node], tree.count[node]
        if count == 0:
            # The nearer child on top of the stack.
            swap = _gap_squared(tree, first, point) < _gap_squared(tree, first + 1, point)
            stack[depth] = first + 1 if swap else first
            stack[depth + 1] = first if swap else first + 1
            depth += 2
        for triangle in range(first, first + count):
            candidate = _closest_on_triangle(tree.triangles[triangle], point)
            away = _minus(candidate, point)
            if dot(away, away) < best:
                best, nearest = dot(away, away), candidate
    return nearest, np.sqrt(best)
